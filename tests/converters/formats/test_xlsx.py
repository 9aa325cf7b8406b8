"""The grid that is read from a workbook, against openpyxl's reading of the same file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
from openpyxl.styles import Alignment, Font

from converters.document import Document
from converters.formats import xlsx
from converters.grid import Grid
from converters.model import Range
from converters.options import Options


def grids(path: Path, options: Options = Options()) -> list[Grid]:  # noqa: B008
    return list(xlsx.read(Document.of(path), options))


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
