"""Proof by arithmetic that a subtotal row or column is the sum that it says it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from converters.binding import header_of
from converters.casting import decimal
from converters.model import Column, Scalar, Table, address

_NO_SUM = re.compile(r"율|률|단가|평균|비율|비중|%|증감|rate|ratio|price|avg|average|unit cost", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A total that none of the sums it may stand for gives."""

    cell: str
    column: str
    value: Decimal
    nearest: Decimal

    def __str__(self) -> str:
        """G30 (금액) is 113393, its rows sum up to 113390."""
        value, nearest = self.value.normalize(), self.nearest.normalize()
        return f"{self.cell} ({self.column}) is {value:f}, its cells sum up to {nearest:f}"


def mismatches(table: Table, columns: list[Column]) -> Iterator[Mismatch]:
    """The totals of these columns' subtotal rows that are not the sum of any rows they may stand for.

    Args:
        columns: those that hold amounts; rates and prices among them are passed over by their headers.
    """
    for column in columns:
        if column.type not in ("number", "mixed") or _NO_SUM.search(header_of(column)):
            continue
        amounts = [_amount(value) for value in column.values]
        for position, subtotal in enumerate(table.row_subtotal):
            value = amounts[position]
            if not subtotal or value is None:
                continue
            sums = list(_sums(table, amounts, position))
            if sums and not any(_close(value, total, count) for total, count in sums):
                nearest = min((total for total, _ in sums), key=lambda total: abs(total - value))
                yield Mismatch(address(table.rows[position], column.index), header_of(column), value, nearest)


def _sums(table: Table, amounts: list[Decimal | None], position: int) -> Iterator[tuple[Decimal, int]]:
    """The sums that a subtotal row may stand for, with the number of their cells."""
    subtotal = table.row_subtotal
    body = [p for p in range(len(subtotal)) if not subtotal[p]]
    before = [p for p in body if p < position]
    last = max((p for p in range(position) if subtotal[p]), default=-1)
    following = min((p for p in range(position + 1, len(subtotal)) if subtotal[p]), default=len(subtotal))
    label = table.row_path(position)[:1]
    blocks = [
        [p for p in before if p > last],
        before,
        body,
        [p for p in body if position < p < following],
        [p for p in range(position) if subtotal[p]],
        [p for p in body if label and table.row_path(p)[:1] == label],
    ]
    for block in blocks:
        given = [a for p in block if (a := amounts[p]) is not None]
        if given:
            yield sum(given, Decimal(0)), len(given)


def _close(value: Decimal, total: Decimal, count: int) -> bool:
    """Equal but for the rounding of each cell that was summed: half a unit of its last place, two units at most."""
    exponent = int(value.as_tuple().exponent)
    rounding = min(Decimal(count) / 2, Decimal(2)).scaleb(exponent) if exponent < 0 else Decimal(0)
    return abs(value - total) <= rounding + abs(total) * Decimal("1e-9")


def _amount(value: Scalar) -> Decimal | None:
    try:
        return None if value is None else decimal(value)
    except ValueError:
        return None
