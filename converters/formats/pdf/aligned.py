"""Tables without rules between their columns: what stands in line across some lines of text.

Lines of several chunks that follow each other closely may be a table; columns.py finds its columns. A text over several
columns is merged over them. Parts of one table on several pages have the same columns.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from converters.formats.pdf.columns import EXACT, Column, Row, columns_of, gulfs, header_of, place, spread
from converters.formats.pdf.labels import indent_labels, merge_labels, raise_headers
from converters.formats.pdf.shapes import Cell, Line, Region, Rule

FAR = 2.6
"""A line so many times the usual distance below the last one is no longer of the same table."""

CLOSE = 0.75
"""A line nearer than this share of the usual distance goes on with the cells above."""

LONG = 15.0
"""Texts without figures that are usually longer, in heights of letters, are prose in columns."""

LEADER = re.compile(r"[.·…․‥]{4,}|(?:[.·]\s){4,}")


@dataclass(slots=True)
class _Group:
    """Rows that follow each other closely, and the columns they stand in if they are a table."""

    rows: list[Row]
    columns: list[Column]


def take_tables(
    pages: Sequence[Sequence[Line]], rules: Sequence[Sequence[Rule]]
) -> list[tuple[list[Region], list[Line]]]:
    """For each page, the tables that its lines show, and the lines outside of them.

    Args:
        pages: the lines of each page, from top to bottom.
        rules: the horizontal rules of each page.
    """
    groups = [list(_groups([Row.of(line) for line in lines])) for lines in pages]
    _join_pages(groups)
    found = []
    for page, walls in zip(groups, rules, strict=True):
        regions: list[Region] = []
        outside: list[Line] = []
        for group in page:
            if group.columns:
                regions.append(_region(group, walls))
            else:
                outside.extend(row.line for row in group.rows)
        found.append((regions, outside))
    return found


def _join_pages(pages: Sequence[Sequence[_Group]]) -> None:
    """Gives the parts of a table that goes on over pages the same columns."""
    run: list[_Group] = []
    for page in pages:
        first = page[0] if page else None
        if run and first is not None and _agree(run[-1], first):
            run.append(first)
            if len(page) == 1:
                continue
        _share_columns(run)
        run = [page[-1]] if page and page[-1].columns else []
    _share_columns(run)


def _agree(upper: _Group, lower: _Group) -> bool:
    if max(len(row.chunks) for row in lower.rows) < 2:
        return False
    together = len(columns_of(upper.rows + lower.rows))
    return together == max(len(upper.columns), len(lower.columns))


def _share_columns(run: Sequence[_Group]) -> None:
    if len(run) > 1:
        columns = columns_of([row for group in run for row in group.rows])
        for group in run:
            group.columns = columns


def _groups(rows: Sequence[Row]) -> Iterator[_Group]:
    """Runs of rows that may be a table together, and those between."""
    near: list[Row] = []
    for i, row in enumerate(rows):
        if near and (_far(near, row) or _begins(near, rows[i : i + 3])):
            yield from _trimmed(near)
            near = []
        near.append(row)
    if near:
        yield from _trimmed(near)


def _far(near: Sequence[Row], row: Row) -> bool:
    pitch = [b.line.middle - a.line.middle for a, b in itertools.pairwise(near[-9:])]
    usual = max(median(pitch), 1.2 * row.line.size) if pitch else 1.5 * row.line.size
    return row.line.middle - near[-1].line.middle > FAR * usual


def _begins(near: Sequence[Row], following: Sequence[Row]) -> bool:
    """A lone text over a header that is new, below figures: the next table begins."""
    if len(following) < 3 or len(following[0].chunks) > 1 or not any(row.figures for row in near):
        return False
    title, header, body = following
    if len(header.chunks) < 2 or header.figures or not body.figures or title.figures:
        return False
    texts = [chunk.text for chunk in header.chunks]
    return all(texts != [chunk.text for chunk in row.chunks] for row in near)


def _trimmed(near: list[Row]) -> Iterator[_Group]:
    """Without lone texts over and under it; a lone text among the rows is a section of the table."""
    several = [i for i, row in enumerate(near) if len(row.chunks) > 1]
    if not several:
        yield _Group(near, [])
        return
    first, last = several[0], several[-1]
    while first and _spans(near[first - 1], near[first : first + 4]):
        first -= 1
    if first:
        yield _Group(near[:first], [])
    rows = near[first : last + 1]
    columns = columns_of(rows)
    yield _Group(rows, columns if _is_table(rows, columns) else [])
    if near[last + 1 :]:
        yield _Group(near[last + 1 :], [])


def _spans(upper: Row, below: Sequence[Row]) -> bool:
    """A lone text is the upper level of a header: it stands over columns after the first, as close as a line."""
    [chunk, *more] = upper.chunks
    lower = below[0]
    size = lower.line.size
    if more or chunk.text.startswith(("(", "[", "※", "*")) or len(chunk.text) > 30 or upper.line.size > 1.2 * size:
        return False
    if lower.line.middle - upper.line.middle > 2 * size or chunk.left < min(row.line.left for row in below) + size:
        return False
    under = [c for c in lower.chunks if c.left < chunk.right and chunk.left < c.right]
    return len(under) > 1 or any(abs(c.left - chunk.left) < EXACT for c in lower.chunks[:-1])


def _region(group: _Group, rules: Sequence[Rule]) -> Region:
    """The table that rows make."""
    lines, columns = group.rows, group.columns
    rows = _rows(lines, columns, rules)
    header = header_of([parts[0] for parts in rows])
    cells = [
        cell for number, parts in enumerate(rows) for cell in _cells(number, parts, columns, upper=number < header - 1)
    ]
    if header:
        raise_headers(cells, header, len(columns))
        merge_labels(cells, [parts[0].line.middle for parts in rows], header)
    indent_labels([cell for cell in cells if cell.top >= header], lines[-1].line.size)
    edges = [columns[0][0], *((a[1] + b[0]) / 2 for a, b in itertools.pairwise(columns)), columns[-1][1]]
    spacers = gulfs(columns, lines)
    for shift, column in enumerate(spacers):
        _insert(cells, edges, column + shift, columns[column])
    top, bottom = min(row.line.top for row in lines), max(row.line.bottom for row in lines)
    return Region(
        edges[0],
        top,
        edges[-1],
        bottom,
        edges,
        len(rows),
        cells,
        frozenset(column + shift for shift, column in enumerate(spacers)),
    )


def _insert(cells: Sequence[Cell], edges: list[float], place: int, column: Column) -> None:
    """Makes an empty column before one."""
    edges.insert(place + 1, column[0])
    for cell in cells:
        cell.left += cell.left >= place
        cell.right += cell.right >= place


def _is_table(group: Sequence[Row], columns: Sequence[Column]) -> bool:
    """Whether rows look like a table and not like prose, a list or the labels of a chart."""
    several = [row for row in group if len(row.chunks) > 1]
    if len(columns) < 2 or len(several) < (3 if len(columns) == 2 else 2) or len(several) * 2 < len(group):
        return False
    if sum(bool(LEADER.search(row.line.text)) for row in several) * 3 > len(several):
        return False
    filled = sum(len(row.chunks) for row in several)
    figures = sum(row.figures for row in several)
    if figures * 5 >= filled:
        return filled * 3 >= len(several) * len(columns)
    lengths = [(c.right - c.left) / row.line.size for row in several for c in row.chunks]
    return median(lengths) <= LONG and filled * 5 >= 3 * len(several) * len(columns) and len(several) > 2


def _rows(group: Sequence[Row], columns: Sequence[Column], rules: Sequence[Rule]) -> list[list[Row]]:
    """The lines of each row: one, or several where rules or the distance show that a cell's text goes on."""
    gaps = [lower.line.middle - upper.line.middle for upper, lower in itertools.pairwise(group)]
    usual = median(gaps) if gaps else 0.0
    walls = _walls(group, rules)
    rows = [[group[0]]]
    for (upper, lower), gap in zip(itertools.pairwise(group), gaps, strict=True):
        apart = any(upper.line.middle < y < lower.line.middle for y in walls) if walls else gap > CLOSE * usual
        if apart or lower.figures or not any(row.figures for row in rows[-1]) or not _continues(upper, lower, columns):
            rows.append([lower])
        else:
            rows[-1].append(lower)
    return rows


