"""All that a tenant's runs leave behind, in a form that two homes can be compared by."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import psycopg2

from converters.tidy import LOADED_AT
from ondol import embedded
from ondol.manifest import Manifest
from ondol.pipeline import open_lake
from ondol.serving.postgres import PostgresServing
from ondol.settings import settings
from ondol.warehouse.duckdb import DuckDbWarehouse

LEDGER = """SELECT tenant, run_key, stage, sha256, name, location, item, period_start, part, rules, decision, reason,
    detail::text FROM ondol.event WHERE tenant = %s"""
QUARANTINE = """SELECT tenant, run_key, stage, sha256, name, reason, remedy, evidence::text, state
    FROM ondol.quarantine WHERE tenant = %s"""


def snapshot(tenant: str, *, lake: bool = True) -> dict[str, Any]:
    """The tenant's lake, ledger, quarantine, warehouse and serving schema; numbers and times of writing left out."""
    return {
        "lake": _lake(tenant) if lake else {},
        "ledger": _rows(embedded.database_uri(), LEDGER, (tenant,)),
        "quarantine": _rows(embedded.database_uri(), QUARANTINE, (tenant,)),
        "warehouse": warehouse_rows(tenant),
        "serving": serving_rows(tenant),
    }


def warehouse_rows(tenant: str) -> dict[str, list[str]]:
    """Every table and its rows, sorted."""
    warehouse = DuckDbWarehouse(settings().home, tenant)
    rows = {}
    for table in warehouse.tables():
        with warehouse.read(table) as reader:
            read = reader.read_all()
            timeless = [name for name in read.column_names if name != LOADED_AT]
            rows[table] = sorted(str(row) for row in read.select(timeless).to_pylist())
    warehouse.close()
    return rows


def serving_rows(tenant: str) -> dict[str, list[str]]:
    """Every table of the tenant's schema and its rows, sorted."""
    tables = PostgresServing(embedded.serving_uri(), tenant).tables()
    return {name: _rows(embedded.serving_uri(), f'SELECT * FROM "{tenant}"."{name}"', ()) for name in tables}


def _lake(tenant: str) -> dict[str, str]:
    lake = open_lake(tenant)
    paths = [path for path in lake.paths("") if not path.startswith("manifests/")]
    here = {path: hashlib.sha256(lake.get(lake.uri(path))).hexdigest() for path in paths}
    for path in lake.paths("manifests/"):
        manifest = Manifest.read(lake, lake.uri(path)).model_dump(mode="json")
        if manifest["stage"] in ("transform", "sync"):  # their counts say what this attempt had to do
            manifest = {**manifest, "counts": {}, "marts": sorted(manifest["marts"])}
        here[path] = json.dumps(manifest).replace(str(lake.root), "")  # type: ignore[attr-defined]
    return here


def _rows(uri: str, sql: str, values: tuple[object, ...]) -> list[str]:
    connection = psycopg2.connect(uri)
    with connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = sorted(repr(row) for row in cursor.fetchall())
    connection.close()
    return rows


def inbox(home: Path) -> None:
    """The sample tenants' files in a home."""
    from tests.samples import write_samples

    write_samples(home / "inbox")
