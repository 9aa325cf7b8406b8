"""The DAG that syncs tables of one tenant when it is asked to: from the UI, the REST API or the command line.

airflow dags trigger sync-table --conf '{"tenant": "hanbit", "tables": ["store_sales_daily"]}'
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseOperator, Param
from airflow.sdk.exceptions import AirflowFailException

from ondol.errors import FatalError, Rejected
from ondol.operators.dag_factory import ACTIVE_RUNS, RETRIES

if TYPE_CHECKING:
    from airflow.sdk import Context

DAG_ID = "sync-table"
"""No tenant can be called so: their ids have no dash."""


class SyncTableOperator(BaseOperator):
    """Syncs the tables that the run's params name, one transaction each; all that the tenant syncs if none is named."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """What became of each table.

        Raises:
            AirflowFailException: tables that were refused, after all others were synced; no retry can help.
        """
        from ondol.config.loader import find_tenant
        from ondol.pipeline import sync_table
        from ondol.settings import settings

        params, at = context["params"], context["dag_run"].run_after
        done: list[dict[str, Any]] = []
        refused: list[str] = []
        try:
            tenant = find_tenant(settings().tenants, params["tenant"])
            for table in params["tables"] or [spec.table for spec in tenant.sync]:
                try:
                    result = sync_table(tenant, table, full=params["full"], accept=params["accept"], at=at)
                except Rejected as rejected:
                    refused.append(f"{table}: {rejected}")
                    continue
                counts = ("table", "inserted", "updated", "deleted", "unchanged", "rejected", "rows", "drift")
                done.append({name: getattr(result, name) for name in counts})
                self.log.info("synced tenant=%s %s", tenant.tenant, done[-1])
        except FatalError as error:
            raise AirflowFailException(str(error)) from error
        if refused:
            raise AirflowFailException("not synced: " + " | ".join(refused))
        return done


def sync_table_dag(tenants: Iterable[str]) -> DAG:
    """The DAG, which runs only when triggered.

    Args:
        tenants: the ids that it may be triggered for.
    """
    ids = sorted(tenants)
    params: dict[str, Any] = {
        "tenant": Param(ids[0] if ids else None, type="string", enum=ids, title="Tenant"),
        "tables": Param(
            [], type=["null", "array"], items={"type": "string"}, title="Tables", description="Leave it empty for all."
        ),
        "full": Param(
            False, type="boolean", title="Compare in full", description="Also what nothing says to have changed."
        ),
        "accept": Param(
            False,
            type="boolean",
            title="Accept",
            description="Let pass once what max_delete_share or max_row_drift refuses.",
        ),
    }
    with DAG(
        DAG_ID,
        dag_display_name="Sync a tenant's tables now",
        description="Marts to the customer's schema in PostgreSQL, outside of a day's run",
        doc_md=__doc__,
        schedule=None,
        start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        max_active_runs=ACTIVE_RUNS,
        is_paused_upon_creation=False,
        params=params,
        tags=["operations"],
        default_args={"owner": "ondol", **RETRIES},
    ) as dag:
        SyncTableOperator(task_id="sync")
    return dag
