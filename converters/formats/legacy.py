"""xls, xlsb and ods, by python-calamine: values and merged ranges; these readers know no number formats."""

from __future__ import annotations

from collections.abc import Iterator

from converters.document import Document
from converters.errors import Broken, NeedsPassword
from converters.formats.meter import Meter
from converters.formats.xlsx import cell_value
from converters.grid import Grid
from converters.model import Range
from converters.options import Options


def read(document: Document, options: Options) -> Iterator[Grid]:
    """Every worksheet.

    Raises:
        Broken, NeedsPassword, OverLimit: as their messages say.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    meter = Meter(document.name, options.limits)
    try:
        with document.open() as stream:
            workbook = CalamineWorkbook.from_filelike(stream)
            for position, sheet in enumerate(workbook.sheets_metadata):
                meter.sheet()
                if sheet.typ != SheetTypeEnum.WorkSheet:
                    continue
                grid = Grid(sheet.name, hidden=sheet.visible != SheetVisibleEnum.Visible)
                page = workbook.get_sheet_by_index(position)
                grid.merges = [
                    Range(top, left, bottom, right) for (top, left), (bottom, right) in page.merged_cell_ranges or ()
                ]
                rows = page.to_python(skip_empty_area=False, nrows=options.max_rows)
                for row, values in enumerate(rows):
                    meter.row(len(values) - values.count(""), len(values))
                    if any(v != "" for v in values):
                        grid.rows[row] = [cell_value(v) for v in values]
                yield grid
    except PasswordError as error:
        raise NeedsPassword(
            f"{document.name} is protected with a password.",
            "Give its password to the tenant's secrets, or ask the sender for a copy without one.",
        ) from error
    except (CalamineError, OSError, ValueError) as error:
        raise Broken(
            f"{document.name} is no sound workbook: {error}.",
            "Open it in a spreadsheet program and save it as xlsx, or ask the sender to.",
        ) from error
