"""What a file is, is told by its bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from converters.detect import detect
from converters.document import Document
from converters.formats.registry import NOT_READ, READERS, reader


def package(*names: str, mimetype: str | None = None) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x")
    return target.getvalue()


def compound(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024) + stream.encode("utf-16-le") + bytes(64)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (package("xl/workbook.xml", "[Content_Types].xml"), "xlsx"),
        (package("xl/workbook.xml", "xl/vbaProject.bin"), "xlsm"),
        (package("xl/workbook.bin"), "xlsb"),
        (package("content.xml", mimetype="application/vnd.oasis.opendocument.spreadsheet"), "ods"),
        (package("word/document.xml"), "docx"),
        (package("Contents/section0.xml", mimetype="application/hwp+zip"), "hwpx"),
        (package("a.csv"), "zip"),
        (compound("Workbook"), "xls"),
        (compound("EncryptedPackage"), "encrypted"),
        (compound("FileHeader") + "HwpSummaryInformation".encode("utf-16-le"), "hwp"),
        (compound("__properties_version1.0"), "msg"),
        (b"%PDF-1.4", "pdf"),
        (b"PAR1....", "parquet"),
        ("<html><table><tr><td>매출</td></tr></table>".encode("cp949"), "html"),
        (b"\n\n<TABLE><TR><TD>1</TD></TR></TABLE>", "html"),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>\n'
         b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "spreadsheetml"),
        (b"<?xml version='1.0'?><a/>", "xml"),
        (b'[{"a": 1}]', "json"),
        (b"From: a@b.kr\r\nSubject: x\r\nDate: Mon\r\n\r\nbody", "eml"),
        (b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n", "eml"),
        (b"X-Spam_score: 1\r\nReceived: from a\r\n\tby b\r\nTo: c\r\n\r\n" + bytes(range(256)) * 9, "eml"),
        (b"From: a\r\nTo: b\r\nContent-Type: multipart/related\r\n\r\nContent-Type: text/html", "eml"),
        (b"From: <Saved by Blink>\r\nSubject: x\r\nContent-Type: multipart/related\r\n\r\nx", "mht"),
        (b"EGGA" + bytes(40), "egg"),
        (b"ALZ\x01" + bytes(40), "alz"),
        (b"\x78\x9f\x3e\x22" + bytes(40), "tnef"),
        (b"-----BEGIN PGP MESSAGE-----\n", "sealed"),
        (b"a.csv".ljust(257, b"\0") + b"ustar  \0" + bytes(300), "tar"),
        ("지점,매출\n강남,1\n".encode("cp949"), "csv"),
        ("지점\t매출\n강남\t1\n".encode("utf-16"), "csv"),
        ("지점\t매출\n강남\t1\n".encode("utf-16-le"), "csv"),
        (b"[area];amount\nnorth;1\n", "csv"),
        (bytes(range(1, 256)), "binary"),
    ],
)  # fmt: skip
def test_content_decides(data: bytes, name: str) -> None:
    assert detect(Document("name.pdf", data=data)) == name


def test_every_format_is_read_or_says_what_to_do() -> None:
    assert not READERS.keys() & NOT_READ.keys()
    for name in READERS:
        assert callable(reader(name))
    for what, remedy in NOT_READ.values():
        assert what
        assert remedy.endswith(".")


def test_a_real_workbook_is_one(workbook: Callable[..., Path]) -> None:
    assert detect(Document.of(workbook([["a", "b"], [1, 2]]))) == "xlsx"
