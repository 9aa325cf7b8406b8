"""crawl: collect from every source, each file once, and tell where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ondol.config.sources.all import Source
from ondol.errors import FatalError, RetriableError
from ondol.lake.base import raw_path
from ondol.ledger.events import Event
from ondol.manifest import Entry, Manifest
from ondol.stages.collect import Budget, Collecting, connect
from ondol.stages.context import StageContext


def run(context: StageContext) -> Manifest:
    """What is new at the sources, what was released from quarantine, and what new passwords may open.

    A paused source is left out; files of an item that was paused, and is no longer, are taken up again.

    Raises:
        RetriableError: a source is down; what the others gave is committed and is not fetched again.
        FatalError: a source refuses us; the same holds.
    """
    entries: list[Entry] = []
    counts = {"quarantined": 0, "waiting": 0}
    failed: list[RetriableError | FatalError] = []
    budget = Budget(context.tenant.limits.bytes_per_run)
    paused = context.ledger.pauses.of("sources")
    for source in context.tenant.sources:
        if pause := paused.get(source.id):
            context.ledger.record(context.run_key, [Event("crawl", "paused", name=source.id, reason=str(pause))])
            continue
        try:
            collecting = _collect(context, source, budget)
        except (RetriableError, FatalError) as error:
            failed.append(error)
        else:
            entries += collecting.entries
            counts["quarantined"] += collecting.refused
            counts["waiting"] += collecting.waiting
    if failed:
        kind = FatalError if all(isinstance(error, FatalError) for error in failed) else RetriableError
        raise failed[0] if len(failed) == 1 else kind("\n".join(map(str, failed)))
    with context.telling():
        entries.extend(_again(context, entries))
        entries.extend(_resumed(context, entries))
    if not counts["waiting"]:
        del counts["waiting"]
    return context.manifest("crawl", entries, collected=len(entries), **counts)


def _collect(context: StageContext, source: Source, budget: Budget) -> Collecting:
    connector = connect(context.tenant, source, context.home, context.secrets)
    with context.ledger.exclusive(f"collect:{source.id}"), connector:
        collecting = Collecting(context, connector, budget)
        collecting.run()
    return collecting


def _again(context: StageContext, collected: list[Entry]) -> Iterator[Entry]:
    """Files to take up again, as they were when they were refused; in place of the same file collected now."""
    for held, decision, reason in (*_released(context), *_unlocked(context)):
        entry = Entry.model_validate(held["entry"])
        if not entry.sha256 or not context.lake.exists(raw_path(entry.sha256)):
            continue
        again = {"item": held["as_item"] or None, "force": True, "accept": held["accept"], "tables": None, "tidy": None}
        collected[:] = [e for e in collected if (e.sha256, e.name) != (entry.sha256, entry.name)]
        context.event("crawl", decision, entry, reason=reason)
        yield entry.model_copy(update=again)


def _resumed(context: StageContext, collected: list[Entry]) -> Iterator[Entry]:
    """Files that filter kept back while their item was paused."""
    here = {(e.sha256, e.name) for e in collected}
    paused = context.ledger.pauses.of("items")
    for entry in context.ledger.kept_back():
        if entry.item not in paused and (entry.sha256, entry.name) not in here:
            context.event("crawl", "resumed", entry, reason=f"item '{entry.item}' is no longer paused")
            yield entry.model_copy(update={"item": None, "period": None, "part": ""})


def _released(context: StageContext) -> Iterator[tuple[dict[str, Any], str, str]]:
    for held in context.ledger.quarantine.released():
        yield held, "released", held["note"]


def _unlocked(context: StageContext) -> Iterator[tuple[dict[str, Any], str, str]]:
    """What was refused for want of a password, when the tenant had others than now."""
    locked = [q for q in context.ledger.quarantine.entries() if q["evidence"].get("state") == "needs_password"]
    if locked:
        from converters.cache import passwords_hash

        now = passwords_hash(context.passwords())
        for held in locked:
            if now and now != held["evidence"].get("passwords"):
                yield held, "retried", "the tenant's passwords have changed since it was refused"
