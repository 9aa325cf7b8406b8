"""Collect from one source: ask the ledger what is new, stream it into the lake, commit, then tidy up at the source.

A kill at any instant loses and doubles nothing: what is in the lake and not in the ledger is fetched again (and found
there), what is in the ledger is handed on by the next try of the same run, what is not tidied up is tidied up then.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from ondol import registry
from ondol.config.sources.all import Source
from ondol.config.sources.base import SourceModel
from ondol.config.tenant import Tenant
from ondol.errors import NotAllowed, Rejected, RetriableError, SourceDown
from ondol.interval import Interval
from ondol.ledger.collected import Receipt
from ondol.ledger.events import Event, Ledger
from ondol.manifest import Entry
from ondol.secrets.base import Secrets
from ondol.sources.base import Access, Collected, Connector, Cursor, Found, Gone, Later, Pace
from ondol.stages.context import StageContext

LOOKUP = 2000
"""Listed files that the ledger is asked about at once."""
COMMIT = 64
"""Fetched files that are committed at once: what a kill makes a next run fetch again."""
LONGEST = 500
"""Characters of a location that the ledger keeps as they are."""


@dataclass(slots=True)
class Budget:
    """How many bytes a run may fetch.

    Args:
        most: None for no limit. One file is always granted, else a large one would wait for ever.
    """

    most: int | None
    _taken: int = 0
    _lock: Lock = field(default_factory=Lock)

    def grant(self, size: int) -> bool:
        """Whether a file of that size may still be fetched; if so, it is counted."""
        with self._lock:
            if self.most is not None and self._taken and self._taken + size > self.most:
                return False
            self._taken += size
            return True


@dataclass(slots=True)
class Collecting:
    """One source in one run.

    Args:
        entries: what the run hands on from it.
        refused: how many files went to quarantine.
        waiting: how many files were left for a later run.
    """

    context: StageContext
    connector: Connector[Any]
    budget: Budget
    entries: list[Entry] = field(default_factory=list)
    refused: int = 0
    waiting: int = 0

    @property
    def source(self) -> SourceModel:
        """The source's model."""
        model: SourceModel = self.connector.source
        return model

    def run(self) -> None:
        """Collect what is new; what was committed stays so if the source goes down midway."""
        ledger, run_key = self.context.ledger, self.context.run_key
        self._tidy()
        cursor = ledger.collected.cursor(self.source.id)
        listing = self.connector.list(self.context.interval, cursor)
        for founds, moved_to in pieces([*self._released()], listing):
            for group in _groups(self._new(founds), COMMIT):
                self._commit(group)
            if moved_to is not None and not self.waiting:
                ledger.collect(run_key, self.source.id, [], [], moved_to)
        if not self.connector.by_interval:
            self.entries = ledger.collected.of_run(run_key, self.source.id)
        if not (self.entries or self.refused or self.waiting):
            reason = f"{self.connector.name()} is up and has nothing new"
            ledger.record(run_key, [Event("crawl", "nothing_new", name=self.source.id, reason=reason)])
        self._tidy()

    def _new(self, founds: list[Found]) -> list[Found]:
        """Those that no run has collected yet."""
        if self.connector.by_interval:
            return founds
        known = self.context.ledger.collected.known(self.source.id, [(f.location, f.version) for f in founds])
        return list({(f.location, f.version): f for f in founds if (f.location, f.version) not in known}.values())

    def _commit(self, group: tuple[Found, ...]) -> None:
        """Fetch some files, and tell the ledger of them at once; also of those before the one that raised."""
        receipts: list[Receipt] = []
        events: list[Event] = []
        try:
            for found, result in zip(group, self._fetch(group), strict=True):
                receipts += self._note(found, result, events)
        finally:
            keep = [] if self.connector.by_interval else receipts
            self.context.ledger.collect(self.context.run_key, self.source.id, keep, events)
        self.entries += [r.entry for r in receipts if r.entry.sha256]
        self.context.ledger.quarantine.fetched(self.source.id, [r.entry.location for r in receipts if r.entry.sha256])

    def _fetch(self, group: tuple[Found, ...]) -> Iterator[Entry | Rejected | Later]:
        if self.connector.lanes == 1 or len(group) == 1:
            yield from map(self._take, group)
            return
        with ThreadPoolExecutor(self.connector.lanes) as pool:
            yield from pool.map(self._take, group)

    def _take(self, found: Found) -> Entry | Rejected | Later:
        if not self.budget.grant(found.size or 1):
            return Later("the run has fetched all that limits.bytes_per_run allows: the next run takes it")
        try:
            entry = fetch(self.context, self.connector, found)
        except (Rejected, Later) as outcome:
            return outcome
        if found.size is None:
            self.budget.grant(entry.size)
        return entry

    def _note(self, found: Found, result: Entry | Rejected | Later, events: list[Event]) -> list[Receipt]:
        entry = result if isinstance(result, Entry) else _entry(self.source, found, "", found.size or 0)
        if isinstance(result, Later):
            gone = isinstance(result, Gone)
            self.waiting += not gone
            events.append(Event("crawl", "gone" if gone else "waiting", entry, reason=str(result)))
            if self.connector.by_interval and not gone:
                raise RetriableError(f"{result}; run it again then, no other run takes it")
            return []
        if isinstance(result, Rejected):
            self.refused += 1
            self.context.ledger.quarantine.hold(self.context.run_key, "crawl", entry, "", result)
            events.append(Event("crawl", "quarantined", entry, reason=result.reason))
        else:
            events.append(Event("crawl", "collected", entry))
        return [Receipt(entry, found.version, found.handle, tidied=not self.connector.tidies)]

    def _released(self) -> Iterator[Found]:
        """What was refused before it was stored, and a person has released since."""
        for held in self.context.ledger.quarantine.released():
            entry = held["entry"]
            if held["stage"] == "crawl" and not entry["sha256"] and entry["source"] == self.source.id:
                receipt = self.context.ledger.collected.refused(self.source.id, entry["location"])
                if receipt:
                    yield _found(receipt)

    def _tidy(self) -> None:
        """Do at the source what is to be done after the commit, also what an earlier run did not come to."""
        if not self.connector.tidies:
            return
        collected = self.context.ledger.collected
        while receipts := collected.untidied(self.source.id):
            self.connector.after_commit([Collected(_found(r), r.entry.sha256) for r in receipts])
            collected.tidied(self.source.id, receipts)


