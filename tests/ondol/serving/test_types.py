"""Arrow types to PostgreSQL types: no loss, and no way around the gate."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ondol.errors import Rejected
from ondol.serving.copy import Encoder
from ondol.serving.types import holder, pg_type


@pytest.mark.parametrize(
    ("arrow", "expected"),
    [
        (pa.uint32(), "bigint"),
        (pa.uint64(), "numeric(20,0)"),
        (pa.opaque(pa.binary(16), "hugeint", "DuckDB"), "numeric(38,0)"),
        (pa.opaque(pa.binary(16), "uhugeint", "DuckDB"), "numeric(38,0)"),
        (pa.float32(), "real"),
        (pa.decimal128(38, 9), "numeric(38,9)"),
        (pa.decimal128(3, 5), "numeric(5,5)"),
        (pa.decimal128(5, -2), "numeric(7,0)"),
        (pa.timestamp("ns"), "timestamp without time zone"),
        (pa.timestamp("us", "Asia/Seoul"), "timestamp with time zone"),
        (pa.dictionary(pa.int8(), pa.string()), "text"),
        (pa.list_(pa.decimal128(10, 2)), "numeric(10,2)[]"),
        (pa.list_(pa.timestamp("us", "UTC")), "jsonb"),
        (pa.list_(pa.list_(pa.int32())), "jsonb"),
        (pa.struct([("a", pa.int32())]), "jsonb"),
        (pa.map_(pa.string(), pa.int32()), "jsonb"),
        (pa.uuid(), "uuid"),
        (pa.json_(), "jsonb"),
        (pa.month_day_nano_interval(), "interval"),
        (pa.list_(pa.month_day_nano_interval()), "jsonb"),
    ],
)
def test_a_type_maps_to_the_one_that_holds_all_its_values(arrow: pa.DataType, expected: str) -> None:
    assert pg_type(arrow, "c") == expected


@pytest.mark.parametrize(
    "arrow",
    [
        pa.null(),
        pa.decimal256(50, 2),
        pa.list_(pa.null()),
        pa.opaque(pa.binary(), "bit", "DuckDB"),
        pa.list_(pa.opaque(pa.binary(16), "hugeint", "DuckDB")),
        pa.struct([("sum", pa.opaque(pa.binary(16), "hugeint", "DuckDB"))]),
    ],
)
def test_a_type_that_postgresql_lacks_is_refused_with_the_column(arrow: pa.DataType) -> None:
    with pytest.raises(Rejected, match="column 'c' has the type"):
        pg_type(arrow, "c")


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        ("integer", "bigint", "bigint"),
        ("bigint", "smallint", "bigint"),
        ("integer", "numeric(18,2)", "numeric(18,2)"),
        ("bigint", "numeric(18,2)", "numeric(21,2)"),
        ("numeric(18,2)", "bigint", "numeric(21,2)"),
        ("numeric(38,9)", "bigint", "numeric(38,9)"),
        ("numeric(10,2)", "numeric(10,4)", "numeric(12,4)"),
        ("numeric", "numeric(10,4)", "numeric"),
        ("real", "double precision", "double precision"),
        ("double precision", "real", "double precision"),
        ("character varying(10)", "text", "text"),
        ("double precision", "bigint", None),
        ("bigint", "double precision", None),
        ("integer", "date", None),
        ("text", "bigint", None),
        ("timestamp without time zone", "timestamp with time zone", None),
    ],
)
def test_two_types_are_held_by_the_smallest_that_loses_nothing(have: str, want: str, expected: str | None) -> None:
    assert holder(have, want) == expected


@pytest.mark.parametrize(
    ("arrow", "table"),
    [
        (pa.int64(), "double precision"),
        (pa.float64(), "bigint"),
        (pa.date32(), "integer"),
        (pa.int32(), "date"),
        (pa.int64(), "timestamp with time zone"),
        (pa.timestamp("us"), "bigint"),
        (pa.timestamp("us"), "timestamp with time zone"),
        (pa.int32(), "real"),
        (pa.int64(), "integer"),
        (pa.string(), "jsonb"),
        (pa.string(), "bytea"),
    ],
)
def test_the_gate_refuses_what_binary_copy_would_corrupt(arrow: pa.DataType, table: str) -> None:
    with pytest.raises(Rejected, match="column 'c' is"):
        Encoder(pa.schema([("c", arrow)]), {"c": table}, ())
