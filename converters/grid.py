"""A grid: one sheet as the file has it. Everything above reads the grid, never the file again.

Rows are kept sparse (blank rows are absent) and a row is a plain list from column A on. Of a long sheet only the first
rows are: those below are packed columns, so that a million cells do not become a million objects.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, MutableMapping, Sequence, ValuesView
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, zip_longest

from converters.model import Page, Problem, Range, Scalar
from converters.packed import Packed


@dataclass(frozen=True, slots=True)
class Look:
    """The format that cells share: the number format and what a reader sees."""

    number_format: str = "General"
    bold: bool = False
    filled: bool = False
    border: bool = False
    indent: int = 0


Columns = Sequence[Sequence[Scalar]]
PLAIN = Look()
MAX_COVERED = 4_000_000
MAX_KEPT = 4096


class LongRows(MutableMapping[int, list[Scalar]]):
    """The rows of a long sheet: the first ones as lists, those below in columns. To change a row, set it anew.

    Args:
        first: the first rows.
        numbers: the numbers of the rows below, none of them blank, in ascending order.
        columns: their values, from column 0 on.
    """

    def __init__(self, first: dict[int, list[Scalar]], numbers: Sequence[int], columns: Sequence[Packed]) -> None:
        self.first, self.numbers, self.packed = first, numbers, columns
        self._kept: dict[int, list[Scalar]] = {}

    def __getitem__(self, row: int) -> list[Scalar]:
        if row in self.first:
            return self.first[row]
        if row not in self._kept:
            position = self._position(row)
            if position is None:
                raise KeyError(row)
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[row] = [column[position] for column in self.packed]
        return self._kept[row]

    def __setitem__(self, row: int, values: list[Scalar]) -> None:
        if row not in self.first:
            self._unpack()
        self.first[row] = values

    def __delitem__(self, row: int) -> None:
        if row not in self.first:
            self._unpack()
        del self.first[row]

    def __contains__(self, row: object) -> bool:
        return row in self.first or (isinstance(row, int) and self._position(row) is not None)

    def __iter__(self) -> Iterator[int]:
        return chain(self.first, self.numbers)

    def __reversed__(self) -> Iterator[int]:
        return chain(reversed(self.numbers), reversed(self.first))

    def __len__(self) -> int:
        return len(self.first) + len(self.numbers)

    def values(self) -> ValuesView[list[Scalar]]:
        """The values of the rows, one after the other."""
        return _Lines(self)

    def all_numbers(self) -> Sequence[int]:
        """The numbers of all rows; as a range if no row between them is absent."""
        first, below = self.first, self.numbers
        if not isinstance(below, range) or not below or len(first) != below.start - min(first, default=below.start):
            return list(self)
        return range(below.start - len(first), below.stop)

    @property
    def width(self) -> int:
        """The length of the longest row."""
        return max(len(self.packed), max(map(len, self.first.values()), default=0))

    def columns(self, rows: Sequence[int]) -> Columns | None:
        """All columns in some rows; None if they are among the first ones."""
        split = bisect_left(rows, self.numbers[0]) if self.numbers else len(rows)
        below = rows[split:]
        if not below:
            return None
        first, last = bisect_left(self.numbers, below[0]), bisect_left(self.numbers, below[-1])
        if last - first == len(below) - 1:
            parts = [column[first : last + 1] for column in self.packed]
        else:
            positions = [bisect_left(self.numbers, row) for row in below]
            parts = [column.take(positions) for column in self.packed]
        head = zip_longest(*(self.first[row] for row in rows[:split]), [None] * len(self.packed))
        rest = Packed([[None] * len(below)])
        return [Packed([list(top[:-1]), *part.parts]) for top, part in zip_longest(head, parts, fillvalue=rest)]

    def _position(self, row: int) -> int | None:
        position = bisect_left(self.numbers, row)
        return position if position < len(self.numbers) and self.numbers[position] == row else None

    def _unpack(self) -> None:
        self.first.update(zip(self.numbers, map(list, zip(*self.packed, strict=True)), strict=True))
        self.numbers, self.packed, self._kept = range(0), [], {}


class _Lines(ValuesView[list[Scalar]]):
    """The values of long rows, unpacked column by column and not cell by cell."""

    _mapping: LongRows

    def __iter__(self) -> Iterator[list[Scalar]]:
        return chain(self._mapping.first.values(), map(list, zip(*self._mapping.packed, strict=True)))


@dataclass
class Grid:
    """One sheet.

    Args:
        sheet: its name; the file's stem for a format without sheets.
        rows: values by 0-based row, from column 0 on; None is blank; blank rows are absent; in ascending order.
        merges: merged ranges; only the top left cell of each holds a value.
        styles: for a row, the position in `looks` of each of its cells, -1 for a blank; a row that is absent is plain.
        looks: the formats; the last is the plain one.
        textual: the format knows only texts (csv, html): "4,662" is a number there, and "00123" a code.
        formulas: the formula of a cell, with its "=", by grid position; its cached value is the cell's value.
        comments: the text of a cell's comment, by grid position.
        container: the path of the file inside archives and mails, outermost first; empty for a plain file.
        pages: where in the file the rows are, if not in `sheet` under their own number.
        header_rows: how many of the first rows are the header, where the file states it: then the grid is one table, as
            it stands, and nothing of it is guessed. None where the header has to be found.
        headed: rows that the file itself marks as header rows of a table (html); what is below them is body.
        outside: rows that the file itself puts outside of its tables: a document's paragraphs, one to a row.
        problems: what could not be read.
        notices: what is worth knowing and takes nothing away: macros, external links.
    """

    sheet: str
    rows: MutableMapping[int, list[Scalar]] = field(default_factory=dict)
    merges: list[Range] = field(default_factory=list)
    styles: dict[int, list[int]] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=lambda: [PLAIN])
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    hidden: bool = False
    textual: bool = False
    header_rows: int | None = None
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)
    comments: dict[tuple[int, int], str] = field(default_factory=dict)
    container: tuple[str, ...] = ()
    pages: list[Page] = field(default_factory=list)
    headed: set[int] = field(default_factory=set)
    outside: set[int] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    _columns: tuple[Sequence[int], Columns] | None = field(default=None, repr=False)

    def numbers(self) -> Sequence[int]:
        """The numbers of the rows that are not blank, in ascending order; of a long sheet a range, if none is blank."""
        return self.rows.all_numbers() if isinstance(self.rows, LongRows) else list(self.rows)

    def value(self, row: int, column: int) -> Scalar:
        """The value of a cell; None outside of what the sheet holds."""
        values = self.rows.get(row)
        return values[column] if values is not None and column < len(values) else None

    def look(self, row: int, column: int) -> Look:
        """The format of a cell."""
        styles = self.styles.get(row)
        return self.looks[styles[column]] if styles is not None and column < len(styles) else PLAIN

    def clear(self, row: int, column: int) -> None:
        """Makes a cell blank, and its row absent if nothing else is in it."""
        values = self.rows.get(row)
        if values is None or column >= len(values) or values[column] is None:
            return
        values[column] = None
        if values.count(None) == len(values):
            del self.rows[row]
        else:
            self.rows[row] = values

    def columns(self, rows: Sequence[int]) -> Columns:
        """All columns in some rows, blanks included; asked for the same rows again, it costs nothing."""
        if self._columns is None or self._columns[0] != rows:
            self._columns = (rows[:], self._tail(rows) or self._transposed(rows))
        return self._columns[1]

    def _tail(self, rows: Sequence[int]) -> Columns | None:
        """The columns of rows that end those asked for last: the body below its header."""
        known, columns = self._columns or ([], [])
        if len(rows) < len(known) and known[-len(rows) :] == rows:
            return [column[-len(rows) :] for column in columns]
        return None

    def _transposed(self, rows: Sequence[int]) -> Columns:
        if isinstance(self.rows, LongRows) and (columns := self.rows.columns(rows)) is not None:
            return columns
        lines = [self.rows[row] for row in rows]
        even = len(set(map(len, lines))) == 1
        return list(zip(*lines, strict=True) if even else zip_longest(*lines))

    @cached_property
    def width(self) -> int:
        """Columns up to the last that holds a value."""
        if isinstance(self.rows, LongRows):
            return self.rows.width
        return max(map(len, self.rows.values()), default=0)

    @cached_property
    def covering(self) -> dict[tuple[int, int], Range]:
        """For each cell of a merged range: that range, cut to what the sheet holds."""
        if not self.merges:
            return {}
        bottom = max(self.rows, default=-1)
        covering: dict[tuple[int, int], Range] = {}
        for merge in self._clipped(bottom):
            for row in range(merge.top, merge.bottom + 1):
                for column in range(merge.left, merge.right + 1):
                    covering[row, column] = merge
        return covering

    def _clipped(self, bottom: int) -> Iterator[Range]:
        budget = MAX_COVERED
        for merge in self.merges:
            cut = Range(merge.top, merge.left, min(merge.bottom, bottom), min(merge.right, self.width - 1))
            area = max(0, cut.bottom - cut.top + 1) * max(0, cut.right - cut.left + 1)
            budget -= area
            if budget >= 0 and area > 1:
                yield cut
