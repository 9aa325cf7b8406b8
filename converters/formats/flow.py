"""The flow of a document, paragraphs and tables in turn, on one grid: what the readers of documents share.

A paragraph becomes a row of its own outside of all tables, so that titles, unit notes and footnotes are seen by what
understands the grid. A table becomes rows with merged ranges, and has addresses of its own: "table 2", C5. A table in a
cell is a table of its own, below. A table that only lays out texts and other tables is none.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Union

from lxml import etree

from converters.document import Document
from converters.errors import Broken, OverLimit
from converters.formats import package
from converters.formats.meter import Meter
from converters.grid import PLAIN, Grid, Look
from converters.model import Page, Range, place
from converters.options import Limits, Options

NEAR = 12
"""So many texts before and after a table are kept, as only those can speak of it."""
MAX_TEXT = 200
"""A longer text is prose: no title and no note."""
MAX_ROWS = 1 << 20
MAX_COLUMNS = 1 << 14
UNPACKING_ERRORS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, NotImplementedError, ValueError,
)  # fmt: skip
"""What zipfile raises over a damaged member."""


@dataclass(slots=True)
class Cell:
    """One cell of a table: where in the table it is (0-based) and what it holds."""

    row: int
    column: int
    blocks: Sequence[Block]
    down: int = 1
    across: int = 1
    look: Look = PLAIN
    hidden: bool = False

    @property
    def text(self) -> str | None:
        """Its own text, a paragraph a line, without that of tables in it; leading spaces stay, as they indent."""
        text = "\n".join(block for block in self.blocks if isinstance(block, str) and block.strip())
        return text.strip("\r\n").rstrip() or None


Block = Union[str, list[Cell]]  # noqa: UP007  (a forward reference has no "|")
"""What a document or a cell is made of: the text of a paragraph, or a table."""


class Flow:
    """Lays a document on a grid from top to bottom.

    `hidden` takes the rows of the grid that the document hides; `max_rows` says how many rows are asked for.

    Args:
        sheet: the grid's name; the document's stem if it is left out.
        meter: of a document that gives several grids.
    """

    def __init__(
        self, document: Document, options: Options, sheet: str | None = None, meter: Meter | None = None
    ) -> None:
        self.grid = Grid(sheet or document.stem, textual=True)
        self.meter = meter or Meter(document.name, options.limits)
        self.max_rows = options.max_rows or MAX_ROWS * MAX_ROWS
        self.hidden: set[int] = set()
        self._styles: dict[Look, int] = {PLAIN: -1}
        self._waiting: list[tuple[int, str]] = []
        self._texts = self._tables = self._next = 0

    @property
    def is_full(self) -> bool:
        """As many rows as a preview asks for are there."""
        return self._next >= self.max_rows

    def blocks(self, blocks: Iterable[Block]) -> None:
        """Paragraphs and tables, in turn.

        Raises:
            OverLimit: too many cells, or a table that is too wide.
        """
        for block in blocks:
            if self.is_full:
                break
            if isinstance(block, str):
                self.text(block)
            else:
                self.table(block)

    def text(self, text: str) -> None:
        """A paragraph outside of all tables: each of its lines is a text of its own."""
        for line in filter(str.strip, text.split("\n")):
            self.meter.row(1, 1)
            if len(line := line.strip()) <= MAX_TEXT:
                self._waiting.append((self._texts, line))
            self._texts += 1
            if len(self._waiting) > 2 * NEAR:
                del self._waiting[NEAR]

    def table(self, cells: list[Cell]) -> None:
        """A table, and below it the tables in its cells."""
        self._tables += 1
        if _only_lays_out(cells):
            for cell in cells:
                self.blocks(cell.blocks)
            return
        top = self.begin(f"table {self._tables}", 0)
        for cell in sorted(cells, key=lambda cell: (cell.row, cell.column)):
            self._put(cell, top)
        self.end(top + max((cell.row + cell.down for cell in cells), default=0))
        for cell in cells:
            self.blocks(block for block in cell.blocks if not isinstance(block, str))

    def begin(self, sheet: str, row: int) -> int:
        """The grid row at which a table is to begin, which has `row` as its number in `sheet`."""
        self._place_texts()
        if place(self.grid.sheet, self.grid.pages, self._next) != (sheet, row):
            self.grid.pages.append(Page(self._next, sheet, row))
        return self._next

    def end(self, bottom: int) -> None:
        """Closes a table that ends before a grid row; a blank row follows."""
        self._next = bottom + 1

    def style(self, look: Look) -> int:
        """The position of a look on the grid, whose last is the plain one."""
        if look not in self._styles:
            self._styles[look] = len(self.grid.looks) - 1
            self.grid.looks.insert(-1, look)
        return self._styles[look]

    def finished(self) -> Grid:
        """The grid, with the texts after the last table."""
        del self._waiting[NEAR:]
        self._place_texts()
        self.grid.hidden_rows = frozenset(self.hidden)
        return self.grid

    def check(self, row: int, column: int) -> None:
        """Whether a table may have this cell.

        Raises:
            OverLimit: it is far outside of all that people read.
        """
        if row >= MAX_ROWS or column >= MAX_COLUMNS:
            raise OverLimit(
                f"{self.meter.name} has a table with a cell in row {row + 1:,}, column {column + 1:,}; "
                f"{MAX_ROWS:,} rows and {MAX_COLUMNS:,} columns are allowed.",
                "Ask the sender for the table as xlsx or csv.",
            )

    def _place_texts(self) -> None:
        for number, text in self._waiting:
            if place(self.grid.sheet, self.grid.pages, self._next) != ("text", number):
                self.grid.pages.append(Page(self._next, "text", number))
            self.grid.rows[self._next] = [text]
            self.grid.outside.add(self._next)
            self._next += 1
        self._waiting.clear()

    def _put(self, cell: Cell, top: int) -> None:
        self.check(cell.row, cell.column)
        row, column, text = top + cell.row, cell.column, cell.text
        self.meter.row(1, cell.across)
        if text is not None:
            values = self.grid.rows.setdefault(row, [])
            values.extend([None] * (column + 1 - len(values)))
            values[column] = text
            if cell.look != PLAIN:
                styles = self.grid.styles.setdefault(row, [])
                styles.extend([-1] * (column + 1 - len(styles)))
                styles[column] = self.style(cell.look)
        if cell.hidden:
            self.hidden.add(row)
        if cell.down > 1 or cell.across > 1:
            right = min(column + cell.across, MAX_COLUMNS) - 1
            self.grid.merges.append(Range(row, column, row + min(cell.down, MAX_ROWS) - 1, right))


def _only_lays_out(cells: Sequence[Cell]) -> bool:
    """No two texts stand beside each other, and there is but one text, or there are tables between the texts."""
    filled = [cell.row for cell in cells if cell.text is not None]
    nested = any(not isinstance(block, str) for cell in cells for block in cell.blocks)
    return len(set(filled)) == len(filled) and (nested or len(filled) <= 1)


@contextmanager
def opened(document: Document, limits: Limits) -> Iterator[zipfile.ZipFile]:
    """The zip that a document is, after a look at what it would unpack to.

    Raises:
        Broken, OverLimit: as their messages say.
    """
    package.check(document, limits)
    with document.open() as stream, zipfile.ZipFile(stream) as archive:
        yield archive


def parsed(document: Document, archive: zipfile.ZipFile, name: str) -> Any:
    """The root element of a member that is XML; its depth is bounded, so that walking it may recurse.

    Raises:
        Broken: it cannot be unpacked, is no sound XML, or has a DTD.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root: Any = etree.fromstring(archive.read(name), parser)
    except (etree.XMLSyntaxError, *UNPACKING_ERRORS) as error:
        raise Broken(
            f"{document.name} is a damaged document: {name} cannot be read: {error}.",
            "Open it in the program that wrote it and save it anew, or ask the sender to send it again.",
            where=name,
        ) from error
    if root.getroottree().docinfo.doctype:
        raise Broken(f"{document.name}: {name} declares a DTD, which no word processor writes.", "Treat it as hostile.")
    return root


def name_of(element: Any) -> str:
    """The name of an element without its namespace, of which each standard has several."""
    return _local(element.tag)


@lru_cache(maxsize=4096)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def integer(text: str | None, default: int = 0) -> int:
    """The whole number of an attribute, or the default where it is missing or none."""
    try:
        return int(float(text or default))
    except (ValueError, OverflowError):
        return default
