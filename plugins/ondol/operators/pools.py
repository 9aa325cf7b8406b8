"""A pool for each tenant, so that no tenant's large day takes the workers of the others.

Airflow never schedules a task whose pool does not exist, and does not say so to the user. So the scheduler makes the
pools when it starts, and a new tenant's when its first run starts. A pool that a person has resized keeps its size.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

from ondol.settings import settings

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

SLOTS = 4


def ensure(pools: Iterable[str]) -> None:
    """Make those pools that do not exist; needs Airflow's database."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.dialects.postgresql import insert

    # A session of its own: the scheduler calls this in the middle of a transaction that it must not end.
    with create_session(scoped=False) as session:
        missing = set(pools) - set(session.scalars(select(Pool.pool)))
        for name in sorted(missing):
            row = {"pool": name, "slots": SLOTS, "description": f"tenant {name}", "include_deferred": False}
            session.execute(insert(Pool).values(row).on_conflict_do_nothing())


def tenants() -> list[str]:
    """The ids of the tenants' files, read or not."""
    return sorted(path.stem for path in settings().tenants.glob("[!_.]*.yaml"))


@hookimpl
def on_starting(component: Any) -> None:
    """Airflow calls this in each of its processes as it starts."""
    if getattr(component, "job_type", None) == "SchedulerJob":
        ensure(tenants())


@hookimpl
def on_dag_run_running(dag_run: DagRun) -> None:
    """Airflow's scheduler calls this before a run's first task."""
    if dag_run.dag:
        ensure(task.pool for task in dag_run.dag.tasks)
