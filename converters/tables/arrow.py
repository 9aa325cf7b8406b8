"""A table as Arrow and pandas have it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from converters.model import Column, Scalar, Table

if TYPE_CHECKING:
    import pandas as pd

_TYPES: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    dt.date: pa.date32(),
    dt.datetime: pa.timestamp("us"),
    dt.time: pa.time64("us"),
}


def to_arrow(table: Table) -> pa.Table:
    """The columns under their header paths joined by "/"; a name that occurs twice gets "_2" and so on.

    A column of more than one type becomes texts.
    """
    return pa.table([_array(c.values) for c in table.columns], names=_names(table.columns))


def to_pandas(table: Table) -> pd.DataFrame:
    """As to_arrow, for pandas."""
    frame: pd.DataFrame = to_arrow(table).to_pandas()
    return frame


def exact_type(values: Sequence[Scalar]) -> pa.DataType | None:
    """The Arrow type that holds these values exactly; None if no one type does."""
    types = set(map(type, values)) - {type(None)}
    if not types:
        return pa.null()
    if len(types) > 1:
        return None
    only = types.pop()
    if only is int and not all(v is None or -(2**63) <= v < 2**63 for v in values):  # type: ignore[operator]
        return None
    return _TYPES.get(only)


def _array(values: Sequence[Scalar]) -> pa.Array[Any]:
    kind = exact_type(values)
    if kind is not None:
        return pa.array(values, kind)
    if all(v is None or (isinstance(v, int | float | Decimal) and not isinstance(v, bool)) for v in values):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())  # type: ignore[arg-type]
    return pa.array([None if v is None else str(v) for v in values], pa.string())


def _names(columns: Sequence[Column]) -> list[str]:
    names: list[str] = []
    seen: dict[str, int] = {}
    for column in columns:
        name = "/".join(column.path) or f"column {column.index + 1}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return names
