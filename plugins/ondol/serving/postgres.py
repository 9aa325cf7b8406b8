"""Marts in the tenant's PostgreSQL schema: one transaction a table, in which only rows that differ are written.

    advisory lock → skip the batch that was the last → COPY into a temporary table (an empty table: straight into it)
    → the difference, as a temporary table → guards → ALTER, MERGE → control totals compared → batch row → COMMIT

Whoever reads sees the table before the commit or after it. Row locks are all that a sync holds, so no reader waits;
a new column or a wider type alone makes readers wait, from the ALTER to the commit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ondol import faults
from ondol.errors import Rejected
from ondol.serving.base import Batch, SyncResult
from ondol.serving.connection import transaction
from ondol.serving.names import quote
from ondol.serving.shape import read_shape, set_comments
from ondol.serving.transfer import Transfer

if TYPE_CHECKING:
    import pyarrow as pa

    from ondol.config.tenant import SyncTable

_BATCHES = """
    CREATE SCHEMA IF NOT EXISTS _ondol;
    REVOKE ALL ON SCHEMA _ondol FROM PUBLIC;
    CREATE TABLE IF NOT EXISTS _ondol.batch (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant text NOT NULL,
        "table" text NOT NULL,
        batch_id text NOT NULL,
        inserted bigint NOT NULL,
        updated bigint NOT NULL,
        deleted bigint NOT NULL,
        unchanged bigint NOT NULL,
        rows bigint NOT NULL,
        checksum text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX IF NOT EXISTS batch_by_table ON _ondol.batch (tenant, "table", id)
"""
_COUNTS = ("inserted", "updated", "deleted", "unchanged", "rows", "checksum")
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


class PostgresServing:
    """One tenant's schema in a PostgreSQL database.

    Args:
        uri: a libpq URI; its user owns the tenant's schema and `_ondol`.
        tenant: names the schema.
    """

    def __init__(self, uri: str, tenant: str) -> None:
        self._uri = uri
        self._tenant = tenant

    def __repr__(self) -> str:
        """Leaves out the URI: it may hold a password."""
        return f"PostgresServing(tenant={self._tenant!r})"

    def sync(
        self,
        spec: SyncTable,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        *,
        batch_id: str,
        comments: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> SyncResult:
        """Make the table equal to the mart: see `Serving.sync`."""
        table = quote(self._tenant, spec.table)
        if absent := [column for column in spec.key if column not in schema.names]:
            raise Rejected(
                f"{self._where(spec.table)}: the key columns {absent} are not in the mart, which has {schema.names}.",
                "Correct 'key' of the sync in the tenant's YAML, or add them to the mart.",
            )
        with transaction(self._uri, self._where(spec.table), commit=not dry_run) as cursor:
            self._make_schemas(cursor, dry_run=dry_run)
            self._lock(cursor, spec.table)
            shape = read_shape(cursor, table)
            last = self._last(cursor, spec.table)
            if shape and last and last.batch_id == batch_id:
                return _skipped(last.result)
            result = Transfer(cursor, spec, table, schema, dry_run).run(shape, batches)
            if not dry_run:
                self._finish(cursor, table, batch_id, result, comments or {})
        faults.point("sync.committed")
        return result

    def _finish(self, cursor: Any, table: str, batch_id: str, result: SyncResult, comments: Mapping[str, str]) -> None:
        set_comments(cursor, table, comments)
        faults.point("sync.verified")
        counts = tuple(getattr(result, name) for name in _COUNTS)
        cursor.execute(
            f'INSERT INTO _ondol.batch (tenant, "table", batch_id, {", ".join(_COUNTS)})'
            f" VALUES (%s, %s, %s{', %s' * len(_COUNTS)})",
            (self._tenant, result.table, batch_id, *counts),
        )
        faults.point("sync.before_commit")

    def _make_schemas(self, cursor: Any, *, dry_run: bool) -> None:
        """Once a tenant, in a transaction of its own: other tenants' first syncs need not wait for this one's rows."""
        schema = quote(self._tenant)
        there = "SELECT to_regnamespace(%s) IS NOT NULL AND to_regclass('_ondol.batch_by_table') IS NOT NULL"
        cursor.execute(there, (schema,))
        if cursor.fetchone() == (True,):
            return
        with contextlib.nullcontext(cursor) if dry_run else transaction(self._uri, self._tenant) as own:
            own.execute(_LOCK, ("_ondol",))
            own.execute(f"{_BATCHES}; CREATE SCHEMA IF NOT EXISTS {schema}; REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")
        faults.point("sync.schemas")

    def _lock(self, cursor: Any, table: str) -> None:
        """One sync of a table at a time; the other waits for as long as a sync may take."""
        cursor.execute("SET LOCAL lock_timeout = '1h'")
        cursor.execute(_LOCK, (f"{self._tenant}.{table}",))
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        faults.point("sync.locked")

    def _last(self, cursor: Any, table: str) -> Batch | None:
        cursor.execute("SELECT to_regclass('_ondol.batch') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return None
        cursor.execute(
            f"SELECT batch_id, at, {', '.join(_COUNTS)} FROM _ondol.batch"
            ' WHERE tenant = %s AND "table" = %s ORDER BY id DESC LIMIT 1',
            (self._tenant, table),
        )
        if not (row := cursor.fetchone()):
            return None
        batch_id, at, *counts = row
        return Batch(batch_id, at, SyncResult(table, **dict(zip(_COUNTS, counts, strict=True)), skipped=False))

    def tables(self) -> list[str]:
        """The names of the tenant's tables, sorted; none if there is no schema yet."""
        with transaction(self._uri, self._where()) as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'p')",
                (quote(self._tenant),),
            )
            return sorted(name for (name,) in cursor.fetchall())

    def count(self, table: str) -> int:
        """How many rows a table has. FatalError if there is no such table."""
        with transaction(self._uri, self._where(table)) as cursor:
            cursor.execute(f"SELECT count(*) FROM {quote(self._tenant, table)}")
            return int(cursor.fetchone()[0])

    def row(self, table: str, key: Mapping[str, object]) -> dict[str, Any] | None:
        """The row whose columns have these values; None if none has. FatalError if there is no such table."""
        with transaction(self._uri, self._where(table)) as cursor:
            matches = [f"{quote(name)} = {cursor.mogrify('%s', (value,)).decode()}" for name, value in key.items()]
            cursor.execute(f"SELECT * FROM {quote(self._tenant, table)} WHERE {' AND '.join(matches)} LIMIT 1")
            found = cursor.fetchone()
            return dict(zip((column.name for column in cursor.description), found, strict=True)) if found else None

    def last_batch(self, table: str) -> Batch | None:
        """The last batch synced to a table; None if there was none."""
        with transaction(self._uri, self._where(table)) as cursor:
            return self._last(cursor, table)

    def _where(self, table: str = "") -> str:
        return f"{self._tenant}.{table}" if table else self._tenant


def _skipped(last: SyncResult) -> SyncResult:
    return SyncResult(last.table, 0, 0, 0, last.rows, last.rows, True, last.checksum)
