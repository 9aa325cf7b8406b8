"""Rows and columns of a lattice that no rule parts: figures one below the other, or texts in line, show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from converters.formats.pdf.columns import DASHES, FIGURE, Chunk, chunks_of, covered
from converters.formats.pdf.lattice import Lattice
from converters.formats.pdf.shapes import Cell, Line, Rule, Word, lines_of

MIN_ROWS = 3
"""So many rows of several texts in line make columns."""

MIN_LINES = 3
"""So many lines of text in most cells of a row make rows, even if none of them is a figure."""

GUTTER = 0.5
"""A gutter is at least so wide, in heights of the letters."""

Filled = tuple[Cell, list[Line]]
Parted = tuple[Cell, list[list[Chunk]]]


def unruled_rows(lattice: Lattice) -> list[Rule]:
    """Horizontal rules that are missing."""
    bands: dict[int, list[Filled]] = {}
    for place, words in lattice.words.items():
        cell = lattice.cells[place]
        if cell.top == cell.bottom:
            bands.setdefault(cell.top, []).append((cell, _lines(words)))
    return [rule for band in bands.values() for rule in _rows(lattice, band)]


def _lines(words: list[Word]) -> list[Line]:
    return lines_of(words) if len(words) > 1 else [Line(words)]


def _rows(lattice: Lattice, band: Sequence[Filled]) -> Iterator[Rule]:
    """Those in one row of the lattice."""
    several = [(cell, lines) for cell, lines in band if len(lines) > 1]
    listed = [lines for _, lines in several if all(map(_is_figure, lines))]
    if not listed:
        listed = [lines for _, lines in several if len(lines) >= MIN_LINES]
        if len(listed) < 2 or len(listed) * 5 < len(band) * 3:
            return
    if len(several) < 2 or len(several) * 2 < len(band):
        return
    middles = sorted(line.middle for lines in listed for line in lines)
    size = listed[0][0].size
    starts = [middle for before, middle in pairwise([-size, *middles]) if middle - before > size / 2]
    for start in starts[1:]:
        cut = start - size * 0.7
        for cell, lines in band:
            if len(lines) > 1 or _is_figure(lines[0]):
                yield Rule(cut, lattice.xs[cell.left], lattice.xs[cell.right + 1])


def _is_figure(line: Line) -> bool:
    return FIGURE.fullmatch(line.text) is not None and not line.text.endswith((",", "."))


def unruled_columns(lattice: Lattice) -> list[Rule]:
    """Vertical rules that are missing."""
    columns: dict[int, list[Parted]] = {}
    for place, words in lattice.words.items():
        cell = lattice.cells[place]
        if cell.left == cell.right:
            lines = [chunks_of(line) for line in _lines(words)] if len(words) > 1 else []
            columns.setdefault(cell.left, []).append((cell, lines))
    return [rule for cells in columns.values() for rule in _columns(lattice, cells)]


def _columns(lattice: Lattice, cells: Sequence[Parted]) -> Iterator[Rule]:
    """Those in one column of the lattice."""
    several = [[chunk for line in lines for chunk in line] for _, lines in cells if any(len(c) > 1 for c in lines)]
    if len(several) < MIN_ROWS or len(several) * 5 < len(cells) * 3:
        return
    size = several[0][0].words[0].size
    stretches = covered([chunk for chunks in several for chunk in chunks], 0, GUTTER * size)
    for left, right in pairwise(stretches):
        before = [chunk.text for chunks in several for chunk in chunks if left[0] <= chunk.left <= left[1]]
        if all(text in DASHES or not any(map(str.isalnum, text)) for text in before):
            continue  # the currency or the sign of the figure at its right
        cut = (left[1] + right[0]) / 2
        for cell, lines in cells:
            if not any(chunk.left < cut < chunk.right for line in lines for chunk in line):
                yield Rule(cut, lattice.ys[cell.top], lattice.ys[cell.bottom + 1])
