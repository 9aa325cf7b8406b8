"""What every warehouse can do: keep a tenant's tidy tables and marts, and replace one slot of a table at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ondol.config.load import Load
from ondol.config.tenant import Transform
from ondol.manifest import Period
from ondol.mart import Changes

if TYPE_CHECKING:
    import pyarrow as pa

Decision = Literal["loaded", "unchanged", "superseded", "duplicate"]
REPLACE = Load()
VALIDITY = ("_valid_from", "_valid_to", "_current")
"""Of the mode snapshot: the first day that a row was so, the first day that it was not any more, and if it still is."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What one file replaces in its table: the item, the period it speaks of, and which part of that period."""

    item: str
    period: Period
    part: str = ""

    def __str__(self) -> str:
        """sales_daily 2026-01-05, or sales_daily 2026-01-05 seoul."""
        return f"{self.item} {self.period} {self.part}".rstrip()


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What became of one file's rows.

    Args:
        decision: `loaded`; `unchanged`: this version was there already, read by the same rules; `superseded`: the slot
            holds a newer version, which stays; `duplicate`: of the mode append, the content is there already.
        inserted: rows added.
        deleted: rows of the slot that were replaced.
        twin: of a duplicate, the name of the file that its content was loaded from.
    """

    decision: Decision
    inserted: int = 0
    deleted: int = 0
    twin: str = ""


Status = Literal["done", "unchanged", "failed", "blocked"]


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What became of one action of the Dataform project.

    Args:
        name: of the table, view or assertion.
        kind: `table`, `view`, `incremental`, `assertion` or `operations`.
        status: `done`; `unchanged`: neither the data nor the models changed; `failed`: the assertion found rows or the
            SQL was refused; `blocked`: something it depends on, or an assertion about it, failed: not to be published.
        rows: of the table; the failing rows of an assertion; None where there is nothing to count.
        message: why, when it failed or is blocked.
        kept: of a failed assertion, the table that its failing rows are kept in.
        sample: some of those rows, ready for JSON.
    """

    name: str
    kind: str
    status: Status
    rows: int | None = None
    message: str = ""
    kept: str = ""
    sample: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class TransformResult:
    """Every action that the tenant's models need, in the order in which they ran."""

    actions: tuple[ActionResult, ...]

    @property
    def failed(self) -> tuple[ActionResult, ...]:
        """The actions that failed by themselves; what they block is not among them."""
        return tuple(action for action in self.actions if action.status == "failed")


@dataclass(frozen=True, slots=True)
class Origin:
    """One value of a tidy table that a figure was made of, and where it stood.

    Args:
        table / column: the tidy table and its canonical column.
        value: the tidy value, after unit scaling and entity codes.
        cell: the cell's address in the sheet ("G6"); None for what comes from no cell, such as a constant.
        row: 1-based row of the sheet.
    """

    table: str
    column: str
    value: object
    file: str
    sha256: str
    sheet: str
    row: int
    cell: str | None
    item: str
    period: Period
    part: str
    run_key: str


def table_schema(schema: pa.Schema, how: Load) -> pa.Schema:
    """The columns of a warehouse's table for tidy tables of that schema: with those that the warehouse adds."""
    import pyarrow as pa

    from converters.tidy import LOADED_AT

    added = [pa.field(LOADED_AT, pa.timestamp("us", "UTC"))]
    if how.mode == "snapshot":
        kinds = (pa.date32(), pa.date32(), pa.bool_())
        added += [pa.field(name, kind) for name, kind in zip(VALIDITY, kinds, strict=True)]
    return pa.schema([*schema, *added])


