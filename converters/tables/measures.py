"""Which unit holds where: a note's unit does not hold in columns of another kind, and rates have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from converters.model import Column, Decision, Range, Scalar, Table
from converters.scales import unit as scale_of
from converters.tables.blocks import Block
from converters.tables.numberformats import PERIOD_SUFFIX, shown
from converters.tables.units import (
    UNSURE,
    Stated,
    is_labelled,
    is_unit,
    kind_of_unit,
    split_units,
    stated_in_note,
    unit_in_brackets,
)
from converters.tables.words import Measure, bare, is_count_label, is_likely_rate, is_unit_header, may_be_rate, measure

SAMPLE = 1000
SMALL = 10
_BASES = ("원", "천원", "백만원", "円", "千円", "USD", "천달러", "EUR", "CNY")
_SYMBOLS = frozenset("₩￦$¥€£￥")
_WEEKDAYS = frozenset("월화수목금토일月火水木金土日")
_EACH = ("당", "단가", "per", "평균", "単価")
_RATE = Stated("", because="rates have none")
_NO_MONEY = Stated("", because="a count")
_NONE = Stated("")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What states units in and around a table.

    Args:
        notes: what the notes over the table state, the nearest first.
        unit_row: units of a row under the header, by grid column.
        formats: the number formats in each grid column.
        cell_formats: the number format of each cell whose format states something other than its column's.
        rates: the grid columns whose texts are percentages.
        title: the title over the table; it chooses between notes of several kinds for columns that name no measure.
    """

    notes: Sequence[Stated] = ()
    unit_row: Mapping[int, str] = field(default_factory=dict)
    formats: Mapping[int, AbstractSet[str]] = field(default_factory=dict)
    cell_formats: Mapping[tuple[int, int], str] = field(default_factory=dict)
    rates: AbstractSet[int] = frozenset()
    title: str = ""


def set_units(table: Table, evidence: Evidence) -> list[Decision]:
    """Gives each value column and each cell that has another its unit; says what each column's is from."""
    columns = [c for c in table.columns if c.role == "value" and c.type in ("number", "mixed")]
    notes = _parted([*_in_corner(table), *evidence.notes], columns)
    weekdays = [c for c in columns if c.path and bare(c.path[-1]) in _WEEKDAYS]
    unnamed = weekdays if len(weekdays) > 2 else []  # 월 and 일 beside 화 are no months and days
    found = [(c, _unit_of(c, () if c in unnamed else c.path, evidence, notes)) for c in columns]
    for column, stated in found:
        column.unit = stated.unit or None
    _set_cell_units(table, [c for c, stated in found if stated is not _RATE], evidence, notes)
    return [_decision(table, c, stated) for c, stated in found if stated.unit]


def measure_of(path: Sequence[str]) -> Measure | None:
    """What a column measures, by the innermost header text that says so."""
    found = next((found for text in reversed(path) if (found := measure(text))), None)
    return None if found == "id" and len(path) > 1 else found


def header_unit(path: Sequence[str]) -> str | None:
    """The unit that a header states, the innermost first."""
    return next((unit for text in reversed(path) if (unit := unit_in_brackets(text))), None)


def _unscaled(note: Stated | None, formats: AbstractSet[str]) -> Stated | None:
    """The unit of the values where their format divides what a reader sees: 천원 under `#,##0,` are 원."""
    steps = {shown(f).thousands for f in formats}
    if note is None or steps <= {0}:
        return note
    name = _divided(note.unit, max(steps))
    because = f"{note.because}, of figures that the format {min(formats)} shows in thousands"
    return note._replace(unit=name, because=because, sure=0.7) if len(steps) == 1 and name else None


def _divided(unit: str, thousands: int) -> str:
    """The unit that is so many thousands of times smaller; "" if it has no name. The symbol alone (₩) is no scale."""
    scale = scale_of(unit)
    if scale is None or scale.size == 1:
        return unit if scale else ""
    smaller = (scale.kind, scale.size / 1000**thousands)
    return next((name for name in _BASES if scale_of(name) == smaller), "")


def _in_corner(table: Table) -> list[Stated]:
    """What the header of the labels states of the figures beside them: "구분 (단위: 천원)"."""
    texts = dict.fromkeys(text for c in table.columns if c.role == "label" and not c.derived for text in c.path)
    return [
        stated._replace(because=f"the header '{text}'")
        for text in texts
        if is_labelled(text) or kind_of_unit(unit_in_brackets(text) or "") == "money"
        for stated in stated_in_note(text)
    ]


