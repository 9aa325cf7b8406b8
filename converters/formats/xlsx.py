"""xlsx and xlsm, by python-calamine-plus: a stream of rows with formats and formulas, behind this adapter.

What is below the first rows of a large sheet is scanned in bulk (scan.py, tail.py) if its XML is of the plain form
that programs write: it takes half the time, and values do not become objects.
Source: ECMA-376 part 1, 18.3 (worksheets), 18.8 (styles).
"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterator
from typing import Any

from converters.document import Document
from converters.errors import Broken, NeedsPassword
from converters.formats import package
from converters.formats.excel import cell_value, kind_of_format, uncalculated
from converters.formats.meter import Meter
from converters.grid import PLAIN, Grid, LongRows, Look
from converters.model import Problem, Range
from converters.options import Options

RICH_ROWS = 1500
LARGE = 1 << 20
"""A sheet with so many bytes of XML is read in bulk below its first rows."""
WIDE = 200
Cells = list[tuple[int, int]]
MARCH_1900 = dt.date(1900, 3, 1).toordinal()


def read(document: Document, options: Options) -> Iterator[Grid]:
    """Every worksheet, hidden ones included and marked.

    Raises:
        Broken, NeedsPassword, OverLimit: as their messages say.
    """
    from python_calamine_plus import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    package.check(document, options.limits)
    notices = package.notices(document)
    try:
        document = package.without_macro_sheets(document)
    except package.DAMAGES as error:
        raise _broken(document, error) from error
    meter = Meter(document.name, options.limits)
    try:
        with document.open() as stream:
            workbook = CalamineWorkbook.from_filelike(stream)
            late = package.counts_from_1904(document) and not workbook.epoch_1904
            for position, sheet in enumerate(workbook.sheets_metadata):
                meter.sheet()
                if sheet.typ != SheetTypeEnum.WorkSheet:
                    continue
                grid = _read_sheet(document, workbook, position, sheet.name, meter, options)
                grid.hidden = sheet.visible != SheetVisibleEnum.Visible
                grid.notices, notices = notices, []
                if late:
                    _count_from_1904(grid)
                yield grid
    except PasswordError as error:
        raise NeedsPassword(f"{document.name} is protected with a password.", "Give its password.") from error
    except (CalamineError, OSError, ValueError) as error:
        raise _broken(document, error) from error


def _broken(document: Document, error: Exception) -> Broken:
    return Broken(
        f"{document.name} is no sound workbook: {error}.",
        "Open it in a spreadsheet program and save it anew, or ask the sender to.",
    )


def _read_sheet(document: Document, workbook: Any, position: int, name: str, meter: Meter, options: Options) -> Grid:
    from python_calamine_plus import CalamineError

    if options.max_rows is None and (long := _read_long(document, position, name, meter)):
        grid, open_formulas = long
        if open_formulas:
            grid.problems.append(uncalculated(name, open_formulas))
        return grid
    grid = Grid(name)
    open_formulas = []
    before = meter.cells, meter.slots
    last = options.max_rows - 1 if options.max_rows else None
    try:
        rows = workbook.stream_sheet_by_index(position, rich=True, max_row=last)
        _read_sheet_facts(rows, grid)
        open_formulas += _read_rows(rows, grid, meter)
    except (CalamineError, _Sparse) as error:
        meter.cells, meter.slots = before
        if last is not None or not _read_patiently(document, position, grid, meter):
            grid.problems.append(_cut_off(grid, error))
    if open_formulas:
        grid.problems.append(uncalculated(name, open_formulas))
    return grid


def _cut_off(grid: Grid, error: Exception) -> Problem:
    return Problem(
        "sheet_cut_off",
        f"the sheet could be read up to row {max(grid.rows, default=-1) + 1} only: {error}.",
        "Open the file in a spreadsheet program and save it anew.",
        where=grid.sheet,
    )


def _read_patiently(document: Document, position: int, grid: Grid, meter: Meter) -> bool:
    """Reads a sheet that the usual reader refuses, cell by cell; False if its XML is damaged."""
    from converters.formats.patient import Sheet, number_formats, read_cells
    from converters.formats.strings import any_strings

    kept = grid.rows, grid.styles, grid.formulas
    try:
        with document.open() as stream, zipfile.ZipFile(stream) as archive:
            parts = package.parts(archive)
            strings = any_strings(archive.read(parts.strings)) if parts.strings else []
            if len(grid.looks) == 1 and parts.styles:
                grid.looks = [*map(Look, number_formats(archive.read(parts.styles))), PLAIN]
            kinds = [kind_of_format(look.number_format) for look in grid.looks]
            sheet = Sheet(strings, kinds, package.counts_from_1904(document))
            with archive.open(parts.sheets[position]) as xml:
                read_cells(xml, sheet, grid, meter)
    except package.DAMAGES:
        if len(grid.rows) < len(kept[0]):
            grid.rows, grid.styles, grid.formulas = kept
        return False
    return True


def _read_long(document: Document, position: int, name: str, meter: Meter) -> tuple[Grid, Cells] | None:
    """Reads a large sheet: its first rows out of a workbook that ends with them, those below in bulk.

    So the usual reader does not go through all of the sheet for what is said after its rows. None: it is of no form
    that is read in bulk; then nothing was read.
    """
    if not _is_large(document, position):
        return None
    from python_calamine_plus import CalamineError, CalamineWorkbook

    from converters.formats.scan import NotPlain, SheetXml
    from converters.formats.tail import read_tail

    grid, before = Grid(name), (meter.cells, meter.slots)
    try:
        with document.open() as stream, zipfile.ZipFile(stream) as archive:
            parts = package.parts(archive)
            with archive.open(parts.sheets[position]) as xml:
                sheet = SheetXml(xml, RICH_ROWS)
                short = package.shortened(archive, parts, parts.sheets[position], sheet.head)
                head = CalamineWorkbook.from_filelike(short).stream_sheet_by_index(position, rich=True)
                _read_sheet_facts(head, grid)
                open_formulas = _read_rows(head, grid, meter)
                kinds = [kind_of_format(look.number_format) for look in grid.looks]
                strings = archive.read(parts.strings) if parts.strings else b""
                tail = read_tail(sheet, strings, kinds, meter)
    except (*package.DAMAGES, NotPlain, CalamineError, _Sparse):
        tail = None
    if tail is None:
        meter.cells, meter.slots = before
        return None
    grid.rows = LongRows(dict(grid.rows), tail.numbers, tail.columns)
    grid.styles.update(tail.styles)
    grid.merges = tail.merges
    grid.hidden_rows |= frozenset(tail.hidden)
    return grid, open_formulas + tail.uncalculated


def _is_large(document: Document, position: int) -> bool:
    try:
        with document.open() as stream, zipfile.ZipFile(stream) as archive:
            size = archive.getinfo(package.parts(archive).sheets[position]).file_size
    except package.DAMAGES:
        return False
    return size >= LARGE and not package.counts_from_1904(document)


def _read_sheet_facts(stream: Any, grid: Grid) -> None:
    """What the file says of the sheet as a whole."""
    grid.looks = [*map(_look, stream.styles or ()), PLAIN]
    grid.merges = [Range(top, left, bottom, right) for (top, left), (bottom, right) in stream.merged_cell_ranges or ()]
    grid.comments = {cell: said["text"] for cell, said in (stream.comments or {}).items() if said["text"]}
    grid.hidden_rows = frozenset(r for r, d in (stream.row_dimensions or {}).items() if d.get("hidden"))
    grid.hidden_columns = frozenset(
        c for d in stream.column_dimensions or () if d.get("hidden") for c in range(d["min"], min(d["max"], 16383) + 1)
    )


class _Sparse(Exception):
    """A sheet of long rows with hardly anything in them."""


def _read_rows(stream: Any, grid: Grid, meter: Meter) -> Cells:
    """Rows with the format and the formula of each cell; gives the formulas without a value."""
    open_formulas: Cells = []
    alike: dict[tuple[int, ...], list[int]] = {}
    sparse = 0
    for cells in stream:
        values = [cell_value(c.value) for c in cells]
        used = len(values) - values.count(None)
        meter.row(used, len(values))
        if used:
            styles = [-1 if v is None else c.style_id for c, v in zip(cells, values, strict=True)]
            grid.rows[cells[0].row], grid.styles[cells[0].row] = values, alike.setdefault(tuple(styles), styles)
        if len(values) > WIDE and used * WIDE < len(values):
            sparse += 1
            if sparse > WIDE:
                raise _Sparse("cells far to the right make its rows very long")
        for cell in cells:
            if (formula := cell.formula) is not None:
                grid.formulas[cell.row, cell.column] = formula
                if cell.value == "" and cell.data_type != "s":
                    open_formulas.append((cell.row, cell.column))
    return open_formulas


def _count_from_1904(grid: Grid) -> None:
    """Moves the dates, which calamine counts from 1900 where <workbookPr> has a second form in an extension."""
    for values in grid.rows.values():
        for column, value in enumerate(values):
            if isinstance(value, dt.date):
                values[column] = value + dt.timedelta(1461 if value.toordinal() < MARCH_1900 else 1462)


def _look(style: dict[str, Any]) -> Look:
    border = style.get("border") or {}
    return Look(
        number_format=style.get("number_format") or "General",
        bold=bool((style.get("font") or {}).get("bold")),
        filled=(style.get("fill") or {}).get("pattern") not in (None, "none"),
        border=any((border.get(side) or {}).get("style") for side in ("left", "right", "top", "bottom")),
        indent=int((style.get("alignment") or {}).get("indent") or 0),
    )
