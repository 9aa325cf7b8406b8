"""What a transform promises: all marts or none, the same for the same data, and a failure stops only what it must."""

from __future__ import annotations

import datetime as dt
import os
import pickle
import signal
import subprocess
import sys
from decimal import Decimal

import pytest

from ondol.errors import FatalError
from ondol.warehouse.dataform.project import compile_project
from ondol.warehouse.dataform.run import check_project, run_project
from ondol.warehouse.duckdb import DuckDbWarehouse

D5, D6 = dt.date(2026, 1, 5), dt.date(2026, 1, 6)
STORES = [("001", "강남점"), ("002", "서초점")]


@pytest.fixture
def transform(warehouse, schemas, cache):
    """Runs the models and gives each action's result by name."""
    return lambda models="shop": {a.name: a for a in run_project(warehouse, models, schemas, cache=cache).actions}


@pytest.fixture
def filled(load, day):
    load("stores", day(1, item="stores"), STORES)
    load("sales", day(5), [(D5, "001", Decimal("1500")), (D5, "001", Decimal("500")), (D5, "002", Decimal("7"))])
    load("sales", day(6), [(D6, "001", Decimal("100"))])
    return load


def rows(warehouse, table, order="1, 2"):
    return [tuple(row.values()) for row in warehouse.query(f"SELECT * FROM hanbit.{table} ORDER BY {order}")]


def everything(warehouse):
    """Every row of every table but for when it was loaded, which two loads do not share."""
    return {table: sorted(map(str, timeless(warehouse, table))) for table in warehouse.tables()}


def timeless(warehouse, table):
    found = warehouse.query(f"SELECT * FROM hanbit.{table}")
    return [tuple(value for name, value in row.items() if name != "_loaded_at") for row in found]


def test_models_run_before_the_first_file_has_come(warehouse, transform):
    assert {result.status for result in transform().values()} == {"done"}
    assert rows(warehouse, "daily") == []
    assert warehouse.query("SELECT count(*) AS n FROM hanbit.quiet_days") == [{"n": 31}]


def test_tables_views_incrementals_and_operations_hold_what_they_say(warehouse, transform, filled):
    results = transform()
    assert {name: r.rows for name, r in results.items() if r.kind in ("table", "incremental")} == {
        "daily": 3,
        "monthly": 1,
        "running": 3,
    }
    assert rows(warehouse, "daily") == [
        (D5, "001", Decimal(2000), Decimal(2), 2, "hanbit"),
        (D5, "002", Decimal(7), Decimal(0), 1, "hanbit"),
        (D6, "001", Decimal(100), Decimal(0), 1, "hanbit"),
    ]
    assert rows(warehouse, "running")[2] == (D6, "001", "강남점", Decimal(100), Decimal(2100))
    assert rows(warehouse, "monthly") == [(dt.date(2026, 1, 1), Decimal(2107), 3)]
    assert rows(warehouse, "log", "1") == [(-1,), (2,)]
    assert warehouse.query("SELECT count(*) AS n FROM hanbit.quiet_days") == [{"n": 29}]


def test_marts_have_bigquerys_types_only(warehouse, transform, filled):
    transform()
    with warehouse.read("daily") as reader:
        assert {field.name: str(field.type) for field in reader.schema} == {
            "sale_date": "date32[day]",
            "store_code": "string",
            "amount": "decimal128(38, 9)",
            "amount_thousand": "decimal128(38, 9)",
            "receipts": "int64",
            "tenant": "string",
        }


def test_columns_are_described_as_the_config_says(warehouse, transform, filled):
    transform()
    assert warehouse.comments("daily") == {"amount": "the day's sales, won, of every 'open' store"}


def test_nothing_runs_when_nothing_changed(warehouse, transform, filled):
    transform()
    before = everything(warehouse)
    assert {result.status for result in transform().values()} == {"unchanged"}
    assert everything(warehouse) == before


