"""What every serving database can do: make one table of a tenant's schema equal to a mart, and be read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ondol.mart import Mart

if TYPE_CHECKING:
    from ondol.config.tenant import SyncTable


@dataclass(frozen=True, slots=True)
class Sample:
    """A row that a dry run would write: what it is and what it would be; None: it is not there."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What one sync changed, or would change (dry run).

    Args:
        table: the table's name in the tenant's schema.
        inserted / updated / deleted / unchanged: rows, by what the sync did to them.
        rows: rows of the table afterwards.
        skipped: this batch was the last one synced, so nothing was read or written.
        checksum: of the rows, whatever their order; equal contents have equal checksums.
        rejected: rows of the mart that PostgreSQL cannot hold, kept in `_ondol.rejected`.
        full: the whole table was compared, not only what the warehouse said had changed.
        drift: how the table differed from what was last synced, because something else wrote to it; "": not at all.
        samples: some rows of each kind (dry run).
    """

    table: str
    inserted: int
    updated: int
    deleted: int
    unchanged: int
    rows: int
    skipped: bool
    checksum: str
    rejected: int = 0
    full: bool = True
    drift: str = ""
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """The last batch that was synced to a table, as the serving database itself remembers it.

    Args:
        batch_id: what the caller named the batch: the mart's fingerprint.
        at: when it was synced.
        result: what it changed then.
        relation: PostgreSQL's own number of the table; another one: the table was made anew.
        totals: its control totals.
        grants: the roles that were let read it.
    """

    batch_id: str
    at: dt.datetime
    result: SyncResult
    relation: int | None = None
    totals: Mapping[str, int] = field(default_factory=dict)
    grants: tuple[str, ...] = ()


class Serving(Protocol):
    """One tenant's schema. A reader sees the table before a sync or after it, never between, and never waits for it."""

    def sync(
        self, spec: SyncTable, mart: Mart, *, dry_run: bool = False, full: bool = False, accept: bool = False
    ) -> SyncResult:
        """Make the table equal to the mart in one transaction; only rows that differ are written.

        What the mart says has changed is enough if it speaks of the batch that this database holds, and the table is
        as that batch left it; else the whole of both is compared.

        Args:
            spec: the table, its key, indexes, grants and guards.
            dry_run: say what would change, and change nothing.
            full: compare the whole table, even if this batch was the last one.
            accept: let pass what the guards on deleted rows and on the number of rows would refuse.

        Raises:
            Rejected: the rows or their shape are refused; the table is as it was.
            RetriableError: the database is away, busy or restarted; the table is as it was.
            FatalError: the database refuses this user or this configuration.
        """
        ...

    def tables(self) -> list[str]:
        """The names of the tenant's tables, sorted; none if there is no schema yet."""
        ...

    def count(self, table: str) -> int:
        """How many rows a table has. FatalError if there is no such table."""
        ...

    def row(self, table: str, key: Mapping[str, object]) -> dict[str, Any] | None:
        """The row whose columns have these values; None if none has. FatalError if there is no such table."""
        ...

    def last_batch(self, table: str) -> Batch | None:
        """The last batch synced to a table; None if there was none."""
        ...
