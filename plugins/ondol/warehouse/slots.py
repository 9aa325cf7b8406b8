"""One file into its slot in DuckDB: what the slot held gives way, and what the table is made of it follows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ondol.config.load import Load
from ondol.errors import FatalError, Rejected
from ondol.faults import point
from ondol.warehouse.base import LoadResult, Slot
from ondol.warehouse.duckdb import DuckDbWarehouse
from ondol.warehouse.rows import BOOK, BOOKS, SLOT, Rows, run, slot_values

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class File:
    """A tidy table to load; see Warehouse.load."""

    parquet: Path
    schema: pa.Schema
    slot: Slot
    version: list[str]
    sha256: str
    rules_hash: str
    run_key: str
    rows: int = 0


def load(warehouse: DuckDbWarehouse, table: str, how: Load, file: File, *, accept: bool) -> LoadResult:
    """See Warehouse.load."""
    with warehouse.transaction(reads=file.parquet) as connection:
        result = _Loading(warehouse, connection, table, how, file).run(accept)
        if result.decision in ("superseded", "unchanged"):
            return result
        point("warehouse:load:commit")
    point("warehouse:load:done")
    return result


@dataclass(frozen=True, slots=True)
class _Held:
    """What a slot holds."""

    version: list[str]
    rules_hash: str
    table: str
    sha256: str
    rows: int


class _Loading:
    """One file on its way, inside a transaction."""

    def __init__(
        self, warehouse: DuckDbWarehouse, connection: DuckDBPyConnection, table: str, how: Load, file: File
    ) -> None:
        self.warehouse = warehouse
        self.connection = connection
        self.table = table
        self.how = how
        self.file = file
        self.values = slot_values(file.slot)

    def run(self, accept: bool) -> LoadResult:
        file = self.file
        found = self._all(f"SELECT version, rules_hash, table_name, sha256, row_count FROM _ondol.loads WHERE {BOOK}")
        held = _Held(*found[0]) if found else None
        if held and held.version > file.version:
            return LoadResult("superseded")
        if held and (held.version, held.rules_hash) == (file.version, file.rules_hash):
            return LoadResult("unchanged")
        self._check()
        if not accept:
            self._guard(held.rows if held else None)
        self.connection.execute(BOOKS)
        deleted = self._withdraw(held.table if held else self.table)
        self._note()
        rows = Rows(self.warehouse, self.connection, self.table, self.how)
        if self.how.mode == "append" and (twin := self._twin(rows, held)):
            return LoadResult("duplicate", twin=twin)
        deleted += rows.replace(self.values, file.schema, file.parquet)
        return LoadResult("loaded", file.rows, deleted)

    def _all(self, sql: str, **more: object) -> list[tuple[Any, ...]]:
        return run(self.connection, sql, {**self.values, **more}).fetchall()

    def _check(self) -> None:
        """Every row is of the slot: then replacing the slot replaces what this file has loaded, and only that."""
        [(mine,)] = self._all(f"SELECT count(*) FROM read_parquet($path) WHERE {SLOT}", path=str(self.file.parquet))
        if mine != self.file.rows:
            raise FatalError(
                f"{self.file.parquet} has {self.file.rows} rows, but {mine} of {self.table} are of its slot "
                f"{self.file.slot}: each row's _item, _period_start, _period_end and _part must be the file's. "
                "Nothing was loaded."
            )

    def _guard(self, held: int | None) -> None:
        """Refuse a file that has lost too many of the rows of what it follows."""
        if self.how.max_row_drop is None:
            return
        if held is None and self.how.mode == "snapshot":
            before = self._all(
                "SELECT row_count FROM _ondol.loads WHERE item = $item AND part = $part AND period_start < $start"
                " AND table_name = $table ORDER BY period_start DESC, period_end DESC LIMIT 1",
                table=self.table,
            )
            held = before[0][0] if before else None
        if held and self.file.rows < held * (1 - self.how.max_row_drop):
            raise Rejected(
                f"{self.file.slot} has {self.file.rows} rows, but what it follows has {held}: more are missing than "
                f"max_row_drop allows ({self.how.max_row_drop:.0%}).",
                "Ask the sender for the whole file, or release it with --accept if it is right as it is.",
                {"rows": self.file.rows, "before": held},
            )

    def _note(self) -> None:
        f = self.file
        noted = (f.version, f.sha256, f.rules_hash, self.table, f.rows, f.run_key)
        self.connection.execute(
            "INSERT OR REPLACE INTO _ondol.loads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [*self.values.values(), *noted],
        )

    def _withdraw(self, table: str) -> int:
        """Take out what this slot has loaded in another table, and this very file as another part by other rules.

        Returns:
            how many rows were deleted.
        """
        moved = self._all(
            "SELECT table_name, part FROM _ondol.loads WHERE item = $item AND period_start = $start"
            " AND period_end = $end AND part <> $part AND version = $version AND rules_hash <> $rules",
            version=self.file.version,
            rules=self.file.rules_hash,
        )
        places = [(there, {**self.values, "part": part}) for there, part in moved]
        places += [(table, self.values)] if table != self.table else []
        deleted = 0
        for there, values in places:
            run(self.connection, f"DELETE FROM _ondol.loads WHERE {BOOK}", values)
            deleted += Rows(self.warehouse, self.connection, there).take_out(values)
        return deleted

    def _twin(self, rows: Rows, held: _Held | None) -> str:
        """The file that the content stays loaded from; none if it is this one, and is yet to be loaded.

        Of the files of a slot with one content, the oldest has its rows in the table. When that one is corrected, the
        rows become the next one's: what is there does not depend on the order in which they came.
        """
        others = self._claims(self.file.sha256)
        if held and held.sha256 != self.file.sha256 and (heirs := self._claims(held.sha256)):
            rows.hand_over(self.values, *heirs[0][1:])
        if others and others[0][0] < self.file.version:
            rows.hand_over(self.values, *others[0][1:])
            return str(others[0][1])
        if others:
            rows.delete({**self.values, "part": others[0][1]})
        elif held and (held.sha256, held.rules_hash) == (self.file.sha256, self.file.rules_hash):
            rows.hand_over(self.values, self.file.slot.part, self.file.run_key)
            return self.file.slot.part
        return ""

    def _claims(self, sha256: str) -> list[tuple[Any, ...]]:
        """The other files of the slot with that content, oldest first: version, part, run key."""
        return self._all(
            "SELECT version, part, run_key FROM _ondol.loads WHERE item = $item AND period_start = $start AND"
            " period_end = $end AND part <> $part AND sha256 = $sha256 AND table_name = $table ORDER BY version, part",
            sha256=sha256,
            table=self.table,
        )
