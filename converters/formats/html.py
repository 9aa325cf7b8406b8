"""HTML, also what ERPs send as .xls: spans are laid out on a grid, so that cells have addresses as in a spreadsheet.

A page's tables are put one below the other, a blank row between; a table inside a cell is a table of its own, below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from converters.document import Document
from converters.encoding import decode
from converters.errors import Broken
from converters.formats.meter import Meter
from converters.grid import PLAIN, Grid, Look
from converters.model import Range, Scalar
from converters.options import Options

CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([A-Za-z0-9_:\-]+)", re.I)
MAX_SPAN = 10_000


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid of all tables of the page.

    Raises:
        Broken: no element at all.
        OverLimit: too many cells.
    """
    data = document.content
    declared = CHARSET.search(data[:4096])
    text = decode(data, declared[1].decode("ascii") if declared else None)
    parser = lxml_html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    try:
        root = lxml_html.document_fromstring(_without_declaration(text), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise Broken(f"{document.name} is no sound HTML: {error}.", "Ask the sender to send it again.") from error
    grid = Grid(document.stem, textual=True, looks=[PLAIN, Look(bold=True), PLAIN])
    meter = Meter(document.name, options.limits)
    top = 0
    for table in root.iter("table"):
        top = _lay_out(table, grid, top, meter) + 1
        if options.max_rows and top > options.max_rows:
            break
    yield grid


def _without_declaration(text: str) -> str:
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", text.replace("\x00", ""))


def _lay_out(table: Any, grid: Grid, top: int, meter: Meter) -> int:
    """Puts one table's cells on the grid from row `top`; gives the row below the last."""
    taken: dict[int, int] = {}  # column → first row that a rowspan above leaves free
    if not _has_own_text(table):
        return top - 1  # it only lays out other tables
    row = top
    for line in _own(table, "tr"):
        values: list[Scalar] = []
        bold: list[int] = []
        column = 0
        for cell in _own(line, "td", "th"):
            while taken.get(column, 0) > row:
                column += 1
            across, down = _span(cell, "colspan"), _span(cell, "rowspan")
            meter.row(1, across)
            values.extend([None] * (column - len(values)))
            bold.extend([0] * (column - len(bold)))
            values.append(_content(cell))
            bold.append(int(cell.tag == "th"))
            for covered in range(column, column + across):
                taken[covered] = row + down
            if across > 1 or down > 1:
                grid.merges.append(Range(row, column, row + down - 1, column + across - 1))
            column += across
        if any(v is not None for v in values):
            grid.rows[row] = values
            grid.styles[row] = bold
        row += 1
    return row


def _has_own_text(table: Any) -> bool:
    return any(_content(cell) for line in _own(table, "tr") for cell in _own(line, "td", "th"))


def _own(element: Any, *tags: str) -> Iterator[Any]:
    """The descendants of some tags that belong to this element and to no table inside of it."""
    for child in element:
        if child.tag in tags:
            yield child
        elif child.tag in (
            "thead",
            "tbody",
            "tfoot",
            "tr",
            "form",
            "font",
            "span",
            "div",
            "center",
            "b",
            "colgroup",
            "a",
        ):
            yield from _own(child, *tags)


def _span(cell: Any, name: str) -> int:
    found = re.match(r"\s*(\d{1,5})", cell.get(name) or "")
    return min(max(1, int(found[1])), MAX_SPAN) if found else 1


def _content(cell: Any) -> str | None:
    """The text of a cell without that of tables in it; leading no-break spaces stay, as they indent."""
    parts: list[str] = []
    _collect(cell, parts)
    text = re.sub(r"[ \t\r\f\v]*\n[ \t\r\f\v]*", "\n", re.sub(r"[ \t\r\f\v]+", " ", "".join(parts))).strip(" \n")
    return text if text.strip() else None


def _collect(element: Any, parts: list[str]) -> None:
    if element.text:
        parts.append(re.sub(r"\s*[\r\n]+\s*", " ", element.text))
    for child in element:
        if child.tag == "br":
            parts.append("\n")
        elif child.tag not in ("table", "script", "style"):
            _collect(child, parts)
            if child.tag in ("p", "div", "li"):
                parts.append("\n")
        if child.tail:
            parts.append(re.sub(r"\s*[\r\n]+\s*", " ", child.tail))
