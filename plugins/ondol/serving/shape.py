"""The shape of a table in PostgreSQL: what it is, what a mart needs it to be, and the statements between the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ondol.errors import Rejected
from ondol.serving.names import quote
from ondol.serving.types import holder, pg_type

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
_KEY = """
    SELECT attname FROM pg_index, unnest(indkey) WITH ORDINALITY AS part(number, place), pg_attribute
    WHERE indrelid = %s AND indisprimary AND attrelid = indrelid AND attnum = number ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as PostgreSQL's catalog has it.

    Args:
        name: quoted, with its schema.
        relation: PostgreSQL's own number of it.
        types: the type of each column.
        key: the columns of the primary key.
    """

    name: str
    relation: int
    types: dict[str, str]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a table becomes for a mart.

    Args:
        types: every column of the mart, with the type that it has in PostgreSQL afterwards.
        added / widened: those of them that the table lacks, or has in a narrower type.
    """

    types: dict[str, str]
    added: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()


def read_shape(cursor: Any, name: str) -> Shape | None:
    """The table of a quoted name; None if there is none.

    Raises:
        Rejected: it is no ordinary table.
    """
    cursor.execute("SELECT oid, relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass(%s)", (name,))
    if not (found := cursor.fetchone()):
        return None
    oid, is_table = found
    if not is_table:
        raise Rejected(
            f"{name} in PostgreSQL is no table, but a view or the like.",
            "Rename it or the mart: a sync writes only to tables.",
        )
    cursor.execute(_COLUMNS, (oid,))
    types = dict(cursor.fetchall())
    cursor.execute(_KEY, (oid,))
    return Shape(name, oid, types, tuple(column for (column,) in cursor.fetchall()))


def new_table(schema: pa.Schema) -> Change:
    """The columns of a table that is yet to be made."""
    return Change({field.name: pg_type(field.type, field.name) for field in schema})


def change(shape: Shape, schema: pa.Schema, key: Sequence[str]) -> Change:
    """What must be added to a table, or widened in it, before it can hold a mart.

    Raises:
        Rejected: it takes more than that; the remedy says what.
    """
    if shape.key != tuple(key):
        raise Rejected(
            f"{shape.name} has the primary key {shape.key or 'none'}, but the mart's key is {tuple(key)}.",
            "Correct 'key' of the sync in the tenant's YAML, or alter the primary key in PostgreSQL.",
        )
    if missing := [column for column in shape.types if column not in schema.names]:
        raise Rejected(
            f"{shape.name} has the columns {missing}, which the mart does not have any more.",
            "Put them back into the mart, or drop them: "
            + "; ".join(f"ALTER TABLE {shape.name} DROP COLUMN {quote(column)}" for column in missing),
            {"columns": missing},
        )
    types = {field.name: _type(shape, field) for field in schema}
    return Change(
        types,
        added=tuple(column for column in types if column not in shape.types),
        widened=tuple(column for column in types if shape.types.get(column, types[column]) != types[column]),
    )


def fits(shape: Shape, schema: pa.Schema, key: Sequence[str]) -> bool:
    """Whether a table can hold a mart as it is.

    Raises:
        Rejected: nor can it be made to.
    """
    needed = change(shape, schema, key)
    return not (needed.added or needed.widened)


def _type(shape: Shape, field: pa.Field) -> str:
    want = pg_type(field.type, field.name)
    have = shape.types.get(field.name, want)
    if held := holder(have, want):
        return held
    raise Rejected(
        f"column '{field.name}' of {shape.name} is {have} in PostgreSQL, but {want} in the mart; "
        "no type holds both without loss.",
        f"Cast it to {have} in the mart, or convert it in PostgreSQL: "
        f"ALTER TABLE {shape.name} ALTER COLUMN {quote(field.name)} TYPE {want} USING …",
        {"column": field.name, "mart": want, "postgresql": have},
    )


def columns_sql(types: Mapping[str, str], key: Sequence[str] = ()) -> str:
    """The columns of a CREATE TABLE."""
    return ", ".join(f"{quote(column)} {pg}{' NOT NULL' * (column in key)}" for column, pg in types.items())


def alter_sql(name: str, change: Change) -> str | None:
    """The ALTER TABLE that makes a change; None if there is nothing to change."""
    actions = [f"ADD COLUMN {quote(column)} {change.types[column]}" for column in change.added]
    actions += [f"ALTER COLUMN {quote(column)} TYPE {change.types[column]}" for column in change.widened]
    return f"ALTER TABLE {name} {', '.join(actions)}" if actions else None
