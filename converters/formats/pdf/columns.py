"""Where the columns of a table are that no rules part: by gutters, and by what stands in line with the header.

A line is cut into chunks where a gap is wide, and between two figures at any space. Columns are the stretches that
chunks of the body cover, parted by gutters that (almost) none crosses. Too many cuts do no harm: a label of two words
is one cell again, as other labels cover the gap between them. A header names the column that it stands over, else the
nearest that has no name yet: left-aligned headers and right-aligned figures need not overlap.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from converters.formats.pdf.shapes import Line, Word, joined, nearest

WIDE = 1.0
"""A gap of so many times the height of the letters parts two chunks."""

NARROWEST = 0.15
"""Gutters may be as narrow as so many times the height of the letters."""

EXACT = 1.5
"""Texts that are aligned with each other begin, in points, so near to one another."""

OFF = 0.7
"""A text is in the middle of columns if it is off by less than so many heights of its letters."""

MAX_GROUPS = 10_000

GULF = 2.5
"""Tables beside each other are so many heights of the letters apart, and further than their columns are."""

MAX_HEADER = 5

Column = tuple[float, float]
"""Left and right of what stands in it."""

FIGURE = re.compile(r"[-−–△▲▽▼+±(₩￦$€£¥\\]*\d[\d,.]*\s*(?:%p?|[)원円])*|[-–—]")
YEAR = re.compile(r"(?:19|20)\d\d")
DASHES = frozenset("-–—")
PAGE_MARK = re.compile(r"[-–—]\s*\d+\s*[-–—]")


@dataclass(slots=True)
class Chunk:
    """Words of a line with no wide gap between them.

    Args:
        figure: it is a number, or the mark for none.
        year: it is a number that may be a year, and so a header.
    """

    words: list[Word]
    left: float
    right: float
    text: str
    figure: bool
    year: bool

    @classmethod
    def of(cls, words: list[Word]) -> Chunk:
        """Of words from left to right."""
        text = joined(words)
        figure = FIGURE.fullmatch(text) is not None
        return cls(words, words[0].left, words[-1].right, text, figure, figure and YEAR.fullmatch(text) is not None)

    @property
    def middle(self) -> float:
        """The x of its middle."""
        return (self.left + self.right) / 2


@dataclass(slots=True)
class Row:
    """A line and its chunks."""

    line: Line
    chunks: list[Chunk]

    @classmethod
    def of(cls, line: Line) -> Row:
        """Of a line of text."""
        return cls(line, chunks_of(line))

    @property
    def figures(self) -> int:
        """How many of its chunks are."""
        return sum(chunk.figure for chunk in self.chunks)

    @property
    def is_header(self) -> bool:
        """It holds no figure but years."""
        return not any(chunk.figure and not chunk.year for chunk in self.chunks)


def chunks_of(line: Line) -> list[Chunk]:
    """The chunks of a line, from left to right."""
    if len(line.words) > 1 and PAGE_MARK.fullmatch(line.text):
        return [Chunk.of(line.words)]
    parts = [[line.words[0]]]
    for before, word in itertools.pairwise(line.words):
        size = min(before.size, word.size)
        gap = word.left - before.right
        if gap >= WIDE * size or (gap > NARROWEST * size and _are_two(before.text, word.text)):
            parts.append([word])
        else:
            parts[-1].append(word)
    return [Chunk.of(words) for words in parts]


def _are_two(before: str, text: str) -> bool:
    """Both are figures: a number, and another or the mark for none."""
    if not before[-1:].isdigit() or not FIGURE.fullmatch(before):
        return False
    return text in DASHES or (text[-1:].isdigit() and FIGURE.fullmatch(text) is not None)


def header_of(rows: Sequence[Row]) -> int:
    """How many of the first rows are over the first one with figures; 0 if that is no header."""
    depth = next((i for i, row in enumerate(rows) if not row.is_header), len(rows))
    return depth if depth <= MAX_HEADER and depth < len(rows) else 0


def columns_of(rows: Sequence[Row]) -> list[Column]:
    """Left and right of each column that rows stand in."""
    several = [row for row in rows if len(row.chunks) > 1]
    depth = header_of(several)
    header, body = several[:depth], several[depth:]
    if header:
        _cut_under(header, body)
    body = [row for row in body if row.figures] or body
    size = median(row.line.size for row in body)
    columns = covered([c for row in body for c in row.chunks], len(body) // 25, NARROWEST * size)
    columns = _without_strays(columns, body)
    for row in reversed(header):
        _claim(row, columns)
    return _complementary(columns, header[-1], body) if header else columns


def _cut_under(header: Sequence[Row], rows: Sequence[Row]) -> None:
    """Cuts chunks where a word begins right under the beginning of a header: a number and a note may nearly touch."""
    starts = sorted({c.left for row in header for c in row.chunks[1:]})
    for row in rows if starts else ():
        chunks: list[Chunk] = []
        for chunk in row.chunks:
            first = 0
            for i, word in enumerate(chunk.words[1:], 1):
                if abs(starts[nearest(starts, word.left)] - word.left) < EXACT:
                    chunks.append(Chunk.of(chunk.words[first:i]))
                    first = i
            chunks.append(Chunk.of(chunk.words[first:]) if first else chunk)
        row.chunks = chunks


def covered(chunks: Sequence[Chunk], tolerance: int, gutter: float) -> list[Column]:
    """The stretches that more than `tolerance` chunks cover, with gaps of at least `gutter` between them."""
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


def _claim(row: Row, columns: list[Column]) -> None:
    """Widens columns to what their header covers: it need not stand right over its figures.

    A row with few texts is an upper level: its texts may well stand between columns.
    """
    places = [over(chunk, columns) for chunk in row.chunks]
    start = 0
    for loose, run in itertools.groupby(places, key=lambda found: not found):
        end = start + len(list(run))
        if loose and 2 * len(row.chunks) > len(columns):
            low = places[start - 1][-1] + 1 if start else 0
            high = places[end][0] if end < len(places) else len(columns)
            places[start:end] = _named(row.chunks[start:end], columns, range(low, high))
        start = end
    for chunk, found in zip(row.chunks, places, strict=True):
        if len(found) == 1:
            _widen(columns, found[0], chunk)
    first, last = columns[0][0], columns[-1][1]
    for chunk, found in zip(row.chunks, places, strict=True):
        if not found and (2 * len(row.chunks) > len(columns) or chunk.right < first or chunk.left > last):
            columns.append((chunk.left, chunk.right))
    columns.sort()


def _named(chunks: Sequence[Chunk], columns: Sequence[Column], free: range) -> list[list[int]]:
    """The column of each header that stands over none: in order if as many are free, else a near one, or none."""
    if len(chunks) == len(free):
        return [[i] for i in free]
    named: list[list[int]] = []
    for chunk in chunks:
        right = next((i for i in free if columns[i][0] > chunk.left), free.stop)
        near = [i for i in (right, right - 1) if i in free and [i] not in named]
        named.append(near[:1])
    return named


def _widen(columns: list[Column], i: int, chunk: Chunk) -> None:
    low = columns[i - 1][1] if i else -math.inf
    high = columns[i + 1][0] if i + 1 < len(columns) else math.inf
    columns[i] = max(min(columns[i][0], chunk.left), low), min(max(columns[i][1], chunk.right), high)


def _complementary(columns: list[Column], header: Row, body: Sequence[Row]) -> list[Column]:
    """Neighbours with one header between them, of which no row fills both, are one column: "-" left, figures right."""
    named = {i for chunk in header.chunks for i in over(chunk, columns)}
    filled = [{i for chunk in row.chunks for i in over(chunk, columns)} for row in body]
    kept = columns[:1]
    last = 0
    for i, column in enumerate(columns[1:], 1):
        if not (i in named and last in named) and not any(i in row and last in row for row in filled):
            kept[-1] = (kept[-1][0], column[1])
            filled = [row | {i} if last in row else row for row in filled]
            named |= {i} if last in named else set()
        else:
            kept.append(column)
        last = i
    return kept


def over(chunk: Chunk, columns: Sequence[Column]) -> list[int]:
    """The columns that a chunk stands in."""
    return [i for i, (left, right) in enumerate(columns) if chunk.left < right and left < chunk.right]


def place(chunk: Chunk, columns: Sequence[Column]) -> tuple[int, int]:
    """The first and the last column that a chunk stands in; the nearest if it is in a gutter."""
    found = over(chunk, columns)
    if found:
        return found[0], found[-1]
    closest = min(range(len(columns)), key=lambda i: min(abs(edge - chunk.middle) for edge in columns[i]))
    return closest, closest


def spread(chunks: Sequence[Chunk], columns: Sequence[Column]) -> list[tuple[int, int]]:
    """The columns that each text of an upper header level is over: those it begins, or is in the middle of."""
    begun = [_begun(chunk, columns) for chunk in chunks]
    inner = [(chunk, first) for chunk, first in zip(chunks, begun, strict=True) if first != 0]
    if inner and all(first and abs(columns[first][0] - chunk.left) < EXACT for chunk, first in inner):
        return _from_left(begun, len(columns))
    centred = _centred(chunks, columns)
    if all(centred):
        return [group for group in centred if group]
    if inner and all(first and chunk.left < columns[first][0] + EXACT for chunk, first in inner):
        return _from_left(begun, len(columns))
    return [group or place(chunk, columns) for chunk, group in zip(chunks, centred, strict=True)]


def _begun(chunk: Chunk, columns: Sequence[Column]) -> int | None:
    """The column that a text stands at the beginning of, or before; None right of all."""
    found = over(chunk, columns)
    return found[0] if found else next((i for i, (left, _) in enumerate(columns) if left > chunk.left), None)


def _from_left(begun: Sequence[int | None], count: int) -> list[tuple[int, int]]:
    """Each text spans the columns up to the next; the last as many as the one before it."""
    firsts = [first or 0 for first in begun]
    found: list[tuple[int, int]] = []
    for first, after in zip(firsts, [*firsts[1:], count], strict=True):
        last = max(first, after - 1) if first else 0
        if after == count and found and found[-1][0]:
            last = min(last, first + found[-1][1] - found[-1][0])
        found.append((first, last))
    return found


def _centred(chunks: Sequence[Chunk], columns: Sequence[Column]) -> list[tuple[int, int] | None]:
    """The columns that each text is in the middle of; None where it is in the middle of none."""
    places = [place(chunk, columns) for chunk in chunks]
    nexts = [*(first for first, _ in places[1:]), len(columns)]
    found: list[tuple[int, int] | None] = []
    low = 0
    for chunk, (first, last), after in zip(chunks, places, nexts, strict=True):
        starts = range(low if low or first == 0 else 1, first + 1)
        groups = [(i, j) for i in starts for j in range(last, after)][:MAX_GROUPS]
        off = {(i, j): abs((columns[i][0] + columns[j][1]) / 2 - chunk.middle) for i, j in groups}
        best = min(groups, key=lambda group: off[group], default=None)
        found.append(best if best and off[best] < OFF * chunk.words[0].size else None)
        low = (found[-1] or (first, last))[1] + 1
    return found


def gulfs(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    """The columns before which a gutter is so wide, and which hold labels again, that another table begins there."""
    gutters = [b[0] - a[1] for a, b in itertools.pairwise(columns)]
    size = median(row.line.size for row in rows)
    found = []
    for i, gutter in enumerate(gutters, 1):
        others = [g for j, g in enumerate(gutters, 1) if j != i and j not in found]
        if gutter > GULF * size and others and gutter > 1.5 * max(others) and _is_label(i, columns, rows):
            found.append(i)
    return found


def _is_label(column: int, columns: Sequence[Column], rows: Sequence[Row]) -> bool:
    """It holds texts, with figures to the left and to the right of them."""
    rows = [row for row in rows if row.figures]
    places = [(place(chunk, columns)[0], chunk.figure) for row in rows for chunk in row.chunks]
    here = [figure for at, figure in places if at == column]
    return (
        not any(here)
        and bool(here)
        and any(figure for at, figure in places if at == column - 1)
        and any(figure for at, figure in places if at > column)
    )
