"""Run a tenant's Dataform actions as BigQuery jobs, each after what it needs, several at once.

A table is replaced by one statement, so a reader sees it before or after. Before the first one the last run's input is
forgotten: a run that was killed between two tables is never taken for unchanged, and the next one makes all anew.
An incremental table is built in full, as on DuckDB.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from ondol.errors import FatalError
from ondol.faults import point
from ondol.warehouse.base import ActionResult, TransformResult
from ondol.warehouse.bigquery.load import fit
from ondol.warehouse.bigquery.sql import Statement
from ondol.warehouse.bigquery.types import tidy_types
from ondol.warehouse.dataform import outcome
from ondol.warehouse.dataform.project import Action, Project, Target, compile_project

if TYPE_CHECKING:
    import pyarrow as pa
    from google.cloud.bigquery import Table

    from ondol.warehouse.bigquery.warehouse import BigQueryWarehouse

AT_ONCE = 4
"""Jobs of one transform; BigQuery queues what a project's slots do not suffice for."""


def run_project(
    warehouse: BigQueryWarehouse, models: str, schemas: Mapping[str, pa.Schema], *, cache: Path | None = None
) -> TransformResult:
    """See Warehouse.transform.

    Args:
        cache: where compiled graphs are kept, if not with the warehouse.
    """
    folder = cache or warehouse.home / "dataform"
    project = compile_project(warehouse.project, models, warehouse.tenant, folder, warehouse.client.project)
    client, sql = warehouse.client, warehouse.sql
    [last] = client.rows(sql.transformed()) or [{"input": None, "made": []}]
    inputs = _input(warehouse.state(), project, schemas)
    if last["input"] == inputs:
        made = [action for action in project.actions if action.kind != "declaration"]
        return TransformResult(tuple(ActionResult(a.name, a.kind, "unchanged") for a in made))
    names = [a.name for a in project.actions if a.kind not in ("declaration", "assertion")]
    client.run(sql.note_transform(models, None, sorted({*last["made"], *names})))
    point("warehouse:transform:begun")
    result = _Run(warehouse, project, schemas).all()
    for name in sorted(set(last["made"]) - set(names) - set(schemas)):
        client.drop(name)
    sound = all(action.status == "done" for action in result.actions)
    point("warehouse:transform:commit")
    client.run(sql.note_transform(models, inputs if sound else None, names))
    point("warehouse:transform:done")
    return result


