"""The warehouse in BigQuery: one dataset a tenant, named as the tenant is, with the tidy tables and the marts.

The platform's own tables stand beside them and begin with `_ondol_` (bookkeeping, staging) or `_assertions_` (the rows
that failed an assertion). docs/bigquery.md tells what differs from the local warehouse.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ondol.config.load import Load
from ondol.config.tenant import Transform
from ondol.errors import FatalError
from ondol.mart import Changes
from ondol.settings import settings
from ondol.warehouse.base import REPLACE, LoadResult, Origin, Slot, TransformResult
from ondol.warehouse.bigquery import sql
from ondol.warehouse.bigquery.client import Client
from ondol.warehouse.bigquery.types import standard

if TYPE_CHECKING:
    import pyarrow as pa


class BigQueryWarehouse:
    """The tenant's dataset in the project of ONDOL_BIGQUERY; see Warehouse for what the methods promise."""

    def __init__(self, home: Path, tenant: str, run: str = "", *, project: Path | None = None) -> None:
        """Calls nothing yet.

        Args:
            home: where compiled models are kept.
            run: the run key, for the labels of the jobs.
            project: the folder of the Dataform project; by default `dataform` beside the tenants' YAML.
        """
        self.home = home
        self.tenant = tenant
        self.project = project or settings().tenants / "dataform"
        self.client = Client(tenant, run)
        self.sql = sql.Sql(self.client.project, tenant)

    def load(
        self,
        table: str,
        schema: pa.Schema,
        parquet: Path,
        *,
        slot: Slot,
        version: Sequence[str],
        sha256: str,
        rules_hash: str,
        run_key: str,
        how: Load = REPLACE,
        accept: bool = False,
        uri: str | None = None,
    ) -> LoadResult:
        """See Warehouse."""
        from ondol.warehouse.bigquery.books import Book
        from ondol.warehouse.bigquery.load import Loading

        rows = _rows(parquet, schema, table, slot)
        period = slot.period
        book = Book(slot.item, period.start, period.end, slot.part, list(version), sha256, rules_hash, table, rows,
                    run_key, "")  # fmt: skip
        source = uri if uri and uri.startswith("gs://") else parquet
        loading = Loading(self.client, source, schema, rows, how, book, accept)
        self.made  # noqa: B018 - the dataset must be there
        return loading.run()

    def state(self) -> str:
        """See Warehouse."""
        self.made  # noqa: B018
        rows = [list(row.values()) for row in self.client.rows(self.sql.loads())]
        return hashlib.sha256(json.dumps(rows, default=str).encode()).hexdigest()

    def tables(self) -> tuple[str, ...]:
        """See Warehouse."""
        return tuple(name for name in self.client.tables() if not name.startswith(sql.OWN))

    @contextmanager
    def read(self, table: str) -> Iterator[pa.RecordBatchReader]:
        """See Warehouse."""
        found = self.must_exist(table)
        if found.table_type != "TABLE":
            found = self.client.select(self.sql.all_rows(table)).destination
        with self.client.batches(found) as reader:
            yield reader

    def fingerprint(self, table: str) -> str:
        """See Warehouse."""
        from ondol.warehouse.bigquery.synced import fingerprint

        return fingerprint(self, table)

    def changes(self, table: str, key: Sequence[str], since: str | None) -> AbstractContextManager[Changes | None]:
        """See Warehouse."""
        from ondol.warehouse.bigquery.synced import changes

        return changes(self, table, key, since)

    def remember(self, table: str, key: Sequence[str], batch_id: str) -> None:
        """See Warehouse."""
        from ondol.warehouse.bigquery.synced import remember

        remember(self, table, key, batch_id)

    def comments(self, table: str) -> dict[str, str]:
        """See Warehouse."""
        found = self.client.table(table)
        return {field.name: field.description for field in found.schema if field.description} if found else {}

    def transform(self, models: Transform | str, schemas: Mapping[str, pa.Schema]) -> TransformResult:
        """See Warehouse."""
        from ondol.warehouse.bigquery.transform import run_project

        self.made  # noqa: B018
        return run_project(self, models, schemas)

    def trace(
        self, models: Transform | str | None, table: str, key: Mapping[str, object], column: str | None
    ) -> list[Origin]:
        """See Warehouse."""
        from ondol.warehouse.bigquery.trace import trace

        return trace(self, models, table, key, column)

    def query(self, text: str, parameters: Sequence[object] | dict[str, object] = ()) -> list[dict[str, Any]]:
        """See Warehouse; `hanbit.sales` is found without the project's name."""
        return self.client.rows(sql.Statement(text, parameters))

    def close(self) -> None:
        """See Warehouse."""
        self.client.close()

    def must_exist(self, table: str) -> Any:
        """What BigQuery says of the table; FatalError, naming what there is, if there is none."""
        if found := self.client.table(table):
            return found
        raise FatalError(f"the warehouse of {self.tenant} has no table {table!r}; it has {list(self.tables())}")

    def columns(self, table: str) -> list[tuple[str, str]]:
        """The names and types of a table's columns, in their order."""
        return [(field.name, standard(field)) for field in self.must_exist(table).schema]

    @cached_property
    def made(self) -> bool:
        """The dataset and its bookkeeping are there."""
        self.client.make_dataset()
        for name, columns in sql.BOOKS.items():
            self.client.make_table(name, columns)
        return True


def _rows(parquet: Path, schema: pa.Schema, table: str, slot: Slot) -> int:
    """How many rows the file has, if it has that schema and each of them is of the slot.

    Then replacing the slot replaces what this file has loaded, and only that.
    """
    import pyarrow.compute as pc
    from pyarrow.parquet import ParquetFile

    wanted = {
        "_item": slot.item,
        "_period_start": slot.period.start,
        "_period_end": slot.period.end,
        "_part": slot.part,
    }
    with ParquetFile(parquet) as file:
        if not file.schema_arrow.equals(schema):
            raise FatalError(
                f"{parquet} does not have the tidy schema of {table}: it has {_brief(file.schema_arrow)}, "
                f"the rule says {_brief(schema)}. Run tag again: its rules have changed since."
            )
        rows, mine = int(file.metadata.num_rows), 0
        for batch in file.iter_batches(columns=list(wanted)):
            matches = [pc.equal(batch[name], value) for name, value in wanted.items()]
            mine += pc.sum(reduce(pc.and_, matches)).as_py() or 0
    if mine != rows:
        raise FatalError(
            f"{parquet} has {rows} rows, but {mine} of {table} are of its slot {slot}: each row's _item, "
            "_period_start, _period_end and _part must be the file's. Nothing was loaded."
        )
    return rows


def _brief(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