def _decision(table: Table, column: Column, stated: Stated) -> Decision:
    region = Range(table.rows[0], column.index, table.rows[-1], column.index)
    return Decision("unit", region, stated.unit, stated.sure, stated.because)


def _unit_of(column: Column, path: Sequence[str], evidence: Evidence, notes: Sequence[Stated]) -> Stated:
    """What states the unit of a column: its own header before its cells, these before the notes.

    Args:
        path: the header texts that may say what the column measures.
    """
    kind = measure_of(path)
    formats = evidence.formats.get(column.index, set())
    own = evidence.unit_row.get(column.index) or header_unit(column.path)
    if (kind == "rate" and not own) or column.index in evidence.rates or _is_percent(column, formats):
        return _RATE
    if own:
        where = "the row of units" if column.index in evidence.unit_row else f"the header '{'/'.join(column.path)}'"
        if kind_of_unit(own) == "rate":
            return _RATE
        return _unscaled(Stated(own, because=where), formats) or _NONE
    note = _unscaled(unit_from_notes(path, notes, evidence.title), formats)
    if column.unit and not (note and column.unit in _SYMBOLS):
        return Stated(column.unit, because="the texts of its cells")
    return note or _format_unit(formats) or _NONE


def unit_from_notes(path: Sequence[str], notes: Sequence[Stated], title: str = "") -> Stated | None:
    """The unit of the notes that a column can have: one that is said of it by name, else the first of its kind.

    A column that names no measure speaks of what the title does.
    """
    kind = measure_of(path)
    usable = [note for note in notes if kind_of_unit(note.unit) != "rate"]
    if kind in ("rate", "id") or not usable:
        return None
    words = [bare(text) for text in path]
    named = (note for note in usable if note.about and any(bare(note.about) in word for word in words))
    if note := next(named, None):
        return note
    counts = [note for note in usable if kind_of_unit(note.unit) == "count"]
    money = [note for note in usable if note not in counts]
    several = kind is None and bool(counts) and bool(money)
    told = measure(title) if several or usable[0].sure <= UNSURE else None
    fitting = {"count": counts, "money": money}.get(kind or told or "", usable)
    if not fitting or (fitting[0].sure <= UNSURE and not (kind or told)):
        return None
    return fitting[0]._replace(sure=round(fitting[0].sure * (0.6 if several else 0.95), 2))


def _parted(notes: Sequence[Stated], columns: Sequence[Column]) -> list[Stated]:
    """The notes, where "백만원/명" is two if the table has both amounts and counts, and nothing per head."""
    kinds = {measure_of(c.path) for c in columns}
    each = any(word in bare(text) for c in columns for text in c.path for word in _EACH)
    parted: list[Stated] = []
    for note in notes:
        over, slash, under = note.unit.partition("/")
        if slash and not each and kinds >= {"money", "count"} and kind_of_unit(under) == "count":
            parted += [note._replace(unit=over.strip()), note._replace(unit=under.strip())]
        else:
            parted.append(note)
    return parted


def _is_percent(column: Column, formats: AbstractSet[str]) -> bool:
    if formats and all(shown(f).percent for f in formats):
        return True
    if not column.path or not may_be_rate(column.path[-1]):
        return False
    return any(shown(f).percent for f in formats) or (is_likely_rate(column.path[-1]) and _are_small(column.values))


def _are_small(values: Sequence[Scalar]) -> bool:
    """Figures such as 0.052 and -0.3: shares of one, and no differences of amounts."""
    figures = [v for v in values[:SAMPLE] if isinstance(v, int | float) and not isinstance(v, bool)]
    return any(v != int(v) for v in figures) and all(abs(v) < SMALL for v in figures)


def _format_unit(formats: AbstractSet[str]) -> Stated | None:
    """The unit that all number formats of a column show: `#,##0"원"`."""
    units = {format_unit(f) for f in formats}
    unit = units.pop() if len(units) == 1 else None
    return Stated(unit, because=f"the number format {min(formats)}", sure=0.9) if unit else None


def format_unit(number_format: str) -> str | None:
    """The unit of the values under a number format that shows one: 원 under `#,##0,"천원"`."""
    form = shown(number_format)
    for text in (form.suffix, form.prefix):
        if text and not PERIOD_SUFFIX.match(text) and is_unit(text):
            return _divided(text, form.thousands) or None if form.thousands else text
    return None


