"""Web archives (mht, mhtml): a page with what it shows, kept as a mail; also what Excel calls a single file web page.

A workbook of several sheets is a page of frames, and each sheet a page of its own. Source: RFC 2557 (MHTML); Microsoft
Office HTML and XML Reference (ExcelWorksheet, WorksheetSource).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from html import unescape
from typing import Any

from converters.document import Document
from converters.errors import Broken
from converters.formats import html
from converters.formats.flow import Flow
from converters.formats.meter import Meter
from converters.grid import Grid
from converters.model import Problem
from converters.options import Options

SHEET = re.compile(r"<x:Name>([^<]{1,255})</x:Name>\s{0,99}<x:WorksheetSource\s{1,99}HRef=\"([^\"]{1,2048})\"", re.I)


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid of the page's tables, or one for each sheet of a workbook.

    Raises:
        Broken: no page is in it.
        OverLimit: too many cells.
    """
    pages = _pages(document)
    meter = Meter(document.name, options.limits)
    source = html.text_of(*pages[0][1:])
    root = html.parsed(document, source)
    if not html.frames_of(root):
        yield _grid(document, options, root, None, meter)
        return
    by_name = {name: (data, charset) for name, data, charset in reversed(pages)}
    for sheet, reference in SHEET.findall(source) or [(name, name) for name in html.frames_of(root)]:
        meter.sheet()
        sheet, name = unescape(sheet), _base_name(unescape(reference))
        if name in by_name:
            yield _grid(document, options, html.parsed(document, html.text_of(*by_name[name])), sheet, meter)
        else:
            yield Grid(sheet, problems=[_missing(document, sheet, name)])


def _pages(document: Document) -> list[tuple[str, bytes, str | None]]:
    """File name, bytes and charset of each page, that of the archive itself first.

    Raises:
        Broken: there is none.
    """
    try:
        archive = message_from_bytes(document.content)
        parts = [part for part in archive.walk() if part.get_content_type() in ("text/html", "application/xhtml+xml")]
        pages = [(_location(part), part.get_payload(decode=True), part.get_content_charset()) for part in parts]
    except (RecursionError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise Broken(
            f"{document.name} is a damaged web archive: {error}.",
            "Save the page or the workbook anew, as xlsx if it can be.",
        ) from error
    start = (archive.get_param("start") or "") if parts else ""
    order = sorted(range(len(parts)), key=lambda i: (not start or parts[i].get("content-id") != start, i))
    found = [(name, data, charset) for name, data, charset in (pages[i] for i in order) if isinstance(data, bytes)]
    if not found:
        raise Broken(f"{document.name} is a web archive without a page in it.", "Save the page or the workbook anew.")
    return found


def _location(part: Message) -> str:
    return _base_name(str(part.get("content-location") or part.get_filename() or ""))


def _base_name(reference: str) -> str:
    return re.split(r"[/\\]", "".join(reference.split()))[-1].lower()


def _grid(document: Document, options: Options, root: Any, sheet: str | None, meter: Meter) -> Grid:
    flow = Flow(document, options, sheet, meter)
    html.lay_out(root, flow)
    return flow.finished()


def _missing(document: Document, sheet: str, name: str) -> Problem:
    return Problem(
        "sheet_missing",
        f"{document.name}: the sheet {sheet} is in the file {name}, which is not in the archive.",
        "Ask the sender to save the workbook as xlsx.",
        where=sheet,
    )
