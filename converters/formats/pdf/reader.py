"""PDF: its tables, ruled or only aligned, with the text around them, on one grid over all pages.

A cell's address is its place among the texts of its page: facts say "page 3" for the sheet, and there rows count from
the page's first text on, columns from the left edge of their table. See layout.py for the whole rule.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from converters.document import Document
from converters.errors import Broken, NeedsPassword, OverLimit, Unsupported
from converters.formats.meter import Meter
from converters.formats.pdf import aligned, ruled
from converters.formats.pdf.characters import CharacterReader
from converters.formats.pdf.continued import drop_running, join_tables
from converters.formats.pdf.layout import Layout
from converters.formats.pdf.problems import notices_of, problems_of, scans, unreadable
from converters.formats.pdf.rulings import rulings_of
from converters.formats.pdf.shapes import Sheet, lines_of
from converters.grid import Grid
from converters.options import Options

_PDFIUM = threading.Lock()
"""PDFium keeps global state: one thread at a time."""

_DRAWN = frozenset({pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT})
"""Annotations whose text is part of what is printed: the fields of forms, and text boxes."""


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid of all pages.

    Raises:
        NeedsPassword: no password opens it.
        Broken: it is damaged.
        OverLimit: too many pages or cells.
        Unsupported: it is a scan, without any text.
    """
    grid = Grid(document.stem, textual=True)
    with _PDFIUM:
        sheets = _Pages(document, options, grid).read()
    drop_running(sheets)
    found = aligned.take_tables([sheet.lines for sheet in sheets], [sheet.rules for sheet in sheets])
    for sheet, (regions, lines) in zip(sheets, found, strict=True):
        sheet.regions += regions
        sheet.lines = lines
    join_tables(sheets)
    layout = Layout(grid, Meter(document.name, options.limits))
    for sheet in sheets:
        layout.put(sheet)
    grid.problems.extend(problems_of(sheets, document.name))
    grid.notices.extend(notices_of(sheets, document.name))
    yield grid


class _Pages:
    """The pages of one document."""

    def __init__(self, document: Document, options: Options, grid: Grid) -> None:
        self.document = document
        self.options = options
        self.grid = grid
        self.characters = CharacterReader()
        self.scanned: list[int] = []

    def read(self) -> list[Sheet]:
        """Each page with its ruled tables and the lines of text outside of them."""
        pdf = _opened(self.document, self.options)
        try:
            count = len(pdf)
            limit = self.options.limits.max_pages
            if count > limit:
                raise OverLimit(
                    f"{self.document.name} has {count:,} pages; max_pages allows {limit:,}.",
                    "Split it, or raise max_pages.",
                )
            sheets = list(self._sheets(pdf, count))
        finally:
            pdf.close()
        self._report_scans(sheets, count)
        return sheets

    def _sheets(self, pdf: Any, count: int) -> Iterator[Sheet]:
        rows = 0
        for index in range(count):
            sheet = self._sheet(pdf, index)
            if sheet is not None:
                yield sheet
                rows += len(sheet.lines) + sum(region.rows for region in sheet.regions)
            if self.options.max_rows and rows >= self.options.max_rows:
                break

    def _sheet(self, pdf: Any, index: int) -> Sheet | None:
        try:
            page = pdf[index]
        except pypdfium2.PdfiumError:
            self.grid.problems.append(unreadable(index + 1, self.document.name))
            return None
        page = _flattened(pdf, page, index)
        text_page = page.get_textpage()
        try:
            text = self.characters.read(text_page.raw, _visible(page))
            rulings = rulings_of(page.raw, text.turn, text.box)
        finally:
            text_page.close()
            page.close()
        if not text.characters and rulings.pictures:
            self.scanned.append(index + 1)
        tables = ruled.take_tables(rulings, text.words)
        return Sheet(
            number=index + 1,
            height=text.box[3] - text.box[1],
            regions=tables.regions,
            lines=lines_of(tables.outside),
            rules=rulings.horizontal,
            left_out=text.slanted + tables.left_out,
            drawing=rulings.drawing,
        )

    def _report_scans(self, sheets: Sequence[Sheet], count: int) -> None:
        name = self.document.name
        if self.scanned and not any(sheet.regions or sheet.lines for sheet in sheets):
            raise Unsupported(
                f"{name} is a scan: no text in it.",
                "Ask the sender for the file that it was printed from, or for a PDF with text (OCR).",
            )
        self.grid.problems.extend(scans(self.scanned, count, name))


def _opened(document: Document, options: Options) -> Any:
    """PDFium's document."""
    code = None
    for password in (None, *options.passwords):
        try:
            return pypdfium2.PdfDocument(document.content, password=password)
        except pypdfium2.PdfiumError as error:
            code = error.err_code
            if code != pdfium.FPDF_ERR_PASSWORD:
                break
    if code == pdfium.FPDF_ERR_PASSWORD:
        tried = (
            f"none of the {len(options.passwords)} passwords given opens it" if options.passwords else "none was given"
        )
        raise NeedsPassword(
            f"{document.name} is encrypted with a password, and {tried}.",
            "Put its password into the tenant's secrets, or ask the sender for a copy without one.",
        )
    if code == pdfium.FPDF_ERR_SECURITY:
        raise Unsupported(
            f"{document.name} is encrypted in a way that is not read (by certificate, for example).",
            "Ask the sender for a copy without protection.",
        )
    raise Broken(
        f"{document.name} is no sound PDF: no page of it can be opened.",
        "It is cut off or damaged: ask the sender to send it again.",
    )


def _flattened(pdf: Any, page: Any, index: int) -> Any:
    """The page with what its form fields say as part of its text."""
    count = pdfium.FPDFPage_GetAnnotCount(page)
    if not any(_subtype(page, i) in _DRAWN for i in range(min(count, 10_000))):
        return page
    pdfium.FPDFPage_Flatten(page, pdfium.FLAT_PRINT)
    page.close()
    return pdf[index]


def _subtype(page: Any, index: int) -> int:
    annotation = pdfium.FPDFPage_GetAnnot(page, index)
    if not annotation:
        return 0
    subtype: int = pdfium.FPDFAnnot_GetSubtype(annotation)
    pdfium.FPDFPage_CloseAnnot(annotation)
    return subtype


def _visible(page: Any) -> tuple[float, float, float, float]:
    """The part of the page that is shown, in its own space."""
    media, crop = page.get_mediabox(), page.get_cropbox()
    left, bottom, right, top = (*map(max, media[:2], crop[:2]), *map(min, media[2:], crop[2:]))
    return (left, bottom, right, top) if left < right and bottom < top else (0.0, 0.0, *page.get_size())
