"""Tables as Arrow and pandas have them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa

from converters.model import Column, Range, Scalar, Table
from converters.tables.arrow import to_arrow, to_pandas


def table_of(**columns: list[Scalar]) -> Table:
    return Table(
        sheet="s",
        index=0,
        region=Range(0, 0, 2, len(columns) - 1),
        columns=[
            Column(i, tuple(name.split("_")), "mixed", values) for i, (name, values) in enumerate(columns.items())
        ],
        rows=[1, 2],
        row_subtotal=[False, False],
    )


def test_columns_keep_their_types_and_header_paths() -> None:
    table = to_arrow(
        table_of(지점=["강남", None], 수량=[1, 2], 율=[0.5, None], 일자=[dt.date(2026, 1, 5), None], 월_계획=[1, 2])
    )
    assert table.schema.names == ["지점", "수량", "율", "일자", "월/계획"]
    assert table.schema.types == [pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.int64()]


def test_a_name_that_occurs_twice_is_numbered() -> None:
    table = table_of(금액=[1, 2], 비고=["a", "b"])
    table.columns[1].path = ("금액",)
    assert to_arrow(table).schema.names == ["금액", "금액_2"]


def test_columns_of_many_types_become_numbers_or_texts() -> None:
    table = to_arrow(table_of(수=[1, 2.5], 섞임=[1, "미정"]))
    assert table.column(0).to_pylist() == [1.0, 2.5]
    assert table.column(1).to_pylist() == ["1", "미정"]


def test_decimals_and_whole_numbers_beyond_64_bits_stay_exact() -> None:
    exact = [Decimal("12345678901234567.89"), 2]
    table = to_arrow(table_of(금액=exact, 번호=[2**64, None], 길다=[10**80, 1]))
    assert table.column(0).to_pylist() == exact
    assert table.schema.types == [pa.decimal128(19, 2), pa.decimal128(20, 0), pa.float64()]


def test_pandas_on_request() -> None:
    assert to_pandas(table_of(수량=[1, 2])).to_dict("list") == {"수량": [1, 2]}
