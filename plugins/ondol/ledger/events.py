"""The ledger of one tenant: what happened to every file, in PostgreSQL, told once however often a stage is run.

A Ledger is bound to its tenant; no method takes or gives another's.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ondol.errors import FatalError, RetriableError
from ondol.faults import point
from ondol.ledger.changes import Changes
from ondol.ledger.collected import CollectedFiles, Receipt
from ondol.ledger.collections import Collections
from ondol.ledger.pauses import Pauses
from ondol.ledger.quarantine import Quarantine
from ondol.ledger.schema import migrate
from ondol.manifest import Entry

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a stage did to a file, or (with no entry) to the tenant's tables.

    Args:
        decision: one word: stored, recognised, duplicate, loaded, quarantined …
        reason: why, for a person.
        rules: the hash of the item's rules that applied.
    """

    stage: str
    decision: str
    entry: Entry | None = None
    name: str = ""
    reason: str = ""
    rules: str = ""
    detail: dict[str, object] = field(default_factory=dict)


class Ledger:
    """The history of one tenant's files; use as a context manager, which closes the connection."""

    def __init__(self, uri: str, tenant: str) -> None:
        self.tenant = tenant
        self._connection = connect(uri)
        migrate(self._connection)
        self.quarantine = Quarantine(self._connection, tenant)
        self.pauses = Pauses(self._connection, tenant)
        self.changes = Changes(self._connection, tenant)
        self.collections = Collections(self._connection, tenant)
        self.collected = CollectedFiles(self._connection, tenant)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def record(self, run_key: str, events: Iterable[Event]) -> None:
        """Append the events that are not yet told, in one transaction."""
        from psycopg2.extras import execute_values

        if rows := [self._row(run_key, event) for event in events]:
            point("ledger:before")
            with self._connection, self._connection.cursor() as cursor:
                execute_values(cursor, _INSERT, rows, page_size=1000)
            point("ledger:after")

    def collect(
        self, run_key: str, source: str, receipts: Sequence[Receipt], events: Iterable[Event], cursor: str | None = None
    ) -> None:
        """Note what was taken from a source, the events that tell of it, and its new cursor, in one transaction.

        Args:
            cursor: from where the source may be listed next; None leaves it where it is.
        """
        from psycopg2.extras import execute_values

        rows = [self._row(run_key, event) for event in events]
        if not rows and not receipts and cursor is None:
            return
        point("ledger:collect:before")
        with self._connection, self._connection.cursor() as at:
            self.collected.write(at, run_key, source, receipts, cursor)
            if rows:
                execute_values(at, _INSERT, rows, page_size=1000)
        point("ledger:collect:after")

    def current(self, items: Iterable[str]) -> dict[tuple[str, dt.date, dt.date, str], dict[str, Any]]:
        """The newest version that was loaded of each slot of these items, by (item, period start, end, part)."""
        rows = self._fetch(
            """SELECT DISTINCT ON (item, period_start, period_end, part)
                   item, period_start, period_end, part, sha256, rules, name, arrived, run_key
            FROM ondol.event
            WHERE tenant = %s AND stage = 'load' AND decision IN ('loaded', 'unchanged') AND item = ANY(%s)
            ORDER BY item, period_start, period_end, part, arrived DESC,
                regexp_replace(name, '\\.[^.]*$', '') COLLATE "C" DESC, sha256 COLLATE "C" DESC, id DESC""",
            (self.tenant, sorted(set(items))),
        )
        return {(r["item"], r["period_start"], r["period_end"], r["part"]): r for r in rows}

    def kept_back(self) -> list[Entry]:
        """The files that filter last decided to keep back because their item was paused, oldest first."""
        rows = self._fetch(
            """SELECT * FROM (
                SELECT DISTINCT ON (sha256, name) id, sha256, name, source, location, arrived, item, decision, detail
                FROM ondol.event
                WHERE tenant = %s AND stage = 'filter' AND sha256 IN (
                    SELECT sha256 FROM ondol.event WHERE tenant = %s AND stage = 'filter' AND decision = 'paused')
                ORDER BY sha256, name, id DESC) AS last
            WHERE decision = 'paused' ORDER BY id""",
            (self.tenant, self.tenant),
        )
        return [
            Entry(sha256=r["sha256"], name=r["name"], size=r["detail"]["size"], source=r["source"],
                  location=r["location"], arrived=r["arrived"], item=r["item"])
            for r in rows
        ]  # fmt: skip

    def recognised(self, contents: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The first map event of each content that an item recognised, by sha256."""
        rows = self._fetch(
            "SELECT DISTINCT ON (sha256) sha256, name, item, period_start, period_end, part FROM ondol.event "
            "WHERE tenant = %s AND stage = 'map' AND decision = 'recognised' AND sha256 = ANY(%s) ORDER BY sha256, id",
            (self.tenant, list(contents)),
        )
        return {row["sha256"]: row for row in rows}

    def history(
        self,
        *,
        name: str | None = None,
        sha256: str | None = None,
        run_key: str | None = None,
        stage: str | None = None,
        item: str | None = None,
        before: int | None = None,
        limit: int = 200,
    ) -> list[dict[str, Any]]:
        """The newest events, newest last; `name` is a substring, `sha256` a prefix, `before` an event's id."""
        where: list[str] = ["tenant = %s"]
        values: list[object] = [self.tenant]
        for clause, value in (
            ("name ILIKE %s", f"%{_like(name)}%" if name else None),
            ("sha256 LIKE %s", f"{_like(sha256)}%" if sha256 else None),
            ("run_key = %s", run_key),
            ("stage = %s", stage),
            ("item = %s", item),
            ("id < %s", before),
        ):
            if value is not None:
                where.append(clause)
                values.append(value)
        rows = self._fetch(
            "SELECT id, at, run_key, stage, sha256, name, source, location, arrived, item, period_start, period_end, "
            f"part, rules, decision, reason, detail FROM ondol.event WHERE {' AND '.join(where)} "
            "ORDER BY id DESC LIMIT %s",
            (*values, limit),
        )
        return rows[::-1]

    @contextlib.contextmanager
    def exclusive(self, what: str = "write", wait: dt.timedelta = dt.timedelta(hours=1)) -> Iterator[None]:
        """Hold one of this tenant's locks: stages that write the warehouse or the marts run one at a time.

        The lock ends with the connection, so a killed holder frees it.

        Raises:
            RetriableError: another run has held it for all of `wait`.
        """
        key = ("SELECT hashtextextended(%s, 0)", (f"ondol.{self.tenant}:{what}",))
        with self._connection.cursor() as cursor:
            cursor.execute(*key)
            number = cursor.fetchone()[0]
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (number,))
            got = cursor.fetchone()[0]
            self._connection.commit()
            if not got:
                log.warning("another run holds '%s': waiting for it tenant=%s", what, self.tenant)
                self._wait_for_lock(cursor, number, wait)
            try:
                yield
            finally:
                self._connection.rollback()
                cursor.execute("SELECT pg_advisory_unlock(%s)", (number,))
                self._connection.commit()

    def _wait_for_lock(self, cursor: Any, number: int, wait: dt.timedelta) -> None:
        import psycopg2

        cursor.execute("SELECT set_config('lock_timeout', %s, true)", (f"{int(wait.total_seconds() * 1000)}ms",))
        try:
            cursor.execute("SELECT pg_advisory_lock(%s)", (number,))
        except psycopg2.errors.LockNotAvailable:
            self._connection.rollback()
            raise RetriableError(
                f"another run of tenant {self.tenant} has held its lock for {wait}: "
                "wait for it, or end it, and run again"
            ) from None
        self._connection.commit()

    def _row(self, run_key: str, event: Event) -> tuple[object, ...]:
        from psycopg2.extras import Json

        e = event.entry
        file = (
            (e.sha256, e.name, e.source, e.location, e.arrived, e.item or "")
            if e
            else ("", event.name, "", "", None, "")
        )
        period = (e.period.start, e.period.end) if e and e.period else (None, None)
        return (
            self.tenant,
            run_key,
            event.stage,
            *file,
            *period,
            e.part if e else "",
            event.rules,
            event.decision,
            event.reason,
            Json(event.detail),
        )

    def _fetch(self, sql: str, values: tuple[object, ...]) -> list[dict[str, Any]]:
        from psycopg2.extras import RealDictCursor

        with self._connection, self._connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(sql, values)
            return [dict(row) for row in cursor.fetchall()]


_INSERT = """INSERT INTO ondol.event (tenant, run_key, stage, sha256, name, source, location, arrived, item,
    period_start, period_end, part, rules, decision, reason, detail) VALUES %s ON CONFLICT DO NOTHING"""


def connect(uri: str) -> Any:
    """A connection to the ledger's database; RetriableError without the URI's secrets if it does not answer."""
    import psycopg2

    try:
        psycopg2.extensions.parse_dsn(uri)
    except psycopg2.ProgrammingError:
        raise FatalError(
            "ONDOL_DATABASE is no libpq URI: write postgresql://user:password@host:5432/database"
        ) from None
    try:
        return psycopg2.connect(uri, application_name="ondol")
    except psycopg2.OperationalError as error:
        host = psycopg2.extensions.parse_dsn(uri).get("host", "localhost")
        first = str(error).strip().splitlines()[0]
        raise RetriableError(
            f"the ledger's PostgreSQL at {host} does not answer: {first}. Is it up? See ONDOL_DATABASE"
        ) from None


def _like(text: str | None) -> str:
    return (text or "").replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
