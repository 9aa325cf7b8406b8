"""The ledger of one tenant for commands that only read or decide: its YAML may be broken, but it must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ondol.ledger.events import Ledger


def open_ledger(tenant: str) -> Ledger:
    """The tenant's ledger; use as a context manager. ConfigError with the nearest name if there is no such tenant."""
    from ondol.config.loader import tenant_path
    from ondol.embedded import database_uri
    from ondol.ledger.events import Ledger
    from ondol.settings import settings

    tenant_path(settings().tenants, tenant)
    return Ledger(database_uri(), tenant)
