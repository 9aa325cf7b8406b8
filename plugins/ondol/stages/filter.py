"""filter: drop what need not be processed, and say why of each.

A superseded version is dropped here only when a newer one is loaded already. Of two versions that arrive together
both are converted, and load takes the newest that proves sound: a broken correction must not hide a good original.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from ondol.config.fields import duration
from ondol.ledger.pauses import Pause
from ondol.manifest import Entry, Manifest, version_of
from ondol.stages.context import StageContext
from ondol.stages.map import is_temporary

BATCH_FILES = 50
BATCH_BYTES = 100_000_000


@dataclass(slots=True)
class _Known:
    """What the ledger knows of the contents at hand."""

    current: dict[tuple[str, dt.date, dt.date, str], dict[str, Any]]
    quarantine: list[dict[str, Any]]
    paused: dict[str, Pause]
    taken: dict[tuple[object, ...], str] = field(default_factory=dict)


def run(context: StageContext, manifest: Manifest) -> list[Manifest]:
    """The files to process, in batches for convert; always at least one batch, which may be empty."""
    known = _Known(
        context.ledger.current(e.item for e in manifest.entries if e.item),
        context.ledger.quarantine.of(e.sha256 for e in manifest.entries),
        context.ledger.pauses.of("items"),
    )
    counts: dict[str, int] = {}
    kept: list[Entry] = []
    with context.telling():
        for entry in sorted(manifest.entries, key=lambda e: (e.item is None, e.version)):
            decision, reason = _decide(context, entry, known)
            counts[decision] = counts.get(decision, 0) + 1
            detail: dict[str, Any] = {"size": entry.size} if decision == "paused" else {}
            context.event("filter", decision, entry, reason=reason, **detail)
            if decision == "process":
                known.taken[_claim(entry)] = entry.name
                kept.append(entry.model_copy(update={"force": entry.force or context.params.force}))
    batches = _batches(kept)
    return [context.manifest("filter", batch, batch=n, **(counts if n == 0 else {})) for n, batch in enumerate(batches)]


def _decide(context: StageContext, entry: Entry, known: _Known) -> tuple[str, str]:
    if is_temporary(entry.name):
        return "temporary", "a program's temporary file, not a report"
    if first := known.taken.get(_claim(entry)):
        return "duplicate", f"the same content as '{first}'"
    if held := _held(context, entry, known):
        return held
    if entry.item is None or entry.period is None:
        return "dropped", "dropped from quarantine by a person"
    if context.params.items and entry.item not in context.params.items:
        return "not_selected", f"this run takes only {', '.join(context.params.items)}"
    if pause := known.paused.get(entry.item):
        return "paused", f"item '{entry.item}' is {pause}; it is taken up when the item is resumed"
    if outside := _outside(context, entry):
        return "out_of_window", outside
    if entry.force or context.params.force:
        return "process", "asked for by a person"
    return _compare(context, entry, known) or ("process", "")


def _claim(entry: Entry) -> tuple[object, ...]:
    """What a file says: this content, for this slot. Two empty files of two items are no duplicates."""
    return entry.sha256, entry.item, entry.period, entry.part


def _compare(context: StageContext, entry: Entry, known: _Known) -> tuple[str, str] | None:
    """Whether the slot holds this content already, or a newer version."""
    assert entry.period
    now = known.current.get((entry.item or "", entry.period.start, entry.period.end, entry.part))
    if not now:
        return None
    if (now["sha256"], now["rules"]) == (entry.sha256, context.rules(entry)):
        return "duplicate", f"the same content was loaded as '{now['name']}' in run {now['run_key']} by the same rules"
    if entry.version < version_of(now["arrived"], now["name"], now["sha256"]):
        return "superseded", f"'{now['name']}' of run {now['run_key']} is newer"
    return None


def _held(context: StageContext, entry: Entry, known: _Known) -> tuple[str, str] | None:
    """Whether quarantine keeps the file back: dropped for good, or held under the rules that are in force."""
    rules = context.rules(entry)
    for q in known.quarantine:
        if q["sha256"] != entry.sha256:
            continue
        if q["state"] == "dropped":
            return "dropped", f"number {q['id']} was dropped from quarantine by a person"
        if q["state"] == "held" and q["rules"] == rules and not (entry.force or context.params.force):
            return "held", f"in quarantine (number {q['id']}): the same content was refused by the same rules"
    return None


def _outside(context: StageContext, entry: Entry) -> str:
    item = context.tenant.item(entry.item or "")
    assert entry.period
    arrived = entry.arrived.astimezone(context.tenant.zone).date()
    if entry.period.start > arrived + dt.timedelta(days=366):
        return f"speaks of {entry.period}, more than a year after its arrival"
    if entry.period.end < arrived - duration(item.accept_late):
        return f"speaks of {entry.period}, older than the {item.accept_late} that item '{item.id}' accepts"
    return ""


def _batches(entries: list[Entry]) -> list[list[Entry]]:
    batches: list[list[Entry]] = [[]]
    size = 0
    for entry in entries:
        if batches[-1] and (len(batches[-1]) >= BATCH_FILES or size + entry.size > BATCH_BYTES):
            batches.append([])
            size = 0
        batches[-1].append(entry)
        size += entry.size
    return batches
