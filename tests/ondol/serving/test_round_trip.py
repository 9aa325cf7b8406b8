"""Every value that Arrow holds comes back from PostgreSQL as it was, and the control totals of both agree."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import math
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pgpq import ArrowToPostgresBinaryEncoder

from ondol.config.tenant import SyncTable
from ondol.errors import Rejected
from ondol.serving.base import SyncResult
from ondol.serving.postgres import PostgresServing
from tests.ondol.serving.marts import mart

Sync = Callable[..., SyncResult]
Query = Callable[[str], list[tuple[Any, ...]]]

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
TIMES = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30))
TYPES: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.bool_(), st.booleans()),
    (pa.int8(), st.integers(-(2**7), 2**7 - 1)),
    (pa.uint16(), st.integers(0, 2**16 - 1)),
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float32(), st.floats(width=32)),
    (pa.float64(), st.floats()),
    (pa.decimal128(38, 9), st.decimals(-(10**28), 10**28, places=9)),
    (pa.decimal128(5, 5), st.decimals("-0.99999", "0.99999", places=5)),
    (pa.string(), TEXTS),
    (pa.large_string(), TEXTS),
    (pa.dictionary(pa.int32(), pa.string()), TEXTS),
    (pa.binary(), st.binary()),
    (pa.date32(), st.dates()),
    (pa.time64("us"), st.times()),
    (pa.timestamp("us"), TIMES),
    (pa.timestamp("us", "UTC"), TIMES.map(lambda at: at.replace(tzinfo=dt.UTC))),
    (pa.duration("us"), st.timedeltas(dt.timedelta(days=-10_000), dt.timedelta(days=10_000))),
    (pa.list_(pa.int64()), st.lists(st.none() | st.integers(-(2**63), 2**63 - 1))),
    (pa.list_(pa.string()), st.lists(st.none() | TEXTS)),
    (pa.list_(pa.decimal128(10, 2)), st.lists(st.decimals(-(10**8) + 1, 10**8 - 1, places=2))),
    (pa.struct([("a", pa.int64()), ("가", pa.string())]), st.fixed_dictionaries({"a": st.integers(0, 9), "가": TEXTS})),
]


def plain(value: Any, arrow: pa.DataType) -> Any:
    if isinstance(value, memoryview):
        return value.tobytes()
    if arrow == pa.float32() and value is not None:  # PostgreSQL writes the shortest text that gives the same float
        value = struct.unpack("f", struct.pack("f", value))[0]
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    chosen = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=4))
    rows = draw(st.integers(0, 12))
    columns = {
        f"c{number}": pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), arrow)
        for number, (arrow, values) in enumerate(chosen)
    }
    return pa.table({"id": pa.array(range(rows), pa.int32())} | columns)


numbers = itertools.count()


@given(first=tables(), chunk=st.integers(1, 5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_comes_back_as_it_was(serving: PostgresServing, query: Query, first: pa.Table, chunk: int) -> None:
    spec = SyncTable(table=f"any_{next(numbers)}", key=("id",), max_delete_share=1)
    loaded = serving.sync(spec, mart(first, "1", chunk=chunk))
    assert loaded.inserted == first.num_rows
    query("SET timezone = 'UTC'")
    found = query(f"SELECT * FROM {serving._tenant}.{spec.table} ORDER BY id")
    assert [list(map(plain, row, first.schema.types)) for row in found] == [
        list(map(plain, row.values(), first.schema.types)) for row in first.to_pylist()
    ]
    again = serving.sync(spec, mart(first, "2", chunk=chunk))
    assert (again.unchanged, again.checksum) == (first.num_rows, loaded.checksum)


def test_nested_values_keep_every_digit_in_jsonb(serving: PostgresServing, sync: Sync) -> None:
    inner = pa.struct([("price", pa.decimal128(38, 9)), ("on", pa.date32())])
    kind = pa.struct([("lines", pa.list_(inner)), ("by_shop", pa.map_(pa.string(), pa.int64()))])
    value = {
        "lines": [{"price": Decimal("12345678901234567890.123456789"), "on": dt.date(2026, 1, 5)}],
        "by_shop": [('강남 "1"', 2**53 + 1)],
    }
    sync(pa.table({"id": [1, 2], "doc": pa.array([value, None], kind)}))
    assert serving.row("sales", {"id": 2}) == {"id": 2, "doc": None}
    found = serving.row("sales", {"id": 1})
    assert found is not None
    assert found["doc"]["by_shop"] == {'강남 "1"': 2**53 + 1}
    assert found["doc"]["lines"][0]["on"] == "2026-01-05"


def test_jsonb_holds_the_digits_that_a_float_would_lose(sync: Sync, query: Query, tenant: str) -> None:
    kind = pa.struct([("price", pa.decimal128(38, 9))])
    sync(pa.table({"id": [1], "doc": pa.array([{"price": Decimal("12345678901234567890.123456789")}], kind)}))
    assert query(f"SELECT doc->>'price' FROM {tenant}.sales") == [("12345678901234567890.123456789",)]


def test_uuids_and_nanoseconds_that_fit_are_kept(serving: PostgresServing, sync: Sync) -> None:
    name = uuid.uuid4()
    at = pa.array([1_767_571_200_000_001_000], pa.timestamp("ns"))
    sync(pa.table({"id": [1], "name": pa.array([name.bytes], pa.uuid()), "at": at}))
    row = serving.row("sales", {"id": 1})
    assert row == {"id": 1, "name": str(name), "at": dt.datetime(2026, 1, 5, 0, 0, 0, 1)}


def test_the_sums_of_duckdb_come_as_whole_numbers(sync: Sync, query: Query, tenant: str) -> None:
    most = 10**38 - 1
    with duckdb.connect(config={"arrow_lossless_conversion": True}) as warehouse:
        table = warehouse.sql(
            f"SELECT i AS id, v::HUGEINT AS total, abs(v)::UHUGEINT AS size"
            f" FROM (VALUES (1, {most}), (2, -{most}), (3, NULL), (4, -1)) AS t(i, v)"
        ).to_arrow_table()
        over = warehouse.sql(f"SELECT 1 AS id, {2**127 - 1}::HUGEINT AS total").to_arrow_table()
        huge = warehouse.sql(f"SELECT 1 AS id, {2**127}::UHUGEINT AS total").to_arrow_table()
    assert "hugeint" in str(over.schema.field("total").type)
    result = sync(table)
    assert query(f"SELECT total, size FROM {tenant}.sales ORDER BY id") == [
        (most, most), (-most, most), (None, None), (-1, 1),
    ]  # fmt: skip
    assert sync(table).checksum == result.checksum
    for wrong in (over, huge):
        with pytest.raises(Rejected, match="column 'total' has more than 38 digits in row 1"):
            sync(wrong.append_column("size", wrong["id"]))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (pa.array(['"ok \\ud83d\\ude00"', '["\\ud83d"]'], pa.json_()), "has half of a surrogate pair in row 2"),
        (pa.array(["좋다", "a\0b"]), "column 'bad' has a NUL character in row 2 of the mart, key {'id': '1'}"),
        (pa.array([0, -(2**63) + 2], pa.timestamp("us", "UTC")), "is outside of what .* key {'id': '1'}"),
        (pa.array([0, 2**31 - 2], pa.int32()).cast(pa.date32()), "is outside of what PostgreSQL's date"),
        (pa.array([[], [2**31 - 1]], pa.list_(pa.int32())).cast(pa.list_(pa.date32())), "element that is infinite or"),
        (pa.array([0, 1], pa.timestamp("ns")), "a value that timestamp without time zone cannot hold"),
        (pa.array([{"a": 0.0}, {"a": math.inf}]), "JSON cannot say inf"),
        (pa.array([[("a", 1), ("a", 2)]] * 2, pa.map_(pa.string(), pa.int8())), "jsonb cannot hold"),
        (pa.array([["a"], ["a\0b"]]), "has a NUL character in row 2"),
        (pa.array([{"a": "b"}, {"a": "\0"}]), "has a NUL character in row 2"),
    ],
)
def test_a_value_that_postgresql_cannot_hold_is_named(sync: Sync, array: pa.Array, message: str) -> None:
    with pytest.raises(Rejected, match=message):
        sync(pa.table({"id": [0, 1], "bad": array}))


@pytest.mark.parametrize(
    ("array", "column", "corrupt"),
    [
        (pa.array([1], pa.int64()), "float8", struct.unpack(">d", struct.pack(">q", 1))[0]),
        (pa.array([0], pa.date32()), "int", -10_957),
        (pa.array([0], pa.int64()), "timestamptz", dt.datetime(2000, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_a_type_of_the_same_width_is_refused_though_copy_would_take_it(
    connection: Any, query: Query, serving: PostgresServing, tenant: str, array: pa.Array, column: str, corrupt: object
) -> None:
    table = pa.table({"id": pa.array([1], pa.int32()), "value": array})
    encoder = ArrowToPostgresBinaryEncoder(table.schema)
    raw = encoder.write_header() + encoder.write_batch(table.to_batches()[0]) + encoder.finish()
    query(f"CREATE SCHEMA {tenant}; CREATE TABLE {tenant}.sales (id int PRIMARY KEY, value {column})")
    query("SET timezone = 'UTC'")
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {tenant}.sales FROM STDIN (FORMAT binary)", io.BytesIO(raw))
    assert query(f"SELECT value FROM {tenant}.sales") == [(corrupt,)]
    with pytest.raises(Rejected, match="no type holds both without loss"):
        serving.sync(SyncTable(table="sales", key=("id",)), mart(table, "1"))
    query(f"DELETE FROM {tenant}.sales")
    with pytest.raises(Rejected, match="no type holds both without loss"):
        serving.sync(SyncTable(table="sales", key=("id",)), mart(table, "1"))
