"""What the BigQuery warehouse promises of loads: as DuckDB does it, whatever comes, and however often."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from ondol.config.load import Load
from ondol.errors import FatalError
from ondol.lake import gcs
from ondol.lake.gcs import GcsLake

D5 = dt.date(2026, 1, 5)
ROWS = [(D5, "001", Decimal("1000")), (D5, "002", Decimal("250.5"))]
MODES = {
    "replace": Load(),
    "append": Load(mode="append"),
    "merge": Load(mode="merge", key=("store_code",)),
    "snapshot": Load(mode="snapshot", key=("store_code",)),
}


def contents(warehouse, table="sales"):
    with warehouse.read(table) as reader:
        return sorted(reader.read_all().drop_columns("_loaded_at").to_pylist(), key=str)


def test_a_tidy_table_is_partitioned_by_month_and_clustered_by_item_and_what_the_item_says(warehouse, load, day):
    load("sales", day(5), ROWS, how=Load(cluster=("store_code",)))
    found = warehouse.client.table("sales")
    assert (found.time_partitioning.type_, found.time_partitioning.field) == ("MONTH", "_period_start")
    assert found.clustering_fields == ["_item", "store_code"]
    assert warehouse.client.api.get_dataset("hanbit").labels == {"tenant": "hanbit"}


@pytest.mark.parametrize(
    ("cluster", "message"), [(("a", "b", "c", "d"), "takes 3 more"), (("amont",), "names 'amont'")]
)
def test_a_clustering_that_bigquery_cannot_do_is_refused_before_anything_is_sent(
    warehouse, load, day, cluster, message
):
    how = Load.model_construct(cluster=cluster)
    with pytest.raises(FatalError, match=message):
        load("sales", day(5), ROWS, how=how)
    assert warehouse.client.tables() == []


@pytest.mark.parametrize("mode", MODES)
def test_whatever_comes_in_whatever_order_ends_as_in_duckdb(warehouse, oracle, load, day, mode):
    chance = random.Random(f"order of {mode}")
    files = []
    for number in range(7):
        codes = chance.sample(["001", "002", "003"], chance.randint(0, 3))
        rows = [(D5, code, Decimal(chance.randint(1, 2))) for code in codes]
        # Of the mode append, some have one content.
        content = f"c{chance.randint(1, 3)}" if mode == "append" else f"c{number}"
        part = f"{chance.choice('ab')}.csv" if mode == "append" else ""
        slot = day(chance.choice([3, 4, 5]), "sales_daily", part)
        files.append((slot, rows if mode != "append" else [(D5, content, Decimal(1))], (f"{number}", "f", content)))
    chance.shuffle(files)
    for slot, rows, version in files:
        results = []
        for engine in (warehouse, oracle):
            load.warehouse = engine
            results.append(load("sales", slot, rows, version=version, how=MODES[mode]))
        assert results[0] == results[1], (slot, version)
    there = ([r | {"_row": int(r["_row"])} for r in contents(warehouse)], warehouse.state())
    assert there == (contents(oracle), oracle.state())


def test_a_table_may_change_its_mode_and_keeps_what_its_files_said(warehouse, oracle, load, day):
    steps = ["replace", "merge", "snapshot", "replace"]
    for number, mode in enumerate(steps, 1):
        rows = [(D5, "001", Decimal(number)), (D5, f"00{number}", Decimal(9))][: 1 if number == 1 else 2]
        for engine in (warehouse, oracle):
            load.warehouse = engine
            load("sales", day(number), rows, version=(str(number), "f", str(number)), rules_hash=mode, how=MODES[mode])
        assert contents(warehouse) == contents(oracle), mode
    assert not [name for name in warehouse.client.tables() if "history" in name or "staging" in name]


def test_a_file_is_loaded_from_where_the_lake_has_it(warehouse, load, day, schemas, tmp_path):
    gcs.client.cache_clear()
    lake = GcsLake(f"gs://lake/{tmp_path.name}", "hanbit")
    path = load.parquet("sales", day(5), ROWS)
    uri = lake.put("tidy/한글 'a'.parquet", path.read_bytes())
    about = {"slot": day(5), "version": ("1",), "sha256": "aa", "rules_hash": "r", "run_key": "k"}
    warehouse.load("sales", schemas["sales"], lake.local(uri), uri=uri, **about)
    assert len(contents(warehouse)) == 2
    [job] = [j for j in warehouse.client.api.list_jobs(all_users=True) if j.job_type == "load"]
    assert job.source_uris == [uri]


def test_every_job_is_labelled_and_limited(warehouse, load, day, monkeypatch):
    monkeypatch.setenv("ONDOL_BIGQUERY_BYTES", "12345")
    load("sales", day(5), ROWS)
    jobs = [job for job in warehouse.client.api.list_jobs(all_users=True) if not job.parent_job_id]
    assert {job.job_type for job in jobs} == {"load", "query"}
    for job in jobs:
        assert job.labels == {"tenant": "hanbit", "run": "hanbit-2026-01-05"}
        assert job.job_type == "load" or job.maximum_bytes_billed == 12345


LOAD = """
import sys
from pathlib import Path
import pyarrow.parquet as pq
from ondol.manifest import Period
from ondol.warehouse.base import Slot
from ondol.warehouse.bigquery.warehouse import BigQueryWarehouse
home, path = sys.argv[1:]
file = pq.ParquetFile(path)
row = file.read(["_period_start"])[0][0].as_py()
BigQueryWarehouse(Path(home), "hanbit").load(
    "sales", file.schema_arrow, Path(path), slot=Slot("sales_daily", Period(start=row, end=row)),
    version=("v1",), sha256="v1", rules_hash="r", run_key="k")
"""


def test_a_load_killed_at_any_point_and_run_again_ends_as_if_undisturbed(warehouse, load, day, tmp_path):
    path = load.parquet("sales", day(5), ROWS * 500, "v1")
    log = tmp_path / "points"

    def run(**variables: str) -> int:
        command = [sys.executable, "-c", LOAD, str(tmp_path), str(path)]
        return subprocess.run(command, env=os.environ | variables, timeout=120, check=False).returncode

    seen = []
    for number in range(1, 10):
        code = run(ONDOL_FAULT=str(number), ONDOL_FAULT_LOG=str(log))
        seen.append(log.read_text().splitlines()[-1])
        if code == 0:
            break
        assert code == -signal.SIGKILL
        there = contents(warehouse) if "sales" in warehouse.tables() else []
        assert len(there) in (0, 1000)
    assert [name.removeprefix("warehouse:load:") for name in seen[:2]] == ["staged", "fitted"]
    assert run() == 0
    assert len(contents(warehouse)) == 1000
    staged = [warehouse.client.table(name) for name in warehouse.client.tables() if "staging" in name]
    assert all(table.expires for table in staged)
    commits = [j for j in warehouse.client.api.list_jobs(all_users=True) if j.job_id.startswith("ondol_hanbit_")]
    assert len([job for job in commits if job.job_type == "load"]) == 1


def test_a_new_version_after_a_kill_is_loaded_whole(warehouse, load, day, tmp_path: Path):
    path = load.parquet("sales", day(5), ROWS, "v1")
    for fault in ("3",):  # committed, not cleaned up
        command = [sys.executable, "-c", LOAD, str(tmp_path), str(path)]
        assert subprocess.run(command, env=os.environ | {"ONDOL_FAULT": fault}, check=False).returncode == -9
    load("sales", day(5), ROWS[:1], version=("v2", "b", "b"))
    assert len(contents(warehouse)) == 1
