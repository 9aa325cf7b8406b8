"""Run a tenant's Dataform actions on DuckDB, all in one transaction.

An action that fails stops what depends on it and nothing else: DuckDB cannot go on after an error in a transaction, so
the run starts over without it. An incremental table is built in full: a late or corrected file counts then, and a month
run at once gives what thirty daily runs give.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ondol.config.tenant import Transform
from ondol.faults import point
from ondol.warehouse.base import ActionResult, TransformResult
from ondol.warehouse.dataform import outcome
from ondol.warehouse.dataform.project import Action, Project, Target, compile_project
from ondol.warehouse.duckdb import DuckDbWarehouse, first, loaded_state, quoted

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

WIDE = {
    "HUGEINT",
    "UHUGEINT",
    "INTEGER",
    "SMALLINT",
    "TINYINT",
    "UBIGINT",
    "UINTEGER",
    "USMALLINT",
    "UTINYINT",
    '"NULL"',
}
"""DuckDB's other integers: BigQuery has INT64 only."""


def run_project(
    warehouse: DuckDbWarehouse, models: Transform | str, schemas: Mapping[str, pa.Schema], *, cache: Path | None = None
) -> TransformResult:
    """See Warehouse.transform.

    Args:
        cache: where compiled graphs are kept, if not with the warehouse.
    """
    project = compile_project(warehouse.project, models, warehouse.tenant, cache or warehouse.home / "dataform")
    with warehouse.connect() as connection:
        if _last_input(connection) == _input(connection, project, schemas):
            made = [action for action in project.actions if action.kind != "declaration"]
            return TransformResult(tuple(ActionResult(a.name, a.kind, "unchanged") for a in made))
    failed: dict[Target, str] = {}
    while True:
        try:
            with warehouse.transaction() as connection:
                result = _Run(warehouse, connection, project, schemas, failed).all()
                point("warehouse:transform:commit")
        except _Failed as failure:
            failed[failure.target] = failure.message
        else:
            point("warehouse:transform:done")
            return result


def check_project(
    folder: Path,
    models: Transform | str,
    tenant: str,
    schemas: Mapping[str, pa.Schema],
    cache: Path,
    marts: Iterable[str] = (),
) -> list[str]:
    """What is wrong with a tenant's models, found by running them on empty tables: one message each, none if all run.

    Args:
        marts: the tables that the models must make, for they are synced.

    Raises:
        FatalError: the project does not compile, naming file and line.
    """
    with tempfile.TemporaryDirectory(prefix="ondol-check-") as home:
        warehouse = DuckDbWarehouse(Path(home), tenant, project=folder)
        result = run_project(warehouse, models, schemas, cache=cache)
    made = sorted(action.name for action in result.actions if action.kind in ("table", "view", "incremental"))
    unmade = [
        f"no model of '{Transform.of(models).models}' makes '{m}', which sync names; they make {', '.join(made)}"
        for m in marts
        if m not in made
    ]
    return [action.message for action in result.failed if action.rows is None] + unmade


class _Failed(Exception):
    """An action's SQL was refused or went wrong, and the transaction with it."""

    def __init__(self, target: Target, message: str) -> None:
        super().__init__(message)
        self.target = target
        self.message = message


