"""Tables whose cells are parted by rules: the words inside of a lattice go to its cells.

Rows or columns of it that no rules part are found by their texts (unruled.py). A lattice of one column is only a frame,
or a set of bands: its texts are read as those of a table without rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from converters.formats.pdf.labels import indent_labels
from converters.formats.pdf.lattice import Lattice, lattices
from converters.formats.pdf.rulings import Rulings, merged
from converters.formats.pdf.shapes import Cell, Region, Word, text_of
from converters.formats.pdf.unruled import unruled_columns, unruled_rows

SLIVER = 8.0
"""Columns narrower than this, in points, are what lies between the strokes of double rules."""

MANY = 40
SPARSE = 0.1
"""A lattice of many cells of which fewer than this share say something is a drawing."""

EDGE = 0.1
"""A word runs over a rule if it lies so many heights of its letters beyond."""

HUGE = 2.5
"""A word so many times as high as the usual one of its table, and across its rules, is a watermark."""


@dataclass
class Ruled:
    """The ruled tables of a page.

    Args:
        outside: the words outside of all of them.
        left_out: how many words are watermarks.
    """

    regions: list[Region]
    outside: list[Word]
    left_out: int = 0


def take_tables(rulings: Rulings, words: list[Word]) -> Ruled:
    """Finds them."""
    found = Ruled([], words)
    for lattice in lattices(rulings):
        before = len(found.outside)
        found.outside = _fill(lattice, found.outside)
        inside = sum(map(len, lattice.words.values()))
        found.left_out += before - len(found.outside) - inside
        lattice = _completed(lattice)
        if lattice.width == 1 or len(lattice.words) < 2 or _is_drawing(lattice):
            found.outside.extend(word for place in sorted(lattice.words) for word in lattice.words[place])
        else:
            found.regions.append(_region(lattice))
    return found


def _is_drawing(lattice: Lattice) -> bool:
    """Hardly any of its many cells says something: the axes and the grid of a chart."""
    return len(lattice.cells) > MANY and len(lattice.words) < SPARSE * len(lattice.cells)


def _completed(lattice: Lattice) -> Lattice:
    """With rules where only its texts show that rows or columns are parted."""
    horizontal, vertical = unruled_rows(lattice), unruled_columns(lattice)
    if not (horizontal or vertical):
        return lattice
    whole = Lattice.of(merged([*lattice.horizontal, *horizontal]), merged([*lattice.vertical, *vertical]))
    if whole is None:
        return lattice
    _fill(whole, [word for place in sorted(lattice.words) for word in lattice.words[place]])
    return whole


def _fill(lattice: Lattice, words: Sequence[Word]) -> list[Word]:
    """Gives each word to its cell; returns those outside."""
    left, right, top, bottom = lattice.xs[0] - 1, lattice.xs[-1] + 1, lattice.ys[0] - 1, lattice.ys[-1] + 1
    outside: list[Word] = []
    inside: list[Word] = []
    for word in words:
        here = left <= word.centre <= right and top <= word.middle <= bottom
        (inside if here else outside).append(word)
    usual = sorted(word.size for word in inside)[len(inside) // 2] if inside else 0.0
    before, home = None, -1
    for word in inside:
        # what follows a word that runs out of its cell runs on, too
        overflows = word.follows and before is not None and home >= 0 and _beyond(lattice, home, before)
        cell = home if overflows else lattice.slot(word.centre, word.middle)
        if cell < 0:
            outside.append(word)
        elif word.size <= HUGE * usual or not _beyond(lattice, cell, word, height=True):
            lattice.words[cell].append(word)
        before, home = word, cell
    return outside


def _beyond(lattice: Lattice, place: int, word: Word, *, height: bool = False) -> bool:
    """A word runs over the rules of a cell to the left or right, or also above and below."""
    cell, slack = lattice.cells[place], EDGE * word.size
    if height and (word.top < lattice.ys[cell.top] - slack or word.bottom > lattice.ys[cell.bottom + 1] + slack):
        return True
    return word.left < lattice.xs[cell.left] - slack or word.right > lattice.xs[cell.right + 1] + slack


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
    return Region(xs[0], ys[0], xs[-1], ys[-1], xs, lattice.height, cells, _spacers(xs, cells, lattice.height))


def _spacers(xs: Sequence[float], cells: Sequence[Cell], rows: int) -> frozenset[int]:
    """Columns without a text that are wide, and which few texts run over: they part two tables in one lattice."""
    over = Counter(column for cell in cells for column in range(cell.left, cell.right + 1))
    begun = {cell.left for cell in cells}
    return frozenset(
        i
        for i, (left, right) in enumerate(pairwise(xs))
        if i not in begun and right - left > SLIVER and over[i] <= rows // 4
    )
