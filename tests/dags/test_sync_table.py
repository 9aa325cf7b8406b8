"""The file of the trigger, as Airflow finds it: it reads only files that are likely to make a DAG."""

from __future__ import annotations

from airflow.dag_processing.dagbag import DagBag

from ondol.settings import PROJECT


def test_airflow_finds_the_dag_and_offers_the_tenants_that_there_are(add_tenant):
    for name in ("hanbit", "daeyang"):
        add_tenant(name)
    bag = DagBag(PROJECT / "dags" / "sync_table.py", safe_mode=True)
    assert (list(bag.dags), bag.import_errors) == (["sync-table"], {})
    assert bag.dags["sync-table"].params.get_param("tenant").schema["enum"] == ["daeyang", "hanbit"]


def test_without_any_tenant_there_is_nothing_wrong(tenants):
    bag = DagBag(PROJECT / "dags" / "sync_table.py", safe_mode=True)
    assert (list(bag.dags), bag.import_errors) == (["sync-table"], {})
