"""The bookkeeping of loads as a file sees it: which slots it replaces, which rows it shares, what it may not lose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from ondol.config.load import Load
from ondol.errors import Rejected
from ondol.manifest import Period
from ondol.warehouse.base import Slot


@dataclass(frozen=True, slots=True)
class Book:
    """What one slot holds, as _ondol_loads has it; `job` names the load that put it there."""

    item: str
    period_start: dt.date
    period_end: dt.date
    part: str
    version: list[str]
    sha256: str
    rules_hash: str
    table_name: str
    row_count: int
    run_key: str
    job: str

    @property
    def slot(self) -> Slot:
        """The slot that it is of."""
        return Slot(self.item, Period(start=self.period_start, end=self.period_end), self.part)


@dataclass(frozen=True, slots=True)
class Twins:
    """Of the mode append: what becomes of rows that several files of a slot's period have in common.

    Of the files with one content the oldest has its rows in the table. When that one is corrected, the rows become the
    next one's: what is there does not depend on the order in which the files came.

    Args:
        heirs: the files that the slot's own rows are handed over to, one after the other.
        duplicate: the file that the content stays loaded from; None: the file's rows are to be loaded.
        delete: the file whose rows give way to these.
    """

    heirs: tuple[tuple[str, str], ...] = ()
    duplicate: str | None = None
    delete: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file's coming changes.

    Args:
        known: the jobs that the books name, as one text: it changes whenever they do.
        moved: what this very file has loaded as another part by other rules, or its slot in another table.
        twins: of the mode append.
    """

    known: str | None
    moved: tuple[Book, ...]
    twins: Twins


def plan(book: Book, held: Book | None, books: Sequence[Book], how: Load) -> Plan:
    """See Plan.

    Args:
        book: the slot's new line.
        held: its line so far.
        books: the lines of all parts of its period.
    """
    known = " ".join(sorted(line.job for line in books)) or None
    others = [line for line in books if line != held]
    moved = [o for o in others if o.version == book.version and o.rules_hash != book.rules_hash]
    others = [line for line in others if line not in moved]
    shared = twins(book, held, others) if how.mode == "append" else Twins()
    if held and held.table_name != book.table_name:
        moved.append(held)
    return Plan(known, tuple(moved), shared)


def twins(book: Book, held: Book | None, others: Sequence[Book]) -> Twins:
    """See Twins.

    Args:
        book: the file that comes.
        others: what the other slots of its period hold.
    """
    heirs: list[tuple[str, str]] = []
    if held and held.sha256 != book.sha256 and (next_ := _claims(held.sha256, book, others)):
        heirs.append((next_[0].part, next_[0].run_key))
    claims = _claims(book.sha256, book, others)
    if claims and claims[0].version < book.version:
        heirs.append((claims[0].part, claims[0].run_key))
        return Twins(tuple(heirs), claims[0].part)
    if claims:
        return Twins(tuple(heirs), delete=claims[0].part)
    if held and (held.sha256, held.rules_hash) == (book.sha256, book.rules_hash):
        return Twins((*heirs, (book.part, book.run_key)), book.part)
    return Twins(tuple(heirs))


def _claims(sha256: str, book: Book, others: Sequence[Book]) -> list[Book]:
    found = [o for o in others if (o.sha256, o.table_name) == (sha256, book.table_name)]
    return sorted(found, key=lambda o: (o.version, o.part))


def guard(how: Load, slot: Slot, rows: int, before: int | None) -> None:
    """Refuse a file that has lost too many of the rows of what it follows.

    Raises:
        Rejected: it has.
    """
    if how.max_row_drop is not None and before and rows < before * (1 - how.max_row_drop):
        raise Rejected(
            f"{slot} has {rows} rows, but what it follows has {before}: more are missing than max_row_drop allows "
            f"({how.max_row_drop:.0%}).",
            "Ask the sender for the whole file, or release it with --accept if it is right as it is.",
            {"rows": rows, "before": before},
        )
