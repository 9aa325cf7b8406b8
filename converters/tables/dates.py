"""What one text or number says as a date: alone, or with a column of dates around it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable

from converters.periods import full_year, western

_MONTHS = {m: i for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_TIME = (
    r"(?:(?:\s*T|\s+)(?P<half>오전|오후|午前|午後|[AP]M)?\s*(?P<hour>\d{1,2})(?::|\s*[시時]\s*)(?P<minute>\d{2})\s*[분分]?"
    r"(?::?\s*(?P<second>\d{2})\s*[초秒]?(?:\.(?P<fraction>\d{1,6})\d*)?)?(?:\s*(?P<late>[AP]M))?)?"
)
_WEEKDAY = (
    r"(?:\s*[(（\[](?:[월화수목금토일月火水木金土日]|mon|tue|wed|thu|fri|sat|sun)[)）\]]"
    r"|\s+[월화수목금토일]요일|\s*[月火水木金土日]曜日)?"
)
_DATES = tuple(
    re.compile(pattern + _WEEKDAY + _TIME, re.I)
    for pattern in (
        r"(?P<y>(?:19|20)\d\d)\s*[-./]\s*(?P<m>\d{1,2})\s*[-./]\s*(?P<d>\d{1,2})\.?",
        r"'?(?P<y>(?:19|20)\d\d|\d\d)\s*[년年]\s*(?P<m>\d{1,2})\s*[월月]\s*(?P<d>\d{1,2})\s*[일日]",
        r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>(?:19|20)\d\d)",
        r"(?:[a-z]{3,9},?\s+)?(?P<d>\d{1,2})[-\s.](?P<mon>[a-z]{3})[a-z]*[-\s.,]+'?(?P<y>(?:19|20)\d\d|\d\d)",
        r"(?:[a-z]{3,9},?\s+)?(?P<mon>[a-z]{3})[a-z]*\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>(?:19|20)\d\d)",
    )
)
_LOOSE = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)" + _WEEKDAY + _TIME,
        r"'?(?P<y>\d\d)[-./]\s?(?P<m>\d{1,2})[-./]\s?(?P<d>\d{1,2})\.?" + _WEEKDAY + _TIME,
        r"(?P<y>\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])" + _TIME,
        r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)[_\s]?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?"
        r"(?P<half>)(?P<late>)(?P<fraction>)",
    )
)
_SLASHED = re.compile(r"(?P<a>\d{1,2})(?P<by>[/.-])(?P<b>\d{1,2})[/.-](?P<y>(?:19|20)\d\d|\d\d)" + _TIME, re.I)
LONGEST = 44
_EPOCH = dt.datetime(1899, 12, 30)
SERIALS = range(36526, 54789)
"""Day numbers of spreadsheet programs from 2000 to 2049. Source: ECMA-376 part 1, 18.17.4.1 (1900 date system)."""


def date_in(text: str) -> dt.date | None:
    """The date of a text in a form that is nothing else.

    2026-01-31 · 2026. 1. 31. · 2026년 1월 31일(토) · 31-Jan-26 · Jan 31, 2026 · 令和8年1月31日 · 2026-01-31 오후 1:20
    """
    text = text.strip()
    return _first(_DATES, text) if 6 <= len(text) <= LONGEST else None


def loose_date_in(text: str) -> dt.date | None:
    """As date_in, and the forms that need a column of dates around them: 20260131, 26.01.31, 260131."""
    text = text.strip()
    return _first(_LOOSE, text) or date_in(text) if 6 <= len(text) <= LONGEST else None


def slashed_dates(texts: Iterable[str]) -> Callable[[str], dt.date | None] | None:
    """A reader of 31/01/2026 or 01/31/2026, if these texts prove which of the two they are; 31.01.2026 is the first."""
    parts: list[re.Match[str]] = []
    for text in texts:
        if (part := _SLASHED.fullmatch(text.strip())) is None:
            return None
        parts.append(part)
    day_first = any(int(p["a"]) > 12 or (p["by"] == "." and len(p["y"]) == 4) for p in parts)
    month_first = any(int(p["b"]) > 12 for p in parts)
    if day_first == month_first:
        return None

    def read(text: str) -> dt.date | None:
        found = _SLASHED.fullmatch(text.strip())
        return found and _date(found, *(("b", "a") if day_first else ("a", "b")))

    return read


def serial_date(number: float) -> dt.date | None:
    """The date that a spreadsheet program counts so, from 2000 to 2049: 46037 → 2026-01-15, 46037.5 → noon of it."""
    if int(number) not in SERIALS:
        return None
    if number == int(number):
        return (_EPOCH + dt.timedelta(days=int(number))).date()
    return _EPOCH + dt.timedelta(seconds=round(number * 86400))


def _first(patterns: Iterable[re.Pattern[str]], text: str) -> dt.date | None:
    if text[0] in "令平昭RHS":
        text = western(text)
    elif not text[0].isascii():
        return None
    for pattern in patterns:
        if (found := pattern.fullmatch(text)) and (date := _date(found)):
            return date
    return None


def _date(found: re.Match[str], month: str = "m", day: str = "d") -> dt.date | None:
    parts = found.groupdict()
    number = _MONTHS.get(parts["mon"].lower(), 0) if parts.get("mon") else int(parts[month])
    year = int(parts["y"])
    try:
        date = dt.date(full_year(year), number, int(parts[day]))
        if parts["hour"] is None:
            return date
        micro = int((parts["fraction"] or "").ljust(6, "0"))
        time = dt.time(_hour(parts), int(parts["minute"]), int(parts["second"] or 0), micro)
    except ValueError:
        return None
    return dt.datetime.combine(date, time)


def _hour(parts: dict[str, str]) -> int:
    """The hour of 24.

    Raises:
        ValueError: 13 in the afternoon.
    """
    hour, half = int(parts["hour"]), (parts["half"] or parts["late"] or "").upper()
    if not half:
        return hour
    if not 1 <= hour <= 12 and half not in ("오전", "午前"):
        raise ValueError("no hour of twelve")
    return hour % 12 + 12 * (half in ("오후", "午後", "PM"))
