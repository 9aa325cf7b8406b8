"""What every serving database can do: make one table of a tenant's schema equal to a mart, and be read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from ondol.config.tenant import SyncTable


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What one sync changed, or would change (dry run).

    Args:
        table: the table's name in the tenant's schema.
        inserted / updated / deleted / unchanged: rows, by what the sync did to them.
        rows: rows of the table afterwards.
        skipped: this batch was the last one synced, so nothing was read or written.
        checksum: of the rows, whatever their order; equal contents have equal checksums.
    """

    table: str
    inserted: int
    updated: int
    deleted: int
    unchanged: int
    rows: int
    skipped: bool
    checksum: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The last batch that was synced to a table, as the serving database itself remembers it.

    Args:
        batch_id: what the caller named the batch: the mart's fingerprint.
        at: when it was synced.
        result: what it changed then.
    """

    batch_id: str
    at: dt.datetime
    result: SyncResult


class Serving(Protocol):
    """One tenant's schema. A reader sees the table before a sync or after it, never between, and never waits for it."""

    def sync(
        self,
        spec: SyncTable,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        *,
        batch_id: str,
        comments: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> SyncResult:
        """Make the table equal to the mart in one transaction; only rows that differ are written.

        Args:
            spec: the table, its key and its guards.
            schema: the mart's columns.
            batches: all rows of the mart, such as a pa.RecordBatchReader.
            batch_id: names this content; if it was the last one synced, nothing is done.
            comments: text of each column; "" is the table itself.
            dry_run: say what would change, and change nothing.

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
