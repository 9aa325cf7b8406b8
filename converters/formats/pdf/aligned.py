"""Tables without rules between their columns: what stands in line across some lines of text.

A line is cut into chunks where a gap is wide, and between two figures at any space. Lines of several chunks that follow
each other closely may be a table; its columns are the stretches that chunks cover, parted by gutters that (almost) no
chunk of the body crosses. Too many cuts do no harm: a label of two words is one cell again, as other labels cover the
gap between them. A text over several columns is merged over them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import median

from converters.formats.pdf.labels import merge_labels
from converters.formats.pdf.shapes import Cell, Line, Region, Rule, Word, joined, nearest

WIDE = 1.0
"""A gap of so many times the height of the letters parts two chunks."""

NARROWEST = 0.15
"""Gutters may be as narrow as so many times the height of the letters."""

FAR = 2.6
"""A line so many times its height below the last one is no longer of the same table."""

LONG = 30.0
"""Texts without figures that are longer on average, in heights of letters, are prose in columns."""

EXACT = 1.5
"""Texts that are aligned with each other begin, in points, so near to one another."""

MAX_HEADER = 4

Column = tuple[float, float]
"""Left and right of what stands in it."""

FIGURE = re.compile(r"[-−–△▲▽▼+±(₩￦$€£¥\\]*\d[\d,.]*\d*\s*(?:%p?|[)원円])*|[-–—]")
LEADER = re.compile(r"[.·…․‥]{4,}|(?:[.·]\s){4,}")


@dataclass(slots=True)
class Chunk:
    """Words of a line with no wide gap between them."""

    words: list[Word]

    @property
    def left(self) -> float:
        """Where it begins."""
        return self.words[0].left

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.words[-1].right

    @property
    def text(self) -> str:
        """What it says."""
        return joined(self.words)

    @property
    def figure(self) -> bool:
        """It is a number, or the mark for none."""
        return FIGURE.fullmatch(self.text) is not None


@dataclass(slots=True)
class Row:
    """A line and its chunks."""

    line: Line
    chunks: list[Chunk]

    @property
    def figures(self) -> int:
        """How many of its chunks are."""
        return sum(chunk.figure for chunk in self.chunks)


def chunks_of(line: Line) -> list[Chunk]:
    """The chunks of a line, from left to right."""
    chunks = [Chunk([line.words[0]])]
    for before, word in zip(line.words, line.words[1:], strict=False):
        size = min(before.size, word.size)
        gap = word.left - before.right
        figures = gap > NARROWEST * size and FIGURE.fullmatch(before.text) and FIGURE.fullmatch(word.text)
        if gap >= WIDE * size or (figures and not set(before.text + word.text) <= set("-–—")):
            chunks.append(Chunk([word]))
        else:
            chunks[-1].words.append(word)
    return chunks


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
    groups = [list(_groups([Row(line, chunks_of(line)) for line in lines])) for lines in pages]
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
    together = len(_columns(upper.rows + lower.rows))
    return together == max(len(upper.columns), len(lower.columns))


def _share_columns(run: Sequence[_Group]) -> None:
    if len(run) > 1:
        columns = _columns([row for group in run for row in group.rows])
        for group in run:
            group.columns = columns


def _groups(rows: Sequence[Row]) -> Iterator[_Group]:
    """Runs of rows that may be a table together, and those between."""
    near: list[Row] = []
    for row in rows:
        if near and _far(near, row):
            yield from _trimmed(near)
            near = []
        near.append(row)
    if near:
        yield from _trimmed(near)


def _far(near: Sequence[Row], row: Row) -> bool:
    pitch = [b.line.middle - a.line.middle for a, b in itertools.pairwise(near)]
    usual = max(median(pitch[-9:]), 1.2 * row.line.size) if pitch else 1.5 * row.line.size
    return row.line.middle - near[-1].line.middle > FAR * usual


def _trimmed(near: list[Row]) -> Iterator[_Group]:
    """Without lone texts over and under it; a lone text among the rows is a section of the table."""
    several = [i for i, row in enumerate(near) if len(row.chunks) > 1]
    if not several:
        yield _Group(near, [])
        return
    first, last = several[0], several[-1]
    while first and _spans(near[first - 1], near[first]):
        first -= 1
    if first:
        yield _Group(near[:first], [])
    rows = near[first : last + 1]
    columns = _columns(rows)
    yield _Group(rows, columns if _is_table(rows, columns) else [])
    if near[last + 1 :]:
        yield _Group(near[last + 1 :], [])


def _spans(upper: Row, lower: Row) -> bool:
    """A lone text is the upper level of a header: it stands over columns after the first."""
    if len(upper.chunks) > 1 or upper.line.text.startswith(("(", "[", "※", "*")):
        return False
    under = [c for c in lower.chunks if c.left < upper.line.right and upper.line.left < c.right]
    return len(under) > 1 and lower.chunks[0] not in under and len(upper.line.text) <= 30


def _region(group: _Group, rules: Sequence[Rule]) -> Region:
    """The table that rows make."""
    lines, columns = group.rows, group.columns
    rows = _rows(lines, rules)
    upper = _upper_header(rows)
    cells = [
        cell for number, parts in enumerate(rows) for cell in _cells(number, parts, columns, spread=number < upper)
    ]
    if header := len(_header(lines)):
        merge_labels(cells, [parts[0].line.middle for parts in rows], header)
    left, right = columns[0][0], columns[-1][1]
    edges = [left, *((a[1] + b[0]) / 2 for a, b in itertools.pairwise(columns)), right]
    top, bottom = min(row.line.top for row in lines), max(row.line.bottom for row in lines)
    return Region(left, top, right, bottom, edges, len(rows), cells)


def _columns(rows: Sequence[Row]) -> list[Column]:
    """Left and right of each column."""
    several = [row for row in rows if len(row.chunks) > 1]
    header = _header(several)
    if header:
        _cut_under(header, several)
    body = [row for row in several if row.figures] or several
    size = median(row.line.size for row in body)
    columns = covered([c for row in body for c in row.chunks], len(body) // 25, NARROWEST * size)
    columns = _without_strays(columns, body)
    for row in reversed(header):
        _claim(row, columns)
    return columns


def _header(rows: Sequence[Row]) -> list[Row]:
    """The rows over the first one with figures."""
    header = list(takewhile(lambda row: not row.figures, rows[: MAX_HEADER + 1]))
    return header if len(header) <= MAX_HEADER and len(header) < len(rows) else []


def _cut_under(header: Sequence[Row], rows: Sequence[Row]) -> None:
    """Cuts chunks where a word begins right under the beginning of a header: a number and a note may nearly touch."""
    starts = sorted({c.left for row in header for c in row.chunks[1:]})
    for row in rows:
        if row in header or not starts:
            continue
        chunks: list[Chunk] = []
        for chunk in row.chunks:
            first = 0
            for i, word in enumerate(chunk.words[1:], 1):
                if abs(starts[nearest(starts, word.left)] - word.left) < EXACT:
                    chunks.append(Chunk(chunk.words[first:i]))
                    first = i
            chunks.append(Chunk(chunk.words[first:]))
        row.chunks = chunks


def _claim(row: Row, columns: list[Column]) -> None:
    """Widens columns to what their header covers: it need not stand right over the figures, nor any figures below it."""
    taken = {i for chunk in row.chunks for i in _over(chunk, columns)}
    for chunk in row.chunks:
        over = _over(chunk, columns)
        if not over:
            right = sum(column[0] < chunk.left for column in columns)
            free = [i for i in (right, right - 1) if 0 <= i < len(columns) and i not in taken]
            if not free:
                columns.insert(right, (chunk.left, chunk.right))
                taken = {i + (i >= right) for i in taken} | {right}
                continue
            over = free[:1]
            taken.add(over[0])
        if len(over) == 1:
            i = over[0]
            left = max(min(columns[i][0], chunk.left), columns[i - 1][1] if i else chunk.left)
            right_edge = columns[i + 1][0] if i + 1 < len(columns) else chunk.right
            columns[i] = (left, min(max(columns[i][1], chunk.right), right_edge))


def _over(chunk: Chunk, columns: Sequence[Column]) -> list[int]:
    return [i for i, (left, right) in enumerate(columns) if chunk.left < right and left < chunk.right]


def covered(chunks: Sequence[Chunk], tolerance: int, gutter: float) -> list[Column]:
    """The stretches that more than `tolerance` chunks cover."""
    ends = sorted([(c.left, 1) for c in chunks] + [(c.right, -1) for c in chunks])
    columns: list[Column] = []
    depth, start = 0, 0.0
    for x, step in ends:
        before, depth = depth, depth + step
        if before <= tolerance < depth:
            start = x
        elif depth <= tolerance < before:
            if columns and start - columns[-1][1] < gutter:
                columns[-1] = (columns[-1][0], x)
            else:
                columns.append((start, x))
    return columns


def _without_strays(columns: list[Column], body: Sequence[Row]) -> list[Column]:
    """A stretch with a text or two next to others of its row is the end of the label before it: "합    계"."""
    kept = columns[:1]
    for column in columns[1:]:
        there = [c for row in body for c in row.chunks if c.left < column[1] and column[0] < c.right]
        few = len(there) <= max(1, len(body) // 10) and len(body) >= 4
        if few and there and not any(c.figure for c in there) and len(kept) == 1:
            kept[-1] = (kept[-1][0], column[1])
        else:
            kept.append(column)
    return kept


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
    return median(lengths) <= LONG / 2 and filled * 5 >= 3 * len(several) * len(columns) and len(several) > 2


def _rows(group: Sequence[Row], rules: Sequence[Rule]) -> list[list[Row]]:
    """The lines of each row: one, or several where rules or the distance show that a cell's text goes on."""
    left, right = min(row.line.left for row in group), max(row.line.right for row in group)
    walls = [r.at for r in rules if r.start <= left + 9 and r.end >= right - 9]
    walls = [y for y in walls if group[0].line.middle < y < group[-1].line.middle]
    gaps = [b.line.middle - a.line.middle for a, b in itertools.pairwise(group)]
    usual = median(gaps) if gaps else 0.0
    rows = [[group[0]]]
    for (upper, lower), gap in zip(itertools.pairwise(group), gaps, strict=True):
        walled = len(walls) * 2 >= len(group) / 2 and len(walls) > 2
        apart = any(upper.line.middle < y < lower.line.middle for y in walls) if walled else gap > 0.75 * usual
        if apart or lower.figures or not any(row.figures for row in rows[-1]):
            rows.append([lower])
        else:
            rows[-1].append(lower)
    return rows


