"""Tidy tables to load, and a small Dataform project that the real compiler compiles."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from converters.tidy import LOADED_AT
from ondol import registry
from ondol.manifest import Period
from ondol.settings import PROJECT
from ondol.warehouse.base import Slot, Warehouse
from ondol.warehouse.dataform import toolchain
from ondol.warehouse.duckdb import DuckDbWarehouse

LINEAGE = [  # of a file; the warehouse adds when it was loaded
    ("_item", pa.string()),
    ("_period_start", pa.date32()),
    ("_period_end", pa.date32()),
    ("_part", pa.string()),
    ("_sha256", pa.string()),
    ("_file", pa.string()),
    ("_sheet", pa.string()),
    ("_row", pa.int32()),
    ("_cells", pa.string()),
    ("_run_key", pa.string()),
]
SCHEMAS = {
    "sales": pa.schema(
        [("sale_date", pa.date32()), ("store_code", pa.string()), ("amount", pa.decimal128(38, 9)), *LINEAGE]
    ),
    "stores": pa.schema([("store_code", pa.string()), ("store_name", pa.string()), *LINEAGE]),
}


class Loader:
    """Loads rows as one file's tidy table; each column's cell is its letter and the row's number in the sheet."""

    schemas = SCHEMAS

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder

    def parquet(self, table: str, slot: Slot, rows: list[tuple[Any, ...]], sha256: str = "aa", **schema: Any) -> Path:
        fields = schema.get("schema") or SCHEMAS[table]
        names = fields.names[: -len(LINEAGE)]
        full = []
        for number, row in enumerate(rows, 5):
            values = dict(zip(names, row, strict=True))
            cells = {name: f"{chr(65 + i)}{number}" for i, name in enumerate(names)}
            lineage = (
                slot.item,
                slot.period.start,
                slot.period.end,
                slot.part,
                sha256,
                slot.part or f"{slot}.xlsx",
                "Sheet1",
                number,
            )
            full.append(
                values
                | dict(zip([name for name, _ in LINEAGE], lineage, strict=False))
                | {"_cells": json.dumps(cells, sort_keys=True), "_run_key": "run"}
            )
        path = self.folder / f"{len(list(self.folder.glob('*.parquet')))}.parquet"
        pq.write_table(pa.Table.from_pylist(full, schema=fields), path)
        return path

    def __call__(
        self,
        table: str,
        slot: Slot,
        rows: list[tuple[Any, ...]],
        *,
        version: tuple[str, ...] = ("2026-01-05T00:00", "a.xlsx", "aa"),
        rules_hash: str = "r1",
        schema: pa.Schema | None = None,
        **more: Any,
    ) -> Any:
        path = self.parquet(table, slot, rows, version[-1], schema=schema)
        return self.warehouse.load(
            table,
            schema or SCHEMAS[table],
            path,
            slot=slot,
            version=version,
            sha256=version[-1],
            rules_hash=rules_hash,
            run_key="run",
            **more,
        )


@pytest.fixture(scope="session")
def day() -> Callable[..., Slot]:
    """The slot of a day of January 2026."""

    def slot(number: int, item: str = "sales_daily", part: str = "") -> Slot:
        date = dt.date(2026, 1, number)
        return Slot(item, Period(start=date, end=date), part)

    return slot


@pytest.fixture
def schemas() -> dict[str, pa.Schema]:
    """The tidy schemas; a test may change them."""
    return dict(SCHEMAS)


@pytest.fixture(scope="session")
def loader() -> type[Loader]:
    return Loader


@pytest.fixture(scope="session")
def compiler() -> Path:
    """The installed node_modules of the repository's Dataform project."""
    project = PROJECT / "tenants" / "dataform"
    toolchain.install(project)
    return project / "node_modules"


@pytest.fixture
def project(tmp_path: Path, compiler: Path) -> Path:
    """A copy of the test project that a test may edit."""
    folder = tmp_path / "tenants" / "dataform"
    shutil.copytree(Path(__file__).parent / "project", folder)
    (folder / "node_modules").symlink_to(compiler)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled graphs are kept between tests."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def warehouse(tmp_path: Path, project: Path) -> Iterator[DuckDbWarehouse]:
    warehouse = DuckDbWarehouse(tmp_path / "home", "hanbit", project=project, wait=5)
    yield warehouse
    warehouse.close()


@pytest.fixture
def load(warehouse: Warehouse, tmp_path: Path) -> Loader:
    return Loader(warehouse, tmp_path)


@pytest.fixture(params=sorted(registry.WAREHOUSES))
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Warehouse]]:
    """Opens a new warehouse of any kind by a name, or the same one again: what every warehouse promises."""
    made: list[Warehouse] = []

    def opened(name: str) -> Warehouse:
        kind = registry.load(registry.WAREHOUSES, request.param)
        if request.param == "gcp":
            request.getfixturevalue("bigquery_place")
            made.append(kind(tmp_path / name, f"tenant_{name}", project=tmp_path))
        else:
            made.append(kind(tmp_path / name, "hanbit", project=tmp_path, wait=5))
        return made[-1]

    yield opened
    for warehouse in made:
        warehouse.close()


@pytest.fixture(scope="session")
def contents() -> Callable[..., list[dict[str, Any]]]:
    """The rows of a table, sorted, without the time of loading."""

    def contents(warehouse: Warehouse, table: str = "sales") -> list[dict[str, Any]]:
        with warehouse.read(table) as reader:
            read = reader.read_all()
        return sorted(read.drop_columns([LOADED_AT]).to_pylist(), key=str)

    return contents
