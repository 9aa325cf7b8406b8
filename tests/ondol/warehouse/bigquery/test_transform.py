"""What a transform on BigQuery promises, whoever runs it: as on DuckDB, and a failure stops only what it must."""

from __future__ import annotations

import datetime as dt
import threading
import time
from decimal import Decimal

import grpc
import pytest

from ondol.errors import FatalError, RetriableError
from ondol.warehouse.bigquery import repository
from ondol.warehouse.bigquery.transform import run_project
from ondol.warehouse.dataform import run as duckdb_run
from tests.emulators import dataform

D5, D6 = dt.date(2026, 1, 5), dt.date(2026, 1, 6)
REPOSITORY = "projects/ondol-test/locations/asia-northeast3/repositories/models"
MARTS = ("daily", "monthly", "running", "log", "quiet_days")


@pytest.fixture
def service(warehouse, project, monkeypatch):
    """Dataform's service, which holds the test project as far as it compiles."""
    for folder in ("bad", "other"):
        for file in (project / "definitions" / folder).iterdir():
            file.unlink()
    monkeypatch.setattr(repository, "POLL_SECONDS", 0.2)
    made = dataform.Service(project, warehouse.client.api)
    with dataform.serve(made) as address:
        monkeypatch.setenv("DATAFORM_EMULATOR_HOST", address)
        monkeypatch.setenv("ONDOL_DATAFORM", REPOSITORY)
        yield made


@pytest.fixture
def transform(warehouse, schemas, cache):
    warehouse.state()  # the dataset is there
    return lambda models="shop": {a.name: a for a in run_project(warehouse, models, schemas, cache=cache).actions}


def fill(load, day, strangers=()):
    load("stores", day(1, item="stores"), [("001", "강남점"), ("002", "서초점")], version=("1", "s", "s"))
    sales = [(D5, "001", Decimal("1500")), (D5, "001", Decimal("500")), (D5, "002", Decimal("7")), *strangers]
    load("sales", day(5), sales, version=("1", "a", str(len(sales))))
    load("sales", day(6), [(D6, "001", Decimal("100"))], version=("1", "b", "b"))


def marts(warehouse):
    """The rows of all marts; the emulator has other kinds of numbers than BigQuery where functions give them."""
    found = {}
    for table in MARTS:
        with warehouse.read(table) as reader:
            rows = [row.values() for row in reader.read_all().to_pylist()]
        numbers = (int, float, Decimal)
        found[table] = sorted([str(float(v) if isinstance(v, numbers) else v) for v in row] for row in rows)
    return found


def test_the_graph_run_by_ondol_makes_what_duckdb_makes_and_only_when_something_changed(
    warehouse, oracle, load, day, transform, schemas, cache
):
    results = transform()
    assert {r.status for r in results.values()} == {"done"}, "no file has come"
    fill(load, day)
    results = transform()
    load.warehouse = oracle
    fill(load, day)
    expected = {a.name: a for a in duckdb_run.run_project(oracle, "shop", schemas, cache=cache / "duckdb").actions}
    assert {n: (r.kind, r.status, r.rows) for n, r in results.items()} == {
        n: (r.kind, r.status, r.rows) for n, r in expected.items()
    }
    assert marts(warehouse) == marts(oracle)
    assert warehouse.comments("daily") == oracle.comments("daily")
    assert {r.status for r in transform().values()} == {"unchanged"}


def test_a_failed_assertion_keeps_its_rows_and_stops_only_what_depends_on_it(warehouse, load, day, transform):
    fill(load, day, [(D5, "999", Decimal(3))])
    results = transform()
    assert results["no_strangers"].message == "no_strangers found 1 row, kept in hanbit._assertions_no_strangers"
    assert results["no_strangers"].sample == ({"store_code": "999"},)
    assert {n for n, r in results.items() if r.status == "blocked"} == {"daily", "running", "monthly", "quiet_days"}
    assert warehouse.query("SELECT * FROM hanbit._assertions_no_strangers") == [{"store_code": "999"}]
    assert "_assertions_no_strangers" not in warehouse.tables()
    fill(load, day)
    load("sales", day(5), [(D5, "001", Decimal(1))], version=("2", "c", "c"))
    assert {r.status for r in transform().values()} == {"done"}


def test_sql_that_reads_another_tenant_or_cannot_run_alike_fails_and_names_its_line(
    warehouse, project, load, day, transform
):
    fill(load, day)
    shop = project / "definitions" / "shop"
    (shop / "spy.sqlx").write_text('config { type: "table" }\n\nSELECT *\nFROM `daeyang.sales`\n')
    (shop / "now.sqlx").write_text('config { type: "table" }\n\nSELECT CURRENT_DATE() AS today\n')
    results = transform()
    assert "is no table of the tenant: use ref()" in results["spy"].message
    assert "shop/now.sqlx:3: " in results["now"].message
    assert {n for n, r in results.items() if r.status != "done"} == {"spy", "now"}


