"""What a workbook carries along is reported; what makes it unsafe is refused before anything is unpacked."""

from __future__ import annotations

import pytest

from converters import convert
from converters.options import Limits, Options
from tests.converters.formats.parts import MAIN, workbook_of

ROWS = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}"><v>{n * n}</v></c></row>' for n in range(1, 5))
OTHER_BOOK = f'<externalLink xmlns="{MAIN}"><externalBook/></externalLink>'
DDE = f'<externalLink xmlns="{MAIN}"><ddeLink ddeService="cmd" ddeTopic="/c calc.exe"/></externalLink>'


@pytest.mark.parametrize(
    ("part", "text", "code"),
    [
        ("xl/vbaProject.bin", "", "macros"),
        ("xl/externalLinks/externalLink1.xml", OTHER_BOOK, "external_links"),
        ("xl/externalLinks/externalLink1.xml", DDE, "program_links"),
        ("xl/connections.xml", f'<connections xmlns="{MAIN}"/>', "data_connections"),
    ],
)
def test_what_a_workbook_carries_along_is_reported_and_takes_nothing_away(part: str, text: str, code: str) -> None:
    conversion = convert(workbook_of(ROWS, parts={part: text}), name="장부.xlsm")
    assert (conversion.state, len(conversion.tables)) == ("ok", 1)
    [notice] = conversion.notices
    assert notice.code == code
    assert "장부.xlsm" in notice.message and part in notice.message


def test_a_plain_workbook_has_nothing_to_report() -> None:
    assert convert(workbook_of(ROWS)).notices == []


def test_a_workbook_with_a_dtd_is_refused() -> None:
    workbook = f'<!DOCTYPE workbook [<!ENTITY a "b">]><workbook xmlns="{MAIN}"><sheets/></workbook>'
    conversion = convert(workbook_of(ROWS, parts={"xl/workbook.xml": workbook}))
    assert conversion.state == "quarantined"
    assert "DTD" in conversion.problems[0].message


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    data = workbook_of(ROWS, parts={"xl/media/image1.bmp": "\0" * 5_000_000})
    conversion = convert(data, options=Options(Limits(max_inflated_bytes=4_000_000)))
    assert (conversion.state, conversion.problems[0].code) == ("quarantined", "over_limit")
