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

import pyarrow as pa
import pytest

from ondol.config.load import Load
from ondol.errors import FatalError, Rejected
from ondol.lake import gcs
from ondol.lake.gcs import GcsLake
from ondol.manifest import Period
from ondol.warehouse.base import LoadResult, Slot

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


def test_a_load_gives_back_every_row_with_bigquerys_types(warehouse, load, day, schemas):
    assert load("sales", day(5), ROWS) == LoadResult("loaded", 2, 0)
    with warehouse.read("sales") as reader:
        table = reader.read_all()
    as_bigquery = {"int32": "int64"}
    wanted = [(f.name, as_bigquery.get(str(f.type), str(f.type))) for f in schemas["sales"]]
    assert [(f.name, str(f.type)) for f in table.schema] == [*wanted, ("_loaded_at", "timestamp[us, tz=UTC]")]
    assert sorted((r["store_code"], r["amount"], r["_row"]) for r in table.to_pylist()) == [
        ("001", Decimal("1000"), 5),
        ("002", Decimal("250.5"), 6),
    ]
    assert load("sales", day(5), ROWS).decision == "unchanged"
    older = ("2026-01-04", "a", "aa")
    assert load("sales", day(5), ROWS[:1], version=older, rules_hash="r9").decision == "superseded"
    newer = ("2026-01-06", "b", "bb")
    assert load("sales", day(5), ROWS[:1], version=newer) == LoadResult("loaded", 1, 2)
    assert len(contents(warehouse)) == 1
    assert warehouse.tables() == ("sales",)


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
    gcs._client.cache_clear()
    lake = GcsLake(f"gs://lake/{tmp_path.name}", "hanbit")
    path = load.parquet("sales", day(5), ROWS)
    uri = lake.put("tidy/한글 'a'.parquet", path.read_bytes())
    about = {"slot": day(5), "version": ("1",), "sha256": "aa", "rules_hash": "r", "run_key": "k"}
    warehouse.load("sales", schemas["sales"], lake.local(uri), uri=uri, **about)
    assert len(contents(warehouse)) == 2
    [job] = [j for j in warehouse.client.api.list_jobs(all_users=True) if j.job_type == "load"]
    assert job.source_uris == [uri]


def test_columns_are_added_and_integers_widened(warehouse, load, day, schemas):
    whole = schemas["sales"].insert(3, pa.field("quantity", pa.int64()))
    exact = schemas["sales"].insert(3, pa.field("quantity", pa.decimal128(38, 9)))
    load("sales", day(3), ROWS)
    load("sales", day(4), [(*ROWS[0], 2**53 + 1)], schema=whole, version=("1", "b", "b"))
    load("sales", day(5), [(*ROWS[0], Decimal("0.5"))], schema=exact, version=("1", "c", "c"))
    load("sales", day(6), [(*ROWS[0], 3)], schema=whole, version=("1", "d", "d"))
    found = [r["quantity"] for r in contents(warehouse) if r["quantity"] is not None]
    assert sorted(found) == [Decimal("0.5"), Decimal(3), Decimal(2**53 + 1)]
    text = pa.schema([f.with_type(pa.string()) if f.name == "amount" else f for f in schemas["sales"]])
    before = contents(warehouse)
    with pytest.raises(FatalError, match=r"sales\.amount is NUMERIC .*says STRING.*another name"):
        load("sales", day(5), [(D5, "001", "1000")], schema=text, version=("2", "e", "e"))
    assert contents(warehouse) == before


def test_a_type_may_change_freely_once_the_slot_was_all_that_the_table_held(warehouse, load, day, schemas):
    load("sales", day(5), ROWS)
    text = pa.schema([f.with_type(pa.string()) if f.name == "amount" else f for f in schemas["sales"]])
    load("sales", day(5), [(D5, "001", "1000")], rules_hash="r2", schema=text)
    assert [r["amount"] for r in contents(warehouse)] == ["1000"]
    assert warehouse.client.table("sales").time_partitioning.field == "_period_start"


def test_an_item_that_moves_to_another_table_takes_its_rows_along(warehouse, load, day, schemas):
    load("sales", day(5), ROWS)
    load("sales", day(6), ROWS, version=("1", "b", "b"))
    load("sales_new", day(5), ROWS, rules_hash="r2", schema=schemas["sales"])
    assert {r["_period_start"].day for r in contents(warehouse)} == {6}
    assert {r["_period_start"].day for r in contents(warehouse, "sales_new")} == {5}


def test_rows_of_another_slot_a_short_file_and_a_foreign_schema_are_refused_and_leave_nothing(
    warehouse, load, day, schemas
):
    path = load.parquet("sales", day(5), ROWS)
    about = {"version": ("1",), "sha256": "aa", "rules_hash": "r", "run_key": "k"}
    with pytest.raises(FatalError, match="has 2 rows, but 0 of sales are of its slot sales_daily 2026-01-06"):
        warehouse.load("sales", schemas["sales"], path, slot=day(6), **about)
    with pytest.raises(FatalError, match="Run tag again"):
        warehouse.load("stores", schemas["stores"], path, slot=day(5), **about)
    assert warehouse.client.tables() == []
    load("sales", day(5), ROWS)
    with pytest.raises(Rejected, match="has 1 rows, but what it follows has 2"):
        load("sales", day(5), ROWS[:1], version=("3", "b", "b"), how=Load(max_row_drop=0.2))
    assert len(contents(warehouse)) == 2


@pytest.mark.parametrize(
    "name", ["select", "한글 열", "x-y", "_row_timestamp", 'a"; DROP TABLE sales; --', "a`b", "a\\b"]
)
def test_hostile_names_are_only_names_or_refused(warehouse, load, schemas, name):
    slot = Slot(name, Period(start=D5, end=D5), name)
    schema = schemas["sales"].insert(3, pa.field(name, pa.string()))
    if name in ("select", "한글 열", "x-y"):
        load("sales", slot, [(*ROWS[0], name)], schema=schema)
        assert contents(warehouse)[0][name] == contents(warehouse)[0]["_item"] == name
        return
    with pytest.raises(FatalError, match="is no name for BigQuery"):
        load("sales", slot, [(*ROWS[0], name)], schema=schema)


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
