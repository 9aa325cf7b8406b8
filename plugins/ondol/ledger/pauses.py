"""Which sources and items of a tenant are paused: crawl leaves out the first, filter keeps back files of the second."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when, by whom and why something is paused."""

    since: dt.datetime
    by: str
    why: str

    def __str__(self) -> str:
        """As in: paused since 2026-01-05 07:00 by kim@example.com (the mailbox moves)."""
        return f"paused since {self.since:%Y-%m-%d %H:%M:%S} by {self.by}" + (f" ({self.why})" if self.why else "")


class Pauses:
    """The pauses of one tenant. A paused id stays paused while the YAML changes, and is free again once it is gone."""

    def __init__(self, connection: Any, tenant: str) -> None:
        self._connection = connection
        self.tenant = tenant

    def of(self, kind: str) -> dict[str, Pause]:
        """What is paused, by id.

        Args:
            kind: sources or items.
        """
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, since, by, why FROM ondol.pause WHERE tenant = %s AND kind = %s", (self.tenant, kind)
            )
            return {name: Pause(*rest) for name, *rest in cursor.fetchall()}

    def set(self, cursor: Any, kind: str, name: str, by: str, why: str) -> None:
        """Pause it, in the cursor's transaction; one that is paused already stays as it is."""
        cursor.execute(
            "INSERT INTO ondol.pause (tenant, kind, name, by, why) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (self.tenant, kind, name, by, why),
        )

    def clear(self, cursor: Any, kind: str, name: str) -> None:
        """Resume it, in the cursor's transaction; nothing happens if it is not paused."""
        cursor.execute(
            "DELETE FROM ondol.pause WHERE tenant = %s AND kind = %s AND name = %s", (self.tenant, kind, name)
        )
