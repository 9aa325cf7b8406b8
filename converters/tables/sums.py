"""What totals sum up, proved by arithmetic: the finest parts that add up, details before subtotals.

A total stands below or above its details. The rows from one total to another are tried, the nearest first, by running
sums, so that a table of many thousand rows costs one pass over its figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate, chain, islice, pairwise
from typing import TypeGuard

from converters.model import Scalar
from converters.tables.words import is_total, may_be_total

TOLERANCE = 1e-6
MAX_SPANS = 200
MAX_TRIED = 4000
MAX_ROWS = 2000
FEW_ROWS = 20
MAX_CHOICES = 60

Figures = Sequence[Sequence[Scalar]]


@dataclass(frozen=True, slots=True)
class Proof:
    """How well some parts add up to a total.

    Args:
        parts: positions of what is summed.
        held: in how many columns (of a total row) or rows (of a total column) the figures add up.
        of: in how many there is a total to compare.
        gap: the largest difference, total minus sum.
        at: where that is: the position of the column or row.
    """

    parts: Sequence[int]
    held: int
    of: int
    gap: float = 0.0
    at: int = 0

    @property
    def holds(self) -> bool:
        """Every total is the sum."""
        return self.held == self.of > 0

    @property
    def shows(self) -> bool:
        """Most totals are the sums: the others are rates, averages or mistakes."""
        return self.held * 2 >= self.of and self.held > 0


def row_sums(
    columns: Figures, totals: Collection[int], inner: Collection[int], families: Mapping[int, Sequence[int]]
) -> dict[int, Proof]:
    """The best proof of each total row; a row whose totals are all nothing has none.

    Args:
        columns: the figures that can be added, column by column.
        totals: positions of the total rows.
        inner: those of them that sum one group only.
        families: of the parents in an outline: their children.
    """
    if not columns or not totals:
        return {}
    marks = sorted(totals)
    details, groups = _details(columns, marks), _groups(columns, marks, inner)
    found: dict[int, Proof] = {}
    for place, position in enumerate(marks):
        figures = [values[position] for values in columns]
        tried = [details.best(figures, _spans(place, len(marks)))]
        if not _holds(tried) and position in families:
            tried.append(proof_of(columns, position, families[position]))
        if not _holds(tried) and position not in inner:
            tried.append(groups.best(figures, _spans(place, len(marks))))
        if best := max((proof for proof in tried if proof), key=_rank, default=None):
            found[position] = best
    return found


def proof_of(columns: Figures, position: int, parts: Sequence[int]) -> Proof | None:
    """How well some rows add up to one row; None if there is nothing to compare."""
    sums = [_total([values[i] for i in parts]) for values in columns]
    return _judged([values[position] for values in columns], sums, parts)


def column_sum(paths: Sequence[tuple[str, ...]], rows: Figures, position: int, totals: Collection[int]) -> Proof | None:
    """The best proof that one column is the sum of others.

    Args:
        paths: the header of each column.
        rows: the figures, row by row.
        totals: positions of all columns known to be totals.
    """
    best: Proof | None = None
    for parts in _choices(paths, position, totals):
        proof = proof_of(rows[:FEW_ROWS], position, parts)
        if proof and proof.shows:
            proof = proof_of(rows[:MAX_ROWS], position, parts)
        if proof and (best is None or _rank(proof) > _rank(best)):
            best = proof
        if best and best.holds:
            break
    return best


def _choices(paths: Sequence[tuple[str, ...]], position: int, totals: Collection[int]) -> Iterator[Sequence[int]]:
    """What a total column may sum: columns of the same group or the same measure, before it or after it."""
    own = paths[position]
    others = [i for i in range(len(paths)) if i != position]
    details = [i for i in others if i not in totals]
    heads_group = len(own) > 1 and (is_total(own[-1]) or may_be_total(own[-1]))
    siblings = [i for i in details if heads_group and paths[i][:-1] == own[:-1]]
    peers = [i for i in details if len(own) == 1 or paths[i][1:] == own[1:]]
    subtotals = [i for i in others if i in totals and paths[i][1:] == own[1:]]
    yield from islice(chain.from_iterable(_runs(each, position) for each in (siblings, peers, subtotals)), MAX_CHOICES)


def _runs(places: Sequence[int], position: int) -> Iterator[Sequence[int]]:
    """All, those before and those after, and these without the ones farthest off."""
    before = [i for i in places if i < position]
    after = [i for i in places if i > position]
    if before and after:
        yield places
    yield from (before[start:] for start in range(len(before) - 1))
    yield from (after[:end] for end in range(len(after), 1, -1))


def _spans(place: int, count: int) -> Iterator[tuple[int, int]]:
    """The gaps between totals, first and past the last, that a total may sum: right above it, more, all; then below."""
    reach = max(3, min(MAX_SPANS, MAX_TRIED // count))
    for above in (*range(place - 1, max(-1, place - 1 - reach), -1), -1):
        yield above + 1, place + 1
    for below in (*range(place + 1, min(count, place + reach)), count):
        yield place + 1, below + 1


@dataclass(frozen=True, slots=True)
class _Running:
    """Running sums over rows, cut into pieces by the totals among them.

    Args:
        rows: the rows of each piece.
        counts: how many rows all pieces before each piece have, and all.
        sums: for each column, the sum of all pieces before each piece, and of all.
        shift: how many pieces fewer there are than gaps between totals.
    """

    rows: Sequence[Sequence[int]]
    counts: Sequence[int]
    sums: Sequence[Sequence[float]]
    shift: int = 0

    def best(self, totals: Sequence[Scalar], spans: Iterable[tuple[int, int]]) -> Proof | None:
        """The first span that adds up to some totals, one a column; else the one that comes nearest."""
        best: Proof | None = None
        for first, past in spans:
            last = past - self.shift
            if self.counts[last] <= self.counts[first]:
                continue
            proof = _judged(totals, [sums[last] - sums[first] for sums in self.sums], range(first, last))
            if proof and (best is None or _rank(proof) > _rank(best)):
                best = proof
            if best and best.holds:
                break
        return best and replace(best, parts=tuple(chain.from_iterable(self.rows[piece] for piece in best.parts)))


def _details(columns: Figures, marks: Sequence[int]) -> _Running:
    """The rows between totals."""
    rows = [range(above + 1, below) for above, below in pairwise([-1, *marks, len(columns[0])])]
    pieces = [[_total(values[gap.start : gap.stop]) for gap in rows] for values in columns]
    return _running(rows, pieces)


def _groups(columns: Figures, marks: Sequence[int], inner: Collection[int]) -> _Running:
    """The totals of one group, each a piece of its own."""
    rows = [[mark] if mark in inner else [] for mark in marks]
    pieces = [[_total([values[i] for i in piece]) for piece in rows] for values in columns]
    return _running(rows, pieces, shift=1)


def _running(rows: Sequence[Sequence[int]], pieces: Iterable[Sequence[float]], shift: int = 0) -> _Running:
    counts = list(accumulate(map(len, rows), initial=0))
    return _Running(rows, counts, [list(accumulate(each, initial=0.0)) for each in pieces], shift)


def _judged(totals: Sequence[Scalar], sums: Sequence[float], parts: Sequence[int]) -> Proof | None:
    """How many totals are the sums beside them; None where all totals are nothing."""
    known = [(float(t), s, i) for i, (t, s) in enumerate(zip(totals, sums, strict=True)) if is_number(t) and (t or s)]
    if not any(total for total, _, _ in known):
        return None
    misses = [(total - s, i) for total, s, i in known if abs(total - s) > TOLERANCE * max(1.0, abs(total))]
    gap, at = max(misses, key=lambda miss: abs(miss[0]), default=(0.0, 0))
    return Proof(parts, len(known) - len(misses), len(known), gap, at)


def adds_up(totals: Sequence[Scalar], sums: Sequence[float]) -> bool:
    """All totals are the sums beside them, and not all are nothing."""
    proof = _judged(totals, sums, ())
    return proof is not None and proof.holds


def _holds(tried: Sequence[Proof | None]) -> bool:
    return any(proof and proof.holds for proof in tried)


def _rank(proof: Proof) -> tuple[float, float]:
    return proof.held / proof.of, -abs(proof.gap)


def figures_of(values: Sequence[Scalar]) -> Sequence[float]:
    """The numbers of a column, 0 for all else."""
    return [float(value) if is_number(value) else 0 for value in values]


def _total(values: Sequence[Scalar]) -> float:
    """The sum of the numbers among some values; where all are numbers, in one go."""
    try:
        return float(sum(values))  # type: ignore[arg-type]
    except TypeError:
        return sum(float(value) for value in values if is_number(value))


def is_number(value: Scalar) -> TypeGuard[int | float | Decimal]:
    """An int, float or decimal; not true or false."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
