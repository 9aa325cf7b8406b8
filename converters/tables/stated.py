"""A table whose header the file itself states (json, parquet): nothing of it is guessed, values stay as they are."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal

from converters.grid import PLAIN, Grid
from converters.model import Column, ColumnType, Decision, Range, Scalar, Table
from converters.tables.cells import text_of
from converters.tables.measures import Evidence, set_units

_KINDS: tuple[tuple[frozenset[type], ColumnType], ...] = (
    (frozenset({int, float, Decimal}), "number"),
    (frozenset({dt.date, dt.datetime}), "date"),
    (frozenset({bool}), "bool"),
    (frozenset({str, dt.time}), "text"),
)


def stated_table(grid: Grid, index: int) -> Table | None:
    """The one table of a grid that says how many of its rows are the header; None if it has no column.

    Args:
        index: the number that it gets in its file.
    """
    depth = grid.header_rows or 0
    rows = [row for row in grid.rows if row >= depth]
    if not grid.width:
        return None
    region = Range(0, 0, rows[-1] if rows else depth - 1, grid.width - 1)
    table = Table(
        sheet=grid.sheet,
        index=index,
        region=region,
        columns=[],
        rows=rows,
        row_subtotal=[False] * len(rows),
        container=grid.container,
        pages=tuple(grid.pages),
    )
    values = grid.columns(rows) if rows else [()] * grid.width
    table.columns = [_column(table, column, _path(grid, column), values[column]) for column in range(grid.width)]
    header = Range(0, 0, depth - 1, grid.width - 1)
    table.decisions = [
        Decision("table", region, f"{len(rows):,} rows × {grid.width} columns", 1.0, "the file states its records"),
        Decision("header", header, "the names of the columns", 1.0, "the file states them"),
    ]
    table.decisions += set_units(table, Evidence())
    return table


def _path(grid: Grid, column: int) -> tuple[str, ...]:
    texts = (text_of(grid.value(row, column), PLAIN) for row in range(grid.header_rows or 0))
    return tuple(filter(None, texts))


def _column(table: Table, index: int, path: tuple[str, ...], raw: Sequence[Scalar]) -> Column:
    values = list(raw)
    for position, value in enumerate(values):
        if isinstance(value, float) and not math.isfinite(value):
            values[position] = None
            table.errors[table.rows[position], index] = "#NUM!"
    types = frozenset(map(type, values)) - {type(None)}
    kind = next((kind for known, kind in _KINDS if types <= known), "mixed") if types else "null"
    return Column(index, path, kind, values)  # type: ignore[arg-type]
