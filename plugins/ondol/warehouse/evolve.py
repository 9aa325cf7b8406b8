"""How a DuckDB table comes by the columns that a file brings: made, widened, never narrowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ondol.errors import FatalError
from ondol.warehouse.duckdb import columns_of, first, quoted, tables_of

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

TYPES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "int32": "INTEGER",
    "double": "DOUBLE",
    "decimal128(38, 9)": "DECIMAL(38,9)",
    "date32[day]": "DATE",
    "bool": "BOOLEAN",
    "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE",
}
WIDENS = {("BIGINT", "DECIMAL(38,9)"), ("BIGINT", "DOUBLE")}


def duckdb_types(schema: pa.Schema, table: str) -> dict[str, str]:
    """The DuckDB type of each column of a tidy schema."""
    for field in schema:
        if str(field.type) not in TYPES:
            raise FatalError(
                f"{table}.{field.name} is of Arrow type {field.type}; a tidy table may have {sorted(TYPES)}"
            )
    return {field.name: TYPES[str(field.type)] for field in schema}


def fit(connection: DuckDBPyConnection, schema: str, table: str, wanted: Mapping[str, str]) -> None:
    """Make the table, or widen it by the columns and the types that are asked for.

    Raises:
        FatalError: a column's type differs and cannot be widened without changing what is there.
    """
    target = f"{quoted(schema)}.{quoted(table)}"
    if table not in tables_of(connection, schema):
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in wanted.items())
        connection.execute(f"CREATE TABLE {target} ({columns})")
        return
    present = dict(columns_of(connection, schema, table))
    for name, kind in wanted.items():
        if name not in present:
            connection.execute(f"ALTER TABLE {target} ADD COLUMN {quoted(name)} {kind}")
        elif (present[name], kind) in WIDENS or (present[name] != kind and is_empty(connection, target)):
            connection.execute(f"ALTER TABLE {target} ALTER {quoted(name)} TYPE {kind}")
        elif present[name] != kind and (kind, present[name]) not in WIDENS:
            raise FatalError(
                f"{table}.{name} is {present[name]} in the warehouse and holds rows, but the rule now says {kind}. "
                "Give the column another name, or the item another `table`, and run its periods again: "
                "an item that moves takes its rows along."
            )


def is_empty(connection: DuckDBPyConnection, target: str) -> bool:
    """Whether a table, by its quoted name, has no row."""
    return first(connection, f"SELECT 1 FROM {target} LIMIT 1") is None
