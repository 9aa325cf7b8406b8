"""XML Spreadsheet 2003: gaps, merges, styles, encodings that are not the stated ones, and damage."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.errors import Broken, ConverterError, OverLimit
from converters.formats import spreadsheetml
from converters.grid import Grid
from converters.model import Range
from converters.options import DEFAULTS, Limits, Options

CASE = Path(__file__).parents[1] / "cases" / "spreadsheetml_report" / "input.xml"


def workbook(rows: str, styles: str = "", encoding: str = "UTF-8", before: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>{before}'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f"<Styles>{styles}</Styles>"
        f'<Worksheet ss:Name="표"><Table>{rows}</Table></Worksheet></Workbook>'
    )


def grids_of(data: str | bytes, options: Options = DEFAULTS) -> list[Grid]:
    data = data.encode() if isinstance(data, str) else data
    return list(spreadsheetml.read(Document("표.xml", data=data), options))


def grid_of(rows: str, styles: str = "", options: Options = DEFAULTS) -> Grid:
    [grid] = grids_of(workbook(rows, styles), options)
    return grid


def cell(kind: str, text: object, **stated: object) -> str:
    return f"<Cell{attributes(stated)}><Data ss:Type='{kind}'>{text}</Data></Cell>"


def row(*cells: str, **stated: object) -> str:
    return f"<Row{attributes(stated)}>{''.join(cells)}</Row>"


def attributes(stated: dict[str, object]) -> str:
    return "".join(f" ss:{name}='{value}'" for name, value in stated.items())


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("Number", "12", 12),
        ("Number", "1.25E1", 12.5),
        ("Number", "얼마", "얼마"),
        ("String", "00123", "00123"),
        ("String", "a&#10;b", "a\nb"),
        ("Boolean", "1", True),
        ("Error", "#N/A", "#N/A"),
        ("DateTime", "2026-01-05T00:00:00.000", dt.date(2026, 1, 5)),
        ("DateTime", "2026-01-05T09:30:00.000", dt.datetime(2026, 1, 5, 9, 30)),
        ("DateTime", "1899-12-31T09:30:00.000", dt.time(9, 30)),
        ("DateTime", "soon", "soon"),
    ],
)
def test_values_have_their_types(kind: str, text: str, value: Any) -> None:
    got = grid_of(row(cell(kind, text))).rows[0][0]
    assert (got, type(got)) == (value, type(value))


def test_lengths_of_time_are_told_by_their_format() -> None:
    style = '<Style ss:ID="s"><NumberFormat ss:Format="[h]:mm"/></Style>'
    grid = grid_of(row(cell("DateTime", "1900-01-01T06:00:00.000", StyleID="s")), style)
    assert grid.rows[0] == ["30:00:00"]


def test_gaps_and_merges_put_cells_where_the_file_says() -> None:
    grid = grid_of(
        row(cell("String", "a", Index=2), cell("String", "b", MergeAcross=2), cell("String", "c"), Index=3)
        + row(cell("String", "d", MergeDown=1))
        + row(Span=2)
        + row(cell("String", "e"))
    )
    assert grid.rows == {2: [None, "a", "b", None, None, "c"], 3: ["d"], 7: ["e"]}
    assert grid.merges == [Range(2, 2, 2, 4), Range(3, 0, 4, 0)]


def test_styles_come_from_the_cell_the_row_or_the_column() -> None:
    styles = (
        "<Style ss:ID='Default'><NumberFormat ss:Format='Standard'/></Style>"
        "<Style ss:ID='r'><Font ss:Bold='1'/></Style>"
        "<Style ss:ID='c' ss:Parent='r'><NumberFormat ss:Format='Percent'/><Interior ss:Pattern='Solid'/>"
        "<Borders><Border ss:Position='Left'/></Borders><Alignment ss:Indent='2'/></Style>"
    )
    cells = [cell("Number", 1, StyleID="c"), cell("Number", 2), cell("Number", 3)]
    grid = grid_of("<Column ss:Index='3' ss:StyleID='c'/>" + row(*cells) + row(*cells, StyleID="r"), styles)
    own, plain, column = (grid.look(0, c) for c in range(3))
    assert (own.number_format, own.bold, own.filled, own.border, own.indent) == ("0.00%", True, True, True, 2)
    assert (plain.number_format, plain.bold, column) == ("#,##0.00", False, own)
    assert (grid.look(1, 1).bold, grid.look(1, 1).number_format) == (True, "#,##0.00")


def test_comments_formulas_and_what_is_hidden_are_kept() -> None:
    sheet, hidden = grids_of(CASE.read_bytes())
    assert sheet.comments == {(5, 3): "잠정치"}
    assert sheet.formulas[4, 4] == "=RC[-1]/RC[-2]"
    assert (sheet.hidden, hidden.hidden, hidden.hidden_rows) == (False, True, {2})
    assert sheet.rows[3][3] == "실적"
    columns = "<Column/><Column ss:Hidden='1' ss:Span='1'/>"
    assert grid_of(columns + row(cell("String", "a"))).hidden_columns == {1, 2}


def test_a_formula_without_a_value_is_a_problem() -> None:
    grid = grid_of('<Row><Cell ss:Formula="=1+1"/></Row>')
    assert [problem.code for problem in grid.problems] == ["uncalculated_formulas"]


@pytest.mark.parametrize(
    ("stated", "real"), [("euc-kr", "cp949"), ("ks_c_5601-1987", "cp949"), ("UTF-8", "cp949"), ("UTF-16", "utf-16")]
)
def test_texts_are_read_in_the_encoding_that_they_are_in(stated: str, real: str) -> None:
    rows = "".join(row(cell("String", text)) for text in ("펲시콜라", "지점 매출 현황", "강남점"))
    conversion = convert(workbook(rows, encoding=stated).encode(real), name="a.xls")
    assert conversion.format == "spreadsheetml"
    [grid] = grids_of(workbook(rows, encoding=stated).encode(real))
    assert (grid.rows[0], grid.problems) == (["펲시콜라"], [])


def test_characters_that_no_xml_may_hold_are_passed_over() -> None:
    grid = grid_of(row(cell("String", "a\x00b&#1;c&#x1F;d"), cell("Number", 1)))
    assert (grid.rows[0], grid.problems) == (["abcd", 1], [])


def test_damage_costs_what_is_behind_it_and_is_said() -> None:
    second = row(cell("Number", 2))
    whole = workbook(row(cell("String", "A&B"), cell("Number", 1)) + second)
    [grid] = grids_of(whole)
    assert grid.rows[1] == [2]
    [cut] = grids_of(whole[: whole.index(second)])
    assert cut.rows[0][1] == 1
    assert [p.code for p in (*grid.problems, *cut.problems)] == ["damaged_xml"] * 2


def test_a_dtd_is_refused() -> None:
    with pytest.raises(Broken, match="DTD"):
        grids_of(workbook(row(cell("String", "&a;")), before="<!DOCTYPE x [<!ENTITY a 'b'>]>"))


def test_a_workbook_without_sheets_is_broken() -> None:
    with pytest.raises(Broken, match="no worksheet"):
        grids_of('<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>')


def test_limits_hold() -> None:
    rows = row(cell("Number", 1), cell("Number", 2, Index=90)) * 20
    for limits in (Limits(max_cells=10), Limits(max_slots=200)):
        with pytest.raises(OverLimit):
            grid_of(rows, options=Options(limits))
    assert list(grid_of(rows, options=Options(max_rows=5)).rows) == [0, 1, 2, 3, 4]


def test_places_beyond_a_sheet_and_backwards_cost_nothing() -> None:
    assert grid_of(row(cell("Number", 1), Index=9999999) + row(cell("Number", 2), Index=2)).rows == {}
    assert grid_of(row(cell("Number", 1), cell("Number", 2, Index=9999999))).rows == {0: [1]}


WHOLE = CASE.read_bytes().decode("cp949").encode()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(max_size=3)), min_size=1, max_size=6))
def test_damaged_xml_ends_in_grids_or_an_expected_error(damage: list[tuple[int, bytes]]) -> None:
    data = WHOLE
    for at, odd in damage:
        data = data[:at] + odd + data[at + len(odd) :]
    with contextlib.suppress(ConverterError):
        grids_of(data)
