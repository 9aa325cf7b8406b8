"""xlsb, from workbooks made record by record."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.errors import ConverterError, OverLimit
from converters.formats import xlsb
from converters.grid import Grid
from converters.model import Range
from converters.options import DEFAULTS, Limits, Options

CORPUS = os.environ.get("ONDOL_CORPUS", "")
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
PURPOSE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
FORMATS = ("General", "yyyy-mm-dd", '0"월"', "GENERAL")


def record(kind: int, data: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = b"", len(data)
    while length >= 0x80:
        size, length = size + bytes([length & 0x7F | 0x80]), length >> 7
    return head + size + bytes([length]) + data


def string(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def row(number: int, *cells: bytes, hidden: bool = False) -> bytes:
    return record(0, struct.pack("<IIHBB", number, 0, 300, 0, 0x10 * hidden) + bytes(5)) + b"".join(cells)


def cell(kind: int, column: int, data: bytes, style: int = 0) -> bytes:
    return record(kind, struct.pack("<II", column, style) + data)


def text(column: int, value: str) -> bytes:
    return cell(6, column, string(value))


def real(column: int, value: float, style: int = 0) -> bytes:
    return cell(5, column, struct.pack("<d", value), style)


def relations(targets: Mapping[str, str]) -> str:
    entries = "".join(
        f'<Relationship Id="r{n}" Type="{PURPOSE}{purpose}" Target="{target}"/>'
        for n, (target, purpose) in enumerate(targets.items(), 1)
    )
    return f'<Relationships xmlns="{RELATIONS}">{entries}</Relationships>'


def styles() -> bytes:
    formats = b"".join(record(44, struct.pack("<H", 164 + n) + string(form)) for n, form in enumerate(FORMATS))
    fonts = b"".join(record(43, struct.pack("<HHH", 220, 0, weight) + bytes(20)) for weight in (400, 700))
    fills = b"".join(record(45, struct.pack("<I", pattern) + bytes(64)) for pattern in (0, 1))
    borders = b"".join(record(46, bytes([0, line]) + bytes(50)) for line in (0, 1))
    plain = [(164 + n, 0, 0, 0, 0) for n in range(len(FORMATS))]
    cells = b"".join(
        record(47, struct.pack("<5HBB", 0, form, font, fill, border, 0, indent) + bytes(4))
        for form, font, fill, border, indent in [*plain, (9, 1, 1, 1, 2)]
    )
    odd = record(626) + record(47, bytes(16)) + record(627)
    return record(278) + formats + fonts + fills + borders + odd + record(617) + cells + record(618)


def workbook(*sheets: bytes, since_1904: bool = False, parts: Mapping[str, bytes | str] = {}) -> bytes:
    """Sheets 표1, 표2 and so on of these records; the second one is hidden."""
    index = b"".join(
        record(156, struct.pack("<II", n == 2, n) + string(f"r{n}") + string(f"표{n}"))
        for n in range(1, len(sheets) + 1)
    )
    targets = {f"worksheets/sheet{n}.bin": "worksheet" for n in range(1, len(sheets) + 1)}
    made: dict[str, bytes | str] = {
        "xl/workbook.bin": record(131) + record(153, struct.pack("<III", since_1904, 0, 0)) + index + record(132),
        "xl/_rels/workbook.bin.rels": relations(
            {**targets, "styles.bin": "styles", "/xl/sharedStrings.bin": "sharedStrings"}
        ),
        "xl/styles.bin": styles(),
        "xl/sharedStrings.bin": record(159) + record(19, b"\0" + string("공유")) + record(160),
        **{f"xl/worksheets/sheet{n}.bin": record(129) + data + record(130) for n, data in enumerate(sheets, 1)},
        **parts,
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in made.items():
            archive.writestr(name, data)
    return target.getvalue()


def grids_of(data: bytes, options: Options = DEFAULTS) -> list[Grid]:
    return list(xlsb.read(Document("표.xlsb", data=data), options))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (real(0, 12.0), 12),
        (real(0, 12.5), 12.5),
        (real(0, 46000.0, style=1), dt.date(2025, 12, 9)),
        (cell(2, 0, struct.pack("<i", 1200 << 2 | 2)), 1200),
        (cell(2, 0, struct.pack("<i", -1250 << 2 | 3)), -12.5),
        (cell(2, 0, struct.pack("<I", struct.unpack("<Q", struct.pack("<d", 0.5))[0] >> 32)), 0.5),
        (text(0, "글자"), "글자"),
        (cell(7, 0, struct.pack("<I", 0)), "공유"),
        (cell(62, 0, b"\0" + string("굵은 글자")), "굵은 글자"),
        (cell(4, 0, b"\1"), True),
        (cell(3, 0, b"\x2a"), "#N/A"),
        (cell(8, 0, string("식") + bytes(10)), "식"),
        (cell(9, 0, struct.pack("<d", 7.0) + bytes(10)), 7),
        (cell(10, 0, b"\0" + bytes(10)), False),
        (cell(11, 0, b"\x07" + bytes(10)), "#DIV/0!"),
    ],
)
def test_values_have_their_types(written: bytes, value: Any) -> None:
    [grid] = grids_of(workbook(row(0, written)))
    assert (grid.rows[0][0], type(grid.rows[0][0])) == (value, type(value))


def test_cells_keep_their_places_and_looks() -> None:
    sheet = row(3, text(2, "a"), real(5, 5.0, style=2), real(6, 0.5, style=4)) + row(70000, real(0, 1.0, style=3))
    [grid] = grids_of(workbook(sheet))
    assert grid.rows == {3: [None, None, "a", None, None, 5, 0.5], 70000: [1]}
    assert grid.look(3, 5).number_format == '0"월"'
    assert grid.look(70000, 0).number_format == "General"
    look = grid.look(3, 6)
    assert (look.number_format, look.bold, look.filled, look.border, look.indent) == ("0%", True, True, True, 2)


def test_merges_comments_and_what_is_hidden_are_kept() -> None:
    columns = record(60, struct.pack("<IIIIH", 2, 3, 2000, 0, 1))
    merge = record(176, struct.pack("<4I", 0, 1, 2, 3))
    comments = record(635, struct.pack("<5I", 0, 1, 1, 2, 2) + bytes(16)) + record(637, b"\0" + string("메모"))
    data = workbook(
        columns + row(0, text(0, "a")) + row(1, text(0, "b"), hidden=True) + merge,
        row(0, text(0, "c")),
        parts={
            "xl/worksheets/_rels/sheet1.bin.rels": relations({"../comments1.bin": "comments"}),
            "xl/comments1.bin": comments,
        },
    )
    sheet, hidden = grids_of(data)
    assert (sheet.hidden_rows, sheet.hidden_columns, sheet.merges) == ({1}, {2, 3}, [Range(0, 2, 1, 3)])
    assert (sheet.comments, sheet.hidden, hidden.hidden) == ({(1, 2): "메모"}, False, True)


def test_days_may_count_from_1904() -> None:
    [grid] = grids_of(workbook(row(0, real(0, 44538.0, style=1)), since_1904=True))
    assert grid.rows[0] == [dt.date(2025, 12, 9)]


def test_charts_hold_no_tables_and_macros_are_reported() -> None:
    parts = {
        "xl/_rels/workbook.bin.rels": relations(
            {"worksheets/sheet1.bin": "worksheet", "worksheets/sheet2.bin": "chartsheet"}
        ),
        "xl/vbaProject.bin": b"",
    }
    [grid] = grids_of(workbook(row(0, text(0, "a")), row(0, text(0, "b")), parts=parts))
    assert (grid.rows, [notice.code for notice in grid.notices]) == ({0: ["a"]}, ["macros"])


def test_far_cells_cost_what_they_hold() -> None:
    [grid] = grids_of(workbook(row(0, text(0, "a")) + row(1_000_000, text(16_383, "b"))))
    assert (list(grid.rows), grid.value(1_000_000, 16_383)) == ([0, 1_000_000], "b")


def test_records_are_read_across_the_edges_of_what_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = b"".join(row(n, text(0, f"행{n}"), real(1, n)) for n in range(300))
    whole = grids_of(workbook(sheet))
    monkeypatch.setattr(xlsb, "CHUNK", 7)
    assert [grid.rows for grid in grids_of(workbook(sheet))] == [grid.rows for grid in whole]


def test_limits_hold() -> None:
    data = workbook(b"".join(row(n, real(0, 1.0), real(9, 1.0)) for n in range(50)))
    for limits in (Limits(max_cells=20), Limits(max_slots=100), Limits(max_sheets=0)):
        with pytest.raises(OverLimit):
            grids_of(data, Options(limits))
    [grid] = grids_of(data, Options(max_rows=5))
    assert list(grid.rows) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("odd", [b"\x06\xff\xff\xff\x7f", row(1, cell(6, 0, struct.pack("<I", 1 << 30)))])
def test_a_claim_of_gigabytes_costs_what_is_behind_it(odd: bytes) -> None:
    first, second = grids_of(workbook(row(0, text(0, "a")) + odd + row(2, text(0, "b")), row(0, text(0, "c"))))
    assert (first.rows, second.rows) == ({0: ["a"]}, {0: ["c"]})
    assert [problem.code for problem in first.problems] == ["sheet_cut_off"]
    assert "claims" in first.problems[0].message


WHOLE = row(0, text(0, "a"), real(1, 46000.0, style=1), cell(7, 2, bytes(4))) + row(1, cell(3, 0, b"\x07"))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), min_size=1, max_size=5), st.booleans())
def test_damaged_records_end_in_grids_or_an_expected_error(damage: list[tuple[int, bytes]], of_styles: bool) -> None:
    sheet, looks = WHOLE, styles()
    for at, odd in damage:
        if of_styles:
            looks = looks[: at * 2] + odd + looks[at * 2 + len(odd) :]
        else:
            sheet = sheet[: at // 4] + odd + sheet[at // 4 + len(odd) :]
    with contextlib.suppress(ConverterError):
        grids_of(workbook(sheet, parts={"xl/styles.bin": looks}))


@pytest.mark.skipif(not CORPUS, reason="ONDOL_CORPUS names no folder with public workbooks: THEY ARE NOT COMPARED")
def test_public_workbooks_have_the_values_that_calamine_reads() -> None:
    from python_calamine import CalamineWorkbook

    compared = 0
    for path in sorted((Path(CORPUS) / "xlsb").iterdir())[:40]:
        if convert(path).format != "xlsb":
            continue
        other = CalamineWorkbook.from_path(str(path))
        for grid in xlsb.read(Document.of(path), DEFAULTS):
            for at, values in enumerate(other.get_sheet_by_name(grid.sheet).to_python(skip_empty_area=False)):
                for column, value in enumerate(values):
                    if isinstance(value, str | bool) and value != "":
                        assert grid.value(at, column) == value, (path.name, grid.sheet, at, column)
                        compared += 1
    assert compared > 1000