def _walls(group: Sequence[Row], rules: Sequence[Rule]) -> list[float]:
    """The y of the rules across a table, if there are enough to part its rows."""
    left, right = min(row.line.left for row in group), max(row.line.right for row in group)
    first, last = group[0].line.middle, group[-1].line.middle
    walls = [r.at for r in rules if first < r.at < last and r.start <= left + 9 and r.end >= right - 9]
    return walls if len(walls) > 2 and len(walls) * 4 >= len(group) else []


def _continues(upper: Row, lower: Row, columns: Sequence[Column]) -> bool:
    """Over each text of a line stands another that it may be the rest of."""
    above = {place(chunk, columns)[0] for chunk in upper.chunks}
    return all(place(chunk, columns)[0] in above for chunk in lower.chunks)


def _cells(number: int, rows: Sequence[Row], columns: Sequence[Column], *, upper: bool) -> list[Cell]:
    """The cells of one row of the table."""
    cells: dict[int, Cell] = {}
    for row in rows:
        fresh: dict[int, Cell] = {}
        places = spread(row.chunks, columns) if upper else [place(chunk, columns) for chunk in row.chunks]
        for chunk, (first, last) in zip(row.chunks, places, strict=True):
            if first in fresh:
                fresh[first].text += f" {chunk.text}"
                fresh[first].right = max(fresh[first].right, last)
            else:
                fresh[first] = Cell(number, first, number, last, chunk.text, chunk.left)
        for column, cell in fresh.items():
            if column in cells:
                cells[column].text += f"\n{cell.text}"
            else:
                cells[column] = cell
    return list(cells.values())