def _set_cell_units(table: Table, columns: Sequence[Column], evidence: Evidence, notes: Sequence[Stated]) -> None:
    """Units that belong to rows or single cells: a format, a unit column, a label that is a measure."""
    open_columns = {c.index: c for c in columns if header_unit(c.path) is None}
    for (row, index), number_format in evidence.cell_formats.items():
        column = open_columns.get(index)
        if column is None:
            continue
        if shown(number_format).percent:
            _set(table, row, column, None)
        elif (unit := format_unit(number_format)) and not (unit in _SYMBOLS and column.unit):
            _set(table, row, column, unit)
    _from_unit_column(table, columns)
    _from_labels(table, columns, notes)


def _set(table: Table, row: int, column: Column, unit: str | None) -> None:
    if unit != column.unit:
        table.cell_units[row, column.index] = unit


def _from_unit_column(table: Table, columns: Sequence[Column]) -> None:
    """A column 단위 gives the unit of the quantity in its row, or of all figures if none is a quantity."""
    units = next((c for c in table.columns if c.path and is_unit_header(c.path[-1]) and c.type == "text"), None)
    if units is None:
        return
    for row, stated in zip(table.rows, units.values, strict=True):
        if not isinstance(stated, str):
            continue
        kind = kind_of_unit(stated)
        for column in _those_in(kind, columns):
            if header_unit(column.path) is None and measure_of(column.path) not in ("rate", "id"):
                _set(table, row, column, None if kind == "rate" else stated)


def _those_in(kind: str | None, columns: Sequence[Column]) -> list[Column]:
    """The columns that a row's unit speaks of: 단가 and 금액 are not counted in EA."""
    if kind == "money":
        return [c for c in columns if measure_of(c.path) != "count"]
    if kind == "rate":
        return list(columns)
    return [c for c in columns if measure_of(c.path) != "money"]


def _from_labels(table: Table, columns: Sequence[Column], notes: Sequence[Stated]) -> None:
    """Rows that are measures: 매출액(백만원), 인원(명), 이익률."""
    labels = [c for c in table.columns if c.role == "label" and c.type == "text"]
    if not labels:
        return
    known: dict[str, Stated | None] = {}
    for position, row in enumerate(table.rows):
        texts = [c.values[position] for c in labels]
        for text in (t for t in reversed(texts) if isinstance(t, str)):
            if text not in known:
                known[text] = _label_unit(text, notes)
            if stated := known[text]:
                _set_row(table, row, columns, position, stated)
                break


def _label_unit(text: str, notes: Sequence[Stated]) -> Stated | None:
    """What a label says of the unit of its row; not quite sure where only its words choose between notes."""
    if unit := unit_in_brackets(text):
        return _RATE if kind_of_unit(unit) == "rate" else Stated(unit)
    if measure(text) == "rate":
        return _RATE
    count = is_count_label(text)
    if not count and (measure(text) != "money" or len({kind_of_unit(note.unit) for note in notes}) < 2):
        return None
    note = unit_from_notes([text], notes)
    return note._replace(sure=0.5) if note else _NO_MONEY if count else None


def _set_row(table: Table, row: int, columns: Sequence[Column], position: int, stated: Stated) -> None:
    for column in columns:
        if column.values[position] is None and (row, column.index) not in table.nulls:
            continue
        if stated is _NO_MONEY:
            if column.unit and kind_of_unit(column.unit) != "count":
                _set(table, row, column, None)
        elif header_unit(column.path) is None and (stated.sure == 1 or measure_of(column.path) is None):
            _set(table, row, column, stated.unit or None)


def unit_row_units(block: Block, row: int) -> dict[int, str]:
    """The unit over each column from a row of units; a merged one holds for all columns that it spans."""
    found: dict[int, str] = {}
    for column in block.span:
        units = split_units(block.spread(row, column).strip("()[]（） "))
        if units:
            found[column] = units[0]
    return found


def common_unit(units: Mapping[int, str | None], values: Sequence[Scalar]) -> str | None:
    """The unit that nearly all texts of a column state."""
    filled = sum(v is not None for v in values)
    kinds = set(units.values())
    return kinds.pop() if len(kinds) == 1 and len(units) * 10 >= filled * 9 else None
