"""What every keeper of secrets can do: tell a tenant's secret by its name."""

from __future__ import annotations

from typing import Protocol


class Secrets(Protocol):
    """Secrets of tenants. A tenant's YAML holds names; a name stands for a secret of that tenant and of no other."""

    def get(self, tenant: str, name: str) -> str | None:
        """The secret's value; None if there is none.

        Raises:
            FatalError: it is there and must not be used: others can read it, or it is no one text.
        """
        ...

    def how(self, tenant: str, name: str) -> str:
        """How a person puts that secret there, for remedies: "set ONDOL_SECRET_…"."""
        ...
