"""A mart into its table, inside the transaction that `PostgresServing.sync` opens, in one of three ways.

    a new or empty table     COPY straight into it
    few changes              what the warehouse says has changed, see changed.py
    the whole mart           COPY of all rows, compared with all rows of the table; one MERGE of what differs

Guards come before the first row of a filled table is written, control totals are compared after the last.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ondol import faults
from ondol.serving import changed, checksum
from ondol.serving.base import Batch, Sample, SyncResult
from ondol.serving.connection import alone
from ondol.serving.copy import Encoder
from ondol.serving.guards import check_deletes, check_row_drift
from ondol.serving.names import quote
from ondol.serving.samples import of_difference, of_new
from ondol.serving.shape import Change, Shape, alter_sql, change, columns_sql, new_table
from ondol.serving.staging import Staging

if TYPE_CHECKING:
    from ondol.config.tenant import SyncTable
    from ondol.mart import Changes, Mart


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
        self._staging = Staging(cursor, spec, tenant, mart)
        self._cursor = cursor
        self._spec = spec
        self._where = f"{tenant}.{spec.table}"
        self._table = self._staging.table
        self._mart = mart
        self._last = last
        self._dry_run = dry_run
        self._accept = accept
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
        try:
            return self._run(shape, doubt)
        finally:
            self._staging.close()

    def _run(self, shape: Shape | None, doubt: bool) -> SyncResult:
        self._staging.begin()
        if shape is None:
            return self._into_new(new_table(self._mart.schema))
        plan = change(shape, self._mart.schema, self._spec.key)
        self._cursor.execute(f"SELECT EXISTS (SELECT FROM {self._table})")
        if self._cursor.fetchone() == (False,) and not (self._staging.rejects or self._dry_run):
            self._alter(plan)
            return self._into_empty(self._staging.copy(self._table, self._mart.rows()))
        changes = self._mart.changes
        if changes and self._last and not doubt and self._speaks_of_the_table(changes, plan):
            if result := self._by_changes(shape, plan, changes, self._last):
                return result
            self._staging.begin()
        return self._by_comparison(shape, plan)

    def _speaks_of_the_table(self, changes: Changes, plan: Change) -> bool:
        """Whether the changes are those since the batch that the table holds, all of it, in the same columns."""
        last = self._last
        return (
            last is not None
            and not self._dry_run  # which is to tell more than what is said to have changed
            and changes.since == last.batch_id
            and not (plan.added or plan.widened or last.result.rejected)
            and last.result.rows + changes.inserted - changes.deleted == changes.rows
        )

    def _into_new(self, plan: Change) -> SyncResult:
        self._cursor.execute(f"CREATE TABLE {self._table} ({columns_sql(plan.types, self._spec.key)})")
        encoder = self._staging.copy(self._table, self._mart.rows(), "FREEZE, ")
        self._staging.add_key(self._table, encoder)
        return self._into_empty(encoder)

    def _into_empty(self, encoder: Encoder) -> SyncResult:
        faults.point("sync.copied")
        rows = encoder.totals.rows
        self._guard(rows, {"inserted": rows, "deleted": 0})
        samples = of_new(self._cursor, self._table, self._staging.key) if self._dry_run else ()
        self.totals = encoder.totals.values()
        self._staging.compare(self.totals, self._staging.count(encoder, self._table))
        return self._result({"inserted": rows}, samples=samples)

    def _by_changes(self, shape: Shape, plan: Change, changes: Changes, last: Batch) -> SyncResult | None:
        """None if the table is not as the last batch must have left it."""
        counts = {"inserted": changes.inserted, "updated": changes.updated, "deleted": changes.deleted}
        written = changed.write(
            self._staging, changes, plan, shape, last.totals, lambda: self._guard(changes.rows, counts)
        )
        if written is None:
            return None
        self.totals = written
        return replace(self._result(counts), full=False)

    def _by_comparison(self, shape: Shape, plan: Change) -> SyncResult:
        encoder = self._staging.stage(plan, self._mart.rows())
        self._cursor.execute("ANALYZE pg_temp.mart")
        faults.point("sync.copied")
        drift = self._drift(encoder, plan)
        counts = self._difference(shape, plan)
        self._guard(encoder.totals.rows, counts)
        self.totals = encoder.totals.values()
        if self._dry_run:
            samples = of_difference(self._cursor, self._table, self._staging.key, self._staging.match(), self._kind)
            return self._result(counts, drift=drift, samples=samples)
        self._alter(plan)
        self._merge(plan, counts)
        self._staging.compare(self.totals, self._staging.count(encoder, self._table))
        return self._result(counts, drift=drift)

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
            f" AS {self._kind} FROM pg_temp.mart AS s FULL JOIN {self._table} AS t ON {self._staging.match()}"
            f" WHERE {' OR '.join([f's.{one} IS NULL', f't.{one} IS NULL', *changed])}"
        )
        self._cursor.execute(f"SELECT {self._kind}, count(*) FROM pg_temp.difference GROUP BY 1")
        return {"inserted": 0, "updated": 0, "deleted": 0} | dict(self._cursor.fetchall())

    def _guard(self, rows: int, counts: Mapping[str, int]) -> None:
        if self._staging.rejects:
            self._staging.rejects.check(rows, self._spec.max_reject_share)
        if not self._accept:
            check_deletes(self._where, self._spec, rows, counts)
            check_row_drift(self._where, self._spec, rows, self._last.result.rows if self._last else None)

    def _alter(self, plan: Change) -> None:
        if statement := alter_sql(self._table, plan):
            alone(self._cursor, statement)
            faults.point("sync.altered")

    def _merge(self, plan: Change, counts: Mapping[str, int]) -> None:
        """The difference into the table, however much it is."""
        if any(counts.values()):
            values = [quote(column) for column in plan.types if column not in self._spec.key]
            update = f" WHEN MATCHED THEN UPDATE SET {', '.join(f'{v} = s.{v}' for v in values)}" if values else ""
            columns = [quote(column) for column in plan.types]
            self._cursor.execute(
                f"ANALYZE pg_temp.difference;"
                f" MERGE INTO {self._table} AS t USING pg_temp.difference AS s ON {self._staging.match()}"
                f" WHEN MATCHED AND s.{self._kind} = 'deleted' THEN DELETE{update}"
                f" WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) VALUES ({', '.join(f's.{c}' for c in columns)})"
            )
        faults.point("sync.merged")

    def _drift(self, encoder: Encoder, plan: Change) -> str:
        """How the table differs from what the last batch left, by the control totals kept with it."""
        then = self._last.totals if self._last else {}
        if plan.added or plan.widened or set(then) != set(encoder.totals.values()):
            return ""
        return "; ".join(checksum.differences(then, self._staging.count(encoder, self._table)))

    def _result(self, counts: Mapping[str, int], *, drift: str = "", samples: tuple[Sample, ...] = ()) -> SyncResult:
        inserted, updated, deleted = (counts.get(kind, 0) for kind in ("inserted", "updated", "deleted"))
        rows, rejects = self.totals["rows"], self._staging.rejects
        if rejects:
            rejects.store(self._cursor)
        return SyncResult(
            self._spec.table, inserted, updated, deleted, rows - inserted - updated, rows, False,
            checksum.checksum(self.totals), rejects.rows if rejects else 0, True, drift, samples,
        )  # fmt: skip


def _now(column: str, shape: Shape, plan: Change) -> str:
    """The present value of a column, in the type that it is to have."""
    pg = plan.types[column]
    if column in plan.added:
        return f"NULL::{pg}"
    return f"t.{quote(column)}::{pg}" if column in plan.widened else f"t.{quote(column)}"
