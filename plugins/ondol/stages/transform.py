"""transform: the Dataform project's models of this tenant, in dependency order, with assertions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ondol.config.tenant import Tenant
from ondol.errors import Rejected
from ondol.manifest import Manifest
from ondol.stages.context import StageContext
from ondol.warehouse.base import TransformResult, table_schema

if TYPE_CHECKING:
    import pyarrow as pa


def run(context: StageContext, manifest: Manifest) -> Manifest:
    """Every mart with what became of it; nothing runs when neither the data nor the models changed.

    A failed assertion stops what depends on it, and only that; sync does not publish it. It is in quarantine, with the
    rows that it found, until it holds.
    """
    if not context.tenant.transform:
        return context.manifest("transform", [])
    with context.ledger.exclusive(), context.telling():
        result = context.warehouse.transform(context.tenant.transform, schemas(context.tenant))
        for action in result.actions:
            if action.status in ("failed", "blocked"):
                context.event("transform", action.status, name=action.name, reason=action.message)
        _quarantine(context, result)
    counts = {status: sum(a.status == status for a in result.actions) for status in {a.status for a in result.actions}}
    marts = {a.name: a.status if not a.message else f"{a.status}: {a.message}" for a in result.actions}
    return context.manifest("transform", manifest.entries, **counts).model_copy(update={"marts": marts})


def _quarantine(context: StageContext, result: TransformResult) -> None:
    open_ones = set[str]()
    for action in result.actions:
        if action.kind == "assertion" and action.status in ("failed", "blocked"):
            open_ones.add(action.name)
        if action.kept:
            remedy = "Correct the files or the model; the next run that finds no such row closes this."
            evidence: dict[str, object] = {"count": action.rows, "table": action.kept, "rows": list(action.sample)}
            context.ledger.quarantine.hold_assertion(
                context.run_key, action.name, Rejected(f"{action.message}.", remedy, evidence)
            )
    if any(action.status != "unchanged" for action in result.actions):
        context.ledger.quarantine.asserted(open_ones)


def schemas(tenant: Tenant) -> dict[str, pa.Schema]:
    """The schema of each table that items load, so that a model can read it before its first file arrives."""
    from converters import tidy

    return {item.table: table_schema(tidy.schema(item.tag), item.load) for item in tenant.items}
