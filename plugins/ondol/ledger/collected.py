"""What was collected from each source, and how far: the truth that "new" is measured by.

A file is known by its source, location and version. Its row, the events that tell of it and the source's cursor are
written in one transaction: there is no moment at which one of them is ahead of the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ondol.faults import point
from ondol.manifest import Entry


@dataclass(frozen=True, slots=True)
class Receipt:
    """One file that was taken from a source, or refused.

    Args:
        entry: the raw file as crawl hands it on; its sha256 is empty if the file was refused.
        version / handle: as the source told them.
        tidied: nothing is left to do at the source.
    """

    entry: Entry
    version: str
    handle: str
    tidied: bool


class CollectedFiles:
    """The collected files of one tenant, and the cursors of its sources."""

    def __init__(self, connection: Any, tenant: str) -> None:
        self._connection = connection
        self.tenant = tenant

    def cursor(self, source: str) -> str:
        """From where the source may be listed, as its connector said last; empty at first."""
        rows = self._fetch("SELECT value FROM ondol.cursor WHERE tenant = %s AND source = %s", (self.tenant, source))
        return str(rows[0][0]) if rows else ""

    def known(self, source: str, files: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these (location, version) that are collected. What was refused is not: it may be right now."""
        keys = {_key(*file): file for file in files}
        rows = self._fetch(
            """SELECT c.key FROM unnest(%s::bytea[]) AS asked(key)
            JOIN ondol.collected c ON c.tenant = %s AND c.source = %s AND c.key = asked.key AND c.sha256 <> ''""",
            (list(keys), self.tenant, source),
        )
        return {keys[bytes(key)] for (key,) in rows}

    def of_run(self, run_key: str, source: str) -> list[Entry]:
        """What a run has collected from a source so far."""
        rows = self._fetch(
            "SELECT sha256, name, size, source, location, arrived FROM ondol.collected "
            "WHERE tenant = %s AND run_key = %s AND source = %s AND sha256 <> ''",
            (self.tenant, run_key, source),
        )
        return [Entry(**dict(zip(_ENTRY, row, strict=True))) for row in rows]

    def untidied(self, source: str, limit: int = 1000) -> list[Receipt]:
        """What is collected and still to be tidied up at the source, oldest first."""
        rows = self._fetch(
            "SELECT version, handle, sha256, name, size, source, location, arrived FROM ondol.collected "
            "WHERE tenant = %s AND source = %s AND NOT tidied ORDER BY at, key LIMIT %s",
            (self.tenant, source, limit),
        )
        return [
            Receipt(Entry(**dict(zip(_ENTRY, rest, strict=True))), version, _text(handle), False)
            for version, handle, *rest in rows
        ]

    def refused(self, source: str, location: str) -> Receipt | None:
        """A file that was refused before it was stored, newest version, as it takes to fetch it again."""
        rows = self._fetch(
            "SELECT version, handle, sha256, name, size, source, location, arrived FROM ondol.collected "
            "WHERE tenant = %s AND source = %s AND location = %s AND sha256 = '' ORDER BY at DESC LIMIT 1",
            (self.tenant, source, location),
        )
        for version, handle, *rest in rows:
            return Receipt(Entry(**dict(zip(_ENTRY, rest, strict=True))), version, _text(handle), False)
        return None

    def write(self, cursor: Any, run_key: str, source: str, receipts: Iterable[Receipt], moved_to: str | None) -> None:
        """Note files and the source's new cursor (None: it stays) inside the caller's transaction."""
        from psycopg2.extras import execute_values

        rows = {_key(r.entry.location, r.version): self._row(run_key, r) for r in receipts}
        if rows:
            execute_values(cursor, _INSERT, list(rows.values()), page_size=1000)
        if moved_to is not None:
            cursor.execute(
                """INSERT INTO ondol.cursor (tenant, source, value) VALUES (%s, %s, %s)
                ON CONFLICT (tenant, source) DO UPDATE SET value = EXCLUDED.value, at = clock_timestamp()""",
                (self.tenant, source, moved_to),
            )

    def tidied(self, source: str, receipts: Iterable[Receipt]) -> None:
        """Note that nothing is left to do at the source for these."""
        keys = [_key(r.entry.location, r.version) for r in receipts]
        point("ledger:tidied:before")
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE ondol.collected SET tidied = true WHERE tenant = %s AND source = %s AND key = ANY(%s)",
                (self.tenant, source, keys),
            )
        point("ledger:tidied:after")

    def _row(self, run_key: str, receipt: Receipt) -> tuple[object, ...]:
        e = receipt.entry
        key, handle = _key(e.location, receipt.version), receipt.handle.encode("utf-8", "surrogateescape")
        return (self.tenant, e.source, key, e.location, receipt.version, handle, run_key, e.sha256, e.name, e.size,
                e.arrived, receipt.tidied)  # fmt: skip

    def _fetch(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())


_ENTRY = ("sha256", "name", "size", "source", "location", "arrived")
_INSERT = """INSERT INTO ondol.collected
    (tenant, source, key, location, version, handle, run_key, sha256, name, size, arrived, tidied) VALUES %s
    ON CONFLICT (tenant, source, key) DO UPDATE SET sha256 = EXCLUDED.sha256, run_key = EXCLUDED.run_key,
        size = EXCLUDED.size, arrived = EXCLUDED.arrived, tidied = EXCLUDED.tidied, at = clock_timestamp()
    WHERE collected.sha256 = ''"""


def _key(location: str, version: str) -> bytes:
    """32 bytes for any location and version: a path may be longer than an index entry."""
    return hashlib.sha256(f"{location}\0{version}".encode("utf-8", "surrogateescape")).digest()


def _text(handle: Any) -> str:
    return bytes(handle).decode("utf-8", "surrogateescape")
