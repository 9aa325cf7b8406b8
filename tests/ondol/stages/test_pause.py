from __future__ import annotations

import datetime as dt
from pathlib import Path

import psycopg2
import pytest

from ondol.embedded import database_uri
from ondol.ledger.events import Ledger
from ondol.pipeline import run
from tests.ondol.snapshot import warehouse_rows

DAY = dt.date(2026, 1, 5)
TENANT = """\
tenant: hanbit
name: 한빛마트
sources:
  - {id: share, type: folder, path: "inbox/{date}"}
items:
  - id: sales
    match: {name: "매출_{yyyymmdd}.csv"}
    table: sales
    tag: {columns: {amount: {from: 금액, type: decimal}}}
"""


@pytest.fixture(autouse=True)
def tenant(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "tenants").mkdir()
    (home / "tenants/hanbit.yaml").write_text(TENANT)
    monkeypatch.setenv("ONDOL_TENANTS", str(home / "tenants"))
    for day in (5, 6):
        folder = home / f"inbox/2026-01-0{day}"
        folder.mkdir(parents=True)
        (folder / f"매출_2026010{day}.csv").write_text(f"점포,금액\n강남,{day}00\n")


def pause(kind: str, name: str, on: bool = True) -> None:
    with Ledger(database_uri(), "hanbit") as ledger, psycopg2.connect(database_uri()) as connection:
        with connection.cursor() as cursor:
            if on:
                ledger.pauses.set(cursor, kind, name, "kim", "점검")
            else:
                ledger.pauses.clear(cursor, kind, name)
    connection.close()


def told(stage: str) -> list[tuple[str, str]]:
    with Ledger(database_uri(), "hanbit") as ledger:
        return [(event["decision"], event["name"]) for event in ledger.history(stage=stage)]


def test_nothing_is_collected_from_a_paused_source_and_all_of_it_afterwards() -> None:
    pause("sources", "share")
    assert run("hanbit", DAY).counts["crawl"]["collected"] == 0
    assert told("crawl") == [("paused", "share")]
    pause("sources", "share", on=False)
    assert run("hanbit", DAY).counts["load"]["loaded"] == 1


def test_files_of_a_paused_item_are_taken_up_by_the_first_run_after_it_is_resumed() -> None:
    pause("items", "sales")
    first = run("hanbit", DAY)
    assert (first.counts["filter"], warehouse_rows("hanbit")) == ({"paused": 1}, {})
    assert run("hanbit", DAY).counts["filter"] == {"paused": 1}
    pause("items", "sales", on=False)
    second = run("hanbit", DAY + dt.timedelta(days=1))
    assert second.counts["load"]["loaded"] == 2
    assert ("resumed", "매출_20260105.csv") in told("crawl")
    third = run("hanbit", DAY + dt.timedelta(days=1))
    assert third.counts["crawl"]["collected"] == 1
    assert third.counts["filter"] == {"duplicate": 1}
