"""Proof by arithmetic that the totals of a table are the sums that they say they are."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

from converters.binding import header_of, normal
from converters.casting import decimal_of
from converters.model import Column, Scalar, Table
from converters.scales import unit

NO_SUM = re.compile(
    r"[율률率]$|[율률][(\[/]|단가|평균|비율|비중|구성비|진도|증감|대비|\brate|\bratio|\bprice|\bavg|average|\bshare|%|単価|平均|比$",
    re.IGNORECASE,
)
"""Headers and row labels of figures that do not add up."""
BEYOND = re.compile(r"누계|누적|전월|전년|전일|이월|기초|기말|累計|前月|前年|ytd|cumulative|carried", re.IGNORECASE)
"""Row labels of sums that may reach beyond the table: a match proves them, the lack of one says nothing."""
MOST_RUNS = 200
"""How many runs of rows, the nearest first, a total is tried against."""
_TOTAL_WORD = re.compile(r"(?:소계|합계|총계|계|subtotal|total|小計|合計|計)$")

Amount = int | Decimal | None
Run = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A total that is not the sum of the cells that it stands for."""

    cell: str
    column: Column
    value: int | Decimal
    nearest: int | Decimal


@dataclass(slots=True)
class Proof:
    """What became of the totals of a table: how many figures were proved, where none could be, which are wrong."""

    proved: int = 0
    unproved: list[str] = field(default_factory=list)
    mismatches: list[Mismatch] = field(default_factory=list)


def prove(table: Table, columns: Sequence[Column]) -> Proof:
    """Check each figure of the subtotal rows and of the subtotal columns against the cells that it may sum up.

    A figure in a row is proved if a run of body rows that begins or ends beside it or beside another total adds up to
    it, or all rows of its label do. Rates, prices and averages need no proof.

    Args:
        columns: those that hold amounts, as far as a rule uses them.
    """
    proof = Proof()
    amounts = [c for c in columns if adds_up(c)]
    if any(table.row_subtotal):
        _prove_rows(table, amounts, proof)
    for column in table.columns:
        if column.subtotal and adds_up(column):
            _prove_column(table, column, amounts, proof)
    return proof


def adds_up(column: Column) -> bool:
    """Whether a column holds figures whose totals are sums, by its type, header and unit."""
    found = unit(column.unit) if column.unit else None
    rate = found is not None and (found.kind in ("share", "points") or " per " in found.kind)
    header = header_of(column)
    return column.type in ("number", "mixed") and not rate and not NO_SUM.search(f"{header} {normal(header)}")


def _prove_rows(table: Table, columns: Sequence[Column], proof: Proof) -> None:
    sums = [_Sums(table, column) for column in columns]
    totals = [position for position, subtotal in enumerate(table.row_subtotal) if subtotal]
    for position in totals:
        said = " ".join(table.row_path(position))
        given = [s for s in sums if s.amounts[position] is not None]
        if not given or NO_SUM.search(said):
            continue
        wrong: list[_Sums] = []
        proved_by: Run | None = None
        for s in given:
            run = next((run for run in _runs(totals, position, len(table.rows)) if s.proves(position, run)), None)
            proved_by = proved_by or run
            if run or s.proves_label(position):
                proof.proved += 1
            else:
                wrong.append(s)
        if wrong and BEYOND.search(said):
            proof.unproved.append(f"row {table.rows[position] + 1} ({said})")
            continue
        for s in wrong:
            runs = [proved_by] if proved_by else list(_runs(totals, position, len(table.rows)))
            if (nearest := s.nearest(position, runs)) is not None:
                proof.mismatches.append(_mismatch(table, s.column, position, nearest))


def _runs(totals: Sequence[int], position: int, end: int) -> Iterator[Run]:
    """The runs of rows that a total may sum up: its block, all above, other runs above, those below."""
    here = bisect_left(totals, position)
    starts = [0] if here == 0 else [totals[here - 1] + 1, 0]
    above = ((totals[i] + 1, position) for i in range(here - 2, -1, -1))
    below = ((position + 1, stop) for stop in (*totals[here + 1 : here + 1 + MOST_RUNS], end))
    yield from ((start, position) for start in starts)
    yield from islice(above, MOST_RUNS)
    yield from below


