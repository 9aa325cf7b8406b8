"""A folder of tenants for one test, and Airflow in the test process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tests.airflow_process  # noqa: F401 - before anything imports Airflow

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
