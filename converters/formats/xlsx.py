"""xlsx and xlsm, by python-calamine-plus: a stream of rows with constant memory, behind this adapter.

The first rows of a sheet are read with their formats; of the long tail that follows only the values are, which is twice
as fast, and a column keeps the format that it has had there. Source: ECMA-376 part 1, 18.3 (worksheets), 18.8 (styles).
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from converters.document import Document
from converters.errors import Broken, NeedsPassword, OverLimit
from converters.grid import Grid, Look
from converters.model import Problem, Range, Scalar
from converters.options import Limits, Options

RICH_ROWS = 1500


def read(document: Document, options: Options) -> Iterator[Grid]:
    """Every worksheet, hidden ones included and marked.

    Raises:
        Broken, NeedsPassword, OverLimit: as their messages say.
    """
    from python_calamine_plus import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    _check_archive(document, options.limits)
    meter = Meter(document.name, options.limits)
    try:
        with document.open() as stream:
            workbook = CalamineWorkbook.from_filelike(stream)
            for position, sheet in enumerate(workbook.sheets_metadata):
                meter.sheet()
                if sheet.typ != SheetTypeEnum.WorkSheet:
                    continue
                grid = _read_sheet(workbook, position, sheet.name, meter, options)
                grid.hidden = sheet.visible != SheetVisibleEnum.Visible
                yield grid
    except PasswordError as error:
        raise NeedsPassword(f"{document.name} is protected with a password.", "Give its password.") from error
    except (CalamineError, OSError, ValueError) as error:
        raise Broken(
            f"{document.name} is no sound workbook: {error}.",
            "Open it in a spreadsheet program and save it anew, or ask the sender to.",
        ) from error


class Meter:
    """Counts what a file has cost so far, against its limits."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.sheets = self.cells = self.slots = 0

    def sheet(self) -> None:
        """One more sheet.

        Raises:
            OverLimit: too many.
        """
        self.sheets += 1
        if self.sheets > self.limits.max_sheets:
            self._over("sheets", self.sheets, "max_sheets", self.limits.max_sheets)

    def row(self, cells: int, slots: int) -> None:
        """One more row, of so many values in so many columns.

        Raises:
            OverLimit: too many in all.
        """
        self.cells += cells
        self.slots += slots
        if self.cells > self.limits.max_cells:
            self._over("cells", self.cells, "max_cells", self.limits.max_cells)
        if self.slots > self.limits.max_slots:
            self._over("rows times columns", self.slots, "max_slots", self.limits.max_slots)

    def _over(self, what: str, got: int, limit: str, allowed: int) -> None:
        raise OverLimit(
            f"{self.name} has more than {allowed:,} {what} (at least {got:,}); {limit} allows {allowed:,}.",
            f"Delete what lies far outside of the tables, split the file, or raise {limit}.",
        )


def _check_archive(document: Document, limits: Limits) -> None:
    try:
        with document.open() as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            head = b""
            if "xl/workbook.xml" in archive.NameToInfo:
                with archive.open("xl/workbook.xml") as workbook:
                    head = workbook.read(4096)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, RuntimeError, ValueError, NotImplementedError) as error:
        raise Broken(f"{document.name} is a damaged workbook: {error}.", "Ask the sender to send it again.") from error
    if b"<!DOCTYPE" in head:
        raise Broken(f"{document.name} declares a DTD, which no spreadsheet program writes.", "Treat it as hostile.")
    inflated, deflated = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if inflated > limits.max_inflated_bytes:
        raise OverLimit(
            f"{document.name} unpacks to {inflated:,} bytes; max_inflated_bytes allows {limits.max_inflated_bytes:,}.",
            "It looks like a zip bomb: delete it, or raise max_inflated_bytes if its sender vouches for it.",
        )
    if inflated > 100 << 20 and inflated > limits.max_ratio * max(1, deflated):
        raise OverLimit(
            f"{document.name} unpacks to {inflated // max(1, deflated):,} times its size; max_ratio allows "
            f"{limits.max_ratio:,}.",
            "It looks like a zip bomb: delete it.",
        )


def _read_sheet(workbook: Any, position: int, name: str, meter: Meter, options: Options) -> Grid:
    from python_calamine_plus import CalamineError

    grid = Grid(name)
    last = options.max_rows - 1 if options.max_rows else None
    try:
        end = min(RICH_ROWS - 1, last) if last is not None else RICH_ROWS - 1
        rich = workbook.stream_sheet_by_index(position, rich=True, max_row=end)
        _read_head(rich, grid, meter)
        if last is None or last >= RICH_ROWS:
            tail = workbook.stream_sheet_by_index(position, min_row=RICH_ROWS, max_row=last)
            _read_tail(tail, grid, meter)
    except CalamineError as error:
        grid.problems.append(
            Problem(
                "sheet_cut_off",
                f"the sheet could be read up to row {next(reversed(grid.rows), -1) + 1} only: {error}.",
                "Open the file in a spreadsheet program and save it anew.",
                where=name,
            )
        )
    return grid


def _read_head(stream: Any, grid: Grid, meter: Meter) -> None:
    grid.looks = [_look(style) for style in stream.styles or [{}]]
    grid.merges = [Range(top, left, bottom, right) for (top, left), (bottom, right) in stream.merged_cell_ranges or ()]
    grid.hidden_rows = frozenset(r for r, d in (stream.row_dimensions or {}).items() if d.get("hidden"))
    grid.hidden_columns = frozenset(
        c for d in stream.column_dimensions or () if d.get("hidden") for c in range(d["min"], min(d["max"], 16383) + 1)
    )
    for cells in stream:
        values = [_value(c.value) for c in cells]
        used = len(values) - values.count(None)
        meter.row(used, len(values))
        if used:
            row = cells[0].row
            grid.rows[row] = values
            grid.styles[row] = [c.style_id for c in cells]


def _read_tail(stream: Any, grid: Grid, meter: Meter) -> None:
    styles = _settled_styles(grid)
    odd = {dt.timedelta}
    for row, values in enumerate(stream, RICH_ROWS):
        blank = values.count("")
        used = len(values) - blank
        meter.row(used, len(values))
        if not used:
            continue
        if blank or not odd.isdisjoint(map(type, values)):
            values = [_value(v) for v in values]
        grid.rows[row] = values
        grid.styles[row] = styles


def _settled_styles(grid: Grid) -> list[int]:
    """The style of each column that its last rows agree on; 0 where they do not."""
    recent = [grid.styles[row] for row in list(grid.styles)[-20:]]
    width = max(map(len, recent), default=0)
    settled = [0] * width
    for column in range(width):
        seen = {styles[column] for styles in recent if column < len(styles)}
        settled[column] = seen.pop() if len(seen) == 1 else 0
    return settled


def _value(value: Any) -> Scalar:
    if value == "":
        return None
    if type(value) is dt.timedelta:
        return _clock(value)
    if type(value) is str and "_x" in value:
        return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), value)
    return value  # type: ignore[no-any-return]


def _clock(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _look(style: dict[str, Any]) -> Look:
    border = style.get("border") or {}
    return Look(
        number_format=style.get("number_format") or "General",
        bold=bool((style.get("font") or {}).get("bold")),
        filled=(style.get("fill") or {}).get("pattern") not in (None, "none"),
        border=any((border.get(side) or {}).get("style") for side in ("left", "right", "top", "bottom")),
        indent=int((style.get("alignment") or {}).get("indent") or 0),
    )
