"""What the DuckDB warehouse promises: a slot holds its newest file, whole, whatever happens."""

from __future__ import annotations

import datetime as dt
import itertools
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
import pyarrow as pa
import pytest

from ondol.errors import FatalError, RetriableError
from ondol.manifest import Period
from ondol.warehouse.base import LoadResult, Slot
from ondol.warehouse.duckdb import DuckDbWarehouse, quoted

D5 = dt.date(2026, 1, 5)
ROWS = [(D5, "001", Decimal("1000")), (D5, "002", Decimal("250.5"))]


def contents(warehouse, table="sales"):
    with warehouse.read(table) as reader:
        return sorted(reader.read_all().drop_columns("_loaded_at").to_pylist(), key=str)


def test_a_load_gives_back_every_row_with_its_types(warehouse, load, day, schemas):
    assert load("sales", day(5), ROWS) == LoadResult("loaded", 2, 0)
    with warehouse.read("sales") as reader:
        table = reader.read_all()
    assert [(f.name, f.type) for f in table.schema][:-1] == [(f.name, f.type) for f in schemas["sales"]]
    assert [(r["store_code"], r["amount"], r["_row"]) for r in table.to_pylist()] == [
        ("001", Decimal("1000.000000000"), 5),
        ("002", Decimal("250.500000000"), 6),
    ]


def test_loading_the_same_version_again_changes_nothing(warehouse, load, day):
    load("sales", day(5), ROWS)
    before = (contents(warehouse), warehouse.state())
    assert load("sales", day(5), ROWS).decision == "unchanged"
    assert (contents(warehouse), warehouse.state()) == before


def test_other_rules_read_the_same_version_again(load, day, warehouse):
    load("sales", day(5), ROWS)
    assert load("sales", day(5), ROWS[:1], rules_hash="r2") == LoadResult("loaded", 1, 2)
    assert len(contents(warehouse)) == 1


def test_a_corrected_resend_replaces_exactly_its_slot(warehouse, load, day):
    load("sales", day(4), ROWS)
    load("sales", day(5), ROWS)
    load("sales", day(5, part="seoul"), ROWS)
    corrected = [(D5, "001", Decimal("999"))]
    assert load("sales", day(5), corrected, version=("2026-01-06T00:00", "b.xlsx", "bb")) == LoadResult("loaded", 1, 2)
    held = {(r["_period_start"].day, r["_part"], r["amount"]) for r in contents(warehouse)}
    assert held == {
        (4, "", Decimal("1000")),
        (4, "", Decimal("250.5")),
        (5, "seoul", Decimal("1000")),
        (5, "seoul", Decimal("250.5")),
        (5, "", Decimal("999")),
    }


def test_an_older_version_never_takes_the_place_of_a_newer(warehouse, load, day):
    load("sales", day(5), ROWS[:1], version=("2026-01-06T00:00", "b.xlsx", "bb"))
    assert load("sales", day(5), ROWS, rules_hash="r9").decision == "superseded"
    assert len(contents(warehouse)) == 1


def test_the_order_in_which_versions_come_does_not_matter(tmp_path, project, load, day):
    """A, then its correction B, then A once more: content alone does not say which is newest."""
    versions = [("1", "a", "aa"), ("2", "b", "bb"), ("3", "a2", "aa")]
    ends = set()
    for number, order in enumerate(itertools.permutations(versions)):
        load.warehouse = DuckDbWarehouse(tmp_path / f"home{number}", "hanbit", project=project)
        for version in order:
            rows = [(D5, "001", Decimal(version[0]))]
            load("sales", day(5), rows, version=version)
        ends.add((str(contents(load.warehouse)), load.warehouse.state()))
    assert len(ends) == 1
    assert "Decimal('3.000000000')" in ends.pop()[0]


def test_a_period_without_rows_empties_its_slot(warehouse, load, day):
    load("sales", day(5), ROWS)
    assert load("sales", day(5), [], version=("9", "z", "zz")) == LoadResult("loaded", 0, 2)
    assert contents(warehouse) == []


def test_an_item_that_moves_to_another_table_takes_its_rows_along(warehouse, load, day, schemas):
    load("sales", day(5), ROWS)
    load("sales", day(6), ROWS)
    load("sales_new", day(5), ROWS, rules_hash="r2", schema=schemas["sales"])
    assert {r["_period_start"].day for r in contents(warehouse)} == {6}
    assert {r["_period_start"].day for r in contents(warehouse, "sales_new")} == {5}


def with_column(schema: pa.Schema, name: str, kind: pa.DataType, at: int = 3) -> pa.Schema:
    return schema.insert(at, pa.field(name, kind))


def test_a_column_that_the_rule_gained_is_added_and_empty_for_older_rows(warehouse, load, day, schemas):
    load("sales", day(4), ROWS)
    wider = with_column(schemas["sales"], "quantity", pa.int64())
    load("sales", day(5), [(*ROWS[0], 7)], schema=wider)
    load("sales", day(6), ROWS)
    assert sorted((r["_period_start"].day, r["quantity"]) for r in contents(warehouse) if r["quantity"]) == [(5, 7)]
    assert len(contents(warehouse)) == 5


