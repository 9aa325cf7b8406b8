"""The one script that brings a file into its slot: all of it in one transaction.

Source: BigQuery's "Multi-statement transactions": where a statement fails, all are rolled back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from converters.tidy import LOADED_AT
from ondol.config.load import Load
from ondol.warehouse.base import Slot
from ondol.warehouse.bigquery.books import Book
from ondol.warehouse.bigquery.sql import BOOKS, DERIVED, LOADS, RACED, RELEVANT, Sql, Statement, literal, plain, quoted
from ondol.warehouse.modes import Derivation


@dataclass(slots=True)
class Place:
    """One table that a script changes.

    Args:
        how: its mode.
        columns: of the table that has the rows slot by slot: its own, or its history's.
        anew: all of it is to be made of the history, not only what a slot touches.
    """

    table: str
    how: Load
    columns: Sequence[str]
    anew: bool = False


class Script:
    """Statements and their values, collected in the order in which they are to run."""

    def __init__(self, sql: Sql) -> None:
        self.sql = sql
        self.before: list[str] = []
        self.body: list[str] = []
        self.values: dict[str, object] = {}
        self.scopes = 0

    def statement(self, about: str) -> Statement:
        """The whole; its result is `n`, the number of rows that gave way."""
        parts = ["DECLARE gone INT64 DEFAULT 0", *self.before, "BEGIN TRANSACTION", *self.body, "COMMIT TRANSACTION"]
        return Statement("; ".join(map(plain, (*parts, "SELECT gone AS n"))), self.values, about)

    def unless_raced(self, slot: Slot, known: str | None) -> None:
        """Stop if the books are not as they were when all this was decided."""
        held = f"(SELECT STRING_AGG(job, ' ' ORDER BY job) FROM {self.sql.name(LOADS)} WHERE {RELEVANT})"
        self.values |= {"item": slot.item, "period_start": slot.period.start, "period_end": slot.period.end}
        self.values["known"] = known
        self.body.append(f"SELECT IF({held} IS NOT DISTINCT FROM @known, TRUE, ERROR('{RACED}'))")

    def note(self, book: Book) -> None:
        """Write the slot's line of the books."""
        self.erase(book.slot)
        names = list(BOOKS[LOADS])
        self.values |= {f"new_{name}": getattr(book, name) for name in names}
        given = ", ".join(f"@new_{name}" for name in names)
        self.body.append(f"INSERT INTO {self.sql.name(LOADS)} ({', '.join(names)}) VALUES ({given})")

    def erase(self, slot: Slot) -> None:
        """Strike a slot's line of the books out."""
        self.body.append(f"DELETE FROM {self.sql.name(LOADS)} WHERE {_line(self._scope(slot))}")

    def reshape(self, place: Place, before: Load) -> None:
        """Note a table's new mode; if it is made of a history no more, the history's rows become its own."""
        name = self.sql.name(place.table)
        if before.derived and not place.how.derived:
            columns = ", ".join(map(quoted, place.columns))
            self.body.append(f"DELETE FROM {name} WHERE TRUE")
            self.body.append(
                f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {self.sql.name(self.sql.history(place.table))}"
            )
        self.body.append(f"DELETE FROM {self.sql.name(DERIVED)} WHERE table_name = @reshaped")
        self.values["reshaped"] = place.table
        if place.how.derived:
            self.values["shape"] = place.how.model_dump_json()
            self.body.append(
                f"INSERT INTO {self.sql.name(DERIVED)} (table_name, how, stale) VALUES (@reshaped, @shape, FALSE)"
            )

    def take_out(self, place: Place, slot: Slot) -> None:
        """Delete the rows of a slot."""
        self.replace(place, slot, None, ())

    def replace(self, place: Place, slot: Slot, staging: str | None, names: Sequence[str], rows: int = 0) -> None:
        """Make the staged rows, or none, those of a slot, and what is made of them what it is to be."""
        scope = self._scope(slot)
        base = self._base(place)
        made = self._derivation(place, scope) if place.how.derived else None
        if made:
            keys = ", ".join(map(quoted, made.key))
            self.before.append(f"CREATE TEMP TABLE {made.touched} AS SELECT {keys} FROM {made.history} LIMIT 0")
            if (touch := made.touch_before()) and not place.anew:
                self.body.append(touch)
        self.body += [f"DELETE FROM {base} WHERE {_slot(scope)}", "SET gone = gone + @@row_count"]
        if staging:
            columns = ", ".join(map(quoted, names))
            self.body.append(
                f"INSERT INTO {base} ({columns}, {LOADED_AT})"
                f" SELECT {columns}, CURRENT_TIMESTAMP() FROM {self.sql.name(staging)}"
            )
            self.values["rows"] = rows
            self.body.append(
                f"SELECT IF((SELECT COUNT(*) FROM {base} WHERE {_slot(scope)}) = @rows, TRUE,"
                " ERROR('the slot has not as many rows as its file'))"
            )
        if made:
            self._settle(place, made)

    def delete(self, place: Place, slot: Slot) -> None:
        """Delete the rows of a slot of a table that nothing is made of."""
        self.body.append(f"DELETE FROM {self._base(place)} WHERE {_slot(self._scope(slot))}")

    def hand_over(self, place: Place, slot: Slot, part: str, run_key: str) -> None:
        """Make a slot's rows those of another file with the same content: of the mode append, the part is its name."""
        scope = self._scope(slot)
        self.values |= {f"{scope}heir": part, f"{scope}run_key": run_key}
        self.body.append(
            f"UPDATE {self._base(place)} SET `_part` = @{scope}heir, `_run_key` = @{scope}run_key,"
            f" `_file` = CONCAT(@{scope}heir, SUBSTR(`_file`, CHAR_LENGTH(@{scope}part) + 1)) WHERE {_slot(scope)}"
        )

    def _settle(self, place: Place, made: Derivation) -> None:
        """Make anew what the change of a slot touches."""
        unique, key = ", ".join(place.how.unique), ", ".join(made.key)
        broken = f"a file of {place.table} has rows without {key}, or two rows of one {unique}. Nothing was loaded"
        self.body.append(f"SELECT IF(EXISTS ({made.broken(everything=place.anew)}), ERROR({literal(broken)}), TRUE)")
        if not place.anew:
            self.body.append(made.touch_after())
        self.body += [made.forget(everything=place.anew), made.derive(everything=place.anew)]
        place.anew = False

    def _derivation(self, place: Place, scope: str) -> Derivation:
        return Derivation(
            how=place.how,
            target=self.sql.name(place.table),
            history=self._base(place),
            touched=f"_touched_{scope}".rstrip("_"),
            slots="SELECT item, period_start, period_end, part, version"
            f" FROM {self.sql.name(LOADS)} WHERE table_name = {literal(place.table)}",
            slot=_slot(scope),
            series=f"`_item` = @{scope}item AND `_part` = @{scope}part",
            start=f"@{scope}period_start",
            columns=place.columns,
            quoted=quoted,
        )

    def _base(self, place: Place) -> str:
        return self.sql.name(self.sql.history(place.table) if place.how.derived else place.table)

    def _scope(self, slot: Slot) -> str:
        """The prefix of the parameters of one slot."""
        self.scopes += 1
        scope = f"s{self.scopes}_"
        values = (slot.item, slot.period.start, slot.period.end, slot.part)
        self.values |= {f"{scope}{name}": value for name, value in zip(_KEY, values, strict=True)}
        return scope


def _slot(scope: str) -> str:
    return " AND ".join(f"`_{name}` = @{scope}{name}" for name in _KEY)


def _line(scope: str) -> str:
    return " AND ".join(f"{name} = @{scope}{name}" for name in _KEY)


_KEY = ("item", "period_start", "period_end", "part")
