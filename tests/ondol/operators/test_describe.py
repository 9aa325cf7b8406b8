"""The page that Airflow shows beside a tenant's DAG."""

from __future__ import annotations

from pathlib import Path

from ondol.config.loader import config_hash, load_tenant
from ondol.errors import ConfigError, Problem
from ondol.operators.describe import describe, describe_error


def test_it_names_sources_items_tables_and_the_configuration(tenants: Path) -> None:
    tenant = load_tenant(tenants / "nara.yaml")
    page = describe(tenant, config_hash(tenant))
    for word in (tenant.name, "inbox/nara/", "waybills", "운송장", "0 7 * * *", "Asia/Seoul", config_hash(tenant)):
        assert word in page


def test_a_customers_words_stay_words(tenants: Path) -> None:
    path = tenants / "nara.yaml"
    hostile = "<img src=x onerror=alert(1)> | a | [b](javascript:c) `d` *e*"
    path.write_text(path.read_text().replace("name: nara 물류", f"name: '{hostile}'"))
    page = describe(load_tenant(path), "0")
    title = page.splitlines()[0]
    assert "<img" not in page
    assert "\\|" in title
    assert "\\[b\\](" in title
    assert not page.endswith(".md")


def test_an_errors_page_lists_each_problem_once(tenants: Path) -> None:
    problems = [Problem("tenants/x.yaml", n, "items", f"items[{n}] is <b>") for n in (1, 2)]
    page = describe_error("x`y.yaml", ConfigError(problems=problems))
    assert page.count("\n- ") == 2
    assert "<b>" not in page
    assert "`x'y.yaml`" in page
