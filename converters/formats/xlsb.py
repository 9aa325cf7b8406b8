"""xlsb: its records as a stream, so that memory follows what the sheets hold. Formulas stay out: values are cached.

Source: MS-XLSB 2.1.4 (Record), 2.4 (records), 2.5.168 (XLWideString).
"""

from __future__ import annotations

import posixpath
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import IO

from converters.document import Document
from converters.errors import Broken
from converters.formats import excel, markup, package
from converters.formats.meter import Meter
from converters.grid import PLAIN, Grid, Look
from converters.model import Problem, Range, Scalar
from converters.options import Options

CHUNK = 1 << 20
MAX_RECORD = 1 << 22
MAX_ROWS, MAX_COLUMNS = 1 << 20, 1 << 14

_ROW, _RK, _ERROR, _BOOL, _REAL, _TEXT, _SHARED, _RICH_TEXT = 0, 2, 3, 4, 5, 6, 7, 62
_FORMULA_TEXT, _FORMULA_NUMBER, _FORMULA_BOOL, _FORMULA_ERROR = 8, 9, 10, 11
_SHARED_ITEM, _FONT, _FORMAT, _FILL, _BORDER, _XF, _COLUMNS = 19, 43, 44, 45, 46, 47, 60
_WORKBOOK_PROPERTIES, _SHEET, _MERGE = 153, 156, 176
_CELL_FORMATS, _CELL_FORMATS_END, _COMMENT, _COMMENT_TEXT = 617, 618, 635, 637

_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_DAMAGED = (zipfile.BadZipFile, KeyError, OSError, ValueError, IndexError, struct.error, NotImplementedError, EOFError)
_CELL = struct.Struct("<II")


def read(document: Document, options: Options) -> Iterator[Grid]:
    """Every worksheet, hidden ones included and marked.

    Raises:
        Broken, OverLimit: as their messages say.
    """
    package.check(document, options.limits)
    notices = package.notices(document)
    try:
        with document.open() as stream, zipfile.ZipFile(stream) as archive:
            yield from _Workbook(archive, document.name, options).grids(notices)
    except _DAMAGED as error:
        raise Broken(
            f"{document.name} is no sound xlsb workbook: {error}.",
            "Open it in a spreadsheet program and save it as xlsx, or ask the sender to.",
        ) from error


