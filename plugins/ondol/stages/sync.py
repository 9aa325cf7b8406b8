"""sync: what changed in the marts goes to the tenant's PostgreSQL schema, one transaction a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ondol.config.tenant import SyncTable
from ondol.errors import FatalError, Rejected
from ondol.manifest import Manifest
from ondol.mart import Changes, Mart
from ondol.serving.base import SyncResult
from ondol.stages.context import StageContext

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
    """Make one table equal to its mart, and note in the ledger what that table is now.

    The serving database says what it holds, and the warehouse what changed since then: whoever was killed between the
    two is told apart from whoever was not.

    Args:
        manifest: of transform: it says which marts are sound.
        dry_run / full / accept: see Serving.sync.

    Raises:
        Rejected: the mart is not sound, or PostgreSQL or a guard refuses it.
    """
    status = manifest.marts.get(spec.table, "missing: no model makes it")
    if status.partition(":")[0] not in ("done", "unchanged"):
        raise Rejected(f"{spec.table} is {status}.", "Mend the model or the data; the next run publishes it.")
    last = context.serving.last_batch(spec.table)
    comments = context.warehouse.comments(spec.table)
    with context.warehouse.changes(spec.table, spec.key, last.batch_id if last else None) as changes:
        mart = _mart(context, spec.table, comments, changes)
        result = context.serving.sync(spec, mart, dry_run=dry_run, full=full, accept=accept)
    if dry_run:
        return result
    if not result.rejected and not (changes and changes.batch_id == changes.since):
        context.warehouse.remember(spec.table, spec.key, mart.batch_id)
    _tell(context, spec.table, result)
    return result


def _mart(context: StageContext, table: str, comments: dict[str, str], changes: Changes | None) -> Mart:
    def rows() -> Iterable[pa.RecordBatch]:
        with context.warehouse.read(table) as reader:
            yield from reader

    if changes:
        return Mart(changes.batch_id, changes.schema, rows, comments, changes)
    batch_id = context.warehouse.fingerprint(table)
    with context.warehouse.read(table) as reader:
        return Mart(batch_id, reader.schema, rows, comments)


def _tell(context: StageContext, table: str, result: SyncResult) -> None:
    if result.drift:
        context.event("sync", "drifted", name=table, reason=result.drift)
    if result.rejected:
        reason = f"PostgreSQL cannot hold {result.rejected} rows: they are in _ondol.rejected, each with the reason"
        context.event("sync", "quarantined", name=table, reason=reason)
    context.event("sync", "synced", name=table, rows=result.rows, checksum=result.checksum)
