"""The contract of a source: list what is new, open it as a stream, and (if it can) tidy up once it is safely stored.

    with registry.load(registry.SOURCES, source.type)(source, access) as connector:
        for found in connector.list(interval, cursor):     # new or not: the ledger knows what was collected
            with connector.open(found) as stream: …        # crawl streams it into the lake, hashing as it goes
        connector.after_commit(collected)                  # archive, mark as read, acknowledge; may be repeated

**The ledger is the truth about what was collected; a cursor only saves work.** Crawl asks the ledger which of the
listed (location, version) it has, fetches the others, and writes them, their events and the cursor in one transaction.
So a connector may list a file again and again, and a cursor that is lost costs a listing, never a row.

What can happen, and what a connector raises:

| outcome | how it is told |
| --- | --- |
| nothing new | the list is empty |
| the source is down: unreachable, busy, away, too slow | SourceDown, with what to check; the task is retried |
| not allowed: credential, permission, host key, certificate | NotAllowed, with what to change; no retry |
| this file cannot be had, others can | Rejected from `open`: quarantine |
| this file is not whole yet, or has gone meanwhile | Later or Gone from `open`: a later run takes it, if it is there |
| the customer has not sent it | no matter of a source: see config/due.py |
"""

from __future__ import annotations

import datetime as dt
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import BinaryIO, ClassVar, Generic, Self, TypeVar
from zoneinfo import ZoneInfo

from ondol.config.sources.base import SourceModel
from ondol.errors import NotAllowed, OndolError
from ondol.interval import Interval
from ondol.secrets.base import Secrets


@dataclass(frozen=True, slots=True)
class Found:
    """A file that a source offers.

    Args:
        name: its own name, NFC.
        location: where in the source it is; with the source's id it finds the file again.
        arrived: when it came to the source (with a time zone); when it was found, if the source cannot tell.
        size: in bytes, where the source tells.
        handle: what the connector opens it by, where that is more than the location (bytes that are no Unicode). The
            ledger keeps it: no secret may be in it.
        version: changes whenever the content at that location does: a generation, an ETag, size and time.
    """

    name: str
    location: str
    arrived: dt.datetime
    size: int | None = None
    handle: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Says in a listing: once all that was listed before this is in the ledger, a next listing may start from here.

    Args:
        value: what the connector makes of it: a UID, a time, a token, a line of JSON; no secret.
    """

    value: str


@dataclass(frozen=True, slots=True)
class Collected:
    """A file that the ledger has.

    Args:
        sha256: its content in the lake; empty if it was refused and is in quarantine.
    """

    found: Found
    sha256: str


class Later(OndolError):
    """The file is not to be had now (still written, gone again): a later run takes it, if it is there then."""


class Gone(Later):
    """It was there when it was listed, and is not now: nothing to wait for."""


@dataclass(slots=True)
class Pace:
    """At most so many requests in a second to one source, however many threads ask.

    Args:
        per_second: None for as many as it takes.
    """

    per_second: float | None = None
    _next: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def wait(self) -> None:
        """Call it before each request; it sleeps until the request may go out."""
        if not self.per_second:
            return
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + 1 / self.per_second
        time.sleep(max(0.0, turn - time.monotonic()))


@dataclass(frozen=True, slots=True)
class Access:
    """What a connector may use besides its own model.

    Args:
        home: ONDOL_HOME.
        zone: the tenant's time zone.
        secrets: the tenant's secrets; `secret` reads one.
        pace: to wait for before each request to the source.
    """

    tenant: str
    home: Path
    zone: ZoneInfo
    secrets: Secrets
    pace: Pace = field(default_factory=Pace)

    def secret(self, name: str) -> str:
        """The tenant's secret of that name; NotAllowed, with how to put it there, if there is none."""
        if value := self.secrets.get(self.tenant, name):
            return value
        raise NotAllowed(f"the secret '{name}' of {self.tenant} is not there: {self.secrets.how(self.tenant, name)}")

    def now(self) -> dt.datetime:
        """The present moment in the tenant's time zone, for what has no time of its own."""
        return dt.datetime.now(self.zone)


Model = TypeVar("Model", bound=SourceModel)


class Connector(ABC, Generic[Model]):
    """One source of one tenant; use it as a context manager, which is where it connects and parts.

    Args:
        by_interval: what is listed depends on the interval alone (a folder for each day), so that each run lists and
            fetches its own again. Else each run takes what no run has taken yet.
        lanes: how many files may be opened at once, each in a thread of its own.
        tidies: whether there is something to do after the commit.
    """

    by_interval: bool = False
    tidies: bool = False
    lanes: ClassVar[int] = 1

    def __init__(self, source: Model, access: Access) -> None:
        self.source = source
        self.access = access

    def __enter__(self) -> Self:
        """Connect; SourceDown or NotAllowed if that fails."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what was opened."""
        return None

    @abstractmethod
    def list(self, interval: Interval, cursor: str) -> Iterator[Found | Cursor]:
        """What there is, lazily, without changing anything at the source.

        Args:
            interval: the run's; only a `by_interval` connector need look at it.
            cursor: the last Cursor that the ledger has; empty at first.

        Raises:
            SourceDown: it does not answer, or is not there; with what to check.
            NotAllowed: it refuses us, or is not what it was; with what to change.
        """

    @abstractmethod
    def open(self, found: Found) -> AbstractContextManager[BinaryIO]:
        """The file's bytes as a stream that is read once, in pieces; leaving it well says that they were whole.

        Raises:
            Rejected: this file cannot be read, the others can.
            Later: it is still being written, changed while it was read, or has gone.
            SourceDown, NotAllowed: as for `list`.
        """

    def after_commit(self, collected: Sequence[Collected]) -> None:
        """Archive, move, mark or acknowledge what the ledger has now.

        It is called again, with the same files, if the process ends before the ledger knows that it was done; so it
        must take a file that is gone already for done.
        """
        return None

    def name(self) -> str:
        """The source in messages: source 'share'."""
        return f"source '{self.source.id}'"
