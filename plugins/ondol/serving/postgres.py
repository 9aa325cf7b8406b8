"""Marts in the tenant's PostgreSQL schema: one transaction a table, in which only rows that differ are written.

    advisory lock → skip the batch that was the last, if the table is as it left it → `Transfer`: the difference into
    the table → comments, indexes, grants → batch row → COMMIT

Whoever reads sees the table before the commit or after it. Row locks are all that a sync holds, so no reader waits;
a new column, a wider type or an index less alone make readers wait, from that statement to the commit.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ondol import faults
from ondol.config.fields import duration
from ondol.errors import Rejected
from ondol.mart import Mart
from ondol.serving import connection
from ondol.serving.base import Batch, SyncResult
from ondol.serving.books import READY, SCHEMA, Books
from ondol.serving.connection import transaction
from ondol.serving.dress import check_roles, set_comments, set_grants, set_indexes
from ondol.serving.names import quote
from ondol.serving.shape import fits, read_shape
from ondol.serving.transfer import Transfer

if TYPE_CHECKING:
    from ondol.config.tenant import SyncTable

log = logging.getLogger(__name__)
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
        self, spec: SyncTable, mart: Mart, *, dry_run: bool = False, full: bool = False, accept: bool = False
    ) -> SyncResult:
        """Make the table equal to the mart: see `Serving.sync`."""
        where, table = self._where(spec.table), quote(self._tenant, spec.table)
        _check_columns(where, spec, mart)
        with transaction(self._uri, where, commit=not dry_run) as cursor:
            self._make_schemas(cursor, dry_run=dry_run)
            self._lock(cursor, spec.table)
            check_roles(cursor, where, spec.grants)
            books, shape = Books(cursor, self._tenant, spec.table), read_shape(cursor, table)
            last = books.last()
            drift = books.drift(last, shape.relation) if shape and last else ""
            doubt = bool(full or drift or books.is_due(duration(spec.full_every)))
            known = last and not doubt and (last.batch_id, last.grants) == (mart.batch_id, spec.grants)
            if shape and last and known and fits(shape, mart.schema, spec.key):
                self._dress(cursor, spec, mart, shape.relation, last)
                return _skipped(last.result)
            transfer = Transfer(cursor, spec, self._tenant, mart, last, dry_run=dry_run, accept=accept)
            result = transfer.run(shape, doubt)
            result = replace(result, drift="; ".join(filter(None, (drift, result.drift))))
            if not dry_run:
                self._finish(cursor, books, spec, mart, result, transfer.totals, last)
        faults.point("sync.committed")
        if result.drift:
            log.warning("put right what something else had written tenant=%s table=%s: %s",
                        self._tenant, spec.table, result.drift)  # fmt: skip
        return result

    def _finish(
        self, cursor: Any, books: Books, spec: SyncTable, mart: Mart, result: SyncResult, totals: Mapping[str, int],
        last: Batch | None,
    ) -> None:  # fmt: skip
        table = quote(self._tenant, spec.table)
        shape = read_shape(cursor, table)
        assert shape
        self._dress(cursor, spec, mart, shape.relation, last)
        books.watch(table, shape.relation)
        faults.point("sync.verified")
        books.add(mart.batch_id, shape.relation, result, totals, spec.grants)
        faults.point("sync.before_commit")

    def _dress(self, cursor: Any, spec: SyncTable, mart: Mart, relation: int, last: Batch | None) -> None:
        set_comments(cursor, quote(self._tenant, spec.table), relation, mart.comments)
        set_indexes(cursor, self._tenant, spec.table, relation, spec.indexes)
        set_grants(cursor, self._tenant, spec.table, relation, spec.grants, last.grants if last else ())

    def _make_schemas(self, cursor: Any, *, dry_run: bool) -> None:
        """Once a tenant, in a transaction of its own: other tenants' first syncs need not wait for this one's rows."""
        schema = quote(self._tenant)
        cursor.execute(f"SELECT to_regnamespace(%s) IS NOT NULL AND {READY}", (schema,))
        if cursor.fetchone() == (True,):
            return
        with contextlib.nullcontext(cursor) if dry_run else transaction(self._uri, self._tenant) as own:
            own.execute(_LOCK, ("_ondol",))
            own.execute(f"{SCHEMA}; CREATE SCHEMA IF NOT EXISTS {schema}; REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")
        faults.point("sync.schemas")

    def _lock(self, cursor: Any, table: str) -> None:
        """One sync of a table at a time; the other waits for as long as a sync may take."""
        cursor.execute("SET LOCAL lock_timeout = '1h'")
        cursor.execute(_LOCK, (f"{self._tenant}.{table}",))
        cursor.execute(f"SET LOCAL lock_timeout = '{connection.LOCK_WAIT * 1000:.0f}ms'")
        faults.point("sync.locked")

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
            return Books(cursor, self._tenant, table).last()

    def _where(self, table: str = "") -> str:
        return f"{self._tenant}.{table}" if table else self._tenant


def _check_columns(where: str, spec: SyncTable, mart: Mart) -> None:
    for what, columns in (("key", spec.key), *(("indexes", index) for index in spec.indexes)):
        if absent := [column for column in columns if column not in mart.schema.names]:
            raise Rejected(
                f"{where}: the {what} columns {absent} are not in the mart, which has {mart.schema.names}.",
                f"Correct '{what}' of the sync in the tenant's YAML, or add them to the mart.",
            )


def _skipped(last: SyncResult) -> SyncResult:
    return replace(last, inserted=0, updated=0, deleted=0, unchanged=last.rows, skipped=True, full=False)
