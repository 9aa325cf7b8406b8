"""One file that a sample firm sends, what becomes of it, and the rows that it must give."""

from __future__ import annotations

import base64
import datetime as dt
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

Value = str | int | float | Decimal | dt.date | None
Row = dict[str, Value]
Fate = Literal["loaded", "duplicate", "temporary", "out_of_window", "broken", "contradictory", "unknown"]
"""`loaded`: its rows reach the warehouse. Dropped by filter: `duplicate`, `temporary`, `out_of_window` (too old).
In quarantine: `broken` (unreadable), `contradictory` (its total is not the sum of its rows), `unknown` (no item)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file as it lies in the inbox.

    Args:
        arrived: the day whose folder it lies in.
        name: as on disk; not always NFC.
        fate: what the platform must make of it.
        item / table: the item that recognises it and the table that it loads; None for an unknown file.
        period: first and last day that it speaks of.
        part: which part of the period's data it is.
        rows: its tidy rows, canonical columns only; what the file must give wherever it is loaded.
    """

    arrived: dt.date
    name: str
    content: bytes
    fate: Fate = "loaded"
    item: str | None = None
    table: str | None = None
    period: tuple[dt.date, dt.date] | None = None
    part: str = ""
    rows: tuple[Row, ...] = ()

    @property
    def version(self) -> tuple[dt.date, str]:
        """What orders the files of one item, period and part: the greatest is current."""
        return (self.arrived, unicodedata.normalize("NFC", self.name))


def january(*days: int) -> list[dt.date]:
    """Days of January 2026."""
    return [dt.date(2026, 1, day) for day in days]


def unknown(arrived: dt.date, name: str, content: bytes) -> Delivery:
    """A file that no item recognises."""
    return Delivery(arrived, name, content, "unknown")


def lock_file(user: str) -> bytes:
    """What Excel leaves as ~$NAME while `user` has a workbook open: 165 bytes, the name in ANSI and in UTF-16."""
    ansi, wide = user.encode("cp949"), user.encode("utf-16-le")
    head = bytes([len(ansi)]) + ansi.ljust(54, b" ")
    return (head + bytes([len(user), 0]) + wide).ljust(165, b" ")


def truncated(content: bytes) -> bytes:
    """What is left of a file whose upload was cut off."""
    return content[: len(content) * 3 // 5]


def total_of(rows: Iterable[Row], column: str) -> Decimal:
    """The sum of one column, nulls left out."""
    return sum((Decimal(str(row[column])) for row in rows if row[column] is not None), Decimal(0))


def first_day(day: Value) -> dt.date:
    """The first of that day's month."""
    assert isinstance(day, dt.date)
    return day.replace(day=1)


def summed(rows: Iterable[Row], *, by: Sequence[str], sums: Sequence[str]) -> list[Row]:
    """What GROUP BY `by` with SUM of each of `sums` gives, in the groups' order."""
    groups: dict[tuple[Value, ...], Row] = {}
    for row in rows:
        group = groups.setdefault(tuple(row[name] for name in by), {n: row[n] for n in by} | dict.fromkeys(sums, 0))
        for name in sums:
            group[name] = Decimal(str(group[name])) + Decimal(str(row[name]))
    return [groups[key] for key in sorted(groups, key=str)]


def ratio(part: Value, whole: Value) -> float | None:
    """The share to four places, as the marts round it; None of nothing."""
    whole = Decimal(str(whole))
    return float((Decimal(str(part)) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP)) if whole else None


PHOTO = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP////////////////////////////////////////////////////////////////////////////"
    "//////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
"""A JPEG of one pixel."""
