"""xls that xlrd cannot read, by python-calamine: values and merged ranges; it knows no formats and no error cells.

Source: MS-XLS 2.1.4 (Record), 2.4 (records).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from converters.document import Document
from converters.errors import Broken, OverLimit
from converters.formats.excel import cell_value, number
from converters.formats.meter import Meter
from converters.grid import Grid
from converters.model import Problem, Range, Scalar
from converters.options import Options

MAX_BOX = 64_000_000
"""Cells of all sheets' bounding boxes together: python-calamine allocates them, 24 bytes for each."""

_CELLS = frozenset({0x06, 0xBD, 0xBE, 0xD6, 0xFD, 0x201, 0x203, 0x204, 0x205, 0x206, 0x27E, 0x406})
_EOF, _BOUNDSHEET = 0x0A, 0x85
_MAX_ROWS, _WIDTH = 1 << 16, 256


def read(document: Document, options: Options, because: str) -> Iterator[Grid]:
    """Every worksheet.

    Args:
        because: what xlrd said, for the notice.

    Raises:
        Broken, OverLimit: as their messages say.
    """
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    meter = Meter(document.name, options.limits)
    notice = [_without_formats(document.name, because)]
    try:
        _check_box(document)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(document.content))
        for position, sheet in enumerate(workbook.sheets_metadata):
            meter.sheet()
            if sheet.typ != SheetTypeEnum.WorkSheet:
                continue
            grid = Grid(sheet.name, hidden=sheet.visible != SheetVisibleEnum.Visible, notices=notice)
            page = workbook.get_sheet_by_index(position)
            grid.merges = [
                Range(top, left, bottom, right) for (top, left), (bottom, right) in page.merged_cell_ranges or ()
            ]
            for row, values in enumerate(page.to_python(skip_empty_area=False, nrows=options.max_rows)):
                meter.row(len(values) - values.count(""), len(values))
                if any(v != "" for v in values):
                    grid.rows[row] = [_value(v) for v in values]
            notice = []
            yield grid
    except (CalamineError, OSError, ValueError, struct.error) as error:
        raise Broken(
            f"{document.name} is a damaged xls workbook that no reader can read ({because[:200]}; {error}).",
            "Open it in a spreadsheet program and save it as xlsx, or ask the sender to.",
        ) from error


def _value(value: object) -> Scalar:
    return number(value) if isinstance(value, float) else cell_value(value)


def stream_of(content: bytes) -> bytes:
    """The records of a workbook: its stream in an OLE container, or the bytes themselves.

    Raises:
        OSError: the container is damaged.
    """
    import olefile

    if not content.startswith(olefile.MAGIC):
        return content
    with olefile.OleFileIO(io.BytesIO(content)) as container:
        for name in ("Workbook", "Book"):
            if container.exists(name):
                found: bytes = container.openstream(name).read()
                return found
    raise OSError("it holds no workbook stream")


def records(stream: bytes | bytearray) -> Iterator[tuple[int, int, int]]:
    """The kind, start and length of each record."""
    start, end = 4, len(stream)
    while start <= end:
        kind, length = struct.unpack_from("<HH", stream, start - 4)
        yield kind, start, min(length, end - start)
        start += length + 4


def _check_box(document: Document) -> None:
    """Refuses what would make python-calamine allocate too much.

    Raises:
        OverLimit: cells far from each other, in many sheets.
    """
    stream = stream_of(document.content)
    sheets = height = 0
    first, last = _MAX_ROWS, -1
    for kind, start, length in records(stream):
        if kind in _CELLS and length >= 2:
            (row,) = struct.unpack_from("<H", stream, start)
            first, last = min(first, row), max(last, row)
        elif kind == _EOF:
            height, first, last = max(height, last - first + 1), _MAX_ROWS, -1
        sheets += kind == _BOUNDSHEET
    height = max(height, last - first + 1)
    if sheets * height * _WIDTH > MAX_BOX:
        raise OverLimit(
            f"{document.name} is damaged, and its {sheets} sheets are up to {height:,} rows high: too much to repair.",
            "Open it in a spreadsheet program and save it as xlsx, or ask the sender to.",
        )


def _without_formats(name: str, because: str) -> Problem:
    return Problem(
        "read_without_formats",
        f"{name} is damaged ({because[:200]}): number formats, notes and error cells could not be read.",
        "Open it in a spreadsheet program and save it as xlsx, to have them.",
    )
