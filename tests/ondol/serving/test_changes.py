"""What the warehouse says has changed is enough, unless the table may not be as the last batch left it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from ondol.errors import Rejected
from ondol.mart import Mart
from ondol.serving.base import SyncResult
from ondol.serving.postgres import PostgresServing
from tests.ondol.serving.marts import changed, mart, unread

Sync = Callable[..., SyncResult]
Query = Callable[[str], list[tuple[Any, ...]]]


def counts(result: SyncResult) -> tuple[int, int, int, int]:
    return result.inserted, result.updated, result.deleted, result.unchanged


def shops(rows: int, **other: str) -> pa.Table:
    """Shops 0 to rows - 1; `_3="x"` gives shop 3 that name."""
    names = [other.get(f"_{number}", f"상점 {number}") for number in range(rows)]
    return pa.table({"id": range(rows), "name": names, "rate": [number / 7 for number in range(rows)]})


@pytest.fixture
def rows(query: Query, tenant: str) -> Callable[[], list[tuple[Any, ...]]]:
    return lambda: query(f"SELECT id, name, rate FROM {tenant}.sales ORDER BY id")


def as_rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table.to_pylist()]


def test_changes_alone_make_the_table_equal_and_the_mart_is_not_read(sync: Sync, rows: Callable[[], Any]) -> None:
    then = mart(shops(1000))
    sync(then)
    table = shops(1002, _5="다섯", _700="칠백").filter(pa.array([number not in (10, 11) for number in range(1002)]))
    told = changed(then, mart(table))
    assert told.rows is unread
    result = sync(told)
    assert (counts(result), result.full) == ((2, 2, 2, 996), False)
    assert rows() == as_rows(table)
    assert result.checksum == sync(mart(table), full=True).checksum


def test_many_changes_are_written_as_few_are(sync: Sync, rows: Callable[[], Any]) -> None:
    then = mart(shops(50))
    sync(then)
    table = pa.concat_tables([shops(60).slice(40), shops(30, **{f"_{n}": "새" for n in range(30)})])
    result = sync(changed(then, mart(table)))
    assert (counts(result), result.full) == ((10, 30, 10, 10), False)
    assert rows() == sorted(as_rows(table))


def test_a_key_alone_is_inserted_and_deleted(sync: Sync, query: Query, tenant: str) -> None:
    then = mart(pa.table({"id": [1, 2]}))
    sync(then)
    assert counts(sync(changed(then, mart(pa.table({"id": [2, 3]}))))) == (1, 0, 1, 1)
    assert query(f"SELECT * FROM {tenant}.sales ORDER BY id") == [(2,), (3,)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET name = '손으로' WHERE id = 3",
        "DELETE FROM {table} WHERE id = 3",
        "INSERT INTO {table} VALUES (77, '손으로', 1)",
        "TRUNCATE {table}",
        "SET session_replication_role = replica; UPDATE {table} SET name = '몰래' WHERE id = 3;"
        " SET session_replication_role = origin",
        "DROP TRIGGER ondol_watch ON {table}; UPDATE {table} SET name = '몰래' WHERE id = 3",
        "ALTER TABLE {table} DISABLE TRIGGER ondol_watch; DELETE FROM {table} WHERE id = 3",
        "CREATE TABLE {schema}.copy AS TABLE {table}; ALTER TABLE {schema}.copy ADD PRIMARY KEY (id);"
        " DROP TABLE {table}; ALTER TABLE {schema}.copy RENAME TO sales; DELETE FROM {table} WHERE id = 3",
        "ALTER TABLE {table} DROP COLUMN rate",
        "ALTER TABLE {table} ALTER COLUMN rate TYPE real",
    ],
)
@pytest.mark.parametrize("same", [True, False], ids=["the same batch", "another batch"])
def test_what_somebody_else_did_to_the_table_is_put_right(
    sync: Sync, query: Query, tenant: str, rows: Callable[[], Any], statement: str, same: bool
) -> None:
    then = mart(shops(20))
    sync(then)
    query(statement.format(table=f"{tenant}.sales", schema=tenant))
    table = shops(20) if same else shops(21, _7="일곱")
    now = then if same else replace(changed(then, mart(table)), rows=table.to_batches)
    result = sync(now)
    assert result.full
    assert not result.skipped
    assert rows() == as_rows(table)
    if "rate" not in statement:
        assert result.drift
    assert sync(now).skipped


def test_who_wrote_to_the_table_is_told(sync: Sync, query: Query, tenant: str) -> None:
    sync(mart(shops(3), "a"))
    query(f"DELETE FROM {tenant}.sales WHERE id = 1")
    drift = sync(mart(shops(3), "a")).drift
    [(user,)] = query("SELECT session_user")
    assert f"{user} wrote to the table outside of Ondol (DELETE, " in drift
    assert "rows is 2, not 3" in drift


def test_a_write_that_ends_beside_a_sync_is_noticed_by_the_next(
    sync: Sync, query: Query, tenant: str, rows: Callable[[], Any]
) -> None:
    then = mart(shops(100))
    sync(then)
    told = changed(then, mart(shops(101)))
    assert told.changes

    def upserts() -> Any:
        query(f"UPDATE {tenant}.sales SET name = '그 사이' WHERE id = 50")
        yield from told.changes.upserts()  # type: ignore[union-attr]

    beside = replace(told, changes=replace(told.changes, upserts=upserts))
    assert counts(sync(beside)) == (1, 0, 0, 100)
    again = sync(replace(told, rows=shops(101).to_batches))
    assert (again.updated, again.full, "(UPDATE, " in again.drift) == (1, True, True)
    assert rows() == as_rows(shops(101))


def test_changes_since_another_batch_are_not_believed(sync: Sync, rows: Callable[[], Any]) -> None:
    then = mart(shops(10))
    sync(then)
    told = changed(mart(shops(5)), mart(shops(11)))
    result = sync(replace(told, rows=shops(11).to_batches))
    assert (counts(result), result.full) == ((1, 0, 0, 10), True)
    assert rows() == as_rows(shops(11))


def test_a_row_that_the_changes_say_is_there_and_is_not_sends_them_back(sync: Sync, rows: Callable[[], Any]) -> None:
    then = mart(shops(10))
    sync(then)
    told = changed(then, mart(shops(11)))
    assert told.changes
    wrong = replace(told.changes, inserted=0, updated=1, rows=10)  # though row 10 is new
    result = sync(Mart(told.batch_id, told.schema, shops(11).to_batches, {}, wrong))
    assert (counts(result), result.full) == ((1, 0, 0, 10), True)
    assert rows() == as_rows(shops(11))


def test_guards_look_at_changes_before_they_are_written(sync: Sync, serving: PostgresServing) -> None:
    then = mart(shops(10))
    sync(then)
    with pytest.raises(Rejected, match="would delete 6 of 10 rows, more than 50%"):
        sync(changed(then, mart(shops(4))), share=0.5)
    assert serving.count("sales") == 10
    assert sync(changed(then, mart(shops(4))), share=0.5, accept=True).deleted == 6


BAD = pa.table({"id": [0, 1, 2, 2, None], "name": ["가", "나\0", "다", "라", "마"], "rate": [0.0, 1.0, 2.0, 3.0, 4.0]})
KEEP = {"on_reject": "keep", "max_reject_share": 0.9}


@pytest.mark.parametrize("filled", [False, True], ids=["a new table", "a filled table"])
def test_rejected_rows_are_kept_with_the_reason_and_the_rest_goes_on(
    sync: Sync, query: Query, tenant: str, filled: bool
) -> None:
    if filled:
        sync(pa.table({"id": [0], "name": ["옛"], "rate": [0.0]}))
    result = sync(mart(BAD, "bad"), **KEEP)
    assert (result.rejected, result.rows) == (4, 1)
    assert query(f"SELECT id, name FROM {tenant}.sales") == [(0, "가")]
    found = query(
        "SELECT key::text, \"row\"->>'rate', reason FROM _ondol.rejected"
        f" WHERE (tenant, \"table\", batch_id) = ('{tenant}', 'sales', 'bad') ORDER BY \"row\"->>'rate'"
    )
    assert [(key.replace(" ", ""), float(rate), reason) for key, rate, reason in found] == [
        ('{"id":1}', 1, "column 'name' has a NUL character"),
        ('{"id":2}', 2, "the key is there 2 times"),
        ('{"id":2}', 3, "the key is there 2 times"),
        ('{"id":null}', 4, "column 'id' is NULL, but it is part of the key"),
    ]
    assert counts(sync(mart(BAD, "bad"), **KEEP)) == (0, 0, 0, 1)  # the same batch
    mended = BAD.filter(pa.array([True, False, True, False, False]))
    assert (sync(mended, **KEEP).rejected, query(f"SELECT 1 FROM _ondol.rejected WHERE tenant = '{tenant}'")) == (0, [])


def test_more_rejected_rows_than_allowed_refuse_the_batch(sync: Sync, serving: PostgresServing) -> None:
    for _ in range(2):
        with pytest.raises(Rejected, match=r"cannot hold 4 of 5 rows, more than 50\.00%; of the first, column"):
            sync(BAD, on_reject="keep", max_reject_share=0.5)
        if not serving.tables():
            sync(pa.table({"id": [0], "name": ["옛"], "rate": [0.0]}))
    assert serving.count("sales") == 1


def test_a_changed_row_that_is_rejected_takes_its_old_one_along(
    sync: Sync, query: Query, tenant: str, rows: Callable[[], Any]
) -> None:
    then = mart(shops(5))
    sync(then, **KEEP)
    now = mart(shops(5, _3="\0"))
    result = sync(replace(changed(then, now), rows=now.rows), **KEEP)
    assert (counts(result), result.rejected, result.full) == ((0, 0, 1, 4), 1, True)
    assert [row[0] for row in rows()] == [0, 1, 2, 4]
    healed = sync(mart(shops(5)), **KEEP)
    assert (counts(healed), healed.rejected) == ((1, 0, 0, 4), 0)


def test_a_dry_run_keeps_no_rejected_rows(sync: Sync, query: Query, tenant: str) -> None:
    sync(shops(1))
    assert sync(BAD, dry_run=True, **KEEP).rejected == 4
    assert query(f"SELECT 1 FROM _ondol.rejected WHERE tenant = '{tenant}'") == []


def test_a_dry_run_shows_rows_as_they_are_and_would_be(sync: Sync) -> None:
    sync(shops(3))
    told = sync(shops(4, _1="하나").filter(pa.array([False, True, True, True])), dry_run=True)
    assert counts(told) == (1, 1, 1, 1)
    shown = {(s.before and s.before["name"], s.after and s.after["name"]) for s in told.samples}
    assert shown == {(None, "상점 3"), ("상점 1", "하나"), ("상점 0", None)}
