"""tag: the item's tag rules turn tables into one tidy table a file, checked against the item's contract."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ondol.errors import Rejected
from ondol.manifest import Entry, Manifest
from ondol.stages.context import StageContext


def run(context: StageContext, manifest: Manifest) -> Manifest:
    """Every entry with the URI of its tidy table; what breaks the contract goes to quarantine with its cells."""
    entries: list[Entry] = []
    refused = 0
    with context.telling(), tempfile.TemporaryDirectory(prefix="ondol-tag-") as folder:
        for entry in manifest.entries:
            try:
                entries.append(_tag(context, entry, Path(folder) / "tidy"))
            except Rejected as rejected:
                refused += 1
                context.refuse("tag", entry, rejected)
    return context.manifest(
        "tag",
        entries,
        batch=manifest.batch,
        tagged=len(entries),
        rows=sum(e.rows or 0 for e in entries),
        quarantined=refused,
    )


def _tag(context: StageContext, entry: Entry, scratch: Path) -> Entry:
    from converters import storage, tidy
    from converters.errors import ContractBroken
    from converters.tagging import About, tag

    assert entry.item and entry.period and entry.tables
    item = context.tenant.item(entry.item)
    about = About(
        item=item.id,
        period_start=entry.period.start,
        period_end=entry.period.end,
        part=entry.part,
        sha256=entry.sha256,
        file=entry.name,
        run_key=context.run_key,
        accept=entry.accept,
    )
    try:
        tagged = tag(storage.load(context.lake.local(entry.tables)), item.tag, about)
    except ContractBroken as broken:
        raise Rejected(f"'{entry.name}': {broken.reason}", broken.remedy, broken.evidence) from broken
    tidy.write(tagged, scratch)
    uri = context.lake.put(
        f"tidy/{context.run_key}/{context.rules(entry)}/{entry.sha256}.parquet", scratch.read_bytes()
    )
    rows = tagged.table.num_rows
    context.event("tag", "tagged", entry, rows=rows, decisions=list(tagged.decisions))
    return entry.model_copy(update={"tidy": uri, "rows": rows})