class _Run:
    """One attempt to run all actions but those that failed before."""

    def __init__(
        self,
        warehouse: DuckDbWarehouse,
        connection: DuckDBPyConnection,
        project: Project,
        schemas: Mapping[str, pa.Schema],
        failed: Mapping[Target, str],
    ) -> None:
        self.warehouse = warehouse
        self.connection = connection
        self.project = project
        self.schemas = schemas
        self.failed = failed
        self.results: dict[Target, ActionResult] = {}

    def all(self) -> TransformResult:
        """Run everything that can be run and note what it was made from."""
        from ondol.warehouse.dataform.dialect import MACROS

        self.connection.execute(MACROS)
        for action in self.project.actions:
            if action.kind == "declaration":
                self._declare(action)
            else:
                self.results[action.target] = self._result(action)
        self._drop_orphans()
        outcome.withhold(self.project, self.results)
        results = tuple(self.results.values())
        sound = all(result.status == "done" for result in results)
        made = [a.name for a in self.project.actions if a.kind not in ("declaration", "assertion")]
        inputs = _input(self.connection, self.project, self.schemas) if sound else None
        self.connection.execute("DELETE FROM _ondol.transforms")
        self.connection.execute("INSERT INTO _ondol.transforms VALUES (?, ?, ?)", [self.project.models, inputs, made])
        return TransformResult(results)

    def _declare(self, action: Action) -> None:
        outcome.check_declared(self.project, action, self.schemas)
        self.warehouse.fit(self.connection, action.name, self.schemas[action.name])

    def _result(self, action: Action) -> ActionResult:
        if action.target in self.failed:
            return ActionResult(action.name, action.kind, "failed", message=self.failed[action.target])
        if stopped := outcome.blocked(action, self.results):
            return stopped
        import duckdb

        from ondol.warehouse.dataform.dialect import Refused

        try:
            return self._run(action)
        except Refused as refused:
            raise self._failure(action, str(refused), *refused.near) from refused
        except duckdb.Error as error:
            message = str(error).split("\n\nLINE")[0].replace("\n", " ")
            raise self._failure(action, message, *re.findall(r'"([^"]+)"|with name (\S+)', message)[0:1]) from error

    def _failure(self, action: Action, message: str, *near: str | tuple[str, ...]) -> _Failed:
        texts = ["".join(text) for text in near]
        return _Failed(action.target, f"{self.project.where(action.file, texts)}: {message}")

    def _run(self, action: Action) -> ActionResult:
        from ondol.warehouse.dataform import dialect

        run = self.connection.execute
        target = ".".join(map(quoted, action.target))
        rows: int | None = None
        for statement in (s for sql in action.before for s in dialect.statements(sql, self.project.database)):
            run(statement)
        if action.kind == "operations":
            for statement in (s for sql in action.queries for s in dialect.statements(sql, self.project.database)):
                run(statement)
        elif action.queries:
            made = "VIEW" if action.kind == "view" else "TABLE"
            self._drop_other_kind(action.target, made)
            query = self._typed(dialect.query(action.queries[0], self.project.database))
            run(f"CREATE OR REPLACE {made} {target} AS {query}")
            rows = self._count(target) if made == "TABLE" else None
            self._comment(made, target, action)
        for statement in (s for sql in action.after for s in dialect.statements(sql, self.project.database)):
            run(statement)
        if action.kind != "assertion":
            return ActionResult(action.name, action.kind, "done", rows)
        if not rows:
            self._drop(action.target)
        sample = self._sample(target) if rows else []
        return outcome.asserted(action, rows or 0, ".".join(action.target), sample)

    def _typed(self, query: str) -> str:
        """The query with BigQuery's types: INT64, NUMERIC and FLOAT64 are its only numbers."""
        columns = self.connection.execute(f"DESCRIBE {query}").fetchall()
        if double := sorted({c[0] for c in columns if [d[0].lower() for d in columns].count(c[0].lower()) > 1}):
            from ondol.warehouse.dataform.dialect import Refused

            raise Refused(f"the columns {double} are there more than once", *double)
        casts = [_cast(name, kind) for name, kind, *_ in columns]
        if all(cast == quoted(name) for cast, (name, *_) in zip(casts, columns, strict=True)):
            return query
        return f"SELECT {', '.join(casts)} FROM ({query}) AS _typed"

    def _drop_other_kind(self, target: Target, made: str) -> None:
        """CREATE OR REPLACE does not make a table of a view, nor a view of a table."""
        if self._kind(target) not in (None, made):
            self._drop(target)

    def _kind(self, target: Target) -> str | None:
        """TABLE or VIEW, if it is there."""
        sql = "SELECT table_type FROM information_schema.tables WHERE (table_schema, table_name) = (?, ?)"
        there = first(self.connection, sql, target)
        return ("VIEW" if there[0] == "VIEW" else "TABLE") if there else None

    def _drop(self, target: Target) -> None:
        if kind := self._kind(target):
            self.connection.execute(f"DROP {kind} {'.'.join(map(quoted, target))}")

    def _count(self, target: str) -> int:
        counted = first(self.connection, f"SELECT count(*) FROM {target}")
        return int(counted[0]) if counted else 0

    def _sample(self, target: str) -> list[dict[str, object]]:
        cursor = self.connection.execute(f"SELECT * FROM {target} ORDER BY ALL LIMIT {outcome.SAMPLE}")
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _comment(self, made: str, target: str, action: Action) -> None:
        """Take over what the config says of the columns; Dataform and DuckDB know no parameters here."""
        if action.kind == "assertion":
            return
        known = {row[0] for row in self.connection.execute(f"DESCRIBE {target}").fetchall()}
        for column, text in action.columns:
            if column in known:
                literal = "'" + text.replace("'", "''") + "'"
                self.connection.execute(f"COMMENT ON COLUMN {target}.{quoted(column)} IS {literal}")

    def _drop_orphans(self) -> None:
        """Drop what the models made last time and make no more."""
        last = first(self.connection, "SELECT made FROM _ondol.transforms")
        now = {action.name for action in self.project.actions}
        for name in sorted(set(last[0] if last else ()) - now - set(self.schemas)):
            self._drop((self.warehouse.tenant, name))


def _cast(column: str, kind: str) -> str:
    name = quoted(column)
    if kind in WIDE:
        return f"CAST({name} AS BIGINT) AS {name}"
    if kind.startswith("DECIMAL(") and kind != "DECIMAL(38,9)":
        return f"CAST({name} AS DECIMAL(38,9)) AS {name}"
    return f"CAST({name} AS DOUBLE) AS {name}" if kind == "FLOAT" else name


def _last_input(connection: DuckDBPyConnection) -> str | None:
    last = first(connection, "SELECT input FROM _ondol.transforms")
    return last[0] if last else None


def _input(connection: DuckDBPyConnection, project: Project, schemas: Mapping[str, pa.Schema]) -> str:
    """A hash of all that the marts are made from."""
    columns = {table: [(field.name, str(field.type)) for field in schema] for table, schema in sorted(schemas.items())}
    return hashlib.sha256(json.dumps([loaded_state(connection), project.hash, columns]).encode()).hexdigest()
