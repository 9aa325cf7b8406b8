"""Who changed what in a tenant's YAML through the API: told before the file changes, and settled after.

A change is `begun`, then the file is replaced, then the change is `done`. If the process is killed in between, the next
one that holds the tenant's lock looks at the file: it holds what was meant (`done`), what it held before (`undone`), or
what somebody has written over it since (`unknown`).

With a change, or with any other request that has an Idempotency-Key, goes its answer: the same request that comes again
gets it, and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KEPT = "30 days"
"""How long the answers to requests with a key are kept."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one source or item.

    Args:
        who: as the token names the caller.
        action: create, change, delete, pause or resume.
        kind / name: sources or items, and the id.
        before / after: the entry of the YAML, None where there is none.
        file_before / file_after: the SHA-256 of the whole file; "" where it stays as it is.
    """

    who: str
    action: str
    kind: str
    name: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    file_before: str = ""
    file_after: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered with."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may come twice.

    Args:
        who / key: the caller, and the Idempotency-Key that is unique to it.
        fingerprint: the SHA-256 of all that the request says.
    """

    who: str
    key: str
    fingerprint: str


class Changes:
    """The changes of one tenant. What writes needs the tenant's lock `config`."""

    def __init__(self, connection: Any, tenant: str) -> None:
        self._connection = connection
        self.tenant = tenant

    def begin(
        self,
        change: Change,
        request: Request | None,
        answer: Answer,
        within: Callable[[Any], None] = lambda cursor: None,
    ) -> int:
        """Tell of a change before it is made; its number.

        Args:
            within: writes what else belongs to the change, with the cursor of the same transaction.
        """
        from psycopg2.extras import Json

        state = "begun" if change.file_after else "done"
        parts = [None if part is None else Json(dict(part)) for part in (change.before, change.after)]
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO ondol.change
                    (tenant, who, action, kind, name, before, after, file_before, file_after, state)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
                (self.tenant, change.who, change.action, change.kind, change.name, *parts, change.file_before,
                 change.file_after, state),
            )  # fmt: skip
            number = int(cursor.fetchone()[0])
            within(cursor)
            self._answer(cursor, request, answer, number)
        return number

    def settle(self, file: str) -> None:
        """Say of each begun change whether it was made.

        Args:
            file: the SHA-256 of the tenant's file as it is.
        """
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                """UPDATE ondol.change SET state = CASE %s WHEN file_after THEN 'done' WHEN file_before THEN 'undone'
                    ELSE 'unknown' END
                WHERE tenant = %s AND state = 'begun'""",
                (file, self.tenant),
            )
            cursor.execute(
                "DELETE FROM ondol.request r USING ondol.change c"
                " WHERE c.id = r.change AND c.state IN ('undone', 'unknown')"
                " AND r.tenant = %s",
                (self.tenant,),
            )
            cursor.execute("DELETE FROM ondol.request WHERE tenant = %s AND at < now() - %s::interval",
                           (self.tenant, KEPT))  # fmt: skip

    def answered(self, request: Request) -> tuple[bool, Answer] | None:
        """The answer that this request had, and whether it was the same request; None if it is new."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT fingerprint, status, body, headers FROM ondol.request"
                " WHERE tenant = %s AND who = %s AND key = %s",
                (self.tenant, request.who, request.key),
            )
            row = cursor.fetchone()
        return (row[0] == request.fingerprint, Answer(row[1], json.loads(row[2]), row[3])) if row else None

    def remember(self, request: Request, answer: Answer) -> None:
        """Keep the answer to a request that changes no file."""
        with self._connection, self._connection.cursor() as cursor:
            self._answer(cursor, request, answer, None)

    def list(self, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """The newest changes, newest first.

        Args:
            before: only those of a lower number.
        """
        from psycopg2.extras import RealDictCursor

        with self._connection, self._connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(
                """SELECT id, at, who, action, kind, name, before, after, state FROM ondol.change
                WHERE tenant = %s AND (%s::bigint IS NULL OR id < %s) ORDER BY id DESC LIMIT %s""",
                (self.tenant, before, before, limit),
            )
            return [dict(row) for row in cursor.fetchall()]

    def _answer(self, cursor: Any, request: Request | None, answer: Answer, number: int | None) -> None:
        from psycopg2.extras import Json

        if request:
            cursor.execute(
                "INSERT INTO ondol.request (tenant, who, key, fingerprint, status, body, headers, change)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (self.tenant, request.who, request.key, request.fingerprint, answer.status,
                 json.dumps(answer.body, ensure_ascii=False), Json(answer.headers), number),
            )  # fmt: skip
