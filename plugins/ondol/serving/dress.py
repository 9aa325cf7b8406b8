"""What a table has besides its rows: comments, indexes and rights to read, made to follow the mart and the YAML."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ondol.errors import Rejected
from ondol.serving.connection import alone
from ondol.serving.names import quote

_COMMENTS = """
    SELECT coalesce(attname, ''), description FROM pg_description
    LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND objsubid > 0
    WHERE classoid = 'pg_class'::regclass AND objoid = %s
"""
_INDEXES = """
    SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = %s AND starts_with(relname, 'ondol_')
"""


def check_roles(cursor: Any, where: str, roles: Sequence[str]) -> None:
    """Rejected if a role is not there, before any row is sent."""
    cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(roles),))
    there = {name for (name,) in cursor.fetchall()}
    if missing := [role for role in roles if role not in there]:
        raise Rejected(
            f"{where}: 'grants' of the sync names the role {missing[0]!r}, which PostgreSQL does not have.",
            f"Correct it in the YAML, or make it: CREATE ROLE {quote(missing[0])}.",
            {"roles": missing},
        )


def set_comments(cursor: Any, table: str, relation: int, wanted: Mapping[str, str]) -> None:
    """Set the comments that differ, of columns and ("") of the table."""
    cursor.execute(_COMMENTS, (relation,))
    have = dict(cursor.fetchall())
    for column, text in wanted.items():
        if have.get(column) != (text or None):
            place = f"COLUMN {table}.{quote(column)}" if column else f"TABLE {table}"
            literal = cursor.mogrify("%s", (text or None,)).decode()
            cursor.execute(f"COMMENT ON {place} IS {literal}")


def set_indexes(cursor: Any, schema: str, table: str, relation: int, wanted: Sequence[Sequence[str]]) -> None:
    """Make the indexes that are missing and drop those of Ondol's that are no longer wanted; others stay.

    Readers go on while an index is made; to drop one, they wait from here to the commit.
    """
    names = {_index_name(table, columns): columns for columns in wanted}
    cursor.execute(_INDEXES, (relation,))
    have = {name for (name,) in cursor.fetchall()}
    for name in sorted(have - set(names)):
        alone(cursor, f"DROP INDEX {quote(schema, name)}")
    for name, columns in names.items():
        if name not in have:
            cursor.execute(f"CREATE INDEX {quote(name)} ON {quote(schema, table)} ({', '.join(map(quote, columns))})")


def _index_name(table: str, columns: Sequence[str]) -> str:
    """A name that says what it is, and is the same for the same columns only."""
    digest = hashlib.sha256("\0".join((table, *columns)).encode()).hexdigest()[:10]
    words = re.sub(r"[^a-z0-9_]", "", "_".join((table, *columns)))[:40]
    return f"ondol_{words}_{digest}"


def set_grants(
    cursor: Any, schema: str, table: str, relation: int, roles: Sequence[str], before: Sequence[str]
) -> None:
    """Let roles read the table, and those no longer that the YAML named before; other rights stay as they are.

    Args:
        before: the roles that the last batch let read it.
    """
    name = quote(schema, table)
    cursor.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
        " AND NOT (has_schema_privilege(oid, %s, 'USAGE') AND has_table_privilege(oid, %s, 'SELECT'))",
        (list(roles), schema, relation),
    )
    for (role,) in cursor.fetchall():
        cursor.execute(
            f"GRANT USAGE ON SCHEMA {quote(schema)} TO {quote(role)}; GRANT SELECT ON {name} TO {quote(role)}"
        )
    gone = [role for role in before if role not in roles]
    cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (gone,))
    for (role,) in cursor.fetchall():
        cursor.execute(f"REVOKE SELECT ON {name} FROM {quote(role)}")
