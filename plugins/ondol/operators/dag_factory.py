"""One DAG for each tenant's file: eight tasks, or one that says what is wrong with the file."""

from __future__ import annotations

import datetime as dt
import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param
from airflow.sdk.definitions.param import ParamsDict

from ondol.config.loader import Loaded, config_hash, load_all, load_tenant
from ondol.config.tenant import Tenant
from ondol.errors import ConfigError
from ondol.operators.describe import describe, describe_error
from ondol.operators.stage import ConfigErrorOperator, StageOperator
from ondol.operators.timetable import DayTimetable

STAGES = {
    "crawl": "Fetches each new file of the sources once and keeps it as it came.",
    "map": "Finds which item each file is and what period it speaks of.",
    "filter": "Drops what was processed before or superseded, and makes batches of the rest.",
    "convert": "Reads the tables of each file of a batch, in processes of their own.",
    "tag": "Gives each table its meaning by the item's rules, and checks the item's contract.",
    "load": "Replaces what each file replaces in the warehouse.",
    "transform": "Makes the marts from the tidy tables, and tests them.",
    "sync": "Publishes what changed in the marts to the customer's schema in PostgreSQL.",
}
BATCHED = ("convert", "tag")
RETRIES = {
    "retries": 3,
    "retry_delay": dt.timedelta(minutes=1),
    "retry_exponential_backoff": 2,
    "max_retry_delay": dt.timedelta(minutes=30),
    "execution_timeout": dt.timedelta(hours=6),
}
ACTIVE_RUNS = 4


def tenant_dags(folder: Path, only: str | None = None) -> dict[str, DAG]:
    """The DAGs of a folder of tenants by id; never an exception for one file's sake.

    Args:
        only: the id of the one DAG that a worker is about to run a task of; all if None.
    """
    if only and (path := folder / f"{only}.yaml").is_file():
        try:
            return {only: tenant_dag(load_tenant(path))}
        except ConfigError as error:
            return {only: error_dag(only, path.name, error)}
    with _without_collection():
        loaded = load_all(folder)
        dags = {entry.tenant.tenant: tenant_dag(entry.tenant) for entry in loaded if entry.tenant}
        for entry in loaded:
            if entry.error:
                dag_id = _free_id(entry, dags)
                dags[dag_id] = error_dag(dag_id, entry.path.name, entry.error)
    return {dag_id: dag for dag_id, dag in dags.items() if only in (None, dag_id)}


def tenant_dag(tenant: Tenant) -> DAG:
    """A tenant's eight tasks in a row; convert and tag run once for each batch that filter makes."""
    digest = config_hash(tenant)
    with DAG(
        tenant.tenant,
        dag_display_name=f"{tenant.tenant} · {tenant.name}",
        description=f"{tenant.name}: from files to rows in PostgreSQL",
        doc_md=describe(tenant, digest),
        schedule=_timetable(tenant.schedule, tenant.timezone, tenant.start) if tenant.schedule else None,
        catchup=False,
        max_active_runs=ACTIVE_RUNS,
        is_paused_upon_creation=tenant.paused,
        tags=[tenant.transform.models] if tenant.transform else [],
        default_args={"owner": "ondol", "pool": tenant.tenant, "weight_rule": "upstream", **RETRIES},
    ) as dag:
        output: Any = ()
        for stage, does in STAGES.items():
            words = {"task_id": stage, "tenant": tenant.tenant, "config_hash": digest, "doc_md": does}
            if stage in BATCHED:
                output = StageOperator.partial(**words).expand(inputs=output).output
            else:
                output = StageOperator(**words, inputs=output).output
    dag.params = _params(tenant)  # last: Airflow copies them into each task that is made after them
    return dag


def error_dag(dag_id: str, file: str, error: ConfigError) -> DAG:
    """The DAG that stands in a tenant's place while its file is wrong: it shows the message and fails with it."""
    with DAG(
        dag_id,
        dag_display_name=f"{dag_id} · {str(error).splitlines()[0][:160]}",
        description=f"{file} is wrong",
        doc_md=describe_error(file, error),
        schedule=None,
        is_paused_upon_creation=False,
        tags=["config-error"],
        default_args={"owner": "ondol"},
    ) as dag:
        ConfigErrorOperator(task_id="config", message=str(error))
    return dag


@contextmanager
def _without_collection() -> Iterator[None]:
    """Build many objects that all stay, without the search for garbage among them that costs a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def _timetable(cron: str, timezone: str, start: dt.date) -> DayTimetable:
    """The one timetable of all tenants that run at the same time: to make one costs Airflow a millisecond."""
    return DayTimetable(cron, timezone, start)


def _params(tenant: Tenant) -> ParamsDict:
    items = [item.id for item in tenant.items]
    return ParamsDict(
        {
            "force": Param(
                False,
                type="boolean",
                title="Process again",
                description="Process files again though nothing about them changed.",
            ),
            "items": Param(
                [],
                type=["null", "array"],
                items={"enum": items},
                examples=items,
                title="Only these items",
                description="Leave it empty to take all.",
            ),
        }
    )


def _free_id(entry: Loaded, taken: dict[str, DAG]) -> str:
    """The id of a broken file, which must not take the place of another tenant's DAG."""
    if entry.id not in taken:
        return entry.id
    return f"{entry.id}_{hashlib.sha256(entry.path.name.encode()).hexdigest()[:8]}"
