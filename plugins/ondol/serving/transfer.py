"""The rows of a mart on their way into one table, inside the transaction that `PostgresServing.sync` opens.

    a new or empty table     COPY straight into it
    the warehouse's changes  COPY of the changed rows and the keys that are gone, compared with the rows of these keys
    the whole mart           COPY of all rows, compared with all rows of the table

What differs then goes into the table by one MERGE, after the guards and before the control totals are compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ondol import faults
from ondol.errors import RetriableError
from ondol.serving import checksum
from ondol.serving.base import Batch, Sample, SyncResult
from ondol.serving.copy import Encoder, Stream
from ondol.serving.guards import check_deletes, check_row_drift
from ondol.serving.names import quote
from ondol.serving.rejects import Rejects, clear
from ondol.serving.samples import of_difference, of_new
from ondol.serving.shape import Change, Shape, alter_sql, change, columns_sql, new_table, read_shape

if TYPE_CHECKING:
    import pyarrow as pa

    from ondol.config.tenant import SyncTable
    from ondol.mart import Changes, Mart

_FEW = 0.05
"""Up to this share of the rows, it is faster to look each up by its key than to read all."""
_BY_INDEX = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off"

_BY_PLAN = "SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on; SET LOCAL enable_seqscan = on"


class Transfer:
    """The inside of one sync's transaction.

    Args:
        cursor: of the transaction, which the caller commits or rolls back.
        tenant: names the schema.
        last: the batch that the table is said to hold.
        dry_run: compare, but leave a filled table as it is.
        accept: the guards on deleted rows and on the number of rows let all pass.
    """

    def __init__(
        self, cursor: Any, spec: SyncTable, tenant: str, mart: Mart, last: Batch | None, *, dry_run: bool, accept: bool
    ) -> None:
        self._cursor = cursor
        self._spec = spec
        self._tenant = tenant
        self._where = f"{tenant}.{spec.table}"
        self._table = quote(tenant, spec.table)
        self._mart = mart
        self._last = last
        self._dry_run = dry_run
        self._accept = accept
        self._rejects: Rejects | None = None
        self._key = ", ".join(map(quote, spec.key))
        self._match = " AND ".join(f"t.{column} = s.{column}" for column in map(quote, spec.key))
        self._kind = quote(next(name for name in map(str, itertools.count()) if name not in mart.schema.names))
        self.totals: dict[str, int] = {}
        """The table's control totals after `run`."""

    def run(self, shape: Shape | None, doubt: bool) -> SyncResult:
        """Make the table equal to the mart.

        Args:
            shape: the table as it is; None: it is yet to be made.
            doubt: the table may not be as the last batch left it, or is to be looked at as a whole.

        Raises:
            Rejected: the shape, a value, a key or a guard.
            RetriableError: the control totals differ in the end.
        """
        self._take_rejects()
        if shape is None:
            return self._into_new(new_table(self._mart.schema))
        plan = change(shape, self._mart.schema, self._spec.key)
        self._cursor.execute(f"SELECT EXISTS (SELECT FROM {self._table})")
        if self._cursor.fetchone() == (False,) and not self._rejects:
            self._alter(plan)
            return self._into_empty(self._copy(self._table, self._mart.rows()))
        changes = self._mart.changes
        if changes and not doubt and self._speaks_of_the_table(changes, plan):
            result = self._by_changes(shape, plan, changes)
            if result:
                return result
            self._cursor.execute("DROP TABLE pg_temp.mart, pg_temp.gone, pg_temp.before")
            self._take_rejects()
        return self._by_comparison(shape, plan)

    def _take_rejects(self) -> None:
        """Begin with no rejected rows: the next rows that are read are all there are of them."""
        clear(self._cursor, self._tenant, self._spec.table)
        if self._spec.on_reject == "keep":
            self._rejects = Rejects(self._tenant, self._spec.table, self._mart.batch_id, self._spec.key)

    def _speaks_of_the_table(self, changes: Changes, plan: Change) -> bool:
        """Whether the changes are those since the batch that the table holds, all of it, in the same columns."""
        last = self._last
        return (
            last is not None
            and changes.since == last.batch_id
            and not (plan.added or plan.widened or last.result.rejected)
            and last.result.rows + changes.inserted - changes.deleted == changes.rows
        )

    def _into_new(self, plan: Change) -> SyncResult:
        self._cursor.execute(f"CREATE TABLE {self._table} ({columns_sql(plan.types, self._spec.key)})")
        encoder = self._copy(self._table, self._mart.rows(), "FREEZE, ")
        self._add_key(self._table, encoder)
        return self._into_empty(encoder)

    def _into_empty(self, encoder: Encoder) -> SyncResult:
        faults.point("sync.copied")
        rows = encoder.totals.rows
        self._guard(rows, {"inserted": rows, "deleted": 0})
        samples = of_new(self._cursor, self._table, self._key) if self._dry_run else ()
        self.totals = encoder.totals.values()
        self._compare(self.totals, self._count(encoder, self._table))
        return self._result({"inserted": rows}, samples=samples)

    def _by_comparison(self, shape: Shape, plan: Change) -> SyncResult:
        encoder = self._stage(plan, self._mart.rows())
        self._add_key("pg_temp.mart", encoder)
        self._cursor.execute("ANALYZE pg_temp.mart")
        faults.point("sync.copied")
        drift = self._drift(encoder, plan)
        counts = self._difference(self._table, shape, plan)
        self._guard(encoder.totals.rows, counts)
        samples = self._samples()
        self.totals = encoder.totals.values()
        if not self._dry_run:
            self._alter(plan)
            self._merge(plan, counts)
            self._compare(self.totals, self._count(encoder, self._table))
        return self._result(counts, drift=drift, samples=samples)

    def _by_changes(self, shape: Shape, plan: Change, changes: Changes) -> SyncResult | None:
        """None if the rows of the changed keys are not those that the last batch must have left."""
        assert self._last
        if changes.inserted + changes.updated + changes.deleted < _FEW * changes.rows:
            self._cursor.execute(_BY_INDEX)
        encoder = self._stage(plan, changes.upserts())
        self._add_key("pg_temp.mart", encoder)
        keys = {column: shape.types[column] for column in self._spec.key}
        self._cursor.execute(f"CREATE TEMP TABLE gone ({columns_sql(keys, self._spec.key)}) ON COMMIT DROP")
        if changes.deleted:
            self._copy_gone(changes)
        faults.point("sync.copied")
        touched = f"(SELECT {self._key} FROM pg_temp.mart UNION ALL SELECT {self._key} FROM pg_temp.gone)"
        self._cursor.execute(
            f"CREATE TEMP TABLE before ON COMMIT DROP AS SELECT t.* FROM {touched} AS s"
            f" JOIN {self._table} AS t ON {self._match}"
        )
        went = self._count(encoder, "pg_temp.before")
        if went["rows"] != changes.updated + changes.deleted or set(went) != set(self._last.totals):
            self._cursor.execute(_BY_PLAN)
            return None
        came = encoder.totals.values()
        self._compare(came, self._count(encoder, "pg_temp.mart"))
        counts = self._difference("pg_temp.before", shape, plan)
        self._guard(self._last.result.rows - went["rows"] + came["rows"], counts)
        samples = self._samples()
        if not self._dry_run:
            self._write_few(plan, encoder, counts)
        self.totals = checksum.changed(self._last.totals, went, came)
        return self._result(counts, full=False, samples=samples)

    def _copy_gone(self, changes: Changes) -> None:
        import pyarrow as pa

        schema = pa.schema([self._mart.schema.field(column) for column in self._spec.key])
        self._copy("pg_temp.gone", changes.gone(), schema=schema)

    def _stage(self, plan: Change, batches: Iterable[pa.RecordBatch]) -> Encoder:
        """Rows of the mart in pg_temp.mart, which has the types of the table."""
        self._cursor.execute(f"CREATE TEMP TABLE mart ({columns_sql(plan.types, self._spec.key)}) ON COMMIT DROP")
        return self._copy("pg_temp.mart", batches)

    def _copy(
        self, table: str, batches: Iterable[pa.RecordBatch], options: str = "", schema: pa.Schema | None = None
    ) -> Encoder:
        """COPY all batches into a table, encoding in a thread beside the sending one."""
        import psycopg2

        shape = read_shape(self._cursor, table)
        schema = schema or self._mart.schema
        encoder = Encoder(schema, shape.types if shape else {}, self._spec.key, self._rejects)
        columns = ", ".join(map(quote, schema.names))
        with ThreadPoolExecutor(1, thread_name_prefix="encode") as pool:
            stream = Stream(encoder.chunks(batches), pool)
            try:
                self._cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN ({options}FORMAT binary)", stream)
            except psycopg2.Error:
                if stream.error:
                    raise stream.error from None
                raise
        return encoder

    def _add_key(self, table: str, encoder: Encoder) -> None:
        """The primary key; where rejected rows are kept, rows whose key is there twice leave first."""
        import psycopg2

        statement = f"ALTER TABLE {table} ADD PRIMARY KEY ({self._key})"
        if not self._rejects:
            self._cursor.execute(statement)
            return
        self._cursor.execute("SAVEPOINT key")
        try:
            self._cursor.execute(statement)
        except psycopg2.errors.UniqueViolation:
            self._cursor.execute("ROLLBACK TO SAVEPOINT key")
            self._rejects.take_doubles(self._cursor, table, encoder.totals)
            self._cursor.execute(statement)

    def _difference(self, there: str, shape: Shape, plan: Change) -> dict[str, int]:
        """The rows to write, in pg_temp.difference with what to do (`_kind`); how many there are of each kind.

        Args:
            there: where the table's present rows are read from.
        """
        now = {column: _now(column, shape, plan) for column in plan.types if column not in self._spec.key}
        changed = [f"s.{quote(column)} IS DISTINCT FROM {value}" for column, value in now.items()]
        one = quote(self._spec.key[0])
        values = [f"coalesce(s.{quote(column)}, t.{quote(column)}) AS {quote(column)}" for column in self._spec.key]
        values += [f"s.{quote(column)}" for column in now]
        self._cursor.execute("SET LOCAL work_mem = '64MB'")
        self._cursor.execute(
            f"CREATE TEMP TABLE difference ON COMMIT DROP AS SELECT {', '.join(values)},"
            f" CASE WHEN s.{one} IS NULL THEN 'deleted' WHEN t.{one} IS NULL THEN 'inserted' ELSE 'updated' END"
            f" AS {self._kind} FROM pg_temp.mart AS s FULL JOIN {there} AS t ON {self._match}"
            f" WHERE {' OR '.join([f's.{one} IS NULL', f't.{one} IS NULL', *changed])}"
        )
        self._cursor.execute(f"SELECT {self._kind}, count(*) FROM pg_temp.difference GROUP BY 1")
        return {"inserted": 0, "updated": 0, "deleted": 0} | dict(self._cursor.fetchall())

    def _guard(self, rows: int, counts: Mapping[str, int]) -> None:
        if self._rejects:
            self._rejects.check(rows, self._spec.max_reject_share)
        if not self._accept:
            check_deletes(self._where, self._spec, rows, counts)
            check_row_drift(self._where, self._spec, rows, self._last.result.rows if self._last else None)

    def _alter(self, plan: Change) -> None:
        if statement := alter_sql(self._table, plan):
            self._cursor.execute(statement)
            faults.point("sync.altered")

    def _merge(self, plan: Change, counts: Mapping[str, int]) -> None:
        """The difference into the table, however much it is."""
        if any(counts.values()):
            values = [quote(column) for column in plan.types if column not in self._spec.key]
            update = f" WHEN MATCHED THEN UPDATE SET {', '.join(f'{v} = s.{v}' for v in values)}" if values else ""
            columns = [quote(column) for column in plan.types]
            self._cursor.execute(
                f"ANALYZE pg_temp.difference;"
                f" MERGE INTO {self._table} AS t USING pg_temp.difference AS s ON {self._match}"
                f" WHEN MATCHED AND s.{self._kind} = 'deleted' THEN DELETE{update}"
                f" WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) VALUES ({', '.join(f's.{c}' for c in columns)})"
            )
        faults.point("sync.merged")

    def _write_few(self, plan: Change, encoder: Encoder, counts: Mapping[str, int]) -> None:
        """The difference into the table; what PostgreSQL says it wrote is compared at once, for it is not much."""
        columns = ", ".join(map(quote, plan.types))
        values = [quote(column) for column in plan.types if column not in self._spec.key]
        rows = f"FROM pg_temp.difference AS s WHERE s.{self._kind} ="
        written = [
            f"added AS (INSERT INTO {self._table} AS t ({columns}) SELECT {columns} {rows} 'inserted' RETURNING t.*)"
        ]
        if values:
            change = ", ".join(f"{value} = s.{value}" for value in values)
            written.append(
                f"changed AS (UPDATE {self._table} AS t SET {change} {rows} 'updated' AND {self._match} RETURNING t.*)"
            )
        names = " UNION ALL ".join(f"SELECT {columns} FROM {part.partition(' ')[0]}" for part in written)
        found = self._count(encoder, f"({names}) AS written", f"WITH {', '.join(written)} ")
        self._compare(self._count(encoder, f"(SELECT {columns} {rows} ANY('{{inserted,updated}}')) AS written"), found)
        self._cursor.execute(
            f"DELETE FROM {self._table} AS t USING pg_temp.difference AS s"
            f" WHERE s.{self._kind} = 'deleted' AND {self._match}"
        )
        self._compare({"rows deleted": counts["deleted"]}, {"rows deleted": self._cursor.rowcount})
        faults.point("sync.merged")

    def _samples(self) -> tuple[Sample, ...]:
        """Some of the rows that a dry run would write."""
        if not self._dry_run:
            return ()
        return of_difference(self._cursor, self._table, self._key, self._match, self._kind)

    def _drift(self, encoder: Encoder, plan: Change) -> str:
        """How the table differs from what the last batch left, by the control totals kept with it."""
        then = self._last.totals if self._last else {}
        if plan.added or plan.widened or set(then) != set(encoder.totals.values()):
            return ""
        return "; ".join(checksum.differences(then, self._count(encoder, self._table)))

    def _count(self, encoder: Encoder, table: str, before: str = "") -> dict[str, int]:
        """The control totals of a table, by a query that begins with `before`."""
        self._cursor.execute(before + encoder.totals.sql(table))
        return encoder.totals.named(self._cursor.fetchone())

    def _compare(self, expected: Mapping[str, int], found: Mapping[str, int]) -> None:
        if differ := checksum.differences(expected, found):
            raise RetriableError(
                f"{self._table}: PostgreSQL counts other totals than the mart: {'; '.join(differ)}. Nothing was "
                "changed. Something else writes to this table, or a trigger alters its rows: stop that"
            )

    def _result(
        self, counts: Mapping[str, int], *, full: bool = True, drift: str = "", samples: tuple[Sample, ...] = ()
    ) -> SyncResult:
        inserted, updated, deleted = (counts.get(kind, 0) for kind in ("inserted", "updated", "deleted"))
        rows = self.totals["rows"]
        rejected = 0
        if self._rejects:
            self._rejects.store(self._cursor)
            rejected = self._rejects.rows
        return SyncResult(
            self._spec.table, inserted, updated, deleted, rows - inserted - updated, rows, False,
            checksum.checksum(self.totals), rejected, full, drift, samples,
        )  # fmt: skip


def _now(column: str, shape: Shape, plan: Change) -> str:
    """The present value of a column, in the type that it is to have."""
    pg = plan.types[column]
    if column in plan.added:
        return f"NULL::{pg}"
    return f"t.{quote(column)}::{pg}" if column in plan.widened else f"t.{quote(column)}"
