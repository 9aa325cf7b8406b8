"""What changed in a mart since it was synced: DuckDB keeps the key and a hash of each row of the last synced batch.

    _ondol.synced          one row a mart: the batch, and the totals that its fingerprint is made of
    _synced.<mart>         k0, k1, … (the key) and h (the hash) of each row of that batch

One join of the mart with these, at the speed of columns, gives the rows that differ, and the mart's fingerprint from
theirs: nothing but the changed rows is read twice, or leaves the warehouse. The serving database decides what was
synced last; of any other batch nothing is told here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ondol.faults import point
from ondol.mart import Changes
from ondol.warehouse.duckdb import SYNC_MEMORY, DuckDbWarehouse, columns_of, first, quoted, reading, row_hash

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

BOOKS = """
    CREATE SCHEMA IF NOT EXISTS _synced;
    CREATE TABLE IF NOT EXISTS _ondol.synced (
        table_name VARCHAR PRIMARY KEY, batch_id VARCHAR, key VARCHAR[], columns VARCHAR, engine VARCHAR,
        row_count BIGINT, total HUGEINT, parity UBIGINT);
"""
CARRIED_ROWS = 500_000
"""Changed rows whose hashes are carried over to `remember`; of more of them it reads the mart anew."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a fingerprint is made of: the number of rows, and the sum and the parity of their hashes."""

    rows: int
    total: int
    parity: int

    def fingerprint(self, columns: list[tuple[str, str]]) -> str:
        """The hash of a table with these columns and rows."""
        return hashlib.sha256(json.dumps([columns, [self.rows, self.total, self.parity]]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Carried:
    """The difference between two batches: the key of each row that differs, and its new hash (NULL: it is gone)."""

    since: str
    batch_id: str
    totals: Totals
    rows: pa.Table


def fingerprint(connection: DuckDBPyConnection, warehouse: DuckDbWarehouse, table: str) -> str:
    """See Warehouse.fingerprint."""
    columns = columns_of(connection, warehouse.tenant, table)
    return _totals(connection, warehouse.name(table), row_hash(columns)).fingerprint(columns)


@contextmanager
def changes(
    warehouse: DuckDbWarehouse, table: str, key: Sequence[str], since: str | None, carry: dict[str, Carried]
) -> Iterator[Changes | None]:
    """See Warehouse.changes.

    Args:
        carry: where the difference is left for `remember`, by table.
    """
    carry.pop(table, None)
    with warehouse.connect(memory=SYNC_MEMORY) as connection, ExitStack() as readers:
        warehouse.must_exist(connection, table)
        columns = columns_of(connection, warehouse.tenant, table)
        then = _remembered(connection, table, key, columns)
        if since is None or then is None or then[0] != since:
            yield None
            return
        names = [name for name, _ in columns]
        _compare(connection, warehouse.name(table), table, columns, key)
        found = _counts(connection, names, key)
        now = Totals(
            then[1].rows + found["inserted"] - found["deleted"],
            then[1].total + found["fresh_total"] - found["old_total"],
            then[1].parity ^ found["fresh_parity"] ^ found["old_parity"],
        )
        if not found["is_unique"] or first(connection, f"SELECT count(*) FROM {warehouse.name(table)}") != (now.rows,):
            yield None  # a key is there twice, or is NULL: the serving database has to judge the whole mart
            return
        batch_id = now.fingerprint(columns)
        if found["differ"] <= CARRIED_ROWS:
            keys = ", ".join(f"coalesce(c{names.index(name)}, k{n}) AS k{n}" for n, name in enumerate(key))
            differing = connection.sql(f"SELECT {keys}, fresh FROM differing").to_arrow_table()
            carry[table] = Carried(since, batch_id, now, differing)
        values = ", ".join(f"c{n} AS {quoted(name)}" for n, name in enumerate(names))
        gone = ", ".join(f"k{n} AS {quoted(name)}" for n, name in enumerate(key))

        def read(sql: str) -> pa.RecordBatchReader:
            return readers.enter_context(reading(connection, sql))

        yield Changes(
            since=since,
            batch_id=batch_id,
            schema=read(f"SELECT {values} FROM differing LIMIT 0").schema,
            rows=now.rows,
            inserted=found["inserted"],
            updated=found["updated"],
            deleted=found["deleted"],
            upserts=lambda: read(f"SELECT {values} FROM differing WHERE fresh IS NOT NULL"),
            gone=lambda: read(f"SELECT {gone} FROM differing WHERE fresh IS NULL"),
        )


def remember(
    warehouse: DuckDbWarehouse, table: str, key: Sequence[str], batch_id: str, carry: dict[str, Carried]
) -> None:
    """See Warehouse.remember."""
    import duckdb

    carried = carry.pop(table, None)
    with warehouse.transaction(memory=SYNC_MEMORY) as connection:
        connection.execute(BOOKS)
        columns = columns_of(connection, warehouse.tenant, table)
        then = _remembered(connection, table, key, columns)
        if then and then[0] == batch_id:
            return
        if then and carried and (carried.since, carried.batch_id) == (then[0], batch_id):
            totals = carried.totals
            _apply(connection, table, len(key), carried.rows)
        else:
            keys = ", ".join(f"{quoted(name)} AS k{n}" for n, name in enumerate(key))
            connection.execute(
                f"CREATE OR REPLACE TABLE _synced.{quoted(table)} AS"
                f" SELECT {keys}, {row_hash(columns)} AS h FROM {warehouse.name(table)}"
            )
            totals = _totals(connection, f"_synced.{quoted(table)}", "h")
        # Another batch id: the mart is no longer what was synced, and what is remembered here serves nobody.
        connection.execute(
            "INSERT OR REPLACE INTO _ondol.synced VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [table, totals.fingerprint(columns), list(key), json.dumps(columns), duckdb.__version__,
             totals.rows, totals.total, totals.parity],
        )  # fmt: skip
        point("warehouse:remember:commit")
    point("warehouse:remember:done")


def _remembered(
    connection: DuckDBPyConnection, table: str, key: Sequence[str], columns: list[tuple[str, str]]
) -> tuple[str, Totals] | None:
    """The batch that is remembered of a mart of these columns and this key; another DuckDB may hash otherwise."""
    import duckdb

    known = "SELECT 1 FROM information_schema.tables WHERE (table_schema, table_name) = ('_ondol', 'synced')"
    if not first(connection, known):
        return None
    found = first(
        connection,
        "SELECT batch_id, row_count, total, parity FROM _ondol.synced"
        " WHERE table_name = ? AND key = ? AND columns = ? AND engine = ?",
        [table, list(key), json.dumps(columns), duckdb.__version__],
    )
    return (found[0], Totals(*map(int, found[1:]))) if found else None


def _totals(connection: DuckDBPyConnection, table: str, value: str) -> Totals:
    sql = f"SELECT count(*), coalesce(sum({value}::HUGEINT), 0), coalesce(bit_xor({value}), 0) FROM {table}"
    return Totals(*map(int, first(connection, sql) or ()))


def _compare(
    connection: DuckDBPyConnection, mart: str, table: str, columns: Sequence[tuple[str, str]], key: Sequence[str]
) -> None:
    """The rows that differ, in the temporary table `differing`: c0… as they are, k0… and `old` as they were."""
    names = [name for name, _ in columns]
    values = ", ".join(f"{quoted(name)} AS c{n}" for n, name in enumerate(names))
    match = " AND ".join(f"c{names.index(name)} = k{n}" for n, name in enumerate(key))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE differing AS SELECT * EXCLUDE h, h AS old"
        f" FROM (SELECT {values}, {row_hash(columns)} AS fresh FROM {mart})"
        f" FULL JOIN _synced.{quoted(table)} ON {match}"
        " WHERE fresh IS DISTINCT FROM h"
    )


