"""Every statement that this warehouse sends: identifiers checked and in backquotes, values only as parameters.

Statements of one transaction stand in one script: where one fails, BigQuery rolls all of them back. A check is a SELECT
that calls ERROR().

Source: BigQuery's "Multi-statement transactions", "Data definition language", "Lexical structure" (identifiers).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from converters.tidy import LOADED_AT
from ondol.errors import FatalError
from ondol.warehouse.base import Slot

if TYPE_CHECKING:
    from google.cloud.bigquery import TableReference

LOADS = "_ondol_loads"
DERIVED = "_ondol_derived"
TRANSFORMS = "_ondol_transforms"
BOOKS = {
    LOADS: {
        "item": "STRING",
        "period_start": "DATE",
        "period_end": "DATE",
        "part": "STRING",
        "version": "STRING[]",
        "sha256": "STRING",
        "rules_hash": "STRING",
        "table_name": "STRING",
        "row_count": "INT64",
        "run_key": "STRING",
        "job": "STRING",
    },
    DERIVED: {"table_name": "STRING", "how": "STRING", "stale": "BOOL"},
    TRANSFORMS: {"models": "STRING", "input": "STRING", "made": "STRING[]"},
}
"""The bookkeeping tables; see books.py, modes.py and transform.py."""
OWN = ("_ondol_", "_assertions_")
"""What the platform's own tables begin with; no item and no model can make such a name."""
SLOT = "`_item` = @item AND `_period_start` = @period_start AND `_period_end` = @period_end AND `_part` = @part"
RELEVANT = "item = @item AND period_start = @period_start AND period_end = @period_end"
"""The lines of the books that decide what becomes of a file: of all parts of its period."""
RACED = "another run has loaded the slot meanwhile"
MOST_CLUSTERING = 4
FORBIDDEN = set('!"$()*,./;?@[\\]^`{}~')
"""Characters that no column may have. Source: "Specifying a schema", flexible column names."""
SYSTEM = ("_partition", "_table_", "_file_", "_row_timestamp", "__root__", "_colidentifier")

Values = Sequence[object] | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement or script.

    Args:
        values: of its parameters, @named or ? by position.
        about: what it does, for messages.
    """

    sql: str
    values: Values = field(default_factory=dict)
    about: str = "a query"


def quoted(name: str) -> str:
    """A column or table name in backquotes; FatalError for one that BigQuery does not have."""
    bad = FORBIDDEN & set(name) or any(unicodedata.category(character)[0] == "C" for character in name)
    if bad or not 1 <= len(name) <= 300 or name.lower().startswith(SYSTEM):
        raise FatalError(
            f"{name!r} is no name for BigQuery: give letters, digits, spaces and _ - & % = + : ' < > # |, at most 300, "
            f"not beginning with {', '.join(SYSTEM)}"
        )
    return f"`{name}`"


def literal(text: str) -> str:
    """A text of this platform's own as SQL says it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def clustering(columns: Sequence[str], types: Mapping[str, str], table: str) -> tuple[str, ...]:
    """The clustering columns of a tidy table: the item, then those asked for."""
    wanted = tuple(dict.fromkeys(("_item", *columns)))
    if len(wanted) > MOST_CLUSTERING:
        raise FatalError(
            f"{table}: cluster has {len(wanted) - 1} columns; BigQuery takes {MOST_CLUSTERING - 1} more than _item"
        )
    if unfit := [name for name in wanted if types.get(name) not in ("STRING", "INT64", "NUMERIC", "DATE", "BOOL")]:
        raise FatalError(f"{table}: cluster names {unfit[0]!r}, which is no column that BigQuery can cluster by")
    return wanted


