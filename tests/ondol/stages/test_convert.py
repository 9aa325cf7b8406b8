"""convert, as a run of the pipeline sees it: passwords from the tenant's secrets, and where conversions run."""

from __future__ import annotations

import datetime as dt
import io
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ondol.config.loader import load_tenant
from ondol.conversion import service
from ondol.embedded import database_uri
from ondol.errors import ConfigError, FatalError, RetriableError
from ondol.ledger.events import Ledger
from ondol.pipeline import RunResult, open_lake, run
from ondol.settings import settings
from tests.converter_service import serve
from tests.ondol.snapshot import snapshot, warehouse_rows

DAY = dt.date(2026, 1, 5)
PASSWORD = "열려라-2026"
TENANT = """\
tenant: {tenant}
name: {tenant}
{passwords}
sources:
  - {{id: inbox, type: folder, path: "inbox/{tenant}/{{date}}"}}
items:
  - id: sales
    match: {{name: "매출_{{yyyymmdd}}*.*"}}
    table: sales
    tag:
      columns:
        store: {{from: 지점, required: true}}
        amount: {{from: 매출, type: decimal}}
  - id: notes
    match: {{content: [전화 일보]}}
    period: content
    table: calls
    tag:
      columns:
        store: {{from: 지점, required: true}}
        calls: {{from: 통화, type: integer}}
"""


@pytest.fixture
def collect(home: Path) -> Callable[..., RunResult]:
    """Runs a tenant up to load, with these names under `passwords`."""

    def collect(tenant: str = "hanbit", *passwords: str, day: dt.date = DAY) -> RunResult:
        path = home / f"{tenant}.yaml"
        path.write_text(TENANT.format(tenant=tenant, passwords=f"passwords: [{', '.join(passwords)}]"))
        return run(load_tenant(path), day, last="load")

    return collect


def deliver(home: Path, tenant: str, name: str, *rows: list[Any], password: str = "", title: str = "") -> None:
    """Put a workbook into the tenant's inbox of the day."""
    from msoffcrypto.format.ooxml import OOXMLFile

    book, plain = openpyxl.Workbook(), io.BytesIO()
    for row in ([title], []) if title else ():
        book.active.append(row)
    for row in rows:
        book.active.append(row)
    book.save(plain)
    path = home / "inbox" / tenant / str(DAY) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        OOXMLFile(plain).encrypt(password, target) if password else target.write(plain.getvalue())


def locked(home: Path, tenant: str = "hanbit") -> None:
    deliver(home, tenant, "매출_20260105.xlsx", ["지점", "매출"], ["강남", 10], ["서초", 20], password=PASSWORD)


