"""Typing a column: one type for all of its values, decided on the column as a whole.

What a text says depends on its column: "00123" makes all of it codes, "20260131" is a date under 일자 only. Columns are
typed by their distinct values and in C loops, so that a hundred thousand rows cost little more than a hundred.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

from converters.model import ColumnType, Decision, Range, Scalar, Table, Values
from converters.packed import Packed, all_finite, as_days, as_floats, count_of, found, mapped, texts_of, types_of
from converters.scales import Unit
from converters.scales import unit as scale_of
from converters.tables.dates import SERIALS, date_in, loose_date_in, serial_date, slashed_dates
from converters.tables.plain import plain_figures
from converters.tables.units import unit_in_brackets
from converters.tables.values import (
    LONGEST_MARK,
    MAX_DIGITS,
    Number,
    is_empty_mark,
    number_in,
    plain_number,
    usual_form,
)
from converters.tables.words import (
    ERRORS,
    NULL_MARKS,
    is_code_header,
    is_counter_header,
    is_date_header,
    is_period_label,
    is_specification_header,
    measure,
    speaks_of_figures,
)

_CODE = re.compile(r"0\d+")
_DIGITS = re.compile(r"\d+")
_DOTTED_MONTH = re.compile(r"(?:19|20)\d\d\.(?:0?[1-9]|1[0-2])")
_PERCENT = re.compile("[%％]")
_POINT = re.compile("[%％][pPｐＰ]")
_DURATION = re.compile(r"\d+\s*(?:시간|時間)\s*\d+\s*[분分]")
_BASES = {"won": "원", "yen": "円"}
_BOOLS = {"TRUE": True, "FALSE": False}
_NONE = type(None)
ENOUGH_MISSES = 200
"""After so many texts that are none, and few that are one, a column holds no dates or numbers."""
_MONEY_MARK = re.compile(r"\D[-–—][ \t\u00a0]*(?:[원円%].?)?$|^\W?[-–—]\W?[원円%]", re.M)


@dataclass
class Typed:
    """A typed column; the dictionaries are by position in `values`.

    Args:
        nulls / errors: the texts that stood where the value is now None.
        units: the units that single texts stated ("12명"); None for a percentage among other numbers.
        percent: the texts were percentages.
        because: why it is typed so, for people, where that is not plain to see; else "".
    """

    values: Values
    type: ColumnType
    nulls: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    units: dict[int, str | None] = field(default_factory=dict)
    percent: bool = False
    because: str = ""


def typed(values: Values, path: tuple[str, ...], *, textual: bool) -> Typed:
    """The column with its type.

    Args:
        path: its header: codes, dates and quantities are told by it where the values leave it open.
        textual: the format knows only texts.
    """
    column = Typed(values, "null")
    types = types_of(values)
    if str in types:
        if not (textual and _read_figures(column, path)):
            _read_texts(column, _drop_marks(column, texts_of(values)), path, textual)
        types = types_of(column.values)
    if float in types and not all_finite(column.values):
        _drop_infinities(column)
    _unify(column, types - {_NONE}, path)
    return column


def type_decisions(table: Table, because: Mapping[int, str]) -> list[Decision]:
    """Why columns are typed as they are, where that is not plain to see.

    Args:
        because: what Typed.because said, by grid column.
    """
    return [
        Decision(
            "type",
            Range(table.rows[0], c.index, table.rows[-1], c.index),
            c.type,
            0.7 if c.type == "mixed" else 0.9,
            because[c.index],
        )
        for c in table.columns
        if not c.derived and because.get(c.index)
    ]


def _read_figures(column: Typed, path: tuple[str, ...]) -> bool:
    """A long column of plain numbers and marks for nothing is read in bulk; False: it needs a closer look."""
    header = path[-1] if path else ""
    codes = is_period_label(header) or is_code_header(header) or is_specification_header(header)
    if not isinstance(column.values, Packed) or codes or _speaks_of_dates(path):
        return False
    read = plain_figures(column.values, ERRORS | NULL_MARKS)
    if read is None:
        return False
    column.values, marks = read
    _note_marks(column, marks)
    return True


def _note_marks(column: Typed, marks: Mapping[int, str]) -> None:
    for position, text in marks.items():
        mark = text.strip()
        (column.errors if mark in ERRORS else column.nulls)[position] = mark


def _drop_marks(column: Typed, texts: Counter[str]) -> Counter[str]:
    """Cell errors and marks for nothing become None; all other texts lose the white space around them.

    Gives the texts that are left.
    """
    whole = "\n".join(texts)
    clean = {} if _are_tidy(texts, whole) else {text: tidy for text in texts if (tidy := _tidy(text)) != text}
    special = (ERRORS | NULL_MARKS) & texts.keys() | {t for t, tidy in clean.items() if tidy in ERRORS | NULL_MARKS}
    dashed = any(dash in whole for dash in "-–—")
    if dashed and _MONEY_MARK.search("\n".join(text for text in texts if len(text.strip()) <= LONGEST_MARK)):
        special |= {text for text in texts if is_empty_mark(text.strip())}
    if "" in texts:
        clean[""] = ""
    if not clean and not special:
        return texts
    _note_marks(column, found(column.values, special))
    told = {text: tidy or None for text, tidy in clean.items()} | dict.fromkeys(special, None)
    column.values = mapped(column.values, told)
    return texts_of(column.values)


def _are_tidy(texts: Collection[str], whole: str) -> bool:
    """Told of all at once: most columns have nothing to tidy."""
    length = sum(map(len, map(str.strip, texts))) + max(0, len(texts) - 1)
    return length == len(whole) and "'" not in whole and unicodedata.is_normalized("NFC", whole)


def _tidy(text: str) -> str:
    """Without white space around it, nor the apostrophe by which spreadsheet programs mark digits as a text."""
    text = text.strip()
    if text[:1] == "'" and text[1:2].isdigit() and text[1:].isalnum():
        text = text[1:]
    return text if text.isascii() else unicodedata.normalize("NFC", text).strip("\u3000 ")


def _read_texts(column: Typed, counts: Counter[str], path: tuple[str, ...], textual: bool) -> None:
    if not counts:
        return
    if textual and counts.keys() <= _BOOLS.keys():
        column.values = mapped(column.values, _BOOLS)
        return
    if (plain := _plain_numbers(counts, path, textual)) is not None:
        column.values = mapped(column.values, plain)
        return
    total = counts.total()
    read: Mapping[str, object] = _dates(column, counts, path)
    if _share(read, counts, total) < 0.5:
        natives = count_of(column.values, {int, float})
        read = _numbers(column, counts, path, textual, natives)
        if not read or (_share(read, counts, total) < 0.5 and natives < total):
            return
    left = next((text for text in counts if text not in read), None)
    if left is not None:
        column.because = (
            f"{len(counts) - len(read)} of its {len(counts)} texts say something else, such as '{left[:20]}'"
        )
    _replace(column, read, counts)


def _plain_numbers(counts: Counter[str], path: tuple[str, ...], textual: bool) -> dict[str, int | float] | None:
    """All texts as numbers if each is one in its plainest form, and none may be a code or a date."""
    if _speaks_of_dates(path) or not textual:
        return None
    read: dict[str, int | float] = {}
    for text in counts:
        number = plain_number(text)
        if number is None:
            return None
        read[text] = number
    return None if _why_codes(counts, path, textual) else read


def _share(read: Mapping[str, object], counts: Counter[str], total: int) -> float:
    return sum(counts[text] for text in read) / total


def _dates(column: Typed, counts: Counter[str], path: tuple[str, ...]) -> dict[str, dt.date]:
    sample = next(iter(counts))
    if not any(c.isdigit() for c in sample) and len(counts) > 50:
        return {}
    loose = _speaks_of_dates(path)
    read = _read_dates(counts, loose_date_in if loose else date_in)
    if len(read) == len(counts) or not (loose or len(sample) > 7):
        return read
    reader = slashed_dates(counts) if "/" in sample or "." in sample or "-" in sample else None
    if reader is None or len(slashed := _read_dates(counts, reader)) <= len(read):
        return read
    column.because = "one of its dates has a 13th or later part, which tells the day from the month"
    return slashed


def _read_dates(counts: Counter[str], reader: Callable[[str], dt.date | None]) -> dict[str, dt.date]:
    read: dict[str, dt.date] = {}
    misses = 0
    for text in counts:
        if (date := reader(text)) is not None:
            read[text] = date
        else:
            misses += 1
            if misses > ENOUGH_MISSES and len(read) < misses / 4:
                return {}
    return read


def _speaks_of_dates(path: tuple[str, ...]) -> bool:
    return any(is_date_header(text) for text in path[-1:])


def _numbers(
    column: Typed, counts: Counter[str], path: tuple[str, ...], textual: bool, natives: int
) -> dict[str, Number]:
    kind = next((m for text in reversed(path) if (m := measure(text))), None)
    quantity = kind in ("count", "money", "rate") and not any(map(_DURATION.fullmatch, counts))
    if kind not in ("count", "money", "rate") and not natives and (why := _why_codes(counts, path, textual)):
        column.because = why
        return {}
    usual = usual_form(counts, quantity=quantity)
    whole = "\n".join(counts)
    rising = "▼" in whole or "▽" in whole
    read: dict[str, Number] = {}
    misses = 0
    for text in counts:
        written = text.replace("▲", "+").replace("△", "+") if rising else text
        number = number_in(usual(written) if usual else written, quantity=quantity)
        if number is not None:
            read[text] = number
        else:
            misses += 1
            if misses > ENOUGH_MISSES and len(read) < misses / 4:
                return {}
    if usual:
        column.because = "its texts prove that it groups digits as in 1.234,56 or 1 234"
    if points := _points_among_shares(read):
        column.because = "its percentage points are shares of one as its percentages are: 1.5%p is 0.015"
        read |= points
    return _on_one_scale(read, kind == "count")


def _points_among_shares(read: Mapping[str, Number]) -> dict[str, Number]:
    """The percentage points of a column that holds percentages, too, on the scale of these; alone they stay as said."""
    percents = {text: number for text, number in read.items() if number.percent and _PERCENT.search(text)}
    points = {text: number for text, number in percents.items() if _POINT.search(text)}
    if len(points) == len(percents):
        return {}
    return {text: Number(round(number.value / 100, 15), number.unit, percent=True) for text, number in points.items()}


def _on_one_scale(read: dict[str, Number], count: bool) -> dict[str, Number]:
    """All in won (or yen) where the texts mix its powers: 1억 2,000만 and 3억. A count in 만 is of no money."""
    if count:
        return {
            t: Number(n.value) if n.unit and n.unit in _BASES.values() and n.unit not in t else n
            for t, n in read.items()
        }
    scales = _scales({number.unit for number in read.values()})
    base = _BASES.get("".join({scale.kind for scale in scales.values()}))
    if not base or len({scale.size for scale in scales.values()}) == 1:
        return read
    return {text: _in_base(number, scales, base) for text, number in read.items()}


def _scales(units: Iterable[str | None]) -> dict[str | None, Unit]:
    return {unit: scale for unit in units if unit and (scale := scale_of(unit))}


def _in_base(number: Number, scales: Mapping[str | None, Unit], base: str) -> Number:
    if number.unit not in scales:
        return number
    value = Decimal(repr(number.value)) * scales[number.unit].size
    return Number(int(value) if value == int(value) else float(value), base)


def _why_codes(counts: Counter[str], path: tuple[str, ...], textual: bool) -> str:
    """Why digits identify and count nothing; "" if they may count."""
    header = path[-1] if path else ""
    zero = next(filter(_CODE.fullmatch, counts), None) if "\n0" in "\n".join(["", *counts]) else None
    if zero is not None:
        return f"'{zero[:20]}' begins with a zero"
    if is_counter_header(header):
        return ""
    if is_period_label(header):
        return f"the header '{header}' names periods" if all(map(_DOTTED_MONTH.fullmatch, counts)) else ""
    if is_code_header(header) or is_specification_header(header):
        return f"the header '{header}' names codes" if any(map(_DIGITS.search, counts)) else ""
    if max(map(len, counts)) > MAX_DIGITS and any(len(text) > MAX_DIGITS and text.isdigit() for text in counts):
        return f"it has more than {MAX_DIGITS} digits"
    if textual or not all(map(_DIGITS.fullmatch, counts)):
        return ""
    figures = any(speaks_of_figures(text) or unit_in_brackets(text) for text in path)
    return "" if figures else "the file keeps these digits as texts"


def _replace(column: Typed, read: Mapping[str, object], counts: Counter[str]) -> None:
    numbers = {text: said for text, said in read.items() if isinstance(said, Number)}
    percents = [text for text, said in numbers.items() if said.percent]
    column.percent = sum(counts[text] for text in percents) * 2 > sum(counts[text] for text in numbers)
    units: dict[str, str | None] = {t: said.unit for t, said in numbers.items() if said.unit and not said.percent}
    if not column.percent:
        units.update(dict.fromkeys(percents))
    column.units.update({position: units[text] for position, text in found(column.values, units).items()})
    values = {text: said.value if isinstance(said, Number) else cast(dt.date, said) for text, said in read.items()}
    column.values = mapped(column.values, values)


def _drop_infinities(column: Typed) -> None:
    """What is no number although the file calls it one (NaN) is an error of its cell."""
    values = list(column.values)
    for position, value in enumerate(values):
        if type(value) is float and not math.isfinite(value):
            values[position] = None
            column.errors[position] = "#NUM!"
    column.values = values


def _unify(column: Typed, types: set[type], path: tuple[str, ...]) -> None:
    """One Python type for the whole column where that loses nothing."""
    values = column.values
    if types <= {int, float} and _speaks_of_dates(path) and (dates := _solid_dates(values)) is not None:
        values, types = dates, set(map(type, dates)) - {_NONE}
        column.because = column.because or f"its numbers are days under the header '{path[-1]}'"
    if types == {float} and is_code_header(path[-1] if path else "") and all(map(_is_whole, values)):
        values, types = [int(v) if type(v) is float else v for v in values], {int}
    if types == {int, float} and (floats := as_floats(values)) is not None:
        values, types = floats, {float}
    if types == {dt.date, dt.datetime}:
        values = [_at_midnight(v) if type(v) is dt.date else v for v in values]
        types = {dt.datetime}
    if types == {dt.datetime} and (days := as_days(values)) is not None:
        values, types = days, {dt.date}
    column.values = values
    column.type = _column_type(types)


def _is_whole(value: Scalar) -> bool:
    return type(value) is not float or value.is_integer()


def _solid_dates(values: Values) -> list[Scalar] | None:
    """Numbers as the dates that they are: 20260131, or the day number 46053 of a spreadsheet program."""
    numbers = cast("set[float]", set(values) - {None})
    read = {v: loose_date_in(f"{v:.0f}") if v > SERIALS.stop else serial_date(v) for v in numbers}
    if not read or None in read.values():
        return None
    return [None if v is None else read[cast(float, v)] for v in values]


def _at_midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day)


def _column_type(types: set[type]) -> ColumnType:
    if not types:
        return "null"
    if types <= {int, float}:
        return "number"
    if types in ({dt.date}, {dt.datetime}):
        return "date"
    if types == {bool}:
        return "bool"
    return "text" if types <= {str, dt.time} else "mixed"
