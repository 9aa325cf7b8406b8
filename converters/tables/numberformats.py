"""Number formats: what a reader of the sheet sees. Source: ECMA-376 part 1, 18.8.31 (numFmts)."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from functools import lru_cache

from converters.periods import Period, months

_TOKEN = re.compile(r'"([^"]*)"|\\(.)|\[([^\]]*)\]|_(.)|\*(.)|(General)|([0#?.,]+)|([yYmMdDhHsSaA]+)|(.)', re.S)
_ZEROS = re.compile(r"0{2,}(?:_.)?(?:;@)?")
_DASH = r"[- ()]|\\[- ()]|\"[- ()]+\""
_DASHED = re.compile(rf"(?:\[<=(\d+)\])?((?:{_DASH})*[0#]+(?:(?:{_DASH})+[0#]+)+)(?:_.)?(?:;@)?")
PERIOD_SUFFIX = re.compile(r"^\s*(?:월|년|년도|일|분기|주차?|차|회차|기|月|年|日|週|期)\s*$")


@dataclass(frozen=True, slots=True)
class Shown:
    """The parts of a number format that carry meaning.

    Args:
        thousands: by how many thousands it divides what it shows: `#,##0,` shows 1234567 as 1,235.
    """

    prefix: str = ""
    suffix: str = ""
    percent: bool = False
    digits: bool = True
    thousands: int = 0


@lru_cache(maxsize=4096)
def shown(number_format: str) -> Shown:
    """The meaning of a number format's section for positive numbers: `0"월"` has the suffix 월."""
    section = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', number_format)[0]
    prefix, suffix, percent, digits, thousands = "", "", False, False, 0
    for quoted, escaped, bracketed, pad, fill, general, placeholder, clock, other in _TOKEN.findall(section):
        del pad, fill, clock
        if general or placeholder:
            digits = True
            thousands = len(placeholder) - len(placeholder.rstrip(","))
            continue
        text = quoted or escaped or (_currency(bracketed) if bracketed else "") or other
        percent = percent or (other == "%")
        if text == "%" and other:
            continue
        if digits:
            suffix += text
        else:
            prefix += text
    return Shown(prefix.strip(), suffix.strip(), percent, digits, thousands)


@lru_cache(maxsize=4096)
def is_code_form(number_format: str) -> bool:
    """The format fills digits up with zeros or parts them by dashes, as codes are written: `00000`, `000-00-00000`."""
    sections = number_format.removesuffix(";@").split(";")
    return _ZEROS.fullmatch(number_format) is not None or all("-" in s and _DASHED.fullmatch(s) for s in sections)


def _dashed(value: int | float, number_format: str) -> str | None:
    """The digits of a number under `000-00-00000`, or under the first of several such whose limit it keeps."""
    for section in number_format.removesuffix(";@").split(";"):
        found = _DASHED.fullmatch(section)
        if not found:
            return None
        if not found[1] or value <= int(found[1]):
            form = re.sub(r"[\\\"]", "", found[2])
            places = re.sub("[^0#]", "", form)
            digits = list(str(abs(round(value))).zfill(len(places.lstrip("#"))))
            shown = [(digits.pop() if digits else "") if c in "0#" else c for c in reversed(form)]
            return "".join([*digits, *reversed(shown)]).strip("- ")
    return None


def show_number(value: int | float, number_format: str) -> str:
    """The text of a number under its format, as far as labels and headers need it: 5 under `0"월"` is 5월."""
    if not math.isfinite(value):
        return "#NUM!"
    if is_code_form(number_format):
        value = round(value)
        if (dashed := _dashed(value, number_format)) is not None:
            return dashed
    form = shown(number_format)
    if form.percent:
        value, tail = round(value * 100, 6), "%"
    else:
        tail = ""
    text = str(int(value)) if value == int(value) else str(value)
    if not form.digits:
        return form.prefix or text
    if zeros := re.match(r"^0{2,}(?=$|[\"\\_;])", number_format):
        text = text.zfill(len(zeros[0]))
    return f"{form.prefix}{text}{tail}{form.suffix}"


def show_date(value: dt.date, number_format: str) -> str:
    """The text of a date under its format: `m"월"` gives 1월; ISO where the format is a plain full date."""
    has_time = isinstance(value, dt.datetime) and value.time() != dt.time()
    plain = re.sub(r"\[[^\]]*\]", "", number_format.split(";")[0])
    letters = re.sub(r'"[^"]*"|\\.', "", plain).lower()
    if has_time or "h" in letters or not re.search(r"[ymd]", letters) or all(c in letters for c in "ymd"):
        return value.isoformat() if has_time else dt.date(value.year, value.month, value.day).isoformat()
    out = ""
    for quoted, escaped, _, _, _, _, placeholder, clock, other in _TOKEN.findall(plain):
        out += (
            _clock_part(value, clock) if clock else quoted or escaped or placeholder or ("" if other == "@" else other)
        )
    return out.strip()


def shown_period(value: dt.date, number_format: str) -> Period:
    """What a date says under its format: a day, or the month or the year that alone is shown."""
    letters = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", number_format.split(";")[0]).lower()
    if "d" in letters or not re.search("[ym]", letters):
        day = dt.date(value.year, value.month, value.day)
        return Period(day, day)
    return Period(*(months(value.year, value.month, 1) if "m" in letters else months(value.year, 1, 12)))


def _clock_part(value: dt.date, token: str) -> str:
    token = token.lower()
    if token.startswith("y"):
        return f"{value.year % 100:02}" if len(token) <= 2 else str(value.year)
    if token.startswith("m"):
        names = {3: value.strftime("%b"), 4: value.strftime("%B")}
        return names.get(len(token)) or (f"{value.month:02}" if len(token) == 2 else str(value.month))
    if token.startswith("d"):
        names = {3: value.strftime("%a"), 4: value.strftime("%A")}
        return names.get(len(token)) or (f"{value.day:02}" if len(token) == 2 else str(value.day))
    return "월화수목금토일"[value.weekday()] if token.startswith("a") else ""


def _currency(bracketed: str) -> str:
    found = re.match(r"\$([^-\]]+)", bracketed)
    return found[1] if found else ""
