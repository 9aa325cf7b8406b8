from __future__ import annotations

import datetime as dt

import pytest

from ondol import embedded
from ondol.errors import Rejected
from ondol.ledger.events import Event, Ledger
from ondol.manifest import Entry, Period

DAY = dt.date(2026, 1, 5)
ENTRY = Entry(
    sha256="ab" * 32, name="매출_20260105.csv", size=10, source="inbox", location="2026-01-05/매출_20260105.csv",
    arrived=dt.datetime(2026, 1, 5, tzinfo=dt.UTC), item="sales", period=Period(start=DAY, end=DAY),
)  # fmt: skip


@pytest.fixture
def ledger(home, place):
    with Ledger(embedded.database_uri(), "hanbit") as ledger:
        yield ledger


def test_history_shows_each_decision_with_its_reason(ondol, ledger):
    assert "no such event" in ondol("history", "hanbit").out
    events = [
        Event("crawl", "stored", ENTRY),
        Event("filter", "duplicate", ENTRY, reason="same content as \x1b[31m매출.csv"),
    ]
    ledger.record("hanbit@2026-01-05", events)
    said = ondol("history", "hanbit", "--file", "매출")
    assert said.code == 0
    assert "duplicate" in said.out
    assert "\x1b" not in said.out
    assert [e["decision"] for e in ondol("history", "hanbit", "--json", "--stage", "filter").json] == ["duplicate"]
    assert ondol("history", "hanbit", "--json", "--sha", "ABAB").json[0]["name"] == ENTRY.name
    assert ondol("history", "hanbit", "--json", "--run", "2026-01-06").json == []
    cut = ondol("history", "hanbit", "--json", "--limit", "1")
    assert len(cut.json) == 1
    assert "only the newest 1" in cut.err


def test_quarantine_is_listed_shown_released_and_dropped(ondol, ledger):
    assert ondol("quarantine", "list", "hanbit").out == "nothing is in quarantine\n"
    rejected = Rejected("금액 is '열두'", "Ask the shop for a number.", {"cells": ["C4"]})
    ledger.quarantine.hold("hanbit@2026-01-05", "tag", ENTRY, "rules", rejected)
    said = ondol("quarantine", "list", "hanbit")
    assert "열두" in said.out
    assert "Ask the shop" in said.out
    (held,) = ondol("quarantine", "list", "hanbit", "--json").json
    assert "C4" in ondol("quarantine", "show", "hanbit", held["id"]).out
    released = ondol("quarantine", "release", "hanbit", held["id"], "--accept", "--note", "confirmed", "--json").json
    assert (released["state"], released["accept"], released["note"]) == ("released", True, "confirmed")
    assert ondol("quarantine", "list", "hanbit", "--json").json == []
    assert ondol("quarantine", "drop", "hanbit", held["id"], "--json").json["state"] == "dropped"
    assert ondol("quarantine", "list", "hanbit", "--all", "--json").json[0]["state"] == "dropped"
    again = ondol("quarantine", "release", "hanbit", held["id"])
    assert (again.code, "dropped already" in again.err) == (1, True)
    assert ondol("quarantine", "release", "hanbit", held["id"], "--item", "slaes").code == 2
    assert ondol("quarantine", "show", "hanbit", 999).code == 1


@pytest.mark.usefixtures("own_server")
def test_db_starts_tells_and_stops(ondol):
    assert ondol("db", "status", "--json").json["running"] is False
    started = ondol("db", "start", "--json")
    assert started.json["running"] is True
    assert started.json["databases"]["ondol"].startswith("postgresql://")
    assert ondol("db", "status").code == 0
    assert ondol("db", "stop", "--json").json == {"stopped": True}
    assert ondol("db", "status").code == 1
