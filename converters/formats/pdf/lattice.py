"""Lattices: the cells between rules that touch.

Where a rule is missing between two cells they are one, merged. An open side ends where the crossing rules end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from converters.formats.pdf.rulings import Rulings
from converters.formats.pdf.shapes import Cell, Rule, Word

TOUCH = 3.0
"""Rules meet if they come so near to each other."""

MAX_SLOTS = 400_000

Walls = set[tuple[int, int]]


@dataclass
class Lattice:
    """The cells of one set of touching rules.

    Args:
        horizontal / vertical: the rules.
        xs / ys: where columns and rows begin and the last ones end.
        cells: from top to bottom, then left to right.
        owner: the position in `cells` for each slot, row by row.
        words: those in each cell, by its position.
    """

    horizontal: Sequence[Rule]
    vertical: Sequence[Rule]
    xs: list[float]
    ys: list[float]
    cells: list[Cell] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    words: dict[int, list[Word]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> Lattice | None:
        """The lattice of some rules, if it has several cells and not more than any table."""
        xs = _edges([r.at for r in vertical], [r.start for r in horizontal], [r.end for r in horizontal])
        ys = _edges([r.at for r in horizontal], [r.start for r in vertical], [r.end for r in vertical])
        lattice = cls(horizontal, vertical, xs, ys)
        if not 1 < lattice.width * lattice.height <= MAX_SLOTS:
            return None
        lattice._part()
        return lattice if len(lattice.cells) > 1 else None

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.xs) - 1

    @property
    def height(self) -> int:
        """Rows."""
        return len(self.ys) - 1

    def slot(self, x: float, y: float) -> int:
        """The position in `cells` of the one at a point, -1 for outside."""
        column, row = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        if 0 <= column < self.width and 0 <= row < self.height:
            return self.owner[row * self.width + column]
        return -1

    def _part(self) -> None:
        """Finds the cells: each as wide, and then as high, as no rule parts it."""
        left_of = _walls(self.xs, self.ys, self.vertical)
        above = _walls(self.ys, self.xs, self.horizontal)
        width, owner = self.width, [-1] * (self.width * self.height)
        for row in range(self.height):
            for column in range(width):
                if owner[row * width + column] >= 0:
                    continue
                right, bottom = column, row
                while right + 1 < width and owner[row * width + right + 1] < 0 and (right + 1, row) not in left_of:
                    right += 1
                while bottom + 1 < self.height and _goes_down(bottom + 1, column, right, left_of, above):
                    bottom += 1
                for r in range(row, bottom + 1):
                    owner[r * width + column : r * width + right + 1] = [len(self.cells)] * (right + 1 - column)
                self.cells.append(Cell(row, column, bottom, right))
        self.owner = owner


def lattices(rulings: Rulings) -> list[Lattice]:
    """All of a page, the smaller ones, which may be inside of others, first."""
    found = filter(None, (Lattice.of(*rules) for rules in _touching(rulings.horizontal, rulings.vertical)))
    return sorted(found, key=lambda t: (t.xs[-1] - t.xs[0]) * (t.ys[-1] - t.ys[0]))


def _touching(horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """Groups of rules that hang together."""
    parent = list(range(len(horizontal) + len(vertical)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    places = [rule.at for rule in vertical]
    for h, across in enumerate(horizontal):
        first, last = bisect_right(places, across.start - TOUCH), bisect_right(places, across.end + TOUCH)
        for v in range(first, last):
            if vertical[v].start - TOUCH <= across.at <= vertical[v].end + TOUCH:
                parent[root(len(horizontal) + v)] = root(h)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = defaultdict(lambda: ([], []))
    for h, rule in enumerate(horizontal):
        groups[root(h)][0].append(rule)
    for v, rule in enumerate(vertical, len(horizontal)):
        groups[root(v)][1].append(rule)
    return [group for group in groups.values() if group[0] and group[1]]


def _edges(rules: Sequence[float], starts: Sequence[float], ends: Sequence[float]) -> list[float]:
    """Where rows or columns meet: the rules, and where the crossing ones end if no rule is there."""
    edges: list[float] = []
    for at in sorted(rules):
        if not edges or at - edges[-1] > TOUCH:
            edges.append(at)
    if min(starts) < edges[0] - 2 * TOUCH:
        edges.insert(0, min(starts))
    if max(ends) > edges[-1] + 2 * TOUCH:
        edges.append(max(ends))
    return edges


def _goes_down(row: int, left: int, right: int, left_of: Walls, above: Walls) -> bool:
    """The cell over a row goes on in it: no rule lies between, and none within."""
    if any((row, column) in above for column in range(left, right + 1)):
        return False
    return not any((column, row) in left_of for column in range(left + 1, right + 1))


def _walls(edges: Sequence[float], crossing: Sequence[float], rules: Sequence[Rule]) -> Walls:
    """(edge, slot): a rule lies on the edge along the slot between two crossing edges."""
    walls: Walls = set()
    middles = [(a + b) / 2 for a, b in pairwise(crossing)]
    for rule in rules:
        edge = max(0, bisect_right(edges, rule.at + 0.01) - 1)
        first, last = bisect_right(middles, rule.start), bisect_right(middles, rule.end)
        walls.update((edge, slot) for slot in range(first, last))
    return walls
