from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import psycopg2
import pytest

from ondol.embedded import database_uri
from ondol.errors import FatalError, Rejected, RetriableError
from ondol.ledger.events import Event, Ledger
from ondol.manifest import Entry, Period

DAY = dt.date(2026, 1, 5)


def entry(name: str = "a.xlsx", sha256: str = "aa", day: int = 5, item: str | None = "sales") -> Entry:
    arrived = dt.datetime(2026, 1, day, tzinfo=dt.UTC)
    return Entry(sha256=sha256, name=name, size=1, source="inbox", location=f"2026-01-{day:02}/{name}", arrived=arrived,
                 item=item, period=Period(start=DAY, end=DAY))  # fmt: skip


@pytest.fixture
def ledger(home: Path):
    with Ledger(database_uri(), "hanbit") as ledger:
        yield ledger


def test_an_event_is_told_once_however_often_it_is_recorded(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.record("hanbit@2026-01-05", [Event("load", "loaded", entry(), rules="r1")])
    assert [e["decision"] for e in ledger.history()] == ["loaded"]


def test_events_cannot_be_changed_or_removed(ledger: Ledger) -> None:
    ledger.record("hanbit@2026-01-05", [Event("crawl", "collected", entry())])
    with psycopg2.connect(database_uri()) as connection, connection.cursor() as cursor:
        for statement in ("UPDATE ondol.event SET name = 'x'", "DELETE FROM ondol.event", "TRUNCATE ondol.event"):
            with pytest.raises(psycopg2.errors.RaiseException, match="append-only"):
                cursor.execute(statement)
            connection.rollback()
    connection.close()


def test_one_tenant_never_sees_anothers_history_or_quarantine(ledger: Ledger) -> None:
    ledger.record("hanbit@2026-01-05", [Event("load", "loaded", entry())])
    ledger.quarantine.hold("hanbit@2026-01-05", "map", entry(), "", Rejected("unknown.", "Name it."))
    number = ledger.quarantine.entries()[0]["id"]
    with Ledger(database_uri(), "saeum") as other:
        assert other.history() == []
        assert other.current(["sales"]) == {}
        assert other.quarantine.entries() == []
        for act in (other.quarantine.release, other.quarantine.drop, other.quarantine.show):
            with pytest.raises(FatalError, match="nothing in quarantine under number"):
                act(number)


def test_the_current_version_is_the_newest_that_arrived_not_the_last_that_was_loaded(ledger: Ledger) -> None:
    newer, older = entry("b.xlsx", "bb", day=7), entry("a.xlsx", "aa", day=5)
    ledger.record("run", [Event("load", "loaded", newer, rules="r"), Event("load", "loaded", older, rules="r")])
    assert ledger.current(["sales"])[("sales", DAY, DAY, "")]["sha256"] == "bb"


def test_a_refusal_is_held_once_and_a_released_one_that_is_refused_again_is_held_again(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.quarantine.hold("run", "tag", entry(), "r", Rejected("sum is wrong.", "Ask for it.", {"cells": ["G6"]}))
    (held,) = ledger.quarantine.entries()
    assert held["evidence"] == {"cells": ["G6"]}
    assert ledger.quarantine.release(held["id"], accept=True, note="checked by phone")["state"] == "released"
    ledger.quarantine.hold("run", "tag", entry(), "r", Rejected("still wrong.", "Ask for it."))
    assert [q["reason"] for q in ledger.quarantine.entries()] == ["still wrong."]


def test_a_dropped_file_stays_dropped_and_cannot_be_released(ledger: Ledger) -> None:
    ledger.quarantine.hold("run", "map", entry(), "", Rejected("unknown.", "Name it."))
    number = ledger.quarantine.entries()[0]["id"]
    ledger.quarantine.drop(number, "a menu")
    ledger.quarantine.hold("run", "map", entry(), "", Rejected("unknown.", "Name it."))
    assert ledger.quarantine.entries("dropped")[0]["id"] == number
    with pytest.raises(FatalError, match="is dropped already"):
        ledger.quarantine.release(number)


def test_a_second_run_waits_for_the_lock_and_says_so_when_it_waited_too_long(ledger: Ledger) -> None:
    with ledger.exclusive(), Ledger(database_uri(), "hanbit") as second:
        with pytest.raises(RetriableError, match="has held its lock"), second.exclusive(wait=dt.timedelta(seconds=0.2)):
            pass
    with Ledger(database_uri(), "hanbit") as third, third.exclusive(wait=dt.timedelta(seconds=0.2)):
        pass


def test_another_tenant_does_not_wait(ledger: Ledger) -> None:
    got = threading.Event()

    def other() -> None:
        with Ledger(database_uri(), "saeum") as saeum, saeum.exclusive(wait=dt.timedelta(seconds=5)):
            got.set()

    with ledger.exclusive():
        thread = threading.Thread(target=other)
        thread.start()
        assert got.wait(10)
    thread.join()


def test_a_search_by_name_takes_percent_and_underscore_literally(ledger: Ledger) -> None:
    ledger.record(
        "run", [Event("crawl", "collected", entry("100%_a.csv")), Event("crawl", "collected", entry("100xxa.csv"))]
    )
    assert [e["name"] for e in ledger.history(name="%_")] == ["100%_a.csv"]


def test_an_unreachable_ledger_names_the_host_and_hides_the_password() -> None:
    with pytest.raises(RetriableError) as error:
        Ledger("postgresql://u:geheim@127.0.0.1:1/x", "hanbit")
    assert "127.0.0.1" in str(error.value)
    assert "geheim" not in str(error.value)