def records(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The kind and the content of each record; one that is cut off ends them.

    Raises:
        ValueError: a record longer than any can be.
    """
    rest = b""
    while chunk := stream.read(CHUNK):
        data, at, end = rest + chunk, 0, len(rest) + len(chunk)
        while True:
            start = at
            try:
                kind = data[at]
                at += 1
                if kind & 0x80:
                    kind = kind & 0x7F | (data[at] & 0x7F) << 7
                    at += 1
                size = shift = 0
                more = 0x80
                while more and shift < 28:
                    more = data[at] & 0x80
                    size |= (data[at] & 0x7F) << shift
                    shift += 7
                    at += 1
            except IndexError:
                break
            if size > MAX_RECORD:
                raise ValueError(f"a record claims {size:,} bytes")
            if at + size > end:
                break
            yield kind, data[at : at + size]
            at += size
        rest = data[start:]


class _Workbook:
    """The parts of one package that its sheets share."""

    def __init__(self, archive: zipfile.ZipFile, name: str, options: Options) -> None:
        self.archive = archive
        self.name = name
        self.options = options
        self.meter = Meter(name, options.limits)
        self.path = next(n for n in archive.namelist() if n.lower().endswith("xl/workbook.bin"))
        self.relations = self._relations(self.path)
        self.texts = self._texts()
        self.looks = [PLAIN]
        styles = self._part("/styles")
        if styles:
            with archive.open(styles) as stream:
                self.looks = [*_looks(stream), PLAIN]
        self.kinds = [excel.kind_of_format(look.number_format) for look in self.looks]

    def grids(self, notices: list[Problem]) -> Iterator[Grid]:
        """The worksheets; the first of them takes the notices."""
        since_1904 = False
        with self.archive.open(self.path) as stream:
            for kind, data in records(stream):
                if kind == _WORKBOOK_PROPERTIES:
                    since_1904 = bool(data[0] & 1)
                elif kind == _SHEET:
                    self.meter.sheet()
                    relation, at = _string(data, 8)
                    name, _ = _string(data, at)
                    target, purpose = self.relations.get(relation, ("", ""))
                    if purpose.endswith("/worksheet"):
                        grid = Grid(name, looks=self.looks, notices=notices, hidden=bool(data[0] & 3))
                        self._read_sheet(target, grid, since_1904=since_1904)
                        notices = []
                        yield grid

    def _read_sheet(self, path: str, grid: Grid, *, since_1904: bool) -> None:
        sheet = _Sheet(grid, self.texts, self.kinds, self.meter, self.options.max_rows, since_1904)
        try:
            with self.archive.open(path) as stream:
                sheet.read(records(stream))
            for target, purpose in self._relations(path).values():
                if purpose.endswith("/comments") and target in self.archive.NameToInfo:
                    with self.archive.open(target) as stream:
                        grid.comments = _comments(stream)
        except _DAMAGED as error:
            grid.problems.append(_cut_off(grid.sheet, sheet.row + 1, error))
        sheet.finish()

    def _relations(self, path: str) -> dict[str, tuple[str, str]]:
        """The part that each relation of a part leads to, and what it is."""
        folder, name = posixpath.split(path)
        found: dict[str, tuple[str, str]] = {}
        source = posixpath.join(folder, "_rels", f"{name}.rels")
        if source in self.archive.NameToInfo:
            with self.archive.open(source) as stream:
                for _, element in markup.elements(stream, self.name, [_RELATIONSHIP]):
                    target = posixpath.normpath(posixpath.join("/", folder, element.get("Target", "")))
                    found[element.get("Id", "")] = target.lstrip("/"), element.get("Type", "")
        return found

    def _part(self, purpose: str) -> str | None:
        return next(
            (t for t, p in self.relations.values() if p.endswith(purpose) and t in self.archive.NameToInfo), None
        )

    def _texts(self) -> list[str]:
        path = self._part("/sharedStrings")
        if path is None:
            return []
        with self.archive.open(path) as stream:
            return [_string(data, 1)[0] for kind, data in records(stream) if kind == _SHARED_ITEM]


class _Sheet:
    """The cells of one sheet, as they come."""

    def __init__(
        self,
        grid: Grid,
        texts: list[str],
        kinds: list[excel.Kind],
        meter: Meter,
        max_rows: int | None,
        since_1904: bool,
    ) -> None:
        self.grid = grid
        self.texts = texts
        self.kinds = kinds
        self.meter = meter
        self.max_rows = max_rows or MAX_ROWS
        self.since_1904 = since_1904
        self.row = -1
        self.values: list[Scalar] = []
        self.styles: list[int] = []
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()

    def read(self, found: Iterator[tuple[int, bytes]]) -> None:
        """Takes the rows, and what is said of the sheet."""
        for kind, data in found:
            if reader := _VALUES.get(kind):
                self._cell(data, reader)
            elif kind == _ROW:
                self._close_row()
                (self.row,) = struct.unpack_from("<I", data)
                if data[11] & 0x10:
                    self.hidden_rows.add(self.row)
            elif kind == _COLUMNS and data[16] & 1:
                first, last = _CELL.unpack_from(data)
                self.hidden_columns.update(range(first, min(last, MAX_COLUMNS - 1) + 1))
            elif kind == _MERGE:
                top, bottom, left, right = struct.unpack_from("<4I", data)
                self.grid.merges.append(Range(top, left, bottom, right))

    def finish(self) -> None:
        """Completes the grid."""
        self._close_row()
        self.grid.hidden_rows, self.grid.hidden_columns = frozenset(self.hidden_rows), frozenset(self.hidden_columns)
        self.grid.rows = dict(sorted(self.grid.rows.items()))

    def _cell(self, data: bytes, reader: Callable[[_Sheet, bytes, int], Scalar]) -> None:
        column, style = _CELL.unpack_from(data)
        style &= 0xFFFFFF
        if style >= len(self.kinds):
            style = -1
        value = reader(self, data, style)
        if value is None or column >= MAX_COLUMNS:
            return
        gap = column - len(self.values)
        if gap < 0:
            self.values[column], self.styles[column] = value, style
            return
        if gap:
            self.values += [None] * gap
            self.styles += [-1] * gap
        self.values.append(value)
        self.styles.append(style)

    def _close_row(self) -> None:
        if self.values and self.row < self.max_rows:
            self.meter.row(len(self.values) - self.values.count(None), len(self.values))
            self.grid.rows[self.row], self.grid.styles[self.row] = self.values, self.styles
        self.values, self.styles = [], []

    def real(self, data: bytes, style: int) -> Scalar:
        """A floating-point number."""
        return self._shown(struct.unpack_from("<d", data, 8)[0], style)

    def packed(self, data: bytes, style: int) -> Scalar:
        """A number in four bytes: two flags (a hundredth; an integer) and the upper thirty bits."""
        (packed,) = struct.unpack_from("<i", data, 8)
        if packed & 2:
            value = float(packed >> 2)
        else:
            (value,) = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))
        return self._shown(value / 100 if packed & 1 else value, style)

    def shared(self, data: bytes, _: int) -> Scalar:
        """A text of the workbook's table of texts."""
        return self.texts[struct.unpack_from("<I", data, 8)[0]] or None

    def text(self, data: bytes, _: int) -> Scalar:
        """A text."""
        return _string(data, 8)[0] or None

    def rich_text(self, data: bytes, _: int) -> Scalar:
        """A text with fonts inside."""
        return _string(data, 9)[0] or None

    def truth(self, data: bytes, _: int) -> Scalar:
        """True or false."""
        return bool(data[8])

    def error(self, data: bytes, _: int) -> Scalar:
        """The text of an error."""
        return excel.ERRORS.get(data[8], "#VALUE!")

    def _shown(self, value: float, style: int) -> Scalar:
        return excel.shown_value(value, self.kinds[style], since_1904=self.since_1904)


_VALUES: dict[int, Callable[[_Sheet, bytes, int], Scalar]] = {
    _RK: _Sheet.packed,
    _REAL: _Sheet.real,
    _FORMULA_NUMBER: _Sheet.real,
    _SHARED: _Sheet.shared,
    _TEXT: _Sheet.text,
    _FORMULA_TEXT: _Sheet.text,
    _RICH_TEXT: _Sheet.rich_text,
    _BOOL: _Sheet.truth,
    _FORMULA_BOOL: _Sheet.truth,
    _ERROR: _Sheet.error,
    _FORMULA_ERROR: _Sheet.error,
}


def _string(data: bytes, at: int) -> tuple[str, int]:
    """A text with its length before it, and where it ends; the length of one that is not there is all ones."""
    (length,) = struct.unpack_from("<I", data, at)
    at += 4
    if length == 0xFFFFFFFF:
        return "", at
    end = at + 2 * length
    if end > len(data):
        raise ValueError(f"a text claims {length:,} characters")
    return data[at:end].decode("utf-16-le", "replace"), end


def _cut_off(sheet: str, row: int, error: Exception) -> Problem:
    return Problem(
        "sheet_cut_off",
        f"the sheet could be read up to row {row} only: {error}.",
        "Open the file in a spreadsheet program and save it anew.",
        where=sheet,
    )


def _looks(stream: IO[bytes]) -> list[Look]:
    """The formats that cells refer to, in order."""
    formats = dict(excel.BUILTIN_FORMATS)
    bold: list[bool] = []
    filled: list[bool] = []
    bordered: list[bool] = []
    looks: list[Look] = []
    of_cells = False
    for kind, data in records(stream):
        if kind == _FORMAT:
            formats[struct.unpack_from("<H", data)[0]] = excel.spelled(_string(data, 2)[0])
        elif kind == _FONT:
            bold.append(struct.unpack_from("<H", data, 4)[0] >= 600)
        elif kind == _FILL:
            filled.append(struct.unpack_from("<I", data)[0] != 0)
        elif kind == _BORDER:
            bordered.append(any(data[at] for at in (1, 11, 21, 31)))
        elif kind in (_CELL_FORMATS, _CELL_FORMATS_END):
            of_cells = kind == _CELL_FORMATS
        elif kind == _XF and of_cells:
            form, font, fill, border = struct.unpack_from("<4H", data, 2)
            looks.append(
                Look(formats.get(form, "General"), _at(bold, font), _at(filled, fill), _at(bordered, border), data[11])
            )
    return looks


def _at(flags: list[bool], index: int) -> bool:
    return index < len(flags) and flags[index]


def _comments(stream: IO[bytes]) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    place = (0, 0)
    for kind, data in records(stream):
        if kind == _COMMENT:
            row, _, column = struct.unpack_from("<3I", data, 4)
            place = row, column
        elif kind == _COMMENT_TEXT:
            found[place] = _string(data, 1)[0].strip()
    return found
