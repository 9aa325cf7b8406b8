"""PostgreSQL that restarts, is cut off, full or held by another session: the next run ends as if nothing had been."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pyarrow as pa
import pytest

from ondol import embedded
from ondol.config.tenant import SyncTable
from ondol.errors import RetriableError
from ondol.mart import Mart
from ondol.serving import connection as connections
from ondol.serving.postgres import PostgresServing
from tests.ondol.serving import sync_once
from tests.ondol.serving.marts import mart
from tests.ondol.serving.proxy import Cut, proxied
from tests.ondol.serving.test_faults import Query, state

SPEC = SyncTable(table="sales", key=("id",), max_delete_share=1)


@contextmanager
def asking(uri: str) -> Iterator[Query]:
    with closing(psycopg2.connect(uri)) as connection, connection.cursor() as cursor:
        connection.autocommit = True

        def ask(statement: str) -> list[tuple[Any, ...]]:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

        yield ask


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, postgres_home: Path) -> Iterator[str]:
    """The URI of a server that this test may do anything to."""
    home = Path(tempfile.mkdtemp(prefix="ondol-", dir="/tmp"))
    home.chmod(0o755)
    monkeypatch.setenv("ONDOL_HOME", str(home))
    yield embedded.uri("serving")
    embedded.stop()
    shutil.rmtree(home, ignore_errors=True)


def undisturbed(uri: str, tenant: str, number: int) -> dict[str, Any]:
    """What the database has of a tenant whose syncs nothing disturbed."""
    name = f"{tenant}_calm"
    for each in range(1, number + 1):
        sync_once.sync(uri, name, each)
    with asking(uri) as query:
        return state(query, name)


def crash() -> None:
    pid = Path(os.environ["ONDOL_HOME"]) / "pg" / "postmaster.pid"
    process = psutil.Process(int(pid.read_text().split()[0]))
    process.send_signal(signal.SIGQUIT)
    process.wait(30)


@pytest.mark.parametrize("end", [embedded.stop, crash], ids=["a restart", "a crash"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_server_that_restarts_while_rows_flow(own: str, tenant: str, end: Callable[[], object], number: int) -> None:
    table = sync_once.content(number)
    calm = undisturbed(own, tenant, number)
    if number == 2:
        sync_once.sync(own, tenant, 1)

    def cut_off() -> Any:
        first, *others = table.to_batches(max_chunksize=1000)
        yield first
        end()
        yield from others

    with pytest.raises(RetriableError, match=r"sales: PostgreSQL is away or busy.*Trying again is safe"):
        PostgresServing(own, tenant).sync(SPEC, Mart("lost", table.schema, cut_off))
    uri = embedded.uri("serving")
    sync_once.sync(uri, tenant, number)
    with asking(uri) as query:
        assert state(query, tenant) == calm


def _after(size: int) -> Cut:
    return lambda data, seen: "before" if seen + len(data) > size else ""


def _at_commit(when: str) -> Cut:
    return lambda data, seen: when if b"COMMIT" in data else ""


@pytest.mark.parametrize(
    "cut",
    [_after(200), _after(3_000), _at_commit("before"), _at_commit("after")],
    ids=["before the rows", "among the rows", "before the commit", "before the commit is confirmed"],
)
@pytest.mark.parametrize("number", [2, 3])
def test_a_connection_that_is_cut(uri: str, tenant: str, query: Query, cut: Cut, number: int) -> None:
    calm = undisturbed(uri, tenant, number)
    for each in range(1, number):
        sync_once.sync(uri, tenant, each)
    with proxied(uri, cut) as cut_off, pytest.raises(RetriableError, match="PostgreSQL is away or busy"):
        sync_once.sync(cut_off, tenant, number)
    sync_once.sync(uri, tenant, number)
    assert state(query, tenant) == calm


@pytest.fixture
def small(own: str) -> Iterator[tuple[str, Callable[[str], None]]]:
    """A server whose tables lie on a disk of a few megabytes, and how to give the disk another size."""
    with tempfile.TemporaryDirectory(prefix="ondol-", dir="/tmp") as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            assert not os.environ.get("CI"), made.stderr
            pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")

        def resize(size: str) -> None:
            subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)

        try:
            owner = (Path(os.environ["ONDOL_HOME"]) / "pg").stat()
            os.chown(folder, owner.st_uid, owner.st_gid)
            with asking(own) as query:
                query(f"CREATE TABLESPACE small LOCATION '{folder}'")
            yield f"{own}&options=-c%20default_tablespace%3Dsmall%20-c%20temp_tablespaces%3Dsmall", resize
        finally:
            embedded.stop()
            subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("filled", [False, True], ids=["a new table", "a filled table"])
def test_a_disk_that_is_full(small: tuple[str, Callable[[str], None]], tenant: str, filled: bool) -> None:
    uri, resize = small
    table = pa.table({"id": range(60_000), "name": ["가" * 50] * 60_000})
    serving = PostgresServing(uri, tenant)
    if filled:
        serving.sync(SPEC, mart(table.slice(0, 10), "old"))
    with pytest.raises(RetriableError, match="No space left on device"):
        serving.sync(SPEC, mart(table, "new"))
    assert [serving.count(name) for name in serving.tables()] == [10] * filled
    resize("64m")
    assert serving.sync(SPEC, mart(table, "new")).rows == 60_000
    assert serving.sync(SPEC, mart(table, "new")).skipped


@pytest.mark.parametrize(
    ("lock", "number"),
    [
        ("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", 2),
        ("SELECT FROM {table} FOR UPDATE", 2),
        ("SELECT FROM {table} WHERE id = 150 FOR UPDATE", 3),
    ],
)
def test_rows_that_another_session_holds(
    uri: str, tenant: str, query: Query, monkeypatch: pytest.MonkeyPatch, lock: str, number: int
) -> None:
    calm = undisturbed(uri, tenant, number)
    for each in range(1, number):
        sync_once.sync(uri, tenant, each)
    monkeypatch.setattr(connections, "LOCK_WAIT", 0.3)
    with closing(psycopg2.connect(uri)) as other, other.cursor() as cursor:
        cursor.execute(lock.format(table=f"{tenant}.sales"))
        with pytest.raises(RetriableError, match="lock timeout"):
            sync_once.sync(uri, tenant, number)
    sync_once.sync(uri, tenant, number)
    assert state(query, tenant) == calm


def test_a_statement_that_takes_too_long(uri: str, tenant: str, query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = undisturbed(uri, tenant, 3)
    for each in (1, 2):
        sync_once.sync(uri, tenant, each)
    query(
        f"CREATE FUNCTION {tenant}.sleep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); END';"
        f" CREATE TRIGGER slow BEFORE INSERT ON {tenant}.sales EXECUTE FUNCTION {tenant}.sleep()"
    )
    monkeypatch.setattr(connections, "STATEMENT_WAIT", 0.5)
    with pytest.raises(RetriableError, match="statement timeout"):
        sync_once.sync(uri, tenant, 3)
    monkeypatch.undo()
    query(f"DROP FUNCTION {tenant}.sleep CASCADE")
    sync_once.sync(uri, tenant, 3)
    assert state(query, tenant) == calm
