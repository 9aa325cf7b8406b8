from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest

from ondol.embedded import database_uri
from ondol.ledger.events import Event, Ledger
from ondol.manifest import Entry, Period
from tests.ondol.api.conftest import Call
from tests.ondol.api.test_entries import NEW, UNDER, problem

DAY = dt.date(2026, 1, 5)


def loaded(day: dt.date, item: str = "sales") -> Event:
    arrived = dt.datetime.combine(day, dt.time(), dt.UTC)
    entry = Entry(sha256=f"{day:%d}" * 32, name=f"매출_{day:%Y%m%d}.csv", size=1, source="share", location="x",
                  arrived=arrived, item=item, period=Period(start=day, end=day))  # fmt: skip
    return Event("load", "loaded", entry, rules="r")


def test_each_caller_sees_the_tenants_of_its_roles(call: Call) -> None:
    listed = {entry["tenant"]: entry["role"] for entry in call("saeum:viewer").get("/v1/tenants").json()["results"]}
    assert listed == {"saeum": "viewer"}
    assert len(call("*:operator").get("/v1/tenants").json()["results"]) == 2


@pytest.mark.parametrize("path", ["/sources", "/items/sales", "/items/sales/due", "/changes", "/sources/share/pause"])
def test_another_tenant_is_not_there_at_all(call: Call, path: str) -> None:
    client, method = call("saeum:editor"), "POST" if path.endswith("pause") else "GET"
    there, nowhere = (client.request(method, f"/v1/tenants/{name}{path}") for name in ("hanbit", "nowhere"))
    problem(there, 404)
    assert there.text.replace("hanbit", "nowhere") == nowhere.text


def test_a_role_that_is_too_low_is_told_so(call: Call) -> None:
    viewer, operator = call("hanbit:viewer"), call("hanbit:operator")
    problem(viewer.post(f"{UNDER}/sources/share/pause"), 403)
    problem(viewer.post(f"{UNDER}/collections"), 403)
    problem(operator.post(f"{UNDER}/sources", json={"config": NEW}), 403)
    problem(operator.delete(f"{UNDER}/sources/share", headers={"If-Match": "*"}), 403)


def test_the_history_of_an_item_is_its_own_newest_first_in_parts(call: Call) -> None:
    with Ledger(database_uri(), "hanbit") as ledger:
        ledger.record("hanbit@x", [loaded(DAY + dt.timedelta(days=n)) for n in range(3)] + [loaded(DAY, "plan")])
    client = call("hanbit:viewer")
    first = client.get(f"{UNDER}/items/sales/history", params={"limit": 2}).json()
    rest = client.get(f"{UNDER}/items/sales/history", params={"limit": 2, "cursor": first["next"]}).json()
    days = [event["period"]["start"] for event in first["results"] + rest["results"]]
    assert days == ["2026-01-07", "2026-01-06", "2026-01-05"]
    assert rest["next"] is None


def test_the_next_file_is_due_after_the_period_behind_the_last_loaded_one(call: Call) -> None:
    with Ledger(database_uri(), "hanbit") as ledger:
        ledger.record("hanbit@x", [loaded(DAY), loaded(DAY - dt.timedelta(days=1))])
    due = call("hanbit:viewer").get(f"{UNDER}/items/sales/due").json()
    assert due["last"] == {"start": "2026-01-05", "end": "2026-01-05"}
    assert due["next"] == {"start": "2026-01-06", "end": "2026-01-06"}
    assert due["due"] == "2026-01-08T00:00:00+09:00"
    assert due["overdue"] is True


def test_a_paused_item_is_never_overdue_and_cannot_be_collected(call: Call) -> None:
    with Ledger(database_uri(), "hanbit") as ledger:
        ledger.record("hanbit@x", [loaded(DAY)])
    client = call()
    client.post(f"{UNDER}/items/sales/pause")
    assert client.get(f"{UNDER}/items/sales/due").json()["overdue"] is False
    problem(client.post(f"{UNDER}/collections", json={"items": ["sales"]}), 409)


def test_collect_now_runs_the_stages_and_says_how_far_it_is(call: Call, home: Path) -> None:
    inbox = home / "inbox/hanbit/2026-01-05"
    inbox.mkdir(parents=True)
    (home / "inbox/hanbit/tills").mkdir()
    (inbox / "매출_20260105.csv").write_text("점포,금액\n0012,100\n")
    client, headers = call("hanbit:operator"), {"Idempotency-Key": "now"}
    asked = client.post(f"{UNDER}/collections", json={"date": "2026-01-05"}, headers=headers)
    assert asked.status_code == 202
    again = client.post(f"{UNDER}/collections", json={"date": "2026-01-05"}, headers=headers)
    assert again.json()["id"] == asked.json()["id"]
    for _ in range(600):
        state = client.get(asked.headers["location"]).json()
        if state["state"] in ("done", "failed"):
            break
        time.sleep(0.1)
    assert (state["state"], state["runs_in"], state["reason"]) == ("done", "service", "")
    assert state["counts"]["crawl"]["collected"] == 1
    problem(client.get(f"{UNDER}/collections/api-{'0' * 32}"), 404)
    problem(call("saeum:editor").get(asked.headers["location"].replace("hanbit", "saeum")), 404)


def test_what_a_killed_service_left_over_is_taken_up_by_the_next(call: Call, home: Path) -> None:
    number = f"api-{'1' * 32}"
    (home / "inbox/hanbit/tills").mkdir(parents=True)
    with Ledger(database_uri(), "hanbit") as ledger:
        ledger.collections.ask(number, "kim", DAY, ())
        ledger.collections.running(number)
    client = call("hanbit:viewer")
    for _ in range(600):
        if client.get(f"{UNDER}/collections/{number}").json()["state"] == "done":
            return
        time.sleep(0.1)
    raise AssertionError(client.get(f"{UNDER}/collections/{number}").text)
