"""From a figure in BigQuery back to its cells, by the local engine.

Lineage is a query rewritten around lists of row ids, and BigQuery has neither row ids nor lists of lists. So the tidy
tables that the figure was made of are read into a DuckDB file that is gone afterwards, the models run there, whose SQL
gives the same on both engines, and the question is put to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from converters.tidy import LINEAGE
from ondol.config.tenant import Transform
from ondol.errors import FatalError
from ondol.warehouse.base import Origin
from ondol.warehouse.bigquery.sql import Statement
from ondol.warehouse.dataform.project import Project, compile_project
from ondol.warehouse.dataform.run import run_project
from ondol.warehouse.duckdb import DuckDbWarehouse

if TYPE_CHECKING:
    import pyarrow as pa

    from ondol.warehouse.bigquery.warehouse import BigQueryWarehouse


def trace(
    warehouse: BigQueryWarehouse,
    models: Transform | str | None,
    table: str,
    key: Mapping[str, object],
    column: str | None,
) -> list[Origin]:
    """See Warehouse.trace; it reads all of the tidy tables that the figure's models read."""
    columns = dict(warehouse.columns(table))
    with tempfile.TemporaryDirectory(prefix="ondol-trace-") as home:
        local = DuckDbWarehouse(Path(home), warehouse.tenant, project=warehouse.project)
        if set(LINEAGE) <= set(columns):
            asked = all(name in columns for name in key)
            _take(warehouse, local, table, warehouse.sql.rows_of(table, columns, key) if asked and key else None)
        elif models:
            folder = Path(home) / "dataform"
            _rebuild(warehouse, local, compile_project(warehouse.project, models, warehouse.tenant, folder), table)
        else:
            raise FatalError(f"{table} is made by no query of the models, so it cannot be traced")
        return local.trace(models, table, key, column)


def _rebuild(warehouse: BigQueryWarehouse, local: DuckDbWarehouse, project: Project, table: str) -> None:
    """Run the models locally on the tidy tables that the mart comes from; all others are empty there."""
    wanted = [(warehouse.tenant, table)]
    for target in wanted:  # grows meanwhile
        action = project.by_target.get(target)
        wanted += [need for need in (action.needs if action else ()) if need not in wanted]
    declared = [action.name for action in project.actions if action.kind == "declaration"]
    schemas = {}
    for name in declared:
        with warehouse.read(name) as reader:
            schemas[name] = reader.schema
        if (warehouse.tenant, name) in wanted:
            _take(warehouse, local, name, None)
    run_project(local, project.spec, schemas)


def _take(warehouse: BigQueryWarehouse, local: DuckDbWarehouse, table: str, rows: Statement | None) -> None:
    """Copy a table, or the rows that a statement selects of it."""
    if rows:
        with warehouse.client.batches(warehouse.client.select(rows).destination) as reader:
            _put(local, table, reader)
    else:
        with warehouse.read(table) as reader:
            _put(local, table, reader)


def _put(local: DuckDbWarehouse, table: str, reader: pa.RecordBatchReader) -> None:
    with local.transaction() as connection:
        connection.register("_arriving", reader)
        connection.execute(f"CREATE TABLE {local.name(table)} AS FROM _arriving")
        connection.unregister("_arriving")
