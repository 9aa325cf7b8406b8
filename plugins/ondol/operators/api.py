"""The API inside of Airflow's API server: its users as callers, its DAG runs as collections.

Callers are those of ONDOL_ACCESS. Without it they are Airflow's own users, by the bearer token that Airflow gives them:
who may see a tenant's DAG is a viewer of the tenant, who may trigger it an operator, who may edit it an editor.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ondol.api.access import Principal, Role
    from ondol.config.tenant import Tenant

STATES = {"queued": "asked", "running": "running", "success": "done", "failed": "failed"}


class LazyApp:
    """The application, made at its first request: every process of Airflow reads the plugins, and one serves."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None
        self._lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        with self._lock:
            if self._app is None:
                self._app = _made()
        await self._app(scope, receive, send)


def _made() -> ASGIApp:
    from ondol.api.access import load_access
    from ondol.api.app import create_app
    from ondol.api.tokens import Tokens
    from ondol.settings import settings

    access = settings().access
    return create_app(Tokens(load_access(access)).caller if access else airflow_user, InAirflow())


def airflow_user(request: Request) -> Principal:
    """The Airflow user whose token a request has.

    Raises:
        Refused: 401.
    """
    from airflow.api_fastapi.app import get_auth_manager
    from anyio import from_thread
    from jwt import InvalidTokenError

    from ondol.api.access import Principal
    from ondol.api.tokens import unauthorized

    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise unauthorized("There is no bearer token; Airflow gives one at POST /auth/token.", error="")
    try:
        user: Any = from_thread.run(get_auth_manager().get_user_from_token, token.strip())
    except InvalidTokenError:
        raise unauthorized("Airflow does not take the token.") from None
    return Principal(f"{user.get_name()} (Airflow)", _Roles(user))


class _Roles(Mapping[str, "Role"]):
    """The roles that Airflow's auth manager gives a user, asked for one tenant at a time."""

    def __init__(self, user: Any) -> None:
        self._user = user

    def __getitem__(self, tenant: str) -> Role:
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

        may = get_auth_manager().is_authorized_dag
        dag = DagDetails(id=tenant)
        if tenant == "*" or not may(method="GET", user=self._user, details=dag):
            raise KeyError(tenant)
        if may(method="PUT", user=self._user, details=dag):
            return "editor"
        run = DagAccessEntity.RUN
        return "operator" if may(method="POST", access_entity=run, user=self._user, details=dag) else "viewer"

    def __iter__(self) -> Iterator[str]:
        from ondol.operators.pools import tenants

        return iter(tenant for tenant in tenants() if tenant in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class InAirflow:
    """Collections as runs of the tenant's DAG: ondol.api.collecting.Collector."""

    def ask(self, tenant: Tenant, number: str, who: str, date: dt.date, items: tuple[str, ...]) -> dict[str, Any]:
        """See Collector."""
        from airflow.api.common.trigger_dag import trigger_dag
        from airflow.exceptions import DagRunAlreadyExists
        from airflow.models.dag import DagModel
        from airflow.utils.types import DagRunTriggeredByType

        from ondol.api.problems import Refused

        dag = DagModel.get_dagmodel(tenant.tenant)
        if dag is None:
            raise Refused(409, "No DAG yet", f"Airflow has no DAG {tenant.tenant} yet.", "Try again in a minute.")
        if dag.is_paused:
            raise Refused(409, "Paused", f"The DAG {tenant.tenant} is paused in Airflow, so no run would begin.",
                          "Unpause it there.")  # fmt: skip
        now = dt.datetime.now(tenant.zone)
        with contextlib.suppress(DagRunAlreadyExists):  # asked for by the same request before
            trigger_dag(
                tenant.tenant,
                triggered_by=DagRunTriggeredByType.REST_API,
                triggering_user_name=who,
                run_id=number,
                run_after=now if now.date() == date else dt.datetime.combine(date, dt.time(), dt.UTC),
                conf={"items": list(items)},
                note=f"collect-now through the API by {who}",
            )
        return self.show(tenant.tenant, number) or {}

    def show(self, tenant: str, number: str) -> dict[str, Any] | None:
        """See Collector."""
        from airflow.models.dagrun import DagRun

        from ondol.config.loader import load_tenant
        from ondol.operators.timetable import interval_of
        from ondol.settings import settings

        run: Any = DagRun.find_duplicate(dag_id=tenant, run_id=number)
        if run is None:
            return None
        zone = load_tenant(settings().tenants / f"{tenant}.yaml").zone
        return {
            "id": number,
            "runs_in": "airflow",
            "state": STATES[str(run.state)],
            "date": interval_of(run, zone).dates[0],
            "items": (run.conf or {}).get("items") or [],
        }

    def running(self) -> contextlib.AbstractContextManager[None]:
        """See Collector: Airflow looks after its runs itself."""
        return contextlib.nullcontext()
