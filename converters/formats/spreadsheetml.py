"""SpreadsheetML 2003, "XML Spreadsheet": what Excel saved as .xml, and what ERPs and report servers write as .xls.

Source: Microsoft, "XML Spreadsheet Reference" (Office XP and 2003).
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from converters.document import Document
from converters.encoding import decode
from converters.errors import Broken
from converters.formats import excel, markup
from converters.formats.excel import cell_value
from converters.formats.meter import Meter
from converters.grid import PLAIN, Grid, Look
from converters.model import Problem, Range, Scalar
from converters.options import Options

MAX_ROWS, MAX_COLUMNS = 1 << 20, 1 << 14

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_X = "{urn:schemas-microsoft-com:office:excel}"
_WORKSHEET, _ROW, _COLUMN, _STYLE = f"{_SS}Worksheet", f"{_SS}Row", f"{_SS}Column", f"{_SS}Style"
_CELL, _DATA, _COMMENT, _STYLE_ID, _INDEX = f"{_SS}Cell", f"{_SS}Data", f"{_SS}Comment", f"{_SS}StyleID", f"{_SS}Index"
_HIDDEN, _SPAN, _TYPE, _FORMULA = f"{_SS}Hidden", f"{_SS}Span", f"{_SS}Type", f"{_SS}Formula"
_ACROSS, _DOWN, _TABLE, _VISIBLE = f"{_SS}MergeAcross", f"{_SS}MergeDown", f"{_SS}Table", f"{_X}Visible"

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9_.:-]+)")
_CONTROLS = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]|&#(?:x0*(?:1?[0-8bcef]|1[9ad])|0*(?:[0-8]|1[124-9]|2\\d|3[01]));",
    re.I,
)
"""Characters that no XML may hold, and that programs put in nevertheless."""

_FORMATS = {
    "General Number": "General",
    "General Date": "yyyy-mm-dd h:mm",
    "Long Date": excel.BUILTIN_FORMATS[31],
    "Medium Date": "d-mmm-yy",
    "Short Date": "yyyy-mm-dd",
    "Long Time": "h:mm:ss AM/PM",
    "Medium Time": "h:mm AM/PM",
    "Short Time": "h:mm",
    "Currency": "#,##0.00",
    "Euro Currency": "[$€-2] #,##0.00",
    "Fixed": "0.00",
    "Standard": "#,##0.00",
    "Percent": "0.00%",
    "Scientific": "0.00E+00",
    "Yes/No": '"Yes";"Yes";"No"',
    "True/False": '"True";"True";"False"',
    "On/Off": '"On";"On";"Off"',
}
_START = dt.datetime(1899, 12, 31)


def read(document: Document, options: Options) -> Iterator[Grid]:
    """Every worksheet, hidden ones included and marked.

    Raises:
        Broken, OverLimit: as their messages say.
    """
    declared = _DECLARED.search(document.head)
    text = decode(document.content, declared[1].decode("ascii") if declared else None)
    text = _CONTROLS.sub("", _DECLARATION.sub("", text.lstrip("\ufeff")))
    stream = io.BytesIO(text.encode("utf-8", "replace"))
    book = _Book(document.name, options)
    damaged: list[str] = []
    grid = None
    for found in book.grids(stream, damaged):
        if grid is not None:
            yield grid
        grid = found
    if grid is None:
        said = f" ({damaged[0]})" if damaged else ""
        raise Broken(f"{document.name} holds no worksheet{said}.", "Ask the sender to send it again.")
    grid.problems += _problems(damaged, text)
    yield grid


class _Book:
    """One workbook."""

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self.options = options
        self.meter = Meter(name, options.limits)
        self.looks: dict[str, Look] = {}

    def grids(self, stream: io.BytesIO, damaged: list[str]) -> Iterator[Grid]:
        """The sheets as they come; what is wrong with the XML goes to `damaged`."""
        sheet: _Sheet | None = None
        tags = [_WORKSHEET, _TABLE, _ROW, _COLUMN, _STYLE, _VISIBLE]
        for starts, element in markup.elements(stream, self.name, tags, starts=[_WORKSHEET, _TABLE], damaged=damaged):
            if element.tag == _STYLE:
                self.looks[element.get(f"{_SS}ID") or ""] = self._look(element)
            elif element.tag == _WORKSHEET and starts:
                self.meter.sheet()
                sheet = _Sheet(element.get(f"{_SS}Name") or "", self)
            elif sheet is None or (element.tag == _TABLE and not starts):
                continue
            elif element.tag == _WORKSHEET:
                yield sheet.finished()
                markup.clear(element)
                sheet = None
            else:
                sheet.take(element)
        if sheet is not None:
            yield sheet.finished()

    def _look(self, element: Any) -> Look:
        look = self.looks.get(element.get(f"{_SS}Parent") or "Default", PLAIN)
        for part in element:
            if part.tag == f"{_SS}NumberFormat":
                stated = part.get(f"{_SS}Format") or "General"
                look = replace(look, number_format=excel.spelled(_FORMATS.get(stated, stated)))
            elif part.tag == f"{_SS}Font" and (bold := part.get(f"{_SS}Bold")) is not None:
                look = replace(look, bold=bold == "1")
            elif part.tag == f"{_SS}Interior" and (pattern := part.get(f"{_SS}Pattern")) is not None:
                look = replace(look, filled=pattern != "None")
            elif part.tag == f"{_SS}Borders":
                look = replace(look, border=len(part) > 0)
            elif part.tag == f"{_SS}Alignment":
                look = replace(look, indent=min(_count(part, f"{_SS}Indent"), 250))
        return look


class _Sheet:
    """One sheet, as its columns and rows come."""

    def __init__(self, name: str, book: _Book) -> None:
        self.grid = Grid(name)
        self.grid.looks = [*book.looks.values(), PLAIN]
        self.styles = {name: index for index, name in enumerate(book.looks)}
        self.meter = book.meter
        self.limit = min(book.options.max_rows or MAX_ROWS, MAX_ROWS)
        self.default = "Default"
        self.row = 0
        self.column = 0
        self.column_styles: dict[int, str] = {}
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.uncalculated: list[tuple[int, int]] = []

    def take(self, element: Any) -> None:
        """One part of the sheet: its table's start, a column, a row, or what its options say."""
        if element.tag == _TABLE:
            self.default = element.get(_STYLE_ID) or "Default"
        elif element.tag == _COLUMN:
            self._take_column(element)
        elif element.tag == _VISIBLE:
            self.grid.hidden = element.text in ("SheetHidden", "SheetVeryHidden")
        else:
            self._take_row(element)
            markup.clear(element)

    def finished(self) -> Grid:
        """The grid."""
        self.grid.hidden_rows, self.grid.hidden_columns = frozenset(self.hidden_rows), frozenset(self.hidden_columns)
        self.grid.rows = dict(sorted(self.grid.rows.items()))
        if self.uncalculated:
            self.grid.problems.append(excel.uncalculated(self.grid.sheet, self.uncalculated))
        return self.grid

    def _take_column(self, element: Any) -> None:
        first = _position(element, self.column)
        self.column = min(first + 1 + _count(element, _SPAN), MAX_COLUMNS)
        span = range(first, self.column)
        if (style := element.get(_STYLE_ID)) is not None:
            self.column_styles.update(dict.fromkeys(span, style))
        if element.get(_HIDDEN) == "1":
            self.hidden_columns.update(span)

    def _take_row(self, element: Any) -> None:
        row = _position(element, self.row)
        self.row = row + 1 + _count(element, _SPAN)
        if row >= self.limit:
            return
        if element.get(_HIDDEN) == "1":
            self.hidden_rows.update(range(row, min(self.row, MAX_ROWS)))
        values: list[Scalar] = []
        styles: list[int] = []
        column = 0
        for cell in element.iterchildren(_CELL):
            column = _position(cell, column)
            if column >= MAX_COLUMNS:
                break
            across, down = _count(cell, _ACROSS), _count(cell, _DOWN)
            if across or down:
                self.grid.merges.append(Range(row, column, row + down, column + across))
            style = self._style(cell.get(_STYLE_ID) or element.get(_STYLE_ID), column)
            value = self._value(cell, row, column, style)
            if value is not None and column >= len(values):
                gap = column - len(values)
                values += [None] * gap + [value]
                styles += [-1] * gap + [style]
            column += across + 1
        if values:
            self.meter.row(len(values) - values.count(None), len(values))
            self.grid.rows[row], self.grid.styles[row] = values, styles

    def _style(self, stated: str | None, column: int) -> int:
        return self.styles.get(stated or self.column_styles.get(column, self.default), -1)

    def _value(self, cell: Any, row: int, column: int, style: int) -> Scalar:
        """The value of a cell; keeps its formula and its comment."""
        if (formula := cell.get(_FORMULA)) is not None:
            self.grid.formulas[row, column] = formula
        value: Scalar = None
        for part in cell:
            if part.tag == _DATA:
                look = self.grid.looks[style]
                value = _typed("".join(part.itertext()), part.get(_TYPE), look)
            elif part.tag == _COMMENT:
                self.grid.comments[row, column] = "".join(part.itertext()).strip()
        if formula is not None and value is None and cell.find(_DATA) is None:
            self.uncalculated.append((row, column))
        return value