def test_dataforms_service_makes_what_ondol_makes(warehouse, oracle, service, load, day, transform, schemas, cache):
    fill(load, day)
    results = transform()
    load.warehouse = oracle
    fill(load, day)
    expected = {a.name: a for a in duckdb_run.run_project(oracle, "shop", schemas, cache=cache / "duckdb").actions}
    assert {n: (r.kind, r.status, r.rows) for n, r in results.items()} == {
        n: (r.kind, r.status, r.rows) for n, r in expected.items()
    }
    assert marts(warehouse) == marts(oracle)
    [invocation] = service.invocations.values()
    targets = {(t.database, t.schema, t.name) for t in invocation.invocation_config.included_targets}
    assert targets == {
        (warehouse.client.project, "hanbit_assertions" if r.kind == "assertion" else "hanbit", n)
        for n, r in results.items()
    }
    assert invocation.invocation_config.fully_refresh_incremental_tables_enabled
    assert {r.status for r in transform().values()} == {"unchanged"}
    assert len(service.invocations) == 1
    service.commit = "1" * 40
    assert {r.status for r in transform().values()} == {"done"}, "the models have changed"


def test_an_assertion_that_fails_in_the_service_is_told_with_its_rows_and_blocks_what_it_is_about(
    warehouse, service, load, day, transform
):
    fill(load, day, [(D5, "999", Decimal(3))])
    results = transform()
    assert results["no_strangers"].message == "no_strangers found 1 row, kept in hanbit_assertions.no_strangers"
    assert results["no_strangers"].sample == ({"store_code": "999"},)
    assert {n for n, r in results.items() if r.status == "blocked"} == {"daily", "running", "monthly", "quiet_days"}
    assert warehouse.query("SELECT * FROM hanbit_assertions.no_strangers") == [{"store_code": "999"}]


def test_a_model_that_bigquery_refuses_is_told_with_its_job(warehouse, service, load, day, transform, project):
    (project / "definitions/shop/wrong.sqlx").write_text(
        'config { type: "table" }\nSELECT amuont FROM ${ref("daily")}\n'
    )
    fill(load, day)
    results = transform()
    assert results["wrong"].status == "failed"
    assert results["wrong"].message.startswith("definitions/shop/wrong.sqlx: ")
    assert "amuont" in results["wrong"].message
    assert results["wrong"].message.endswith("(job job-wrong)")
    assert results["daily"].status == "done"


def test_what_the_service_cannot_compile_and_what_names_another_tenant_is_refused_before_anything_runs(
    warehouse, service, transform, project, monkeypatch
):
    shop = project / "definitions" / "shop"
    (shop / "spy.sqlx").write_text('config { type: "table" }\nSELECT * FROM `daeyang.sales`\n')
    with pytest.raises(FatalError, match=r"spy\.sqlx.*is no table of the tenant"):
        transform()
    (shop / "spy.sqlx").write_text('config { type: "table" }\nSELECT * FROM ${ref("slaes")}\n')
    with pytest.raises(FatalError, match=r"does not compile:\n  definitions/shop/spy\.sqlx: .*slaes"):
        transform()
    (shop / "spy.sqlx").unlink()
    with pytest.raises(FatalError, match=r"has no definitions/shpo/"):
        transform("shpo")
    monkeypatch.setenv("ONDOL_DATAFORM", f"{REPOSITORY}@mian")
    with pytest.raises(FatalError, match="check the repository and the branch of ONDOL_DATAFORM"):
        transform()
    assert not service.invocations


def test_a_service_that_is_away_for_a_moment_is_asked_again_and_one_that_stays_away_says_so(
    warehouse, service, transform, monkeypatch
):
    service.failures = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED]
    assert {r.status for r in transform().values()} == {"done"}
    service.failures = [grpc.StatusCode.PERMISSION_DENIED]
    with pytest.raises(FatalError, match=r"roles/dataform\.editor"):
        transform()
    monkeypatch.setattr(repository, "RETRY_SECONDS", 0.1)
    service.failures = [grpc.StatusCode.UNAVAILABLE] * 3
    with pytest.raises(RetriableError, match="compiling projects/"):
        transform()


def test_an_invocation_that_a_killed_run_left_is_waited_for(warehouse, service, transform):
    service.go_on.clear()
    killed, late = threading.Thread(target=transform), threading.Thread(target=transform)
    killed.start()
    while len(service.invocations) < 1:
        assert killed.is_alive()
        time.sleep(0.05)
    late.start()
    while service.calls.count("ListWorkflowInvocations") < 2:
        assert late.is_alive()
        time.sleep(0.05)
    late.join(1)
    assert late.is_alive(), "it waits"
    assert len(service.invocations) == 1
    service.go_on.set()
    for thread in (killed, late):
        thread.join(60)
    assert len(service.invocations) == 2
