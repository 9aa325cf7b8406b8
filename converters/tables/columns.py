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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from converters.model import ColumnType, Scalar
from converters.tables.values import MAX_DIGITS, Number, date_in, loose_date_in, number_in, plain_number, slashed_dates
from converters.tables.words import (
    ERRORS,
    NULL_MARKS,
    is_code_header,
    is_counter_header,
    is_date_header,
    is_period_label,
    is_specification_header,
    measure,
)

_CODE = re.compile(r"0\d+")
_DIGITS = re.compile(r"\d+")
_NONE = type(None)
MOSTLY = 0.8


@dataclass
class Typed:
    """A typed column; the dictionaries are by position in `values`.

    Args:
        nulls / errors: the texts that stood where the value is now None.
        units: the units that single texts stated ("12명").
        percent: the texts were percentages.
    """

    values: list[Scalar]
    type: ColumnType
    nulls: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    units: dict[int, str] = field(default_factory=dict)
    percent: bool = False


def typed(values: list[Scalar], path: tuple[str, ...], *, textual: bool) -> Typed:
    """The column with its type.

    Args:
        path: its header: codes, dates and quantities are told by it where the values leave it open.
        textual: the format knows only texts.
    """
    column = Typed(values, "null")
    types = set(map(type, values))
    if str in types:
        _read_texts(column, _drop_marks(column, _texts(values)), path, textual)
        types = set(map(type, column.values))
    if float in types and not math.isfinite(sum(v for v in column.values if type(v) is float)):
        _drop_infinities(column)
    _unify(column, types - {_NONE}, path)
    return column


def _texts(values: list[Scalar]) -> Counter[str]:
    """The texts among the values and how often each occurs."""
    counts = Counter(values)
    if all(type(value) is str for value in counts):
        return cast("Counter[str]", counts)
    return Counter({value: count for value, count in counts.items() if type(value) is str})


def _drop_marks(column: Typed, texts: Counter[str]) -> Counter[str]:
    """Cell errors and marks for nothing become None; all other texts lose the white space around them.

    Gives the texts that are left.
    """
    clean = {text: tidy for text in texts if (tidy := _tidy(text)) != text}
    special = (NULL_MARKS | ERRORS) & texts.keys() | {t for t, tidy in clean.items() if tidy in NULL_MARKS | ERRORS}
    if not clean and not special:
        return texts
    values = list(column.values)
    for position, value in enumerate(values):
        if type(value) is not str:
            continue
        if value in special:
            mark = value.strip()
            (column.errors if mark in ERRORS else column.nulls)[position] = mark
            values[position] = None
        elif value in clean:
            values[position] = clean[value] or None
    column.values = values
    return _texts(values)


def _tidy(text: str) -> str:
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text).strip("\u3000 ")


def _read_texts(column: Typed, counts: Counter[str], path: tuple[str, ...], textual: bool) -> None:
    if not counts:
        return
    if (plain := _plain_numbers(counts, path, textual)) is not None:
        column.values = [plain[v] if type(v) is str else v for v in column.values]
        return
    total = counts.total()
    read: Mapping[str, object] = _dates(counts, path)
    if _share(read, counts, total) < MOSTLY:
        natives = sum(type(v) in (int, float) for v in column.values)
        read = _numbers(counts, path, textual, natives)
        if not read or (_share(read, counts, total) < 0.5 and natives < total):
            return
    _replace(column, read)


def _plain_numbers(counts: Counter[str], path: tuple[str, ...], textual: bool) -> dict[str, int | float] | None:
    """All texts as numbers if each is one in its plainest form, and none may be a code or a date."""
    if _speaks_of_dates(path) or not textual or _are_codes(counts, path[-1] if path else "", textual):
        return None
    read: dict[str, int | float] = {}
    for text in counts:
        number = plain_number(text)
        if number is None:
            return None
        read[text] = number
    return read


def _share(read: Mapping[str, object], counts: Counter[str], total: int) -> float:
    return sum(counts[text] for text in read) / total


def _dates(counts: Counter[str], path: tuple[str, ...]) -> dict[str, dt.date]:
    sample = next(iter(counts))
    if not any(c.isdigit() for c in sample) and len(counts) > 50:
        return {}
    reader: Callable[[str], dt.date | None] | None = loose_date_in if _speaks_of_dates(path) else date_in
    read = {text: date for text in counts if (date := reader(text)) is not None}  # type: ignore[misc]
    if read or len(sample) not in (8, 9, 10):
        return read
    reader = slashed_dates(list(counts)) if sample[-4:].isdigit() else None
    return {text: date for text in counts if (date := reader(text)) is not None} if reader else {}


def _speaks_of_dates(path: tuple[str, ...]) -> bool:
    return any(is_date_header(text) for text in path[-1:])


def _numbers(counts: Counter[str], path: tuple[str, ...], textual: bool, natives: int) -> dict[str, Number]:
    header = path[-1] if path else ""
    kind = next((m for text in reversed(path) if (m := measure(text))), None)
    if kind not in ("count", "money", "rate") and not natives and _are_codes(counts, header, textual):
        return {}
    rising = any("▼" in text or "▽" in text for text in counts)
    read: dict[str, Number] = {}
    misses = 0
    for text in counts:
        number = number_in(text.replace("▲", "+").replace("△", "+") if rising else text)
        if number is not None:
            read[text] = number
        else:
            misses += 1
            if misses > 200 and len(read) < misses / 4:
                return {}
    return read


def _are_codes(counts: Counter[str], header: str, textual: bool) -> bool:
    """Digits that identify and count nothing."""
    if is_counter_header(header) or is_period_label(header):
        return any(map(_CODE.fullmatch, counts))
    if is_code_header(header) or is_specification_header(header) or any(map(_CODE.fullmatch, counts)):
        return True
    if any(len(text) > MAX_DIGITS and text.isdigit() for text in counts):
        return True
    return not textual and all(map(_DIGITS.fullmatch, counts))


def _replace(column: Typed, read: Mapping[str, object]) -> None:
    values = list(column.values)
    percents = numbers = 0
    for position, value in enumerate(values):
        if type(value) is not str or value not in read:
            continue
        found = read[value]
        if isinstance(found, Number):
            values[position] = found.value
            numbers += 1
            percents += found.percent
            if found.unit:
                column.units[position] = found.unit
        else:
            values[position] = cast(dt.date, found)
    column.values = values
    column.percent = percents * 2 > numbers


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
    if types == {int} and _speaks_of_dates(path) and (dates := _solid_dates(values)) is not None:
        values, types = dates, {dt.date}
    if types == {int, float} and all(abs(v) < 2**53 for v in values if type(v) is int):
        values, types = [float(v) if type(v) is int else v for v in values], {float}
    if types == {dt.date, dt.datetime}:
        values = [_at_midnight(v) if type(v) is dt.date else v for v in values]
        types = {dt.datetime}
    if types == {dt.datetime} and all(v.time() == dt.time() for v in values if type(v) is dt.datetime):
        values, types = [v.date() if type(v) is dt.datetime else v for v in values], {dt.date}
    column.values = values
    column.type = _column_type(types)


def _solid_dates(values: list[Scalar]) -> list[Scalar] | None:
    read = {str(v): loose_date_in(str(v)) for v in set(values) if v is not None}
    if not read or None in read.values():
        return None
    return [None if v is None else read[str(v)] for v in values]


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
