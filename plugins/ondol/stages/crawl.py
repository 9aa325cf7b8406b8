"""crawl: list the sources, store each file once under its SHA-256, and tell where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ondol import registry
from ondol.config.tenant import Source
from ondol.errors import Rejected
from ondol.lake.base import raw_path
from ondol.manifest import Entry, Manifest
from ondol.sources.base import Connector, Found
from ondol.stages.context import StageContext


def run(context: StageContext) -> Manifest:
    """Everything that arrived in the interval, what was released from quarantine, and what new passwords may open.

    A paused source is left out; files of an item that was paused, and is no longer, are taken up again.

    Raises:
        RetriableError: a source is down; what others gave is stored and is not fetched again.
    """
    entries: list[Entry] = []
    refused = 0
    with context.telling():
        paused = context.ledger.pauses.of("sources")
        for source in context.tenant.sources:
            if pause := paused.get(source.id):
                context.event("crawl", "paused", name=source.id, reason=str(pause))
                continue
            connector = registry.load(registry.SOURCES, source.type)(
                source, home=context.home, zone=context.tenant.zone
            )
            for found in connector.list(context.interval):
                try:
                    entries.append(_fetch(context, source, connector, found))
                except Rejected as rejected:
                    refused += 1
                    context.refuse("crawl", _unread(source, found), rejected)
                else:
                    context.event("crawl", "collected", entries[-1])
        entries.extend(_again(context, entries))
        entries.extend(_resumed(context, entries))
    return context.manifest("crawl", entries, collected=len(entries), quarantined=refused)


def _fetch(context: StageContext, source: Source, connector: Connector, found: Found) -> Entry:
    with connector.open(found) as stream:
        try:
            _, sha256, size = context.lake.put_stream(stream, source.max_bytes)
        except ValueError as error:
            raise Rejected(
                f"{found.location} in source '{source.id}' is {error}.",
                f"If such files are right, raise max_bytes of source '{source.id}'.",
                {"size": found.size, "max_bytes": source.max_bytes},
            ) from error
    return Entry(
        sha256=sha256, name=found.name, size=size, source=source.id, location=found.location, arrived=found.arrived
    )


def _unread(source: Source, found: Found) -> Entry:
    return Entry(
        sha256="",
        name=found.name,
        size=found.size or 0,
        source=source.id,
        location=found.location,
        arrived=found.arrived,
    )


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
