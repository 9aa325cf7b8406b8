"""sync: what changed in the marts goes to the tenant's PostgreSQL schema, one transaction a table."""

from __future__ import annotations

from ondol.config.tenant import SyncTable
from ondol.errors import FatalError, Rejected
from ondol.manifest import Manifest
from ondol.serving.base import SyncResult
from ondol.stages.context import StageContext


def run(context: StageContext, manifest: Manifest) -> Manifest:
    """Every mart that was made soundly is published; those that were not are named at the end.

    Raises:
        FatalError: marts that were not published, each with the reason, after all others were.
    """
    results: dict[str, str] = {}
    refused: list[str] = []
    counts = {"inserted": 0, "updated": 0, "deleted": 0, "unchanged": 0}
    with context.ledger.exclusive(), context.telling():
        for spec in context.tenant.sync:
            status = manifest.marts.get(spec.table, "missing: no model makes it")
            try:
                if status.partition(":")[0] not in ("done", "unchanged"):
                    raise Rejected(
                        f"{spec.table} is {status}.", "Mend the model or the data; the next run publishes it."
                    )
                result = _publish(context, spec)
            except Rejected as rejected:
                refused.append(str(rejected))
                context.event("sync", "refused", name=spec.table, reason=rejected.reason)
                continue
            results[spec.table] = "unchanged" if result.skipped else f"{result.rows} rows"
            for kind in counts:
                counts[kind] += getattr(result, kind)
            context.event("sync", "synced", name=spec.table, rows=result.rows, checksum=result.checksum)
    if refused:
        raise FatalError("not published: " + " | ".join(refused))
    return context.manifest("sync", manifest.entries, **counts).model_copy(update={"marts": results})


def _publish(context: StageContext, spec: SyncTable) -> SyncResult:
    batch = context.warehouse.fingerprint(spec.table)
    with context.warehouse.read(spec.table) as reader:
        return context.serving.sync(
            spec, reader.schema, reader, batch_id=batch, comments=context.warehouse.comments(spec.table)
        )
