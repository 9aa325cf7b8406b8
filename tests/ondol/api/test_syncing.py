from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from ondol import pipeline
from ondol.api.access import Principal, granted
from ondol.api.app import create_app
from ondol.api.collecting import InService
from ondol.embedded import serving_uri
from ondol.serving.connection import transaction
from ondol.serving.postgres import PostgresServing
from tests.ondol.api.test_entries import problem
from tests.ondol.snapshot import inbox

SYNC = "/v1/tenants/hanbit/sync"


def client(*roles: str) -> TestClient:
    def authenticate(request: Request) -> Principal:
        return Principal("kim", granted(roles, "{tenant}:{role}"))

    return TestClient(create_app(authenticate, InService()))


@pytest.fixture
def transformed(home: Path) -> PostgresServing:
    """hanbit with its marts of one day, none of which is synced."""
    inbox(home)
    pipeline.run("hanbit", dt.date(2026, 1, 5), last="transform")
    return PostgresServing(serving_uri(), "hanbit")


def test_one_table_is_synced_and_no_other(transformed: PostgresServing) -> None:
    operator = client("hanbit:operator")
    told = operator.post(f"{SYNC}/store_sales_daily", json={"dry_run": True}).json()
    assert told["inserted"] > 0
    assert told["samples"][0]["before"] is None
    assert transformed.tables() == []
    done = operator.post(f"{SYNC}/store_sales_daily").json()
    assert (done["inserted"], done["skipped"]) == (told["inserted"], False)
    assert transformed.tables() == ["store_sales_daily"]
    assert operator.post(f"{SYNC}/store_sales_daily").json()["skipped"]


def test_what_a_guard_refuses_is_told_with_the_way_on(transformed: PostgresServing) -> None:
    operator = client("hanbit:operator")
    operator.post(f"{SYNC}/store_sales_daily")
    with transaction(serving_uri(), "test") as cursor:
        cursor.execute("ALTER TABLE hanbit.store_sales_daily ADD COLUMN mine int")
    refused = problem(operator.post(f"{SYNC}/store_sales_daily"), 409)
    assert "mine" in str(refused["detail"])
    assert "DROP COLUMN" in str(refused["remedy"])


@pytest.mark.parametrize(("roles", "path", "status"), [
    ("hanbit:viewer", f"{SYNC}/store_sales_daily", 403),
    ("saeum:editor", f"{SYNC}/store_sales_daily", 404),
    ("hanbit:operator", f"{SYNC}/no_such_table", 404),
    ("hanbit:operator", f"{SYNC}/pg_catalog.pg_class", 422),
])  # fmt: skip
def test_only_who_operates_the_tenant_may_sync_and_only_its_own_tables(
    home: Path, roles: str, path: str, status: int
) -> None:
    problem(client(roles).post(path), status)