@pytest.mark.parametrize("change", ["data", "models", "rules"])
def test_every_change_runs_the_models_again(warehouse, transform, filled, day, project, schemas, change):
    import pyarrow as pa

    transform()
    if change == "data":
        filled("sales", day(7), [(dt.date(2026, 1, 7), "001", Decimal(1))])
    elif change == "models":
        (project / "definitions/common/calendar.sqlx").write_text(
            "config { type: 'table' }\nSELECT DATE '2026-01-01' AS d"
        )
    else:
        schemas["sales"] = schemas["sales"].insert(3, pa.field("quantity", pa.int64()))
    assert {result.status for result in transform().values()} == {"done"}


def test_a_month_at_once_gives_what_day_by_day_gives(
    warehouse, transform, filled, day, tmp_path, project, schemas, cache
):
    transform()
    late = [(dt.date(2026, 1, 3), "001", Decimal(9))]
    filled("sales", day(3), late)
    filled("sales", day(5), [(D5, "001", Decimal(1))], version=("9", "b.xlsx", "bb"))
    transform()
    daily = everything(warehouse)
    filled.warehouse = DuckDbWarehouse(tmp_path / "once", "hanbit", project=project)
    filled("sales", day(5), [(D5, "001", Decimal(1))], version=("9", "b.xlsx", "bb"))
    filled("sales", day(3), late)
    filled("sales", day(6), [(D6, "001", Decimal("100"))])
    filled("stores", day(1, item="stores"), STORES)
    run_project(filled.warehouse, "shop", schemas, cache=cache)
    assert everything(filled.warehouse) == daily


def test_a_failed_assertion_stops_what_depends_on_it_and_keeps_the_rows_that_failed(warehouse, transform, filled, day):
    transform()
    filled("sales", day(7), [(dt.date(2026, 1, 7), "999", Decimal(1))])
    results = transform()
    assert results["no_strangers"].status == "failed"
    assert results["no_strangers"].message == "no_strangers found 1 row, kept in _assertions.no_strangers"
    assert warehouse.query("SELECT * FROM _assertions.no_strangers") == [{"store_code": "999"}]
    assert {name for name, r in results.items() if r.status == "blocked"} == {
        "daily",
        "running",
        "monthly",
        "quiet_days",
    }
    assert (results["log"].status, results["calendar"].status) == ("done", "done")
    assert len(rows(warehouse, "daily")) == 4  # built, and not to be published
    assert rows(warehouse, "monthly")[0][2] == 3  # depends on the assertion: the old one stays
    assert results["running"].message == results["no_strangers"].message


def test_a_mended_assertion_lets_all_through_again(warehouse, transform, filled, day):
    filled("sales", day(7), [(dt.date(2026, 1, 7), "999", Decimal(1))])
    assert transform()["daily"].status == "blocked"
    assert transform()["daily"].status == "blocked"  # a failure is never taken for unchanged
    filled("stores", day(1, item="stores"), [*STORES, ("999", "새 점포")], version=("9", "b", "bb"))
    assert {result.status for result in transform().values()} == {"done"}
    assert warehouse.query("SELECT count(*) AS n FROM duckdb_tables() WHERE schema_name = '_assertions'") == [{"n": 0}]


def test_sql_that_fails_stops_what_depends_on_it_and_nothing_else(warehouse, transform, filled, project):
    transform()
    model = project / "definitions/shop/running.sqlx"
    model.write_text('config { type: "table" }\n\nSELECT\n  amuont\nFROM ${ref("daily")}\n')
    (project / "definitions/shop/after.sqlx").write_text('config { type: "view" }\nSELECT * FROM ${ref("running")}')
    results = transform()
    assert results["running"].status == "failed"
    assert "tenants/dataform/definitions/shop/running.sqlx:4: " in results["running"].message
    assert "amuont" in results["running"].message
    assert (results["after"].status, results["after"].message) == ("blocked", "running failed")
    assert {results[name].status for name in ("daily", "monthly", "quiet_days", "log")} == {"done"}
    assert len(rows(warehouse, "running")) == 3  # the old one stays


