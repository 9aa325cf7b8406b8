"""The rows that the warehouse says have changed, into the table: each of their keys is looked up once.

    COPY of the changed rows and of the keys that are gone → UPDATE, DELETE, INSERT, each saying what was there before
    and what is there now → the control totals of both

Nothing is read of the rows that did not change, so the cost is that of the change. That the rest of the table is as the
last batch left it is known (see books.py); what is found of the changed keys must agree, else nothing is written here.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ondol import faults
from ondol.serving import checksum
from ondol.serving.copy import Encoder
from ondol.serving.names import quote
from ondol.serving.shape import Change, Shape, columns_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ondol.mart import Changes
    from ondol.serving.staging import Staging

_FEW = 0.05
"""Up to this share of the rows, it is faster to look each up by its key than to read all."""
_BY_KEY = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off"
_BY_PLAN = "SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on; SET LOCAL enable_seqscan = on"


def write(
    staging: Staging, changes: Changes, plan: Change, shape: Shape, then: Mapping[str, int], guard: Callable[[], None]
) -> dict[str, int] | None:
    """Write what changed.

    Args:
        then: the table's control totals as the last batch left it.
        guard: called when the rows are known to fit, before any is written.

    Returns:
        the table's control totals now; None, and nothing is written, if the table is not as the changes suppose.

    Raises:
        Rejected: a row or a guard.
        RetriableError: PostgreSQL says that it wrote something else.
    """
    cursor = staging.cursor
    cursor.execute("SAVEPOINT changes")
    if changes.inserted + changes.updated + changes.deleted < _FEW * changes.rows:
        cursor.execute(_BY_KEY)
    encoder = staging.stage(plan, changes.upserts())
    _stage_gone(staging, changes, shape)
    faults.point("sync.copied")
    is_whole = not (staging.rejects and staging.rejects.rows)  # else what a rejected row replaces would be left
    if is_whole and set(then) == set(encoder.totals.values()):
        guard()
        went, came = _write(staging, changes, plan, encoder)
        if went["rows"] == changes.updated + changes.deleted:
            staging.compare(encoder.totals.values(), came)
            faults.point("sync.merged")
            return checksum.changed(then, went, came)
    cursor.execute("ROLLBACK TO SAVEPOINT changes")
    return None


def _stage_gone(staging: Staging, changes: Changes, shape: Shape) -> None:
    import pyarrow as pa

    key = staging.spec.key
    columns = columns_sql({column: shape.types[column] for column in key}, key)
    staging.cursor.execute(f"CREATE TEMP TABLE gone ({columns}) ON COMMIT DROP")
    if changes.deleted:
        schema = pa.schema([changes.schema.field(column) for column in key])
        staging.copy("pg_temp.gone", changes.gone(), schema=schema)


def _write(staging: Staging, changes: Changes, plan: Change, encoder: Encoder) -> list[dict[str, int]]:
    """The control totals of the rows that went and of those that came; an updated row did both.

    pg_temp.written has each row as it was and as it is, told apart by `came`.
    """
    run, table, match = staging.cursor.execute, staging.table, staging.match()
    names = [quote(column) for column in plan.types]
    columns = ", ".join(names)
    came = quote(next(name for name in map(str, itertools.count()) if name not in plan.types))
    keep = "INSERT INTO pg_temp.written SELECT"
    run(f"CREATE TEMP TABLE written ({columns_sql(plan.types)}, {came} boolean) ON COMMIT DROP")
    if changes.deleted:
        run(
            f"WITH gone AS (DELETE FROM {table} AS t USING pg_temp.gone AS s WHERE {match} RETURNING t.*)"
            f" {keep} {columns}, false FROM gone"
        )
    if values := [quote(column) for column in plan.types if column not in staging.spec.key]:
        old, new = (", ".join(f"{place}.{name} AS {place}{n}" for n, name in enumerate(names)) for place in ("o", "t"))
        run(
            f"WITH changed AS (UPDATE {table} AS t SET {', '.join(f'{value} = s.{value}' for value in values)}"
            f" FROM pg_temp.mart AS s JOIN {table} AS o ON {staging.match('o')} WHERE {match}"
            f" RETURNING {old}, {new})"
            f" {keep} {', '.join(f'o{n}' for n in range(len(names)))}, false FROM changed"
            f" UNION ALL SELECT {', '.join(f't{n}' for n in range(len(names)))}, true FROM changed"
        )
    run(_BY_PLAN)
    run(
        f"WITH added AS (INSERT INTO {table} AS t ({columns}) SELECT {columns} FROM pg_temp.mart AS s"
        f" WHERE NOT EXISTS (SELECT FROM pg_temp.written AS t WHERE t.{came} AND {match}) RETURNING t.*)"
        f" {keep} {columns}, true FROM added"
    )
    return [staging.count(encoder, f"pg_temp.written WHERE {which}") for which in (f"NOT {came}", came)]
