"""What only the place of a label shows in print: what it was merged over, and how far it is indented.

A program prints a label that is merged over several rows in their middle, or beside the last of them. Middles are
proof: from the first row on, each label must close its group exactly, down to the last row. A label beside the first of
its rows is left as it is: rows below a label belong to it anyway.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

from converters.formats.pdf.shapes import Cell

OFF = 0.3
"""A label may be so far from the middle of its rows, in heights of a row."""

STEP = (0.4, 4.0)
"""One level of indentation is so wide at least and at most, in heights of the letters."""

MAX_LEVELS = 6

Group = tuple[int, int]


def merge_labels(cells: Sequence[Cell], middles: Sequence[float], header: int) -> None:
    """Makes labels of a table without rules span their rows.

    Args:
        cells: those of the table; they are changed.
        middles: the y of the middle of each row.
        header: how many rows of the table are its header.
    """
    columns: dict[int, dict[int, Cell]] = {}
    for cell in cells:
        if cell.top >= header:
            columns.setdefault(cell.left, {})[cell.top] = cell
    _merge(columns, 0, range(header, len(middles)), middles)


def _merge(columns: dict[int, dict[int, Cell]], column: int, within: range, middles: Sequence[float]) -> None:
    """Does so in one column and some rows; then in the next column, for the rows of each label."""
    labels = [columns[column][row] for row in within if row in columns.get(column, ())]
    rows = [row for row in within if any(row in columns[c] for c in columns if c > column)]
    if not labels or not rows or labels[0].top <= rows[0] or any(label.right > column for label in labels[:-1]):
        return
    centred, closing = _centred(labels, rows, middles), _closing(labels, rows)
    groups = closing if closing and (not centred or _are_alike(labels, columns)) else centred
    for label, (first, last) in zip(labels, groups, strict=False):
        label.top, label.bottom = first, last
        if last > first:
            _merge(columns, column + 1, range(first, last + 1), middles)


def _are_alike(labels: Sequence[Cell], columns: Mapping[int, Mapping[int, Cell]]) -> bool:
    """The same text stands beside all labels: each group ends with it ("계", "4분기")."""
    beside = [columns[label.right + 1].get(label.top) for label in labels if label.right + 1 in columns]
    texts = [cell.text for cell in beside if cell is not None]
    return len(texts) > 1 and len(set(texts)) == 1


def _centred(labels: Sequence[Cell], rows: Sequence[int], middles: Sequence[float]) -> list[Group]:
    """The first and the last row of each label's group; none if a label is in the middle of no group."""
    pitch = (middles[rows[-1]] - middles[rows[0]]) / max(1, len(rows) - 1)
    groups: list[Group] = []
    start = 0
    for label in labels:
        wanted = middles[label.top]
        ends = (
            i
            for i in range(start, len(rows))
            if abs((middles[rows[start]] + middles[rows[i]]) / 2 - wanted) < OFF * pitch
        )
        end = next(ends, None)
        if end is None:
            return []
        groups.append((rows[start], rows[end]))
        start = end + 1
    return groups if start == len(rows) else []


def _closing(labels: Sequence[Cell], rows: Sequence[int]) -> list[Group]:
    """Groups that each end with the row of their label."""
    place = {row: i for i, row in enumerate(rows)}
    if labels[-1].top != rows[-1] or any(label.top not in place for label in labels):
        return []
    starts = [rows[0], *(rows[place[label.top] + 1] for label in labels[:-1])]
    return [(start, label.top) for start, label in zip(starts, labels, strict=True)]


def raise_headers(cells: Sequence[Cell], header: int, width: int) -> None:
    """Headers of the last level, left or right of all that the levels above span, span those levels too.

    Args:
        cells: those of the table; they are changed.
        header: how many of its rows are its header.
        width: how many columns it has.
    """
    for row in range(header - 1, 0, -1):
        upper = [cell for cell in cells if cell.top == row - 1]
        spanned = {column for cell in upper for column in range(cell.left, cell.right + 1)}
        whole = len(spanned) > width / 2 and len(spanned) == max(spanned) - min(spanned) + 1
        if not whole or any(cell.text.startswith("(") for cell in upper):
            return
        for cell in cells:
            if cell.top == row and cell.bottom == header - 1 and not spanned.intersection((cell.left, cell.right)):
                cell.top -= 1


def indent_labels(cells: Sequence[Cell], size: float) -> None:
    """Sets the level of indentation of the texts in the first column, if they begin at a few places in line.

    Args:
        cells: those of the table.
        size: the height of the letters.
    """
    labels = [cell for cell in cells if cell.left == cell.right == 0]
    levels: list[float] = []
    for x in sorted(cell.x for cell in labels):
        if not levels or x - levels[-1] > 0.25 * size:
            levels.append(x)
    steps = [b - a for a, b in itertools.pairwise(levels)]
    if not 2 <= len(levels) <= MAX_LEVELS or not all(STEP[0] * size <= step <= STEP[1] * size for step in steps):
        return
    level = {id(cell): max(i for i, x in enumerate(levels) if x <= cell.x + 0.01) for cell in labels}
    often = Counter(level.values())
    if often[0] < 2 or sum(count for count in often.values() if count == 1) > len(labels) / 4:
        return  # centred or right-aligned texts begin anywhere
    for cell in labels:
        cell.indent = level[id(cell)]
