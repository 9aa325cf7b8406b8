"""The routes of a tenant as a whole: who may see it, what was changed, what is due, what happened, collect now."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse

from ondol.api.collecting import Collector
from ondol.api.desk import Desk, Done, Name, desk, keyed
from ondol.api.file import File
from ondol.api.models import Change, Collection, CollectRequest, Due, Event, Health, Page, TenantEntry
from ondol.api.openapi import errors
from ondol.api.pages import Cursor, Limit, after_name, before_number, page
from ondol.api.problems import Refused, unknown
from ondol.config.due import due_next
from ondol.config.loader import load_tenant
from ondol.errors import ConfigError
from ondol.ledger.changes import Answer
from ondol.ledger.changes import Request as Keyed
from ondol.settings import settings

Viewing = Annotated[Desk, Depends(desk("viewer"))]
Operating = Annotated[Desk, Depends(desk("operator"))]
Number = Annotated[str, Path(pattern=r"^api-[0-9a-f]{32}$", description="The collection's id.")]

router = APIRouter()
UNDER = "/v1/tenants/{tenant}"


@router.get("/healthz", tags=["service"], response_model=Health, openapi_extra={"security": []})
def health() -> dict[str, str]:
    """Whether the process lives."""
    return {"status": "ok"}


@router.get("/v1/tenants", tags=["tenants"], response_model=Page[TenantEntry], responses=errors(401, 422))
def list_tenants(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Any:
    """The tenants that the caller may see, by id."""
    caller, after = request.state.principal, after_name(cursor)
    names = sorted(path.stem for path in settings().tenants.glob("[!_.]*.yaml"))
    mine = [name for name in names if name > after and caller.role(name)][: limit + 1]
    rows = [{"tenant": name, "name": _title(name), "role": caller.role(name)} for name in mine]
    return page(rows, limit, lambda row: str(row["tenant"]))


@router.get(f"{UNDER}/changes", tags=["tenants"], response_model=Page[Change], responses=errors(401, 404, 422))
def list_changes(at: Viewing, limit: Limit = 50, cursor: Cursor = None) -> Any:
    """Who changed what through the API, the newest first."""
    return page(at.ledger.changes.list(limit + 1, before_number(cursor)), limit, lambda row: int(row["id"]))


@router.get(f"{UNDER}/items/{{name}}/history", tags=["items"], response_model=Page[Event],
            responses=errors(401, 404, 409, 422))  # fmt: skip
def item_history(at: Viewing, name: Name, limit: Limit = 50, cursor: Cursor = None) -> Any:
    """What happened to its files, stage by stage, the newest first."""
    at.found(at.file(), "items", name)
    found = at.ledger.history(item=name, before=before_number(cursor), limit=limit + 1)[::-1]
    rows = [{key: row.get(key) for key in Event.model_fields} | {"period": _span(row)} for row in found]
    return page(rows, limit, lambda row: int(row["id"]))


@router.get(f"{UNDER}/items/{{name}}/due", tags=["items"], response_model=Due, responses=errors(401, 404, 409, 422))
def item_due(at: Viewing, name: Name) -> Any:
    """What was loaded last of it, and what is expected next, until when."""
    file = at.file()
    state = at.found(file, "items", name)["state"]
    slots = at.ledger.current([name])
    last = max(((start, end) for _, start, end, _ in slots), key=lambda span: span[1], default=None)
    start, end, until = due_next(file.tenant, file.tenant.item(name), last and last[1], at.now())
    return {
        "state": state,
        "last": last and {"start": last[0], "end": last[1]},
        "next": {"start": start, "end": end},
        "due": until,
        "overdue": not state["paused"] and until < at.now(),
    }


@router.post(f"{UNDER}/collections", tags=["collections"], status_code=202, response_model=Collection,
             responses=errors(401, 403, 404, 409, 413, 422))  # fmt: skip
def collect_now(
    at: Operating, request: Annotated[Keyed | None, Depends(keyed)], given: CollectRequest | None = None
) -> Any:
    """Run the tenant's stages for what arrived on a day. See `runs_in` for where."""
    asked = given or CollectRequest()
    salt = f"{at.tenant}\n{request.who}\n{request.key}" if request else uuid.uuid4().hex
    number = f"api-{hashlib.sha256(salt.encode()).hexdigest()[:32]}"

    def do(file: File) -> Done:
        paused = at.ledger.pauses.of("items")
        for item in asked.items:
            if item not in (i.id for i in file.tenant.items):
                raise unknown("item", item)
            if item in paused:
                raise Refused(409, "Paused", f"Item '{item}' is paused.", "Resume it first.")
        today = dt.datetime.now(file.tenant.zone).date()
        date = asked.date or today
        if not dt.date(1970, 1, 1) <= date <= today:
            raise Refused(422, "Wrong request", f"No files have arrived on {date} yet.", f"Give a day up to {today}.")
        found = _collector(at.request).ask(file.tenant, number, at.caller.who, date, tuple(asked.items))
        where = f"{at.request.url.path}/{number}"
        return Done(Answer(202, Collection(**found).model_dump(mode="json"), {"Location": where}))

    answer = at.once(request, do)
    return JSONResponse(answer.body, answer.status, answer.headers)


@router.get(f"{UNDER}/collections/{{number}}", tags=["collections"], response_model=Collection,
            responses=errors(401, 404, 422))  # fmt: skip
def read_collection(at: Viewing, number: Number) -> Any:
    """How far it is."""
    if (found := _collector(at.request).show(at.tenant, number)) is None:
        raise unknown("collection", number)
    return found


def _collector(request: Request) -> Collector:
    collector: Collector = request.app.state.collector
    return collector


def _title(tenant: str) -> str | None:
    try:
        return load_tenant(settings().tenants / f"{tenant}.yaml").name
    except ConfigError:
        return None


def _span(row: dict[str, Any]) -> dict[str, Any] | None:
    return row["period_start"] and {"start": row["period_start"], "end": row["period_end"]}
