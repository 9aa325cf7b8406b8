"""What an item's contract promises, on real files through all stages."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ondol.config.tenant import Tenant
from ondol.embedded import database_uri
from ondol.errors import FatalError
from ondol.ledger.events import Ledger
from ondol.pipeline import RunResult, run
from ondol.settings import PROJECT
from ondol.warehouse.duckdb import DuckDbWarehouse

D5, D6, D7 = (dt.date(2026, 1, day) for day in (5, 6, 7))
Send = Callable[..., RunResult]
COLUMNS: dict[str, Any] = {
    "sale_date": {"from": "period", "type": "date"},
    "store_code": {"from": "지점코드", "required": True},
    "quantity": {"from": "수량", "type": "integer"},
}


def shop(columns: dict[str, Any] = COLUMNS, load: dict[str, Any] | None = None, **tag: Any) -> Tenant:
    """A tenant that receives 매출_20260105.csv."""
    return Tenant.model_validate(
        {
            "tenant": "shop",
            "name": "가게",
            "sources": [{"id": "inbox", "type": "folder", "path": "inbox/{date}"}],
            "items": [
                {
                    "id": "sales",
                    "match": {"name": "매출_{yyyymmdd}*.csv"},
                    "table": "sales",
                    "load": load or {},
                    "tag": {"columns": columns, **tag},
                }
            ],
        }
    )


@pytest.fixture
def send(home: Path) -> Send:
    """Let a file arrive on a day, and run that day."""

    def send(tenant: Tenant, day: dt.date, name: str, text: str) -> RunResult:
        folder = home / "inbox" / str(day)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        return run(tenant, day)

    return send


def rows(home: Path, columns: str = "store_code, quantity") -> list[tuple[Any, ...]]:
    found = DuckDbWarehouse(home, "shop").query(f"SELECT {columns} FROM shop.sales ORDER BY ALL")
    return [tuple(row.values()) for row in found]


def test_a_file_that_drops_rows_waits_for_a_person_and_then_counts(home: Path, send: Send) -> None:
    tenant = shop(load={"max_row_drop": 0.2})
    send(tenant, D5, "매출_20260105.csv", "지점코드,수량\n001,1\n002,2\n003,3\n")
    (held,) = send(tenant, D6, "매출_20260105_수정.csv", "지점코드,수량\n001,9\n").quarantined
    assert "sales 2026-01-05 has 1 rows, but what it follows has 3" in str(held["reason"])
    assert rows(home) == [("001", 1), ("002", 2), ("003", 3)]
    with Ledger(database_uri(), "shop") as ledger:
        ledger.quarantine.release(int(str(held["id"])), accept=True)
    assert not run(tenant, D7).quarantined
    assert rows(home) == [("001", 9)]


def test_days_out_of_order_and_late_corrections_end_in_the_newest_rows(home: Path, send: Send) -> None:
    tenant = shop()
    send(tenant, D7, "매출_20260105_수정.csv", "지점코드,수량\n001,9\n")
    send(tenant, D6, "매출_20260106.csv", "지점코드,수량\n001,6\n")
    assert send(tenant, D5, "매출_20260105.csv", "지점코드,수량\n001,5\n").counts["filter"]["superseded"] == 1
    assert rows(home, "_period_start, quantity") == [(D5, 9), (D6, 6)]


def test_a_value_of_another_type_is_named_with_its_cell_and_nothing_becomes_null(home: Path, send: Send) -> None:
    (held,) = send(shop(), D5, "매출_20260105.csv", "지점코드,수량\n001,1\n002,많음\n").quarantined
    assert "B3 (quantity) is '많음'; allowed is a number" in str(held["reason"])
    assert held["evidence"]["cells"][0]["cell"] == "B3"  # type: ignore[index]


def test_every_row_tells_file_place_and_run(home: Path, send: Send) -> None:
    send(shop(), D5, "매출_20260105.csv", "지점코드,수량\n001,1\n")
    [(sha256, file, row, cells, run_key, loaded)] = rows(
        home, "_sha256, _file, _row, _cells, _run_key, _loaded_at IS NOT NULL"
    )
    assert (len(sha256), file, row, run_key, loaded) == (64, "매출_20260105.csv", 2, "shop@2026-01-05", True)
    assert cells == '{"quantity": "B2", "store_code": "A2"}'


def test_a_failed_assertion_waits_in_quarantine_with_its_rows_until_it_holds(
    home: Path, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = {
        "sales": "config { type: 'declaration', name: 'sales' }",
        "by_store": "config { type: 'table', assertions: { rowConditions: ['quantity < 100'] } }\n"
        "SELECT store_code, SUM(quantity) AS quantity FROM ${ref('sales')} GROUP BY 1",
        "other": "config { type: 'table' }\nSELECT COUNT(*) AS n FROM ${ref('sales')}",
        "shares": "config { type: 'table' }\nSELECT store_code, quantity / 2 AS half FROM ${ref('by_store')}",
    }
    project = home / "tenants" / "dataform"
    shutil.copytree(PROJECT / "tenants/dataform", project, ignore=shutil.ignore_patterns("node_modules", "definitions"))
    (project / "node_modules").symlink_to(PROJECT / "tenants/dataform/node_modules")
    (project / "definitions" / "shop").mkdir(parents=True)
    for name, text in models.items():
        (project / "definitions" / "shop" / f"{name}.sqlx").write_text(text)
    monkeypatch.setenv("ONDOL_TENANTS", str(home / "tenants"))
    tenant = Tenant.model_validate(shop().model_dump(by_alias=True) | {"transform": {"models": "shop"}})
    result = send(tenant, D5, "매출_20260105.csv", "지점코드,수량\n001,500\n002,2\n")
    (held,) = result.quarantined
    assert (held["stage"], held["name"]) == ("transform", "shop_by_store_assertions_rowConditions")
    evidence: Any = held["evidence"]
    assert (evidence["count"], evidence["rows"][0]["store_code"], evidence["rows"][0]["quantity"]) == (1, "001", 500)
    assert {name: said.partition(":")[0] for name, said in result.marts.items() if "assertions" not in name} == {
        "by_store": "blocked",
        "shares": "blocked",
        "other": "done",
    }
    with Ledger(database_uri(), "shop") as ledger, pytest.raises(FatalError, match="neither released nor dropped"):
        ledger.quarantine.drop(int(str(held["id"])))
    send(tenant, D6, "매출_20260105_수정.csv", "지점코드,수량\n001,5\n002,2\n")
    with Ledger(database_uri(), "shop") as ledger:
        assert [(q["name"], q["state"]) for q in ledger.quarantine.entries(None)] == [(held["name"], "passed")]


EVOLVE = {"new_column": "evolve", "wider_type": "evolve", "missing_column": "evolve"}


def test_a_table_evolves_with_its_files_and_is_never_narrowed(home: Path, send: Send) -> None:
    tenant = shop(changes=EVOLVE)
    send(tenant, D5, "매출_20260105.csv", "지점코드,수량\n001,1\n")
    assert not send(tenant, D6, "매출_20260106.csv", "지점코드,수량,비고\n001,2.5,반품\n").quarantined
    assert not send(tenant, D7, "매출_20260107.csv", "지점코드,단가\n001,7\n").quarantined
    assert rows(home, '_period_start, store_code, quantity, "extra_비고", "extra_단가"') == [
        (D5, "001", Decimal(1), None, None),
        (D6, "001", Decimal("2.5"), "반품", None),
        (D7, "001", None, None, "7"),
    ]
    assert rows(home, "json_extract_string(_cells, '$.extra_비고')")[0] == ("C2",)


@pytest.mark.parametrize(
    ("changes", "text", "why"),
    [
        ({"new_column": "quarantine"}, "지점코드,수량,비고\n001,2,반품\n", "has columns that no rule names: '비고'"),
        ({}, "지점코드,수량\n001,2.5\n", "B2 (quantity) is 2.5; allowed is a whole number"),
        ({}, "지점코드,단가\n001,7\n", "it has no header '수량' (quantity)"),
        (EVOLVE, "점포,수량\n001,2\n", "it has no header '지점코드' (store_code)"),
        (EVOLVE, "지점코드,수량\n001,둘\n", "B2 (quantity) is '둘'; allowed is a number"),
    ],
)
def test_what_the_item_does_not_let_change_is_refused(
    home: Path, send: Send, changes: dict[str, str], text: str, why: str
) -> None:
    (held,) = send(shop(changes=changes), D5, "매출_20260105.csv", text).quarantined
    assert why in str(held["reason"])


def test_a_new_column_that_is_left_out_is_noted(home: Path, send: Send) -> None:
    send(shop(), D5, "매출_20260105.csv", "지점코드,수량,비고\n001,2,반품\n")
    with Ledger(database_uri(), "shop") as ledger:
        (told,) = ledger.history(stage="tag")
    assert any("left out: '비고'" in decision for decision in told["detail"]["decisions"])


def test_dates_have_ranges_too(home: Path, send: Send) -> None:
    due = {"from": "납기", "type": "date", "min": "2026-01-01"}
    (held,) = send(
        shop({**COLUMNS, "due": due}), D5, "매출_20260105.csv", "지점코드,수량,납기\n001,2,2025-12-31\n"
    ).quarantined
    assert "C2 (due) is 2025-12-31; allowed is at least 2026-01-01" in str(held["reason"])
