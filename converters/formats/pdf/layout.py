"""The pages of a PDF on one grid: tables and the lines of text around them, from top to bottom.

Each line outside of a table is a row; a blank row parts a table from what is over and under it. Tables that stand
beside each other start in the same row, three blank columns apart. A table that goes on over the page goes on in the
next row. On each page rows are counted from its first text on, columns from the left edge of each table.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from converters.formats.meter import Meter
from converters.formats.pdf.columns import Chunk, chunks_of
from converters.formats.pdf.labels import MAX_LEVELS
from converters.formats.pdf.shapes import Line, Region, Sheet
from converters.grid import PLAIN, Grid, Look
from converters.model import Page, Range, Scalar

APART = 3
"""Blank columns between tables that stand beside each other: so many are never a spacer within one table."""

SPACER = 1
"""Blank columns between two that may be one table: what their columns say decides."""

Item = Region | Line


class Layout:
    """Puts pages on a grid, one after the other."""

    def __init__(self, grid: Grid, meter: Meter) -> None:
        self.grid = grid
        self.meter = meter
        self._next = 0
        self._cells: dict[int, dict[int, str]] = {}
        self._tabular: set[int] = set()
        self._lines: list[tuple[Line, int, int, list[Region]]] = []
        self._offsets: dict[int, int] = {}
        self._indents: dict[tuple[int, int], int] = {}
        grid.looks = [*(Look(indent=level) for level in range(1, MAX_LEVELS)), PLAIN]

    def put(self, sheet: Sheet) -> None:
        """Adds a page."""
        items: list[Item] = [*sheet.regions, *sheet.lines]
        if not items:
            return
        base = self._next + (1 if self._next and not sheet.goes_on else 0)
        self._cells, self._tabular, self._lines, self._offsets, self._indents = {}, set(), [], {}, {}
        self._place(items, base, 0)
        for line, row, column, around in self._lines:
            self._put_line(line, row, column, around)
        self.grid.pages.append(Page(base, f"page {sheet.number}"))
        for row in sorted(self._cells):
            cells = self._cells[row]
            values: list[Scalar] = [cells.get(column) for column in range(max(cells) + 1)]
            self.meter.row(len(cells), len(values))
            self.grid.rows[row] = values
            if row not in self._tabular:
                self.grid.outside.add(row)
        for (row, column), indent in self._indents.items():
            self.grid.styles[row] = [len(self.grid.looks) - 1] * len(self.grid.rows[row])
            self.grid.styles[row][column] = indent - 1
        self._next = max(self._cells) + 1

    def _place(self, items: Sequence[Item], row: int, column: int) -> tuple[int, int]:
        """Puts some items below and beside each other; gives the first row below, the first column to the right."""
        bands = _bands(items)
        right = column + 1
        over: list[Region] = []
        for number, band in enumerate(bands):
            here = _regions(band)
            if here:
                row, width = self._beside(band, row + bool(over and over[-1] in _regions(bands[number - 1])), column)
                right, over = max(right, width), here
                continue
            under = next((found for below in bands[number + 1 :] if (found := _regions(below))), over)
            for line in band:
                self._lines.append((line, row, column, under))  # type: ignore[arg-type]
                row += 1
        return row, right

    def _beside(self, band: Sequence[Item], row: int, column: int) -> tuple[int, int]:
        """Puts items that share a stretch of the page's height."""
        groups = _columns(band)
        if len(groups) > 1:
            bottom = row
            for before, group in zip([None, *groups], groups, strict=False):
                apart = 0 if before is None else SPACER if _level(before, group) else APART
                below, right = self._place(group, row, column + apart)
                bottom, column = max(bottom, below), right
            return bottom, column
        right = column + 1
        for item in band:
            if isinstance(item, Region):
                row, width = self._put_region(item, row, column)
                right = max(right, width)
            else:
                self._lines.append((item, row, column, _regions(band)))
                row += 1
        return row, right

    def _put_region(self, region: Region, row: int, column: int) -> tuple[int, int]:
        """Puts a table; rows and columns in which no text begins are left out."""
        rows = starts({cell.top for cell in region.cells}, region.rows)
        columns = region.numbers = region.numbers or starts(region.used, len(region.edges) - 1)
        self._offsets[id(region)] = column
        for cell in region.cells:
            top, left = row + rows[cell.top], column + columns[cell.left]
            bottom, right = row + rows[cell.bottom + 1] - 1, column + columns[cell.right + 1] - 1
            self._cells.setdefault(top, {})[left] = cell.text
            self._tabular.add(top)
            if cell.indent:
                self._indents[top, left] = cell.indent
            if bottom > top or right > left:
                self.grid.merges.append(Range(top, left, bottom, right))
        return row + rows[-1], column + columns[-1]

    def _put_line(self, line: Line, row: int, column: int, around: Sequence[Region]) -> None:
        """Puts a line of text in the columns of the tables it stands over."""
        chunks = chunks_of(line)
        if len(chunks) == 1 or any(chunk.figure for chunk in chunks):
            place, merge = self._column_of(line, column, around)
            self._cells.setdefault(row, {})[place] = line.text
            if merge > place:
                self.grid.merges.append(Range(row, place, row, merge))
            return
        cells = self._cells.setdefault(row, {})
        for chunk in chunks:
            place, _ = self._column_of(chunk, column, around)
            cells[place] = f"{cells[place]}  {chunk.text}" if place in cells else chunk.text

    def _column_of(self, text: Line | Chunk, column: int, around: Sequence[Region]) -> tuple[int, int]:
        """The columns of a text: those of all the table if it is in its middle, else the first or the last."""
        over = [r for r in around if text.left < r.right and r.left < text.right and id(r) in self._offsets]
        if not over:
            return column, column
        region = min(over, key=lambda r: r.left)
        first = self._offsets[id(region)]
        last = first + region.numbers[-1] - 1
        middle, width = (region.left + region.right) / 2, region.right - region.left
        if abs((text.left + text.right) / 2 - middle) < 0.05 * width and text.left > region.left + 0.1 * width:
            return first, last
        return (last, last) if text.left > middle else (first, first)


