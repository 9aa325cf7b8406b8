"""The rows of a mart on their way into one table, inside the transaction that `PostgresServing.sync` opens."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ondol import faults
from ondol.errors import Rejected, RetriableError
from ondol.serving.base import SyncResult
from ondol.serving.copy import Encoder, Stream
from ondol.serving.names import quote
from ondol.serving.shape import Change, Shape, alter_sql, change, columns_sql, new_table, read_shape

if TYPE_CHECKING:
    import pyarrow as pa

    from ondol.config.tenant import SyncTable


class Transfer:
    """The inside of one sync's transaction.

    Args:
        cursor: of the transaction, which the caller commits or rolls back.
        table: the table's quoted name, with its schema.
        dry_run: compare, but leave a filled table as it is.
    """

    def __init__(self, cursor: Any, spec: SyncTable, table: str, schema: pa.Schema, dry_run: bool) -> None:
        self._cursor = cursor
        self._spec = spec
        self._table = table
        self._schema = schema
        self._dry_run = dry_run
        self._key = ", ".join(map(quote, spec.key))
        self._match = " AND ".join(f"t.{column} = s.{column}" for column in map(quote, spec.key))
        self._kind = quote(next(name for name in map(str, itertools.count()) if name not in schema.names))

    def run(self, shape: Shape | None, batches: Iterable[pa.RecordBatch]) -> SyncResult:
        """Make the table equal to the batches.

        Args:
            shape: the table as it is; None: it is yet to be made.

        Raises:
            Rejected: the shape, a value, a key or a guard.
            RetriableError: the control totals differ in the end.
        """
        if shape is None:
            return self._into_new(new_table(self._schema), batches)
        plan = change(shape, self._schema, self._spec.key)
        self._cursor.execute(f"SELECT EXISTS (SELECT FROM {self._table})")
        if self._cursor.fetchone() == (False,):
            self._alter(plan)
            return self._into_empty(self._copy(self._table, batches))
        return self._into_filled(shape, plan, batches)

    def _into_new(self, plan: Change, batches: Iterable[pa.RecordBatch]) -> SyncResult:
        self._cursor.execute(f"CREATE TABLE {self._table} ({columns_sql(plan.types, self._spec.key)})")
        encoder = self._copy(self._table, batches, "FREEZE, ")
        self._cursor.execute(f"ALTER TABLE {self._table} ADD PRIMARY KEY ({self._key})")
        return self._into_empty(encoder)

    def _into_empty(self, encoder: Encoder) -> SyncResult:
        faults.point("sync.copied")
        return self._verified(encoder, inserted=encoder.totals.rows)

    def _into_filled(self, shape: Shape, plan: Change, batches: Iterable[pa.RecordBatch]) -> SyncResult:
        encoder = self._stage(plan, batches)
        counts = self._difference(shape, plan)
        self._guard(encoder.totals.rows, counts)
        if not self._dry_run:
            self._alter(plan)
            if any(counts.values()):
                self._merge(plan)
            faults.point("sync.merged")
        return self._verified(encoder, **counts)

    def _stage(self, plan: Change, batches: Iterable[pa.RecordBatch]) -> Encoder:
        """All rows of the mart in pg_temp.mart, which has the types and the key of the table."""
        self._cursor.execute(f"CREATE TEMP TABLE mart ({columns_sql(plan.types, self._spec.key)}) ON COMMIT DROP")
        encoder = self._copy("pg_temp.mart", batches)
        self._cursor.execute(f"ALTER TABLE pg_temp.mart ADD PRIMARY KEY ({self._key}); ANALYZE pg_temp.mart")
        faults.point("sync.copied")
        return encoder

    def _copy(self, table: str, batches: Iterable[pa.RecordBatch], options: str = "") -> Encoder:
        """COPY all batches into a table, encoding in a thread beside the sending one."""
        import psycopg2

        shape = read_shape(self._cursor, table)
        encoder = Encoder(self._schema, shape.types if shape else {}, self._spec.key)
        columns = ", ".join(map(quote, self._schema.names))
        with ThreadPoolExecutor(1, thread_name_prefix="encode") as pool:
            stream = Stream(encoder.chunks(batches), pool)
            try:
                self._cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN ({options}FORMAT binary)", stream)
            except psycopg2.Error:
                if stream.error:
                    raise stream.error from None
                raise
        return encoder

    def _difference(self, shape: Shape, plan: Change) -> dict[str, int]:
        """The rows to write, in pg_temp.difference with what to do (`_kind`); how many there are of each kind."""
        now = {column: _now(column, shape, plan) for column in plan.types if column not in self._spec.key}
        changed = [f"s.{quote(column)} IS DISTINCT FROM {value}" for column, value in now.items()]
        one = quote(self._spec.key[0])
        values = [f"coalesce(s.{quote(column)}, t.{quote(column)}) AS {quote(column)}" for column in self._spec.key]
        values += [f"s.{quote(column)}" for column in now]
        self._cursor.execute("SET LOCAL work_mem = '64MB'")
        self._cursor.execute(
            f"CREATE TEMP TABLE difference ON COMMIT DROP AS SELECT {', '.join(values)},"
            f" CASE WHEN s.{one} IS NULL THEN 'deleted' WHEN t.{one} IS NULL THEN 'inserted' ELSE 'updated' END"
            f" AS {self._kind} FROM pg_temp.mart AS s FULL JOIN {self._table} AS t ON {self._match}"
            f" WHERE {' OR '.join([f's.{one} IS NULL', f't.{one} IS NULL', *changed])}"
        )
        self._cursor.execute(
            f"ANALYZE pg_temp.difference; SELECT {self._kind}, count(*) FROM pg_temp.difference GROUP BY 1"
        )
        return {"inserted": 0, "updated": 0, "deleted": 0} | dict(self._cursor.fetchall())

    def _guard(self, rows: int, counts: Mapping[str, int]) -> None:
        before, deleted = rows - counts["inserted"] + counts["deleted"], counts["deleted"]
        if deleted > self._spec.max_delete_share * before:
            raise Rejected(
                f"{self._table}: the sync would delete {deleted} of {before} rows"
                + (" because the mart is empty." if not rows else f", more than {self._spec.max_delete_share:.0%}."),
                "Find out why the mart lost them; if that is right, raise max_delete_share in the YAML (1 allows all).",
                {"deleted": deleted, "before": before, "max_delete_share": self._spec.max_delete_share},
            )

    def _alter(self, plan: Change) -> None:
        if statement := alter_sql(self._table, plan):
            self._cursor.execute(statement)
            faults.point("sync.altered")

    def _merge(self, plan: Change) -> None:
        values = [quote(column) for column in plan.types if column not in self._spec.key]
        update = f" WHEN MATCHED THEN UPDATE SET {', '.join(f'{v} = s.{v}' for v in values)}" if values else ""
        columns = [quote(column) for column in plan.types]
        self._cursor.execute(
            f"MERGE INTO {self._table} AS t USING pg_temp.difference AS s ON {self._match}"
            f" WHEN MATCHED AND s.{self._kind} = 'deleted' THEN DELETE{update}"
            f" WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) VALUES ({', '.join(f's.{c}' for c in columns)})"
        )

    def _verified(self, encoder: Encoder, inserted: int = 0, updated: int = 0, deleted: int = 0) -> SyncResult:
        """The result, once PostgreSQL counts the same control totals as the encoder did."""
        totals = encoder.totals
        if not self._dry_run:
            self._cursor.execute(totals.sql(self._table))
            if differ := totals.differences(self._cursor.fetchone()):
                raise RetriableError(
                    f"{self._table}: PostgreSQL counts other totals than the mart: {'; '.join(differ)}. Nothing was "
                    "changed. Something else writes to this table, or a trigger alters its rows: stop that"
                )
        unchanged = totals.rows - inserted - updated
        return SyncResult(
            self._spec.table, inserted, updated, deleted, unchanged, totals.rows, False, totals.checksum()
        )


def _now(column: str, shape: Shape, plan: Change) -> str:
    """The present value of a column, in the type that it is to have."""
    pg = plan.types[column]
    if column in plan.added:
        return f"NULL::{pg}"
    return f"t.{quote(column)}::{pg}" if column in plan.widened else f"t.{quote(column)}"