class Sql:
    """The statements about one tenant's dataset."""

    def __init__(self, project: str, dataset: str) -> None:
        self.project = project
        self.dataset = dataset

    def name(self, table: str) -> str:
        """The whole name of a table, in backquotes."""
        return f"`{self.project}.{self.dataset}.{quoted(table)[1:-1]}`"

    # Loading

    def create(self, table: str, types: Mapping[str, str], cluster: Sequence[str]) -> Statement:
        """Make a tidy table, partitioned by the month of the period."""
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in types.items())
        sql = f"CREATE TABLE IF NOT EXISTS {self.name(table)} ({columns}) {self._layout(cluster)}"
        return Statement(sql, about=f"making {table}")

    def recast(
        self, table: str, staging: str | None, types: Mapping[str, str], staged: Sequence[str], cluster: Sequence[str]
    ) -> Statement:
        """Give a tidy table, of which nothing is to stay, other columns, and the rows of the staging table."""
        if not staging:
            return self.empty(table, types, cluster)
        others = {name: f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in types.items()}
        columns = ", ".join(quoted(name) if name in staged else other for name, other in others.items())
        made = f"CREATE OR REPLACE TABLE {self.name(table)} {self._layout(cluster)}"
        return Statement(f"{made} AS SELECT {columns} FROM {self.name(staging)}", about=f"making {table} anew")

    def copy(self, table: str, source: str, names: Sequence[str], cluster: Sequence[str]) -> Statement:
        """Make a table of another's rows."""
        made = f"CREATE OR REPLACE TABLE {self.name(table)} {self._layout(cluster)}"
        columns = ", ".join(map(quoted, names))
        return Statement(f"{made} AS SELECT {columns} FROM {self.name(source)}", about=f"making {table}")

    def empty(self, table: str, types: Mapping[str, str], cluster: Sequence[str]) -> Statement:
        """Give a tidy table, which has no rows, other columns."""
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in types.items())
        sql = f"CREATE OR REPLACE TABLE {self.name(table)} ({columns}) {self._layout(cluster)}"
        return Statement(sql, about=f"making {table} anew")

    def count(self, table: str) -> Statement:
        """The number of a table's rows."""
        return Statement(f"SELECT COUNT(*) AS n FROM {self.name(table)}", about=f"counting {table}")

    def add(self, table: str, types: Mapping[str, str]) -> Statement:
        """Give a table the columns that it lacks."""
        added = ", ".join(f"ADD COLUMN IF NOT EXISTS {quoted(name)} {kind}" for name, kind in types.items())
        return Statement(f"ALTER TABLE {self.name(table)} {added}", about=f"widening {table}")

    def widen(self, table: str, column: str, kind: str) -> Statement:
        """Give a column a type that holds all values of its own."""
        sql = f"ALTER TABLE {self.name(table)} ALTER COLUMN {quoted(column)} SET DATA TYPE {kind}"
        return Statement(sql, about=f"widening {table}.{column}")

    def remove(self, table: str, names: Sequence[str]) -> Statement:
        """Take columns from a table."""
        gone = ", ".join(f"DROP COLUMN IF EXISTS {quoted(name)}" for name in names)
        return Statement(f"ALTER TABLE {self.name(table)} {gone}", about=f"narrowing {table}")

    def history(self, table: str) -> str:
        """The name of the table with all files' rows that a derived table is made of."""
        return f"_ondol_history_{table}"

    def books(self, slot: Slot) -> Statement:
        """The lines of the books that decide what becomes of a file, and how the derived tables are made."""
        lines = ", ".join(BOOKS[LOADS])
        sql = (
            f"SELECT ARRAY(SELECT AS STRUCT {lines} FROM {self.name(LOADS)} WHERE {RELEVANT}) AS books,"
            f" ARRAY(SELECT AS STRUCT {', '.join(BOOKS[DERIVED])} FROM {self.name(DERIVED)}) AS derived"
        )
        return Statement(sql, _values(slot, "part"), f"what {slot} holds")

    def before(self, slot: Slot, table: str) -> Statement:
        """How many rows the snapshot before a slot has."""
        sql = (
            f"SELECT row_count FROM {self.name(LOADS)} WHERE item = @item AND part = @part AND table_name = @table"
            " AND period_start < @period_start ORDER BY period_start DESC, period_end DESC LIMIT 1"
        )
        return Statement(sql, {**_values(slot, "period_end"), "table": table}, f"what precedes {slot}")

    def outdate(self, table: str) -> Statement:
        """Note that a table is not what its history makes it."""
        sql = f"UPDATE {self.name(DERIVED)} SET stale = TRUE WHERE table_name = @table"
        return Statement(sql, {"table": table}, f"making {table} anew")

    def others(self, table: str, slot: Slot) -> Statement:
        """Whether a table has rows of other slots."""
        sql = f"SELECT COUNTIF(({SLOT}) IS NOT TRUE) AS n FROM {self.name(table)}"
        return Statement(sql, _values(slot), f"looking into {table}")

    def loads(self) -> Statement:
        """What every slot holds, in the order of the slots."""
        sql = (
            "SELECT item, period_start, period_end, part, version, rules_hash, table_name"
            f" FROM {self.name(LOADS)} ORDER BY item, period_start, period_end, part"
        )
        return Statement(sql, about="what is loaded")

    def _layout(self, cluster: Sequence[str]) -> str:
        return f"PARTITION BY DATE_TRUNC(`_period_start`, MONTH) CLUSTER BY {', '.join(map(quoted, cluster))}"

    # Models

    def transformed(self) -> Statement:
        """What the last transform was made of, and what it made."""
        return Statement(f"SELECT input, made FROM {self.name(TRANSFORMS)}", about="the last transform")

    def note_transform(self, models: str, inputs: str | None, made: Sequence[str]) -> Statement:
        """Note what a transform was made of (NULL: it is not sound, or not at its end) and what it made."""
        script = f"""
            BEGIN TRANSACTION;
            DELETE FROM {self.name(TRANSFORMS)} WHERE TRUE;
            INSERT INTO {self.name(TRANSFORMS)} (models, input, made) VALUES (@models, @inputs, @made);
            COMMIT TRANSACTION;
        """
        values = {"models": models, "inputs": inputs, "made": list(made)}
        return Statement(plain(script), values, "noting the transform")

    def make(self, kind: str, name: str, query: str, partition: str, cluster: Sequence[str]) -> Statement:
        """A table or view of a model's query, on lines of its own, so that BigQuery's line numbers are the query's."""
        layout = f" PARTITION BY {partition}" if partition else ""
        layout += f" CLUSTER BY {', '.join(map(quoted, cluster))}" if cluster else ""
        return Statement(f"CREATE OR REPLACE {kind} {self.name(name)}{layout} AS\n{query}", about=name)

    def whole(self, reference: TableReference) -> str:
        """The name of any table, such as a query's result."""
        return f"`{reference.project}.{reference.dataset_id}.{reference.table_id}`"

    # Reading

    def all_rows(self, table: str) -> Statement:
        """Every row of a view, which has no rows of its own to be read directly."""
        return Statement(f"SELECT * FROM {self.name(table)}", about=f"reading {table}")

    def some_rows(self, table: str, most: int) -> Statement:
        """A few rows of a table or view."""
        return Statement(f"SELECT * FROM {self.name(table)} LIMIT {most:d}", about=f"reading {table}")

    def rows_of(self, table: str, types: Mapping[str, str], key: Mapping[str, object]) -> Statement:
        """The rows with those values, which may be written as text."""
        where = " AND ".join(
            f"{quoted(name)} IS NOT DISTINCT FROM SAFE_CAST(@k{number} AS {types[name]})"
            for number, name in enumerate(key)
        )
        values = {f"k{number}": value for number, value in enumerate(key.values())}
        return Statement(f"SELECT * FROM {self.name(table)} WHERE {where}", values, f"rows of {table}")

    def totals(self, table: str, columns: Sequence[str]) -> Statement:
        """The number of rows, and the sum and parity of their hashes."""
        return Statement(
            f"SELECT COUNT(*) AS n, {_total('h')} AS total, {_parity('h')} AS parity"
            f" FROM (SELECT {row_hash(columns)} AS h FROM {self.name(table)})",
            about=f"fingerprint of {table}",
        )

    # What was synced

    def synced(self, mart: str) -> str:
        """The name of the table that remembers a mart."""
        return f"_ondol_synced_{mart}"

    def remembered(self, mart: str) -> Statement:
        """`totals` of what is remembered of a mart."""
        totals = f"COUNT(*) AS n, {_total('h')} AS total, {_parity('h')} AS parity"
        return Statement(f"SELECT {totals} FROM {self.name(self.synced(mart))}", about=f"what was synced of {mart}")

    def remember(self, mart: str, columns: Sequence[str], key: Sequence[str], about: str) -> Statement:
        """Keep key and hash of each row of a mart.

        Args:
            about: hexadecimal; becomes the table's description.
        """
        keys = ", ".join(f"{quoted(name)} AS k{number}" for number, name in enumerate(key))
        sql = (
            f"CREATE OR REPLACE TABLE {self.name(self.synced(mart))} OPTIONS (description = '{int(about, 16):064x}') AS"
            f" SELECT {keys}, {row_hash(columns)} AS h FROM {self.name(mart)}"
        )
        return Statement(sql, about=f"remembering {mart}")

    def differing(self, mart: str, columns: Sequence[str], key: Sequence[str]) -> Statement:
        """The rows that differ from what is remembered: c0… as they are, k0… and `old` as they were."""
        values = ", ".join(f"{quoted(name)} AS c{number}" for number, name in enumerate(columns))
        match = " AND ".join(f"c{columns.index(name)} = k{number}" for number, name in enumerate(key))
        sql = (
            f"SELECT now.*, was.* EXCEPT (h), h AS old FROM (SELECT {values}, {row_hash(columns)} AS fresh"
            f" FROM {self.name(mart)}) AS now FULL JOIN {self.name(self.synced(mart))} AS was ON {match}"
            " WHERE fresh IS DISTINCT FROM h"
        )
        return Statement(sql, about=f"what changed in {mart}")

    def difference(self, mart: str, differing: str, columns: Sequence[str], key: Sequence[str]) -> Statement:
        """How many rows differ in which way, and `totals` of the mart and of what is remembered."""
        keys = [f"c{columns.index(name)}" for name in key]
        given = " AND ".join(f"{name} IS NOT NULL" for name in keys)
        whole = f"IF({given}, TO_JSON_STRING(STRUCT({', '.join(keys)})), NULL)"
        sql = f"""
            SELECT now.*, was.n AS `then`, differing.*
            FROM ({self.totals(mart, columns).sql}) AS now
            CROSS JOIN ({self.remembered(mart).sql}) AS was
            CROSS JOIN (
                SELECT
                    COUNTIF(old IS NULL) AS inserted,
                    COUNTIF(fresh IS NULL) AS deleted,
                    COUNTIF(fresh IS NOT NULL AND old IS NOT NULL) AS updated,
                    COUNT(DISTINCT {whole}) = COUNT(fresh) AS is_unique
                FROM {differing}
            ) AS differing
        """
        return Statement(plain(sql), about=f"what changed in {mart}")


def row_hash(columns: Sequence[str]) -> str:
    """The SQL of a row's hash: of its columns but when it was loaded, as JSON, which tells NULL from all else."""
    counted = [name for name in columns if name != LOADED_AT] or columns
    return f"FARM_FINGERPRINT(TO_JSON_STRING(STRUCT({', '.join(map(quoted, counted))})))"


def _total(hashes: str) -> str:
    return f"COALESCE(SUM(CAST({hashes} AS NUMERIC)), 0)"


def _parity(hashes: str) -> str:
    return f"COALESCE(BIT_XOR({hashes}), 0)"


def plain(script: str) -> str:
    """A script of several lines on one."""
    return re.sub(r"\s+", " ", script).strip()


def _values(slot: Slot, *but: str) -> dict[str, object]:
    """The parameters that name a slot."""
    values = {"item": slot.item, "period_start": slot.period.start, "period_end": slot.period.end, "part": slot.part}
    return {name: value for name, value in values.items() if name not in but}
