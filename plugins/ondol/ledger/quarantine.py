"""Quarantine: what a stage refused, why, with the evidence, until a person releases or drops it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ondol.errors import FatalError, Rejected
from ondol.faults import point
from ondol.manifest import Entry


class Quarantine:
    """The quarantine of one tenant. A refusal is held once per stage, content, name and rules."""

    def __init__(self, connection: Any, tenant: str) -> None:
        self._connection = connection
        self.tenant = tenant

    def hold(self, run_key: str, stage: str, entry: Entry, rules: str, rejected: Rejected) -> None:
        """Put a file into quarantine; a released one that is refused again is held again."""
        self._hold(run_key, stage, (entry.sha256, entry.name, rules), entry.model_dump(mode="json"), rejected)

    def hold_assertion(self, run_key: str, name: str, rejected: Rejected) -> None:
        """Put a failed assertion into quarantine, with the rows that it found."""
        self._hold(run_key, "transform", ("", name, ""), {}, rejected)

    def asserted(self, still_open: Iterable[str]) -> None:
        """Close every assertion but these: it holds now, or is stated no more."""
        self._update(
            "state = 'passed', resolved_at = clock_timestamp()",
            "stage = 'transform' AND state = 'held' AND name <> ALL(%s)",
            (sorted(still_open),),
        )

    def _hold(
        self, run_key: str, stage: str, named: tuple[str, str, str], entry: dict[str, Any], rejected: Rejected
    ) -> None:
        from psycopg2.extras import Json

        sha256, name, rules = named
        point("quarantine:before")
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO ondol.quarantine
                    (tenant, run_key, stage, sha256, name, rules, entry, reason, remedy, evidence)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (tenant, stage, sha256, name, rules) DO UPDATE
                SET state = 'held', reason = EXCLUDED.reason, remedy = EXCLUDED.remedy, evidence = EXCLUDED.evidence,
                    resolved_at = NULL
                WHERE quarantine.state <> 'dropped'""",
                (
                    *(self.tenant, run_key, stage, sha256, name, rules),
                    *(Json(entry), rejected.reason, rejected.remedy, Json(rejected.evidence)),
                ),
            )
            cursor.execute(
                """UPDATE ondol.quarantine SET state = 'passed', note = 'refused again by newer rules',
                    resolved_at = clock_timestamp()
                WHERE tenant = %s AND sha256 = %s AND name = %s AND stage = %s AND rules <> %s AND state = 'held'""",
                (self.tenant, sha256, name, stage, rules),
            )
        point("quarantine:after")

    def passed(self, contents: Iterable[str]) -> None:
        """Close what was refused earlier of contents that are loaded now."""
        self._update(
            "state = 'passed', resolved_at = clock_timestamp()",
            "sha256 = ANY(%s) AND state IN ('held', 'released')",
            (list(contents),),
        )

    def fetched(self, source: str, locations: Iterable[str]) -> None:
        """Close what crawl could not fetch earlier and has fetched now."""
        if there := list(locations):
            self._update(
                "state = 'passed', resolved_at = clock_timestamp(), note = 'it was collected since'",
                "stage = 'crawl' AND sha256 = '' AND state IN ('held', 'released') AND entry->>'source' = %s "
                "AND entry->>'location' = ANY(%s)",
                (source, there),
            )

    def superseded(self, entry: Entry) -> None:
        """Close what is held of the same item, period and part and is older than a version that is loaded now."""
        assert entry.period
        span = (str(entry.period.start), str(entry.period.end))
        self._update(
            "state = 'passed', resolved_at = clock_timestamp(), note = %s",
            "state = 'held' AND entry->>'item' = %s AND entry->>'part' = %s AND entry->'period'->>'start' = %s "
            "AND entry->'period'->>'end' = %s AND (entry->>'arrived')::timestamptz < %s",
            (f"'{entry.name}' replaced it", entry.item, entry.part, *span, entry.arrived),
        )

    def of(self, contents: Iterable[str]) -> list[dict[str, Any]]:
        """All that was ever refused of these contents, oldest first."""
        return self._fetch("sha256 = ANY(%s)", (list(contents),))

    def released(self) -> list[dict[str, Any]]:
        """What a person released and no run has taken up to its end yet."""
        return self._fetch("state = 'released'", ())

    def entries(self, state: str | None = "held", run_key: str | None = None) -> list[dict[str, Any]]:
        """The quarantine, oldest first; all states if None."""
        return self._fetch(
            "(%s::text IS NULL OR state = %s) AND (%s::text IS NULL OR run_key = %s)", (state, state, run_key, run_key)
        )

    def show(self, number: int) -> dict[str, Any]:
        """One entry with its evidence; FatalError if this tenant has none of that number."""
        if found := self._fetch("id = %s", (number,)):
            return found[0]
        raise FatalError(
            f"tenant {self.tenant} has nothing in quarantine under number {number}: see 'ondol quarantine list'"
        )

    def release(self, number: int, *, accept: bool = False, item: str = "", note: str = "") -> dict[str, Any]:
        """Let the next run take the file up again.

        Args:
            accept: load it in spite of the broken contract, or of the rows that it lacks.
            item: take it as this item, whatever its name says.
            note: why, for the history.
        """
        if accept and (stage := self.show(number)["stage"]) not in ("tag", "load"):
            raise FatalError(
                f"number {number} was refused by {stage}, not for a broken contract: --accept cannot help. "
                "Mend the file or the rules and release it without, release it as an item, or drop it"
            )
        self._move(
            number,
            ("held", "released"),
            "state = 'released', accept = %s, as_item = %s, note = %s, resolved_at = NULL",
            (accept, item, note),
        )
        return self.show(number)

    def drop(self, number: int, note: str = "") -> dict[str, Any]:
        """Never process this content under this name and these rules."""
        self._move(
            number, ("held", "released"), "state = 'dropped', note = %s, resolved_at = clock_timestamp()", (note,)
        )
        return self.show(number)

    def _move(self, number: int, states: tuple[str, ...], change: str, values: tuple[object, ...]) -> None:
        entry = self.show(number)
        if entry["stage"] == "transform":
            raise FatalError(
                f"number {number} is the assertion '{entry['name']}': it is neither released nor dropped. "
                "Correct the files or the model; the next run closes it"
            )
        now = entry["state"]
        if now not in states:
            raise FatalError(f"number {number} is {now} already: only {' or '.join(states)} can be changed")
        self._update(change, "id = %s", (*values, number))

    def _update(self, change: str, where: str, values: tuple[object, ...]) -> None:
        values, condition = values[: change.count("%s")], values[change.count("%s") :]
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE ondol.quarantine SET {change} WHERE tenant = %s AND {where}",
                (*values, self.tenant, *condition),
            )

    def _fetch(self, where: str, values: tuple[object, ...]) -> list[dict[str, Any]]:
        from psycopg2.extras import RealDictCursor

        with self._connection, self._connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(
                f"SELECT * FROM ondol.quarantine WHERE tenant = %s AND {where} ORDER BY id", (self.tenant, *values)
            )
            return [dict(row) for row in cursor.fetchall()]
