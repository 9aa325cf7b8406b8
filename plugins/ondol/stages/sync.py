"""sync: what changed in the marts goes to the tenant's PostgreSQL schema, one transaction a table."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ondol.config.tenant import SyncTable
from ondol.errors import FatalError, Rejected
from ondol.manifest import Manifest
from ondol.mart import Mart
from ondol.serving.base import Serving, SyncResult
from ondol.stages.context import StageContext
from ondol.warehouse.base import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa


def run(context: StageContext, manifest: Manifest) -> Manifest:
    """Every mart that was made soundly is published; those that were not are named at the end.

    Raises:
        FatalError: marts that were not published, each with the reason, after all others were.
    """
    results: dict[str, str] = {}
    refused: list[str] = []
    counts = {"inserted": 0, "updated": 0, "deleted": 0, "unchanged": 0, "rejected": 0}
    with context.ledger.exclusive(), context.telling():
        for spec in context.tenant.sync:
            try:
                result = publish(context, manifest, spec)
            except Rejected as rejected:
                refused.append(str(rejected))
                context.event("sync", "refused", name=spec.table, reason=rejected.reason)
                continue
            results[spec.table] = "unchanged" if result.skipped else f"{result.rows} rows"
            for kind in counts:
                counts[kind] += getattr(result, kind)
    if refused:
        raise FatalError("not published: " + " | ".join(refused))
    counts["quarantined"] = counts.pop("rejected")
    return context.manifest("sync", manifest.entries, **counts).model_copy(update={"marts": results})


def publish(
    context: StageContext,
    manifest: Manifest,
    spec: SyncTable,
    *,
    dry_run: bool = False,
    full: bool = False,
    accept: bool = False,
) -> SyncResult:
    """Make one table equal to its mart, if that is sound, and note in the ledger what the table is now.

    Args:
        manifest: of transform: it says which marts are sound.
        dry_run / full / accept: see Serving.sync.

    Raises:
        Rejected: the mart is not sound, or PostgreSQL or a guard refuses it.
    """
    status = manifest.marts.get(spec.table, "missing: no model makes it")
    if status.partition(":")[0] not in ("done", "unchanged"):
        raise Rejected(f"{spec.table} is {status}.", "Mend the model or the data; the next run publishes it.")
    result = move(context.warehouse, context.serving, spec, dry_run=dry_run, full=full, accept=accept)
    if not dry_run:
        _tell(context, spec.table, result)
    return result


def move(
    warehouse: Warehouse,
    serving: Serving,
    spec: SyncTable,
    *,
    dry_run: bool = False,
    full: bool = False,
    accept: bool = False,
) -> SyncResult:
    """What changed in a mart goes to its table.

    The serving database says what it holds, and the warehouse what changed since then; a kill between the two costs no
    more than a look at the whole table.
    """
    last = serving.last_batch(spec.table)
    with warehouse.changes(spec.table, spec.key, last.batch_id if last else None) as changes, ExitStack() as readers:
        comments = warehouse.comments(spec.table)

        def rows() -> pa.RecordBatchReader:
            return readers.enter_context(warehouse.read(spec.table))

        if changes:
            mart = Mart(changes.batch_id, changes.schema, rows, comments, changes)
        else:
            with warehouse.read(spec.table) as reader:
                mart = Mart(warehouse.fingerprint(spec.table), reader.schema, rows, comments)
        result = serving.sync(spec, mart, dry_run=dry_run, full=full, accept=accept)
    is_remembered = changes is not None and changes.batch_id == changes.since
    if not (dry_run or result.rejected or is_remembered):
        warehouse.remember(spec.table, spec.key, mart.batch_id)
    return result


def _tell(context: StageContext, table: str, result: SyncResult) -> None:
    if result.drift:
        context.event("sync", "drifted", name=table, reason=result.drift)
    if result.rejected:
        reason = f"PostgreSQL cannot hold {result.rejected} rows: they are in _ondol.rejected, each with the reason"
        context.event("sync", "quarantined", name=table, reason=reason)
    context.event("sync", "synced", name=table, rows=result.rows, checksum=result.checksum)
