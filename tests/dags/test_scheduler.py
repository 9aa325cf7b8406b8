"""Airflow as `make ui` runs it: a real scheduler and API server, LocalExecutor, the embedded PostgreSQL."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from ondol import embedded, pipeline
from ondol.ledger.events import Ledger
from ondol.settings import PROJECT
from tests.ondol.snapshot import inbox, serving_rows, warehouse_rows

pytestmark = pytest.mark.slow

MONTH = [dt.date(2026, 1, day) for day in range(1, 32)]
NEW = """\
tenant: mirae
name: 미래
sources: [{id: share, type: folder, path: "inbox/mirae/{date}"}]
items:
  - id: sales
    match: {name: "매출_{yyyymmdd}.csv"}
    table: sales
    tag: {columns: {amount: {from: 금액, type: decimal}}}
"""


@dataclass
class Airflow:
    """Airflow running in a home of its own."""

    home: Path
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    token: str = ""

    @property
    def tenants(self) -> Path:
        return self.home / "tenants"

    def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> tuple[int, Any]:
        """Ask the API, as its user unless another token is given ("" for none)."""
        token = self.token if token is None else token
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def get(self, path: str) -> Any:
        status, body = self.call("GET", path)
        assert status == 200, body
        return body

    def trigger(self, tenant: str, logical_date: str | None = None, **conf: Any) -> dict[str, Any]:
        """Trigger a run as the UI does, and wait for its end."""
        status, run = self.call("POST", f"/api/v2/dags/{tenant}/dagRuns", {"logical_date": logical_date, "conf": conf})
        assert status == 200, run
        path = f"/api/v2/dags/{tenant}/dagRuns/{urllib.request.quote(run['dag_run_id'])}"
        wait(lambda: self.get(path)["state"] in ("success", "failed"), 180)
        return dict(self.get(path))

    def cli(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *words], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout


def wait(condition: Callable[[], Any], seconds: float) -> Any:
    """What the condition gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(1)
    return found


