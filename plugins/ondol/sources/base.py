"""What every source can do: list what has arrived in an interval, and open it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from ondol.interval import Interval


@dataclass(frozen=True, slots=True)
class Found:
    """A file that a source offers.

    Args:
        name: its own name, NFC.
        location: where in the source it is; with the source's id it finds the file again.
        arrived: when it came to the source (with a time zone).
        size: in bytes, where the source tells.
        handle: what the connector opens it by, where that is more than the location (bytes that are no Unicode).
    """

    name: str
    location: str
    arrived: dt.datetime
    size: int | None = None
    handle: str = ""


class Connector(Protocol):
    """One source of one tenant."""

    def list(self, interval: Interval) -> Iterator[Found]:
        """What arrived in the interval, sorted by location; the same at each call.

        Raises:
            RetriableError: the source is down or not there, with what to check.
        """
        ...

    def open(self, found: Found) -> AbstractContextManager[BinaryIO]:
        """The file's bytes as a stream.

        Raises:
            Rejected: this file cannot be read, the others can.
        """
        ...
