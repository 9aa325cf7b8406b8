"""A sync that is killed, cut off or beaten by another ends, once it is run again, as an undisturbed one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pytest

from ondol.config.tenant import SyncTable
from ondol.errors import RetriableError
from ondol.mart import Mart
from ondol.serving.base import SyncResult
from ondol.serving.postgres import PostgresServing
from ondol.settings import PROJECT
from tests.ondol.serving import sync_once as script
from tests.ondol.serving.marts import mart

Query = Callable[[str], list[tuple[Any, ...]]]


def exits(uri: str, number: int, points: dict[str, str], **env: str) -> list[int]:
    """How a sync by each tenant ended, killed at its point ("": at none)."""
    command = [sys.executable, "-m", script.__name__, uri, str(number)]
    command += [f"{name}:{point}" for name, point in points.items()]
    done = subprocess.run(command, cwd=PROJECT, env=os.environ | env, check=True, capture_output=True, text=True)
    return [int(code) for code in done.stdout.split()]


def state(query: Query, tenant: str) -> dict[str, list[tuple[Any, ...]]]:
    return {
        "columns": query(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
            f" WHERE table_schema = '{tenant}' ORDER BY ordinal_position"
        ),
        "comments": query(
            f"SELECT objsubid, description FROM pg_description WHERE objoid = '{tenant}.sales'::regclass ORDER BY 1"
        ),
        "rows": query(f"SELECT * FROM {tenant}.sales ORDER BY id"),
        "batches": query(
            'SELECT "table", batch_id, inserted, updated, deleted, unchanged, rows, checksum'
            f" FROM _ondol.batch WHERE tenant = '{tenant}' ORDER BY id"
        ),
    }


@pytest.mark.parametrize(("number", "points"), [(1, 6), (2, 7), (3, 6)])
def test_a_kill_at_any_point_is_made_good_by_the_next_run(
    uri: str, tenant: str, query: Query, tmp_path: Path, number: int, points: int
) -> None:
    calm, log = f"{tenant}_calm", tmp_path / "points"
    disturbed = {f"{tenant}_{point}": str(point) for point in range(1, points + 1)}
    for earlier in range(1, number):
        for name in (calm, *disturbed):
            script.sync(uri, name, earlier)
    assert exits(uri, number, {calm: ""}, ONDOL_FAULT_LOG=str(log)) == [0]
    assert len(log.read_text().split()) == points
    assert exits(uri, number, disturbed) == [-signal.SIGKILL] * points
    for name in disturbed:
        script.sync(uri, name, number)
        assert state(query, name) == state(query, calm), f"killed at point {disturbed[name]}"


def test_of_two_syncs_of_one_batch_one_writes_and_one_waits_and_skips(uri: str, tenant: str, query: Query) -> None:
    together = threading.Barrier(2)

    def sync(_: int) -> SyncResult:
        together.wait()
        result: SyncResult = script.sync(uri, tenant, 1)
        return result

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(sync, range(2)), key=lambda result: result.skipped)
    assert [(result.skipped, result.inserted) for result in results] == [(False, 2000), (True, 0)]
    assert query(f"SELECT count(*) FROM _ondol.batch WHERE tenant = '{tenant}'") == [(1,)]


def test_first_syncs_of_many_tenants_at_once_do_not_collide(uri: str, tenant: str, connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {tenant}")
    fresh = uri.replace("/serving?", f"/{tenant}?")
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda number: script.sync(fresh, f"{tenant}_{number}", 1), range(6)))
    assert [result.inserted for result in results] == [2000] * 6


def test_a_reader_sees_the_old_rows_or_the_new_ones_and_never_waits(uri: str, tenant: str) -> None:
    serving = PostgresServing(uri, tenant)
    spec = SyncTable(table="sales", key=("id",), max_delete_share=1)
    old = pa.table({"id": range(20_000), "amount": [1] * 20_000})
    new = pa.table({"id": range(10_000, 35_000), "amount": [2] * 25_000})
    serving.sync(spec, mart(old, "0"))
    seen: set[tuple[Any, ...]] = set()
    done = threading.Event()

    def read() -> int:
        looks = 0
        reader = psycopg2.connect(uri, options="-c lock_timeout=20ms")
        reader.autocommit = True
        with reader.cursor() as cursor:
            while not done.is_set():
                cursor.execute(f"SELECT count(*), min(id), min(amount), max(amount) FROM {tenant}.sales")
                seen.add(cursor.fetchone())
                looks += 1
        reader.close()
        return looks

    with ThreadPoolExecutor(1) as pool:
        looks = pool.submit(read)
        for number in range(1, 7):
            table = new if number % 2 else old
            serving.sync(spec, mart(table, str(number), chunk=999))
        done.set()
        assert looks.result() > 6
    assert seen == {(20_000, 0, 1, 1), (25_000, 10_000, 2, 2)}


def test_a_connection_that_is_cut_while_rows_flow_may_be_tried_again(uri: str, tenant: str, query: Query) -> None:
    table = pa.table({"id": range(100_000)})
    spec = SyncTable(table="sales", key=("id",))

    def cut_off() -> Any:
        for batch in table.to_batches(max_chunksize=50_000):
            yield batch
            query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE application_name = 'ondol' AND query LIKE 'COPY%{tenant}%'"
            )

    with pytest.raises(RetriableError, match=f"{tenant}.sales: PostgreSQL is away or busy.*Trying again is safe"):
        PostgresServing(uri, tenant).sync(spec, Mart("1", table.schema, cut_off))
    assert PostgresServing(uri, tenant).tables() == []
    again = PostgresServing(uri, tenant).sync(spec, mart(table, "1"))
    assert (again.inserted, again.skipped) == (100_000, False)
