"""Tenants for the operators' tests, and Airflow in the test process."""

from __future__ import annotations

from pathlib import Path

import pytest

import tests.airflow_process  # noqa: F401 - before anything imports Airflow

TENANT = """\
tenant: {id}
name: {name}
timezone: {zone}
schedule: "0 7 * * *"
sources:
  - id: share
    type: folder
    path: "inbox/{id}/{{date}}"
items:
  - id: waybills
    match: {{name: "운송장_{{yyyymmdd}}.csv"}}
    table: waybills
    tag:
      columns:
        waybill: {{from: 운송장번호, required: true}}
  - id: fares
    match: {{name: "운임_{{yyyymmdd}}.csv"}}
    table: fares
    tag:
      columns:
        fare: {{from: 운임, type: decimal}}
transform: {{models: logistics}}
"""


@pytest.fixture
def tenants(tmp_path: Path) -> Path:
    """A folder with two sound tenants."""
    folder = tmp_path / "tenants"
    folder.mkdir()
    for tenant, zone in (("nara", "Asia/Seoul"), ("hudson", "America/New_York")):
        (folder / f"{tenant}.yaml").write_text(TENANT.format(id=tenant, name=f"{tenant} 물류", zone=zone))
    return folder
