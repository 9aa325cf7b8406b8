"""One file's rows into its slot: Parquet → staging table → one transaction.

Whatever is killed, and whenever: the staging table is the same at each try; the transaction's job id is made of what
the books said before and are to say now; and schema changes come first and harm nobody if nothing follows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from converters.tidy import LOADED_AT
from ondol.config.load import Load
from ondol.errors import FatalError, RetriableError
from ondol.faults import point
from ondol.warehouse.base import VALIDITY, LoadResult, Slot
from ondol.warehouse.bigquery.books import Book, Plan, guard, plan
from ondol.warehouse.bigquery.client import Client
from ondol.warehouse.bigquery.script import Place, Script
from ondol.warehouse.bigquery.sql import MOST_CLUSTERING, RACED, Sql, Statement, clustering
from ondol.warehouse.bigquery.types import WIDENS, tidy_types

if TYPE_CHECKING:
    import pyarrow as pa

RACES = 3
VALIDITY_TYPES = dict(zip(VALIDITY, ("DATE", "DATE", "BOOL"), strict=True))


class Loading:
    """One file on its way into its slot.

    Args:
        source: the Parquet: where the lake has it, or a local file.
        rows: how many rows it has.
        book: the slot's new line in the books; its job is made up here.
    """

    def __init__(
        self, client: Client, source: str | Path, schema: pa.Schema, rows: int, how: Load, book: Book, accept: bool
    ) -> None:
        self.client = client
        self.sql = Sql(client.project, client.tenant)
        self.table = book.table_name
        self.source = source
        self.types = tidy_types(schema, self.table)
        self.wanted = {**self.types, LOADED_AT: "TIMESTAMP"}
        self.cluster = clustering(how.cluster, self.wanted, self.table)
        self.rows = rows
        self.how = how
        self.book = book
        self.slot = book.slot
        self.accept = accept
        self.stale = False

    def run(self) -> LoadResult:
        """See Warehouse.load."""
        for _ in range(RACES):
            try:
                return self._run()
            except FatalError as error:
                if RACED not in str(error):
                    raise
        raise RetriableError(f"{self.slot}: {RACED}, again and again: run the stage again")

    def _run(self) -> LoadResult:
        [found] = self.client.rows(self.sql.books(self.slot))
        books = [Book(**line) for line in found["books"]]
        shapes = {line["table_name"]: Load.model_validate_json(line["how"]) for line in found["derived"]}
        self.stale = any(line["stale"] for line in found["derived"] if line["table_name"] == self.table)
        held = next((book for book in books if book.slot == self.slot), None)
        if held and held.version > self.book.version:
            return LoadResult("superseded")
        if held and (held.version, held.rules_hash) == (self.book.version, self.book.rules_hash):
            return LoadResult("unchanged")
        if not self.accept:
            guard(self.how, self.slot, self.rows, held.row_count if held else self._before())
        return self._bring(plan(self.book, held, books, self.how), shapes)

    def _bring(self, made: Plan, shapes: Mapping[str, Load]) -> LoadResult:
        key = (str(self.slot), self.table, self.book.version, self.book.rules_hash, made.known)
        staging = None if made.twins.duplicate is not None else f"_ondol_staging_{_digest(key)}"
        if staging:
            self._stage(staging, key)
            point("warehouse:load:staged")
        before = shapes.get(self.table, Load())
        place = self._fit(before, staging)
        point("warehouse:load:fitted")
        script = Script(self.sql)
        script.unless_raced(self.slot, made.known)
        self._withdraw(script, place, made.moved, shapes)
        script.note(replace(self.book, job=_digest(key)))
        for part, run_key in made.twins.heirs:
            script.hand_over(place, self.slot, part, run_key)
        if made.twins.delete is not None:
            script.delete(place, Slot(self.slot.item, self.slot.period, made.twins.delete))
        if staging:
            script.replace(place, self.slot, staging, list(self.types), self.rows)
        gone = self.client.once(
            script.statement(f"loading {self.slot}"), "commit", *key, holds=lambda: self._is_noted(_digest(key))
        )
        point("warehouse:load:commit")
        self._clean(staging, before)
        point("warehouse:load:done")
        if made.twins.duplicate is not None:
            return LoadResult("duplicate", twin=made.twins.duplicate)
        return LoadResult("loaded", self.rows, int(gone[0]["n"]))

    def _is_noted(self, job: str) -> bool:
        [found] = self.client.rows(self.sql.books(self.slot))
        return any(line["job"] == job for line in found["books"])

    def _withdraw(self, script: Script, place: Place, moved: Sequence[Book], shapes: Mapping[str, Load]) -> None:
        """Take out what has to go first; a table that changes its mode does so in between."""
        for book in moved:
            script.erase(book.slot)
            if book.table_name != self.table:
                how = shapes.get(book.table_name, Load())
                there = self.sql.history(book.table_name) if how.derived else book.table_name
                script.take_out(Place(book.table_name, how, list(self.client.columns(there))), book.slot)
        before = shapes.get(self.table, Load())
        if place.anew or before.derived != self.how.derived:
            script.reshape(place, before)
        for book in moved:
            if book.table_name == self.table:
                script.take_out(place, book.slot)

    def _clean(self, staging: str | None, before: Load) -> None:
        """Drop what nobody needs any more; what a kill leaves is harmless."""
        if before.derived and not self.how.derived:
            self.client.drop(self.sql.history(self.table))
        if before.mode == "snapshot" and self.how.mode != "snapshot":
            self.client.run(self.sql.remove(self.table, VALIDITY))
        if staging:
            self.client.drop(staging)

    def _before(self) -> int | None:
        """Of the mode snapshot, how many rows the snapshot before this one has."""
        if self.how.mode != "snapshot" or self.how.max_row_drop is None:
            return None
        found = self.client.rows(self.sql.before(self.slot, self.table))
        return int(found[0]["row_count"]) if found else None

    def _stage(self, staging: str, key: Sequence[object]) -> None:
        """The rows in a table of their own; what an earlier try has put there is taken as it is."""
        from google.cloud.bigquery import SchemaField

        schema = [SchemaField(name, kind) for name, kind in self.types.items()]
        made = self.client.make_staging(staging, schema)
        loaded = self.client.load(self.source, staging, schema, "stage", made.isoformat(), *key)
        if loaded != self.rows:
            self.client.drop(staging)
            raise FatalError(f"{self.source} has {self.rows} rows, but BigQuery read {loaded}. Nothing was loaded.")

    def _fit(self, before: Load, staging: str | None) -> Place:
        """Give the table, and its history, the columns that the file brings."""
        wanted, cluster = self.wanted, self.cluster
        base = self.sql.history(self.table) if self.how.derived else self.table
        if self.how.derived and not before.derived and (there := self.client.columns(self.table)):
            self.client.run(self.sql.copy(base, self.table, list(there), cluster))
        recast = self.sql.recast(base, staging, {**self.client.columns(base), **wanted}, list(self.types), cluster)
        fit(self.client, self.sql, base, wanted, cluster, remains=self.sql.others(base, self.slot), recast=recast)
        if not self.how.derived:
            source = self.sql.history(self.table) if before.derived else base
            return Place(self.table, self.how, list(self.client.columns(source)))
        columns = self.client.columns(base)
        anew = before.shape != self.how.shape or self.stale or not self.client.columns(self.table)
        return Place(self.table, self.how, list(columns), self._fit_derived(columns) or anew)

    def _fit_derived(self, columns: Mapping[str, str]) -> bool:
        """Give a table that is made of a history its columns; whether all of it has to be made anew for that."""
        shown = {**columns, **(VALIDITY_TYPES if self.how.mode == "snapshot" else {})}
        keys = [name for name in (*self.how.cluster, *self.how.key) if columns.get(name) != "FLOAT64"]
        cluster = tuple(dict.fromkeys(keys))[:MOST_CLUSTERING] or ("_item",)
        present = self.client.columns(self.table)
        others = {(present[name], kind) for name, kind in shown.items() if present.get(name, kind) != kind}
        if not others <= WIDENS:
            self.client.run(self.sql.outdate(self.table))
            self.client.run(self.sql.empty(self.table, shown, cluster))
            return True
        fit(self.client, self.sql, self.table, shown, cluster)
        return False


def fit(
    client: Client,
    sql: Sql,
    table: str,
    types: Mapping[str, str],
    cluster: Sequence[str] = ("_item",),
    *,
    remains: Statement | None = None,
    recast: Statement | None = None,
) -> None:
    """Make a tidy table, or widen it by the columns and the types that it lacks.

    Args:
        remains: counts the rows that are to stay; if there are none, a column may become anything: `recast` makes the
            table anew.

    Raises:
        FatalError: a column's type differs and cannot be widened without changing what is there.
    """
    present = client.columns(table)
    if not present:
        client.run(sql.create(table, types, cluster))
        return
    other = {name: kind for name, kind in types.items() if present.get(name, kind) != kind}
    widened = {name for name, kind in other.items() if (present[name], kind) in WIDENS}
    conflicts = [name for name, kind in other.items() if name not in widened and (kind, present[name]) not in WIDENS]
    if conflicts and client.rows(remains or sql.count(table))[0]["n"] == 0:
        client.run(recast or sql.empty(table, {**present, **types}, cluster))
        return
    if conflicts:
        raise FatalError(
            f"{table}.{conflicts[0]} is {present[conflicts[0]]} in the warehouse and holds rows, but the rule now says "
            f"{types[conflicts[0]]}. Give the column another name, or the item another `table`, and run its periods "
            "again: an item that moves takes its rows along."
        )
    if missing := {name: kind for name, kind in types.items() if name not in present}:
        client.run(sql.add(table, missing))
    for name in sorted(widened):
        client.run(sql.widen(table, name, types[name]))


def _digest(key: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(key, default=str).encode()).hexdigest()[:24]
