"""xls (BIFF 2 to 8), by xlrd; what xlrd stumbles over is repaired, or read by legacy.py without formats.

Source: MS-XLS 2.3 (records), 2.4.122 (FilePass); "OpenOffice.org's Documentation of the Microsoft Excel File Format".
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from converters.document import Document
from converters.encoding import sniff, widest
from converters.errors import Broken, ConverterError
from converters.formats import excel, legacy, package
from converters.formats.encrypted import decrypted
from converters.formats.meter import Meter
from converters.grid import PLAIN, Grid, Look
from converters.model import Problem, Range, Scalar
from converters.options import Options

EVIDENCE = 1 << 18
WESTERN = frozenset({"cp1252", "ascii", "cp437", "cp850", "mac_roman"})
EAST_ASIAN = frozenset({"cp949", "cp932", "gb18030", "big5", "johab", "utf-8"})
_NAMES = frozenset({0x18, 0x218})
_UNKNOWN_RECORD = 0xFFF0
_TEXT, _NUMBER, _DATE, _BOOL, _ERROR = 1, 2, 3, 4, 5

Decode = Callable[[str], str]


def read(document: Document, options: Options) -> Iterator[Grid]:
    """Every worksheet, hidden ones included and marked; sheets of charts and of macros hold no tables.

    Raises:
        Broken, NeedsPassword, OverLimit: as their messages say.
    """
    book = _open(document.content, document.name)
    if book is None:
        document = replace(document, path=None, data=decrypted(document, options))
        book = _open(document.content, document.name)
        if book is None:
            raise Broken(f"{document.name} is encrypted twice.", "Ask the sender for a copy without a password.")
    if isinstance(book, Exception):
        yield from legacy.read(document, options, because=str(book) or type(book).__name__)
        return
    yield from _sheets(book, document, options)


class _Mute(io.TextIOBase):
    """Where xlrd writes what it finds odd."""

    def write(self, text: str) -> int:
        return len(text)


def _open(content: bytes, name: str) -> Any:
    """The workbook; None if it is encrypted; the exception if xlrd cannot read it, nor what is left of it.

    Texts of BIFF 2 to 7 come as Latin-1, which keeps every byte: the code page that such a file states may be wrong.
    """
    import xlrd

    try:
        return _opened(content)
    except xlrd.XLRDError as error:
        if "encrypted" in str(error):
            return None
    except Exception:  # xlrd raises whatever its parsing raises
        pass
    try:
        return _opened(_repaired(content))
    except Exception as error:
        return error


def _opened(content: bytes) -> Any:
    import xlrd

    return xlrd.open_workbook(
        file_contents=content,
        logfile=_Mute(),
        formatting_info=True,
        on_demand=True,
        ragged_rows=True,
        encoding_override="latin-1",
        ignore_workbook_corruption=True,
    )


def _repaired(content: bytes) -> bytes:
    """The stream of records alone, without the defined names: it is in them that odd writers err most."""
    stream = bytearray(legacy.stream_of(content))
    for record, start, _ in legacy.records(stream):
        if record in _NAMES:
            struct.pack_into("<H", stream, start - 4, _UNKNOWN_RECORD)
    return bytes(stream)


def _sheets(book: Any, document: Document, options: Options) -> Iterator[Grid]:
    meter = Meter(document.name, options.limits)
    decode, problem = _decoder(book)
    notices = [_macros(document.name)] if "_VBA_PROJECT".encode("utf-16-le") in document.content else []
    for position, name in enumerate(book.sheet_names()):
        meter.sheet()
        grid = Grid(decode(name), notices=notices)
        if problem is not None:
            grid.problems.append(problem)
        try:
            _read_sheet(book.sheet_by_index(position), book, grid, decode, meter, options.max_rows)
        except ConverterError:
            raise
        except Exception as error:
            grid.problems.append(_unreadable(grid.sheet, error))
        notices, problem = [], None
        book.unload_sheet(position)
        yield grid


def _read_sheet(sheet: Any, book: Any, grid: Grid, decode: Decode, meter: Meter, max_rows: int | None) -> None:
    grid.hidden = bool(sheet.visibility)
    grid.merges = [Range(top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells]
    grid.hidden_rows = frozenset(row for row, info in sheet.rowinfo_map.items() if info.hidden)
    grid.hidden_columns = frozenset(column for column, info in sheet.colinfo_map.items() if info.hidden)
    grid.comments = {place: decode(note.text).strip() for place, note in sheet.cell_note_map.items()}
    grid.looks = [*(_look(book, style, decode) for style in book.xf_list), PLAIN]
    kinds = [excel.kind_of_format(look.number_format) for look in grid.looks]
    since_1904 = bool(book.datemode)

    def value_of(kind: int, value: Any, style: int) -> Scalar:
        if kind in (_NUMBER, _DATE):
            return excel.shown_value(value, kinds[style], since_1904=since_1904)
        if kind == _TEXT:
            return decode(value) or None
        if kind == _BOOL:
            return bool(value)
        return excel.ERRORS.get(value, "#VALUE!") if kind == _ERROR else None

    for row in range(min(sheet.nrows, max_rows or sheet.nrows)):
        styles = sheet._cell_xf_indexes[row]  # its public form asks cell by cell
        values = list(map(value_of, sheet.row_types(row), sheet.row_values(row), styles))
        used = len(values) - values.count(None)
        meter.row(used, len(values))
        if used:
            grid.rows[row] = values
            grid.styles[row] = [-1 if v is None else style for v, style in zip(values, styles, strict=True)]


def _look(book: Any, style: Any, decode: Decode) -> Look:
    known = book.format_map.get(style.format_key)
    stated = known.format_str if known is not None else None
    border, font = style.border, book.font_list[style.font_index] if style.font_index < len(book.font_list) else None
    return Look(
        number_format=excel.spelled(decode(stated) if stated else excel.BUILTIN_FORMATS.get(style.format_key, "")),
        bold=font is not None and (font.weight or 0) >= 600,
        filled=bool(style.background.fill_pattern),
        border=any((border.left_line_style, border.right_line_style, border.top_line_style, border.bottom_line_style)),
        indent=style.alignment.indent_level,
    )


def _decoder(book: Any) -> tuple[Decode, Problem | None]:
    """What makes texts of the Latin-1 that xlrd gives for BIFF 2 to 7, and what is wrong with them."""
    if book.biff_version >= 80:
        return _as_it_is, None
    raw = _evidence(book)
    encoding = true_encoding(raw, book.codepage)
    lost = raw.decode(encoding, "replace").count("\ufffd")
    problem = Problem(
        "undecodable_text",
        f"{lost} characters could not be decoded as {encoding}.",
        "Open the file in a spreadsheet program and save it as xlsx.",
    )
    return lambda text: text.encode("latin-1", "replace").decode(encoding, "replace"), problem if lost else None


def _as_it_is(text: str) -> str:
    return text


def _evidence(book: Any) -> bytes:
    """The bytes of texts that are not plain ASCII, one a line."""
    found: list[bytes] = []
    size = 0
    texts = (text for text in _texts(book) if not text.isascii())
    for text in texts:
        found.append(text.encode("latin-1", "replace"))
        size += len(text)
        if size > EVIDENCE:
            break
    return b"\n".join(found)


def _texts(book: Any) -> Iterator[str]:
    yield from book.sheet_names()
    yield from (known.format_str or "" for known in book.format_map.values())
    for position in range(book.nsheets):
        try:
            sheet = book.sheet_by_index(position)
        except Exception:  # said when its turn comes
            continue
        for row in range(sheet.nrows):
            yield from (value for value in sheet.row_values(row) if isinstance(value, str))


def true_encoding(raw: bytes, codepage: int | None) -> str:
    """The codec of a file's texts: that of its code page, unless the texts themselves are of another.

    Korean and Japanese programs often state the Western code page. Western letters beyond ASCII stand alone between
    plain ones; those of East Asian texts are pairs of bytes.
    """
    from xlrd.biffh import encoding_from_codepage

    stated = widest(encoding_from_codepage.get(codepage, f"cp{codepage or 1252}"))
    try:
        "a".encode(stated)
    except LookupError:
        stated = "cp1252"
    runs = re.findall(rb"[\x80-\xff]+", raw)
    paired = sum(len(run) > 1 for run in runs) * 2 > len(runs)
    if not runs or (not paired and stated not in EAST_ASIAN):
        return stated
    found = sniff(raw, None if stated in WESTERN else stated)
    return found if found in EAST_ASIAN else stated


def _macros(name: str) -> Problem:
    return Problem("macros", f"{name} carries macros: they were neither run nor read.", package.UNTOUCHED)


def _unreadable(sheet: str, error: Exception) -> Problem:
    return Problem(
        "sheet_unreadable",
        f"the sheet could not be read: {type(error).__name__} {str(error)[:200]}".rstrip() + ".",
        "Open the file in a spreadsheet program and save it as xlsx, or ask the sender to.",
        where=sheet,
    )
