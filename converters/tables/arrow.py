"""A table as Arrow and pandas have it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from converters.arrays import TYPES
from converters.model import Column, Scalar, Table
from converters.packed import array_of, parts_of, types_of

if TYPE_CHECKING:
    import pandas as pd

MAX_PRECISION = 76
"""Digits of the widest decimal that Arrow has."""


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
    types = types_of(values) - {type(None)}
    if not types:
        return pa.null()
    if len(types) > 1:
        return None
    only = types.pop()
    if only is Decimal:
        return decimal_type(values)
    if only is int and not _fit(values):
        return None
    return TYPES.get(only)


def _fit(integers: Sequence[Scalar]) -> bool:
    lists = (part for part in parts_of(integers) if isinstance(part, list))
    return all(v is None or -(2**63) <= v < 2**63 for part in lists for v in part)  # type: ignore[operator]


def decimal_type(values: Sequence[Scalar]) -> pa.DataType | None:
    """The Arrow decimal that holds whole numbers and decimals exactly; None if they have too many digits for any."""
    whole, places = 1, 0
    for value in values:
        if value is None:
            continue
        if not isinstance(value, int | Decimal) or isinstance(value, bool) or not Decimal(value).is_finite():
            return None
        _, digits, exponent = Decimal(value).as_tuple()
        assert isinstance(exponent, int)
        whole, places = max(whole, len(digits) + exponent), max(places, -exponent)
    if whole + places > MAX_PRECISION:
        return None
    return (pa.decimal128 if whole + places <= 38 else pa.decimal256)(whole + places, places)


def _array(values: Sequence[Scalar]) -> pa.Array[Any]:
    kind = exact_type(values)
    if kind is None and not any(isinstance(v, float) for v in values):
        kind = decimal_type(values)
    if kind is not None and pa.types.is_decimal(kind):
        return pa.array([v if v is None else Decimal(v) for v in values], kind)  # type: ignore[arg-type]
    if kind is not None:
        return array_of(values, kind)
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
