"""A tenant's Dataform actions as jobs of this platform: each after what it needs, several at once.

A table is replaced by one statement, so a reader sees it before or after. An incremental table is built in full, as on
DuckDB.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from ondol.errors import FatalError
from ondol.faults import point
from ondol.warehouse.base import ActionResult
from ondol.warehouse.bigquery.client import Client
from ondol.warehouse.bigquery.sql import Sql, Statement
from ondol.warehouse.dataform import outcome
from ondol.warehouse.dataform.project import Action, Project, Target

if TYPE_CHECKING:
    from google.cloud.bigquery import Table

AT_ONCE = 4
"""Jobs of one transform; BigQuery queues what a project's slots do not suffice for."""


class Runner:
    """Runs all actions of a project that can be run."""

    def __init__(self, client: Client, sql: Sql) -> None:
        self.client = client
        self.sql = sql
        self.results: outcome.Results = {}

    def run(self, project: Project) -> outcome.Results:
        """What became of each action but the declarations."""
        self.project = project
        self._in_order(self._result)
        return self.results

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
            check(self.project, action)
            for text in action.before:
                self.client.run(Statement(text, about=action.name))
            rows = self._build(action)
            for text in action.after:
                self.client.run(Statement(text, about=action.name))
        except FatalError as error:
            place = self.project.where(action.file, near(error, action))
            return ActionResult(action.name, action.kind, "failed", message=f"{place}: {error}")
        point(f"warehouse:transform:{action.kind}")
        if action.kind == "assertion":
            kept = f"_assertions_{action.name}"
            sample = self.client.rows(self.sql.some_rows(kept, outcome.SAMPLE)) if rows else []
            return outcome.asserted(action, rows or 0, f"{self.project.tenant}.{kept}", sample)
        return ActionResult(action.name, action.kind, "done", rows)

    def _build(self, action: Action) -> int | None:
        """Make what the action makes; the rows of a table, and the failing ones of an assertion."""
        if action.kind == "operations":
            for text in action.queries:
                self.client.run(Statement(text, about=action.name))
            return None
        if not action.queries:
            return None
        if action.kind == "assertion":
            return self._assert(action)
        there = self.client.table(action.name)
        made = "VIEW" if action.kind == "view" else "TABLE"
        if there and (there.table_type != made or (made == "TABLE" and self._lies_otherwise(there, action))):
            self.client.drop(action.name)
        self.client.run(self.sql.make(made, action.name, action.queries[0], action.partition, action.cluster))
        found = self.client.describe(action.name, dict(action.columns))
        return found.num_rows if made == "TABLE" else None

    def _assert(self, action: Action) -> int:
        found = self.client.select(Statement(action.queries[0], about=action.name))
        kept = f"_assertions_{action.name}"
        rows = int(self.client.api.get_table(found.destination).num_rows or 0)
        if rows:
            self.client.run(self.sql.make("TABLE", kept, f"SELECT * FROM {self.sql.whole(found.destination)}", "", ()))
        else:
            self.client.drop(kept)
        return rows

    def _lies_otherwise(self, there: Table, action: Action) -> bool:
        """Whether the table has another layout than the model says; BigQuery replaces none such."""
        partitioned = there.time_partitioning or there.range_partitioning
        return bool(partitioned) != bool(action.partition) or tuple(there.clustering_fields or ()) != action.cluster


def check(project: Project, action: Action) -> None:
    """Refuse SQL that other profiles cannot run alike, and SQL that names a table of another dataset.

    One service account reads all tenants' datasets, so the models must not.

    Raises:
        FatalError: it does.
    """
    from sqlglot import exp, parse

    from ondol.warehouse.dataform import dialect

    texts = [*action.before, *action.after, *(action.queries if action.kind == "operations" else ())]
    for text in texts:
        list(dialect.statements(text, project.database))
    if action.kind != "operations" and action.queries:
        dialect.query(action.queries[0], project.database)
    for text in {*texts, *action.queries}:
        for statement in parse(text, read="bigquery"):
            for table in statement.find_all(exp.Table) if statement else ():
                if table.db and table.db != project.tenant:
                    raise FatalError(f"{table.sql('bigquery')} is no table of the tenant: use ref()")


def near(error: FatalError, action: Action) -> list[str]:
    """What stands on the line that BigQuery, or the check of the dialect, speaks of."""
    lines = "\n".join(action.queries).splitlines()
    at = re.search(r"\[(\d+):\d+\]", str(error))
    line = lines[int(at[1]) - 2 : int(at[1]) - 1] if at and int(at[1]) > 1 else []
    names = re.findall(r"(?:name:? |column )[\"`']?(\w+)|[\"`'](\w+)[\"`']", str(error))
    return [*getattr(error, "near", ()), *line, *("".join(found) for found in names)]