def _counts(connection: DuckDBPyConnection, names: Sequence[str], key: Sequence[str]) -> dict[str, Any]:
    keys = [f"c{names.index(name)}" for name in key]
    sql = f"""
        SELECT count(*) AS differ,
            count(*) FILTER (old IS NULL) AS inserted, count(*) FILTER (fresh IS NULL) AS deleted,
            count(*) FILTER (fresh IS NOT NULL AND old IS NOT NULL) AS updated,
            coalesce(sum(fresh::HUGEINT), 0) AS fresh_total, coalesce(sum(old::HUGEINT), 0) AS old_total,
            coalesce(bit_xor(fresh), 0) AS fresh_parity, coalesce(bit_xor(old), 0) AS old_parity,
            count(DISTINCT row({", ".join(keys)})) FILTER ({" AND ".join(f"{k} IS NOT NULL" for k in keys)})
                = count(fresh) AS is_unique
        FROM differing
    """
    cursor = connection.execute(sql)
    [row] = cursor.fetchall()
    return dict(zip([column[0] for column in cursor.description or ()], row, strict=True))


def _apply(connection: DuckDBPyConnection, table: str, width: int, differing: pa.Table) -> None:
    """Bring what is remembered from one batch to the next."""
    keys = [f"k{n}" for n in range(width)]
    target = f"_synced.{quoted(table)}"
    connection.register("_differing", differing)
    match = " AND ".join(f"t.{k} = d.{k}" for k in keys)
    connection.execute(f"DELETE FROM {target} AS t USING _differing AS d WHERE {match}")
    connection.execute(f"INSERT INTO {target} SELECT {', '.join(keys)}, fresh FROM _differing WHERE fresh IS NOT NULL")
    connection.unregister("_differing")
