"""What a file is, by its content and never by its name."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

from converters.document import Document
from converters.encoding import decode_head
from converters.errors import Broken

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "pdf"),
    (b"PAR1", "parquet"),
    (b"PARE", "parquet"),
    (b"{\\rtf", "rtf"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"EGGA", "egg"),
    (b"ALZ\x01", "alz"),
    (b"BZh91AY&SY", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x78\x9f\x3e\x22", "tnef"),
    (b"-----BEGIN PGP MESSAGE-----", "sealed"),
    (b"\x76\xe8\x04\x60\xc4\x11\xe3\x86", "sealed"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"HWP Document File", "hwp"),
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BIFF = re.compile(rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00")
OLE_STREAMS: tuple[tuple[str, str], ...] = (
    ("EncryptedPackage", "encrypted"),
    ("__properties_version1.0", "msg"),
    ("BodyText", "hwp"),
    ("HwpSummaryInformation", "hwp"),
    ("WordDocument", "doc"),
    ("PowerPoint Document", "ppt"),
    ("Workbook", "xls"),
    ("Book", "xls"),
)
"""Names in the directory of an OLE file, the telling ones first: a mail or a document may embed a workbook."""

HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|table|tr|td|th|meta|style|div|center)\b", re.I)
CMS = re.compile(rb"\x30[\x80-\x84][\x00-\xff]{0,4}\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07[\x02\x03\x17]")
"""An S/MIME message: signed, enveloped, or authenticated and enveloped (RFC 5652, RFC 5083)."""

MAIL_FIELD = re.compile(
    r"(received|return-path|delivered-to|from|to|subject|date|message-id|mime-version|content-type):", re.I
)
SENT = re.compile(r"^(?:received|return-path|delivered-to|to|message-id):", re.I | re.M)
SIGNED_MAIL = re.compile(r"content-type:\s*multipart/signed", re.I)

FLAT_SHEETS = re.compile(r"<office:document\b[^>]*office:mimetype=.application/vnd\.oasis\.opendocument\.spreadsheet")


def detect(document: Document) -> str:
    """The name of the format, as the registry has it.

    Raises:
        Broken: a zip that cannot be opened.
    """
    head = document.head
    if head.startswith(OLE):
        return _ole(document)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _zip(document)
    if BIFF.match(head):
        return "xls"
    for magic, name in MAGIC:
        if head.startswith(magic) or (name == "pdf" and b"%PDF-" in head):
            return name
    if CMS.match(head):
        return "sealed"
    if head[257:262] == b"ustar":
        return "tar"
    return _text(head)


def _ole(document: Document) -> str:
    content = document.content
    names = _root_names(content)
    for stream, name in OLE_STREAMS:
        if stream.lower() in names if names else stream.encode("utf-16-le") in content:
            return name
    return "ole"


def _root_names(content: bytes) -> set[str]:
    """What lies in the root of an OLE file, in lower case, and not in what it embeds; nothing if that is damaged."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(content)) as container:
            return {path[0].lstrip("\x05").lower() for path in container.listdir(storages=True)}
    except (OSError, ValueError, IndexError, AttributeError, TypeError):
        return set()


def _zip(document: Document) -> str:
    try:
        with document.open() as stream, zipfile.ZipFile(stream) as archive:
            names = {name.replace("\\", "/") for name in archive.namelist()}
            mimetype = archive.read("mimetype")[:80].decode("latin-1") if _small(archive, "mimetype") else ""
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, ValueError, EOFError, KeyError) as error:
        cut_off = str(error) == "File is not a zip file"
        raise Broken(
            f"{document.name} begins as a zip (an xlsx is one, too), "
            + ("but it is cut off: its end, which lists what is in it, is missing." if cut_off else f"but: {error}."),
            "Ask the sender to send it again, whole.",
        ) from error
    for clue, found in _ZIP_CLUES:
        if clue(names, mimetype):
            return found
    return "zip"


def _small(archive: zipfile.ZipFile, name: str) -> bool:
    return name in archive.NameToInfo and archive.getinfo(name).file_size < 1000


_ZIP_CLUES: tuple[tuple[Callable[[set[str], str], bool], str], ...] = (
    (lambda names, _: any(n.lower().endswith("xl/workbook.bin") for n in names), "xlsb"),
    (lambda names, _: "xl/vbaProject.bin" in names, "xlsm"),
    (lambda names, _: any(re.fullmatch(r"/?xl/workbook\d*\.xml", n, re.I) for n in names), "xlsx"),
    (lambda names, _: "[Content_Types].xml" in names and any("worksheets/" in n for n in names), "xlsx"),
    (lambda names, mime: "spreadsheet" in mime, "ods"),
    (lambda names, mime: "hwp" in mime or "Contents/section0.xml" in names, "hwpx"),
    (lambda names, _: any(n.startswith("word/") for n in names), "docx"),
    (lambda names, _: any(n.startswith("ppt/") for n in names), "pptx"),
)


def _text(head: bytes) -> str:
    text = decode_head(head)
    if text is None:  # a mail of many encodings, or with files attached as they are
        return "eml" if _is_mail(head.decode("latin-1")) else "binary"
    start = text.lstrip("\ufeff \t\r\n")
    if (
        start.startswith(("<?xml", "<Workbook", "<!--"))
        and "urn:schemas-microsoft-com:office:spreadsheet" in start[:4000]
    ):
        return "spreadsheetml"
    if start.startswith("<?xml") and FLAT_SHEETS.search(start):
        return "ods"
    if start.startswith("<") and HTML.search(start):
        return "html"
    if start.startswith("<?xml"):
        return "xml"
    if (
        start.startswith(("{", "["))
        and re.match(r"[\[{]\s*(?:[\[{\"\]}]|-?\d)", start)
        and re.search(r'"\s*:|\]\s*,?\s*\[', start)
    ):
        return "json"
    if _is_mail(start):
        return "mht" if _is_web_archive(start) else "eml"
    return "html" if re.search(r"<table\b[\s\S]*<t[rdh]\b", start[:20000], re.I) and start.count("<") > 20 else "csv"


def _is_mail(text: str) -> bool:
    """It begins with header fields, several of which only mails have."""
    fields = 0
    for line in text.splitlines()[:60]:
        if not line.strip():
            break
        if not re.match(r"[!-9;-~]+:|[ \t]|From ", line):
            return False
        fields += 2 if SIGNED_MAIL.match(line) else bool(MAIL_FIELD.match(line))
    return fields >= 2


def _is_web_archive(text: str) -> bool:
    """A page with its pictures, saved as a mail that nobody sent."""
    fields = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    return "multipart/related" in fields.lower() and not SENT.search(fields)
