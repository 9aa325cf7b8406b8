"""How Arrow's types map to PostgreSQL's, without loss, and which PostgreSQL type holds two of them.

PostgreSQL types are written as its format_type() writes them: 'numeric(18,2)', 'timestamp with time zone', 'text[]'.
Source: PostgreSQL 18 documentation, chapter 8; Arrow columnar format, "Data types".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ondol.errors import Rejected

if TYPE_CHECKING:
    import pyarrow as pa

_SIMPLE = {
    "bool": "boolean",
    "int8": "smallint",
    "uint8": "smallint",
    "int16": "smallint",
    "uint16": "integer",
    "int32": "integer",
    "uint32": "bigint",
    "int64": "bigint",
    "uint64": "numeric(20,0)",
    "halffloat": "real",
    "float": "real",
    "double": "double precision",
    "string": "text",
    "large_string": "text",
    "string_view": "text",
    "binary": "bytea",
    "large_binary": "bytea",
    "binary_view": "bytea",
    "date32[day]": "date",
    "date64[ms]": "date",
    "month_day_nano_interval": "interval",
    "extension<arrow.bool8>": "boolean",
    "extension<arrow.uuid>": "uuid",
    "extension<arrow.json>": "jsonb",
}
_WIRE = {
    "boolean": "bool",
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "real": "float",
    "double precision": "double",
    "text": "string",
    "jsonb": "string",
    "bytea": "binary",
    "date": "date32",
    "time without time zone": "time64[us]",
    "timestamp without time zone": "timestamp[us]",
}
_NO_ARRAYS = {"timestamp with time zone", "uuid", "jsonb", "interval"}
"""Arrays carry the type of their elements, and pgpq knows none for these: a list of them becomes jsonb."""

_DIGITS = {"smallint": (5, 0), "integer": (10, 0), "bigint": (19, 0)}
_WIDE = re.compile(r"^extension<arrow\.opaque\[.*type_name=(u?)hugeint, vendor_name=DuckDB\]>$")
"""DuckDB's whole numbers of 128 bits, which its sums of integers are."""

_NUMERIC = re.compile(r"^numeric\((\d+),(\d+)\)$")
_MAX_DIGITS = 1000


def pg_type(arrow: pa.DataType, column: str) -> str:
    """The PostgreSQL type that holds every value of an Arrow type.

    Raises:
        Rejected: there is none.
    """
    name = (
        "numeric(38,0)"
        if is_wide(arrow)
        else _SIMPLE.get(str(arrow)) or _parametric(arrow, column) or _nested(arrow, column)
    )
    if name is None:
        raise Rejected(
            f"column '{column}' has the type {arrow}, which PostgreSQL has no type for.",
            "Cast it in the mart, to VARCHAR or DECIMAL(38, s) for instance.",
            {"column": column, "type": str(arrow)},
        )
    return name


def is_wide(arrow: pa.DataType) -> bool:
    """Whether it is a whole number of 128 bits, of DuckDB's own; 38 digits of them are held."""
    return bool(_WIDE.match(str(arrow)))


def _parametric(arrow: pa.DataType, column: str) -> str | None:
    from pyarrow import types

    if types.is_dictionary(arrow):
        return pg_type(arrow.value_type, column)
    if types.is_decimal(arrow):
        precision, scale = max(arrow.precision, arrow.precision - arrow.scale), max(arrow.scale, 0)
        return f"numeric({max(precision, scale)},{scale})" if max(precision, scale) <= 38 else None
    if types.is_timestamp(arrow):
        return f"timestamp {'with' if arrow.tz else 'without'} time zone"
    if types.is_time(arrow):
        return "time without time zone"
    if types.is_duration(arrow):
        return "interval"
    return "bytea" if types.is_fixed_size_binary(arrow) else None


def _nested(arrow: pa.DataType, column: str) -> str | None:
    from pyarrow import types

    if "arrow.opaque[" in str(arrow):  # whose bytes mean nothing to anyone else
        return None
    if types.is_struct(arrow) or types.is_map(arrow):
        return "jsonb"
    if types.is_list(arrow) or types.is_large_list(arrow) or types.is_fixed_size_list(arrow):
        element = pg_type(arrow.value_type, column)
        return "jsonb" if element in _NO_ARRAYS or element.endswith("[]") else element + "[]"
    return None


def wire_type(pg: str, arrow: pa.DataType) -> pa.DataType:
    """The Arrow type whose binary form is that of a PostgreSQL type which holds `arrow`."""
    import pyarrow as pa

    if pg.endswith("[]"):
        return pa.list_(wire_type(pg[:-2], arrow.value_type))
    if pg.startswith("numeric"):
        return _wire_decimal(arrow)
    if pg == "timestamp with time zone":
        return pa.timestamp("us", "UTC")
    if pg == "uuid" or (pg == "interval" and not pa.types.is_duration(arrow)):
        return pa.binary(16)
    if pg == "interval":
        return pa.duration("us")
    return pa.type_for_alias(_WIRE[pg])


def _wire_decimal(arrow: pa.DataType) -> pa.DataType:
    """NUMERIC says its own scale on the wire, so decimals of any scale go as they are."""
    import pyarrow as pa

    digits, scale = _digits(pg_type(arrow, "")) or (38, 0)
    return pa.decimal128(digits + scale, scale)


def _digits(pg: str) -> tuple[int, int] | None:
    """How many digits a whole or decimal type has before and after the point; None for any other type."""
    if found := _NUMERIC.match(pg):
        precision, scale = int(found[1]), int(found[2])
        return precision - scale, scale
    return _DIGITS.get(pg)


def holder(have: str, want: str) -> str | None:
    """The type that holds every value of both, widening `have` by as little as can be; None if there is none."""
    if have == want or (have == "numeric" and _digits(want)):
        return have
    if {have, want} == {"real", "double precision"}:
        return "double precision"
    if want == "text" and have.startswith("character varying"):
        return "text"
    mine, other = _digits(have), _digits(want)
    if not mine or not other:
        return None
    if have in _DIGITS and want in _DIGITS:
        return max(have, want, key=lambda name: _DIGITS[name])
    before, after = max(mine[0], other[0]), max(mine[1], other[1])
    if (before, after) == mine:
        return have
    return f"numeric({before + after},{after})" if before + after <= _MAX_DIGITS else None
