"""load: each tidy table becomes the content of its slot (item, period, part); the newest version wins."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ondol.errors import Rejected
from ondol.manifest import Entry, Manifest
from ondol.stages.context import StageContext
from ondol.warehouse.base import LoadResult, Slot


def run(context: StageContext, manifests: list[Manifest]) -> Manifest:
    """Load all batches, one file a transaction; loading again changes nothing.

    Of several versions of a slot only the newest is loaded; an older one takes its place if the warehouse rejects it.
    """
    counts: Counter[str] = Counter()
    settled: list[Entry] = []
    taken: set[tuple[object, ...]] = set()
    with context.ledger.exclusive(), context.telling():
        for entry in sorted((e for m in manifests for e in m.entries), key=lambda e: e.version, reverse=True):
            slot = (entry.item, entry.period, entry.part)
            try:
                result = LoadResult("superseded") if slot in taken else _load(context, entry)
            except Rejected as rejected:
                counts["quarantined"] += 1
                context.refuse("load", entry, rejected)
                continue
            taken.add(slot)
            counts[result.decision] += 1
            counts["rows"] += (entry.rows or 0) if result.decision == "loaded" else 0
            _tell(context, entry, result)
            settled.append(entry)
    context.ledger.quarantine.passed(e.sha256 for e in settled)
    for entry in settled:
        context.ledger.quarantine.superseded(entry)
    return context.manifest("load", settled, **counts)


def _load(context: StageContext, entry: Entry) -> LoadResult:
    """What became of a file; `loaded` when the slot holds this version now, also if a killed run had put it there."""
    from pyarrow.parquet import read_schema

    from converters import tidy

    assert entry.item
    assert entry.period
    assert entry.tidy
    item = context.tenant.item(entry.item)
    parquet = context.lake.local(entry.tidy)
    result = context.warehouse.load(
        item.table,
        tidy.evolved(item.tag, read_schema(parquet)),
        parquet,
        slot=Slot(item.id, entry.period, entry.part),
        version=entry.version,
        sha256=entry.sha256,
        rules_hash=context.rules(entry),
        run_key=context.run_key,
        how=item.load,
        accept=entry.accept,
        uri=entry.tidy,
    )
    return replace(result, decision="loaded") if result.decision == "unchanged" else result


def _tell(context: StageContext, entry: Entry, result: LoadResult) -> None:
    """Note it in the ledger: a duplicate counts as loaded there, for it need not be processed again."""
    if result.decision == "duplicate":
        reason = f"its content is loaded as '{result.twin}' already"
        context.event("load", "loaded", entry, reason=reason, rows=0)
    else:
        context.event("load", result.decision, entry, rows=entry.rows)