def test_an_encrypted_file_waits_for_its_password_and_is_taken_up_by_the_next_run(
    home: Path, collect: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    locked(home)
    [held] = collect().quarantined
    assert "encrypted" in str(held["reason"]) and "none was given" in str(held["reason"])
    for told in ("passwords: [office]", "hanbit.yaml", "ONDOL_SECRET_HANBIT__OFFICE", "mode 600"):
        assert told in str(held["remedy"])

    monkeypatch.setenv("ONDOL_SECRET_HANBIT__OFFICE", "wrong")
    [held] = collect("hanbit", "office", "branch").quarantined
    assert "none of the 1 passwords given opens it" in str(held["reason"])
    assert "'branch'" in str(held["remedy"]) and "ONDOL_SECRET_HANBIT__BRANCH" in str(held["remedy"])
    assert collect("hanbit", "office", "branch").counts["filter"]["held"] == 1

    secret = home / "secrets/hanbit/branch"
    secret.parent.mkdir(parents=True)
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    later = collect("hanbit", "office", "branch", day=DAY + dt.timedelta(days=1))
    assert later.counts["load"]["loaded"] == 1
    assert len(warehouse_rows("hanbit")["sales"]) == 2
    with Ledger(database_uri(), "hanbit") as ledger:
        assert ledger.quarantine.entries("held") == []
        [retried] = [e for e in ledger.history(stage="crawl") if e["decision"] == "retried"][-1:]
        assert "passwords have changed" in retried["reason"]
    before = snapshot("hanbit", lake=False)
    assert collect("hanbit", "office", "branch").counts["filter"] == {"duplicate": 1}
    assert snapshot("hanbit", lake=False)["warehouse"] == before["warehouse"]


def test_no_other_tenant_s_password_is_tried(
    home: Path, collect: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONDOL_SECRET_SAEUM__OFFICE", PASSWORD)
    for tenant in ("hanbit", "saeum"):
        locked(home, tenant)
    assert collect("saeum", "office").counts["load"]["loaded"] == 1
    [held] = collect("hanbit", "office").quarantined
    assert "none was given" in str(held["reason"])
    assert "Secret 'office'" in str(held["remedy"])


def test_an_encrypted_file_is_recognised_by_its_content(
    home: Path, collect: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (["지점", "통화"], ["강남", 10], ["서초", 20])
    deliver(home, "hanbit", "2.xlsx", *rows, password=PASSWORD, title="전화 일보 2026년 1월 4일")
    monkeypatch.setenv("ONDOL_SECRET_HANBIT__OFFICE", PASSWORD)
    assert collect("hanbit", "office").counts["load"]["loaded"] == 1
    assert len(warehouse_rows("hanbit")["calls"]) == 2


def test_a_password_is_written_nowhere(
    home: Path, collect: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    locked(home)
    collect("hanbit", "office")
    monkeypatch.setenv("ONDOL_SECRET_HANBIT__OFFICE", PASSWORD)
    assert collect("hanbit", "office").counts["load"]["loaded"] == 1
    written = [path for path in home.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if PASSWORD.encode() in path.read_bytes()]
    assert PASSWORD not in caplog.text
    assert PASSWORD not in str(snapshot("hanbit"))


def test_a_password_in_the_yaml_is_refused_and_not_shown(home: Path, collect: Callable[..., RunResult]) -> None:
    for secret in ("Hunter2!", "두글자", "a_b", "a--b", "-a", "x" * 41):
        with pytest.raises(ConfigError, match="name of a-z") as told:
            collect("hanbit", f"'{secret}'")
        assert secret not in str(told.value)


@pytest.mark.parametrize("where", ["job", "service"])
def test_a_run_gives_the_same_wherever_files_are_converted(
    home: Path, collect: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    locked(home)
    deliver(home, "hanbit", "매출_20260104.xlsx", ["지점", "매출"], ["강남", 1])
    (home / "inbox/hanbit" / str(DAY) / "매출_20260103.xlsx").write_bytes(b"PK\x03\x04 broken")
    monkeypatch.setenv("ONDOL_SECRET_HANBIT__OFFICE", PASSWORD)
    collect("hanbit", "office")
    lake = open_lake("hanbit")
    tables = {path: lake.get(lake.uri(path)) for path in lake.paths("tables/")}
    assert len(tables) == 3
    for path in tables:
        lake.local(lake.uri(path)).unlink()
    before = snapshot("hanbit", lake=False)

    with serve(home) as served:
        monkeypatch.setenv("ONDOL_CONVERTER", served.url if where == "service" else where)
        path = home / "hanbit.yaml"
        run(load_tenant(path), DAY, first="convert", last="load")
    again = {path: lake.get(lake.uri(path)) for path in lake.paths("tables/") if not path.startswith("tables/summary/")}
    assert again == tables
    after = snapshot("hanbit", lake=False)
    assert (after["warehouse"], after["quarantine"]) == (before["warehouse"], before["quarantine"])


def test_a_converter_that_is_down_is_tried_again_later_and_nothing_is_refused(
    home: Path, collect: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PAUSES", ())
    deliver(home, "hanbit", "매출_20260104.xlsx", ["지점", "매출"], ["강남", 1])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ONDOL_CONVERTER", f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(RetriableError, match="See ONDOL_CONVERTER"):
            collect()
    with Ledger(database_uri(), "hanbit") as ledger:
        assert ledger.quarantine.entries(None) == []
    monkeypatch.delenv("ONDOL_CONVERTER")
    assert collect().counts["load"]["loaded"] == 1


@pytest.mark.parametrize("value", ["cloud", "ftp://x", "service"])
def test_a_converter_that_there_is_not_is_told(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ONDOL_CONVERTER", value)
    with pytest.raises(FatalError, match="give local, job, or"):
        settings()
