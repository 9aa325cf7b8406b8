"""The trigger that syncs tables of one tenant now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from ondol import pipeline
from ondol.embedded import serving_uri
from ondol.operators.sync_table import DAG_ID, SyncTableOperator, sync_table_dag
from ondol.serving.postgres import PostgresServing
from tests.ondol.snapshot import inbox

AT = dt.datetime(2026, 1, 6, 3, tzinfo=dt.UTC)


@dataclass
class Run:
    run_after: dt.datetime


def context(**params: Any) -> dict[str, Any]:
    return {"dag_run": Run(AT), "params": {"tables": [], "full": False, "accept": False, **params}}


def sync(**params: Any) -> list[dict[str, Any]]:
    return SyncTableOperator(task_id="sync").execute(context(**params))  # type: ignore[arg-type]


def test_the_dag_is_only_triggered_and_only_for_tenants_that_there_are() -> None:
    dag = sync_table_dag(["hanbit", "daeyang"])
    assert (dag.dag_id, dag.schedule, list(dag.task_dict)) == (DAG_ID, None, ["sync"])

    def check(**values: Any) -> None:
        for name, value in values.items():
            dag.params.get_param(name).resolve(value)

    for right in ({"tenant": "hanbit"}, {"tenant": "daeyang", "tables": ["sales"], "full": True}):
        check(**right)
    for wrong in ({"tenant": "nobody"}, {"tables": "sales"}, {"accept": "yes"}):
        with pytest.raises(ValueError, match="Failed validating"):
            check(**wrong)


def test_the_tables_named_are_synced_and_no_other(home: Path) -> None:
    inbox(home)
    pipeline.run("hanbit", dt.date(2026, 1, 5), last="transform")
    [done] = sync(tenant="hanbit", tables=["store_sales_daily"])
    assert done["inserted"] == done["rows"] > 0
    serving = PostgresServing(serving_uri(), "hanbit")
    assert serving.tables() == ["store_sales_daily"]
    everything = sync(tenant="hanbit")
    assert len(everything) == len(serving.tables()) > 1
    assert everything[0]["inserted"] == 0


def test_a_table_that_the_tenant_does_not_sync_is_not_tried_again(home: Path) -> None:
    with pytest.raises(AirflowFailException, match="hanbit syncs no table 'slaes'"):
        sync(tenant="hanbit", tables=["slaes"])


def test_what_is_refused_fails_the_run_after_the_others_were_synced(home: Path) -> None:
    inbox(home)
    pipeline.run("hanbit", dt.date(2026, 1, 5), last="transform")
    serving = PostgresServing(serving_uri(), "hanbit")
    sync(tenant="hanbit", tables=["store_sales_daily"])
    from ondol.serving.connection import transaction

    with transaction(serving_uri(), "test") as cursor:
        cursor.execute("ALTER TABLE hanbit.store_sales_daily ADD COLUMN mine int")
        cursor.execute("DELETE FROM hanbit.store_sales_daily")
    with pytest.raises(AirflowFailException, match=r"not synced: store_sales_daily: .*\['mine'\]"):
        sync(tenant="hanbit")
    assert len(serving.tables()) > 1