def starts(used: set[int], count: int) -> list[int]:
    """For each row or column, and the one after the last: how many before it are used."""
    return list(accumulate((int(i in used) for i in range(count)), initial=0))


def _regions(band: Sequence[Item]) -> list[Region]:
    return [item for item in band if isinstance(item, Region)]


def _level(left: Sequence[Item], right: Sequence[Item]) -> bool:
    """Two tables of the same height and as many rows: perhaps one, with a narrow gap in it."""
    tables = _regions([*left, *right])
    if len(tables) < 2 or len(left) + len(right) > 2:
        return False
    one, other = tables
    return one.rows == other.rows and abs(one.top - other.top) < 3 and abs(one.bottom - other.bottom) < 3


def _bands(items: Sequence[Item]) -> list[list[Item]]:
    """Items from top to bottom; those that share a stretch of the height together."""
    bands: list[list[Item]] = []
    bottom = 0.0
    for item in sorted(items, key=lambda i: (i.top, i.left)):
        if bands and item.top < bottom - 1:
            bands[-1].append(item)
        else:
            bands.append([item])
            bottom = item.bottom
        bottom = max(bottom, item.bottom)
    return bands


def _columns(band: Sequence[Item]) -> list[list[Item]]:
    """Items from left to right; those that share a stretch of the width together, from top to bottom."""
    columns: list[list[Item]] = []
    right = 0.0
    for item in sorted(band, key=lambda i: i.left):
        if columns and item.left < right:
            columns[-1].append(item)
        else:
            columns.append([item])
            right = item.right
        right = max(right, item.right)
    return [sorted(column, key=lambda i: i.top) for column in columns]
