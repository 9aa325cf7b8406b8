"""OpenDocument spreadsheets: what is repeated, styled, merged and hidden, from documents of a few elements."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.errors import Broken, ConverterError, NeedsPassword, OverLimit
from converters.formats import ods
from converters.grid import Grid
from converters.model import Range
from converters.options import DEFAULTS, Limits, Options

CASE = Path(__file__).parents[1] / "cases" / "ods_report" / "input.ods"
ROOT = (
    "<office:document{kind} xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0'"
    " xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0'"
    " xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0'"
    " xmlns:style='urn:oasis:names:tc:opendocument:xmlns:style:1.0'"
    " xmlns:number='urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0'"
    " xmlns:fo='urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0'"
    " xmlns:calcext='urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0'"
    " office:mimetype='application/vnd.oasis.opendocument.spreadsheet'>"
)


def content(rows: str, styles: str = "", sheet: str = "<table:table table:name='표'>{}</table:table>") -> bytes:
    body = sheet.format(rows)
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        + ROOT.format(kind="-content")
        + f"<office:automatic-styles>{styles}</office:automatic-styles>"
        + f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    ).encode()


def packed(main: bytes, **parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", main)
        for name, data in parts.items():
            archive.writestr(name, data)
    return target.getvalue()


def grids_of(main: bytes, options: Options = DEFAULTS, **parts: bytes) -> list[Grid]:
    return list(ods.read(Document("표.ods", data=packed(main, **parts)), options))


def grid_of(rows: str, styles: str = "", options: Options = DEFAULTS) -> Grid:
    [grid] = grids_of(content(rows, styles), options)
    return grid


def cell(kind: str, stated: str = "", text: str = "", more: str = "") -> str:
    inside = f"<text:p>{text}</text:p>" if text else ""
    return f"<table:table-cell office:value-type='{kind}' {stated} {more}>{inside}</table:table-cell>"


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (cell("float", "office:value='12'"), 12),
        (cell("float", "office:value='12.5'"), 12.5),
        (cell("currency", "office:value='1200' office:currency='KRW'"), 1200),
        (cell("percentage", "office:value='0.5'"), 0.5),
        (cell("boolean", "office:boolean-value='true'"), True),
        (cell("date", "office:date-value='2026-01-05'"), dt.date(2026, 1, 5)),
        (cell("date", "office:date-value='2026-01-05T00:00:00'"), dt.date(2026, 1, 5)),
        (cell("date", "office:date-value='2026-01-05T09:30:00.5'"), dt.datetime(2026, 1, 5, 9, 30, 0, 500000)),
        (cell("date", "office:date-value='soon'", "곧"), "곧"),
        (cell("time", "office:time-value='PT09H30M00S'"), dt.time(9, 30)),
        (cell("time", "office:time-value='PT30H00M00S'"), "30:00:00"),
        (cell("time", "office:time-value='-PT01H00M00S'"), "-1:00:00"),
        (cell("string", "", "글자"), "글자"),
        (cell("string", "office:string-value='말'", "글자"), "말"),
        (cell("string", "", "a<text:s text:c='3'/>b<text:tab/>c<text:line-break/>d"), "a   b\tc\nd"),
        (cell("string", "", "a <text:span>b</text:span>\n  c"), "a b c"),
        (cell("string", "", "a</text:p><text:p>b"), "a\nb"),
        (cell("string", "calcext:value-type='error' table:formula='of:=1/0'", "#DIV/0!"), "#DIV/0!"),
        (cell("float", "office:value='0' table:formula='of:=x'", "Err:525"), "#NAME?"),
        (cell("float", "office:value='x'", "얼마"), "얼마"),
    ],
)  # fmt: skip
def test_values_have_their_types(written: str, value: Any) -> None:
    got = grid_of(row(written)).rows[0][0]
    assert (got, type(got)) == (value, type(value))


NUMBER = "<number:number number:decimal-places='{}' number:min-integer-digits='1' number:grouping='{}'/>"
DAY = "<number:year number:style='long'/><number:text>-</number:text><number:month number:style='long'/>"


@pytest.mark.parametrize(
    ("style", "number_format"),
    [
        ("number-style", NUMBER.format(0, "false") + "<number:text>월</number:text>|0\"월\""),
        ("number-style", NUMBER.format(2, "true") + "|#,##0.00"),
        ("number-style", "<number:number number:min-integer-digits='1'/>|General"),
        ("number-style", "<number:number number:decimal-places='0' number:min-integer-digits='3'/>|000"),
        ("percentage-style", NUMBER.format(1, "false") + "<number:text>%</number:text>|0.0%"),
        ("currency-style", "<number:currency-symbol>₩</number:currency-symbol>|[$₩]"),
        ("date-style", DAY + "|yyyy-mm"),
        ("date-style", "<number:month number:textual='true'/><number:text> </number:text><number:day/>|mmm d"),
        ("time-style", "<number:hours number:style='long'/><number:text>:</number:text><number:minutes/>|hh:m"),
        ("text-style", "<number:text-content/>|@"),
    ],
)  # fmt: skip
def test_data_styles_become_number_formats(style: str, number_format: str) -> None:
    parts, wanted = number_format.split("|")
    styles = f"<number:{style} style:name='N1'>{parts}</number:{style}>"
    styles += "<style:style style:name='c' style:family='table-cell' style:data-style-name='N1'/>"
    grid = grid_of(row(cell("float", "office:value='5' table:style-name='c'")), styles)
    assert grid.look(0, 0).number_format == wanted


def test_lengths_of_time_are_told_by_their_style() -> None:
    styles = (
        "<number:time-style style:name='N1' number:truncate-on-overflow='false'><number:hours/></number:time-style>"
        "<style:style style:name='c' style:family='table-cell' style:data-style-name='N1'/>"
    )
    grid = grid_of(row(cell("time", "office:time-value='PT09H00M00S' table:style-name='c'")), styles)
    assert (grid.look(0, 0).number_format, grid.rows[0]) == ("[h]", ["9:00:00"])


def test_a_percentage_without_a_style_is_one_nevertheless() -> None:
    assert grid_of(row(cell("percentage", "office:value='0.5'"))).look(0, 0).number_format == "0%"


def test_styles_are_inherited_and_columns_have_them_too() -> None:
    styles = (
        "<style:style style:name='a' style:family='table-cell'>"
        "<style:text-properties fo:font-weight='bold'/></style:style>"
        "<style:style style:name='b' style:family='table-cell' style:parent-style-name='a'>"
        "<style:table-cell-properties fo:background-color='#ffff00' fo:border='0.5pt solid'/>"
        "<style:paragraph-properties fo:margin-left='0.706cm'/></style:style>"
    )
    columns = (
        "<table:table-column table:number-columns-repeated='2'/><table:table-column table:default-cell-style-name='b'/>"
    )
    grid = grid_of(
        columns
        + row(cell("string", "", "x"), cell("string", "", "y", "table:style-name='a'"), cell("string", "", "z")),
        styles,
    )
    plain, bold, all_of_it = (grid.look(0, column) for column in range(3))
    assert (plain.bold, bold.bold, bold.filled) == (False, True, False)
    assert (all_of_it.bold, all_of_it.filled, all_of_it.border, all_of_it.indent) == (True, True, True, 2)


def test_what_is_repeated_is_expanded_and_blanks_cost_nothing() -> None:
    blank = "<table:table-cell table:number-columns-repeated='{}'/>"
    x = cell("string", "", "x", "table:number-columns-repeated='3'")
    grid = grid_of(
        row(blank.format(2), x, blank.format(16000))
        + row(blank.format(16384), more="table:number-rows-repeated='1048000'")
        + row(cell("float", "office:value='1'"), more="table:number-rows-repeated='2'")
    )
    assert grid.rows == {0: [None, None, "x", "x", "x"], 1_048_001: [1], 1_048_002: [1]}
    assert grid.rows[1_048_001] is not grid.rows[1_048_002]


def test_values_that_are_repeated_without_end_are_over_the_limit() -> None:
    endless = cell("string", "", "x", "table:number-columns-repeated='16384'")
    with pytest.raises(OverLimit):
        grid_of(row(endless, more="table:number-rows-repeated='1048576'"))


def test_merges_comments_formulas_and_what_is_hidden_are_kept() -> None:
    sheet, hidden = ods.read(Document.of(CASE), DEFAULTS)
    assert Range(4, 0, 5, 0) in sheet.merges
    assert (sheet.hidden_rows, sheet.hidden_columns) == ({11}, {7})
    assert (sheet.hidden, hidden.hidden) == (False, True)
    assert sheet.comments == {(5, 3): "잠정치"}
    assert sheet.formulas[4, 4] == "=D5/C5"


@pytest.mark.parametrize(
    ("written", "formula"),
    [
        ("of:=SUM([.A1:.B2];[$Sheet2.C3])", "=SUM(A1:B2,Sheet2!C3)"),
        ("of:=['내 표'.A1]*2", "='내 표'!A1*2"),
        ("msoxl:=A1+1", "=A1+1"),
        ("=[.A1]", "=A1"),
    ],
)
def test_formulas_refer_to_cells_as_excel_does(written: str, formula: str) -> None:
    quoted = written.replace("'", "&apos;")
    grid = grid_of(row(cell("float", f"office:value='1' table:formula='{quoted}'")))
    assert grid.formulas == {(0, 0): formula}


def test_a_formula_without_a_value_is_a_problem() -> None:
    grid = grid_of(row("<table:table-cell table:formula='of:=1+1'/>"))
    assert [problem.code for problem in grid.problems] == ["uncalculated_formulas"]


def test_named_styles_are_read_from_their_part() -> None:
    style = (
        "<number:percentage-style style:name='N9'><number:text>%</number:text></number:percentage-style>"
        "<style:style style:name='율' style:family='table-cell' style:data-style-name='N9'/>"
    )
    other = style.replace("N9", "N8").replace("'율'", "'쪽'")
    part = ROOT.format(kind="-styles") + f"<office:styles>{style}</office:styles>"
    part += f"<office:automatic-styles>{other}</office:automatic-styles></office:document-styles>"
    cells = [cell("float", f"office:value='1' table:style-name='{name}'") for name in ("율", "쪽")]
    [grid] = grids_of(content(row(*cells)), **{"styles.xml": part.encode()})
    assert [grid.look(0, column).number_format for column in (0, 1)] == ["%", "General"]


def test_a_flat_file_is_read_like_a_packed_one() -> None:
    flat = content(
        row(cell("string", "", "지점"), cell("string", "", "매출"))
        + row(cell("string", "", "강남"), cell("float", "office:value='1'"))
    )
    flat = flat.replace(b"office:document-content", b"office:document")
    conversion = convert(flat, name="표.fods")
    assert (conversion.format, conversion.tables[0].columns[1].values) == ("ods", [1])


def test_a_password_is_a_state() -> None:
    with pytest.raises(NeedsPassword):
        grids_of(b"not xml", **{"META-INF/manifest.xml": b"<manifest:encryption-data/>"})


def test_macros_and_copies_of_other_workbooks_are_reported_and_left_out() -> None:
    link = "<table:table table:name=\"'file:///c:/a.ods'#$S\">" + row(cell("string", "", "x")) + "</table:table>"
    sheet = link + "<table:table table:name='표'>{}</table:table>"
    grids = grids_of(content(row(cell("string", "", "y")), sheet=sheet), **{"Basic/Standard/Module1.xml": b"<x/>"})
    assert [(grid.sheet, [n.code for n in grid.notices]) for grid in grids] == [("표", ["macros", "external_links"])]


def test_a_dtd_is_refused() -> None:
    main = content(row(cell("string", "", "&a;"))).replace(b"?>", b"?><!DOCTYPE x [<!ENTITY a 'b'>]>", 1)
    with pytest.raises(Broken, match="DTD"):
        grids_of(main)


def test_limits_hold() -> None:
    rows = "".join(row(cell("float", "office:value='1'")) for _ in range(20))
    for limits in (Limits(max_cells=10), Limits(max_slots=10)):
        with pytest.raises(OverLimit):
            grid_of(rows, options=Options(limits))
    assert list(grid_of(rows, options=Options(max_rows=5)).rows) == [0, 1, 2, 3, 4]


WHOLE = content(
    row(cell("string", "", "a<text:s text:c='2'/>b"), cell("float", "office:value='1' table:formula='of:=[.A1]'"))
    + row(cell("date", "office:date-value='2026-01-05'", "x"), more="table:number-rows-repeated='2'"),
    "<number:number-style style:name='N1'>" + NUMBER.format(1, "true") + "</number:number-style>",
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(max_size=3)), min_size=1, max_size=6))
def test_damaged_xml_ends_in_grids_or_an_expected_error(damage: list[tuple[int, bytes]]) -> None:
    data = WHOLE
    for at, odd in damage:
        data = data[:at] + odd + data[at + len(odd) :]
    with contextlib.suppress(ConverterError):
        grids_of(data)
