"""What the warehouse tells of a mart's changes: all of them, against the batch asked for, or that it cannot tell."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from ondol.errors import FatalError
from ondol.warehouse.duckdb import DuckDbWarehouse, quoted
from ondol.warehouse.synced import CARRIED_ROWS

KEY = ("shop", "day")


COLUMNS = "shop VARCHAR, day INTEGER, amount DECIMAL(18,2), note VARCHAR"


def make(warehouse: DuckDbWarehouse, rows: Sequence[tuple[object, ...]]) -> None:
    with warehouse.transaction() as connection:
        connection.execute(f"CREATE OR REPLACE TABLE hanbit.mart ({COLUMNS})")
        if rows:
            connection.executemany("INSERT INTO hanbit.mart VALUES (?, ?, ?, ?)", rows)


def told(warehouse: DuckDbWarehouse, since: str | None, key: Sequence[str] = KEY):
    """The upserted rows, the keys that are gone, the counts and the batch id; None if it cannot tell."""
    with warehouse.changes("mart", key, since) as changes:
        if changes is None:
            return None
        upserts = sorted(tuple(row.values()) for batch in changes.upserts() for row in batch.to_pylist())
        gone = sorted(tuple(row.values()) for batch in changes.gone() for row in batch.to_pylist())
        return upserts, gone, (changes.inserted, changes.updated, changes.deleted, changes.rows), changes.batch_id


def synced(warehouse: DuckDbWarehouse, key: Sequence[str] = KEY) -> str:
    batch = warehouse.fingerprint("mart")
    warehouse.remember("mart", key, batch)
    return batch


def test_what_is_new_changed_and_gone_is_told_and_nothing_else(warehouse):
    make(warehouse, [("가", 1, 10, "a"), ("가", 2, 20, None), ("나", 1, 30, "c"), ("나", 2, 40, "d")])
    then = synced(warehouse)
    make(warehouse, [("나", 1, 30, "c"), ("가", 2, 20, "b"), ("가", 1, 10, "a"), ("다", 1, 50, None)])
    upserts, gone, counts, batch = told(warehouse, then)
    assert upserts == [("가", 2, 20, "b"), ("다", 1, 50, None)]
    assert gone == [("나", 2)]
    assert counts == (1, 1, 1, 4)
    assert batch == warehouse.fingerprint("mart")


def test_of_any_row_of_edits_the_fingerprint_and_the_rows_come_out_as_a_full_look_finds_them(warehouse):
    dice = random.Random(7)
    mart = {("s", n): (n, "x") for n in range(50)}
    make(warehouse, [(*key, *row) for key, row in mart.items()])
    copy, batch = dict(mart), synced(warehouse)
    for _ in range(25):
        for _ in range(dice.randrange(6)):
            key = (dice.choice("st"), dice.randrange(60))
            if dice.random() < 0.3:
                mart.pop(key, None)
            else:
                mart[key] = (dice.randrange(5), dice.choice(["x", "y", None]))
        make(warehouse, dice.sample([(*key, *row) for key, row in mart.items()], len(mart)))
        upserts, gone, _, now = told(warehouse, batch)
        copy |= {row[:2]: row[2:] for row in upserts}
        for key in gone:
            del copy[key]
        assert copy == mart
        assert now == warehouse.fingerprint("mart")
        warehouse.remember("mart", KEY, now)
        batch = now


def test_nothing_is_told_of_a_batch_that_is_not_the_remembered_one(warehouse):
    make(warehouse, [("가", 1, 10, "a")])
    assert told(warehouse, None) is None
    assert told(warehouse, "unknown") is None
    first = synced(warehouse)
    make(warehouse, [("가", 1, 11, "a")])
    second = synced(warehouse)
    assert told(warehouse, first) is None
    assert told(warehouse, second)[:2] == ([], [])


def test_a_batch_that_is_no_longer_the_mart_is_not_remembered_as_such(warehouse):
    make(warehouse, [("가", 1, 10, "a")])
    batch = warehouse.fingerprint("mart")
    make(warehouse, [("가", 1, 11, "a")])
    warehouse.remember("mart", KEY, batch)
    assert told(warehouse, batch) is None


def test_an_other_key_or_other_columns_cannot_be_compared(warehouse):
    make(warehouse, [("가", 1, 10, "a")])
    then = synced(warehouse)
    assert told(warehouse, then, ("day", "shop")) is None
    with warehouse.transaction() as connection:
        connection.execute("ALTER TABLE hanbit.mart ADD COLUMN more INTEGER")
    assert told(warehouse, then) is None


@pytest.mark.parametrize(
    "more",
    [[("가", 1, 10, "a")], [("가", 1, 11, "b")], [("나", 1, 1, "x"), ("나", 1, 1, "x")], [(None, 1, 1, "x")]],
    ids=["the same row twice", "an old key twice", "a new key twice", "no key"],
)
def test_a_mart_whose_key_names_no_single_row_is_left_to_the_serving_database(warehouse, more):
    make(warehouse, [("가", 1, 10, "a"), ("나", 9, 10, "a")])
    then = synced(warehouse)
    make(warehouse, [("가", 1, 10, "a"), ("나", 9, 10, "a"), *more])
    assert told(warehouse, then) is None


def test_more_changes_than_are_carried_over_are_remembered_all_the_same(warehouse, monkeypatch):
    assert CARRIED_ROWS > 1
    monkeypatch.setattr("ondol.warehouse.synced.CARRIED_ROWS", 1)
    make(warehouse, [("가", n, n, "a") for n in range(9)])
    then = synced(warehouse)
    make(warehouse, [("가", n, n + 1, "a") for n in range(9)])
    *_, batch = told(warehouse, then)
    warehouse.remember("mart", KEY, batch)
    assert told(warehouse, batch)[2] == (0, 0, 0, 9)


@pytest.mark.parametrize("name", ["t", "m", "h", "k0", 'a"; --', "_synced"])
def test_columns_of_any_name_are_compared(warehouse, name):
    def make_one(value: str) -> None:
        with warehouse.transaction() as connection:
            connection.execute(f"CREATE OR REPLACE TABLE hanbit.mart AS SELECT 1 AS {quoted(name)}, {value} AS other")

    make_one("1")
    then = synced(warehouse, (name,))
    make_one("2")
    upserts, gone, counts, _ = told(warehouse, then, (name,))
    assert (upserts, gone, counts) == ([(1, 2)], [], (0, 1, 0, 1))


def test_a_mart_that_is_not_there_is_named(warehouse):
    with pytest.raises(FatalError, match="no table 'mart'"), warehouse.changes("mart", KEY, "x"):
        pass


KILLED = """
import sys
from pathlib import Path
from ondol.warehouse.duckdb import DuckDbWarehouse
warehouse = DuckDbWarehouse(Path(sys.argv[1]), "hanbit")
with warehouse.changes("mart", ("shop", "day"), sys.argv[2]) as changes:
    batch = changes.batch_id
warehouse.remember("mart", ("shop", "day"), batch)
"""


@pytest.mark.parametrize("number", [1, 2])
def test_a_kill_leaves_the_batch_before_or_the_batch_after(warehouse, number):
    make(warehouse, [("가", 1, 10, "a"), ("가", 2, 10, "a")])
    before = synced(warehouse)
    make(warehouse, [("가", 1, 10, "a"), ("가", 2, 20, "a")])
    after = warehouse.fingerprint("mart")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(warehouse.home), before], env={**os.environ, "ONDOL_FAULT": str(number)}
    )
    assert done.returncode == -signal.SIGKILL
    assert [told(warehouse, batch) is not None for batch in (before, after)] == [number == 1, number == 2]
    warehouse.remember("mart", KEY, after)
    assert told(warehouse, after)[2] == (0, 0, 0, 2)
