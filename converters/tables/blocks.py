"""Where on a sheet something stands: blocks, cut apart at blank rows and blank columns.

A block is a rectangle without a blank row or column in it. Lone lines over and under it (titles, notes, sign-off boxes)
are cut off first, because they bridge blank columns between tables that stand side by side.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from converters.grid import Grid
from converters.model import Range, Scalar
from converters.tables.cells import kind_of, text_of
from converters.tables.forms import is_form_row
from converters.tables.units import is_unit_note
from converters.tables.words import is_key_value, is_note, is_page_number, is_sign_off

PERIOD = re.compile(
    r"\d\s*[년월분기年月期]|^\s*(?:19|20)\d\d\s*$|분기|반기|당기|전기|당월|전월|누계|\bQ[1-4]\b|\bH[12]\b|\bFY", re.I
)
SAMPLE = 50
STAMP = re.compile(r"현재|기준|출력|작성|인쇄|as of|printed", re.I)


@dataclass
class Block:
    """Some rows of a grid between two columns (both included)."""

    grid: Grid
    rows: Sequence[int]
    left: int
    right: int
    lone: bool = False
    _kinds: dict[int, str] = field(default_factory=dict, repr=False)

    @property
    def top(self) -> int:
        """The first row."""
        return self.rows[0]

    @property
    def bottom(self) -> int:
        """The last row."""
        return self.rows[-1]

    @property
    def span(self) -> range:
        """Its columns."""
        return range(self.left, self.right + 1)

    def values(self, row: int) -> list[Scalar]:
        """The values of a row, as long as the block is wide."""
        values = self.grid.rows[row][self.left : self.right + 1]
        return values + [None] * (self.right + 1 - self.left - len(values))

    def kinds(self, row: int) -> str:
        """One letter a cell: n number, d date, t text, x nothing or an error, blank."""
        if row not in self._kinds:
            self._kinds[row] = "".join(
                kind_of(value, self.grid.look(row, column)) for column, value in enumerate(self.values(row), self.left)
            )
        return self._kinds[row]

    def kind(self, row: int, column: int) -> str:
        """The letter of one cell."""
        return self.kinds(row)[column - self.left]

    def text(self, row: int, column: int) -> str:
        """What a reader of the sheet sees in a cell; "" if nothing."""
        return shown_text(self.grid, row, column)

    def texts(self, row: int) -> list[tuple[int, str]]:
        """The cells of a row that hold something: column and what is seen."""
        return [(c, self.text(row, c)) for c, v in enumerate(self.values(row), self.left) if v is not None]

    def merge(self, row: int, column: int) -> Range | None:
        """The merged range over a cell."""
        return self.grid.covering.get((row, column))

    def spread(self, row: int, column: int) -> str:
        """As text, but a merged range shows its text in each of its cells."""
        merge = self.merge(row, column)
        return self.text(merge.top, merge.left) if merge else self.text(row, column)

    def column(self, column: int, rows: Sequence[int]) -> Sequence[Scalar]:
        """The values of one column in some rows."""
        columns = self.grid.columns(rows)
        return columns[column] if column < len(columns) else [None] * len(rows)


def shown_text(grid: Grid, row: int, column: int) -> str:
    """What a reader of the sheet sees in a cell; "" if nothing."""
    return text_of(grid.value(row, column), grid.look(row, column))


def find_blocks(grid: Grid) -> list[Block]:
    """All blocks of a sheet, from top to bottom, then left to right."""
    rows = [row for row in grid.rows if row not in grid.outside] if grid.outside else grid.numbers()
    blocks = list(_cut_rows(grid, rows, 0, grid.width - 1)) if rows else []
    blocks += [_trimmed(grid, [row], 0, grid.width - 1, lone=True) for row in sorted(grid.outside & grid.rows.keys())]
    return sorted(blocks, key=lambda b: (b.top, b.left))


def _cut_rows(grid: Grid, rows: Sequence[int], left: int, right: int) -> Iterator[Block]:
    band: list[int] = []
    whole = left == 0 and right >= grid.width - 1
    if whole and rows[-1] - rows[0] == len(rows) - 1:
        yield from _cut_columns(grid, rows, left, right)
        return
    for row in rows:
        if not whole and _is_blank(grid.rows[row], left, right):
            continue
        if band and row > band[-1] + 1 and not (_tied(grid, band[-1], row) or _heads(grid, band[-1], row, left, right)):
            yield from _cut_columns(grid, band, left, right)
            band = []
        band.append(row)
    if band:
        yield from _cut_columns(grid, band, left, right)


def _tied(grid: Grid, above: int, below: int) -> bool:
    """The rows between are blank only because cells that begin above are merged over them."""
    return (
        all(
            any((between, column) in grid.covering for column in range(grid.width))
            for between in range(above + 1, below)
        )
        if below - above <= 4
        else False
    )


def _heads(grid: Grid, above: int, row: int, left: int, right: int) -> bool:
    """A blank row that only sets the header off: all texts above it, figures with a label under each below it."""
    if row > above + 2 or row not in grid.rows:
        return False
    block = Block(grid, [above, row], left, right)
    kinds = block.kinds(row)
    figures = [column for column, kind in enumerate(kinds, left) if kind == "n"]
    labelled = kinds.lstrip()[:1] == "t"
    if not figures or not labelled or set(block.kinds(above)) - {"t", " "} or _is_sided(block, above):
        return False
    return len(block.texts(above)) > 1 and all(block.spread(above, column) for column in figures)


def _is_sided(block: Block, row: int) -> bool:
    return all(is_side_text(text) for _, text in block.texts(row))


def _is_blank(values: list[Scalar], left: int, right: int) -> bool:
    part = values[left : right + 1]
    return part.count(None) == len(part)


def _cut_columns(grid: Grid, band: Sequence[int], left: int, right: int) -> Iterator[Block]:
    above, core, below = _peel(Block(grid, band, left, right))
    yield from (_trimmed(grid, [row], left, right, lone=True) for row in (*above, *below))
    if not core:
        return
    groups = _column_groups(grid, core, left, right)
    if len(groups) <= 1:
        yield from (Block(grid, core, first, last) for first, last in groups)
        return
    for first, last in _fused(grid, core, groups):
        if (first, last) == (groups[0][0], groups[-1][1]):
            yield Block(grid, core, first, last)
        else:
            yield from _cut_rows(grid, core, first, last)


def _trimmed(grid: Grid, rows: Sequence[int], left: int, right: int, *, lone: bool) -> Block:
    used = [c for row in rows for c, v in enumerate(grid.rows[row][left : right + 1], left) if v is not None]
    return Block(grid, rows, min(used), max(used), lone)


def _peel(block: Block) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    """The lone lines over the block, its core, the lone lines under it."""
    rows = block.rows
    first, signed = 0, set[int]()
    while first < len(rows) - 1 and _is_lone(block, rows[first], rows[first + 1], signed):
        signed |= {c for c, text in block.texts(rows[first]) if is_sign_off(text)}
        first += 1
    if first == len(rows) - 1 and signed and all(column in signed for column, _ in block.texts(rows[first])):
        return rows, [], []
    last = len(rows)
    while last > first + 1 and _is_footer(block, rows[last - 1]):
        last -= 1
    if last == first + 1 and len(block.texts(rows[first])) == 1 and first + 1 < len(rows):
        return rows[: first + 1], [], rows[last:]
    return rows[:first], rows[first:last], rows[last:]


def _is_lone(block: Block, row: int, following: int, signed: set[int]) -> bool:
    """A title, a note, a sign-off box or a line of "key: value": something over a table."""
    cells = block.texts(row)
    if signed and all(column in signed for column, _ in cells):
        return True
    if _is_form(cells, block.texts(following)):
        return True
    pages = [text for _, text in cells if is_page_number(text)]
    plain = [(c, text) for c, text in cells if not is_side_text(text) or (len(pages) > 1 and text in pages)]
    answers = _answers(cells)
    plain = [(c, text) for c, text in plain if c not in answers]
    if len(plain) > 1:
        return _is_stamped_title(block, row, plain)
    if not plain:
        return len(cells) < max(3, len(block.texts(following))) or any(
            is_sign_off(t) or is_key_value(t) for _, t in cells
        )
    column, text = plain[0]
    if len(cells) == 1 and block.kind(row, column) in "nx":
        return False
    return not spans_columns(block, row, column, text)


def _is_form(cells: list[tuple[int, str]], following: list[tuple[int, str]]) -> bool:
    """A row of a form, not the header of a table with so few columns."""
    below = [text for _, text in following]
    return is_form_row([text for _, text in cells]) and (len(cells) < len(below) or is_form_row(below))


def spans_columns(block: Block, row: int, column: int, text: str) -> bool:
    """A lone text is the upper level of a header: it spans some columns of the table, but not the first."""
    merge = block.merge(row, column)
    if merge is None or merge.left == merge.right:
        left, fits = column, len(text) <= 16 and bool(PERIOD.search(text))
    else:
        left, fits = merge.left, len(text) <= 30 and merge.right <= block.right
    if not fits or STAMP.search(text):
        return False
    after = bisect_right(block.rows, row)
    below = block.rows[after : after + SAMPLE]
    return any(v is not None for r in below for v in block.values(r)[: max(0, left - block.left)])


def is_side_text(text: str) -> bool:
    """It says something of a table and is neither its title nor in it."""
    return is_unit_note(text) or is_key_value(text) or is_sign_off(text) or is_note(text)


def _answers(cells: list[tuple[int, str]]) -> set[int]:
    """The columns of cells that hold what "작성일:" to their left asks for."""
    return {c for (_, key), (c, _) in pairwise(cells) if key.rstrip().endswith((":", "："))}


def _is_stamped_title(block: Block, row: int, plain: list[tuple[int, str]]) -> bool:
    """A title with a date at its right, over a wider table."""
    return (
        len(plain) == 2
        and block.right - block.left >= 3
        and block.kind(row, plain[0][0]) == "t"
        and block.kind(row, plain[1][0]) == "d"
        and row == block.top
        and plain[1][0] > plain[0][0] + 1
    )


def _is_footer(block: Block, row: int) -> bool:
    cells = block.texts(row)
    if all(is_side_text(text) for _, text in cells):
        return True
    return len(cells) == 1 and block.kind(row, cells[0][0]) == "t" and len(cells[0][1]) > 30


def _column_groups(grid: Grid, rows: Sequence[int], left: int, right: int) -> list[tuple[int, int]]:
    """First and last column of each run of columns that hold something or are covered by a merged range."""
    used = [False] * (right - left + 1)
    for offset, values in enumerate(grid.columns(rows)[left : right + 1]):
        used[offset] = any(value is not None for value in values)
    span = range(rows[0], rows[-1] + 1)
    for merge in grid.merges:
        if merge.top in span and grid.value(merge.top, merge.left) is not None:
            for column in range(max(left, merge.left), min(right, merge.right) + 1):
                used[column - left] = True
    groups: list[tuple[int, int]] = []
    for place, occupied in enumerate(used, left):
        if occupied and groups and groups[-1][1] == place - 1:
            groups[-1] = (groups[-1][0], place)
        elif occupied:
            groups.append((place, place))
    return groups


def _fused(grid: Grid, rows: Sequence[int], groups: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Groups that a spacer column only seems to part: what stands on the right has no labels of its own."""
    fused = groups[:1]
    for group in groups[1:]:
        if _continues(grid, rows, fused[-1], group):
            fused[-1] = (fused[-1][0], group[1])
        else:
            fused.append(group)
    return fused


def _continues(grid: Grid, rows: Sequence[int], left: tuple[int, int], right: tuple[int, int]) -> bool:
    here, there = Block(grid, rows, *left), Block(grid, rows, *right)
    own = [row for row in rows if not _is_blank(grid.rows[row], *right)]
    if right[0] - left[1] > 3 or not own:
        return False
    tail = [row for row in rows if not _is_blank(grid.rows[row], *left)][-20:]
    if right[0] == right[1]:
        return (
            own[0] <= rows[min(1, len(rows) - 1)]
            and there.kinds(own[0]) == "t"
            and not is_side_text(there.text(own[0], right[0]))
        )
    firsts = [there.kind(row, right[0]) for row in tail]
    labels = [here.kind(row, left[0]) for row in tail]
    return (
        own[0] - rows[0] <= 2
        and firsts.count("n") > len(firsts) / 2
        and labels.count("t") + labels.count("d") > len(labels) / 2
    )
