"""A grid: one sheet as the file has it. Everything above reads the grid, never the file again.

Rows are kept sparse (blank rows are absent) and a row is a plain list from column A on, so that reading and typing a
large sheet stay in C loops: a million cells must not become a million objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest

from converters.model import Page, Problem, Range, Scalar


@dataclass(frozen=True, slots=True)
class Look:
    """The format that cells share: the number format and what a reader sees."""

    number_format: str = "General"
    bold: bool = False
    filled: bool = False
    border: bool = False
    indent: int = 0


Columns = list[tuple[Scalar, ...]]
PLAIN = Look()
MAX_COVERED = 4_000_000


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
        outside: rows that the file itself puts outside of its tables: a document's paragraphs, one to a row.
        problems: what could not be read.
        notices: what is worth knowing and takes nothing away: macros, external links.
    """

    sheet: str
    rows: dict[int, list[Scalar]] = field(default_factory=dict)
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
    outside: set[int] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    _columns: tuple[list[int], Columns] | None = field(default=None, repr=False)

    def value(self, row: int, column: int) -> Scalar:
        """The value of a cell; None outside of what the sheet holds."""
        values = self.rows.get(row)
        return values[column] if values is not None and column < len(values) else None

    def look(self, row: int, column: int) -> Look:
        """The format of a cell."""
        styles = self.styles.get(row)
        return self.looks[styles[column]] if styles is not None and column < len(styles) else PLAIN

    def columns(self, rows: Sequence[int]) -> Columns:
        """All columns in some rows, blanks included; asked for the same rows again, it costs nothing."""
        if self._columns is None or self._columns[0] != rows:
            self._columns = (list(rows), self._tail(rows) or self._transposed(rows))
        return self._columns[1]

    def _tail(self, rows: Sequence[int]) -> Columns | None:
        """The columns of rows that end those asked for last: the body below its header."""
        known, columns = self._columns or ([], [])
        if len(rows) < len(known) and known[-len(rows) :] == rows:
            return [column[-len(rows) :] for column in columns]
        return None

    def _transposed(self, rows: Sequence[int]) -> Columns:
        lines = [self.rows[row] for row in rows]
        even = len(set(map(len, lines))) == 1
        return list(zip(*lines, strict=True) if even else zip_longest(*lines))

    @cached_property
    def width(self) -> int:
        """Columns up to the last that holds a value."""
        return max(map(len, self.rows.values()), default=0)

    @cached_property
    def covering(self) -> dict[tuple[int, int], Range]:
        """For each cell of a merged range: that range, cut to what the sheet holds."""
        bottom = next(reversed(self.rows), -1)
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