class _Run:
    """One run of all actions."""

    def __init__(self, warehouse: BigQueryWarehouse, project: Project, schemas: Mapping[str, pa.Schema]) -> None:
        self.client = warehouse.client
        self.sql = warehouse.sql
        self.project = project
        self.schemas = schemas
        self.results: outcome.Results = {}

    def all(self) -> TransformResult:
        """Run everything that can be run."""
        for action in self.project.actions:
            if action.kind == "declaration":
                outcome.check_declared(self.project, action, self.schemas)
                fit(self.client, self.sql, action.name, tidy_types(self.schemas[action.name], action.name))
        self._in_order(self._result)
        order = [action.target for action in self.project.actions if action.target in self.results]
        self.results = {target: self.results[target] for target in order}
        outcome.withhold(self.project, self.results)
        return TransformResult(tuple(self.results.values()))

    def _in_order(self, run: Callable[[Action], ActionResult]) -> None:
        actions = {a.target: a for a in self.project.actions if a.kind != "declaration"}
        needs = {target: [n for n in action.needs if n in actions] for target, action in actions.items()}
        order = TopologicalSorter(needs)
        order.prepare()
        running: dict[Future[ActionResult], Target] = {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while order.is_active():
                running |= {pool.submit(run, actions[target]): target for target in sorted(order.get_ready())}
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    target = running.pop(future)
                    self.results[target] = future.result()
                    order.done(target)

    def _result(self, action: Action) -> ActionResult:
        if stopped := outcome.blocked(action, self.results):
            return stopped
        try:
            for text in self._statements(action, action.before):
                self.client.run(Statement(text, about=action.name))
            rows = self._build(action)
            for text in self._statements(action, action.after):
                self.client.run(Statement(text, about=action.name))
        except FatalError as error:
            place = self.project.where(action.file, _near(error, action))
            return ActionResult(action.name, action.kind, "failed", message=f"{place}: {error}")
        point(f"warehouse:transform:{action.kind}")
        if action.kind == "assertion":
            return outcome.asserted(action, rows or 0, f"{self.project.tenant}._assertions_{action.name}")
        return ActionResult(action.name, action.kind, "done", rows)

    def _build(self, action: Action) -> int | None:
        """Make what the action makes; the rows of a table, and the failing ones of an assertion."""
        if action.kind == "operations":
            for text in self._statements(action, action.queries):
                self.client.run(Statement(text, about=action.name))
            return None
        if not action.queries:
            return None
        query = self._checked(action.queries[0])
        if action.kind == "assertion":
            return self._assert(action, query)
        there = self.client.table(action.name)
        made = "VIEW" if action.kind == "view" else "TABLE"
        if there and (there.table_type != made or (made == "TABLE" and self._lies_otherwise(there, action))):
            self.client.drop(action.name)
        self.client.run(self.sql.make(made, action.name, query, action.partition, action.cluster))
        found = self.client.describe(action.name, dict(action.columns))
        return found.num_rows if made == "TABLE" else None

    def _assert(self, action: Action, query: str) -> int:
        found = self.client.select(Statement(query, about=action.name))
        kept = f"_assertions_{action.name}"
        rows = int(self.client.api.get_table(found.destination).num_rows or 0)
        if rows:
            self.client.run(self.sql.make("TABLE", kept, f"SELECT * FROM {self.sql.whole(found.destination)}", "", ()))
        else:
            self.client.drop(kept)
        return rows

    def _checked(self, query: str) -> str:
        """The model's query, if all profiles can run it alike and it reads this tenant's tables only."""
        from ondol.warehouse.dataform import dialect

        dialect.query(query, self.project.database)
        self._stays_inside(query)
        return query

    def _statements(self, action: Action, texts: tuple[str, ...]) -> Iterator[str]:
        from ondol.warehouse.dataform import dialect

        for text in texts:
            list(dialect.statements(text, self.project.database))
            self._stays_inside(text)
            yield text

    def _stays_inside(self, text: str) -> None:
        """FatalError if the SQL names a table of another dataset: one service account reads all tenants'."""
        import sqlglot
        from sqlglot import exp

        for statement in sqlglot.parse(text, read="bigquery"):
            for table in statement.find_all(exp.Table) if statement else ():
                if table.db and table.db != self.project.tenant:
                    raise FatalError(f"{table.sql('bigquery')} is no table of the tenant: use ref()")

    def _lies_otherwise(self, there: Table, action: Action) -> bool:
        """Whether the table has another layout than the model says; BigQuery replaces none such."""
        partitioned = there.time_partitioning or there.range_partitioning
        return bool(partitioned) != bool(action.partition) or tuple(there.clustering_fields or ()) != action.cluster


def _near(error: FatalError, action: Action) -> list[str]:
    """What stands on the line that BigQuery, or the check of the dialect, speaks of."""
    lines = "\n".join(action.queries).splitlines()
    at = re.search(r"\[(\d+):\d+\]", str(error))
    line = lines[int(at[1]) - 2 : int(at[1]) - 1] if at and int(at[1]) > 1 else []
    names = re.findall(r"(?:name:? |column )[\"`']?(\w+)|[\"`'](\w+)[\"`']", str(error))
    return [*getattr(error, "near", ()), *line, *("".join(found) for found in names)]


def _input(state: str, project: Project, schemas: Mapping[str, pa.Schema]) -> str:
    """A hash of all that the marts are made from."""
    columns = {table: [(field.name, str(field.type)) for field in schema] for table, schema in sorted(schemas.items())}
    return hashlib.sha256(json.dumps([state, project.hash, columns]).encode()).hexdigest()
