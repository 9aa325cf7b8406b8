"""Dates and periods in texts as people write them in titles, notes and file names."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata
from collections.abc import Callable

Span = tuple[dt.date, dt.date]
_Y = r"'?(?P<y>\d{4}|\d{2})\s*(?:년|年)\s*"
_SEP = r"\s?[-./]\s?"
_Reader = Callable[[int, re.Match[str]], Span]


def _day(year: int, found: re.Match[str]) -> Span:
    day = dt.date(year, int(found["m"]), int(found["d"]))
    return day, day


def _month(year: int, found: re.Match[str]) -> Span:
    return _months(year, int(found["m"]), 1)


def _quarter(year: int, found: re.Match[str]) -> Span:
    return _months(year, int(found["q"]) * 3 - 2, 3)


def _half(year: int, found: re.Match[str]) -> Span:
    return _months(year, 1 if found["h"] in "상上" else 7, 6)


def _year_long(year: int, found: re.Match[str]) -> Span:
    return _months(year, 1, 12)


def _months(year: int, first: int, count: int) -> Span:
    last = first + count - 1
    return dt.date(year, first, 1), dt.date(year, last, calendar.monthrange(year, last)[1])


_PATTERNS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern), reader)
    for pattern, reader in (
        (_Y + r"(?P<m>\d{1,2})\s*(?:월|月)\s*(?P<d>\d{1,2})\s*(?:일|日)", _day),
        (r"(?<!\d)(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?!\d)", _day),
        (rf"(?<!\d)'?(?P<y>\d{{4}}|\d{{2}}){_SEP}(?P<m>\d{{1,2}}){_SEP}(?P<d>\d{{1,2}})(?!\d)", _day),
        (_Y + r"(?P<q>[1-4])\s*(?:/4\s*)?(?:분기|四半期)", _quarter),
        (_Y + r"(?P<h>상|하|上|下)\s*(?:반기|半期)", _half),
        (_Y + r"(?P<m>\d{1,2})\s*(?:월|月)", _month),
        (rf"(?<!\d)(?P<y>\d{{4}}){_SEP}(?P<m>\d{{1,2}})(?!\d|{_SEP}\d)", _month),
        (rf"(?<![\d.])'(?P<y>\d{{2}}){_SEP}(?P<m>\d{{1,2}})(?!\d)", _month),
        (r"(?<!\d)(?P<y>(?:19|20)\d{2})\s*(?:년|年)", _year_long),
    )
)
_RANGE = re.compile(r"^\s*(?:\([월화수목금토일]\))?\s*(?:~|～|∼|–|부터)\s*")


def dates_in(text: str) -> list[Span]:
    """The dates and periods that a text names, in order: first and last day of each; "A ~ B" is one span."""
    rest, spans = unicodedata.normalize("NFKC", text), list[tuple[int, int, Span]]()
    for pattern, read in _PATTERNS:
        for found in pattern.finditer(rest):
            try:
                spans.append((found.start(), found.end(), read(_year(found["y"]), found)))
            except ValueError:
                continue
        rest = pattern.sub(lambda m: "\0" * len(m[0]), rest)
    return _joined(unicodedata.normalize("NFKC", text), sorted(spans))


def month_in(text: str, year: int) -> dt.date | None:
    """The first day of the month that a header names ("5월", "26.5", "May"); in `year` if it names none."""
    if spans := dates_in(text):
        return spans[0][0].replace(day=1)
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if found := re.fullmatch(r"(?:(?P<y>\d{2}|\d{4})[.\-/])?(?P<m>\d{1,2})\s*(?:월|月)?(?:\s*[(\[].*)?", plain):
        month = int(found["m"])
        return dt.date(_year(found["y"]) if found["y"] else year, month, 1) if 1 <= month <= 12 else None
    names = [name.lower() for name in calendar.month_abbr]
    return dt.date(year, names.index(plain[:3]), 1) if plain[:3] in names[1:] else None


def _joined(text: str, spans: list[tuple[int, int, Span]]) -> list[Span]:
    joined: list[Span] = []
    end = -1
    for start, stop, span in spans:
        if joined and end >= 0 and _RANGE.fullmatch(text[end:start]) and span[1] >= joined[-1][0]:
            joined[-1] = (joined[-1][0], span[1])
        else:
            joined.append(span)
        end = stop
    return joined


def _year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else 2000 + int(digits)
