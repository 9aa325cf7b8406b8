"""Long texts that are read in bulk give the very same tables as those read row by row."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.formats import delimited
from converters.formats.bulk import string_columns
from converters.grid import Grid, LongRows
from converters.model import Conversion, Table
from converters.options import DEFAULTS, Limits, Options
from converters.packed import Packed

NEVER = 10**9
DAY = st.dates(dt.date(2020, 1, 1), dt.date(2027, 12, 31))
KINDS = [
    st.integers(-(10**6), 10**9).map(str),
    st.integers(0, 10**7).map("{:,}".format),
    st.floats(-1e6, 1e6).map("{:.2f}".format),
    st.floats(0, 1e6).map("{:,.1f}".format),
    st.floats(0, 1).map("{:.1%}".format),
    st.integers(0, 99999).map("{:05}".format),
    st.integers(0, 10**18).map(str),
    st.integers(1, 500).map("{}명".format),
    st.integers(1, 10**5).map("△{:,}".format),
    st.sampled_from(["강남점", "서초점", "부산점"]),
    st.text("가나다 ab\"',;\n", max_size=6),
    DAY.map(str),
    DAY.map("{:%Y.%m.%d}".format),
    DAY.map("{:%Y%m%d}".format),
    st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2027, 1, 1)).map("{:%Y-%m-%d %H:%M:%S}".format),
    st.sampled_from(["TRUE", "FALSE"]),
    st.sampled_from(["㈜한빛", " 12 ", "0", "-", "1.0", "1e5", "1２", "#N/A"]),
]
ODD = st.sampled_from(
    ["", "-", "N.A.", "...", "#DIV/0!", "N/A", " ", "　", "합계", "소계", "※ 비고", "0", "가", "1,2", "5", "2026-01-05"]
)
HEADERS = "일자 코드 수량 금액 비율 지점 품명 No. 월 단위 비고 주문번호 규격 합계".split()


@contextmanager
def bulk_after(rows: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "FIRST_ROWS", rows)
        yield


@st.composite
def records(draw: st.DrawFn) -> list[list[str]]:
    """A header, regular rows, and here and there a cell or a row that breaks the rule."""
    width = draw(st.integers(1, 6))
    headers = draw(st.lists(st.sampled_from(HEADERS), min_size=width, max_size=width))
    columns = [draw(st.lists(draw(st.sampled_from(KINDS)), min_size=1, max_size=12)) for _ in range(width)]
    count = draw(st.integers(30, 90))
    rows = [list(row) for row in zip(*(islice(cycle(column), count) for column in columns), strict=True)]
    for _ in range(draw(st.integers(0, 6))):
        rows[draw(st.integers(0, count - 1))][draw(st.integers(0, width - 1))] = draw(ODD)
    for _ in range(draw(st.integers(0, 2))):
        odd = draw(
            st.sampled_from([headers, [""] * width, ["합계", *["1"] * (width - 1)], ["※ 참고", *[""] * (width - 1)]])
        )
        rows[draw(st.integers(0, count - 1))] = list(odd)
    return [headers, *rows]


def text_of(rows: list[list[str]], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def exactly(conversion: Conversion) -> list[object]:
    """All of it, with the type of each value: 1 and 1.0 are not the same here."""
    return [conversion.state, conversion.problems, [_exact_table(table) for table in conversion.tables]]


def _exact_table(table: Table) -> list[object]:
    columns = [
        [c.index, c.path, c.type, c.unit, c.role, c.subtotal, c.derived, c.sums, [(type(v), v) for v in c.values]]
        for c in table.columns
    ]
    rest = (table.region, table.title, table.notes, table.rows, table.row_subtotal, table.errors, table.cell_units)
    return [columns, rest, table.nulls, table.captions, table.sums, table.decisions]


@settings(max_examples=150, deadline=None)
@given(records(), st.sampled_from(",;\t"), st.integers(3, 25))
def test_bulk_and_row_by_row_give_the_same_tables(rows: list[list[str]], delimiter: str, first: int) -> None:
    data = text_of(rows, delimiter).encode()
    with bulk_after(first):
        in_bulk = convert(data, name="a.csv")
    with bulk_after(NEVER):
        one_by_one = convert(data, name="a.csv")
    assert exactly(in_bulk) == exactly(one_by_one)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text('a1,"\n\r \u3000\0가\ufeff', max_size=8), min_size=2, max_size=12))
def test_any_text_is_read_as_pythons_csv_reads_it_or_not_in_bulk(lines: list[str]) -> None:
    text = "\n".join(lines)
    expected = list(csv.reader(io.StringIO(text, newline="")))
    columns = string_columns(text, 0, ",", len(expected[0]) if expected else 1)
    if columns is not None:
        while expected and not expected[-1]:
            expected.pop()  # blank lines at the end are no rows
        rows = [list(row) for row in zip(*(c.to_pylist() for c in columns), strict=True)]
        blanked = [[f if f and not f.isspace() else None for f in fields] for fields in expected]
        assert rows == blanked


def long_grid(text: str, options: Options = DEFAULTS) -> Grid:
    [grid] = delimited.read(Document("a.csv", data=text.encode()), options)
    return grid


def test_a_long_regular_text_is_held_in_columns_and_reads_like_rows() -> None:
    lines = [f'{n},"{n:,}",지점{n % 3}' for n in range(3000)]
    lines[2000] = ",,"
    grid = long_grid("\n".join(["번호,금액,지점", *lines]))
    assert isinstance(grid.rows, LongRows)
    assert len(grid.rows) == 3000
    assert grid.rows[2000] == ["1999", "1,999", "지점1"]
    assert 2001 not in grid.rows
    assert list(grid.rows)[-1] == 3000
    assert list(grid.rows.values())[-1] == ["2999", "2,999", "지점2"]


def test_the_columns_of_a_long_table_stay_packed() -> None:
    text = "일자,금액,지점\n" + "".join(f'2026-01-{1 + n % 28:02},"{n:,}",지점{n % 3}\n' for n in range(3000))
    [table] = convert(text.encode(), name="a.csv").tables
    assert all(isinstance(column.values, Packed) for column in table.columns)
    assert [column.type for column in table.columns] == ["date", "number", "text"]
    assert [column.values[2999] for column in table.columns] == [dt.date(2026, 1, 4), 2999, "지점2"]


def test_limits_hold_in_bulk() -> None:
    text = "a,b\n" + "1,2\n" * 3000
    conversion = convert(text.encode(), name="a.csv", options=Options(Limits(max_cells=5000)))
    assert (conversion.state, conversion.problems[0].code) == ("quarantined", "over_limit")
