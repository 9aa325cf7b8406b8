"""The grid that is read from a workbook, against openpyxl's reading of the same file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font

from converters import convert
from converters.document import Document
from converters.formats import xlsx
from converters.grid import Grid
from converters.model import Range
from converters.options import Options
from tests.converters.formats.parts import MAIN, OFFICE, PACKAGE, workbook_of


def grids(path: Path, options: Options = Options()) -> list[Grid]:  # noqa: B008
    return list(xlsx.read(Document.of(path), options))


def grids_of(rows: str, **parts: Any) -> list[Grid]:
    return list(xlsx.read(Document("a.xlsx", data=workbook_of(rows, **parts)), Options()))


def test_values_and_formats_are_those_of_the_file(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    values = ["글자", 1, 2.5, True, dt.datetime(2026, 1, 5), dt.datetime(2026, 1, 5, 9, 30), dt.time(9, 30), 5, 0.5]
    sheet.append(values)
    sheet["H1"].number_format, sheet["I1"].number_format = '0"월"', "0.0%"
    sheet["A3"].value, sheet["A3"].font, sheet["A3"].alignment = "굵게", Font(bold=True), Alignment(indent=2)
    sheet["B3"].value, sheet["C3"].value = dt.timedelta(hours=30), "#N/A"
    sheet["B3"].number_format, sheet["C3"].data_type = "[h]:mm", "e"
    sheet.merge_cells("A3:A4")
    sheet.row_dimensions[3].hidden = True
    book.create_sheet("숨김").sheet_state = "hidden"
    path = tmp_path / "a.xlsx"
    book.save(path)
    grid, hidden = grids(path)
    assert grid.rows[0] == [
        "글자",
        1,
        2.5,
        True,
        dt.date(2026, 1, 5),
        dt.datetime(2026, 1, 5, 9, 30),
        dt.time(9, 30),
        5,
        0.5,
    ]
    assert list(map(type, grid.rows[0][1:4])) == [int, float, bool]
    assert (grid.look(0, 7).number_format, grid.look(0, 8).number_format) == ('0"월"', "0.0%")
    assert (grid.look(2, 0).bold, grid.look(2, 0).indent) == (True, 2)
    assert grid.rows[2][:3] == ["굵게", "30:00:00", "#N/A"]
    assert grid.merges == [Range(2, 0, 3, 0)]
    assert (list(grid.rows), grid.hidden_rows) == ([0, 2], {2})
    assert (grid.hidden, hidden.hidden) == (False, True)


def test_formulas_and_comments_are_kept_beside_the_values(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append([1, 2, "=A1+B1"])
    book.active["A1"].comment = Comment("확인함", "김과장")
    book.save(tmp_path / "a.xlsx")
    [grid] = grids(tmp_path / "a.xlsx")
    assert (grid.formulas, grid.comments) == ({(0, 2): "=A1+B1"}, {(0, 0): "확인함"})


def test_a_shared_formula_is_written_out_for_each_of_its_cells() -> None:
    [grid] = grids_of(
        '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f t="shared" ref="B1:B2" si="0">A1*2</f><v>4</v></c></row>'
        '<row r="2"><c r="A2"><v>3</v></c><c r="B2"><f t="shared" si="0"/><v>6</v></c></row>'
    )
    assert grid.formulas == {(0, 1): "=A1*2", (1, 1): "=A2*2"}
    assert grid.rows == {0: [2, 4], 1: [3, 6]}


def test_formulas_that_were_never_calculated_are_null_and_a_problem(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["품명", "수량"], ["가", 5], ["나", 7], ["계", "=SUM(B2:B3)"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    conversion = convert(tmp_path / "a.xlsx")
    assert conversion.state == "partial"
    [problem] = conversion.problems
    assert (problem.code, problem.where) == ("uncalculated_formulas", "Sheet")
    assert "B4" in problem.message
    assert conversion.tables[0].columns[1].values == [5, 7, None]


def test_a_formula_whose_result_is_an_empty_text_was_calculated() -> None:
    [grid] = grids_of('<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="str"><f>IF(A1,"",2)</f><v></v></c></row>')
    assert (grid.rows, grid.problems) == ({0: [1, None]}, [])


STRINGS = (
    '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></si>'
    '<si><r><t>굵</t></r><r><rPr><b/></rPr><t xml:space="preserve"> 게</t></r><rPh sb="0" eb="1"><t>X</t></rPh></si>'
    "<si><t>a&amp;b&lt;&#44032;</t></si>"
)


def test_texts_are_those_that_a_reader_of_the_sheet_sees() -> None:
    [grid] = grids_of(
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh sb="0" eb="1"><t>X</t></rPh></is>'
        "</c>"
        '<c r="B2" t="str"><v>글</v></c><c r="C2" t="inlineStr"><is><t>끝</t></is></c></row>',
        strings=STRINGS,
    )
    assert grid.rows == {0: ["東京", "굵 게", "a&b<가"], 1: ["ab", "글", "끝"]}


def test_escaped_characters_and_very_long_texts_are_whole() -> None:
    long = "가" * 32_767
    [grid] = grids_of(
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>',
        strings=f"<si><t>위_x000D_\n아래 _x005F_x0041_</t></si><si><t>{long}</t></si>",
    )
    assert grid.rows == {0: ["위\r\n아래 _x0041_", long]}


def test_an_integer_is_no_float_and_an_error_no_blank() -> None:
    [grid] = grids_of(
        '<row r="1"><c r="A1"><v>5</v></c><c r="B1"><v>5.0</v></c><c r="C1"><v>1E3</v></c><c r="D1" t="b"><v>1</v></c>'
        '<c r="E1" t="e"><v>#N/A</v></c><c r="F1" s="3"/><c r="G1"><v>12345678901234567890</v></c></row>'
    )
    values = grid.rows[0]
    assert [(type(v), v) for v in values] == [
        (int, 5), (float, 5.0), (float, 1000.0), (bool, True), (str, "#N/A"), (type(None), None),
        (float, 1.2345678901234567e19),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ('<row r="1"><c r="C1"><v>3</v></c><c r="A1"><v>1</v></c></row>', {0: [1, None, 3]}),
        ('<row r="1"><c r="A1"><v>1</v></c></row><row r="1"><c r="B1"><v>2</v></c></row>', {0: [1, 2]}),
        ('<row><c><v>1</v></c><c><v>2</v></c></row><row r="5"><c><v>3</v></c></row>', {0: [1, 2], 4: [3, None]}),
        ('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>9</v></c></row>', {0: [9]}),
    ],
    ids=["cells out of order", "a row twice", "no addresses", "a cell twice"],
)
def test_cells_are_where_their_addresses_say(rows: str, expected: dict[int, list[int | None]]) -> None:
    [grid] = grids_of(rows, before='<dimension ref="A1"/>')
    assert grid.rows == expected


def test_part_names_may_be_absolute_or_of_another_case() -> None:
    relations = (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="/xl/worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId3" Type="{OFFICE}/sharedStrings" Target="/xl/SharedStrings.xml"/></Relationships>'
    )
    [grid] = grids_of(
        '<row r="1"><c r="A1" t="s"><v>0</v></c></row>',
        strings="<si><t>가</t></si>",
        parts={"xl/_rels/workbook.xml.rels": relations},
    )
    assert grid.rows == {0: ["가"]}


def test_the_strict_form_of_the_standard_is_read() -> None:
    main, office = ("http://purl.oclc.org/ooxml/spreadsheetml/main", "http://purl.oclc.org/ooxml/officeDocument")
    [grid] = grids_of(
        "",
        parts={
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData><row r="1"><c r="A1"><v>1</v></c>'
            '<c r="B1" t="d" s="1"><v>2026-01-05</v></c></row></sheetData></worksheet>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}/relationships" conformance="strict">'
            '<sheets><sheet name="표" sheetId="1" r:id="rId1"/></sheets></workbook>',
        },
    )
    assert grid.rows[0][0] == 1
    assert str(grid.rows[0][1]).startswith("2026-01-05")


def test_dates_count_from_1900_or_from_1904_as_the_workbook_says() -> None:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" s="1"><v>{serial}</v></c></row>' for n, serial in enumerate([1, 59, 61, 46027], 1)
    )
    dates_1900 = [dt.date(1900, 1, 1), dt.date(1900, 2, 28), dt.date(1900, 3, 1), dt.date(2026, 1, 5)]
    dates_1904 = [dt.date(1904, 1, 1) + dt.timedelta(serial) for serial in (1, 59, 61, 46027)]
    extension = (
        '<extLst><ext uri="x"><x15:workbookPr xmlns:x15="http://schemas.microsoft.com/office/spreadsheetml/2010/11/main"'
        ' chartTrackingRefBase="1"/></ext></extLst>'
    )
    late = '<workbookPr date1904="1"/>'
    for properties, after, expected in (("", "", dates_1900), (late, "", dates_1904), (late, extension, dates_1904)):
        [grid] = grids_of(rows, properties=properties, after=after)
        assert [values[0] for values in grid.rows.values()] == expected


def test_the_tail_of_a_long_sheet_is_read_as_its_head(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    rows = 3 * xlsx.RICH_ROWS
    for n in range(rows):
        sheet.append([f"이름{n}", n, n / 4 if n % 3 else None, dt.datetime(2026, 1, 1 + n % 28)])
        sheet.cell(n + 1, 3).number_format = "0.0%"
    path = tmp_path / "long.xlsx"
    book.save(path)
    [grid] = grids(path)
    oracle = openpyxl.load_workbook(path).active
    for row, cells in enumerate(oracle.iter_rows(values_only=True)):
        expected = [c.date() if isinstance(c, dt.datetime) else c for c in cells]
        assert grid.rows[row] == expected
    assert grid.look(rows - 2, 2).number_format == "0.0%"


def test_a_preview_stops_early(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for n in range(100):
        book.active.append([n])
    book.save(tmp_path / "a.xlsx")
    [grid] = grids(tmp_path / "a.xlsx", Options(max_rows=10))
    assert list(grid.rows) == list(range(10))


def test_rows_in_any_order_are_read_all_the_same() -> None:
    [grid] = grids_of(
        '<row r="3"><c r="A3" s="1"><v>46027</v></c></row><row r="1"><c r="B1" t="s"><v>0</v></c></row>'
        '<row r="2"><c r="A2"><f>A1+1</f><v>2</v></c><c t="b"><v>1</v></c></row>',
        strings="<si><t>지점</t></si>",
    )
    assert grid.rows == {0: [None, "지점"], 1: [2, True], 2: [dt.date(2026, 1, 5)]}
    assert (grid.formulas, grid.problems) == ({(1, 0): "=A1+1"}, [])


def test_texts_that_are_missing_are_null_and_a_problem() -> None:
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>5</v></c></row><row r="2"><c r="A2"><v>7.5</v></c></row>'
    )
    [grid] = grids_of(rows)
    assert grid.rows == {0: [None, 5], 1: [7.5]}
    [problem] = grid.problems
    assert (problem.code, problem.where) == ("missing_texts", "표")
    assert "A1" in problem.message


def test_errors_of_newer_programs_are_read() -> None:
    [grid] = grids_of('<row r="1"><c r="A1" t="e"><v>#SPILL!</v></c><c r="B1" t="str"><v>글</v></c></row>')
    assert (grid.rows, grid.problems) == ({0: ["#SPILL!", "글"]}, [])


def test_macro_sheets_are_left_out_and_told() -> None:
    relations = (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        '<Relationship Id="rId9" Type="http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet"'
        ' Target="macrosheets/sheet1.xml"/>'
        f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    )
    workbook = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="XL4Poppy" sheetId="2" r:id="rId9"/>'
        '<sheet name="표" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    [grid] = grids_of(
        '<row r="1"><c r="A1"><v>1</v></c></row>',
        parts={
            "xl/_rels/workbook.xml.rels": relations,
            "xl/workbook.xml": workbook,
            "xl/macrosheets/sheet1.xml": f'<macrosheet xmlns="{MAIN}"/>',
        },
    )
    assert (grid.sheet, grid.rows, [n.code for n in grid.notices]) == ("표", {0: [1]}, ["macros"])


@pytest.mark.parametrize("last", ["XFD1048576", "XFD1", "A1048576"])
def test_cells_far_apart_cost_little(last: str) -> None:
    column, row = last.rstrip("0123456789"), int(last.lstrip("XFDA"))
    cells = {1: '<c r="A1"><v>1</v></c>'}
    cells[row] = cells.get(row, "") + f'<c r="{column}{row}"><v>2</v></c>'
    [grid] = grids_of("".join(f'<row r="{n}">{cell}</row>' for n, cell in cells.items()))
    assert grid.value(0, 0) == 1
    assert grid.value(row - 1, 16383 if column == "XFD" else 0) == 2


def test_a_wide_first_row_over_a_far_last_one_costs_little() -> None:
    [grid] = grids_of(
        '<row r="1"><c r="A1" s="3"><v>0.5</v></c><c r="XFD1"><v>1</v></c></row>'
        '<row r="1048576"><c r="A1048576"><v>2</v></c></row>'
    )
    assert (grid.value(0, 16383), grid.value(1048575, 0), grid.look(0, 0).number_format) == (1, 2, "0.0%")
