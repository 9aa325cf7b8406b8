"""sync-now: one table of one tenant, made equal to its mart while the caller waits."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from ondol.api.desk import Desk, desk
from ondol.api.models import Synced, SyncRequest
from ondol.api.openapi import errors
from ondol.api.problems import Refused, unknown
from ondol.errors import Rejected

log = logging.getLogger(__name__)

Operating = Annotated[Desk, Depends(desk("operator"))]
Table = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="A table of the tenant's sync.")]

router = APIRouter()


@router.post("/v1/tenants/{tenant}/sync/{table}", tags=["sync"], response_model=Synced,
             responses=errors(401, 403, 404, 409, 413, 422))  # fmt: skip
def sync_now(at: Operating, table: Table, given: SyncRequest | None = None) -> Any:
    """Bring the mart up to date from what is loaded, and what changed in it to PostgreSQL, in one transaction.

    It may be repeated at will: a table that is equal to its mart stays as it is.
    """
    from ondol.pipeline import sync_table

    asked, tenant = given or SyncRequest(), at.file().tenant
    if table not in (spec.table for spec in tenant.sync):
        raise unknown("table", table)
    try:
        result = sync_table(tenant, table, dry_run=asked.dry_run, full=asked.full, accept=asked.accept)
    except Rejected as rejected:
        raise Refused(409, "Not synced", rejected.reason, rejected.remedy) from rejected
    log.info("synced by %s tenant=%s table=%s dry_run=%s accept=%s",
             at.caller.who, tenant.tenant, table, asked.dry_run, asked.accept)  # fmt: skip
    return {name: getattr(result, name) for name in Synced.model_fields if name != "samples"} | {
        "samples": [{"before": sample.before, "after": sample.after} for sample in result.samples]
    }
