"""Records on a grid, for formats whose columns have names: row 1 is the header, row n + 1 the n-th record."""

from __future__ import annotations

from collections.abc import Sequence

from converters.grid import Grid
from converters.model import Page, Problem, Scalar

Path = tuple[str, ...]


def lay_out(grid: Grid, paths: Sequence[Path], rows: Sequence[list[Scalar]]) -> None:
    """Puts a header and records on a grid.

    Args:
        paths: the name of each column, outermost first. However deep they are, the file counts them as one row.
        rows: the values of each record, in the order of the columns.
    """
    depth = max(map(len, paths))
    for level in range(depth):
        grid.rows[level] = [path[level] if level < len(path) else None for path in paths]
    grid.rows.update(enumerate(rows, depth))
    grid.header_rows = depth
    if depth > 1:
        grid.pages = [Page(0, grid.sheet, 0), Page(depth, grid.sheet, 1)]


def time_zone(path: Path, zone: str) -> Problem:
    """The notice about times that are given as the clocks of a zone show them."""
    return Problem("time_zone", f"The times of '{'.'.join(path)}' are those of {zone}.", "Nothing has to be done.")
