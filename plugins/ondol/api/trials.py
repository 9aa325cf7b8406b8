"""The route that tries a source, saved or not: what would be collected, with nothing changed there or here."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ondol.api.desk import Desk, Name, desk
from ondol.api.models import Trial, TrialRequest
from ondol.api.openapi import errors
from ondol.api.places import check_place
from ondol.api.problems import Refused, unknown
from ondol.config.edit import put
from ondol.config.pattern import match_name
from ondol.config.tenant import Tenant

router = APIRouter()


@router.post(
    "/v1/tenants/{tenant}/sources/{name}/test",
    tags=["sources"],
    name="test_source",
    summary="Test a source",
    response_model=Trial,
    responses=errors(401, 403, 404, 409, 413, 422),
)
def try_source(at: Annotated[Desk, Depends(desk("operator"))], name: Name, given: TrialRequest | None = None) -> Any:
    """List what a run would collect, and which item each file is by its name. A source that is down is a result too."""
    from ondol import pipeline

    asked = given or TrialRequest()
    tenant = _would_be(at, name, asked.config)
    if asked.date and not dt.date(1970, 1, 1) <= asked.date <= dt.date(9000, 1, 1):
        raise Refused(422, "Wrong request", f"{asked.date} is no day that files arrive on.", "Give one from 1970 on.")
    trial = pipeline.try_source(tenant, name, asked.date, show=asked.limit)
    files = [
        {"name": f.name, "location": f.location, "arrived": f.arrived, "size": f.size,
         "items": _items(tenant, name, f.name)}
        for f in trial.found
    ]  # fmt: skip
    return {key: getattr(trial, key) for key in ("outcome", "message", "new", "known")} | {"files": files}


def _would_be(at: Desk, name: str, config: dict[str, Any] | None) -> Tenant:
    """The tenant with its source as it is, or as an editor would have it."""
    file = at.file()
    if config is None:
        if file.entry("sources", name) is None:
            raise unknown("source", name)
        return file.tenant
    if not at.caller.may(at.tenant, "editor"):
        raise Refused(403, "Not allowed", "To test another configuration needs the role editor.",
                      "Test the source as it is, or ask whoever gives out the roles.")  # fmt: skip
    if config.get("id") != name:
        raise Refused(422, "Another id", f"config.id is not '{name}'.", "Use one id in both.")
    body = put(file.body, file.document, "sources", config)
    after = file.replaced(body, status=422, title="Wrong configuration").tenant
    check_place(after, "sources", name, file.tenant)
    return after


def _items(tenant: Tenant, source: str, name: str) -> list[str]:
    fits = (item for item in tenant.items if not item.match.source or source in item.match.source)
    return [item.id for item in fits if item.match.name and match_name(item.match.name, name)]
