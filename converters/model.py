"""What the converter passes around: grid → table → facts.

A *grid* (grid.py) is one sheet as the file has it. A *table* is a region of a grid that was understood: typed columns
with header paths and units, rows with label paths. A *fact* is one body cell of a table, the form that shared tools and
people read. Every one of them can say the file, the sheet and the address.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from converters.periods import Period

Scalar = None | bool | int | float | Decimal | str | dt.date | dt.datetime | dt.time
Values = MutableSequence[Scalar]
"""A list, or of a long column the packed form that reads and changes like one (packed.py)."""
ColumnType = Literal["number", "text", "date", "bool", "null", "mixed"]
FactType = Literal["number", "text", "date", "bool", "null"]
State = Literal["ok", "partial", "needs_password", "unsupported", "quarantined"]

CONVERTER_VERSION = 3
"""Raised with every change after which some file gives other tables or facts: then files are processed again."""


def letters(column: int) -> str:
    """The spreadsheet letters of a 0-based column: 0 → A, 25 → Z, 26 → AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def address(row: int, column: int) -> str:
    """The cell's address, of 0-based row and column: (5, 1) → B6."""
    return f"{letters(column)}{row + 1}"


@dataclass(frozen=True, slots=True)
class Range:
    """A rectangle of cells, 0-based, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a grid that have another place in the file: a page of a PDF, a table of a document.

    Args:
        first: 0-based grid row from which on this holds.
        sheet: the name of that place ("page 3", "table 2"); provenance says it instead of the grid's sheet.
        row: 0-based row there of grid row `first`.
    """

    first: int
    sheet: str
    row: int = 0


def place(sheet: str, pages: Sequence[Page], row: int) -> tuple[str, int]:
    """The sheet and the 0-based row there, as the file has them, of a row of a grid with these pages."""
    found = bisect_right(pages, row, key=lambda page: page.first) - 1
    return (pages[found].sheet, pages[found].row + row - pages[found].first) if found >= 0 else (sheet, row)


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that was decided about cells of a sheet, how sure it is, and why: what `--explain` shows.

    Args:
        kind: what the cells are or were found to be; the words are those of KINDS.
        region: the cells.
        says: what was decided, for people ("천원", "sums rows 6 to 9", "2026-01").
        confidence: 0 to 1; 1 only for what was proved or stated.
        because: the evidence, for people ("the note '(단위: 천원)' in A2", "7 of 7 columns add up").
    """

    kind: str
    region: Range
    says: str
    confidence: float
    because: str


KINDS = (
    "title", "note", "unit_note", "footnote", "sign_off", "page_number", "form",
    "table", "header", "label", "section", "body", "total_row", "total_column", "unit", "period", "type",
)  # fmt: skip
"""What cells may be found to be: regions around and in a table, then what is said of its columns and rows."""


@dataclass(slots=True)
class Column:
    """One column of a table.

    Args:
        index: 0-based column of the grid; with the row's number it gives each value's address.
        path: header texts over the body, outermost first: ("1월", "계획"); a unit in brackets stays in the text.
        type: the type of the values; `mixed` when no one type holds them all.
        unit: the unit that a note, the header or the cells state, as written ("천원"); None for none and for rates.
        role: `label` for a row-label column, `value` for all others.
        subtotal: the column sums up other columns.
        values: one value a row; labels that are merged or left blank below are filled in.
        derived: an outer label that section rows or indentation give: its values have no cell in their own row; its
            path is the label's header and the level, outermost first ("구분", "1"). It gives no facts.
        sums: of a subtotal column, the `index` of each column that it sums; empty where arithmetic does not show it.
        period: what its header names as the time of its values (1월, 전년동기); None where it names none.
    """

    index: int
    path: tuple[str, ...]
    type: ColumnType
    values: Values
    unit: str | None = None
    role: Literal["label", "value"] = "value"
    subtotal: bool = False
    derived: bool = False
    sums: tuple[int, ...] = ()
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One body cell of a table; see the field list in Table.facts()."""

    sheet: str
    cell: str
    column: tuple[str, ...]
    row: tuple[str, ...]
    value: Scalar
    type: FactType
    unit: str | None
    subtotal: bool
    role: Literal["label", "value"]
    container: tuple[str, ...] = ()


