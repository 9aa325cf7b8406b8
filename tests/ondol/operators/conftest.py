"""Airflow in the test process: a home of its own, set before its first import; its own deprecations are not ours."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="ondol-airflow-")
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(PROJECT / "plugins")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from airflow import plugins_manager
    from airflow.serialization import serialized_objects as _  # noqa: F401

    plugins_manager.get_timetables_plugins()

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
