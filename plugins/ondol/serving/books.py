"""What the serving database itself remembers of each table: its batches, who else wrote to it, and rejected rows.

    _ondol.batch       one row a sync, in the transaction of its data: the truth of what was synced last
    _ondol.written     one row a statement that wrote to a synced table; a sync takes its own away with what it found
    _ondol.rejected    rows of marts that PostgreSQL cannot hold

A trigger on each synced table notes who writes to it. So a table is known to be as its batch left it without a look at
its rows, and a correction by hand is told with its author before it is put right.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ondol.serving.base import Batch, SyncResult

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

SCHEMA = """
    CREATE SCHEMA IF NOT EXISTS _ondol;
    REVOKE ALL ON SCHEMA _ondol FROM PUBLIC;
    CREATE TABLE IF NOT EXISTS _ondol.batch (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant text NOT NULL,
        "table" text NOT NULL,
        batch_id text NOT NULL,
        inserted bigint NOT NULL,
        updated bigint NOT NULL,
        deleted bigint NOT NULL,
        unchanged bigint NOT NULL,
        rows bigint NOT NULL,
        checksum text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    ALTER TABLE _ondol.batch
        ADD COLUMN IF NOT EXISTS rejected bigint NOT NULL DEFAULT 0,
        ADD COLUMN IF NOT EXISTS "full" boolean NOT NULL DEFAULT true,
        ADD COLUMN IF NOT EXISTS relation oid,
        ADD COLUMN IF NOT EXISTS totals json NOT NULL DEFAULT '{}',
        ADD COLUMN IF NOT EXISTS grants text[] NOT NULL DEFAULT '{}';
    CREATE INDEX IF NOT EXISTS batch_by_table ON _ondol.batch (tenant, "table", id);
    CREATE TABLE IF NOT EXISTS _ondol.written (
        relation oid NOT NULL,
        role text NOT NULL,
        operation text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        xact xid8 NOT NULL DEFAULT pg_current_xact_id()
    );
    CREATE OR REPLACE FUNCTION _ondol.note_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        INSERT INTO _ondol.written (relation, role, operation) VALUES (TG_RELID, session_user, TG_OP);
        RETURN NULL;
    END $$;
    CREATE TABLE IF NOT EXISTS _ondol.rejected (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant text NOT NULL,
        "table" text NOT NULL,
        batch_id text NOT NULL,
        key json NOT NULL,
        "row" json NOT NULL,
        reason text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX IF NOT EXISTS rejected_by_table ON _ondol.rejected (tenant, "table");
    ALTER TABLE _ondol.written ADD COLUMN IF NOT EXISTS xact xid8 NOT NULL DEFAULT pg_current_xact_id();
    CREATE INDEX IF NOT EXISTS written_by_xact ON _ondol.written (relation, xact)
"""
READY = "to_regclass('_ondol.written_by_xact') IS NOT NULL"
_COUNTS = ("inserted", "updated", "deleted", "unchanged", "rows", "checksum", "rejected", '"full"')
_WATCHED = "SELECT FROM pg_trigger WHERE tgrelid = %s AND tgname = 'ondol_watch' AND tgenabled = 'A'"


class Books:
    """The bookkeeping of one table.

    Args:
        cursor: of the transaction that reads or writes the table.
    """

    def __init__(self, cursor: Any, tenant: str, table: str) -> None:
        self._cursor = cursor
        self._of = (tenant, table)

    def last(self) -> Batch | None:
        """The last batch; None if there was none."""
        if not self._one(f"SELECT {READY}"):
            return None
        self._cursor.execute(
            f"SELECT batch_id, at, relation, totals, grants, {', '.join(_COUNTS)} FROM _ondol.batch"
            ' WHERE tenant = %s AND "table" = %s ORDER BY id DESC LIMIT 1',
            self._of,
        )
        if not (row := self._cursor.fetchone()):
            return None
        batch_id, at, relation, totals, grants, *counts = row
        named = dict(zip((name.strip('"') for name in _COUNTS), counts, strict=True))
        return Batch(
            batch_id, at, SyncResult(self._of[1], **named, skipped=False), relation, totals or {}, tuple(grants)
        )

    def add(
        self, batch_id: str, relation: int, result: SyncResult, totals: Mapping[str, int], grants: tuple[str, ...]
    ) -> None:
        """The row of a batch that is about to be committed with its data."""
        counts = [getattr(result, name.strip('"')) for name in _COUNTS]
        self._cursor.execute(
            f'INSERT INTO _ondol.batch (tenant, "table", batch_id, relation, totals, grants, {", ".join(_COUNTS)})'
            f" VALUES (%s, %s, %s, %s, %s, %s{', %s' * len(_COUNTS)})",
            (*self._of, batch_id, relation, json.dumps(dict(totals)), list(grants), *counts),
        )

    def drift(self, last: Batch, relation: int) -> str:
        """Why the table may not be as its last batch left it; "" if it is.

        What was noted up to now is forgotten with the commit, since all of the table is going to be looked at; what is
        noted later stays for the next sync.
        """
        if last.relation is None:
            return ""
        if last.relation != relation:
            return "the table was made anew or restored outside of Ondol"
        if not self._one(f"SELECT EXISTS ({_WATCHED})", relation):
            return "the trigger ondol_watch, which notes who else writes to the table, was removed or disabled"
        self._cursor.execute(
            "WITH noted AS (DELETE FROM _ondol.written WHERE relation = %s RETURNING *)"
            " SELECT role, operation, date_trunc('second', at)::text FROM noted ORDER BY at DESC LIMIT 1",
            (relation,),
        )
        found = self._cursor.fetchone()
        return "{} wrote to the table outside of Ondol ({}, {})".format(*found) if found else ""

    def is_due(self, every: dt.timedelta) -> bool:
        """Whether the last comparison of the whole table is longer ago than that."""
        return bool(
            self._one(
                "SELECT coalesce(max(at) < now() - %s, true) FROM _ondol.batch"
                ' WHERE tenant = %s AND "table" = %s AND "full"',
                every,
                *self._of,
            )
        )

    def watch(self, table: str, relation: int) -> None:
        """Note who else writes to the table from now on, and forget what this transaction wrote.

        Args:
            table: its quoted name.
        """
        if not self._one(f"SELECT EXISTS ({_WATCHED})", relation):
            self._cursor.execute(
                f"CREATE OR REPLACE TRIGGER ondol_watch AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION _ondol.note_write();"
                f" ALTER TABLE {table} ENABLE ALWAYS TRIGGER ondol_watch"
            )
        self._cursor.execute(
            "DELETE FROM _ondol.written WHERE relation = %s AND xact = pg_current_xact_id()", (relation,)
        )

    def _one(self, statement: str, *values: object) -> Any:
        self._cursor.execute(statement, values or None)
        return self._cursor.fetchone()[0]
