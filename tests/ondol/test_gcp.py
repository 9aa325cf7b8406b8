"""The whole path in the profile `gcp`: the rows and traces of one machine, and a second run changes nothing."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ondol.cli.main import app
from ondol.lake import gcs
from ondol.pipeline import open_warehouse, run
from tests.ondol.snapshot import inbox, serving_rows

DAY = dt.date(2026, 1, 5)
TENANT = "hanbit"


@pytest.fixture
def cloud(bigquery_place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What makes the profile `gcp` of this process: set when a test is done with `local`."""
    gcs.client.cache_clear()
    return {"ONDOL_PROFILE": "gcp", "ONDOL_LAKE": f"gs://lake/{tmp_path.name}"}


def rows(tenant: str) -> dict[str, list[str]]:
    """Every table of the warehouse, its rows as text that does not tell one kind of number from another."""
    warehouse = open_warehouse(tenant)
    found = {}
    for table in warehouse.tables():
        with warehouse.read(table) as reader:
            read = reader.read_all().drop_columns(["_loaded_at"] if "_loaded_at" in reader.schema.names else [])
        found[table] = sorted(str([plain(value) for value in row.values()]) for row in read.to_pylist())
    warehouse.close()
    return found


def plain(value: Any) -> Any:
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return f"{float(value):.6f}" if number else value


def served(tenant: str) -> dict[str, list[str]]:
    """Every table of PostgreSQL; numbers without the zeros that their kind has at the end."""
    number = re.compile(r"Decimal\('(-?\d+)(\.\d*?)?0*'\)")
    return {name: [number.sub(r"\1\2", row).replace(".,", ",") for row in found]
            for name, found in serving_rows(tenant).items()}  # fmt: skip


def test_a_day_in_the_cloud_is_the_day_on_one_machine_and_can_be_run_again_and_traced(
    home: Path, cloud: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox(home)
    here = run(TENANT, DAY)
    expected = rows(TENANT), served(TENANT), traced()
    from tests.ondol.test_pipeline import _empty_databases

    _empty_databases()
    for name, value in cloud.items():
        monkeypatch.setenv(name, value)
    first = run(TENANT, DAY)
    assert first.counts == here.counts
    assert first.marts == here.marts
    assert (rows(TENANT), served(TENANT)) == expected[:2]
    assert traced() == expected[2]
    assert all(uri.startswith(f"{cloud['ONDOL_LAKE']}/{TENANT}/") for uri in loaded_from())
    before, jobs = (rows(TENANT), served(TENANT)), len(loaded_from())
    second = run(TENANT, DAY)
    assert second.counts["load"].get("loaded", 0) == 0
    assert (rows(TENANT), served(TENANT)) == before
    assert len(loaded_from()) == jobs


def traced() -> list[dict[str, Any]]:
    """The cells behind the first row that is served, by the command line."""
    warehouse = open_warehouse(TENANT)
    with warehouse.read("store_sales_daily") as reader:
        first = min((r["sale_date"], r["store_code"]) for r in reader.read_all().to_pylist())
    warehouse.close()
    done = CliRunner().invoke(app, ["trace", TENANT, "store_sales_daily", *map(str, first), "--json"])
    assert done.exit_code == 0, done.output
    cells = [{k: plain(v) for k, v in cell.items()} for cell in json.loads(done.output)["cells"]]
    assert cells
    return sorted(cells, key=str)


def loaded_from() -> list[str]:
    """Where the loads of the tenant's tables read."""
    warehouse = open_warehouse(TENANT)
    jobs = warehouse.client.api.list_jobs(all_users=True)  # type: ignore[attr-defined]
    return [uri for job in jobs if job.job_type == "load" for uri in job.source_uris]