def connect(tenant: Tenant, source: Source, home: Path, secrets: Secrets) -> Connector[Any]:
    """The source's connector, not yet connected."""
    pace = Pace(tenant.limits.requests_per_second)
    access = Access(tenant.tenant, home, tenant.zone, secrets, pace)
    connector: Connector[Any] = registry.load(registry.SOURCES, source.type)(source, access)
    return connector


def fetch(context: StageContext, connector: Connector[Any], found: Found) -> Entry:
    """Stream one file into the lake.

    Raises:
        Rejected: it is larger than the source allows, or cannot be read.
    """
    source = connector.source
    if found.size is not None and found.size > source.max_bytes:
        raise _too_large(source, found)
    connector.access.pace.wait()
    with connector.open(found) as stream:
        try:
            _, digest, size = context.lake.put_stream(stream, source.max_bytes)
        except ValueError as error:
            raise _too_large(source, found) from error
    return _entry(source, found, digest, size)


def pieces(
    first: list[Found], listing: Iterable[Found | Cursor], most: int = LOOKUP
) -> Iterator[tuple[list[Found], str | None]]:
    """A listing in pieces of some files, each with the cursor that it ends in, if any."""
    piece = list(first)
    for listed in listing:
        if isinstance(listed, Cursor):
            yield piece, listed.value
            piece = []
            continue
        piece.append(tellable(listed))
        if len(piece) >= most:
            yield piece, None
            piece = []
    yield piece, None


def tellable(found: Found) -> Found:
    """As the ledger can keep it: NFC, one name without folders, no character that PostgreSQL refuses, not too long."""
    name = _plain(unicodedata.normalize("NFC", found.name).rsplit("/", 1)[-1]) or "unnamed"
    location = _plain(found.location)
    if len(location) > LONGEST:
        digest = sha256(found.location.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        location = f"{location[: LONGEST - 20]}…{digest}"
    handle = found.handle or (found.location if location != found.location else "")
    return replace(found, name=name, location=location, handle=handle)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a source would give now.

    Args:
        outcome: `new`, `nothing_new`, `down` or `not_allowed`.
        message: what to check or to change, if it is down or refuses us.
        found: the new files, as many as were asked for.
        new / known: how many files are new, and how many of the listed ones are collected already.
    """

    source: str
    outcome: Literal["new", "nothing_new", "down", "not_allowed"]
    message: str = ""
    found: tuple[Found, ...] = ()
    new: int = 0
    known: int = 0


def try_source(connector: Connector[Any], ledger: Ledger, interval: Interval, *, show: int = 100) -> Trial:
    """List a source as crawl would, and change nothing: not there, not here."""
    source, new, known = connector.source.id, 0, 0
    found: list[Found] = []
    try:
        with connector:
            cursor = ledger.collected.cursor(source)
            for founds, _ in pieces([], connector.list(interval, cursor)):
                files = [(f.location, f.version) for f in founds]
                had = set() if connector.by_interval else ledger.collected.known(source, files)
                fresh = [f for f in founds if (f.location, f.version) not in had]
                new, known = new + len(fresh), known + len(founds) - len(fresh)
                found += fresh[: max(0, show - len(found))]
    except SourceDown as error:
        return Trial(source, "down", str(error))
    except NotAllowed as error:
        return Trial(source, "not_allowed", str(error))
    return Trial(source, "new" if new else "nothing_new", "", tuple(found), new, known)


def _groups(founds: list[Found], most: int) -> Iterator[tuple[Found, ...]]:
    for start in range(0, len(founds), most):
        yield tuple(founds[start : start + most])


def _entry(source: SourceModel, found: Found, digest: str, size: int) -> Entry:
    return Entry(
        sha256=digest, name=found.name, size=size, source=source.id, location=found.location, arrived=found.arrived
    )


def _found(receipt: Receipt) -> Found:
    e = receipt.entry
    return Found(e.name, e.location, e.arrived, e.size, receipt.handle, receipt.version)


def _too_large(source: SourceModel, found: Found) -> Rejected:
    return Rejected(
        f"{found.location} in source '{source.id}' is larger than {source.max_bytes:,} bytes.",
        f"If such files are right, raise max_bytes of source '{source.id}'.",
        {"size": found.size, "max_bytes": source.max_bytes},
    )


def _plain(text: str) -> str:
    return text.replace("\0", "�").encode("utf-8", "backslashreplace").decode()
