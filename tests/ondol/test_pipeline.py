"""The whole path on the sample tenants' real files."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ondol.embedded import database_uri
from ondol.errors import FatalError
from ondol.ledger.events import Ledger
from ondol.pipeline import run
from ondol.stages.context import Params
from tests.ondol.snapshot import inbox, serving_rows, snapshot, warehouse_rows

DAY = dt.date(2026, 1, 5)
MONTH = [dt.date(2026, 1, day) for day in range(1, 32)]
TENANTS = ("daeyang", "hanbit", "saeum")


@pytest.fixture
def samples(home: Path) -> Path:
    inbox(home)
    return home


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_day_goes_from_files_to_rows_and_a_second_run_changes_nothing(samples: Path, tenant: str) -> None:
    first = run(tenant, DAY)
    assert first.counts["load"]["loaded"] > 0
    assert any(serving_rows(tenant).values())
    before = snapshot(tenant, lake=False)
    second = run(tenant, DAY)
    after = snapshot(tenant, lake=False)
    assert second.counts["load"].get("loaded", 0) == 0
    for kept in ("warehouse", "serving", "quarantine"):
        assert after[kept] == before[kept]


def test_a_corrected_resend_replaces_what_it_corrects_and_the_ledger_knows_both(samples: Path) -> None:
    run("hanbit", DAY)
    before = warehouse_rows("hanbit")
    run("hanbit", dt.date(2026, 1, 7))
    with Ledger(database_uri(), "hanbit") as ledger:
        versions = [e for e in ledger.history(stage="load") if e["item"] == "daily_sales" and e["period_start"] == DAY]
    assert [e["decision"] for e in versions] == ["loaded", "loaded"]
    assert len({e["sha256"] for e in versions}) == 2
    after = warehouse_rows("hanbit")
    ours = [r for r in after["daily_sales"] if versions[1]["sha256"] in r]
    assert ours
    assert not [r for r in after["daily_sales"] if versions[0]["sha256"] in r]
    assert before["daily_sales"] != after["daily_sales"]


@pytest.mark.slow
@pytest.mark.parametrize("tenant", TENANTS)
def test_the_order_of_days_does_not_matter(samples: Path, tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in MONTH:
        run(tenant, day)
    forwards = snapshot(tenant, lake=False)
    shutil.rmtree(samples / "lake")
    shutil.rmtree(samples / "warehouse")
    _empty_databases()
    for day in reversed(MONTH):
        run(tenant, day)
    backwards = snapshot(tenant, lake=False)
    assert backwards["serving"] == forwards["serving"]


def test_a_run_may_be_forced_and_limited_to_items(samples: Path) -> None:
    run("hanbit", DAY)
    forced = run("hanbit", DAY, params=Params(force=True, items=("daily_sales",)))
    assert forced.counts["filter"]["process"] == 2  # the day's workbook, and the broken one of the 3rd
    assert forced.counts["filter"]["not_selected"] >= 1


def test_two_runs_of_one_day_at_once_double_nothing(samples: Path) -> None:
    command = [sys.executable, "-m", "ondol", "run", "hanbit", str(DAY), "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    together = snapshot("hanbit", lake=False)
    assert any("holds" in stderr for _, stderr in outputs), outputs
    with Ledger(database_uri(), "hanbit") as ledger:
        loads = [(e["sha256"], e["item"]) for e in ledger.history(stage="load")]
    assert len(loads) == len(set(loads))
    run("hanbit", DAY)
    assert snapshot("hanbit", lake=False)["serving"] == together["serving"]


def test_what_is_refused_is_in_quarantine_with_reason_and_remedy_and_the_others_go_on(samples: Path) -> None:
    result = run("hanbit", DAY)
    assert result.counts["load"]["loaded"] > 0
    assert result.quarantined
    for held in result.quarantined:
        assert str(held["name"]) in str(held["reason"])
        assert held["remedy"]


def test_empty_files_of_two_items_are_two_refusals_not_a_duplicate(samples: Path) -> None:
    folder = samples / "inbox/hanbit/2026-03-02"
    folder.mkdir(parents=True)
    names = {"매출일보_20260302.xlsx", "POS매출_0101_20260302.csv", "행사계획_2026.xlsx"}
    for name in names:
        (folder / name).touch()
    result = run("hanbit", dt.date(2026, 3, 2))
    assert {held["name"] for held in result.quarantined} == names


def test_what_a_newer_file_replaced_leaves_quarantine(samples: Path) -> None:
    broken = {str(held["name"]) for held in run("hanbit", DAY).quarantined if held["stage"] == "convert"}
    assert broken == {"매출일보_20260103.xlsx"}
    run("hanbit", dt.date(2026, 1, 6))
    with Ledger(database_uri(), "hanbit") as ledger:
        assert broken.isdisjoint(q["name"] for q in ledger.quarantine.entries())
        assert [q["note"] for q in ledger.quarantine.entries("passed")] == ["'매출일보_20260103.xlsx' replaced it"]


def test_only_a_broken_contract_can_be_accepted(samples: Path) -> None:
    broken = next(held for held in run("hanbit", DAY).quarantined if held["stage"] == "convert")
    with Ledger(database_uri(), "hanbit") as ledger, pytest.raises(FatalError, match="--accept cannot help"):
        ledger.quarantine.release(int(str(broken["id"])), accept=True)


def test_stages_in_the_wrong_order_and_days_beyond_time_are_refused_in_a_sentence(samples: Path) -> None:
    with pytest.raises(FatalError, match="comes after"):
        run("hanbit", DAY, first="load", last="crawl")
    with pytest.raises(FatalError, match="no day that files arrive on"):
        run("hanbit", dt.date.max)


def _empty_databases() -> None:
    import psycopg2

    from ondol.embedded import serving_uri

    for uri, schemas in ((database_uri(), ["ondol"]), (serving_uri(), [*TENANTS, "_ondol"])):
        connection = psycopg2.connect(uri)
        with connection, connection.cursor() as cursor:
            for schema in schemas:
                cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.close()
