"""Tables whose cells are parted by rules.

Rules that touch make a lattice; the words inside of it go to its cells. Where a rule is missing between two cells they
are one, merged. Rules may be left out: open sides end where the crossing rules end, and rows or columns that only their
texts part are found by those.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from converters.formats.pdf.labels import indent_labels
from converters.formats.pdf.rulings import Rulings
from converters.formats.pdf.shapes import Cell, Region, Rule, Word, text_of

TOUCH = 3.0
"""Rules meet if they come so near to each other."""

MAX_SLOTS = 400_000
SLIVER = 8.0
"""Columns narrower than this, in points, are what lies between the strokes of double rules."""

HUGE = 2.5
"""A word so many times as high as the usual one of its table, and across its rules, is a watermark."""


@dataclass
class Lattice:
    """The cells of one set of touching rules.

    Args:
        xs / ys: where columns and rows begin and the last ones end.
        cells: from top to bottom, then left to right.
        owner: the position in `cells` for each slot, row by row.
    """

    xs: list[float]
    ys: list[float]
    cells: list[Cell]
    owner: list[int]
    words: dict[int, list[Word]] = field(default_factory=lambda: defaultdict(list))

    def slot(self, x: float, y: float) -> int:
        """The position in `cells` of the one at a point, -1 for outside."""
        column, row = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        if 0 <= column < len(self.xs) - 1 and 0 <= row < len(self.ys) - 1:
            return self.owner[row * (len(self.xs) - 1) + column]
        return -1


def lattices(rulings: Rulings) -> list[Lattice]:
    """All that have at least two cells, the ones inside of others first."""
    found = []
    for horizontal, vertical in _touching(rulings.horizontal, rulings.vertical):
        xs = _edges([r.at for r in vertical], [r.start for r in horizontal], [r.end for r in horizontal])
        ys = _edges([r.at for r in horizontal], [r.start for r in vertical], [r.end for r in vertical])
        if 3 < len(xs) + len(ys) - 1 and (len(xs) - 1) * (len(ys) - 1) <= MAX_SLOTS and len(xs) > 1 < len(ys):
            lattice = _lattice(xs, ys, horizontal, vertical)
            if len(lattice.cells) > 1:
                found.append(lattice)
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


def _lattice(xs: list[float], ys: list[float], horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> Lattice:
    width, height = len(xs) - 1, len(ys) - 1
    left_of = _walls(xs, ys, vertical)
    above = _walls(ys, xs, horizontal)
    owner = [-1] * (width * height)
    cells: list[Cell] = []
    for row in range(height):
        for column in range(width):
            if owner[row * width + column] >= 0:
                continue
            right = column
            while right + 1 < width and owner[row * width + right + 1] < 0 and (right + 1, row) not in left_of:
                right += 1
            bottom = row
            while bottom + 1 < height and _goes_down(bottom + 1, column, right, left_of, above):
                bottom += 1
            for r in range(row, bottom + 1):
                owner[r * width + column : r * width + right + 1] = [len(cells)] * (right + 1 - column)
            cells.append(Cell(row, column, bottom, right))
    return Lattice(xs, ys, cells, owner)


def _goes_down(row: int, left: int, right: int, left_of: set[tuple[int, int]], above: set[tuple[int, int]]) -> bool:
    """The cell over a row goes on in it: no rule lies between, and none within."""
    if any((row, column) in above for column in range(left, right + 1)):
        return False
    return not any((column, row) in left_of for column in range(left + 1, right + 1))


def _walls(edges: Sequence[float], crossing: Sequence[float], rules: Sequence[Rule]) -> set[tuple[int, int]]:
    """(edge, slot): a rule lies on the edge along the slot between two crossing edges."""
    walls: set[tuple[int, int]] = set()
    middles = [(a + b) / 2 for a, b in pairwise(crossing)]
    for rule in rules:
        edge = max(0, bisect_right(edges, rule.at + 0.01) - 1)
        first, last = bisect_right(middles, rule.start), bisect_right(middles, rule.end)
        walls.update((edge, slot) for slot in range(first, last))
    return walls


def take_tables(rulings: Rulings, words: list[Word]) -> tuple[list[Region], list[Word]]:
    """The ruled tables of a page, and the words outside of all of them."""
    regions: list[Region] = []
    for lattice in lattices(rulings):
        words = _fill(lattice, words)
        if len(lattice.xs) == 2 or len(lattice.words) < 2:  # a frame, or a list of bands: its texts show its columns
            words.extend(word for inside in lattice.words.values() for word in inside)
            continue
        regions.append(_region(lattice))
    return regions, words


def _fill(lattice: Lattice, words: Sequence[Word]) -> list[Word]:
    """Gives each word to its cell; returns those outside."""
    left, right, top, bottom = lattice.xs[0] - 1, lattice.xs[-1] + 1, lattice.ys[0] - 1, lattice.ys[-1] + 1
    outside, inside = [], []
    for word in words:
        here = left <= word.centre <= right and top <= word.middle <= bottom
        (inside if here else outside).append(word)
    usual = sorted(word.size for word in inside)[len(inside) // 2] if inside else 0.0
    for word in inside:
        cell = lattice.slot(word.centre, word.middle)
        if cell < 0:
            outside.append(word)
            continue
        crosses = _crosses(lattice, lattice.cells[cell], word)
        if crosses and word.size > HUGE * usual:
            continue
        for part in _split(lattice, word) if crosses and len(word.lefts) > 1 else [word]:
            place = lattice.slot(part.centre, part.middle)
            lattice.words[place if place >= 0 else cell].append(part)
    return outside


def _crosses(lattice: Lattice, cell: Cell, word: Word) -> bool:
    slack = 0.3 * word.size
    return word.left < lattice.xs[cell.left] - slack or word.right > lattice.xs[cell.right + 1] + slack


def _split(lattice: Lattice, word: Word) -> list[Word]:
    """A word that runs over the rule between two cells is two words."""
    parts: list[Word] = []
    known = -2
    ends = [*word.lefts[1:], word.right]
    for letter, left, right in zip(word.text, word.lefts, ends, strict=True):
        cell = lattice.slot((left + right) / 2, word.middle)
        if cell != known:
            parts.append(Word(left, word.top, right, word.bottom, letter, [left]))
            known = cell
        else:
            parts[-1].text += letter
            parts[-1].right = right
            parts[-1].lefts = [*parts[-1].lefts, left]
    return parts


def _region(lattice: Lattice) -> Region:
    """The table, with its rows numbered from the first to the last of the lattice."""
    cells = []
    for place in sorted(lattice.words):
        cell = lattice.cells[place]
        words = lattice.words[place]
        cell.text = text_of(words)
        cell.x = min(word.left for word in words)
        cells.append(cell)
    xs, ys = lattice.xs, lattice.ys
    indent_labels([cell for cell in cells if cell.top > 0], words[0].size)
    return Region(xs[0], ys[0], xs[-1], ys[-1], xs, len(ys) - 1, cells, _spacers(xs, cells, len(ys) - 1))


def _spacers(xs: Sequence[float], cells: Sequence[Cell], rows: int) -> frozenset[int]:
    """Columns without a text that are wide, and which few texts run over: they part two tables in one lattice."""
    over = Counter(column for cell in cells for column in range(cell.left, cell.right + 1))
    begun = {cell.left for cell in cells}
    return frozenset(
        i
        for i, (left, right) in enumerate(pairwise(xs))
        if i not in begun and right - left > SLIVER and over[i] <= rows // 4
    )
