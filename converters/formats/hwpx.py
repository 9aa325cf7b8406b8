"""Hangul documents in XML (hwpx): the paragraphs and tables of all sections.

Source: KS X 6101 (OWPML), the sections' p, run, t, tbl, tr, tc, cellAddr, cellSpan and subList.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any

from converters.document import Document
from converters.errors import Broken, NeedsPassword
from converters.formats.flow import MAX_COLUMNS, MAX_ROWS, Block, Cell, Flow, integer, name_of, opened, parsed
from converters.grid import Grid
from converters.options import Options

SECTION = re.compile(r"Contents/section(\d{1,6})\.xml", re.I)
SIGNS = {"lineBreak": "\n", "tab": "\t", "nbSpace": "\xa0", "fwSpace": " ", "hyphen": "-"}
SHAPES = frozenset("rect ellipse polygon curve arc line connectLine container drawText caption subList pic".split())
MANIFEST = "META-INF/manifest.xml"


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid of the whole document.

    Raises:
        NeedsPassword: its sections are encrypted.
        Broken, OverLimit: as their messages say.
    """
    flow = Flow(document, options)
    with opened(document, options.limits) as archive:
        _refuse_encrypted(document, archive)
        sections = sorted((int(found[1]), name) for name in archive.namelist() if (found := SECTION.fullmatch(name)))
        if not sections:
            raise Broken(
                f"{document.name} is a Hangul document without a section.",
                "Open it in Hangul and save it anew, or ask the sender to send it again.",
            )
        for _, name in sections:
            flow.blocks(_blocks(parsed(document, archive, name)))
    yield flow.finished()


def _refuse_encrypted(document: Document, archive: zipfile.ZipFile) -> None:
    if (
        MANIFEST in archive.NameToInfo
        and next(parsed(document, archive, MANIFEST).iter("{*}encryption-data"), None) is not None
    ):
        raise NeedsPassword(
            f"{document.name} is a Hangul document that is encrypted with a password.",
            "Ask the sender for a copy without a password: no other program can open such a document.",
        )


def _blocks(parent: Any) -> Iterator[Block]:
    for paragraph in parent:
        if name_of(paragraph) == "p":
            yield from _paragraph(paragraph)


def _paragraph(paragraph: Any) -> Iterator[Block]:
    parts: list[str] = []
    for run in paragraph:
        for child in run if name_of(run) == "run" else ():
            name = name_of(child)
            if name == "t":
                parts.extend(_texts(child))
            elif name == "tbl" or name in SHAPES:
                yield "".join(parts)
                parts.clear()
                yield from _objects(child)
    yield "".join(parts)


def _texts(element: Any) -> Iterator[str]:
    """The text of a t element without what is deleted under change tracking."""
    deleted = False
    yield element.text or ""
    for child in element:
        name = name_of(child)
        deleted = name == "deleteBegin" or (deleted and name != "deleteEnd")
        if not deleted:
            yield SIGNS.get(name, "") + (child.tail or "")


def _objects(element: Any) -> Iterator[Block]:
    """What a table or a drawn shape gives: its caption's and text boxes' paragraphs, and the table."""
    name = name_of(element)
    if name == "subList":
        yield from _blocks(element)
        return
    for child in element:
        if name_of(child) in SHAPES:
            yield from _objects(child)
    if name == "tbl":
        yield _table(element)


def _table(table: Any) -> list[Cell]:
    cells: list[Cell] = []
    for number, row in enumerate(child for child in table if name_of(child) == "tr"):
        for position, element in enumerate(child for child in row if name_of(child) == "tc"):
            inner = {name_of(child): child for child in element}
            address, span = inner.get("cellAddr"), inner.get("cellSpan")
            blocks = list(_blocks(inner["subList"])) if "subList" in inner else []
            at = number if address is None else integer(address.get("rowAddr"), number)
            column = position if address is None else integer(address.get("colAddr"), position)
            down = 1 if span is None else integer(span.get("rowSpan"), 1)
            across = 1 if span is None else integer(span.get("colSpan"), 1)
            cells.append(
                Cell(max(0, at), max(0, column), blocks, min(max(1, down), MAX_ROWS), min(max(1, across), MAX_COLUMNS))
            )
    return cells
