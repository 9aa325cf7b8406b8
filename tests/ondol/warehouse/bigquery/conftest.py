"""A warehouse in the BigQuery emulator, beside one in DuckDB that says what must come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from ondol.warehouse.bigquery.client import Client
from ondol.warehouse.bigquery.sql import Statement
from ondol.warehouse.bigquery.warehouse import BigQueryWarehouse
from ondol.warehouse.duckdb import DuckDbWarehouse


@pytest.fixture
def open_warehouse(tmp_path: Path, bigquery_place: str) -> Iterator[Callable[..., BigQueryWarehouse]]:
    """Opens the warehouse of a tenant in this test's project."""
    opened = []

    def open_one(tenant: str = "hanbit", project: Path | None = None) -> BigQueryWarehouse:
        warehouse = BigQueryWarehouse(tmp_path / "home", tenant, f"{tenant}@2026-01-05", project=project)
        opened.append(warehouse)
        return warehouse

    yield open_one
    for warehouse in opened:
        warehouse.close()


@pytest.fixture
def warehouse(open_warehouse: Callable[..., BigQueryWarehouse], project: Path) -> BigQueryWarehouse:
    return open_warehouse(project=project)


@pytest.fixture
def oracle(tmp_path: Path, project: Path) -> DuckDbWarehouse:
    return DuckDbWarehouse(tmp_path / "oracle", "hanbit", project=project, wait=5)


@pytest.fixture
def load(warehouse: BigQueryWarehouse, loader: Any, tmp_path: Path) -> Any:
    folder = tmp_path / "files"
    folder.mkdir()
    return loader(warehouse, folder)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The SQL of every statement that is sent; in the end sqlglot's BigQuery dialect has to understand each."""
    statements: list[str] = []
    config = Client._config

    def noting(self: Client, statement: Statement) -> Any:
        statements.append(statement.sql)
        return config(self, statement)

    monkeypatch.setattr(Client, "_config", noting)
    yield statements
    for text in dict.fromkeys(statements):
        for parsed in sqlglot.parse(text, read="bigquery"):
            assert not isinstance(parsed, exp.Command), text