def test_a_refused_construct_names_the_file_the_line_and_the_construct(warehouse, transform, filled, project):
    model = project / "definitions/shop/today.sqlx"
    model.write_text('config { type: "view" }\n\nSELECT *\nFROM ${ref("daily")}\nWHERE sale_date = CURRENT_DATE()\n')
    message = transform()["today"].message
    assert message.startswith("tenants/dataform/definitions/shop/today.sqlx:5: CURRENT_DATE gives another result")


def test_checking_finds_every_mistake_without_a_warehouse(project, cache, schemas):
    assert check_project(project, "shop", "hanbit", schemas, cache) == []
    shop = project / "definitions/shop"
    (shop / "today.sqlx").write_text('config { type: "view" }\nSELECT RAND() AS r FROM ${ref("daily")}')
    (shop / "typo.sqlx").write_text('config { type: "view" }\nSELECT\n  stroe_code\nFROM ${ref("daily")}')
    (shop / "strange.sqlx").write_text('config { type: "view" }\nSELECT NET.HOST("a") AS h')
    problems = check_project(project, "shop", "hanbit", schemas, cache)
    assert [problem.partition(": ")[0].rpartition("/")[2] for problem in sorted(problems)] == [
        "strange.sqlx:2",
        "today.sqlx:2",
        "typo.sqlx:3",
    ]


def test_a_declared_table_that_no_item_loads_is_named(warehouse, schemas, cache):
    del schemas["stores"]
    with pytest.raises(
        FatalError, match=r"sources\.js:2 declares hanbit\.stores, but the items of hanbit load \['sales'\]"
    ):
        run_project(warehouse, "shop", schemas, cache=cache)
    assert warehouse.tables() == ()


def test_a_model_that_is_gone_takes_its_table_along_and_one_may_become_a_view(warehouse, transform, filled, project):
    transform()
    (project / "definitions/shop/monthly.sqlx").unlink()
    daily = project / "definitions/shop/daily.sqlx"
    daily.write_text('config { type: "view" }\nSELECT sale_date, store_code, amount FROM ${ref("sales")}')
    transform()
    assert "monthly" not in warehouse.tables()
    assert warehouse.query("SELECT table_type FROM information_schema.tables WHERE table_name = 'daily'") == [
        {"table_type": "VIEW"}
    ]


def test_two_columns_of_one_name_are_refused(transform, filled, project):
    (project / "definitions/shop/twice.sqlx").write_text('config { type: "table" }\nSELECT 1 AS a, 2 AS A')
    assert "are there more than once" in transform()["twice"].message


RUN = """
import pickle, sys
from pathlib import Path
from ondol.warehouse.dataform.run import run_project
from ondol.warehouse.duckdb import DuckDbWarehouse
home, project, cache, schemas = sys.argv[1:]
warehouse = DuckDbWarehouse(Path(home), "hanbit", project=Path(project))
run_project(warehouse, "shop", pickle.loads(Path(schemas).read_bytes()), cache=Path(cache))
"""


def test_a_transform_killed_at_any_write_shows_all_old_marts_or_all_new_ones(
    warehouse, transform, filled, day, project, schemas, cache, tmp_path
):
    transform()
    old = everything(warehouse)
    filled("sales", day(7), [(dt.date(2026, 1, 7), "002", Decimal(3))])
    (tmp_path / "schemas").write_bytes(pickle.dumps(schemas))
    compile_project(project, "shop", "hanbit", cache)
    command = [sys.executable, "-c", RUN, str(warehouse.home), str(project), str(cache), str(tmp_path / "schemas")]
    seen = []
    for fault in ("1", "2"):
        killed = subprocess.run(command, env=os.environ | {"ONDOL_FAULT": fault}, check=False)
        seen.append((killed.returncode, everything(warehouse)))
    new = everything(warehouse)
    assert [code for code, _ in seen] == [-signal.SIGKILL, -signal.SIGKILL]
    assert {k: v for k, v in seen[0][1].items() if k != "sales"} == {k: v for k, v in old.items() if k != "sales"}
    assert seen[1][1] == new
    assert {result.status for result in transform().values()} == {"unchanged"}
    assert everything(warehouse) == new != seen[0][1]
