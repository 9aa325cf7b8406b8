"""HTML, also what ERPs and Excel send as .xls: spans are laid out on a grid, so that cells have addresses as in Excel.

A page's tables are put one below the other, a blank row between; a table inside a cell is a table of its own, below.
Rows are counted over the tables alone: the texts between them (headings, unit notes) have rows of their own on the grid
and leave the addresses of cells as they are. Source: HTML Living Standard, 4.9 (tables).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from converters.document import Document
from converters.encoding import decode
from converters.errors import Broken, Unsupported
from converters.formats.flow import Flow
from converters.formats.html_cells import BLOCKS, SKIPPED, Cells, Manner, field, flat, number, own, tidy
from converters.grid import Grid
from converters.model import Range, Scalar
from converters.options import Options

CHARSET = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:\-]+)", re.I)


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid of all tables of the page.

    Raises:
        Broken: no element at all.
        Unsupported: the page only shows others in frames.
        OverLimit: too many cells.
    """
    root = parsed(document, text_of(document.content))
    if frames := frames_of(root):
        raise Unsupported(
            f"{document.name} is only the frame around the sheets of a workbook that was saved as a web page; the "
            f"sheets are in files of their own: {', '.join(frames[:5])}.",
            "Ask the sender to save the workbook as xlsx, or as a single file web page (mht).",
        )
    flow = Flow(document, options)
    lay_out(root, flow)
    yield flow.finished()


def text_of(data: bytes, charset: str | None = None) -> str:
    """The source of a page as text.

    Args:
        charset: what is said of the page from outside; without it, what the page says of itself holds.
    """
    stated = CHARSET.search(data[:4096])
    return decode(data, charset or (stated[1].decode("ascii") if stated else None)).replace("\x00", "")


def parsed(document: Document, text: str) -> Any:
    """The root element of a page.

    Raises:
        Broken: no element at all.
    """
    text = re.sub(r"\A<\?xml[^>]{0,200}\?>", "", text.lstrip("\ufeff \t\r\n"))
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    try:
        root: Any = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Broken(f"{document.name} is no sound HTML: {error}.", "Ask the sender to send it again.") from error
    if root is None:
        raise Broken(f"{document.name} is HTML without an element.", "Ask the sender to send it again.")
    return root


def frames_of(root: Any) -> list[str]:
    """The files that a page without a table shows in its frames."""
    if next(root.iter("table"), None) is not None:
        return []
    return [frame.get("src") or "?" for frame in root.iter("frame")]


def lay_out(root: Any, flow: Flow) -> None:
    """Puts a page's texts and tables on the grid.

    Raises:
        OverLimit: too many cells.
    """
    page = _Page(root, flow)
    page.walk(root)
    page.mark_hidden_columns()


@dataclass(frozen=True, slots=True)
class _Scope:
    """An element under which texts are not said (mute), or not seen either (hidden)."""

    element: Any
    mute: bool
    hidden: bool


