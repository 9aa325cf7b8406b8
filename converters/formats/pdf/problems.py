"""What a reader of the tables of a PDF must know: what is missing, and what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from converters.formats.pdf.characters import UNKNOWN
from converters.formats.pdf.rulings import MAX_RULES
from converters.formats.pdf.shapes import Sheet
from converters.model import Problem

HASHES = re.compile(r"#{3,}")
"""What spreadsheet programs print for a figure that is wider than its column."""


def problems_of(sheets: Sequence[Sheet], name: str) -> Iterator[Problem]:
    """What cannot be known of cells."""
    cells = [(sheet.number, cell.text) for sheet in sheets for region in sheet.regions for cell in region.cells]
    unknown = [(number, text) for number, text in cells if UNKNOWN in text]
    if unknown:
        number, text = unknown[0]
        yield Problem(
            "unknown_characters",
            f"{name}: {len(unknown)} cells hold characters without Unicode, here {UNKNOWN}: first '{text[:40]}'.",
            "Ask the sender for the file that it was printed from: only the PDF's own font knows these characters.",
            f"page {number}",
        )
    hidden = [number for number, text in cells if HASHES.fullmatch(text)]
    if hidden:
        yield Problem(
            "hidden_figures",
            f"{name}: {len(hidden)} cells show ### instead of their figure, the first on page {hidden[0]}.",
            "Their columns were too narrow when it was printed: ask the sender for the workbook, or for a wider print.",
            f"page {hidden[0]}",
        )


def notices_of(sheets: Sequence[Sheet], name: str) -> Iterator[Problem]:
    """What was left out, and takes nothing away from the tables."""
    marked = [sheet.number for sheet in sheets if sheet.left_out]
    if marked:
        yield Problem(
            "watermark",
            f"{name}: text at a slant, or huge and across cells, was left out ({_pages(marked)}).",
            "Nothing, if it is a watermark.",
            f"page {marked[0]}",
        )
    drawn = [sheet.number for sheet in sheets if sheet.drawing]
    if drawn:
        yield Problem(
            "drawing",
            f"{name}: more than {MAX_RULES:,} lines are drawn on {_pages(drawn)}; none was taken for a border.",
            "Nothing, if it is a drawing. If it is a table, ask the sender for the file that it was printed from.",
            f"page {drawn[0]}",
        )


def scans(numbers: Sequence[int], count: int, name: str) -> Iterator[Problem]:
    """Pages that are images, in a file that has others."""
    if numbers:
        yield Problem(
            "scanned_page",
            f"{name}: {len(numbers)} of {count} pages are images without text ({_pages(numbers)}).",
            "Ask the sender for the file that they were printed from.",
            f"page {numbers[0]}",
        )


def unreadable(number: int, name: str) -> Problem:
    """A page that PDFium does not open."""
    return Problem(
        "unreadable_page",
        f"{name}: page {number} cannot be read.",
        "It is damaged: ask the sender to make the PDF again.",
        f"page {number}",
    )


def _pages(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:10])) + (", …" if len(numbers) > 10 else "")
    return f"page {shown}" if len(numbers) == 1 else f"pages {shown}"
