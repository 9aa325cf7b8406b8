"""What one text says as a value: a number, a date, nothing, an error."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from converters.tables.units import is_unit
from converters.tables.words import ERRORS, NULL_MARKS

MAX_DIGITS = 15
"""Longer digit strings are identifiers: no spreadsheet program keeps them as numbers."""

_PLAIN = re.compile(r"-?(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*|0)(?:\.\d+)?")
_NUMBER = re.compile(
    r"(?P<sign>[-+−–△▲▼▽]?)\s*(?P<open>\()?\s*(?P<inner>[-−△▲▼]?)\s*(?P<currency>[₩￦$¥€£￥]?)\s*(?P<minus>-?)"
    r"(?P<digits>\d{1,3}(?:,\d{3})+|\d+)?(?P<fraction>\.\d+)?(?P<exponent>[eE][-+]?\d+)?\s*"
    r"(?P<percent>[%％]?[pP]?)\s*(?P<suffix>[^\d\s(),.%+\-][^\d(),%+\-]{0,11})?\s*(?P<close>\))?\s*(?P<trailing>-?)"
)
_ASCII = {0xFF00 + n: 0x20 + n for n in range(1, 95)} | dict.fromkeys(map(ord, "△▲▽▼−"), ord("-"))
"""Full-width forms as half-width ones, and the signs that stand for minus. ③ and ½ are no figures."""

_SCALES = {"조": 10**12, "億": 10**8, "억": 10**8, "万": 10**4, "만": 10**4, "천": 10**3, "백": 100}
_SCALED = re.compile(r"(?:\d[\d,]*(?:\.\d+)?\s*[조억만億万천백]\s*)+(?:\d[\d,]*)?\s*(?:원|円)?")
_SCALED_PART = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*([조억만億万천백]?)")
_MONTHS = {m: i for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_TIME = r"(?:[T\s]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?)?"
_WEEKDAY = r"\s*(?:[(（][월화수목금토일月火水木金土][)）])?"
_DATES = tuple(
    re.compile(pattern + _WEEKDAY + _TIME, re.I)
    for pattern in (
        r"(?P<y>(?:19|20)\d\d)\s*[-./]\s*(?P<m>\d{1,2})\s*[-./]\s*(?P<d>\d{1,2})\.?",
        r"(?P<y>(?:19|20)\d\d)\s*[년年]\s*(?P<m>\d{1,2})\s*[월月]\s*(?P<d>\d{1,2})\s*[일日]",
        r"(?P<d>\d{1,2})[-\s](?P<mon>[a-z]{3})[a-z]*[-\s,]+(?P<y>(?:19|20)\d\d)",
        r"(?P<mon>[a-z]{3})[a-z]*\.?\s+(?P<d>\d{1,2}),?\s+(?P<y>(?:19|20)\d\d)",
    )
)
_SHORT_DATE = re.compile(r"'?(?P<y>\d\d)[-./]\s?(?P<m>\d{1,2})[-./]\s?(?P<d>\d{1,2})\.?" + _WEEKDAY + _TIME)
_SOLID_DATE = re.compile(r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)" + _TIME)


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a text says, with what stands beside it."""

    value: int | float
    unit: str | None = None
    percent: bool = False


def plain_number(text: str) -> int | float | None:
    """The number of a text in the forms that are by far the most frequent: 4662, -12.5, "4,662"."""
    if not _PLAIN.fullmatch(text) or len(text) > MAX_DIGITS:
        return None
    digits = text.replace(",", "")
    return float(digits) if "." in digits else int(digits)


def number_in(text: str) -> Number | None:
    """The number of a text, or None: "4,662", "△1,234", "(1,234)", "12.3%", "1,200원", "1억 2,000만".

    "00123" is none: it is a code.
    """
    plain = plain_number(text)
    return Number(plain) if plain is not None else _decorated_number(text)


@lru_cache(maxsize=1 << 16)
def _decorated_number(text: str) -> Number | None:
    """Signs, brackets, currencies, units, percent."""
    text = text.strip()
    if len(text) > 40 or not any(c.isdigit() for c in text):
        return None
    if not text.isascii():
        text = text.translate(_ASCII)
    found = _NUMBER.fullmatch(text)
    if found is None:
        return _scaled(text)
    if not _is_quantity(found):
        return None
    value = _magnitude(found)
    if found["percent"]:
        value = round(value / 100, 15) if not found["percent"].lower().endswith("p") else value
    suffix = (found["suffix"] or "").strip()
    if suffix and not is_unit(suffix):
        return _scaled(text)
    if _is_negative(found):
        value = -value
    return Number(value, suffix or found["currency"] or None, bool(found["percent"]))


