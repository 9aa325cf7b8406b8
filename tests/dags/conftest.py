"""Airflow for the tests: a home of its own and a database in memory, set before anything imports it."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from ondol.settings import PROJECT

os.environ |= {
    "AIRFLOW_HOME": tempfile.mkdtemp(prefix="ondol-airflow-"),
    "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite://",
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what Airflow's own modules warn of while they are imported
    import airflow.dag_processing.dagbag
    import airflow.serialization.serialized_objects  # noqa: F401
    from airflow.plugins_manager import get_timetables_plugins

    get_timetables_plugins()  # reads the plugins folder

TENANT = """\
tenant: {id}
name: 한빛마트
schedule: {schedule}
sources:
  - {{id: inbox, type: folder, path: "inbox/{id}/{{date}}"}}
items:
  - id: sales
    match: {{name: "매출_{{yyyymmdd}}*.csv"}}
    table: sales
    tag:
      columns:
        sale_date: {{from: period, type: date}}
        amount: {{from: 금액, type: decimal}}
"""
AddTenant = Callable[..., Path]


@pytest.fixture
def tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tenants' folder of one test, empty."""
    folder = tmp_path / "tenants"
    folder.mkdir()
    monkeypatch.setenv("ONDOL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONDOL_TENANTS", str(folder))
    return folder


@pytest.fixture
def add_tenant(tenants: Path) -> AddTenant:
    """Write a tenant's file, a right one unless told its text."""

    def add(name: str, text: str | None = None, schedule: str = '"0 7 * * *"') -> Path:
        path = tenants / f"{name}.yaml"
        path.write_text(TENANT.format(id=name, schedule=schedule) if text is None else text)
        return path

    return add
