"""Worksheets that the usual reader refuses: rows in any order, missing texts, cells far apart, unknown errors.

Cell by cell, so it is slow, and it reads whatever has an address. Source: ECMA-376 part 1, 18.3.1.4 (c).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

from converters.formats.excel import BUILTIN_FORMATS, Kind, shown_value
from converters.formats.meter import Meter
from converters.formats.strings import item_text
from converters.grid import Grid
from converters.model import Problem, Scalar, address

MAX_ROW, MAX_COLUMN = 1 << 20, 1 << 14
T = TypeVar("T")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


@dataclass
class Sheet:
    """What is needed besides the sheet's own part.

    Args:
        strings: the shared strings.
        kinds: what kind of number each style shows.
        since_1904: days count from 1904.
    """

    strings: Sequence[str]
    kinds: Sequence[Kind]
    since_1904: bool
    missing: list[tuple[int, int]] = field(default_factory=list)


def read_cells(part: IO[bytes], sheet: Sheet, grid: Grid, meter: Meter) -> None:
    """Puts all cells of a worksheet on the grid, in place of what is there; what is missing is a problem.

    Raises:
        SyntaxError: the XML is damaged; the cells before the damage are on the grid.
        OverLimit: too many cells.
    """
    cells: dict[int, dict[int, Scalar]] = {}
    styles: dict[int, dict[int, int]] = {}
    grid.formulas = {}
    try:
        for row, column, style, value, formula in _cells(part, sheet):
            if formula:
                grid.formulas[row, column] = f"={formula}"
            if value is not None:
                meter.row(1, 1)
                cells.setdefault(row, {})[column] = value
                styles.setdefault(row, {})[column] = style if style < len(grid.looks) else -1
    finally:
        meter.row(0, sum(max(row) + 1 for row in cells.values()))
        grid.rows = {row: _line(cells[row], None) for row in sorted(cells)}
        grid.styles = {row: _line(styles[row], -1) for row in sorted(cells)}
        if sheet.missing:
            grid.problems.append(_missing(grid.sheet, sheet.missing))


def number_formats(styles: bytes) -> list[str]:
    """The number format of each style.

    Raises:
        SyntaxError: the XML is damaged.
    """
    from lxml import etree

    root = etree.fromstring(styles, etree.XMLParser(resolve_entities=False, no_network=True))
    own = {e.get("numFmtId"): e.get("formatCode") or "General" for e in root.iter("{*}numFmt")}
    numbers = [e.get("numFmtId") or "0" for e in root.iterfind("{*}cellXfs/{*}xf")]
    return [own.get(n) or BUILTIN_FORMATS.get(int(n) if n.isdecimal() else 0, "General") for n in numbers]


def _line(cells: dict[int, T], blank: T) -> list[T]:
    return [cells.get(column, blank) for column in range(max(cells) + 1)]


def _cells(part: IO[bytes], sheet: Sheet) -> Iterator[tuple[int, int, int, Scalar, str]]:
    """Row, column, style, value and formula of each cell, in the order of the file."""
    from lxml import etree

    row = column = -1
    options = {"events": ("start", "end"), "resolve_entities": False, "no_network": True, "huge_tree": True}
    for event, element in etree.iterparse(part, **options):
        name = etree.QName(element).localname
        if event == "start" and name == "row":
            row, column = _number(element.get("r"), row + 1), -1
        elif event == "end" and name == "c":
            found = _REFERENCE.fullmatch(element.get("r") or "")
            column = column_number(found[1]) if found else column + 1
            row = int(found[2]) - 1 if found else row
            if 0 <= row < MAX_ROW and column < MAX_COLUMN:
                texts = {etree.QName(child).localname: child for child in element}
                style = _number(element.get("s"), -1) + 1
                value = _value(element.get("t") or "n", style, texts, sheet, (row, column))
                formula = texts["f"].text if "f" in texts else None
                yield row, column, style, value, formula or ""
        elif event == "end" and name in ("row", "sheetData"):
            element.clear()


def column_number(letters: str) -> int:
    """The 0-based column of its letters: A → 0, AA → 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _number(text: str | None, default: int) -> int:
    """A 1-based number as a 0-based one."""
    return int(text) - 1 if text and text.isdecimal() and len(text) < 8 else default


def _value(kind: str, style: int, texts: dict[str, Any], sheet: Sheet, place: tuple[int, int]) -> Scalar:
    if kind == "inlineStr":
        return item_text(texts["is"]) or None if "is" in texts else None
    text = texts["v"].text if "v" in texts else None
    if not text:
        return None
    if kind == "s":
        if not text.isdecimal() or int(text) >= len(sheet.strings):
            sheet.missing.append(place)
            return None
        return sheet.strings[int(text)] or None
    if kind == "b":
        return bool(text == "1")
    if kind != "n":
        return str(text)
    try:
        number = float(text)
    except ValueError:
        return str(text)
    shown = sheet.kinds[style] if style < len(sheet.kinds) else "number"
    if shown != "number":
        return shown_value(number, shown, since_1904=sheet.since_1904)
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else number


def _missing(name: str, cells: Sequence[tuple[int, int]]) -> Problem:
    first = ", ".join(address(*cell) for cell in cells[:3]) + (", …" if len(cells) > 3 else "")
    return Problem(
        "missing_texts",
        f"{len(cells):,} cells have texts that are not in the file ({first}): it was damaged or written wrongly.",
        "Ask the sender to save the file anew; until then these cells are null.",
        where=name,
    )