class Warehouse(Protocol):
    """One tenant's dataset.

    Every write is one transaction; a reader sees the state before it or after it, and so does whoever looks after a
    kill. When another process holds the warehouse, a call waits, then raises RetriableError.
    """

    def load(
        self,
        table: str,
        schema: pa.Schema,
        parquet: Path,
        *,
        slot: Slot,
        version: Sequence[str],
        sha256: str,
        rules_hash: str,
        run_key: str,
        how: Load = REPLACE,
        accept: bool = False,
        uri: str | None = None,
    ) -> LoadResult:
        """Make a file's tidy rows the content of its slot, unless the slot holds a newer version.

        Whatever the mode, what the table holds depends on what the slots hold and on nothing else: not on the order in
        which files came, on how often, or on who was killed. Only `_loaded_at` tells when; no fingerprint counts it.

        Args:
            table: the tidy table; made, widened by the columns that it lacks, or made anew if `how` is another.
            schema: the file's: canonical columns, then the lineage columns.
            parquet: a local file of that schema; each of its rows says the same slot.
            version: orders the files of a slot; the greatest wins, in whatever order they come.
            sha256: of the raw file.
            rules_hash: of what read it; another hash reads the same version again.
            how: the mode: see docs/loading.md.
            accept: a person has seen that rows are missing: `how.max_row_drop` does not count.
            uri: where the lake has the same file, for a warehouse that can read it there.

        Raises:
            Rejected: the file has too few rows by `how.max_row_drop`; nothing was loaded.
            FatalError: a column's type differs from the table's and cannot be widened; rows of another slot.
            RetriableError: another process held the warehouse for too long.
        """
        ...

    def state(self) -> str:
        """A hash of what is loaded: equal states have equal tidy tables."""
        ...

    def tables(self) -> tuple[str, ...]:
        """The names of the tidy tables, marts and views, sorted."""
        ...

    def read(self, table: str) -> AbstractContextManager[pa.RecordBatchReader]:
        """The rows of a table as Arrow batches, in bounded memory; the schema is the reader's. FatalError if none."""
        ...

    def fingerprint(self, table: str) -> str:
        """A hash of the table's columns and rows in any order: equal fingerprints need no new sync."""
        ...

    def changes(self, table: str, key: Sequence[str], since: str | None) -> AbstractContextManager[Changes | None]:
        """What became of a mart since the batch `since` of it was synced; None if the warehouse cannot tell.

        Args:
            key: the columns that name a row.
            since: what the serving database says it holds; None: nothing.
        """
        ...

    def remember(self, table: str, key: Sequence[str], batch_id: str) -> None:
        """Keep what `changes` needs to tell what will have changed since this batch, which was just synced.

        It may be killed or left out: then `changes` gives None once. A warehouse that can tell by itself does nothing.
        """
        ...

    def comments(self, table: str) -> dict[str, str]:
        """What the models say of the table's columns, by column."""
        ...

    def transform(self, models: Transform | str, schemas: Mapping[str, pa.Schema]) -> TransformResult:
        """Run the Dataform models of definitions/<models>/; readers see all new marts or all old ones.

        Args:
            models: a folder's name alone stands for its models, without variables, with any tags.
            schemas: the schema (`table_schema`) of each table that the tenant's items load: a table that no file has
                filled yet is there, empty.

        Raises:
            FatalError: the project does not compile, or says what cannot be run; nothing was changed.
        """
        ...

    def trace(
        self, models: Transform | str | None, table: str, key: Mapping[str, object], column: str | None
    ) -> list[Origin]:
        """The tidy values behind a row of a mart or of a tidy table, in the order of file, sheet and row.

        Args:
            models: the tenant's models; None if it has none.
            key: column → value, enough of them to name the row (or the rows) meant.
            column: the figure; None for all of the row's columns.

        Raises:
            FatalError: there is no such table, column or row, or its SQL cannot be traced, naming the construct.
        """
        ...

    def query(self, sql: str, parameters: Sequence[object] | dict[str, object] = ()) -> list[dict[str, Any]]:
        """The rows that a statement in the warehouse's own SQL selects."""
        ...

    def close(self) -> None:
        """Let go of files and connections; the object may be used again."""
        ...
