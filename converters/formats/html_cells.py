"""What a cell of an HTML table says: its text as a browser shows it, its spans, and what Excel adds to it.

Source: HTML Living Standard, 4.9.11 (spans), 15.3 (what is not rendered); Microsoft Office HTML and XML Reference
(x:num, x:str, x:fmla).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from converters.formats import css
from converters.grid import Look

MAX_ACROSS, MAX_DOWN = 1000, 65_534
MAX_MANNERS = 10_000
TAGS = frozenset(["td", "th"])
SKIPPED = frozenset(
    "head script style template noscript select datalist button svg math canvas audio video object iframe xml".split()
)
BLOCKS = frozenset(
    "address article aside blockquote body br caption center dd details div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hr legend li main nav ol p pre section summary table td th tr ul".split()
)
SHOWN_INPUTS = frozenset(["", "text", "number", "date", "month", "search", "tel", "email", "url"])
VARYING = frozenset(["x:num", "x:fmla"])
"""Attributes of Excel's that have another value in each cell."""

_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_DOUBLE = re.compile(r"  +")
_LINE_END = re.compile(r" ?\n ?")
_DATE_FORMAT = re.compile(r'^(?:"[^"]*"|\\.|\[[^\]]*\]|[^"\\\[])*?[ymdhs]', re.I | re.S)


@dataclass(frozen=True, slots=True, eq=False)
class Manner:
    """What the attributes of a cell say of it.

    Args:
        merged: it spans several cells; Excel also lets a long text run over the blanks beside it.
        style: the position of its look on the grid.
        is_plain: nothing but its text and look is to be seen to.
        has_own: it has attributes in VARYING.
        is_date: its number format shows a number as a date.
    """

    across: int = 1
    down: int = 1
    merged: bool = False
    hidden: bool = False
    style: int = -1
    is_plain: bool = True
    has_own: bool = False
    is_date: bool = False


class Cells:
    """The cells of one page; what attributes say is worked out once for all cells that have the same."""

    def __init__(self, root: Any, style: Callable[[Look], int]) -> None:
        self.classes = css.classes("\n".join(sheet.text or "" for sheet in root.iter("style")))
        self.style = style
        self.known: dict[tuple[Any, ...], Manner] = {}

    def of(self, line: Any) -> tuple[list[Any], list[Manner]]:
        """The cells of a row and the manner of each."""
        cells, known = list(line), self.known
        manners = [known.get((cell.tag, *cell.items())) for cell in cells]
        if None in manners:
            if any(cell.tag not in TAGS for cell in cells):
                cells = list(own(line, *TAGS))
            return cells, [self._manner(cell) for cell in cells]
        return cells, manners  # type: ignore[return-value]

    def text(self, cell: Any) -> str | None:
        """The text of a cell without that of tables in it; leading no-break spaces stay, as they indent."""
        if len(cell):
            text = tidy("".join(self._pieces(cell)))
        else:
            text = cell.text
            if text is None:
                return None
            text = text.strip(" ") if text.isprintable() and "  " not in text else flat(text).strip(" ")
        return text if text and not text.isspace() else None

    def is_hidden(self, element: Any) -> bool:
        """A reader of the page does not see the element."""
        attributes = element.attrib
        return bool(attributes) and css.is_hidden(attributes, css.declared(attributes, self.classes))

    def _manner(self, cell: Any) -> Manner:
        items = cell.items()
        key = (cell.tag, *[item for item in items if item[0] not in VARYING])
        manner = self.known.get(key)
        if manner is None:
            manner = self._read(cell.tag, dict(key[1:]))
            if len(self.known) < MAX_MANNERS:
                self.known[key] = manner
        return manner if len(key) > len(items) else replace(manner, has_own=True, is_plain=False)

    def _read(self, tag: str, attributes: dict[str, str]) -> Manner:
        declarations = css.declared(attributes, self.classes)
        look = css.look(declarations, bold=tag == "th")
        if "x:str" in attributes and look.number_format == "General":
            look = replace(look, number_format="@")
        across = _span(attributes.get("colspan"), MAX_ACROSS)
        down = _span(attributes.get("rowspan"), MAX_DOWN)
        runs_over = down == 1 and "mso-ignore:colspan" in declarations.replace(" ", "")
        hidden = css.is_hidden(attributes, declarations)
        return Manner(
            across=across,
            down=down,
            merged=(down > 1 or across > 1) and not runs_over,
            hidden=hidden,
            style=self.style(look),
            is_plain=down == across == 1 and not hidden,
            is_date=look.number_format != "General" and bool(_DATE_FORMAT.match(look.number_format)),
        )

    def _pieces(self, cell: Any) -> Iterator[str]:
        walker = etree.iterwalk(cell, events=("start", "end"))
        for event, element in walker:
            tag = element.tag
            if event == "end":
                if element is not cell:
                    yield "\n" if tag in BLOCKS and tag != "br" else ""
                    yield flat(element.tail or "")
                continue
            yield "\n" if tag == "br" else field(element)
            if element is not cell and (tag == "table" or tag in SKIPPED or self.is_hidden(element)):
                walker.skip_subtree()
            else:
                yield flat(element.text or "")


def own(element: Any, *tags: str) -> Iterator[Any]:
    """The descendants of some tags that belong to this element and to no table inside of it."""
    levels = [iter(element)]
    while levels:
        child = next(levels[-1], None)
        if child is None:
            levels.pop()
        elif child.tag in tags:
            yield child
        elif child.tag != "table":
            levels.append(iter(child))


def number(cell: Any) -> int | float | None:
    """The number that Excel states beside the text; None where it says only that the text is one."""
    try:
        found = float(cell.get("x:num") or "")
    except ValueError:
        return None
    return int(found) if found.is_integer() and abs(found) < 2**53 else found


def field(element: Any) -> str:
    """What a form field shows: the text in it, or the option that is chosen; "" for any other element."""
    if element.tag == "input":
        return str(element.get("value") or "") if (element.get("type") or "").lower() in SHOWN_INPUTS else ""
    if element.tag != "select":
        return ""
    options = list(element.iter("option"))
    chosen = next((option for option in options if option.get("selected") is not None), options[0] if options else None)
    return "" if chosen is None else flat(chosen.text or "")


def flat(text: str) -> str:
    """A text on one line, with single spaces; no-break spaces stay."""
    return _SPACES.sub(" ", text)


def tidy(text: str) -> str:
    """Texts put together, without the spaces that a browser does not show."""
    return _LINE_END.sub("\n", _DOUBLE.sub(" ", text)).strip(" \n")


def _span(text: str | None, most: int) -> int:
    found = re.match(r"\s{0,9}(\d{1,9})", text) if text else None
    return min(max(1, int(found[1])), most) if found else 1
