"""Indexes, comments and rights follow the YAML and the mart; readers are not kept waiting for any of it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pyarrow as pa
import pytest

from ondol.errors import Rejected, RetriableError
from ondol.serving import connection as connections
from ondol.serving.base import SyncResult
from ondol.serving.postgres import PostgresServing
from tests.ondol.serving.marts import mart

Sync = Callable[..., SyncResult]
Query = Callable[[str], list[tuple[Any, ...]]]
TABLE = pa.table({"id": [1, 2], "shop": ["가", "나"], "day": [1, 2]})


@pytest.fixture
def indexes(query: Query, tenant: str) -> Callable[[], list[str]]:
    return lambda: [
        definition.partition(" USING ")[2]
        for (definition,) in query(
            f"SELECT indexdef FROM pg_indexes WHERE schemaname = '{tenant}' AND tablename = 'sales' ORDER BY 1"
        )
    ]


@pytest.fixture
def role(query: Query) -> Iterator[str]:
    name = f"r.{uuid.uuid4().hex[:12]}"
    query(f'CREATE ROLE "{name}" LOGIN; GRANT CONNECT ON DATABASE serving TO "{name}"')
    yield name
    query(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


@pytest.fixture
def reader(uri: str) -> Iterator[Any]:
    """A session that reads in one long transaction."""
    with closing(psycopg2.connect(uri)) as other:
        other.set_session(isolation_level="REPEATABLE READ", readonly=True)
        yield other


def test_indexes_are_made_and_dropped_as_the_yaml_says_and_those_of_others_stay(
    sync: Sync, query: Query, tenant: str, indexes: Callable[[], list[str]]
) -> None:
    version = mart(TABLE)
    sync(version, indexes=(("shop", "day"), ("day",)))
    query(f"CREATE INDEX mine ON {tenant}.sales (day DESC)")
    wanted = ["btree (day DESC)", "btree (day)", "btree (id)", "btree (shop, day)"]
    assert sorted(indexes()) == wanted
    assert sync(version, indexes=(("day",),)).skipped
    assert sorted(indexes()) == wanted[:3]
    query(f"DROP INDEX {tenant}.mine")
    sync(version, indexes=())
    assert indexes() == ["btree (id)"]
    with pytest.raises(Rejected, match=r"the indexes columns \['town'\] are not in the mart"):
        sync(version, indexes=(("town",),))


def test_an_index_that_somebody_dropped_is_made_again(
    sync: Sync, query: Query, tenant: str, indexes: Callable[[], list[str]]
) -> None:
    version = mart(TABLE)
    sync(version, indexes=(("day",),))
    [(name,)] = query(f"SELECT indexname FROM pg_indexes WHERE schemaname = '{tenant}' AND indexname LIKE 'ondol%'")
    query(f'DROP INDEX {tenant}."{name}"')
    assert sync(version, indexes=(("day",),)).skipped
    assert "btree (day)" in indexes()


def test_rights_to_read_follow_the_yaml_and_those_of_others_stay(
    sync: Sync, query: Query, tenant: str, role: str, uri: str
) -> None:
    def may(who: str, what: str) -> bool:
        return bool(query(f"SELECT has_table_privilege('{who}', '{tenant}.sales', '{what}')")[0][0])

    version = mart(TABLE)
    sync(version)
    query(f'GRANT INSERT ON {tenant}.sales TO "{role}"; GRANT SELECT ON {tenant}.sales TO pg_monitor')
    assert not may(role, "SELECT")
    assert not sync(version, grants=(role,)).skipped
    with closing(psycopg2.connect(uri, user=role)) as other, other.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {tenant}.sales")
        assert cursor.fetchone() == (2,)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT * FROM _ondol.batch")
    query(f'REVOKE SELECT ON {tenant}.sales FROM "{role}"')
    assert sync(version, grants=(role,)).skipped
    assert may(role, "SELECT")
    sync(version, grants=())
    assert [may(role, what) for what in ("SELECT", "INSERT")] == [False, True]
    assert may("pg_monitor", "SELECT")


def test_a_role_that_there_is_not_is_named_before_any_row_is_sent(sync: Sync, serving: PostgresServing) -> None:
    with pytest.raises(Rejected, match=r"names the role 'nobody_here'.*CREATE ROLE \"nobody_here\""):
        sync(TABLE, grants=("nobody_here",))
    assert serving.tables() == []


def test_a_long_transaction_keeps_its_rows_and_keeps_no_sync_waiting(
    sync: Sync, reader: Any, tenant: str, serving: PostgresServing, monkeypatch: pytest.MonkeyPatch, query: Query
) -> None:
    monkeypatch.setattr(connections, "LOCK_WAIT", 0.5)
    query(f"CREATE SCHEMA {tenant}; CREATE TABLE {tenant}.sales (id bigint PRIMARY KEY, shop text, day bigint)")
    query(f"INSERT INTO {tenant}.sales VALUES (7, '옛', 7)")
    look = f"SELECT id, shop FROM {tenant}.sales ORDER BY id"
    with reader.cursor() as cursor:
        cursor.execute(look)
        before = cursor.fetchall()
        for version, words in ((TABLE, {}), (TABLE.slice(1), {"indexes": (("day",),)})):
            sync(version, comments={"day": "날"}, **words)
            cursor.execute(look)
            assert cursor.fetchall() == before == [(7, "옛")]
    assert serving.count("sales") == 1


@pytest.mark.parametrize("how", ["a new column", "an index less"])
def test_what_no_reader_may_be_beside_keeps_no_other_reader_waiting(
    sync: Sync, reader: Any, query: Query, tenant: str, serving: PostgresServing, how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(connections, "LOCK_WAIT", 1.5)
    version = mart(TABLE)
    sync(version, indexes=(("day",),))
    now = mart(TABLE.append_column("more", pa.array([1, 2]))) if how == "a new column" else version
    indexes = (("day",),) if how == "a new column" else ()
    with reader.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {tenant}.sales")
    waits, done = [], threading.Event()

    def read() -> None:
        while not done.is_set():
            began = time.monotonic()
            serving.count("sales")
            waits.append(time.monotonic() - began)

    other = threading.Thread(target=read)
    other.start()
    with pytest.raises(RetriableError, match="lock timeout"):
        sync(now, indexes=indexes)
    ender = threading.Timer(0.7, reader.rollback)
    ender.start()
    assert not sync(now, indexes=indexes).rejected
    done.set()
    other.join()
    ender.join()
    assert max(waits) < 1.2, "seconds"
    assert len(query(f"SELECT 1 FROM pg_indexes WHERE schemaname = '{tenant}'")) == 1 + len(indexes)
