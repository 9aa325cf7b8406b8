"""What people asked to be collected now, for a service that runs the stages itself: asked, running, done or failed."""

from __future__ import annotations

import datetime as dt
from typing import Any

_COLUMNS = "id, who, date, items, state, reason, counts, at, ended"


class Collections:
    """The collections of one tenant."""

    def __init__(self, connection: Any, tenant: str) -> None:
        self._connection = connection
        self.tenant = tenant

    def ask(self, number: str, who: str, date: dt.date, items: tuple[str, ...]) -> None:
        """Ask for one; the same number asks once."""
        self._execute(
            "INSERT INTO ondol.collection (tenant, id, who, date, items) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (self.tenant, number, who, date, list(items)),
        )

    def show(self, number: str) -> dict[str, Any] | None:
        """One collection; None if this tenant has none of that number."""
        found = self._fetch("tenant = %s AND id = %s", (self.tenant, number))
        return found[0] if found else None

    def unfinished(self) -> list[dict[str, Any]]:
        """What was asked for and has not ended, oldest first."""
        return self._fetch("tenant = %s AND state IN ('asked', 'running')", (self.tenant,))

    def running(self, number: str) -> None:
        """It begins."""
        self._execute(
            "UPDATE ondol.collection SET state = 'running' WHERE tenant = %s AND id = %s", (self.tenant, number)
        )

    def ended(self, number: str, counts: dict[str, dict[str, int]] | None = None, reason: str = "") -> None:
        """It is done; or failed, with the reason."""
        from psycopg2.extras import Json

        self._execute(
            "UPDATE ondol.collection SET state = %s, reason = %s, counts = %s, ended = clock_timestamp()"
            " WHERE tenant = %s AND id = %s",
            ("failed" if reason else "done", reason, Json(counts or {}), self.tenant, number),
        )

    def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(statement, values)

    def _fetch(self, where: str, values: tuple[object, ...]) -> list[dict[str, Any]]:
        from psycopg2.extras import RealDictCursor

        with self._connection, self._connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(f"SELECT {_COLUMNS} FROM ondol.collection WHERE {where} ORDER BY at", values)
            return [dict(row) for row in cursor.fetchall()]