@dataclass(slots=True)
class Table:
    """A region of a sheet that was understood as a table.

    Args:
        sheet: the sheet's name (the file's stem for a format without sheets).
        index: 0-based number of the table in its file.
        title: the title over it, if any.
        notes: the other texts around it: unit notes, footnotes, closing lines.
        region: header and body.
        columns: left to right, label columns included.
        rows: the 0-based grid row of each body row.
        row_subtotal: whether each body row sums up others.
        container: the path inside archives or mails, outermost first ("a.zip", "b.xlsx"); empty for a plain file.
        errors: the text of each cell error (#DIV/0!) by (row, column), 0-based grid position.
        cell_units: units that single cells have, where they differ from their column's; None for none.
        nulls: the marks that say "nothing" ("-") by grid position; the value there is None, yet the cell is a fact.
        captions: texts that name their row and are no value of their column ("합계" under 일자), by grid position.
        sums: of a subtotal row, by its grid row: the grid rows that it sums; absent where arithmetic does not show it.
        pages: where in the file the rows are, if not in `sheet` under their own number; ascending by `first`.
        decisions: what was decided about the region and what is around it, and why.
        period: what it speaks of, by its title, its notes, the sheet, the file or its headers; None if none says.
    """

    sheet: str
    index: int
    region: Range
    columns: list[Column]
    rows: Sequence[int]
    row_subtotal: list[bool]
    title: str | None = None
    notes: tuple[str, ...] = ()
    container: tuple[str, ...] = ()
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    cell_units: dict[tuple[int, int], str | None] = field(default_factory=dict)
    nulls: dict[tuple[int, int], str] = field(default_factory=dict)
    captions: dict[tuple[int, int], str] = field(default_factory=dict)
    sums: dict[int, tuple[int, ...]] = field(default_factory=dict)
    pages: tuple[Page, ...] = ()
    decisions: list[Decision] = field(default_factory=list)
    period: Period | None = None

    def place(self, row: int) -> tuple[str, int]:
        """The sheet and the 0-based row there, as the file has them, of a grid row."""
        return place(self.sheet, self.pages, row)

    def address(self, row: int, column: int) -> str:
        """The address that the file has for a cell of the grid, in the sheet that `place` tells."""
        return address(self.place(row)[1], column)

    def row_path(self, position: int) -> tuple[str, ...]:
        """The labels beside a body row (by its position in `rows`), outermost first."""
        labels = tuple(
            str(c.values[position]) for c in self.columns if c.role == "label" and c.values[position] is not None
        )
        if self.captions:
            row = self.rows[position]
            labels += tuple(self.captions[row, c.index] for c in self.columns if (row, c.index) in self.captions)
        return labels

    def facts(self) -> Iterator[Fact]:
        """Every body cell that says something, row by row; label columns as role `label`. Blank cells say nothing."""
        columns = [c for c in self.columns if not c.derived]
        for position, row in enumerate(self.rows):
            path = self.row_path(position)
            sheet, at = self.place(row)
            for column in columns:
                place = (row, column.index)
                value = column.values[position]
                caption = self.captions.get(place)
                if value is None and caption is None and place not in self.nulls and place not in self.errors:
                    continue
                label = column.role == "label" or caption is not None
                yield Fact(
                    sheet=sheet,
                    cell=address(at, column.index),
                    column=column.path,
                    row=() if label else path,
                    value=value if caption is None else caption,
                    type=fact_type(value if caption is None else caption),
                    unit=None if label else self.cell_units.get(place, column.unit),
                    subtotal=self.row_subtotal[position] or column.subtotal,
                    role="label" if label else "value",
                    container=self.container,
                )


def fact_type(value: Scalar) -> FactType:
    """The type of one value, in the words that facts use."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, dt.date):
        return "date"
    return "text"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a reader of the result must know: what, where, and what to do about it."""

    code: str
    message: str
    remedy: str
    where: str | None = None


@dataclass(slots=True)
class View:
    """A sheet as a person sees it, with what was decided about it: made only where a caller asks for explanations.

    Args:
        sheet / container / hidden / merges / pages: as the grid has them.
        texts: what the cells show, by 0-based row from column 0 on; "" is blank; the first rows only.
        rows: how many rows with anything in them the sheet has.
        hidden_rows / hidden_columns: 0-based, as far as `texts` goes.
        decisions: on the whole sheet: those of its tables and what no table owns.
    """

    sheet: str
    texts: dict[int, list[str]]
    rows: int
    merges: list[Range] = field(default_factory=list)
    container: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    hidden: bool = False
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    decisions: list[Decision] = field(default_factory=list)


@dataclass(slots=True)
class Conversion:
    """The outcome of one file.

    Args:
        state: `ok`; `partial` (tables, but `problems` say what is missing); `needs_password`; `unsupported`;
            `quarantined` (nothing usable: `problems` say why).
        format: what the content is ("xlsx", "html", "csv"), whatever the name says.
        sha256: of the file's bytes, hex.
        notices: what is worth knowing and takes nothing away: macros, external links.
        views: the sheets with all decisions, if the options ask for them.
    """

    name: str
    sha256: str
    format: str | None
    state: State
    tables: list[Table] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