@pytest.fixture(scope="module")
def airflow() -> Iterator[Airflow]:
    home = Path(tempfile.mkdtemp(prefix="ondol-ui-", dir="/tmp"))
    shutil.copytree(PROJECT / "tenants", home / "tenants", symlinks=True)
    (home / "tenants/nara.yaml").write_text(NEW.replace("mirae", "nara").replace("type: folder", "type: foldr"))
    inbox(home)
    for tenant in ("nara", "mirae"):
        (home / "inbox" / tenant).mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ONDOL_", "AIRFLOW"))}
    environment |= {"ONDOL_HOME": str(home), "ONDOL_TENANTS": str(home / "tenants"), "PYTHONUNBUFFERED": "1"}
    environment["AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL"] = "3"
    command = [sys.executable, "-m", "ondol"]
    log = home / "ui.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "ui", "--port", str(port)], env=environment, stdout=output, stderr=output)
    try:
        wait(lambda: "Airflow is at" in log.read_text() or process.poll() is not None, 240)
        assert process.poll() is None, log.read_text()
        asked = subprocess.run(
            [*command, "env", "--port", str(port), "--json"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        running = Airflow(home, port, environment | json.loads(asked.stdout), process)
        login = {"username": "admin", "password": json.loads((home / "airflow/passwords.json").read_text())["admin"]}
        running.token = running.call("POST", "/auth/token", login)[1]["access_token"]
        wait(lambda: running.get("/api/v2/dags")["total_entries"] == 5, 60)
        yield running
    finally:
        print(log.read_text())  # shown with a failed test: why Airflow stopped, if it did
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        subprocess.run([*command, "db", "stop"], env=environment, check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def at_home(airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Look from now on at what the running Airflow has made."""

    def look() -> None:
        monkeypatch.setenv("ONDOL_HOME", str(airflow.home))
        monkeypatch.delenv("ONDOL_DATABASE", raising=False)
        monkeypatch.delenv("ONDOL_SERVING", raising=False)

    return look


def test_tenants_are_there_and_unpaused_and_a_broken_one_harms_none(airflow: Airflow) -> None:
    dags = {dag["dag_id"]: dag for dag in airflow.get("/api/v2/dags")["dags"]}
    assert sorted(dags) == ["daeyang", "hanbit", "nara", "saeum", "sync-table"]
    assert not any(dag["is_paused"] or dag["is_stale"] or dag["has_import_errors"] for dag in dags.values())
    assert [tag["name"] for tag in dags["nara"]["tags"]] == ["config-error"]
    [error] = airflow.get("/api/v2/importErrors")["import_errors"]
    assert error["filename"].endswith("_config_check.py")
    assert "nara.yaml:3: sources[0].type is 'foldr'" in error["stack_trace"]


def test_a_broken_tenants_run_fails_with_the_message(airflow: Airflow) -> None:
    run = airflow.trigger("nara")
    assert run["state"] == "failed"
    path = f"/api/v2/dags/nara/dagRuns/{urllib.request.quote(run['dag_run_id'])}/taskInstances/config/logs/1"
    log = json.dumps(airflow.get(path))
    assert "nara.yaml:3" in log
    assert "hanbit" not in log


def test_nobody_gets_in_without_the_password(airflow: Airflow) -> None:
    assert airflow.call("GET", "/api/v2/dags", token="")[0] == 401
    assert airflow.call("POST", "/auth/token", {"username": "admin", "password": "admin"}, token="")[0] == 401


def test_the_api_takes_airflows_users_and_collects_by_a_run_of_the_tenants_dag(airflow: Airflow) -> None:
    under = "/ondol/v1/tenants"
    assert airflow.call("GET", under, token="")[0] == 401
    assert airflow.call("GET", under, token="forged")[0] == 401
    tenants = {entry["tenant"]: entry["role"] for entry in airflow.get(under)["results"]}
    assert tenants == dict.fromkeys(["daeyang", "hanbit", "nara", "saeum"], "editor")
    asked = {"date": "2026-01-05", "items": ["pos_sales"]}
    status, run = airflow.call("POST", f"{under}/hanbit/collections", asked)
    assert (status, run["runs_in"], run["date"], run["items"]) == (202, "airflow", "2026-01-05", ["pos_sales"])
    ended = wait(
        lambda: (now := airflow.get(f"{under}/hanbit/collections/{run['id']}"))["state"] == "done" and now, 180
    )
    assert ended == {**run, "state": "done"}
    assert airflow.get(f"/api/v2/dags/hanbit/dagRuns/{run['id']}")["triggering_user_name"] == "admin (Airflow)"
    events = airflow.get(f"{under}/hanbit/items/pos_sales/history")["results"]
    assert "loaded" in {event["decision"] for event in events}
    assert {event["run_key"] for event in events} == {"hanbit@2026-01-05"}


def test_all_of_it_listens_on_the_loopback_address_only(airflow: Airflow) -> None:
    family = [airflow.process, *psutil.Process(airflow.process.pid).children(recursive=True)]
    listening = set()
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # a task that has ended since listens nowhere
            connections = psutil.Process(process.pid).net_connections("inet")
            listening |= {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_a_backfill_of_the_month_gives_the_rows_that_day_by_day_runs_give(
    airflow: Airflow, home: Path, at_home: Callable[[], None]
) -> None:
    airflow.cli("backfill", "create", "--dag-id", "hanbit", "--from-date", "2026-01-01", "--to-date", "2026-01-31")
    inbox(home)
    for day in MONTH:
        pipeline.run("hanbit", day)
    expected = warehouse_rows("hanbit"), serving_rows("hanbit")
    assert any(expected[1].values())

    wait(lambda: all(b["completed_at"] for b in airflow.get("/api/v2/backfills?dag_id=hanbit")["backfills"]), 1800)
    runs = airflow.get("/api/v2/dags/hanbit/dagRuns?run_type=backfill&limit=100")["dag_runs"]
    assert sorted(run["logical_date"][:10] for run in runs) == [str(day) for day in MONTH]
    assert {run["state"] for run in runs} == {"success"}
    at_home()
    assert (warehouse_rows("hanbit"), serving_rows("hanbit")) == expected


def test_a_trigger_may_force_and_take_only_some_items(airflow: Airflow, at_home: Callable[[], None]) -> None:
    at_home()
    key = "daeyang@2026-01-05"
    assert airflow.trigger("daeyang", "2026-01-05T00:00:00Z")["state"] == "success"
    with Ledger(embedded.database_uri(), "daeyang") as ledger:
        first = ledger.history(run_key=key, stage="filter", limit=1000)
    assert [e for e in first if e["decision"] == "process"]
    rows = serving_rows("daeyang")
    assert (
        airflow.trigger("daeyang", "2026-01-05T12:00:00+09:00", force=True, items=["production"])["state"] == "success"
    )
    with Ledger(embedded.database_uri(), "daeyang") as ledger:
        events = ledger.history(run_key=key, stage="filter", limit=1000)
    forced = [e for e in events if e["id"] > max(e["id"] for e in first)]
    assert {e["item"] for e in forced if e["decision"] == "process"} == {"production"}
    assert {e["reason"] for e in forced if e["decision"] == "process"} == {"asked for by a person"}
    assert serving_rows("daeyang") == rows


def test_items_that_the_tenant_has_not_are_refused(airflow: Airflow) -> None:
    body = {"logical_date": None, "conf": {"items": ["payroll"]}}
    assert airflow.call("POST", "/api/v2/dags/saeum/dagRuns", body)[0] == 400


def test_a_source_that_is_down_is_tried_again(airflow: Airflow) -> None:
    (airflow.home / "inbox/saeum").rename(airflow.home / "inbox/away")
    body = {"logical_date": "2026-01-07T00:00:00Z", "conf": {}}
    status, run = airflow.call("POST", "/api/v2/dags/saeum/dagRuns", body)
    assert status == 200
    path = f"/api/v2/dags/saeum/dagRuns/{urllib.request.quote(run['dag_run_id'])}/taskInstances/crawl"
    wait(lambda: airflow.get(path)["state"] == "up_for_retry", 60)
    (airflow.home / "inbox/away").rename(airflow.home / "inbox/saeum")
    assert airflow.call("PATCH", f"/api/v2/dags/saeum/dagRuns/{run['dag_run_id']}", {"state": "failed"})[0] == 200


def test_a_new_tenant_is_taken_up_with_a_pool_of_its_own(airflow: Airflow) -> None:
    (airflow.tenants / "mirae.yaml").write_text(NEW)
    wait(lambda: airflow.call("GET", "/api/v2/dags/mirae")[0] == 200, 90)
    assert airflow.trigger("mirae")["state"] == "success"
    pools = {pool["name"]: pool for pool in airflow.get("/api/v2/pools?limit=100")["pools"]}
    assert {"daeyang", "hanbit", "mirae", "nara", "saeum"} <= set(pools)


def test_an_edit_of_the_yaml_is_a_new_version_and_mending_a_broken_one_brings_its_tasks(airflow: Airflow) -> None:
    def versions(tenant: str) -> int:
        return int(airflow.get(f"/api/v2/dags/{tenant}/dagVersions")["total_entries"])

    path = airflow.tenants / "nara.yaml"
    path.write_text(path.read_text().replace("foldr", "folder"))
    wait(lambda: airflow.get("/api/v2/dags/nara/tasks")["total_entries"] == 8, 90)
    wait(lambda: not airflow.get("/api/v2/importErrors")["import_errors"], 90)
    assert airflow.trigger("nara")["state"] == "success"
    before = versions("nara")
    path.write_text(path.read_text().replace("매출_", "판매_"))
    wait(lambda: versions("nara") == before + 1, 90)


def test_sigterm_ends_every_process(airflow: Airflow) -> None:
    family = psutil.Process(airflow.process.pid).children(recursive=True)
    assert len(family) > 4
    airflow.process.send_signal(signal.SIGTERM)
    assert airflow.process.wait(60) == 0
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", airflow.port)) != 0
