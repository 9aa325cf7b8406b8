"""xls of every age: values as the xlsx reader gives them, texts in the code page that they are really in."""

from __future__ import annotations

import contextlib
import datetime as dt
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.errors import ConverterError
from converters.formats import legacy, xls
from converters.grid import Grid
from converters.model import Range
from converters.options import DEFAULTS, Limits, Options
from tests.converters.formats.biff import error, label, number, record, stream, truth

CASE = Path(__file__).parents[1] / "cases" / "xls_report" / "input.xls"
KOREAN = "지점 매출 강남 서초".split()


def grids_of(data: bytes, options: Options = DEFAULTS) -> list[Grid]:
    return list(xls.read(Document("매출.xls", data=data), options))


def sheet_of(*texts: bytes) -> bytes:
    return b"".join(label(row, 0, text) for row, text in enumerate(texts))


def test_values_have_the_types_that_the_xlsx_reader_gives() -> None:
    cells = b"".join(
        (
            label(0, 0, b"a"),
            number(0, 1, 12.0),
            number(0, 2, 12.5),
            number(0, 3, 46000.0, form=1),
            number(0, 4, 46000.25, form=1),
            number(0, 5, 5.0, form=2),
            number(0, 6, 1.25, form=3),
            number(0, 7, 0.5, form=1),
            truth(0, 8, value=True),
            error(0, 9, 0x07),
            error(1, 3, 0x2A),
        )
    )
    [grid] = grids_of(stream((b"Sheet1", cells)))
    day = dt.date(2025, 12, 9)
    assert grid.rows == {
        0: ["a", 12, 12.5, day, dt.datetime(2025, 12, 9, 6), 5, "30:00:00", dt.time(12), True, "#DIV/0!"],
        1: [None, None, None, "#N/A"],
    }
    assert [type(v) for v in grid.rows[0][1:3]] == [int, float]
    assert grid.look(0, 5).number_format == '0"월"'
    assert grid.styles[1] == [-1, -1, -1, 0]


@pytest.mark.parametrize("codepage", [949, 1252, 10003, 65535])
def test_korean_texts_are_read_whatever_code_page_the_file_states(codepage: int) -> None:
    texts = [text.encode("cp949") for text in KOREAN]
    [grid] = grids_of(stream(("실적".encode("cp949"), sheet_of(*texts)), codepage=codepage))
    assert (grid.sheet, [row[0] for row in grid.rows.values()], grid.problems) == ("실적", KOREAN, [])


def test_western_letters_stay_what_the_stated_code_page_makes_them() -> None:
    texts = ["Général", "Café", "Straße", "naïve"]
    [grid] = grids_of(stream((b"Sheet1", sheet_of(*(t.encode("cp1252") for t in texts))), codepage=1252))
    assert [row[0] for row in grid.rows.values()] == texts


def test_bytes_that_the_code_page_does_not_explain_are_a_problem() -> None:
    texts = [*(t.encode("cp949") for t in KOREAN * 20), b"\xb0\xff\xff"]
    [grid] = grids_of(stream((b"Sheet1", sheet_of(*texts))))
    assert [p.code for p in grid.problems] == ["undecodable_text"]
    assert grid.rows[0] == ["지점"]


def test_merges_looks_notes_and_what_is_hidden_are_kept() -> None:
    sheet, hidden = grids_of(CASE.read_bytes())
    assert Range(4, 0, 5, 0) in sheet.merges
    assert (sheet.hidden_rows, sheet.hidden_columns) == ({11}, {7})
    assert (sheet.hidden, hidden.hidden) == (False, True)
    assert sheet.comments == {(5, 3): "잠정치"}
    head, body = sheet.look(2, 0), sheet.look(4, 4)
    assert (head.bold, head.filled, head.border, body.bold, body.filled) == (True, True, True, False, False)
    assert (body.number_format, sheet.look(10, 0).indent) == ("0.0%", 1)


def test_a_preview_stops_early() -> None:
    cells = b"".join(number(row, 0, row) for row in range(100))
    [grid] = grids_of(stream((b"Sheet1", cells)), Options(max_rows=10))
    assert list(grid.rows) == list(range(10))


def test_limits_hold() -> None:
    data = stream(*((b"S%d" % n, number(0, 0, 1) + number(0, 255, 1)) for n in range(20)))
    for limits in (Limits(max_sheets=10), Limits(max_cells=30), Limits(max_slots=3000)):
        with pytest.raises(ConverterError):
            grids_of(data, Options(limits))


def test_names_that_mean_nothing_do_not_cost_the_values() -> None:
    name = record(0x18, bytes(3) + b"\x01" + struct.pack("<H", 3) + bytes(8) + b"x" + b"\x2d\xff\xff")
    [grid] = grids_of(stream((b"Sheet1", number(0, 0, 7)), extra=[name]))
    assert grid.rows == {0: [7]}


def test_what_xlrd_cannot_read_is_read_without_formats_and_says_so() -> None:
    whole = CASE.read_bytes()
    grids = list(legacy.read(Document("a.xls", data=whole), DEFAULTS, because="odd"))
    assert [grid.rows[4][:4] for grid in grids[:1]] == [["강남", 1, 1200, 1300]]
    assert [notice.code for notice in grids[0].notices] == ["read_without_formats"]


def test_the_repair_refuses_sheets_that_would_allocate_gigabytes() -> None:
    far = number(0, 0, 1) + number(65535, 255, 1)
    data = stream(*((b"S%d" % n, far) for n in range(8)))
    with pytest.raises(ConverterError, match="rows high"):
        list(legacy.read(Document("a.xls", data=data), DEFAULTS, because="odd"))


def test_a_protected_workbook_needs_its_password() -> None:
    data = stream((b"Sheet1", number(0, 0, 1)), extra=[record(0x2F, bytes(6))])
    assert convert(data, name="locked.xls").state == "needs_password"


def test_macros_are_reported_and_take_nothing_away() -> None:
    data = stream((b"Sheet1", label(0, 0, b"a")), extra=[record(0x5C, "_VBA_PROJECT".encode("utf-16-le"))])
    [grid] = grids_of(data)
    assert ([notice.code for notice in grid.notices], grid.problems) == (["macros"], [])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.data())
def test_damaged_records_end_in_a_grid_or_an_error_that_is_expected(data: st.DataObject) -> None:
    whole = bytearray(stream((b"Sheet1", number(0, 0, 1) + label(1, 1, b"abc") + error(2, 2, 7))))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ConverterError):
        grids_of(bytes(whole[: data.draw(st.integers(8, len(whole)))]))


def test_every_cut_of_a_workbook_ends_in_a_state() -> None:
    whole = CASE.read_bytes()
    for end in range(1536, len(whole), 611):
        cut = convert(whole[:end], name="cut.xls")
        assert "converter_defect" not in [p.code for p in cut.problems]
        assert cut.tables or cut.problems[0].remedy