def _upper_header(rows: Sequence[Sequence[Row]]) -> int:
    """How many rows at the top are levels of the header over another one."""
    depth = len(list(takewhile(lambda parts: not any(row.figures for row in parts), rows[: MAX_HEADER + 1])))
    return depth - 1 if depth <= MAX_HEADER and depth < len(rows) else 0


def _cells(number: int, rows: Sequence[Row], columns: Sequence[Column], *, spread: bool) -> list[Cell]:
    """The cells of one row of the table."""
    cells: dict[int, Cell] = {}
    for row in rows:
        places = [_place(chunk, columns) for chunk in row.chunks]
        if spread:
            places = _spread(row.chunks, places, columns)
        fresh: dict[int, Cell] = {}
        for chunk, (first, last) in zip(row.chunks, places, strict=True):
            if first in fresh:
                fresh[first].text += f" {chunk.text}"
                fresh[first].right = max(fresh[first].right, last)
            else:
                fresh[first] = Cell(number, first, number, last, chunk.text)
        for column, cell in fresh.items():
            if column in cells:
                cells[column].text += f"\n{cell.text}"
            else:
                cells[column] = cell
    return list(cells.values())


def _place(chunk: Chunk, columns: Sequence[Column]) -> tuple[int, int]:
    """The first and the last column that a chunk stands in; the nearest if it is in a gutter."""
    over = _over(chunk, columns)
    if over:
        return over[0], over[-1]
    middle = (chunk.left + chunk.right) / 2
    closest = min(range(len(columns)), key=lambda i: min(abs(columns[i][0] - middle), abs(columns[i][1] - middle)))
    return closest, closest


def _spread(
    chunks: Sequence[Chunk], places: Sequence[tuple[int, int]], columns: Sequence[Column]
) -> list[tuple[int, int]]:
    """The columns that each text of an upper header level is over: those it is in the middle of, or begins."""
    found: list[tuple[int, int]] = []
    for k, (chunk, (first, last)) in enumerate(zip(chunks, places, strict=True)):
        low = found[-1][1] + 1 if found else first if first == 0 else 1
        high = places[k + 1][0] - 1 if k + 1 < len(places) else len(columns) - 1
        middle, size = (chunk.left + chunk.right) / 2, chunk.words[0].size
        groups = [(i, j) for i in range(low, first + 1) for j in range(last, high + 1)]
        off = {(i, j): abs((columns[i][0] + columns[j][1]) / 2 - middle) for i, j in groups}
        best = min(groups, key=lambda g: off[g], default=(first, last))
        if off.get(best, size) > 0.7 * size and abs(columns[first][0] - chunk.left) < EXACT and first:
            width = high if k + 1 < len(places) or not found else min(high, first + found[-1][1] - found[-1][0])
            best = (first, max(last, width))
        elif off.get(best, size) > 0.7 * size:
            best = (first, last)
        found.append(best)
    return found
