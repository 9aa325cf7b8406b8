"""A tenant of its own for each test, on the serving database of the session's PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pytest

from ondol.config.tenant import SyncTable
from ondol.mart import Mart
from ondol.serving.base import SyncResult
from ondol.serving.postgres import PostgresServing
from tests.ondol.serving.marts import mart


@pytest.fixture(scope="session")
def uri(postgres_home: Path) -> str:
    from ondol import embedded

    return embedded.uri("serving")


@pytest.fixture
def tenant() -> str:
    return f"t_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def serving(uri: str, tenant: str) -> PostgresServing:
    return PostgresServing(uri, tenant)


@pytest.fixture
def connection(uri: str) -> Iterator[Any]:
    """Another user of the database, each of whose statements is a transaction."""
    with closing(psycopg2.connect(uri)) as other:
        other.autocommit = True
        yield other


@pytest.fixture
def query(connection: Any) -> Callable[[str], list[tuple[Any, ...]]]:
    def ask(statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    return ask


@pytest.fixture
def sync(serving: PostgresServing) -> Callable[..., SyncResult]:
    """Sync a pa.Table or a mart to `sales`.

    Each table is a batch of its own unless `batch_id` says otherwise; words that are none of `sync` are of the YAML.
    """

    def run(
        table: pa.Table | Mart,
        *,
        key: tuple[str, ...] = ("id",),
        share: float = 1.0,
        batch_id: str | None = None,
        comments: dict[str, str] | None = None,
        **words: Any,
    ) -> SyncResult:
        options = {word: words.pop(word) for word in ("dry_run", "full", "accept") if word in words}
        spec = SyncTable(table="sales", key=key, max_delete_share=share, **words)
        version = table if isinstance(table, Mart) else mart(table, batch_id, comments=comments)
        return serving.sync(spec, version, **options)

    return run


@pytest.fixture(scope="session")
def sales() -> Callable[..., pa.Table]:
    return _sales


def _sales(rows: int, **changed: pa.Array) -> pa.Table:
    """`rows` sales with Hangul names, decimals, dates, times and gaps; columns of the same name replace its own."""
    import datetime as dt
    from decimal import Decimal

    start = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
    numbers = range(rows)
    columns: dict[str, pa.Array] = {
        "id": pa.array(numbers, pa.int64()),
        "shop": pa.array([f"{number % 31:04d}" for number in numbers], pa.string()),
        "name": pa.array([f"한빛 상품 {number}" if number % 7 else None for number in numbers], pa.string()),
        "amount": pa.array([Decimal(number * 13) / 4 for number in numbers], pa.decimal128(18, 2)),
        "day": pa.array([dt.date(2026, 1, 1) + dt.timedelta(days=number % 31) for number in numbers], pa.date32()),
        "sold_at": pa.array([start + dt.timedelta(seconds=number) for number in numbers], pa.timestamp("us", "UTC")),
        "rate": pa.array([number / 3 for number in numbers], pa.float64()),
        "member": pa.array([number % 2 == 0 for number in numbers], pa.bool_()),
    }
    return pa.table(columns | changed)
