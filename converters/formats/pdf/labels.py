"""Labels that were merged over several rows of a table without rules: their place alone shows which rows.

A program prints such a label in the middle of its rows, or beside the last of them. Middles are proof: from the first
row on, each label must close its group exactly, down to the last row. A label beside the first of its rows is left as
it is: rows below a label belong to it anyway.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from converters.formats.pdf.shapes import Cell

OFF = 0.3
"""A label may be so far from the middle of its rows, in heights of a row."""


def merge_labels(cells: list[Cell], middles: Sequence[float], header: int) -> None:
    """Makes the labels of the first column span their rows.

    Args:
        cells: those of the table; they are changed.
        middles: the y of the middle of each row.
        header: how many rows of the table are its header.
    """
    labels = [cell for cell in cells if cell.left == 0 and cell.top >= header]
    rows = sorted({cell.top for cell in cells if cell.left > 0 and cell.top >= header})
    if not labels or not rows or labels[0].top <= rows[0] or any(label.right > 0 for label in labels[:-1]):
        return
    groups = min(_centred(labels, rows, middles), _closing(labels, rows), key=_unevenness)
    for label, (first, last) in zip(labels, groups, strict=False):
        label.top, label.bottom = first, last


def _unevenness(groups: Sequence[tuple[int, int]]) -> float:
    """How much the sizes of groups differ, if there are any: of two explanations the more even one is taken."""
    return sum((last - first + 1) ** 2 for first, last in groups) or math.inf


def _centred(labels: Sequence[Cell], rows: Sequence[int], middles: Sequence[float]) -> list[tuple[int, int]]:
    """The first and the last row of each label's group; none if a label is in the middle of no group."""
    pitch = (middles[rows[-1]] - middles[rows[0]]) / max(1, len(rows) - 1)
    groups: list[tuple[int, int]] = []
    start = 0
    for label in labels:
        end = next(
            (
                i
                for i in range(start, len(rows))
                if abs((middles[rows[start]] + middles[rows[i]]) / 2 - middles[label.top]) < OFF * pitch
            ),
            None,
        )
        if end is None:
            return []
        groups.append((rows[start], rows[end]))
        start = end + 1
    return groups if start == len(rows) else []


def _closing(labels: Sequence[Cell], rows: Sequence[int]) -> list[tuple[int, int]]:
    """Groups that each end with the row of their label."""
    if labels[-1].top != rows[-1] or any(label.top not in rows for label in labels):
        return []
    starts = [rows[0], *(rows[rows.index(label.top) + 1] for label in labels[:-1])]
    return [(start, label.top) for start, label in zip(starts, labels, strict=True)]