def _typed(text: str, kind: str | None, look: Look) -> Scalar:
    if kind == "Number":
        try:
            return excel.number(float(text))
        except ValueError:
            return text or None
    if kind == "DateTime":
        return _moment(text, look) or text or None
    if kind == "Boolean":
        return text.strip() == "1"
    return text or None


def _moment(text: str, look: Look) -> Scalar:
    """A date, a time of day (on the day before 1900), or a length of time where the format shows one."""
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if excel.kind_of_format(look.number_format) == "clock" and moment >= _START:
        return cell_value(moment - _START)
    if moment.year == 1899:
        return moment.time()
    return moment.date() if moment.time() == dt.time() else moment


def _position(element: Any, following: int) -> int:
    """The 0-based place of a row, column or cell: the stated one, unless it would go back."""
    stated = _count(element, _INDEX)
    return max(stated - 1, following) if stated else following


def _count(element: Any, name: str) -> int:
    text = element.get(name)
    return int(text) if text and len(text) < 8 and text.isascii() and text.isdigit() else 0


def _problems(damaged: list[str], text: str) -> Iterator[Problem]:
    remedy = "Open it in a spreadsheet program and save it as xlsx, or ask the sender to."
    if damaged:
        yield Problem("damaged_xml", f"the XML is damaged, and cells may be missing: {damaged[0]}.", remedy)
    if lost := text.count("\ufffd"):
        yield Problem("undecodable_text", f"{lost} characters could not be decoded.", remedy)
