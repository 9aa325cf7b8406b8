"""The rows of one tidy table in DuckDB: slot by slot, in a history if the table is made of all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from converters.tidy import LOADED_AT
from ondol.config.load import Load
from ondol.errors import FatalError
from ondol.warehouse.base import VALIDITY, Slot
from ondol.warehouse.duckdb import DuckDbWarehouse, columns_of, first, quoted, tables_of
from ondol.warehouse.evolve import TYPES, WIDENS, duckdb_types, fit, is_empty
from ondol.warehouse.modes import Derivation

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

BOOKS = """
    CREATE SCHEMA IF NOT EXISTS _history;
    CREATE TABLE IF NOT EXISTS _ondol.derived (table_name VARCHAR PRIMARY KEY, how VARCHAR);
"""
SLOT = "_item = $item AND _period_start = $start AND _period_end = $end AND _part = $part"
BOOK = "item = $item AND period_start = $start AND period_end = $end AND part = $part"


class Rows:
    """The rows of one table: as they are, or, of a derived table, in its history."""

    def __init__(
        self, warehouse: DuckDbWarehouse, connection: DuckDBPyConnection, table: str, how: Load | None = None
    ) -> None:
        """Gives the table another form if it has had another mode so far.

        Args:
            how: the mode; the one that the table has, if None.
        """
        self.connection = connection
        self.tenant = warehouse.tenant
        self.table = table
        self.target = warehouse.name(table)
        self.history = f"_history.{quoted(table)}"
        found = first(connection, "SELECT how FROM _ondol.derived WHERE table_name = ?", [table])
        before = Load.model_validate_json(found[0]) if found else Load()
        self.how = how or before
        self.schema = "_history" if self.how.derived else self.tenant
        self.base = self.history if self.how.derived else self.target
        self.anew = before.shape != self.how.shape and (before.derived or self.how.derived)
        if self.anew:
            self._reshape(before)

    def replace(self, values: Mapping[str, object], schema: pa.Schema, parquet: Path) -> int:
        """Make a file's rows those of its slot; how many were deleted."""
        self._touch_before(values)
        deleted = self.delete(values)
        wanted = duckdb_types(schema, self.table) | {LOADED_AT: TYPES["timestamp[us, tz=UTC]"]}
        fit(self.connection, self.schema, self.table, wanted)
        columns = ", ".join(map(quoted, schema.names))
        self.connection.execute(
            f"INSERT INTO {self.base} ({columns}, {LOADED_AT}) SELECT {columns}, now() FROM read_parquet(?)",
            [str(parquet)],
        )
        self._settle(values)
        return deleted

    def take_out(self, values: Mapping[str, object]) -> int:
        """Delete the rows of a slot that is no more; how many."""
        self._touch_before(values)
        deleted = self.delete(values)
        self._settle(values)
        return deleted

    def delete(self, values: Mapping[str, object]) -> int:
        """Delete a slot's rows, and nothing else; how many."""
        if not self._is_there():
            return 0
        return int(run(self.connection, f"DELETE FROM {self.base} WHERE {SLOT}", values).fetchall()[0][0])

    def hand_over(self, values: Mapping[str, object], part: str, run_key: str) -> None:
        """Make a slot's rows those of another file with the same content: of the mode append, the part is its name."""
        sql = (
            f"UPDATE {self.base} SET _part = $heir, _run_key = $run_key,"
            " _file = $heir || CASE WHEN starts_with(_file, $part) THEN substring(_file, length($part) + 1) ELSE '' END"
            f" WHERE {SLOT}"
        )
        run(self.connection, sql, {**values, "heir": part, "run_key": run_key})

    def _is_there(self) -> bool:
        return self.table in tables_of(self.connection, self.schema)

    def _reshape(self, before: Load) -> None:
        """The rows of all files go where the mode wants them; what was made of them is made anew."""
        execute = self.connection.execute
        execute("DELETE FROM _ondol.derived WHERE table_name = ?", [self.table])
        if self.how.derived:
            execute("INSERT INTO _ondol.derived VALUES (?, ?)", [self.table, self.how.model_dump_json()])
        there = self.table in tables_of(self.connection, self.tenant)
        if not before.derived and there and not is_empty(self.connection, self.target):
            execute(f"CREATE TABLE {self.history} AS FROM {self.target}")
        if there:
            execute(f"DROP TABLE {self.target}")
        if not self.how.derived:
            execute(f"CREATE TABLE {self.target} AS FROM {self.history}")
            execute(f"DROP TABLE {self.history}")

    def _derivation(self) -> Derivation:
        columns = [name for name, _ in columns_of(self.connection, "_history", self.table)]
        literal = "'" + self.table.replace("'", "''") + "'"
        return Derivation(
            how=self.how,
            target=self.target,
            history=self.history,
            touched="_touched",
            slots="SELECT item, period_start, period_end, part, version FROM _ondol.loads"
            f" WHERE table_name = {literal}",
            slot=SLOT,
            series="_item = $item AND _part = $part",
            start="$start",
            columns=columns,
            quoted=quoted,
        )

    def _touch_before(self, values: Mapping[str, object]) -> None:
        if not self.how.derived or self.anew:
            return
        if not self._is_there():
            self.anew = True
            return
        made = self._derivation()
        keys = ", ".join(map(quoted, made.key))
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE _touched AS SELECT {keys} FROM {self.history} LIMIT 0")
        if sql := made.touch_before():
            run(self.connection, sql, values)

    def _settle(self, values: Mapping[str, object]) -> None:
        """Make anew what the change of a slot touches."""
        if not self.how.derived or not self._is_there():
            return
        made = self._derivation()
        self._fit_target()
        if run(self.connection, made.broken(everything=self.anew), values).fetchall():
            raise FatalError(
                f"{self.table}: a file has rows without {list(made.key)}, or two rows of one {list(self.how.unique)}. "
                "Nothing was loaded. Give the item another `table`, or a key that names its rows."
            )
        if not self.anew:
            run(self.connection, made.touch_after(), values)
        self.connection.execute(made.forget(everything=self.anew))
        self.connection.execute(made.derive(everything=self.anew))
        self.anew = False

    def _fit_target(self) -> None:
        """Give the table the columns of its history; if their types have become others, make it anew."""
        wanted = dict(columns_of(self.connection, "_history", self.table))
        if self.how.mode == "snapshot":
            wanted |= dict(zip(VALIDITY, ("DATE", "DATE", "BOOLEAN"), strict=True))
        present = dict(columns_of(self.connection, self.tenant, self.table))
        changed = {(present[name], kind) for name, kind in wanted.items() if present.get(name, kind) != kind}
        if not changed <= WIDENS:
            self.connection.execute(f"DROP TABLE {self.target}")
            self.anew = True
        fit(self.connection, self.tenant, self.table, wanted)


def slot_values(slot: Slot) -> dict[str, object]:
    """The parameters of SLOT and BOOK."""
    return {"item": slot.item, "start": slot.period.start, "end": slot.period.end, "part": slot.part}


def run(connection: DuckDBPyConnection, sql: str, values: Mapping[str, object]) -> DuckDBPyConnection:
    """Run a statement with those of the values that it names."""
    return connection.execute(*bound(sql, values))


def bound(sql: str, values: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """A statement and those of the values that it names: DuckDB takes no others."""
    return sql, {name: values[name] for name in set(re.findall(r"\$([a-z_0-9]+)", sql)) & set(values)}
