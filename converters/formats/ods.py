"""ods and flat .fods: one pass over the XML; a blank that is repeated a million times costs nothing.

Source: OASIS OpenDocument 1.3 part 3, 9 (spreadsheets), 19.643 ff. (table attributes), part 2, 3 (encryption).
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from converters.document import Document
from converters.errors import Broken, NeedsPassword
from converters.formats import excel, markup, package
from converters.formats.excel import cell_value
from converters.formats.meter import Meter
from converters.formats.ods_styles import CELL_STYLE, DATA_STYLES, OFFICE, TABLE, TEXT, Styles
from converters.grid import PLAIN, Grid, Look
from converters.model import Problem, Range, Scalar
from converters.options import Options

MAX_ROWS, MAX_COLUMNS = 1 << 20, 1 << 14

_CALC_TYPE = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
_CELLS = (f"{TABLE}table-cell", f"{TABLE}covered-table-cell")
_PARAGRAPH, _ANNOTATION = f"{TEXT}p", f"{OFFICE}annotation"
_PARTS = (*DATA_STYLES, CELL_STYLE, f"{TABLE}table", f"{TABLE}table-column", f"{TABLE}table-row", _ANNOTATION)
_REPEATED_COLUMNS, _REPEATED_ROWS = f"{TABLE}number-columns-repeated", f"{TABLE}number-rows-repeated"
_COLUMNS_SPANNED, _ROWS_SPANNED = f"{TABLE}number-columns-spanned", f"{TABLE}number-rows-spanned"
_STYLE_NAME, _DEFAULT_STYLE, _VISIBILITY = (
    f"{TABLE}style-name",
    f"{TABLE}default-cell-style-name",
    f"{TABLE}visibility",
)
_VALUE_TYPE, _VALUE, _FORMULA = f"{OFFICE}value-type", f"{OFFICE}value", f"{TABLE}formula"
_NUMBERS = frozenset({"float", "currency", "percentage"})

_SPACES = {f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n"}
_SILENT = frozenset({f"{TEXT}ruby-text", f"{TEXT}note"})
_MACRO = re.compile(r"Basic/.+/(?!script-l[bc]\.xml)[^/]+\.xml|Scripts/.+\.\w+")
_ERROR = re.compile(r"(?:Err:|#ERR)(\d{3})!?|(#[A-Z0-9/]+[!?]|#N/A)")
_ERROR_NAMES = {"503": "#NUM!", "519": "#VALUE!", "524": "#REF!", "525": "#NAME?", "532": "#DIV/0!"}
_DURATION = re.compile(r"(-?)PT(\d{1,6})H(\d{1,2})M(\d{1,2})(?:[.,](\d+))?S")


def read(document: Document, options: Options) -> Iterator[Grid]:
    """Every sheet, hidden ones included and marked.

    Raises:
        Broken, NeedsPassword, OverLimit: as their messages say.
    """
    book = _Book(document.name, options)
    if not document.head.startswith(b"PK"):
        with document.open() as stream:
            yield from book.grids(stream)
        return
    package.check(document, options.limits)
    try:
        with document.open() as stream, zipfile.ZipFile(stream) as archive:
            _refuse_encrypted(archive, document.name)
            if any(map(_MACRO.fullmatch, archive.namelist())):
                book.notices.append(
                    _notice("macros", f"{document.name} carries macros: they were neither run nor read.")
                )
            if "styles.xml" in archive.NameToInfo:
                with archive.open("styles.xml") as part:
                    book.take_common_styles(part)
            with archive.open("content.xml") as part:
                yield from book.grids(part)
    except (zipfile.BadZipFile, KeyError, OSError, NotImplementedError, EOFError) as error:
        raise Broken(
            f"{document.name} is no sound OpenDocument spreadsheet: {error}.",
            "Open it in a spreadsheet program and save it anew, or ask the sender to.",
        ) from error


def _refuse_encrypted(archive: zipfile.ZipFile, name: str) -> None:
    manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in archive.NameToInfo else b""
    if b"encryption-data" in manifest or "encrypted-package" in archive.NameToInfo:
        raise NeedsPassword(
            f"{name} is an OpenDocument spreadsheet with a password; only those of Office files are opened.",
            "Ask the sender for a copy without a password, or for an xlsx with one that the tenant's secrets hold.",
        )


class _Book:
    """One document."""

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self.options = options
        self.meter = Meter(name, options.limits)
        self.styles = Styles()
        self.notices: list[Problem] = []

    def take_common_styles(self, stream: markup.Stream) -> None:
        """Reads the part that holds the named styles; what it holds for page headers has names of its own."""
        for _, element in markup.elements(stream, self.name, [*DATA_STYLES, CELL_STYLE]):
            if element.getparent().tag == f"{OFFICE}styles":
                self.styles.take(element)

    def grids(self, stream: markup.Stream) -> Iterator[Grid]:
        """The sheets of the part that holds the content."""
        sheet: _Sheet | None = None
        depth = 0
        for starts, element in markup.elements(stream, self.name, _PARTS, starts=[f"{TABLE}table"]):
            if element.tag == f"{TABLE}table":
                depth += 1 if starts else -1
                if starts and depth == 1:
                    self.meter.sheet()
                    sheet = _Sheet(element, self)
                elif sheet is not None and depth == 0:
                    if sheet.is_foreign:
                        self.notices.append(_foreign(self.name))
                    else:
                        grid = sheet.finished()
                        grid.notices, self.notices = self.notices, []
                        yield grid
                    markup.clear(element)
                    sheet = None
            elif element.tag == _ANNOTATION:
                _attach(element)
            elif sheet is None:
                self.styles.take(element)
            elif depth == 1:
                sheet.take(element)


class _Sheet:
    """One sheet, as its columns and rows come."""

    def __init__(self, element: Any, book: _Book) -> None:
        name = element.get(f"{TABLE}name") or ""
        self.is_foreign = name.startswith("'file:")
        self.grid = Grid(name, hidden=element.get(_STYLE_NAME) in book.styles.hidden)
        self.looks = {name: index for index, name in enumerate(book.styles.looks)}
        self.percent = len(self.looks)
        self.grid.looks = [*book.styles.looks.values(), Look("0%"), PLAIN]
        self.meter = book.meter
        self.limit = min(book.options.max_rows or MAX_ROWS, MAX_ROWS)
        self.row = 0
        self.column_styles: list[str] = []
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.uncalculated: list[tuple[int, int]] = []

    def take(self, element: Any) -> None:
        """One column or row."""
        if element.tag == f"{TABLE}table-column":
            first, repeated = len(self.column_styles), _count(element, _REPEATED_COLUMNS)
            last = min(first + repeated, MAX_COLUMNS)
            self.column_styles += [element.get(_DEFAULT_STYLE) or ""] * (last - first)
            if element.get(_VISIBILITY) in ("collapse", "filter"):
                self.hidden_columns.update(range(first, last))
        elif element.tag == f"{TABLE}table-row":
            self._take_row(element)
            markup.clear(element)

    def finished(self) -> Grid:
        """The grid."""
        self.grid.hidden_rows, self.grid.hidden_columns = frozenset(self.hidden_rows), frozenset(self.hidden_columns)
        if self.uncalculated:
            self.grid.problems.append(excel.uncalculated(self.grid.sheet, self.uncalculated))
        return self.grid

    def _take_row(self, element: Any) -> None:
        top, repeated = self.row, _count(element, _REPEATED_ROWS)
        self.row = min(top + repeated, MAX_ROWS)
        if top >= self.limit or self.is_foreign:
            return
        values, styles = self._cells(element, top)
        used = len(values) - values.count(None)
        if not used:
            return
        repeated = min(self.row, self.limit) - top
        if element.get(_VISIBILITY) in ("collapse", "filter"):
            self.hidden_rows.update(range(top, top + repeated))
        self.meter.row(used * repeated, len(values) * repeated)
        for row in range(top, top + repeated):
            self.grid.rows[row] = values if row == top else values[:]
            self.grid.styles[row] = styles

    def _cells(self, element: Any, row: int) -> tuple[list[Scalar], list[int]]:
        values: list[Scalar] = []
        styles: list[int] = []
        column = 0
        default = element.get(_DEFAULT_STYLE)
        for cell in element.iterchildren(*_CELLS):
            stated = dict(cell.items())
            repeated = _count(stated, _REPEATED_COLUMNS) if _REPEATED_COLUMNS in stated else 1
            if column < MAX_COLUMNS and (_VALUE_TYPE in stated or len(cell) or _FORMULA in stated):
                name = stated.get(_STYLE_NAME) or default or self._column_style(column)
                value, style = self._value(cell, stated, (row, column), self.looks.get(name, -1))
                if value is not None:
                    gap, repeated = column - len(values), min(repeated, MAX_COLUMNS - column)
                    values += [None] * gap + [value] * repeated
                    styles += [-1] * gap + [style] * repeated
                if _COLUMNS_SPANNED in stated or _ROWS_SPANNED in stated:
                    self._take_span(stated, row, column)
            column += repeated
        return values, styles

    def _column_style(self, column: int) -> str:
        return self.column_styles[column] if column < len(self.column_styles) else ""

    def _take_span(self, stated: dict[str, str], row: int, column: int) -> None:
        across, down = _count(stated, _COLUMNS_SPANNED), _count(stated, _ROWS_SPANNED)
        if across > 1 or down > 1:
            self.grid.merges.append(Range(row, column, row + down - 1, column + across - 1))

    def _value(self, cell: Any, stated: dict[str, str], place: tuple[int, int], style: int) -> tuple[Scalar, int]:
        """The value of a cell and its style; keeps its formula and its comment."""
        kind = stated.get(_VALUE_TYPE)
        if _FORMULA in stated:
            self.grid.formulas[place] = _formula(stated[_FORMULA])
            if error := _error(cell, stated):
                return error, style
            if kind is None and not len(cell):
                self.uncalculated.append(place)
        if _ANNOTATION in stated:
            self.grid.comments[place] = stated[_ANNOTATION]
        if kind in _NUMBERS:
            percent = kind == "percentage" and "%" not in self.grid.looks[style].number_format
            return _number(cell, stated), self.percent if percent else style
        if kind == "date":
            return _date(stated.get(f"{OFFICE}date-value", "")) or _text(cell) or None, style
        if kind == "time":
            clock = excel.kind_of_format(self.grid.looks[style].number_format) == "clock"
            return _time(stated.get(f"{OFFICE}time-value", ""), clock=clock) or _text(cell) or None, style
        if kind == "boolean":
            return stated.get(f"{OFFICE}boolean-value") == "true", style
        return stated.get(f"{OFFICE}string-value") or _text(cell) or None, style


def _count(stated: Any, name: str) -> int:
    """How often, or over how many, by an attribute; once where it is absent or absurd."""
    text = stated.get(name)
    return max(1, int(text)) if text and len(text) < 10 and text.isascii() and text.isdigit() else 1


def _number(cell: Any, stated: dict[str, str]) -> Scalar:
    try:
        return excel.number(float(stated[_VALUE]))
    except (KeyError, ValueError):
        return _text(cell) or None


def _attach(note: Any) -> None:
    """Makes a comment an attribute of its cell, so that the cells without one, nearly all, need no search."""
    cell = note.getparent()
    cell.set(_ANNOTATION, _text(note).strip())
    cell.remove(note)


def _text(element: Any) -> str:
    """The paragraphs of a cell or a comment, a line each."""
    if len(element) == 1 and not len(element[0]):
        return _collapsed(element[0].text)
    return "\n".join(map(_paragraph, element.iterchildren(_PARAGRAPH)))


def _paragraph(element: Any) -> str:
    if not len(element):
        return _collapsed(element.text)
    parts = [_collapsed(element.text)]
    for child in element:
        if child.tag == f"{TEXT}s":
            parts.append(" " * min(_count(child, f"{TEXT}c"), 1000))
        elif child.tag in _SPACES:
            parts.append(_SPACES[child.tag])
        elif child.tag not in _SILENT:
            parts.append(_paragraph(child))
        parts.append(_collapsed(child.tail))
    return "".join(parts)


def _collapsed(text: str | None) -> str:
    """A text as OpenDocument means it: white space of any length is one space."""
    return re.sub(r"[ \t\r\n]+", " ", text) if text else ""


def _error(cell: Any, stated: dict[str, str]) -> str | None:
    """The error that a formula gave, if it did; old programs call it a number."""
    certain = stated.get(_CALC_TYPE) == "error"
    if not certain and stated.get(_VALUE_TYPE) != "float":
        return None
    found = _ERROR.fullmatch(_text(cell))
    if found is None:
        return "#VALUE!" if certain else None
    return found[2] or _ERROR_NAMES.get(found[1], "#VALUE!")


def _formula(text: str) -> str:
    """A formula with references as Excel writes them: of:=SUM([.A1:.A3]) → =SUM(A1:A3)."""
    text = text[text.find("=") :] if re.match(r"[a-z]+:=", text) else text
    return re.sub(r"\[([^\[\]]*)\]", _reference, text).replace(";", ",")


def _reference(found: re.Match[str]) -> str:
    text = re.sub(r"(^|:)\.", r"\1", found[1])
    return re.sub(r"^\$?((?:'[^']*'|[^.:'])+)\.", r"\1!", text)


def _date(text: str) -> Scalar:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.time() != dt.time() or moment.tzinfo else moment.date()


def _time(text: str, *, clock: bool) -> Scalar:
    """A time of day, or a length of time where the format shows one or a day does not hold it."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = int(found[2]), int(found[3]), int(found[4])
    micros = int((found[5] or "").ljust(6, "0")[:6])
    length = dt.timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=micros)
    if clock or found[1] or length >= dt.timedelta(days=1):
        return cell_value(-length if found[1] else length)
    return (dt.datetime.min + length).time()


def _foreign(name: str) -> Problem:
    return _notice("external_links", f"{name} carries copies of sheets of other workbooks: they were not read.")


def _notice(code: str, message: str) -> Problem:
    return Problem(code, message, package.UNTOUCHED)
