"""Which unit holds where: a note's unit does not hold in columns of another kind, and rates have none."""

from __future__ import annotations

from collections.abc import Sequence

from converters.model import Column, Scalar, Table
from converters.tables.blocks import Block
from converters.tables.numberformats import PERIOD_SUFFIX, shown
from converters.tables.units import is_unit, kind_of_unit, split_units, unit_in_brackets
from converters.tables.words import Measure, is_count_label, is_unit_header, may_be_rate, measure


def measure_of(path: Sequence[str]) -> Measure | None:
    """What a column measures, by the innermost header text that says so."""
    found = next((found for text in reversed(path) if (found := measure(text))), None)
    return None if found == "id" and len(path) > 1 else found


def header_unit(path: Sequence[str]) -> str | None:
    """The unit that a header states in brackets, the innermost first."""
    return next((unit for text in reversed(path) if (unit := unit_in_brackets(text))), None)


def set_column_units(
    columns: Sequence[Column], notes: Sequence[str], unit_row: dict[int, str], formats: dict[int, set[str]]
) -> None:
    """Gives each value column its unit: from its header, the unit row, the notes, or its number format.

    Args:
        notes: the units that the notes over the table state.
        unit_row: units of a row under the header, by grid column.
        formats: the number formats in each grid column.
    """
    for column in columns:
        if column.role == "label" or column.type not in ("number", "mixed"):
            continue
        kind = measure_of(column.path)
        stated = unit_row.get(column.index) or header_unit(column.path)
        if (kind == "rate" and not stated) or _is_percent(column, formats.get(column.index, set())):
            continue
        if stated:
            column.unit = None if kind_of_unit(stated) == "rate" else stated
        else:
            column.unit = unit_from_notes(kind, notes) or column.unit or _format_unit(formats.get(column.index, set()))


def unit_from_notes(kind: Measure | None, notes: Sequence[str]) -> str | None:
    """The first unit of the notes that a column of this kind can have."""
    if kind in ("rate", "id"):
        return None
    usable = [unit for unit in notes if kind_of_unit(unit) != "rate"]
    money = [unit for unit in usable if kind_of_unit(unit) != "count"]
    counts = [unit for unit in usable if kind_of_unit(unit) == "count"]
    fitting = {"count": counts, "money": money, None: usable}[kind]
    return fitting[0] if fitting else None


def _is_percent(column: Column, formats: set[str]) -> bool:
    if formats and all(shown(f).percent for f in formats):
        return True
    return bool(column.path) and may_be_rate(column.path[-1]) and any(shown(f).percent for f in formats)


def _format_unit(formats: set[str]) -> str | None:
    """The unit that all number formats of a column show: `#,##0"원"`."""
    units = {format_unit(f) for f in formats}
    return units.pop() if len(units) == 1 else None


def format_unit(number_format: str) -> str | None:
    """The unit that a number format shows."""
    form = shown(number_format)
    for text in (form.suffix, form.prefix):
        if text and not PERIOD_SUFFIX.match(text) and is_unit(text):
            return text
    return None


def set_cell_units(table: Table, formats: dict[tuple[int, int], str]) -> None:
    """Units that belong to rows or single cells: a unit column, a label that is a measure, a format.

    Args:
        formats: the number format of each cell whose format states something, by grid position.
    """
    values = [c for c in table.columns if c.role == "value" and c.type in ("number", "mixed")]
    open_columns = {c.index: c for c in values if header_unit(c.path) is None}
    for (row, column), number_format in formats.items():
        cell = open_columns.get(column)
        if cell is None:
            continue
        if shown(number_format).percent:
            _set(table, row, cell, None)
        elif unit := format_unit(number_format):
            _set(table, row, cell, unit)
    _from_unit_column(table, values)
    _from_labels(table, values)


def _set(table: Table, row: int, column: Column, unit: str | None) -> None:
    if unit != column.unit:
        table.cell_units[row, column.index] = unit


def _from_unit_column(table: Table, values: Sequence[Column]) -> None:
    """A column 단위 gives the unit of the quantity in its row, or of all figures if none is a quantity."""
    units = next((c for c in table.columns if c.path and is_unit_header(c.path[-1]) and c.type == "text"), None)
    if units is None:
        return
    for row, stated in zip(table.rows, units.values, strict=True):
        if not isinstance(stated, str):
            continue
        kind = kind_of_unit(stated)
        for column in _those_in(kind, values):
            if header_unit(column.path) is None and measure_of(column.path) not in ("rate", "id"):
                _set(table, row, column, None if kind == "rate" else stated)


def _those_in(kind: str | None, values: Sequence[Column]) -> list[Column]:
    """The columns that a row's unit speaks of: 단가 and 금액 are not counted in EA."""
    if kind == "money":
        return [c for c in values if measure_of(c.path) != "count"]
    if kind == "rate":
        return list(values)
    return [c for c in values if measure_of(c.path) != "money"]


def _from_labels(table: Table, values: Sequence[Column]) -> None:
    """Rows that are measures: 매출액(백만원), 인원(명), 이익률."""
    labels = [c for c in table.columns if c.role == "label" and c.type == "text"]
    if not labels:
        return
    known: dict[str, tuple[bool, str | None]] = {}
    for position, row in enumerate(table.rows):
        texts = [c.values[position] for c in labels]
        for text in (t for t in reversed(texts) if isinstance(t, str)):
            if text not in known:
                known[text] = _label_unit(text)
            says, unit = known[text]
            if says:
                _set_row(table, row, values, position, unit)
                break


def _label_unit(text: str) -> tuple[bool, str | None]:
    """Whether a label says what unit its row has, and which."""
    if unit := unit_in_brackets(text):
        return True, None if kind_of_unit(unit) == "rate" else unit
    if measure(text) == "rate":
        return True, None
    return (True, "") if is_count_label(text) else (False, None)


def _set_row(table: Table, row: int, values: Sequence[Column], position: int, unit: str | None) -> None:
    for column in values:
        if column.values[position] is None and (row, column.index) not in table.nulls:
            continue
        if unit == "":  # a count: the money of a note does not hold
            if column.unit and kind_of_unit(column.unit) != "count":
                _set(table, row, column, None)
        elif header_unit(column.path) is None:
            _set(table, row, column, unit)


def unit_row_units(block: Block, row: int) -> dict[int, str]:
    """The unit over each column from a row of units; a merged one holds for all columns that it spans."""
    found: dict[int, str] = {}
    for column in block.span:
        units = split_units(block.spread(row, column).strip("()[]（） "))
        if units:
            found[column] = units[0]
    return found


def common_unit(units: dict[int, str], values: Sequence[Scalar]) -> str | None:
    """The unit that nearly all texts of a column state."""
    filled = sum(v is not None for v in values)
    kinds = set(units.values())
    return kinds.pop() if len(kinds) == 1 and len(units) * 10 >= filled * 9 else None
