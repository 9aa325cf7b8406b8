"""Column types: from Arrow to BigQuery for tidy tables, and BigQuery's two spellings as one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ondol.errors import FatalError
from ondol.warehouse.bigquery.sql import quoted

if TYPE_CHECKING:
    import pyarrow as pa
    from google.cloud.bigquery import SchemaField

TIDY = {
    "string": "STRING",
    "int64": "INT64",
    "int32": "INT64",
    "double": "FLOAT64",
    "decimal128(38, 9)": "NUMERIC",
    "date32[day]": "DATE",
    "bool": "BOOL",
    "timestamp[us, tz=UTC]": "TIMESTAMP",
}
WIDENS = {("INT64", "NUMERIC"), ("INT64", "FLOAT64")}
LEGACY = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
SCALARS: dict[type, str] = {
    bool: "BOOL",
    int: "INT64",
    float: "FLOAT64",
    str: "STRING",
    bytes: "BYTES",
    Decimal: "NUMERIC",
    dt.datetime: "TIMESTAMP",
    dt.date: "DATE",
}


def tidy_types(schema: pa.Schema, table: str) -> dict[str, str]:
    """BigQuery's type of each column of a tidy schema; FatalError for a type or a name that it has not."""
    for field in schema:
        quoted(field.name)
        if str(field.type) not in TIDY:
            raise FatalError(
                f"{table}.{field.name} is of Arrow type {field.type}; a tidy table may have {sorted(TIDY)}"
            )
    return {field.name: TIDY[str(field.type)] for field in schema}


def standard(field: SchemaField) -> str:
    """The type in standard SQL, however the API spells it."""
    kind = LEGACY.get(field.field_type, field.field_type)
    if kind == "STRUCT":
        kind = f"STRUCT<{', '.join(f'{part.name} {standard(part)}' for part in field.fields)}>"
    return f"ARRAY<{kind}>" if field.mode == "REPEATED" else str(kind)


def parameter(name: str | None, value: Any) -> Any:
    """A query parameter of the type that the Python value says; None is a STRING."""
    from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ArrayQueryParameter(name, _type(value[0]) if value else "STRING", list(value))
    return ScalarQueryParameter(name, _type(value), value)


def _type(value: object) -> str:
    return "STRING" if value is None else SCALARS[type(value)]
