"""Outlook mails: bodies in four forms, names in two, files and mails attached."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from converters import convert, sample_text
from converters.model import Conversion
from converters.options import Limits, Options
from tests.converters.formats.packing import CSV, Tree, attached, compound, outlook, zipped
from tests.converters.formats.test_rtf import HIDDEN

PAGE = "<table><tr><td>지점</td><td>매출</td></tr><tr><td>강남</td><td>10</td></tr></table>"
SUBJECT, PLAIN, SENDER, ADDRESS, HTML = 0x37, 0x1000, 0x0C1A, 0x5D01, 0x1013


def rich(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<II4sI", len(data) + 12, len(data), b"MELA", 0) + data


def paths(conversion: Conversion) -> list[tuple[str, ...]]:
    return [table.container[1:] for table in conversion.tables]


def test_files_come_with_their_names_and_what_is_in_them() -> None:
    tree = outlook(
        {SUBJECT: "x"}, attachments=(attached("1월 매출.csv", CSV), attached("b.zip", zipped(("a.csv", CSV))))
    )
    conversion = convert(compound(tree), name="m.msg")
    assert conversion.format == "msg" and conversion.state == "ok"
    assert paths(conversion) == [("1월 매출.csv",), ("b.zip", "a.csv")]


@pytest.mark.parametrize(
    "tree",
    [
        outlook({SUBJECT: "x"}, _10130102=PAGE.encode()),
        outlook({SUBJECT: "x"}, codepage=949, _10130102=PAGE.encode("cp949")),
        outlook({SUBJECT: "x", HTML: PAGE}),
        outlook({SUBJECT: "x", PLAIN: "지점 매출 강남 10"}, _10090102=rich(HIDDEN)),
        outlook({SUBJECT: "x", PLAIN: "지점\t매출\r\n강남\t10\r\n서초\t20\r\n"}, _10090102=rich("{\\rtf1 x}")),
    ],
    ids=["html", "html in cp949", "html as text", "html in rich text", "plain"],
)
def test_tables_of_the_body_are_read_in_every_form_of_it(tree: Tree) -> None:
    conversion = convert(compound(tree), name="m.msg")
    [table] = conversion.tables
    assert table.container == ("m.msg", "body") and table.sheet == "body"
    assert [c.path for c in table.columns] == [("지점",), ("매출",)]
    assert table.columns[1].values[0] == 10


def test_an_attached_mail_is_a_container_of_its_own() -> None:
    inner = outlook({SUBJECT: "안"}, attachments=(attached("a.csv", CSV),), head=24)
    carrier: Tree = {"__substg1.0_3001001F": "전달".encode("utf-16-le"), "__substg1.0_3701000D": inner}
    data = compound(outlook({SUBJECT: "밖"}, attachments=(carrier,)))
    assert paths(convert(data, name="m.msg")) == [("전달", "a.csv")]
    shallow = convert(data, name="m.msg", options=Options(limits=Limits(max_nesting=1)))
    assert [p.code for p in shallow.problems] == ["over_limit"]


def test_a_link_instead_of_a_file_is_a_problem() -> None:
    link: Tree = {"__substg1.0_3707001F": "a.xlsx".encode("utf-16-le")}
    conversion = convert(compound(outlook({SUBJECT: "x"}, attachments=(link, attached("b.csv", CSV)))), name="m.msg")
    assert conversion.state == "partial" and conversion.problems[0].where == "a.xlsx"


def test_a_picture_that_the_body_shows_is_inline() -> None:
    picture = attached("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(20)) | {
        "__substg1.0_3712001F": "l@x".encode("utf-16-le")
    }
    tree = outlook({SUBJECT: "x", HTML: PAGE + '<img src="cid:l@x">'}, attachments=(picture,))
    conversion = convert(compound(tree), name="m.msg")
    assert conversion.state == "ok" and "inline" in conversion.notices[-1].message


def test_a_mail_with_a_protected_workbook_is_a_mail() -> None:
    locked = compound({"EncryptedPackage": b"x", "EncryptionInfo": b"x"})
    conversion = convert(compound(outlook({SUBJECT: "x"}, attachments=(attached("a.xlsx", locked),))), name="m.msg")
    assert (conversion.format, conversion.state) == ("msg", "needs_password")
    assert conversion.problems[0].where == "a.xlsx"


def test_a_sample_says_subject_and_sender_also_in_a_codepage() -> None:
    tree = outlook({SUBJECT: "1월 매출일보", SENDER: "김철수", ADDRESS: "kim@hanbit.kr"}, codepage=949)
    assert sample_text(compound(tree), "m.msg").splitlines()[:2] == [
        "Subject: 1월 매출일보",
        "From: 김철수 <kim@hanbit.kr>",
    ]


def test_a_mail_that_is_cut_off_ends_in_a_state() -> None:
    data = compound(outlook({SUBJECT: "x"}, attachments=(attached("a.csv", CSV * 500),)))
    for end in range(600, len(data), 512):
        conversion = convert(data[:end], name="m.msg")
        assert "converter_defect" not in [p.code for p in conversion.problems]


CORPUS = os.environ.get("ONDOL_CORPUS", "")
FILES = [path for kind in ("eml", "msg") for path in sorted(Path(CORPUS).glob(f"{kind}/*"))] if CORPUS else []


@pytest.mark.skipif(not FILES, reason="ONDOL_CORPUS names no folder of files: NO MAIL OF IT IS TRIED")
def test_every_mail_of_the_corpus_is_read() -> None:
    for path in FILES:
        conversion = convert(path)
        assert conversion.format in ("eml", "msg"), path
        assert "converter_defect" not in [p.code for p in conversion.problems], path