class _Page:
    """One page on its way to the grid."""

    def __init__(self, root: Any, flow: Flow) -> None:
        self.flow = flow
        self.grid = flow.grid
        self.cells = Cells(root, flow.style)
        self.row = 0  # number of the next table's first row, counted over tables alone
        self.said: list[str] = []
        self.scopes = [_Scope(None, mute=False, hidden=False)]
        self.hidden: Counter[int] = Counter()  # cells with a text that are hidden, by column

    def walk(self, root: Any) -> None:
        """Says the texts outside of tables, and lays out each table when it comes."""
        walker = etree.iterwalk(root, events=("start", "end"))
        for event, element in walker:
            tag = element.tag
            if event == "end":
                if self.scopes[-1].element is element:
                    self.scopes.pop()
                self._say("\n" if tag in BLOCKS else "", element.tail)
            elif tag == "table":
                if self._table(element):
                    walker.skip_subtree()
            elif tag in SKIPPED:
                self._say(field(element), None)
                walker.skip_subtree()
            else:
                if self.cells.is_hidden(element):
                    self.scopes.append(_Scope(element, mute=True, hidden=True))
                self._say("\n" if tag in BLOCKS else field(element), element.text)
            if self.flow.is_full:
                break
        self._end_text()

    def mark_hidden_columns(self) -> None:
        """Marks the columns all of whose texts are hidden."""
        if self.hidden:
            rows = (values for row, values in self.grid.rows.items() if row not in self.grid.outside)
            used = Counter(column for values in rows for column, value in enumerate(values) if value is not None)
            self.grid.hidden_columns = frozenset(c for c, count in self.hidden.items() if used[c] == count)

    def _say(self, before: str, text: str | None) -> None:
        if not self.scopes[-1].mute:
            self.said.append(before)
            self.said.append(flat(text or ""))

    def _end_text(self) -> None:
        self.flow.text(tidy("".join(self.said)))
        self.said.clear()

    def _table(self, table: Any) -> bool:
        """Lays out a table, unless it only lays out others; tells whether nothing is left to be found in it."""
        self._end_text()
        nested = next(table.iterdescendants("table"), None) is not None
        hidden = self.scopes[-1].hidden or self.cells.is_hidden(table)
        rows = list(own(table, "tr"))
        texts = self._texts(rows)
        if texts == 0:
            self.scopes.append(_Scope(table, mute=hidden, hidden=hidden))
            return False
        is_layout = texts is not None and (nested or texts == 1)
        if not is_layout:
            if not hidden and (caption := table.find("caption")) is not None:
                self.flow.text(self.cells.text(caption) or "")
            self._lay_out(rows, hidden=hidden)
        self.row += len(rows) + 1
        self.scopes.append(_Scope(table, mute=hidden or not is_layout, hidden=hidden))
        return not is_layout and not nested

    def _texts(self, rows: list[Any]) -> int | None:
        """How many cells have a text; None as soon as two stand beside each other."""
        total = 0
        for line in rows:
            texts = sum(self.cells.text(cell) is not None for cell in own(line, "td", "th"))
            if texts > 1:
                return None
            total += texts
        return total

    def _lay_out(self, rows: list[Any], *, hidden: bool) -> None:
        row = top = self.flow.begin(self.grid.sheet, self.row)
        self.flow.check(len(rows), 0)
        merges = self.grid.merges
        first_merge = len(merges)
        free: dict[int, int] = {}  # column → the row from which on no cell merged downwards takes it
        for line in rows:
            if hidden or self.cells.is_hidden(line):
                self.flow.hidden.add(row)
            free = {column: below for column, below in free.items() if below > row} if free else free
            self._line(line, row, free)
            row += 1
            if row >= self.flow.max_rows:
                break
        for position in range(first_merge, len(merges)):
            if merges[position].bottom >= row:
                merges[position] = replace(merges[position], bottom=row - 1)
        self.flow.end(max(row, top))

    def _line(self, line: Any, row: int, free: dict[int, int]) -> None:
        """Puts one row on the grid."""
        cells, manners = self.cells.of(line)
        values: list[Scalar] = list(map(self.cells.text, cells))
        styles = [manner.style for manner in manners if manner.is_plain]
        if free or len(styles) < len(cells):
            values, styles = self._spread(cells, manners, values, row, free)
        self.flow.meter.row(len(cells), len(values))
        if values.count(None) < len(values):
            self.grid.rows[row] = values
            if line.getparent().tag == "thead" or all(cell.tag == "th" for cell in cells):
                self.grid.headed.add(row)
            if styles.count(-1) < len(styles):
                self.grid.styles[row] = styles

    def _spread(
        self, cells: list[Any], manners: list[Manner], texts: list[Scalar], row: int, free: dict[int, int]
    ) -> tuple[list[Scalar], list[int]]:
        """Values and styles of a row in which not every cell takes just one place, the next."""
        values: list[Scalar] = []
        styles: list[int] = []
        column = 0
        for cell, manner, text in zip(cells, manners, texts, strict=True):
            while column in free:
                column += 1
            self.flow.check(0, column + manner.across - 1)
            blanks = column - len(values)
            values.extend([None] * blanks + [self._value(cell, manner, text, row, column)])
            styles.extend([-1] * blanks + [manner.style])
            if manner.hidden and text is not None:
                self.hidden[column] += 1
            if manner.merged:
                self.grid.merges.append(Range(row, column, row + manner.down - 1, column + manner.across - 1))
            if manner.down > 1:
                free.update(dict.fromkeys(range(column, column + manner.across), row + manner.down))
            column += manner.across
        return values, styles

    def _value(self, cell: Any, manner: Manner, text: Scalar, row: int, column: int) -> Scalar:
        """The value of a cell: its text, unless Excel states the number that it shows."""
        if not manner.has_own:
            return text
        if formula := cell.get("x:fmla"):
            self.grid.formulas[row, column] = formula
        stated = None if manner.is_date else number(cell)
        return text if stated is None else stated
