"""What a sync promises: only what changed is written, guards hold, shapes grow, nothing is left half-done."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ondol.config.tenant import SyncTable
from ondol.errors import FatalError, Rejected, RetriableError
from ondol.mart import Mart
from ondol.serving.base import SyncResult
from ondol.serving.postgres import PostgresServing
from tests.ondol.serving.marts import mart, unread

Sync = Callable[..., SyncResult]
Sales = Callable[..., pa.Table]
Query = Callable[[str], list[tuple[Any, ...]]]


def counts(result: SyncResult) -> tuple[int, int, int, int]:
    return result.inserted, result.updated, result.deleted, result.unchanged


@pytest.fixture
def places(query: Query, tenant: str) -> Callable[[], dict[int, tuple[str, str]]]:
    """Where each row lies and which transaction wrote it."""
    return lambda: {
        number: (ctid, xmin) for number, ctid, xmin in query(f"SELECT id, ctid, xmin::text FROM {tenant}.sales")
    }


def test_only_rows_that_differ_are_written(sync: Sync, sales: Sales, places: Callable[[], dict[int, Any]]) -> None:
    sync(sales(1000))
    before = places()
    table = sales(1003)
    amounts = [value + 1 if number in (5, 700) else value for number, value in enumerate(table["amount"].to_pylist())]
    table = table.set_column(3, "amount", pa.array(amounts, pa.decimal128(18, 2)))
    table = table.filter(pc.invert(pc.is_in(table["id"], pa.array([10, 11, 12, 13]))))
    assert counts(sync(table)) == (3, 2, 4, 994)
    after = places()
    assert {number for number in before if after.get(number) != before[number]} == {5, 700, 10, 11, 12, 13}
    assert set(after) - set(before) == {1000, 1001, 1002}


def test_an_unchanged_mart_writes_next_to_nothing(
    sync: Sync, sales: Sales, query: Query, places: Callable[[], dict[int, Any]]
) -> None:
    table = sales(50_000)
    sync(table)
    before, start = places(), query("SELECT pg_current_wal_lsn()")[0][0]
    result = sync(table)
    [(written,)] = query(f"SELECT pg_current_wal_lsn() - '{start}'::pg_lsn")
    assert counts(result) == (0, 0, 0, 50_000)
    assert places() == before
    assert written < 500_000, "bytes of write-ahead log"


def test_gaps_nan_and_zeros_are_compared_as_values(sync: Sync) -> None:
    def table(values: list[float | None]) -> pa.Table:
        return pa.table({"id": [1, 2, 3, 4], "rate": pa.array(values, pa.float64())})

    sync(table([None, float("nan"), 0.0, 1.0]))
    assert counts(sync(table([None, float("nan"), -0.0, 1.0]))) == (0, 0, 0, 4)
    assert counts(sync(table([0.0, float("inf"), 0.0, None]))) == (0, 3, 0, 1)


def test_the_same_batch_is_skipped_and_its_source_not_read(sync: Sync, sales: Sales) -> None:
    first = sync(sales(100), batch_id="a")
    again = sync(Mart("a", sales(0).schema, unread))
    assert again.skipped
    assert (again.rows, again.unchanged, again.checksum) == (100, 100, first.checksum)
    assert not sync(sales(100), batch_id="b").skipped
    assert not sync(sales(100), batch_id="a").skipped


def test_a_batch_is_not_skipped_if_its_table_is_gone(sync: Sync, sales: Sales, query: Query, tenant: str) -> None:
    sync(sales(10), batch_id="a")
    query(f"DROP TABLE {tenant}.sales")
    assert counts(sync(sales(10), batch_id="a")) == (10, 0, 0, 0)


def test_a_dry_run_tells_what_a_sync_would_do_and_does_nothing(
    sync: Sync, sales: Sales, query: Query, tenant: str, serving: PostgresServing
) -> None:
    assert counts(sync(sales(100), dry_run=True)) == (100, 0, 0, 0)
    assert query(f"SELECT to_regnamespace('{tenant}')") == [(None,)]
    sync(sales(100))
    wider = sales(90).append_column("note", pa.array(["새"] * 45 + [None] * 45))
    told = sync(wider, dry_run=True)
    assert counts(told) == (0, 45, 10, 45)
    assert serving.count("sales") == 100
    assert "note" not in (serving.row("sales", {"id": 1}) or {})
    assert counts(sync(wider)) == counts(told)


def test_a_number_of_rows_that_jumps_is_refused_unless_accepted(sync: Sync, sales: Sales) -> None:
    sync(sales(100), max_row_drift=0.2)
    for rows in (79, 121):
        with pytest.raises(Rejected, match=rf"has {rows} rows, and the last batch had 100: .21%, more than 20%"):
            sync(sales(rows), max_row_drift=0.2)
    assert sync(sales(120), max_row_drift=0.2).rows == 120
    assert sync(sales(200), max_row_drift=0.2, accept=True).rows == 200


def test_a_loss_of_many_rows_is_refused(sync: Sync, sales: Sales, serving: PostgresServing) -> None:
    sync(sales(100), batch_id="full")
    with pytest.raises(Rejected, match=r"would delete 51 of 100 rows, more than 50%"):
        sync(sales(49), share=0.5)
    assert serving.count("sales") == 100
    assert getattr(serving.last_batch("sales"), "batch_id", None) == "full"
    assert sync(sales(50), share=0.5).deleted == 50


def test_an_empty_mart_does_not_empty_a_table_unless_allowed(sync: Sync, sales: Sales) -> None:
    sync(sales(3))
    with pytest.raises(Rejected, match="would delete 3 of 3 rows because the mart is empty"):
        sync(sales(0), share=0.99)
    assert counts(sync(sales(0), share=1)) == (0, 0, 3, 0)
    assert counts(sync(sales(0), share=0)) == (0, 0, 0, 0)
    assert counts(sync(sales(5), share=0)) == (5, 0, 0, 0)


@pytest.mark.parametrize("loaded", [False, True])
def test_a_key_that_is_null_or_double_is_named(sync: Sync, serving: PostgresServing, loaded: bool) -> None:
    if loaded:
        sync(pa.table({"shop": ["0001"], "day": [1], "amount": [10]}), key=("shop", "day"))
    with pytest.raises(Rejected, match=r"'day' is NULL.* in row 2 of the mart, key {'shop': '0002', 'day': None}"):
        sync(pa.table({"shop": ["0001", "0002"], "day": [1, None], "amount": [1, 2]}), key=("shop", "day"))
    with pytest.raises(Rejected, match=r"a key more than once: .*\(shop, day\)=\(0001, 1\)"):
        sync(pa.table({"shop": ["0001", "0001"], "day": [1, 1], "amount": [1, 2]}), key=("shop", "day"))
    assert serving.tables() == (["sales"] if loaded else [])


def test_a_double_key_is_found_even_where_nothing_changed(sync: Sync) -> None:
    sync(pa.table({"id": [1, 2], "amount": [10, 20]}))
    with pytest.raises(Rejected, match=r"a key more than once: .*\(id\)=\(2\)"):
        sync(pa.table({"id": [1, 2, 2], "amount": [10, 20, 20]}))


def test_columns_are_added_and_types_widened_and_all_else_is_kept(
    sync: Sync, query: Query, tenant: str, serving: PostgresServing
) -> None:
    sync(pa.table({"id": pa.array([1, 2], pa.int32()), "amount": pa.array([10, 20], pa.int32())}))
    query(f"CREATE VIEW {tenant}.reading AS SELECT id FROM {tenant}.sales WHERE false")
    query(f"DROP VIEW {tenant}.reading; GRANT SELECT ON {tenant}.sales TO PUBLIC")
    [before] = query(f"SELECT oid, relacl::text FROM pg_class WHERE oid = '{tenant}.sales'::regclass")
    wider = pa.table(
        {
            "id": pa.array([1, 2, 2**40], pa.int64()),
            "amount": pa.array([Decimal("10.00"), Decimal("20.50"), None], pa.decimal128(12, 2)),
            "name": ["가", None, "나"],
        }
    )
    assert counts(sync(wider)) == (1, 2, 0, 0)
    assert serving.row("sales", {"id": 2**40}) == {"id": 2**40, "amount": None, "name": "나"}
    types = f"SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '{tenant}.sales'::regclass"
    assert query(types + " AND attnum > 0 ORDER BY attnum") == [("bigint",), ("numeric(12,2)",), ("text",)]
    assert query(f"SELECT oid, relacl::text FROM pg_class WHERE oid = '{tenant}.sales'::regclass") == [before]
    narrower = wider.set_column(0, "id", wider["id"].slice(0, 3)).slice(0, 2)
    narrower = narrower.set_column(1, "amount", pa.array([10, 20], pa.int16()))
    assert counts(sync(narrower)) == (0, 1, 1, 1)


@pytest.mark.parametrize(
    ("table", "key", "message"),
    [
        (pa.table({"id": [1]}), ("id",), r"has the columns \['amount'\], which the mart does not have.*DROP COLUMN"),
        (pa.table({"id": [1], "amount": ["1"]}), ("id",), r"bigint in PostgreSQL, but text in the mart.*TYPE text"),
        (pa.table({"id": [1], "amount": [1.5]}), ("id",), r"bigint in PostgreSQL, but double precision"),
        (pa.table({"id": [1], "amount": [1]}), ("amount",), r"primary key \('id',\), but the mart's key is"),
        (pa.table({"id": [1], "amount": [1]}), ("shop",), r"key columns \['shop'\] are not in the mart"),
    ],
)
def test_a_shape_that_cannot_grow_is_refused_with_what_to_do(
    sync: Sync, serving: PostgresServing, table: pa.Table, key: tuple[str, ...], message: str
) -> None:
    sync(pa.table({"id": [1], "amount": [1]}))
    with pytest.raises(Rejected, match=message):
        sync(table, key=key)
    assert serving.row("sales", {"id": 1}) == {"id": 1, "amount": 1}


def test_a_view_in_the_table_s_place_is_refused(sync: Sync, sales: Sales, query: Query, tenant: str) -> None:
    query(f"CREATE SCHEMA {tenant}; CREATE VIEW {tenant}.sales AS SELECT 1 AS id")
    with pytest.raises(Rejected, match="is no table, but a view"):
        sync(sales(1))


def test_comments_follow_the_mart(sync: Sync, sales: Sales, query: Query, tenant: str) -> None:
    comments = {"": "일별 '매출' 100%", "amount": "공급가액 (원)"}
    sync(sales(1), comments=comments)
    sync(sales(2), comments=comments | {"shop": "매장", "amount": ""})
    found = query(
        f"SELECT objsubid, description FROM pg_description WHERE objoid = '{tenant}.sales'::regclass ORDER BY 1"
    )
    assert found == [(0, "일별 '매출' 100%"), (2, "매장")]


@pytest.mark.parametrize(
    "name", ['x"; DROP SCHEMA _ondol CASCADE; --', "select", "한빛 %s %(a)s", "a.b", "'", "\\", "{0}{}"]
)
def test_names_of_any_kind_are_names(uri: str, name: str) -> None:
    serving = PostgresServing(uri, f"t {name}")
    table = pa.table({name: [1, 2], "?": ["a", "b"], f"{name}2": [None, "c"]})
    spec = SyncTable.model_construct(table=name, key=(name,), max_delete_share=0.5)
    for rows in (1, 2):
        serving.sync(spec, mart(table.slice(0, rows), f"{name}{rows}", comments={name: name, "": name}))
    assert serving.tables() == [name]
    assert serving.row(name, {name: 2, "?": "b"}) == {name: 2, "?": "b", f"{name}2": "c"}
    assert getattr(serving.last_batch(name), "batch_id", None) == f"{name}2"


@pytest.mark.parametrize("name", ["", "a\0b", "가" * 22])
def test_a_name_that_postgresql_would_cut_is_refused(uri: str, tenant: str, name: str) -> None:
    table = pa.table({"id": [1], name: [1]})
    spec = SyncTable(table="sales", key=("id",))
    with pytest.raises(Rejected, match="cannot name anything in PostgreSQL"):
        PostgresServing(uri, tenant).sync(spec, mart(table, "1"))
    with pytest.raises(Rejected, match="cannot name anything in PostgreSQL"):
        PostgresServing(uri, name).tables()


def test_nobody_else_may_use_a_tenant_s_schema(sync: Sync, sales: Sales, query: Query, tenant: str) -> None:
    sync(sales(1))
    for schema in (tenant, "_ondol"):
        assert query(f"SELECT has_schema_privilege('pg_monitor', '{schema}', 'USAGE')") == [(False,)]


def test_a_trigger_that_alters_rows_is_noticed_before_the_commit(
    sync: Sync, sales: Sales, query: Query, tenant: str, serving: PostgresServing
) -> None:
    sync(sales(10))
    query(
        f"CREATE FUNCTION {tenant}.alter_row() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.amount := NEW.amount + 0.01; RETURN NEW; END';"
        f" CREATE TRIGGER alter_row BEFORE INSERT ON {tenant}.sales FOR EACH ROW EXECUTE FUNCTION {tenant}.alter_row()"
    )
    with pytest.raises(RetriableError, match="Something else writes to this table"):
        sync(sales(11))
    assert serving.count("sales") == 10


def test_a_source_that_fails_leaves_the_table_as_it_was(sync: Sync, sales: Sales, serving: PostgresServing) -> None:
    def broken() -> Any:
        yield from sales(50).to_batches()
        raise OSError("the warehouse is gone")

    sync(sales(10))
    with pytest.raises(OSError, match="the warehouse is gone"):
        sync(Mart("broken", sales(0).schema, broken))
    assert serving.count("sales") == 10


def test_the_tables_can_be_read(sync: Sync, serving: PostgresServing, tenant: str) -> None:
    assert serving.tables() == []
    assert serving.last_batch("sales") is None
    with pytest.raises(FatalError, match=f"{tenant}.sales: PostgreSQL refuses"):
        serving.count("sales")
    result = sync(pa.table({"id": [1], "name": ["가"]}), batch_id="a")
    assert serving.tables() == ["sales"]
    assert serving.row("sales", {"id": "1"}) == {"id": 1, "name": "가"}
    assert serving.row("sales", {"id": 2}) is None
    batch = serving.last_batch("sales")
    assert batch is not None
    assert (batch.batch_id, batch.result) == ("a", result)


def test_a_checksum_is_of_the_rows_and_not_of_their_order(sync: Sync, sales: Sales) -> None:
    table = sales(500)
    first = sync(table).checksum
    assert sync(table.take(pa.array(reversed(range(500))))).checksum == first
    assert sync(sales(501)).checksum != first


def test_many_rows_take_seconds(sync: Sync) -> None:
    rows = 200_000
    numbers = pa.array(range(rows))
    table = pa.table({"id": numbers, "name": pc.binary_join_element_wise("한빛", numbers.cast(pa.string()), "-")})
    start = time.monotonic()
    assert counts(sync(table)) == (rows, 0, 0, 0)
    assert counts(sync(table)) == (0, 0, 0, rows)
    assert time.monotonic() - start < 60