class _Sums:
    """The sums of runs of body rows in one column, each in constant time."""

    def __init__(self, table: Table, column: Column) -> None:
        self.table, self.column = table, column
        self.amounts = [_amount(value) for value in column.values]
        self._sums: list[int | Decimal] = [0]
        self._counts = [0]
        for amount, subtotal in zip(self.amounts, table.row_subtotal, strict=True):
            body = None if subtotal else amount
            self._sums.append(self._sums[-1] + (body or 0))
            self._counts.append(self._counts[-1] + (body is not None))

    def proves(self, position: int, run: Run) -> bool:
        count = self._counts[run[1]] - self._counts[run[0]]
        return count > 0 and self._close(position, self._total(run), count)

    def proves_label(self, position: int) -> bool:
        """The rows that have one of the total's labels, wherever they stand, add up to it: 노트북 계."""
        labels = {_TOTAL_WORD.sub("", normal(label)) for label in self.table.row_path(position)} - {""}
        for column in self.table.columns if labels else []:
            if column.role != "label":
                continue
            rows = [p for p, v in enumerate(column.values) if isinstance(v, str) and normal(v) in labels]
            given = [a for p in rows if not self.table.row_subtotal[p] and (a := self.amounts[p]) is not None]
            if given and self._close(position, sum(given), len(given)):
                return True
        return False

    def nearest(self, position: int, runs: Sequence[Run]) -> Amount:
        """The sum of a run that comes nearest to the total; None if no run has a figure."""
        value = self.amounts[position]
        totals = [self._total(run) for run in runs if self._counts[run[1]] > self._counts[run[0]]]
        return min(totals, key=lambda total: abs(Decimal(total - (value or 0)))) if totals else None

    def _total(self, run: Run) -> int | Decimal:
        return self._sums[run[1]] - self._sums[run[0]]

    def _close(self, position: int, total: int | Decimal, count: int) -> bool:
        value = self.amounts[position]
        return value is not None and _close(value, total, count, self.column)


def _prove_column(table: Table, column: Column, used: Sequence[Column], proof: Proof) -> None:
    """A subtotal column is the sum of those that add up to it in most rows: then they must in all."""
    body = [p for p, subtotal in enumerate(table.row_subtotal) if not subtotal]
    totals = [(p, total) for p in body if (total := _amount(column.values[p])) is not None]
    used_ones = {id(c) for c in used}
    wrong: dict[int, int | Decimal] | None = None
    for parts in _parts(table, column) if totals else ():
        if any(id(c) in used_ones for c in parts):
            found = _wrong(column, parts, totals)
            wrong = found if wrong is None or len(found) < len(wrong) else wrong
        if wrong == {}:
            break
    if wrong is None:
        return
    if 2 * len(wrong) >= len(totals):
        proof.unproved.append(f"column '{header_of(column)}'")
        return
    proof.proved += len(totals) - len(wrong)
    proof.mismatches += [_mismatch(table, column, position, total) for position, total in wrong.items()]


def _parts(table: Table, column: Column) -> Iterator[list[Column]]:
    """The sets of columns that a subtotal column may sum up: under one header with it, of its kind, left or right."""
    plain = [c for c in table.columns if c.role == "value" and not c.subtotal and adds_up(c)]
    before = [c for c in plain if c.index < column.index]
    after = [c for c in plain if c.index > column.index]
    totals = [c.index for c in table.columns if c.subtotal and c.index < column.index]
    if len(column.path) > 1:
        yield [c for c in plain if c.path[:-1] == column.path[:-1]]
        yield [c for c in plain if len(c.path) > 1 and c.path[1:] == column.path[1:]]
    yield from ([c for c in before if c.index > start] for start in (*reversed(totals[-MOST_RUNS:]), -1))
    yield from (before[-count:] for count in range(2, min(len(before), MOST_RUNS)))
    yield after


def _wrong(
    column: Column, parts: Sequence[Column], totals: Sequence[tuple[int, int | Decimal]]
) -> dict[int, int | Decimal]:
    """By its position, what the parts of each row add up to that is not its total."""
    wrong: dict[int, int | Decimal] = {}
    for position, total in totals:
        given = [a for part in parts if (a := _amount(part.values[position])) is not None]
        found = sum(given)
        if not _close(total, found, len(given), column):
            wrong[position] = found
    return wrong


def _close(value: int | Decimal, total: int | Decimal, count: int, column: Column) -> bool:
    """Equal but for rounding: whole figures of one unit add up exactly.

    Figures in thousands or with decimals were rounded, each by up to half of its last place: the sum of n of them is
    off by less than √n places in all but one of a thousand cases.
    """
    if value == total:
        return True
    difference = abs(Decimal(value - total))
    if difference <= abs(Decimal(value)) * Decimal("1e-12"):
        return True
    exponent = min(int(Decimal(number).as_tuple().exponent) for number in (value, total))
    found = unit(column.unit) if column.unit else None
    rounded = exponent < 0 or (found is not None and found.size >= 1000)
    return rounded and difference <= Decimal(math.isqrt(count) + 1).scaleb(min(exponent, 0))


def _amount(value: Scalar) -> Amount:
    try:
        if value is None or type(value) is int:
            return value
        number = decimal_of(value)
        return int(number) if number == number.to_integral_value() else number
    except ValueError:
        return None


def _mismatch(table: Table, column: Column, position: int, nearest: int | Decimal) -> Mismatch:
    value = _amount(column.values[position])
    assert value is not None
    return Mismatch(table.address(table.rows[position], column.index), column, value, nearest)