def test_an_integer_column_widens_to_decimal_and_keeps_its_values(warehouse, load, day, schemas):
    whole = with_column(schemas["sales"], "quantity", pa.int64())
    exact = with_column(schemas["sales"], "quantity", pa.decimal128(38, 9))
    load("sales", day(4), [(*ROWS[0], 2**53 + 1)], schema=whole)
    load("sales", day(5), [(*ROWS[0], Decimal("0.5"))], schema=exact)
    load("sales", day(6), [(*ROWS[0], 3)], schema=whole)
    assert sorted(r["quantity"] for r in contents(warehouse)) == [Decimal("0.5"), Decimal(3), Decimal(2**53 + 1)]


def test_a_type_that_cannot_be_widened_is_refused_with_the_way_out_and_nothing_is_lost(warehouse, load, day, schemas):
    load("sales", day(4), ROWS)
    before = contents(warehouse)
    text = pa.schema([f.with_type(pa.string()) if f.name == "amount" else f for f in schemas["sales"]])
    with pytest.raises(FatalError, match=r"sales\.amount is DECIMAL\(38,9\).*says VARCHAR.*another name"):
        load("sales", day(5), [(D5, "001", "1000")], schema=text)
    assert contents(warehouse) == before


def test_a_type_may_change_freely_once_the_slot_was_all_that_the_table_held(warehouse, load, day, schemas):
    load("sales", day(5), ROWS)
    text = pa.schema([f.with_type(pa.string()) if f.name == "amount" else f for f in schemas["sales"]])
    load("sales", day(5), [(D5, "001", "1000")], rules_hash="r2", schema=text)
    assert contents(warehouse)[0]["amount"] == "1000"


def test_rows_of_another_slot_are_refused(warehouse, load, day, schemas):
    path = load.parquet("sales", day(5), ROWS)
    with pytest.raises(FatalError, match="has 2 rows, but 0 of sales are of its slot sales_daily 2026-01-06"):
        warehouse.load(
            "sales",
            schemas["sales"],
            path,
            slot=day(6),
            version=("1",),
            sha256="aa",
            rules_hash="r",
            run_key="k",
        )
    assert "sales" not in warehouse.tables()


def test_a_file_of_another_schema_is_refused(warehouse, load, day, schemas):
    path = load.parquet("sales", day(5), ROWS)
    with pytest.raises(FatalError, match="Run tag again"):
        warehouse.load(
            "stores",
            schemas["stores"],
            path,
            slot=day(5),
            version=("1",),
            sha256="aa",
            rules_hash="r",
            run_key="k",
        )


@pytest.mark.parametrize("name", ['a"; DROP TABLE sales; --', "select", "한글", "x" * 200])
def test_hostile_names_are_only_names(warehouse, load, name, schemas):
    slot = Slot(name, Period(start=D5, end=D5), name)
    schema = with_column(schemas["sales"], name, pa.string())
    load(name.replace("/", ""), slot, [(*ROWS[0], name)], schema=schema)
    assert warehouse.tables() == (name,)
    assert contents(warehouse, name)[0][name] == name
    assert warehouse.fingerprint(name)


def test_a_tenant_whose_id_is_the_name_of_its_file_s_catalog_is_not_ambiguous(tmp_path, project, load, day):
    load.warehouse = DuckDbWarehouse(tmp_path / "other", "warehouse", project=project)
    load("sales", day(5), ROWS)
    assert load.warehouse.query("SELECT count(*) AS n FROM warehouse.sales") == [{"n": 2}]


def test_the_state_is_that_of_the_rows_not_of_their_order(tmp_path, project, load, day):
    states = []
    for name, days in (("one", (4, 5)), ("two", (5, 4))):
        load.warehouse = DuckDbWarehouse(tmp_path / name, "hanbit", project=project)
        for number in days:
            load("sales", day(number), ROWS)
        states.append((load.warehouse.state(), load.warehouse.fingerprint("sales")))
    assert states[0] == states[1]


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


def test_a_table_that_is_not_there_is_named_with_those_that_are(warehouse, load, day):
    load("sales", day(5), ROWS)
    with pytest.raises(FatalError, match=r"no table 'slaes'; it has \['sales'\]"), warehouse.read("slaes"):
        pass


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


def test_reading_while_this_process_writes_waits_too(warehouse, load, day):
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


def test_a_load_killed_at_any_write_and_run_again_ends_as_if_undisturbed(tmp_path, project, load, day):
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


def test_two_processes_at_once_double_nothing(tmp_path, project, load, day):
    paths = [load.parquet("sales", day(number), ROWS * 100, "v1") for number in (3, 4, 5)]
    home, log = tmp_path / "home", tmp_path / "points"
    both = [start(home, "v1", *paths, ONDOL_FAULT_LOG=str(log)) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert log.read_text().splitlines().count("warehouse:load:done") == 3
    assert len(contents(DuckDbWarehouse(home, "hanbit", project=project))) == 600
