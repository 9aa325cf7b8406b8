"""The sample firms' files come through to the last figure, and each ends as its fate says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extras import RealDictCursor

from converters import convert
from converters.errors import ContractBroken
from converters.tagging import About, tag
from ondol.config.loader import load_tenant
from ondol.embedded import database_uri, serving_uri
from ondol.ledger.events import Ledger
from ondol.pipeline import run
from ondol.settings import settings
from ondol.warehouse.duckdb import DuckDbWarehouse
from tests.samples import TENANTS, deliveries, truth, write_samples
from tests.samples.delivery import Delivery, Row

REFUSED_AT = {"broken": "convert", "contradictory": "tag", "unknown": "map"}


@pytest.mark.parametrize("tenant", TENANTS)
def test_every_sound_file_gives_its_rows_and_every_false_total_is_named(tenant: str) -> None:
    config = load_tenant(settings().tenants / f"{tenant}.yaml")
    for delivery in deliveries(tenant):
        if delivery.fate not in ("loaded", "contradictory"):
            continue
        assert delivery.item
        assert delivery.period
        about = About(delivery.item, *delivery.period, delivery.part, "sha", delivery.name, "run")
        rule = config.item(delivery.item).tag
        conversion = convert(delivery.content, name=delivery.name)
        if delivery.fate == "contradictory":
            with pytest.raises(ContractBroken, match="the sum of its cells"):
                tag(conversion, rule, about)
            continue
        rows = tag(conversion, rule, about).table.select(list(rule.kinds())).to_pylist()
        assert _comparable(rows, delivery.rows) == _comparable(delivery.rows, delivery.rows), delivery.name


def test_the_files_are_the_same_at_each_writing(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_samples(tmp_path / folder)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) > 60
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


@pytest.mark.parametrize("tenant", TENANTS)
def test_the_first_days_end_as_the_samples_own_figures_say(home: Path, tenant: str) -> None:
    _run_and_compare(home, tenant, [d for d in _days(tenant) if d <= dt.date(2026, 1, 5)])


@pytest.mark.slow
@pytest.mark.parametrize("tenant", TENANTS)
def test_the_month_ends_as_the_samples_own_figures_say(home: Path, tenant: str) -> None:
    _run_and_compare(home, tenant, _days(tenant))


def _days(tenant: str) -> list[dt.date]:
    return sorted({delivery.arrived for delivery in deliveries(tenant)})


def _run_and_compare(home: Path, tenant: str, days: list[dt.date]) -> None:
    """Each file ends as its fate says; tidy tables, marts and PostgreSQL hold the truth, all of it and nothing else."""
    write_samples(home / "inbox", days)
    for day in days:
        run(tenant, day)
    with Ledger(database_uri(), tenant) as ledger:
        events = {(e["location"], e["stage"], e["decision"]) for e in ledger.history(limit=10_000)}
    for delivery in deliveries(tenant):
        if delivery.arrived in days:
            location = f"{delivery.arrived}/{delivery.name}"
            assert (location, *_outcome(delivery)) in events, delivery.name
    warehouse = DuckDbWarehouse(home, tenant)
    held = {table: warehouse.query(f'SELECT * FROM "{tenant}"."{table}"') for table in warehouse.tables()}
    warehouse.close()
    marts = truth.marts(tenant, days[-1])
    for table, rows in (truth.tidy(tenant, days[-1]) | marts).items():
        assert _comparable(held.get(table, []), rows) == _comparable(rows, rows), table
    for spec in load_tenant(settings().tenants / f"{tenant}.yaml").sync:
        rows = marts[spec.table]
        assert _comparable(_served(tenant, spec.table), rows) == _comparable(rows, rows), spec.table


def _outcome(delivery: Delivery) -> tuple[str, str]:
    if delivery.fate == "loaded":
        return "load", "loaded"
    return (REFUSED_AT[delivery.fate], "quarantined") if delivery.fate in REFUSED_AT else ("filter", delivery.fate)


def _served(tenant: str, table: str) -> list[Row]:
    connection = psycopg2.connect(serving_uri(), cursor_factory=RealDictCursor)
    with connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(tenant, table)))
        rows = [dict(row) for row in cursor.fetchall()]
    connection.close()
    return rows


def _comparable(rows: Sequence[Row], like: Sequence[Row]) -> list[tuple[object, ...]]:
    """The rows in one order, as tuples of the columns that `like` has; numbers exact, whatever their type."""
    names = sorted(like[0]) if like else []
    return sorted((tuple(_value(row[name]) for name in names) for row in rows), key=str)


def _value(value: object) -> object:
    return Decimal(str(value)).normalize() if isinstance(value, int | float | Decimal) else value
