"""map: find the item (file id) and the period of each raw file."""

from __future__ import annotations

import calendar
import datetime as dt
import difflib

from ondol.config.pattern import NameMatch, match_name
from ondol.config.tenant import Item
from ondol.errors import Rejected
from ondol.lake.base import raw_path
from ondol.manifest import Entry, Manifest, Period
from ondol.stages.context import StageContext

TEMPORARY = ("~$", ".~", "._", "~wrl")
TEMPORARY_ENDINGS = (".tmp", ".crdownload", ".part", ".partial", ".lock", ".ds_store", "thumbs.db", "desktop.ini")


def run(context: StageContext, manifest: Manifest) -> Manifest:
    """Every entry with its item and period; what no item, or more than one, recognises goes to quarantine.

    Temporary files pass unmapped, for filter to drop; so does a file that a person dropped from quarantine.
    """
    entries: list[Entry] = []
    refused = 0
    dropped = {
        q["sha256"]
        for q in context.ledger.quarantine.of([e.sha256 for e in manifest.entries])
        if q["state"] == "dropped"
    }
    with context.telling():
        twins = _twins(context, manifest)
        for entry in manifest.entries:
            if is_temporary(entry.name) or entry.sha256 in dropped:
                entries.append(entry)
                continue
            try:
                found = _recognise(context, entry) or twins.get(entry.sha256)
                if not found:
                    raise _unknown(context, entry)
            except Rejected as rejected:
                refused += 1
                context.refuse("map", entry, rejected)
                continue
            entries.append(entry.model_copy(update=found))
            context.event("map", "recognised", entries[-1])
    return context.manifest("map", entries, recognised=sum(1 for e in entries if e.item), quarantined=refused)


def is_temporary(name: str) -> bool:
    """Whether programs leave such files beside the real ones."""
    return name.lower().startswith(TEMPORARY) or name.lower().endswith(TEMPORARY_ENDINGS)


def _recognise(context: StageContext, entry: Entry) -> dict[str, object] | None:
    """Item, period and part of a file; None if no item recognises it."""
    items = [context.tenant.item(entry.item)] if entry.item else list(context.tenant.items)
    text: str | None = None
    found: dict[str, NameMatch] = {}
    for item in items:
        match = item.match
        named = match_name(match.name, entry.name) if match.name else NameMatch(None, None, "")
        if match.source and entry.source not in match.source:
            continue
        if not named and not entry.item:
            continue
        if match.content and not entry.item:
            text = _text(context, entry) if text is None else text
            if not all("".join(t.split()) in text for t in match.content):
                continue
        found[item.id] = named or NameMatch(None, None, "")
    if len(found) > 1:
        raise Rejected(
            f"'{entry.name}' is recognised by more than one item: {', '.join(sorted(found))}.",
            "Make the items' match.name or match.content tell them apart, or release it as one of them.",
            {"items": sorted(found)},
        )
    for file_id, named in found.items():
        item = context.tenant.item(file_id)
        part = entry.name if item.load.mode == "append" else named.part
        return {"item": file_id, "period": _period(context, item, entry, named), "part": part}
    return None


def _text(context: StageContext, entry: Entry) -> str:
    from converters import sample_text

    path = context.lake.local(context.lake.uri(raw_path(entry.sha256)))
    return "".join(sample_text(path, entry.name, context.passwords()).split())


def _period(context: StageContext, item: Item, entry: Entry, named: NameMatch) -> Period:
    """The period by the item's rule, widened to its grain."""
    if item.period == "run":
        dates = context.interval.dates
        return _widen(dates[0], dates[-1], item.grain)
    if item.period == "name":
        if named.start is None or named.end is None:
            raise Rejected(
                f"the name '{entry.name}' gives no date by the pattern '{item.match.name}' of item '{item.id}'.",
                "Rename the file, or change match.name or period of the item.",
            )
        return _widen(named.start, named.end, item.grain)
    return _period_in_content(context, item, entry)


def _period_in_content(context: StageContext, item: Item, entry: Entry) -> Period:
    from converters import sample_text
    from converters.periods import dates_in

    path = context.lake.local(context.lake.uri(raw_path(entry.sha256)))
    for line in sample_text(path, entry.name, context.passwords()).splitlines():
        for start, end in dates_in(line):
            return _widen(start, end, item.grain)
    raise Rejected(
        f"'{entry.name}' says no date or period in its first cells, where item '{item.id}' looks for it.",
        "Set period of the item to 'name' or 'run', or ask the customer to put the date back into the title.",
    )


def _widen(start: dt.date, end: dt.date, grain: str) -> Period:
    if grain == "month":
        return Period(start=start.replace(day=1), end=end.replace(day=calendar.monthrange(end.year, end.month)[1]))
    if grain == "year":
        return Period(start=start.replace(month=1, day=1), end=end.replace(month=12, day=31))
    return Period(start=start, end=end)


def _twins(context: StageContext, manifest: Manifest) -> dict[str, dict[str, object]]:
    """Contents that are recognised under another name, now or in an earlier run: a copy is the same item."""
    known: dict[str, dict[str, object]] = {}
    for sha256, row in context.ledger.recognised([e.sha256 for e in manifest.entries]).items():
        if row["item"] in {i.id for i in context.tenant.items} and row["period_start"]:
            period = Period(start=row["period_start"], end=row["period_end"])
            known[sha256] = {"item": row["item"], "period": period, "part": row["part"]}
    contents = [e.sha256 for e in manifest.entries]
    for entry in manifest.entries:
        if contents.count(entry.sha256) > 1 and not is_temporary(entry.name):
            try:
                found = _recognise(context, entry)
            except Rejected:
                continue
            if found:
                known[entry.sha256] = found
    return known


def _unknown(context: StageContext, entry: Entry) -> Rejected:
    patterns = {i.match.name or " + ".join(i.match.content): i.id for i in context.tenant.items}
    near = difflib.get_close_matches(entry.name, patterns, n=1, cutoff=0.3)
    hint = f" The nearest is '{patterns[near[0]]}' ({near[0]})." if near else ""
    return Rejected(
        f"no item recognises '{entry.name}'.{hint}",
        "Add an item for such files, release it as an item, or drop it.",
        {"items": {v: k for k, v in patterns.items()}},
    )
