"""What the DuckDB warehouse promises besides: nobody waits for ever, nothing else is reached, a kill harms nothing."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from ondol.errors import RetriableError
from ondol.warehouse.duckdb import DuckDbWarehouse, quoted

D5 = dt.date(2026, 1, 5)
ROWS = [(D5, "001", Decimal("1000")), (D5, "002", Decimal("250.5"))]


def test_a_tenant_whose_id_is_the_name_of_its_file_s_catalog_is_not_ambiguous(tmp_path, project, load, day):
    load.warehouse = DuckDbWarehouse(tmp_path / "other", "warehouse", project=project)
    load("sales", day(5), ROWS)
    assert load.warehouse.query("SELECT count(*) AS n FROM warehouse.sales") == [{"n": 2}]


def test_a_fingerprint_tells_every_change_and_only_changes(warehouse):
    def fingerprint(select: str) -> str:
        with warehouse.transaction() as connection:
            connection.execute(f"CREATE OR REPLACE TABLE hanbit.mart AS {select}")
        return warehouse.fingerprint("mart")

    base = fingerprint("SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t(k, v)")
    assert fingerprint("SELECT * FROM (VALUES (2, NULL), (1, 'a')) AS t(k, v)") == base
    others = [
        "SELECT * FROM (VALUES (1, 'a'), (2, NULL), (2, NULL)) AS t(k, v)",
        "SELECT * FROM (VALUES (1, 'a'), (2, 'a')) AS t(k, v)",
        "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t(k, w)",
        "SELECT k::BIGINT AS k, v FROM (VALUES (1, 'a'), (2, NULL)) AS t(k, v)",
        "SELECT * FROM (VALUES (1, NULL), (2, 'a')) AS t(k, v)",
        "SELECT * FROM (VALUES (1, 'a')) AS t(k, v)",
    ]
    assert len({base, *map(fingerprint, others)}) == 1 + len(others)


def test_sql_reaches_no_other_file_and_no_network(warehouse, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for statement in (
        f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
        f"ATTACH '{tmp_path}/other.duckdb' AS other",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ):
        with pytest.raises(duckdb.Error), warehouse.connect(write=True) as connection:
            connection.execute(statement)
    assert not (tmp_path / "out.csv").exists()


HOLD = """
import sys, time
from pathlib import Path
from ondol.warehouse.duckdb import DuckDbWarehouse
with DuckDbWarehouse(Path(sys.argv[1]), "hanbit").connect(write=True):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def held(warehouse, seconds):
    command = [sys.executable, "-c", HOLD, str(warehouse.home), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        yield
        process.kill()


def test_a_second_process_waits_its_turn(warehouse, load, day):
    with held(warehouse, 0.7):
        assert load("sales", day(5), ROWS).decision == "loaded"


def test_a_second_process_that_waited_too_long_is_told_to_come_again(warehouse, load, day):
    warehouse.wait = 0.3
    with held(warehouse, 30), pytest.raises(RetriableError, match="held by another process"):
        load("sales", day(5), ROWS)
    assert load("sales", day(5), ROWS).decision == "loaded"


def test_reading_while_this_process_writes_waits_too(warehouse, load, day, contents):
    load("sales", day(5), ROWS)
    release = threading.Event()

    def write():
        with warehouse.transaction() as connection:
            connection.execute(f"DELETE FROM {quoted('hanbit')}.sales")
            release.wait(5)

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.2)
    threading.Timer(0.3, release.set).start()
    assert contents(warehouse) == []
    writer.join()


LOAD = """
import sys
from pathlib import Path
import pyarrow.parquet as pq, datetime as dt
from ondol.manifest import Period
from ondol.warehouse.base import Slot
from ondol.warehouse.duckdb import DuckDbWarehouse
home, version, *paths = sys.argv[1:]
for path in paths:
    file = pq.ParquetFile(path)
    schema, row = file.schema_arrow, file.read(["_period_start"])[0][0].as_py()
    result = DuckDbWarehouse(Path(home), "hanbit").load(
        "sales", schema, Path(path), slot=Slot("sales_daily", Period(start=row, end=row)),
        version=(version,), sha256=version, rules_hash="r", run_key="k")
    assert result.decision in ("loaded", "unchanged")
"""


def start(home: Path, version: str, *paths: Path, **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", LOAD, str(home), version, *map(str, paths)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | environment)


def test_a_load_killed_at_any_write_and_run_again_ends_as_if_undisturbed(tmp_path, project, load, day, contents):
    paths = [load.parquet("sales", day(number), ROWS * 500, "v1") for number in (4, 5)]
    log = tmp_path / "points"
    assert start(tmp_path / "calm", "v1", *paths, ONDOL_FAULT_LOG=str(log)).wait() == 0
    calm = DuckDbWarehouse(tmp_path / "calm", "hanbit", project=project)
    points = log.read_text().splitlines()
    assert points == ["warehouse:create", "warehouse:created", *["warehouse:load:commit", "warehouse:load:done"] * 2]
    for number in range(1, len(points) + 1):
        home = tmp_path / f"killed{number}"
        assert start(home, "v1", *paths, ONDOL_FAULT=str(number)).wait() == -signal.SIGKILL
        assert start(home, "v1", *paths).wait() == 0
        killed = DuckDbWarehouse(home, "hanbit", project=project)
        assert (killed.state(), contents(killed)) == (calm.state(), contents(calm)), points[number - 1]


def test_a_load_killed_at_any_instruction_leaves_the_old_rows_or_the_new(tmp_path, project, load, day):
    chance = random.Random(7)
    path = load.parquet("sales", day(5), ROWS * 20_000, "v1")
    home = tmp_path / "home"
    for _ in range(6):
        process = start(home, "v1", path)
        time.sleep(chance.uniform(0.3, 1.2))
        process.kill()
        process.wait()
        warehouse = DuckDbWarehouse(home, "hanbit", project=project)
        held = warehouse.query("SELECT count(*) AS n FROM _ondol.loads")[0]["n"]
        rows = warehouse.query("SELECT count(*) AS n FROM hanbit.sales")[0]["n"] if warehouse.tables() else 0
        assert rows == held * 40_000


def test_two_processes_at_once_double_nothing(tmp_path, project, load, day, contents):
    paths = [load.parquet("sales", day(number), ROWS * 100, "v1") for number in (3, 4, 5)]
    home, log = tmp_path / "home", tmp_path / "points"
    both = [start(home, "v1", *paths, ONDOL_FAULT_LOG=str(log)) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert log.read_text().splitlines().count("warehouse:load:done") == 3
    assert len(contents(DuckDbWarehouse(home, "hanbit", project=project))) == 600
