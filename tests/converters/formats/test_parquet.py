"""Parquet: every type comes out as the value that it is, and nothing of the table is guessed."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from converters import convert
from converters.document import Document
from converters.errors import Broken, NeedsPassword, OverLimit
from converters.formats import parquet
from converters.grid import Grid
from converters.options import DEFAULTS, Limits, Options
from converters.tables.arrow import to_arrow


def written(table: pa.Table, **how: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def grid_of(table: pa.Table, options: Options = DEFAULTS) -> Grid:
    [grid] = parquet.read(Document("매출.parquet", data=written(table)), options)
    return grid


def values_of(array: pa.Array, name: str = "a") -> list[Any]:
    grid = grid_of(pa.table({name: array}))
    assert grid.rows.pop(0) == [name]
    return [values[0] for values in grid.rows.values()]


MOMENT = dt.datetime(2026, 1, 5, 9, 30)


@pytest.mark.parametrize(
    ("array", "values"),
    [
        (pa.array([1, None, 2**62]), [1, None, 2**62]),
        (pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
        (pa.array([0.5, 2.0]), [0.5, 2.0]),
        (pa.array([Decimal("1.10"), None], pa.decimal128(9, 2)), [Decimal("1.10"), None]),
        (pa.array([True, False, None]), [True, False, None]),
        (pa.array(["00123", "4,662", "", None]), ["00123", "4,662", None, None]),
        (pa.array(["가", "나", "가"]).dictionary_encode(), ["가", "나", "가"]),
        (pa.array([MOMENT.date()]), [MOMENT.date()]),
        (pa.array([MOMENT], pa.timestamp("ns")), [MOMENT]),
        (pa.array([dt.datetime(2026, 1, 5)], pa.timestamp("ms")), [dt.datetime(2026, 1, 5)]),
        (pa.array([dt.time(9, 30)]), [dt.time(9, 30)]),
        (pa.array([dt.timedelta(hours=30)]), ["30:00:00"]),
        (pa.array([b"\xea\xb0\x80", None]), ["가", None]),
        (pa.array([[1, 2], None, []]), ["[1, 2]", None, "[]"]),
        (pa.array([None, None]), [None, None]),
    ],
    ids=lambda case: str(case.type) if isinstance(case, pa.Array) else "",
)
def test_values_are_those_of_the_file(array: pa.Array, values: list[Any]) -> None:
    got = values_of(array)
    assert got == values
    assert list(map(type, got)) == list(map(type, values))


def test_times_with_a_zone_are_given_as_clocks_there_show_them() -> None:
    grid = grid_of(
        pa.table({"시각": pa.array([dt.datetime(2026, 1, 5, tzinfo=dt.UTC)], pa.timestamp("us", "Asia/Seoul"))})
    )
    assert grid.rows[1] == [dt.datetime(2026, 1, 5, 9)]
    assert [notice.message for notice in grid.notices] == ["The times of '시각' are those of Asia/Seoul."]


def test_structs_become_header_paths_and_records_keep_their_rows() -> None:
    orders = [{"번호": 1, "금액": {"원": 10}}, {"번호": 2, "금액": None}, None]
    conversion = convert(written(pa.table({"주문": pa.array(orders), "비고": ["a", "b", "c"]})), name="a.parquet")
    [table] = conversion.tables
    assert [c.path for c in table.columns] == [("주문", "번호"), ("주문", "금액", "원"), ("비고",)]
    assert [c.values for c in table.columns] == [[1, 2, None], [10, None, None], ["a", "b", "c"]]
    assert [(f.cell, f.value) for f in table.facts() if f.column == ("비고",)] == [
        ("C2", "a"),
        ("C3", "b"),
        ("C4", "c"),
    ]


def test_nothing_is_guessed() -> None:
    columns = {"일자": ["20260105", "20260106"], "코드": ["1", "2"], "구분": ["소계", "합계"], "연도": [2025, 2026]}
    [table] = convert(written(pa.table(columns)), name="a.parquet").tables
    assert [(c.path, c.values, c.type, c.role) for c in table.columns] == [
        ((name,), values, "number" if name == "연도" else "text", "value") for name, values in columns.items()
    ]
    assert table.row_subtotal == [False, False]


def test_arrow_gives_back_what_parquet_held() -> None:
    table = pa.table(
        {
            "a": pa.array([1, None]),
            "b": pa.array([Decimal("12345678901234567890.12"), None], pa.decimal128(22, 2)),
            "c": pa.array([MOMENT, None], pa.timestamp("us")),
            "d": pa.array(["x", None]),
        }
    )
    [found] = convert(written(table), name="a.parquet").tables
    assert to_arrow(found).equals(table)


def test_what_is_no_number_is_an_error_of_its_cell() -> None:
    [table] = convert(written(pa.table({"a": [1.5, float("nan")]})), name="a.parquet").tables
    assert (table.columns[0].values, table.errors) == ([1.5, None], {(2, 0): "#NUM!"})


def test_binary_data_is_left_out_and_said() -> None:
    conversion = convert(written(pa.table({"a": [1], "그림": [b"\xff\xd8\xff"]})), name="a.parquet")
    assert (conversion.state, conversion.problems[0].code, conversion.problems[0].where) == (
        "partial",
        "binary_column",
        "그림",
    )


def test_a_file_without_records_is_a_table_without_rows() -> None:
    [table] = convert(
        written(pa.schema([("a", pa.int64()), ("b", pa.string())]).empty_table()), name="a.parquet"
    ).tables
    assert ([c.path for c in table.columns], table.rows) == ([("a",), ("b",)], [])


def test_row_groups_are_read_one_after_the_other_and_a_preview_stops_early() -> None:
    data = Document("a.parquet", data=written(pa.table({"a": range(1000)}), row_group_size=100))
    [grid] = parquet.read(data, DEFAULTS)
    assert [values[0] for row, values in grid.rows.items() if row] == list(range(1000))
    [grid] = parquet.read(data, Options(max_rows=7))
    assert len(grid.rows) == 8


def test_limits_are_checked_before_anything_is_unpacked() -> None:
    data = Document("a.parquet", data=written(pa.table({"a": pa.array([0] * 100_000)})))
    for limits in (Limits(max_slots=1000), Limits(max_inflated_bytes=100), Limits(max_cells=1000)):
        with pytest.raises(OverLimit):
            list(parquet.read(data, Options(limits)))


def test_a_damaged_or_encrypted_file_has_a_state() -> None:
    whole = written(pa.table({"a": ["x" * 50] * 100}), write_page_checksum=True)
    for data in (whole[: len(whole) // 2], whole[:50] + bytes(4) + whole[54:], b"PAR1"):
        with pytest.raises(Broken):
            list(parquet.read(Document("a.parquet", data=data), DEFAULTS))
    with pytest.raises(NeedsPassword):
        list(parquet.read(Document("a.parquet", data=b"PARE" + whole[4:]), DEFAULTS))