def date_in(text: str) -> dt.date | None:
    """The date of a text in a form that is nothing else: 2026-01-31, 2026. 1. 31., 2026년 1월 31일, 31-Jan-2026."""
    text = text.strip()
    if len(text) > 32 or len(text) < 8:
        return None
    for pattern in _DATES:
        if found := pattern.fullmatch(text):
            return _date(found)
    return None


def loose_date_in(text: str) -> dt.date | None:
    """As date_in, and the forms that need a column of dates around them: 20260131, 26.01.31."""
    text = text.strip()
    if found := _SOLID_DATE.fullmatch(text) or _SHORT_DATE.fullmatch(text):
        return _date(found)
    return date_in(text)


def slashed_dates(texts: list[str]) -> Callable[[str], dt.date | None] | None:
    """A reader of 31/01/2026 or 01/31/2026, if these texts prove which of the two they are."""
    parts = [re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-]((?:19|20)\d\d)", t.strip()) for t in texts]
    if not parts or not all(parts):
        return None
    day_first = any(int(p[1]) > 12 for p in parts if p)
    month_first = any(int(p[2]) > 12 for p in parts if p)
    if day_first == month_first:
        return None

    def read(text: str) -> dt.date | None:
        first, second, year = (int(n) for n in re.findall(r"\d+", text))
        return _valid(year, *((second, first) if day_first else (first, second)))

    return read


def kind_of_text(text: str) -> str:
    """One letter for what a text says: n number, d date, x nothing or an error, t text, blank for blank."""
    return "n" if _PLAIN.fullmatch(text) and len(text) <= MAX_DIGITS else _kind_of_other(text)


@lru_cache(maxsize=1 << 16)
def _kind_of_other(text: str) -> str:
    word = text.strip()
    if not word:
        return " "
    if word in NULL_MARKS or word in ERRORS:
        return "x"
    if not any(c.isdigit() for c in word):
        return "t"
    if number_in(word) is not None:
        return "n"
    return "d" if date_in(word) is not None else "t"


def _is_quantity(found: re.Match[str]) -> bool:
    digits = (found["digits"] or "").replace(",", "")
    if not digits and not found["fraction"]:
        return False
    if (len(digits) > 1 and digits[0] == "0") or len(digits) > MAX_DIGITS:
        return False
    if bool(found["open"]) != bool(found["close"]):
        return False
    signs = [found[name] for name in ("sign", "inner", "minus", "trailing")]
    return sum(map(bool, signs)) <= 1


def _magnitude(found: re.Match[str]) -> int | float:
    digits = (found["digits"] or "0").replace(",", "")
    if found["fraction"] or found["exponent"]:
        return float(digits + (found["fraction"] or "") + (found["exponent"] or ""))
    return int(digits)


def _is_negative(found: re.Match[str]) -> bool:
    return bool(
        found["open"] or found["inner"] or found["minus"] or found["trailing"] or found["sign"] not in ("", "+")
    )


def _scaled(text: str) -> Number | None:
    """1억 2,000만 → 120,000,000."""
    negative = text.startswith("-")
    text = text.lstrip("-+ ")
    if not _SCALED.fullmatch(text):
        return None
    total = 0.0
    for figure, scale in _SCALED_PART.findall(text):
        total += float(figure.replace(",", "")) * _SCALES.get(scale, 1)
    value = round(total) if total == round(total) else total
    return Number(-value if negative else value, "円" if text[-1] in "円億万" else "원")


def _date(found: re.Match[str]) -> dt.date | None:
    parts = found.groupdict()
    month = _MONTHS.get(parts["mon"].lower(), 0) if parts.get("mon") else int(parts["m"])
    year = int(parts["y"])
    day = _valid(year + 2000 if year < 100 else year, month, int(parts["d"]))
    if day is None or parts["hour"] is None:
        return day
    hour, minute, second = int(parts["hour"]), int(parts["minute"]), int(parts["second"] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return dt.datetime(day.year, day.month, day.day, hour, minute, second)


def _valid(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
