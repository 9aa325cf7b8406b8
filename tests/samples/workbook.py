"""Draws a worksheet as an office does (fonts, borders, fills, merges, print set-up), to the same bytes every time.

Formulas carry their cached values, as files that Excel saved do; openpyxl alone leaves them out.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.page import PageMargins

SAVED = dt.datetime(2026, 1, 2, 9, 0, 0)
COUNT = '#,##0;△#,##0;"-"'
PERCENT = "0.0%"

_THIN, _MEDIUM = Side(style="thin", color="7F7F7F"), Side(style="medium", color="000000")
_GRID = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_TOTAL = Border(left=_THIN, right=_THIN, top=_MEDIUM, bottom=_MEDIUM)
_CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
_RIGHT = Alignment(horizontal="right", vertical="center")
_LEFT = Alignment(horizontal="left", vertical="center")


@dataclass(frozen=True, slots=True)
class Look:
    """How one kind of cell looks."""

    alignment: Alignment
    size: int = 10
    bold: bool = False
    fill: str | None = None
    border: Border | None = _GRID
    underline: str | None = None


LOOKS = {
    "title": Look(_CENTRE, size=18, bold=True, border=None, underline="double"),
    "note": Look(_LEFT, size=9, border=None),
    "unit": Look(_RIGHT, size=9, border=None),
    "section": Look(_LEFT, size=11, bold=True, border=None),
    "box": Look(_CENTRE, size=9),
    "head": Look(_CENTRE, bold=True, fill="D9E1F2"),
    "label": Look(_CENTRE),
    "text": Look(_LEFT),
    "number": Look(_RIGHT),
    "subtotal": Look(_RIGHT, bold=True, fill="F2F2F2"),
    "subtotal label": Look(_CENTRE, bold=True, fill="F2F2F2"),
    "total": Look(_RIGHT, bold=True, fill="FFF2CC", border=_TOTAL),
    "total label": Look(_CENTRE, bold=True, fill="FFF2CC", border=_TOTAL),
}


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula (without "=") and the value that Excel last computed for it."""

    text: str
    value: float


def total(column: int, rows: Sequence[int], value: float) -> Formula:
    """The sum of those rows of one column, as a person enters it; rows and column are 1-based."""
    letter = get_column_letter(column)
    if list(rows) == list(range(rows[0], rows[-1] + 1)):
        return Formula(f"SUM({letter}{rows[0]}:{letter}{rows[-1]})", value)
    return Formula("+".join(f"{letter}{row}" for row in rows), value)


class Sheet:
    """A workbook of one sheet; rows and columns are 1-based.

    Args:
        name: of the sheet.
        author: who saved the workbook.
        widths: of the columns, left to right, in characters.
        landscape: the paper's orientation (A4, fitted to its width).
    """

    def __init__(self, name: str, author: str, widths: Sequence[float], *, landscape: bool = False) -> None:
        self._book = Workbook()
        properties = self._book.properties
        properties.creator = properties.lastModifiedBy = author
        properties.created = SAVED
        self._cached: dict[str, float] = {}
        page = self._page = self._book.worksheets[0]
        page.title = name
        page.sheet_view.showGridLines = False
        page.page_setup.paperSize = page.PAPERSIZE_A4
        page.page_setup.orientation = "landscape" if landscape else "portrait"
        page.page_setup.fitToHeight = 0
        page.sheet_properties.pageSetUpPr.fitToPage = True
        page.page_margins = PageMargins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        page.print_options.horizontalCentered = True
        page.oddFooter.center.text = "- &P / &N -"
        for number, width in enumerate(widths, start=1):
            page.column_dimensions[get_column_letter(number)].width = width

    def put(
        self,
        row: int,
        column: int,
        value: str | float | dt.date | Formula | None,
        look: str = "label",
        number_format: str | None = None,
        *,
        down: int = 1,
        across: int = 1,
    ) -> None:
        """Write one cell; `down` and `across` merge it over as many rows and columns."""
        for r in range(row, row + down):
            for c in range(column, column + across):
                self._dress(self._page.cell(r, c), LOOKS[look])
        cell = self._page.cell(row, column)
        if isinstance(value, Formula):
            self._cached[cell.coordinate] = value.value
            value = f"={value.text}"
        cell.value = value
        if number_format:
            cell.number_format = number_format
        if down > 1 or across > 1:
            self._page.merge_cells(
                start_row=row, start_column=column, end_row=row + down - 1, end_column=column + across - 1
            )

    def sign_off(self, column: int, people: Sequence[tuple[str, str]]) -> None:
        """The approval box of rows 1 and 2: one column a rank, its holder's name below."""
        self.put(1, column, "결\n재", "box", down=2)
        for offset, (rank, person) in enumerate(people, start=1):
            self.put(1, column + offset, rank, "box")
            self.put(2, column + offset, person or None, "box")
        self.height(2, 36)

    def height(self, row: int, points: float) -> None:
        """Set a row's height."""
        self._page.row_dimensions[row].height = points

    def freeze(self, first: int, last: int) -> None:
        """Repeat the header rows on each printed page and keep them in view."""
        self._page.print_title_rows = f"{first}:{last}"
        self._page.freeze_panes = f"A{last + 1}"

    def save(self) -> bytes:
        """The xlsx file."""
        buffer = io.BytesIO()
        self._book.save(buffer)
        out = io.BytesIO()
        with zipfile.ZipFile(buffer) as written, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as fixed:
            for name in written.namelist():
                body = written.read(name)
                if name == "docProps/core.xml":
                    body = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>%sZ" % SAVED.isoformat().encode(), body)
                elif name.startswith("xl/worksheets/"):
                    body = self._with_cached(body)
                fixed.writestr(zipfile.ZipInfo(name, SAVED.timetuple()[:6]), body, zipfile.ZIP_DEFLATED)
        return out.getvalue()

    @staticmethod
    def _dress(cell: Cell, look: Look) -> None:
        cell.font = Font(name="맑은 고딕", size=look.size, bold=look.bold, underline=look.underline)
        cell.alignment = look.alignment
        if look.fill:
            cell.fill = PatternFill("solid", fgColor=look.fill)
        if look.border:
            cell.border = look.border

    def _with_cached(self, sheet: bytes) -> bytes:
        def fill(found: re.Match[bytes]) -> bytes:
            return b"%s<v>%s</v></c>" % (found[1], repr(self._cached[found[2].decode()]).encode())

        return re.sub(rb'(<c r="([A-Z]+\d+)"[^>]*><f>[^<]*</f>)<v ?(?:/>|></v>)</c>', fill, sheet)
