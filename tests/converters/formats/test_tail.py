"""Long sheets that are read in bulk give the very same cells as the reader of the first rows."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment

from converters import convert
from converters.document import Document
from converters.formats import xlsx
from converters.formats.scan import NotPlain
from converters.formats.strings import shared_strings
from converters.grid import Grid, LongRows
from converters.model import Range, Scalar, letters
from converters.options import DEFAULTS, Limits, Options
from converters.packed import Packed
from tests.converters.formats.parts import MAIN, workbook_of

NEVER = 10**6
NO_SIZE = 10**12
STRINGS = ["강남점", "", "비고 <&>", " 앞뒤 ", "합계", "1,234", "-", "위_x000D_\n아래"]
SHARED = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in STRINGS)


@contextmanager
def bulk_after(rows: int, size: int = 0) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx, "RICH_ROWS", rows)
        patch.setattr(xlsx, "LARGE", size)
        yield


def grid_of(data: bytes, rows: int, size: int = 0, options: Options = DEFAULTS) -> Grid:
    with bulk_after(rows, size):
        [grid] = xlsx.read(Document("a.xlsx", data=data), options)
    return grid


def exactly(grid: Grid) -> dict[tuple[int, int], tuple[type, Scalar]]:
    """The cells with the type of each value: 1, 1.0 and True are not the same here; midnight is its day."""
    cells = {(r, c): v for r, values in grid.rows.items() for c, v in enumerate(values) if v is not None}
    days = {k: v.date() for k, v in cells.items() if isinstance(v, dt.datetime) and v.time() == dt.time()}
    return {place: (type(value), value) for place, value in (cells | days).items()}


NUMBERS = st.one_of(
    st.integers(-(10**6), 10**12).map(str),
    st.floats(-1e9, 1e9, allow_nan=False).map(repr),
    st.sampled_from(["0", "5.0", "1E3", "1.5E-07", "-0.25", "007", "9007199254740993", "12345678901234567890"]),
)
MOMENTS = st.one_of(
    st.integers(61, 60_000).map(str),
    st.integers(61 * 86_400, 60_000 * 86_400).map(lambda seconds: repr(seconds / 86_400)),
    st.floats(0, 60, allow_nan=False).map(repr),
)
CELLS = {
    "number": st.tuples(st.sampled_from(["", ' s="0"', ' s="3"', ' s="4" t="n"', ' s="5"']), NUMBERS),
    "moment": st.tuples(st.sampled_from([' s="1"', ' s="2"', ' s="1" t="n"', ' s="6"', ' s="7"']), MOMENTS),
    "day": st.tuples(st.just(' s="1"'), st.integers(61, 60_000).map(str)),
    "shared": st.tuples(st.sampled_from([' t="s"', ' s="3" t="s"']), st.integers(0, len(STRINGS) - 1).map(str)),
    "text": st.tuples(st.just(' t="str"'), st.sampled_from(["글", "", " a ", "a&amp;b", "1"])),
    "inline": st.tuples(st.just(' t="inlineStr"'), st.sampled_from(["글", " a ", "a&amp;b&#44032;", "_x000D_"])),
    "other": st.sampled_from([(' t="b"', "1"), (' t="b"', "0"), (' t="e"', "#N/A"), (' s="3" t="e"', "#DIV/0!")]),
}
FORMULAS = st.sampled_from(["<f>A1*2</f>", '<f t="shared" si="0" ref="A1:A9">1</f>', '<f t="shared" si="0"/>', "<f/>"])


@st.composite
def sheets(draw: st.DrawFn) -> str:
    """Rows of a sheet: columns of one kind each, with gaps, formulas and here and there a cell of another kind."""
    kinds = draw(st.lists(st.sampled_from([*CELLS]), min_size=1, max_size=5))
    columns = draw(st.lists(st.integers(0, 800), min_size=len(kinds), max_size=len(kinds), unique=True).map(sorted))
    rows: list[str] = []
    number = 0
    for _ in range(draw(st.integers(4, 25))):
        number += draw(st.sampled_from([1, 1, 1, 1, 2, 7]))
        cells = [_cell(draw, number, column, kind) for column, kind in zip(columns, kinds, strict=True)]
        rows.append(f'<row r="{number}" spans="1:9">{"".join(cells)}</row>')
    return "".join(rows)


def _cell(draw: st.DrawFn, row: int, column: int, kind: str) -> str:
    form = draw(st.sampled_from(["cell"] * 12 + ["nothing", "blank", "formula", "uncalculated", "odd"]))
    attributes, value = draw(CELLS[kind if form != "odd" else draw(st.sampled_from([*CELLS]))])
    place = f'<c r="{letters(column)}{row}"'
    if form == "nothing":
        return ""
    if form == "blank":
        return draw(st.sampled_from([f'{place} s="3"/>', f'{place} s="3"></c>', f"{place}/>"]))
    if form == "uncalculated":
        return f"{place}><f>1+1</f>{draw(st.sampled_from(['<v></v>', '<v/>', '']))}</c>"
    if "inlineStr" in attributes:
        kept = draw(st.sampled_from(["", ' xml:space="preserve"']))
        return f"{place}{attributes}><is><t{kept}>{value}</t></is></c>"
    formula = draw(FORMULAS) if form == "formula" else ""
    return f"{place}{attributes}>{formula}<v>{value}</v></c>"


@settings(max_examples=200, deadline=None)
@given(sheets(), st.integers(1, 6))
def test_bulk_and_row_by_row_give_the_same_cells(rows: str, first: int) -> None:
    data = workbook_of(rows, strings=SHARED)
    in_bulk, one_by_one = grid_of(data, first), grid_of(data, first, NO_SIZE)
    assert exactly(in_bulk) == exactly(one_by_one)
    assert list(in_bulk.rows) == list(one_by_one.rows)


@settings(max_examples=100, deadline=None)
@given(sheets(), st.integers(1, 6))
def test_every_cell_keeps_its_own_format_and_every_open_formula_is_told(rows: str, first: int) -> None:
    data = workbook_of(rows, strings=SHARED)
    in_bulk, rich = grid_of(data, first), grid_of(data, NEVER, NO_SIZE)
    for row, column in exactly(rich):
        assert in_bulk.look(row, column) == rich.look(row, column)
    assert in_bulk.problems == rich.problems


ITEMS = st.one_of(
    st.text("ab &<_x00D41;가\u00a0\t\n", max_size=12).map(lambda text: f"<t>{escape(text)}</t>"),
    st.text(" a\n", max_size=5).map(lambda text: f'<t xml:space="preserve">{text}</t>'),
    st.sampled_from(
        [
            "", "<t/>", "<t>_x000D_</t>", "<t>_x005F_x000D_</t>", "<t>a&#13;b&#10;</t>", "<t>a<![CDATA[<z>]]></t>",
            '<r><t> a </t></r><r><rPr><b/></rPr><t xml:space="preserve"> b </t></r>',
            '<t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/>',
        ]
    ),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(ITEMS, min_size=1, max_size=8))
def test_shared_strings_are_those_that_the_other_reader_sees(items: list[str]) -> None:
    strings = "".join(f"<si>{item}</si>" for item in items)
    numbers = range(1, len(items) + 1)
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="B{n}" t="s"><v>{n - 1}</v></c></row>' for n in numbers)
    expected = [values[1] for values in grid_of(workbook_of(rows, strings=strings), NEVER).rows.values()]
    found = shared_strings(f'<sst xmlns="{MAIN}">{strings}</sst>'.encode()).to_pylist()
    assert [text or None for text in found] == expected


@pytest.mark.parametrize("part", ["<x:si>a</x:si>", "<si a='1'><t>a</t></si>", "<si><t>a", "<si><t>&nbsp;</t></si>"])
def test_shared_strings_of_another_form_are_left_to_the_other_reader(part: str) -> None:
    with pytest.raises(NotPlain):
        shared_strings(part.encode())


def plain_rows(count: int, *, last: str = "") -> str:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c><c r="B{n}" s="4"><v>{n}</v></c>'
        f'<c r="C{n}" s="1"><v>{46000 + n}</v></c></row>'
        for n in range(1, count + 1)
    )
    return rows + last


def test_a_long_plain_sheet_is_held_in_columns() -> None:
    grid = grid_of(workbook_of(plain_rows(50), strings=SHARED), 10)
    assert isinstance(grid.rows, LongRows)
    assert grid.rows[49] == ["강남점", 50, dt.date(2026, 1, 28)]
    assert len({id(grid.styles[row]) for row in range(10, 50)}) == 1


def test_a_total_row_far_below_keeps_its_own_format() -> None:
    last = '<row r="51"><c r="A51" t="s"><v>4</v></c><c r="B51" s="3"><v>0.125</v></c></row>'
    grid = grid_of(workbook_of(plain_rows(50, last=last), strings=SHARED), 10)
    assert isinstance(grid.rows, LongRows)
    assert [grid.look(row, 1).number_format for row in (20, 49, 50)] == ["#,##0", "#,##0", "0.0%"]


def test_what_is_said_of_rows_far_below_is_known() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for n in range(60):
        sheet.append([f"지점{n}", n, None])
    sheet.merge_cells("B41:C42")
    sheet["A1"].comment = Comment("위", "나")
    sheet["A50"].comment = Comment("아래", "나")
    for row in (5, 45):
        sheet.row_dimensions[row].hidden = True
    sheet.column_dimensions["C"].hidden = True
    sheet["B51"] = "=SUM(B1:B50)"
    buffer = io.BytesIO()
    book.save(buffer)
    in_bulk, one_by_one = grid_of(buffer.getvalue(), 10), grid_of(buffer.getvalue(), 10, NO_SIZE)
    assert isinstance(in_bulk.rows, LongRows)
    for grid in (in_bulk, one_by_one):
        assert grid.merges == [Range(40, 1, 41, 2)]
        assert (grid.hidden_rows, grid.hidden_columns) == ({4, 44}, {2})
        assert grid.comments == {(0, 0): "위", (49, 0): "아래"}
    assert in_bulk.problems == one_by_one.problems != []


@pytest.mark.parametrize(
    "odd",
    [
        '<row r="51"><c t="n"><v>1</v></c></row>',
        '<row r="51"><c r="A50"><v>1</v></c></row>',
        '<row r="51"><c r="A51" t="inlineStr"><is><r><t>a</t></r></is></c></row>',
        '<row r="51"><c r="A51" t="inlineStr"><is><t> </t></is></c></row>',
        '<row r="51"><c r="B51"><v>1</v></c><c r="A51"><v>1</v></c></row>',
        '<row r="51">\n<c r="A51"><v>1</v></c></row>',
        '<row r="51"><c r="A51" t="str"><v>a\r\nb</v></c></row>',
        '<row r="51"><!-- a --><c r="A51"><v>1</v></c></row>',
        '<row spans="1:2" r="51"><c r="A51"><v>1</v></c></row>',
        '<row r="51"><c r="A51" cm="1"><v>1</v></c></row>',
    ],
)
def test_what_is_not_plain_is_read_the_other_way(odd: str) -> None:
    data = workbook_of(plain_rows(50, last=odd), strings=SHARED)
    grid = grid_of(data, 10)
    assert not isinstance(grid.rows, LongRows)
    assert exactly(grid) == exactly(grid_of(data, NEVER, NO_SIZE))


def test_damage_in_the_middle_of_a_long_sheet_is_told(tmp_path: Path) -> None:
    whole = workbook_of(plain_rows(3000), strings=SHARED)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        place = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 20_000
    conversion = convert(whole[:place] + b"\xff" * 50 + whole[place + 50 :], name="a.xlsx")
    assert (conversion.state, [p.code for p in conversion.problems]) == ("partial", ["sheet_cut_off"])
    assert conversion.tables[0].columns[-1].values[:2] == [dt.date(2025, 12, 10), dt.date(2025, 12, 11)]


def test_the_columns_of_a_long_table_stay_packed(tmp_path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("매출")
    sheet.append(["번호", "지점", "금액", "일자"])
    for n in range(4000):
        sheet.append([n, f"지점{n % 7}", n / 4, dt.date(2026, 1, 1 + n % 28)])
    book.save(tmp_path / "a.xlsx")
    with bulk_after(100):
        [table] = convert(tmp_path / "a.xlsx").tables
    assert all(isinstance(column.values, Packed) for column in table.columns)
    assert [column.type for column in table.columns] == ["number", "text", "number", "date"]
    assert [column.values[-1] for column in table.columns] == [3999, "지점2", 999.75, dt.date(2026, 1, 24)]


def test_limits_hold_in_bulk() -> None:
    conversion = _limited(workbook_of(plain_rows(200), strings=SHARED), Limits(max_cells=300))
    assert conversion == ("quarantined", "over_limit")


def _limited(data: bytes, limits: Limits) -> tuple[str, str]:
    with bulk_after(10):
        conversion = convert(data, name="a.xlsx", options=Options(limits))
    return conversion.state, conversion.problems[0].code
