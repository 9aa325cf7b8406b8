"""From a figure in a mart back to the cells that it was made of."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from converters.tidy import LINEAGE
from ondol.config.tenant import Transform
from ondol.errors import FatalError
from ondol.manifest import Period
from ondol.warehouse.base import Origin
from ondol.warehouse.dataform.project import Action, Project, compile_project
from ondol.warehouse.duckdb import DuckDbWarehouse, first, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlglot import exp

Value = tuple[str, str, int]
"""A tidy table, its column and the row's id in it."""
QUERIES = ("table", "view", "incremental")


def trace(
    warehouse: DuckDbWarehouse,
    models: Transform | str | None,
    table: str,
    key: Mapping[str, object],
    column: str | None,
) -> list[Origin]:
    """See Warehouse.trace. What was loaded since the last transform is seen as if the mart had been made of it."""
    project = None
    if models:
        project = compile_project(warehouse.project, models, warehouse.tenant, warehouse.home / "dataform")
    with warehouse.connect() as connection:
        tables = _columns(connection, warehouse.tenant)
        row = _Row(table, dict(key), column, tables)
        if not _is_there(connection, warehouse, row):
            raise FatalError(f"{table} has no row where {row.key}")
        if project and table in _queries(project):
            values = _of_mart(connection, project, row)
        elif set(LINEAGE) <= set(tables[table]):
            values = _of_tidy(connection, warehouse, row)
        else:
            raise FatalError(f"{table} is made by no query of the models, so it cannot be traced")
        return sorted(_origins(connection, warehouse, values), key=lambda o: (o.file, o.sheet, o.row, o.column))


def _is_there(connection: DuckDBPyConnection, warehouse: DuckDbWarehouse, row: _Row) -> bool:
    """Whether the table has the row; a value that is not of its column's type names none."""
    import duckdb

    try:
        return bool(first(connection, f"SELECT 1 FROM {warehouse.name(row.table)} WHERE {row.condition}", row.values))
    except duckdb.ConversionException:
        return False


class _Row:
    """The row, or rows, that are meant, and the columns that are asked for."""

    def __init__(
        self, table: str, key: dict[str, object], column: str | None, tables: dict[str, dict[str, str]]
    ) -> None:
        if table not in tables:
            raise FatalError(f"the warehouse has no table {table!r}; it has {sorted(tables)}")
        columns = tables[table]
        if unknown := [name for name in [*key, *([column] if column else [])] if name not in columns]:
            raise FatalError(f"{table} has no column {unknown[0]!r}; it has {list(columns)}")
        if not key:
            raise FatalError(f"say which row of {table} is meant, by values of its columns {list(columns)}")
        self.table = table
        self.key = key
        self.tables = tables
        self.columns = [column] if column else [name for name in columns if name not in LINEAGE]
        self.values = list(key.values())
        self.condition = " AND ".join(f"{quoted(name)} IS NOT DISTINCT FROM CAST(? AS {columns[name]})" for name in key)


def _queries(project: Project) -> dict[str, Action]:
    return {a.name: a for a in project.actions if a.kind in QUERIES and a.target[0] == project.tenant}


def _columns(connection: DuckDBPyConnection, schema: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    rows = connection.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = ? ORDER BY table_name, ordinal_position",
        [schema],
    )
    for table, column, kind in rows.fetchall():
        found[table][column] = kind
    return found


def _of_tidy(connection: DuckDBPyConnection, warehouse: DuckDbWarehouse, row: _Row) -> list[Value]:
    ids = connection.execute(f"SELECT rowid FROM {warehouse.name(row.table)} WHERE {row.condition}", row.values)
    return [(row.table, column, found[0]) for found in ids.fetchall() for column in row.columns]


def _of_mart(connection: DuckDBPyConnection, project: Project, row: _Row) -> list[Value]:
    import duckdb
    from sqlglot.errors import SqlglotError

    from ondol.warehouse.dataform.lineage import companion, mart_cte

    companions = ", ".join(quoted(companion(column)) for column in row.columns)
    try:
        return connection.execute(
            f"{_with_companions(project, row)} SELECT DISTINCT origin.t, origin.c, origin.r FROM"
            f" (SELECT unnest(list_concat([], {companions})) AS origin FROM {quoted(mart_cte(row.table))}"
            f" WHERE {row.condition}) WHERE origin.r IS NOT NULL",
            row.values,
        ).fetchall()
    except (SqlglotError, duckdb.Error) as error:
        raise FatalError(f"{row.table}: its SQL cannot be traced: {str(error).splitlines()[0]}") from error


def _with_companions(project: Project, row: _Row) -> str:
    """WITH "mart a" AS (…), "mart b" AS (…): the mart after what it reads, wanted columns with their companions."""
    from ondol.warehouse.dataform import dialect, lineage

    queries = _queries(project)
    needs = lineage.Needs(frozenset(queries), project.tenant, {row.table: set(row.columns)})
    ctes: list[str] = []
    for name in reversed(queries):  # what a later one reads of an earlier one is known then
        if name in needs.wanted:
            action = queries[name]
            tree = _qualified(dialect.tree(action.queries[0], project.database), project.tenant, row.tables)
            companions = {column: lineage.companion(column) for column in sorted(needs.wanted[name])}
            try:
                annotated = lineage.marts_as_ctes(lineage.annotate(tree, companions, needs), needs)
            except lineage.Untraceable as error:
                raise FatalError(f"{project.where(action.file, ())}: {error}") from error
            ctes.insert(0, f"{quoted(lineage.mart_cte(name))} AS NOT MATERIALIZED ({dialect.generate(annotated)})")
    return f"WITH {', '.join(ctes)}"


def _qualified(tree: exp.Query, schema: str, columns: dict[str, dict[str, str]]) -> Any:
    """Every column with the thing in FROM that it belongs to, and no star left."""
    from sqlglot.optimizer.qualify import qualify

    return qualify(tree, dialect="duckdb", schema={schema: columns})


def _origins(connection: DuckDBPyConnection, warehouse: DuckDbWarehouse, values: list[Value]) -> Iterator[Origin]:
    """The values and their cells; a row that only counted is named once, as column `*`."""
    wanted: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for table, column, rowid in values:
        wanted[table][rowid].add(column)
    for table, columns in sorted(wanted.items()):
        cursor = connection.execute(
            f"SELECT rowid, * FROM {warehouse.name(table)} WHERE rowid IN (SELECT unnest(?))", [sorted(columns)]
        )
        names = [described[0] for described in cursor.description or []]
        while batch := cursor.fetchmany(10_000):
            for found in batch:
                row = dict(zip(names, found, strict=True))
                cells = json.loads(row["_cells"] or "{}")
                for column in sorted(columns[row["rowid"]] - {"*"}) or ["*"]:
                    yield _origin(table, column, row, cells.get(column))


def _origin(table: str, column: str, row: dict[str, Any], cell: str | None) -> Origin:
    return Origin(
        table=table,
        column=column,
        value=row.get(column),
        file=row["_file"],
        sha256=row["_sha256"],
        sheet=row["_sheet"],
        row=row["_row"],
        cell=cell,
        item=row["_item"],
        period=Period(start=row["_period_start"], end=row["_period_end"]),
        part=row["_part"],
        run_key=row["_run_key"],
    )
