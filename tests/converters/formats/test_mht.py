"""Web archives: the page in them, or every sheet of a workbook that was saved as one."""

from __future__ import annotations

import base64
import contextlib
import quopri

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.errors import Broken, ConverterError
from converters.formats import mht
from converters.grid import Grid
from converters.options import DEFAULTS

TABLE = "<table><tr><td>지점<td>매출<tr><td>강남<td>{}</table>"
SHEET = '<x:ExcelWorksheet><x:Name>{}</x:Name>\r\n<x:WorksheetSource HRef="책.files/{}"/></x:ExcelWorksheet>'
FRAME = '<!--[if gte mso 9]><xml>{}</xml><![endif]--><frameset><frame src="책.files/sheet001.htm"></frameset>'


def part(location: str, page: str, charset: str = "ks_c_5601-1987", encoding: str = "quoted-printable") -> bytes:
    data = page.encode("cp949" if charset == "ks_c_5601-1987" else charset)
    coded = quopri.encodestring(data) if encoding == "quoted-printable" else base64.encodebytes(data)
    return (
        f'Content-Location: {location}\nContent-Type: text/html;\n\tcharset="{charset}"\n'
        f"Content-Transfer-Encoding: {encoding}\nContent-ID: <{location}>\n\n"
    ).encode() + coded


def archive(*parts: bytes, fields: str = "") -> bytes:
    head = f'MIME-Version: 1.0\nContent-Type: multipart/related; type="text/html"; boundary="=_x"{fields}\n'
    return head.encode() + b"".join(b"\n--=_x\n" + part for part in parts) + b"\n--=_x--\n"


def grids_of(data: bytes) -> list[Grid]:
    return list(mht.read(Document("책.mht", data=data), DEFAULTS))


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
@pytest.mark.parametrize("charset", ["ks_c_5601-1987", "utf-8", "utf-16"])
def test_the_page_is_decoded_as_its_part_says(charset: str, encoding: str) -> None:
    [grid] = grids_of(archive(part("file:///C:/a.htm", TABLE.format("1,200 펲"), charset, encoding)))
    assert (grid.sheet, grid.rows) == ("책", {0: ["지점", "매출"], 1: ["강남", "1,200 펲"]})


def test_the_start_part_is_the_page() -> None:
    parts = part("cid:frame", "<p>광고</p>"), part("cid:page", TABLE.format(3))
    [grid] = grids_of(archive(*parts, fields='; start="<cid:page>"'))
    assert grid.rows == {0: ["지점", "매출"], 1: ["강남", "3"]}


def test_a_workbook_gives_its_sheets_under_their_names() -> None:
    sheets = (
        SHEET.format("매출", "sheet001.htm") + SHEET.format("A&amp;B", "sheet002.htm") + SHEET.format("빈", "no.htm")
    )
    one, two, missing = grids_of(
        archive(
            part("file:///C:/2F/책.htm", FRAME.format(sheets)),
            part("file:///C:/2F/책.files/sheet002.htm", TABLE.format(2)),
            part("file:///C:/2F/책.files/tabstrip.htm", TABLE.format(9)),
            part("file:///C:/2F/책.files/sheet001.htm", TABLE.format(1)),
        )
    )
    assert (one.sheet, one.rows[1]) == ("매출", ["강남", "1"])
    assert (two.sheet, two.rows[1]) == ("A&B", ["강남", "2"])
    assert (missing.sheet, [problem.code for problem in missing.problems]) == ("빈", ["sheet_missing"])


def test_frames_without_names_of_sheets_are_read_as_well() -> None:
    pages = part("책.htm", FRAME.format("")), part("책.files/sheet001.htm", TABLE.format(1))
    [grid] = grids_of(archive(*pages))
    assert grid.rows[1] == ["강남", "1"]


def test_an_archive_without_a_page_says_so() -> None:
    picture = b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n"
    with pytest.raises(Broken, match=r"책\.mht is a web archive without a page"):
        grids_of(archive(picture))


def test_an_archive_is_found_by_its_content() -> None:
    conversion = convert(archive(part("a.htm", "<p>(단위: 천원)</p>" + TABLE.format(10))), name="보고.xls")
    assert (conversion.format, conversion.state) == ("mht", "ok")
    [fact] = [fact for fact in conversion.tables[0].facts() if fact.role == "value"]
    assert (fact.sheet, fact.cell, fact.value, fact.unit) == ("보고", "B2", 10, "천원")


SOUND = archive(part("책.htm", FRAME.format(SHEET.format("매출", "s.htm"))), part("s.htm", TABLE.format(1)))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_give_grids_or_a_reason(data: st.DataObject) -> None:
    damaged = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 12))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ConverterError):
        grids_of(bytes(damaged))
