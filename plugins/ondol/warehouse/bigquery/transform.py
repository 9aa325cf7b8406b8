"""Bring a tenant's marts up to date: by jobs of this platform, or by Dataform's service if ONDOL_DATAFORM names one.

Before the first action the last run's input is forgotten: a run that was killed between two tables is never taken for
unchanged, and the next one makes all anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ondol.config.tenant import Transform
from ondol.faults import point
from ondol.settings import settings
from ondol.warehouse.base import ActionResult, TransformResult
from ondol.warehouse.bigquery.load import fit
from ondol.warehouse.bigquery.types import tidy_types
from ondol.warehouse.dataform import outcome
from ondol.warehouse.dataform.project import Project, compile_project

if TYPE_CHECKING:
    import pyarrow as pa

    from ondol.warehouse.bigquery.warehouse import BigQueryWarehouse


class Engine(Protocol):
    """What runs compiled actions."""

    def run(self, project: Project) -> outcome.Results:
        """What became of each action but the declarations."""
        ...


def run_project(
    warehouse: BigQueryWarehouse,
    models: Transform | str,
    schemas: Mapping[str, pa.Schema],
    *,
    cache: Path | None = None,
) -> TransformResult:
    """See Warehouse.transform.

    Args:
        cache: where compiled graphs are kept, if not with the warehouse.
    """
    client, sql = warehouse.client, warehouse.sql
    project, engine = _compiled(warehouse, models, cache or warehouse.home / "dataform")
    [last] = client.rows(sql.transformed()) or [{"input": None, "made": []}]
    inputs = _input(warehouse.state(), project, schemas)
    if last["input"] == inputs:
        made = [action for action in project.actions if action.kind != "declaration"]
        return TransformResult(tuple(ActionResult(a.name, a.kind, "unchanged") for a in made))
    names = [a.name for a in project.actions if a.kind not in ("declaration", "assertion")]
    client.run(sql.note_transform(project.models, None, sorted({*last["made"], *names})))
    point("warehouse:transform:begun")
    _declare(warehouse, project, schemas)
    ended = engine.run(project)
    results = {action.target: ended[action.target] for action in project.actions if action.target in ended}
    outcome.withhold(project, results)
    for name in sorted(set(last["made"]) - set(names) - set(schemas)):
        client.drop(name)
    sound = all(result.status == "done" for result in results.values())
    point("warehouse:transform:commit")
    client.run(sql.note_transform(project.models, inputs if sound else None, names))
    point("warehouse:transform:done")
    return TransformResult(tuple(results.values()))


def _compiled(warehouse: BigQueryWarehouse, models: Transform | str, cache: Path) -> tuple[Project, Engine]:
    client = warehouse.client
    if place := settings().dataform:
        from ondol.warehouse.bigquery.repository import Repository

        repository = Repository(client, *place)
        return repository.compile(warehouse.project, models), repository
    from ondol.warehouse.bigquery.runner import Runner

    project = compile_project(warehouse.project, models, warehouse.tenant, cache, client.project)
    return project, Runner(client, warehouse.sql)


def _declare(warehouse: BigQueryWarehouse, project: Project, schemas: Mapping[str, pa.Schema]) -> None:
    """Make the tables that models read and no file has filled yet."""
    for action in project.actions:
        if action.kind == "declaration":
            outcome.check_declared(project, action, schemas)
            fit(warehouse.client, warehouse.sql, action.name, tidy_types(schemas[action.name], action.name))


def _input(state: str, project: Project, schemas: Mapping[str, pa.Schema]) -> str:
    """A hash of all that the marts are made from."""
    columns = {table: [(field.name, str(field.type)) for field in schema] for table, schema in sorted(schemas.items())}
    return hashlib.sha256(json.dumps([state, project.hash, columns]).encode()).hexdigest()
