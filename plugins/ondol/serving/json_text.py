"""Nested Arrow values as JSON texts, for jsonb: numbers keep every digit, and nothing turns into something else."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def json_strings(array: pa.Array) -> pa.Array:
    """Each value of a struct, map or list column as JSON; NULL stays NULL.

    Raises:
        ValueError: NaN or an infinity, which JSON has no word for.
        KeyError: a map that has a key twice.
    """
    import pyarrow as pa

    values = array.to_pylist(maps_as_pydicts="strict")
    return pa.array([None if value is None else json_text(value) for value in values], pa.string())


def json_text(value: object) -> str:
    """One value as JSON: dates, times, intervals in ISO 8601, bytes in hexadecimal, decimals with all their digits."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json_text(_name(key))}: {json_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"JSON cannot say {value}")
    if value is None or isinstance(value, bool | int | float | str):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(_name(value), ensure_ascii=False)


def _name(value: object) -> str:
    """What stands for a value where JSON allows only a string."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, tuple):  # pyarrow.MonthDayNano
        months, days, nanoseconds = value
        return f"P{months}M{days}DT{Decimal(nanoseconds).scaleb(-9):f}S"
    return str(value)
