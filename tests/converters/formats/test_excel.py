"""Serial dates and number formats, against the reader of xlsx."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest

from converters.document import Document
from converters.formats import excel, xlsx
from converters.options import DEFAULTS

SERIALS = [
    (0.0, "yyyy-mm-dd"), (0.5, "h:mm"), (1.5, "h:mm"), (1.5, "[h]:mm"), (59.0, "yyyy-mm-dd"), (60.0, "yyyy-mm-dd"),
    (61.0, "yyyy-mm-dd"), (46000.0, "yyyy-mm-dd"), (46000.25, "yyyy-mm-dd"), (46000.9999999, "yyyy-mm-dd hh:mm"),
    (46000.0, 'm"월"'), (46000.0, '0"월"'), (46000.0, "#,##0;[Red]-#,##0"), (46000.0, '"d"0'), (46000.0, "\\d0"),
    (46000.0, "[$-412]AM/PM h:mm"), (46000.5, "General"), (1e15, "General"), (1e20, "General"), (-2.5, "0.0"),
]  # fmt: skip


def test_numbers_are_shown_as_the_xlsx_reader_shows_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row, (value, form) in enumerate(SERIALS, 1):
        book.active.cell(row, 1, value).number_format = form
    book.save(tmp_path / "a.xlsx")
    [grid] = xlsx.read(Document.of(tmp_path / "a.xlsx"), DEFAULTS)
    for row, (value, form) in enumerate(SERIALS):
        got = excel.shown_value(value, excel.kind_of_format(form))
        assert (got, type(got)) == (grid.rows[row][0], type(grid.rows[row][0])), (value, form)


@pytest.mark.parametrize(
    ("number_format", "kind"),
    [
        ("General", "number"), ("GENERAL", "number"), ('General"명"', "number"), ("0.00E+00", "number"),
        ("[Red]0", "number"), ("@", "number"), ("yyyy", "date"), ("[$-F800]dddd", "date"), ("mm:ss.0", "date"),
        ("[mm]:ss", "clock"), ('"ymd"0', "number"), ("0_d", "number"), ("#,##0;yyyy", "number"),
    ],
)  # fmt: skip
def test_a_number_format_tells_numbers_from_dates_and_clocks(number_format: str, kind: str) -> None:
    assert excel.kind_of_format(number_format) == kind


def test_days_may_count_from_1904() -> None:
    assert excel.shown_value(0.0, "date", since_1904=True) == dt.time()
    assert excel.shown_value(1.0, "date", since_1904=True) == dt.date(1904, 1, 2)
    assert excel.shown_value(44538.5, "date", since_1904=True) == dt.datetime(2025, 12, 9, 12)


def test_numbers_that_no_calendar_holds_stay_numbers() -> None:
    for value in (-1.0, 2958466.0, 1e300, float("inf")):
        assert excel.shown_value(value, "date") == value
    assert excel.shown_value(2958465.0, "date", since_1904=True) == 2958465


def test_builtin_formats_have_their_numbers() -> None:
    named = {0: "General", 9: "0%", 14: "yyyy-mm-dd", 22: "yyyy-mm-dd h:mm", 31: 'yyyy"년" mm"월" dd"일"', 49: "@"}
    assert {number: excel.BUILTIN_FORMATS[number] for number in named} == named
    assert excel.kind_of_format(excel.BUILTIN_FORMATS[46]) == "clock"
    assert all(
        excel.kind_of_format(excel.BUILTIN_FORMATS[n]) == "date"
        for n in (*range(14, 23), *range(27, 37), *range(50, 59))
    )
