"""Word documents (docx, docm, dotx): the body's paragraphs and tables; deleted and hidden text is left out.

Elements are told by their local names, as the transitional and the strict variant have namespaces of their own.
Source: ECMA-376 part 1, 17.3 (paragraphs), 17.4 (tables), 17.13.5 (revisions); part 3 (alternate content).
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any

from converters.document import Document
from converters.errors import Broken
from converters.formats import package
from converters.formats.flow import MAX_COLUMNS, Block, Cell, Flow, integer, name_of, opened, parsed
from converters.grid import PLAIN, Grid, Look
from converters.options import Options

WRAPPERS = frozenset(
    "sdt sdtContent customXml ins moveTo smartTag hyperlink fldSimple bdo dir ruby rubyBase AlternateContent Choice "
    "oMath oMathPara".split()
)
"""Elements around what the document holds; all that is not named is left out, deletions and old places of moves too."""
SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
DRAWN = frozenset(["drawing", "pict", "object"])
OFF = frozenset(["0", "false", "off"])
TWIPS = 200  # about one character


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid of the whole document.

    Raises:
        Broken, OverLimit: as their messages say.
    """
    flow = Flow(document, options)
    with opened(document, options.limits) as archive:
        flow.grid.notices = package.notices(document)
        root = parsed(document, archive, _main_part(document, archive))
    for body in root:
        if name_of(body) == "body":
            flow.blocks(_blocks(body))
    yield flow.finished()


def _main_part(document: Document, archive: zipfile.ZipFile) -> str:
    """The part that the package's relationships name as the document."""
    names = archive.NameToInfo
    if "_rels/.rels" in names:
        for relation in parsed(document, archive, "_rels/.rels"):
            target = posixpath.normpath((relation.get("Target") or "").lstrip("/"))
            if (relation.get("Type") or "").endswith("/officeDocument") and target in names:
                return target
    if "word/document.xml" not in names:
        raise Broken(
            f"{document.name} is a Word document without its main part, word/document.xml.",
            "Open it in Word and save it anew, or ask the sender to send it again.",
        )
    return "word/document.xml"


def _blocks(parent: Any) -> Iterator[Block]:
    for child in parent:
        name = name_of(child)
        if name == "p":
            yield from _paragraph(child)
        elif name == "tbl":
            yield _table(child)
        elif name in WRAPPERS:
            yield from _blocks(child)


def _paragraph(paragraph: Any) -> Iterator[Block]:
    parts: list[str] = []
    drawings: list[Any] = []
    _collect(paragraph, parts, drawings)
    yield "".join(parts)
    for drawing in drawings:
        for box in _text_boxes(drawing):
            yield from _blocks(box)


def _collect(element: Any, parts: list[str], drawings: list[Any]) -> None:
    for child in element:
        name = name_of(child)
        if name == "t":
            parts.append(child.text or "")
        elif name in SIGNS:
            parts.append(SIGNS[name])
        elif name in DRAWN:
            drawings.append(child)
        elif name in WRAPPERS or (name == "r" and not _is_on(_properties(child, "rPr").get("vanish"))):
            _collect(child, parts, drawings)


def _text_boxes(element: Any) -> Iterator[Any]:
    """The outermost text boxes of a drawing, each once although older programs get a second copy of it."""
    for child in element:
        name = name_of(child)
        if name == "txbxContent":
            yield child
        elif name != "Fallback":
            yield from _text_boxes(child)


def _table(table: Any) -> list[Cell]:
    cells: list[Cell] = []
    above: dict[int, Cell] = {}  # column → the cell that a vertical merge goes on with
    number = 0
    for row in _own(table, "tr"):
        about = _properties(row, "trPr")
        if "del" in about:
            continue
        hidden = _is_on(about.get("hidden"))
        column = _value(about.get("gridBefore"))
        beside: Cell | None = None
        for element in _own(row, "tc"):
            about = _properties(element, "tcPr")
            across = max(1, _value(about.get("gridSpan"), 1))
            if beside is not None and _continues(about.get("hMerge")):
                beside.across += across
            elif _continues(about.get("vMerge")) and _ends_at(above.get(column), number):
                above[column].down += 1
                beside = None
            else:
                beside = above[column] = Cell(number, column, list(_blocks(element)), 1, across, _look(element), hidden)
                cells.append(beside)
            column += across
        number += 1
    return cells


def _ends_at(cell: Cell | None, row: int) -> bool:
    return cell is not None and cell.row + cell.down == row


def _own(element: Any, wanted: str) -> Iterator[Any]:
    for child in element:
        name = name_of(child)
        if name == wanted:
            yield child
        elif name in WRAPPERS:
            yield from _own(child, wanted)


def _look(cell: Any) -> Look:
    """The look of a cell, by its first paragraph that holds a run."""
    for paragraph in _own(cell, "p"):
        for run in _own(paragraph, "r"):
            indent = _indent(_properties(paragraph, "pPr").get("ind"))
            bold = _is_on(_properties(run, "rPr").get("b"))
            return Look(bold=bold, indent=indent) if bold or indent else PLAIN
    return PLAIN


def _indent(element: Any) -> int:
    """The indentation of a paragraph in characters."""
    if element is None:
        return 0
    stated = {name.rpartition("}")[2]: integer(value) for name, value in element.items()}
    characters = (stated.get("leftChars") or stated.get("startChars") or 0) + stated.get("firstLineChars", 0)
    twips = (stated.get("left") or stated.get("start") or 0) + stated.get("firstLine", 0)
    return min(max(0, characters // 100 or round(twips / TWIPS)), 50)


def _properties(element: Any, name: str) -> dict[str, Any]:
    """What an element's properties hold, by local name; they come first in it."""
    for child in element:
        if (found := name_of(child)) == name:
            return {name_of(each): each for each in child}
        if found != "tblPrEx":  # exceptions from the table's properties stand before those of a row
            break
    return {}


def _attribute(element: Any, wanted: str = "val") -> str | None:
    return next((value for name, value in element.items() if name.rpartition("}")[2] == wanted), None)


def _value(element: Any, default: int = 0) -> int:
    return default if element is None else min(max(0, integer(_attribute(element), default)), MAX_COLUMNS)


def _is_on(element: Any) -> bool:
    return element is not None and _attribute(element) not in OFF


def _continues(element: Any) -> bool:
    """A merge without a value goes on with the cell before."""
    return element is not None and _attribute(element) in (None, "continue")
