from __future__ import annotations

from pathlib import Path

import pytest

from tests.ondol.api.conftest import HANBIT, Call
from tests.ondol.api.test_entries import NEW, UNDER, problem

DAY = {"date": "2026-01-05"}


@pytest.fixture
def inbox(home: Path) -> Path:
    folder = home / "inbox/hanbit/2026-01-05"
    folder.mkdir(parents=True)
    for name in ("매출_20260105.csv", "계획_2026.csv", "메모.txt"):
        (folder / name).write_text("x")
    return folder


def test_a_test_names_what_a_run_would_collect_and_the_item_of_each(call: Call, inbox: Path) -> None:
    tried = call("hanbit:operator").post(f"{UNDER}/sources/share/test", json=DAY).json()
    assert (tried["outcome"], tried["new"], tried["message"]) == ("new", 3, "")
    items = {file["name"]: file["items"] for file in tried["files"]}
    assert items == {
        "매출_20260105.csv": ["sales"],
        "계획_2026.csv": [],
        "메모.txt": [],
    }  # the plan comes from the tills


def test_a_test_changes_nothing_and_names_no_more_than_it_is_asked_for(
    call: Call, inbox: Path, tenants: Path, home: Path
) -> None:
    tried = call().post(f"{UNDER}/sources/share/test", json={**DAY, "limit": 1}).json()
    assert (tried["new"], len(tried["files"])) == (3, 1)
    assert not (home / "lake").exists()
    assert (tenants / "hanbit.yaml").read_text() == HANBIT
    assert call().get(f"{UNDER}/items/sales/history").json()["results"] == []


def test_a_source_that_is_down_is_a_result_that_says_what_to_check(call: Call) -> None:
    tried = call().post(f"{UNDER}/sources/tills/test")
    assert tried.status_code == 200
    assert tried.json()["outcome"] == "down"
    assert "Is it mounted" in tried.json()["message"]


def test_an_editor_tries_a_source_before_it_is_saved_and_reaches_no_other_tenant(call: Call, inbox: Path) -> None:
    config = {**NEW, "path": "inbox/hanbit/{date}", "pattern": "*.csv"}
    tried = call().post(f"{UNDER}/sources/mail/test", json={**DAY, "config": config})
    assert tried.json()["new"] == 2
    other = {**config, "path": "inbox/saeum/{date}"}
    problem(call().post(f"{UNDER}/sources/mail/test", json={**DAY, "config": other}), 403)
    problem(call("hanbit:operator").post(f"{UNDER}/sources/mail/test", json={**DAY, "config": config}), 403)
    problem(call().post(f"{UNDER}/sources/mail/test", json=DAY), 404)
    problem(call("hanbit:viewer").post(f"{UNDER}/sources/share/test"), 403)
