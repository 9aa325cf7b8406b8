"""Dates and periods in texts as people write them in titles, notes, headers and file names."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple


class Span(NamedTuple):
    """A period: its first and its last day."""

    start: dt.date
    end: dt.date

    @property
    def grain(self) -> str:
        """`day`, `month`, `quarter`, `half` or `year`; `range` for any other length."""
        if self.start == self.end:
            return "day"
        for grain, length in (("month", 1), ("quarter", 3), ("half", 6), ("year", 12)):
            if (self.start.month - 1) % length == 0 and self == months(self.start.year, self.start.month, length):
                return grain
        return "range"


@dataclass(frozen=True, slots=True)
class Period:
    """What a table, a column or a row speaks of.

    Args:
        start / end: its first and its last day.
        basis: `during` for what happened in it, `as_of` for what was so at the end of its last day, `to_date` for a sum
            that began with the year.
    """

    start: dt.date
    end: dt.date
    basis: Literal["during", "as_of", "to_date"] = "during"

    @property
    def span(self) -> Span:
        """Its first and last day alone."""
        return Span(self.start, self.end)

    def __str__(self) -> str:
        first, last = self.start.isoformat(), self.end.isoformat()
        name = {
            "day": first,
            "month": first[:7],
            "quarter": f"{first[:4]} Q{self.start.month // 3 + 1}",
            "half": f"{first[:4]} H{self.start.month // 6 + 1}",
            "year": first[:4],
        }.get(self.span.grain, f"{first} to {last}")
        return {"during": name, "as_of": f"as of {last}", "to_date": f"{name} (to date)"}[self.basis]


_Y = r"(?P<y>(?:19|20)\d{2}|\d{2})"
LONGEST = 60
"""Characters of a text that is a single day or month."""
_YEAR = rf"(?<!\d)'?{_Y}\s*(?:년도?|年度?)[\s,(\[]*"
_PLAIN_YEAR = r"(?<!\d)(?P<y>(?:19|20)\d{2})\s*[.\-/]?\s*"
_SEPARATOR = r"\s?[-./]\s?"
_MONTH_NAME = rf"(?P<mon>{'|'.join(calendar.month_abbr[1:])})[a-z]*\.?"
_MONTH_NUMBER = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}


def _day(year: int, found: re.Match[str]) -> Span:
    day = dt.date(year, _month_of(found), int(found["d"]))
    return Span(day, day)


def _month(year: int, found: re.Match[str]) -> Span:
    return months(year, _month_of(found), 1)


def _month_range(year: int, found: re.Match[str]) -> Span:
    return Span(months(year, int(found["m"]), 1).start, months(year, int(found["n"]), 1).end)


def _quarter(year: int, found: re.Match[str]) -> Span:
    return months(year, int(found["q"]) * 3 - 2, 3)


def _half(year: int, found: re.Match[str]) -> Span:
    return months(year, 1 if found["h"] in "상上1" else 7, 6)


def _whole_year(year: int, found: re.Match[str]) -> Span:
    return months(year, 1, 12)


def months(year: int, first: int, count: int) -> Span:
    """So many months of a year from the first on.

    Raises:
        ValueError: they go past its end.
    """
    last = first + count - 1
    if last > 12:
        raise ValueError("past the end of the year")
    return Span(dt.date(year, first, 1), dt.date(year, last, calendar.monthrange(year, last)[1]))


def _month_of(found: re.Match[str]) -> int:
    groups = found.groupdict()
    return _MONTH_NUMBER[groups["mon"].lower()] if groups.get("mon") else int(groups["m"])


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[int, re.Match[str]], Span]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reader)
    for pattern, reader in (
        (_YEAR + r"(?P<m>\d{1,2})\s*[월月]\s*(?P<d>\d{1,2})\s*[일日]", _day),
        (_PLAIN_YEAR + r"(?P<m>\d{1,2})\s*[월月]\s*(?P<d>\d{1,2})\s*[일日]", _day),
        (r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?!\d)", _day),
        (rf"(?<![\d.])'?{_Y}{_SEPARATOR}(?P<m>\d{{1,2}}){_SEPARATOR}(?P<d>\d{{1,2}})(?!\d)", _day),
        (rf"\b{_MONTH_NAME}\s+(?P<d>\d{{1,2}}),?\s+(?P<y>(?:19|20)\d{{2}})(?!\d)", _day),
        (rf"(?<!\d)(?P<d>\d{{1,2}})[\s-]{_MONTH_NAME},?[\s-]+(?P<y>(?:19|20)\d{{2}})(?!\d)", _day),
        (_YEAR + r"(?P<m>\d{1,2})[월月]?\s*[~∼〜–-]\s*(?P<n>\d{1,2})\s*[월月]", _month_range),
        (_YEAR + r"(?P<q>[1-4])\s*(?:[/-]\s*4\s*)?(?:분기|四半期)", _quarter),
        (_PLAIN_YEAR + r"(?P<q>[1-4])\s*(?:[/-]\s*4\s*)?(?:분기|四半期|Q\b)", _quarter),
        (_PLAIN_YEAR + r"Q(?P<q>[1-4])\b", _quarter),
        (rf"\b(?P<q>[1-4])Q\s*'?{_Y}(?!\d)", _quarter),
        (rf"\bQ(?P<q>[1-4])\s*'?{_Y}(?!\d)", _quarter),
        (_YEAR + r"(?P<h>[상하上下])\s*(?:반기|半期)", _half),
        (_PLAIN_YEAR + r"(?P<h>[상하上下])\s*(?:반기|半期)", _half),
        (_PLAIN_YEAR + r"(?P<h>[12])H\b", _half),
        (_PLAIN_YEAR + r"H(?P<h>[12])\b", _half),
        (_YEAR + r"(?P<m>\d{1,2})\s*[월月]", _month),
        (_PLAIN_YEAR + r"(?P<m>\d{1,2})\s*[월月]", _month),
        (rf"(?<!\d)(?P<y>(?:19|20)\d{{2}}){_SEPARATOR}(?P<m>\d{{1,2}})(?!\d|{_SEPARATOR}\d)", _month),
        (rf"(?<![\d.])'(?P<y>\d{{2}}){_SEPARATOR}(?P<m>\d{{1,2}})(?!\d)", _month),
        (r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?!\d)", _month),
        (rf"\b{_MONTH_NAME}[\s-]+'?{_Y}(?!\d)", _month),
        (r"(?<!\d)'?(?P<y>(?:19|20)\d{2}|(?<=')\d{2})\s*(?:년도?|年度?)", _whole_year),
        (rf"\bFY\s?'?{_Y}(?!\d)", _whole_year),
    )
)  # fmt: skip
"""Forms that name their year, from the longest to the shortest: what one has read, the next cannot."""

_CLOCK_OR_DAY = r"(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?\s*(?:\([월화수목금토일月火水木金土日]\))?\s*"
_TO = _CLOCK_OR_DAY + r"(?:[~∼〜–]|부터|から|\bto\b|(?<=\s)-(?=\s))\s*"
_BETWEEN = re.compile(_TO)
_END_DAY = re.compile(_TO + r"(?:(?P<m>\d{1,2})\s*[-./월月]\s*)?(?P<d>\d{1,2})(?:\s*[일日])?(?![\d,.]*\d)")
_END_MONTH = re.compile(_TO + r"(?P<m>\d{1,2})(?:\s*[월月])?(?![\d,.]*\d)")

_WEEKDAY = re.compile(r"\s*(?:\([일월화수목금토日月火水木金土](?:요일|曜日)?\)|(?<=\s)[일월화수목금토]요일)\.?$")
_CLOCK = re.compile(r"(?<=\d|일|\.|\))[T\s]\s*(?:오전|오후|[AP]M)?\s*\d{1,2}:\d{2}\S*(?:\s*[AP]M)?$", re.IGNORECASE)
_YEARLESS_DAY = re.compile(r"(?P<m>\d{1,2})(?:\s*월\s*|\s*月\s*|\s?[-./]\s?)(?P<d>\d{1,2})\s*[일日]?\.?")
_DAY_ALONE = re.compile(r"(?P<d>\d{1,2})\s*[일日]?")
_SHORT_MONTH = re.compile(r"'?(?P<y>\d{4}|\d{2})\s?[-./]\s?(?P<m>\d{1,2})\.?")
_MONTH_ALONE = re.compile(rf"(?:(?P<m>\d{{1,2}})\s*[월月]?|{_MONTH_NAME})", re.IGNORECASE)
_BRACKET = re.compile(r"\s*[(\[][^()\[\]]*[)\]]$")


_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "R": 2018, "H": 1988, "S": 1925}
"""The year before the first of each era. Source: 元号法, and the orders that name the eras."""
_ERA = re.compile(
    r"(令和|平成|昭和)\s*(元|\d{1,2})(?=\s*[年.\-/])"
    r"|(?<![A-Za-z0-9])([RHS])\.?\s?(元|\d{1,2})(?=\s*年|\s?([./-])\s?\d{1,2}\s?\5\s?\d{1,2}(?!\d))"
)


def dates_in(text: str) -> list[Span]:
    """The dates and periods that a text names with their year, in order; "A ~ B" is one span.

    2026-01-05 · 26.1.5 · 20260105 · 2026년 1월 5일(월) · 2026.01 · '26.1 · 2026년 1~3월 · 2026년 1분기 · 1Q26 ·
    2026년 상반기 · 2026년 · FY2026 · Jan 2026 · 2026.01.01~31 · 2026년 12월 29일 ~ 1월 4일.
    """
    plain = plain_text(text)
    rest, found_at = plain, list[tuple[int, int, Span]]()
    for pattern, read in _PATTERNS:
        for found in pattern.finditer(rest):
            try:
                found_at.append((found.start(), found.end(), read(_year(found["y"]), found)))
            except ValueError:
                continue
        rest = pattern.sub(lambda m: "\0" * len(m[0]), rest)
    return _joined(plain, sorted(found_at))


@lru_cache(maxsize=1 << 16)
def day_of(text: str, near: Span | None = None) -> dt.date | None:
    """The one day that a whole text names: 2026-01-05, 26.1.5, 20260105, 2026. 1. 5.(월), 2026-01-05 13:20.

    Args:
        near: completes a text that names no year ("1/5") or no month ("5일"); without it, such a text is no day.
    """
    plain = plain_text(text)
    if len(plain) > LONGEST:
        return None
    plain = _WEEKDAY.sub("", _CLOCK.sub("", plain)).rstrip(". ")
    spans = dates_in(plain)
    if spans:
        return spans[0].start if len(spans) == 1 and spans[0].grain == "day" and _is_all(plain) else None
    if near is None:
        return None
    if found := _YEARLESS_DAY.fullmatch(plain):
        return _completed(near, int(found["m"]), int(found["d"]))
    if found := _DAY_ALONE.fullmatch(plain):
        one_month = (near.start.year, near.start.month) == (near.end.year, near.end.month)
        return _completed(near, near.start.month, int(found["d"])) if one_month else None
    return None


@lru_cache(maxsize=1 << 16)
def month_of(text: str, near: Span | None = None) -> dt.date | None:
    """The first day of the one month that a whole text names: 2026-05, 26.5, 202605, 2026년 5월, May 2026, a day in it.

    Args:
        near: completes a text that names no year ("5월", "May"); without it, such a text is no month.
    """
    plain = plain_text(text)
    if len(plain) > LONGEST:
        return None
    plain = _BRACKET.sub("", plain) or plain
    spans = dates_in(plain)
    if spans:
        return spans[0].start.replace(day=1) if len(spans) == 1 and spans[0].grain in ("day", "month") else None
    if (found := _SHORT_MONTH.fullmatch(plain)) and 1 <= int(found["m"]) <= 12:
        return dt.date(_year(found["y"]), int(found["m"]), 1)
    if near and (found := _MONTH_ALONE.fullmatch(plain)):
        return _completed(near, _month_of(found), 1, whole_month=True)
    return None


def plain_text(text: str) -> str:
    """Half width, and no run of white space, over which patterns would take time that grows with its square."""
    return western(" ".join(unicodedata.normalize("NFKC", text).split()))


def western(text: str) -> str:
    """Japanese years as western ones: 令和8年1月 → 2026年1月, R8.1.15 → 2026.1.15; all else stays."""
    return _ERA.sub(lambda found: str(_ERAS[found[1] or found[3]] + _era_year(found[2] or found[4])), text)


def _era_year(digits: str) -> int:
    return 1 if digits == "元" else int(digits)


def _is_all(text: str) -> bool:
    """Nothing but a date stands in the text."""
    return not re.search(r"[^\d\s.\-/'년월일年月日,a-z]", text, re.IGNORECASE)


def _completed(near: Span, month: int, day: int, whole_month: bool = False) -> dt.date | None:
    """The day in the year that puts it into the period; in the period's only year if none does."""
    first = near.start.replace(day=1) if whole_month else near.start
    days = [d for year in range(near.start.year, near.end.year + 1) if (d := _valid(year, month, day))]
    inside = [d for d in days if first <= d <= near.end]
    if len(inside) == 1 or (not inside and len(days) == 1):
        return (inside or days)[0]
    return None


def _valid(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _joined(text: str, found_at: list[tuple[int, int, Span]]) -> list[Span]:
    """The spans in order; one that "~" leads to an end is a range."""
    spans: list[Span] = []
    end = -1
    for number, (start, stop, span) in enumerate(found_at):
        if end >= 0 and _BETWEEN.fullmatch(text[end:start]) and span.end >= spans[-1].start:
            spans[-1] = Span(spans[-1].start, span.end)
        else:
            following = found_at[number + 1][0] if number + 1 < len(found_at) else len(text)
            spans.append(_with_end(text[stop:following], span))
        end = stop
    return spans


def _with_end(rest: str, span: Span) -> Span:
    """The span to an end that names no year of its own: 2026.01.01~31."""
    pattern = {"day": _END_DAY, "month": _END_MONTH}.get(span.grain)
    found = pattern.match(rest) if pattern else None
    if not found:
        return span
    month = int(found["m"] or span.start.month)
    for year in (span.start.year, span.start.year + 1):
        if span.grain == "day":
            last = _valid(year, month, int(found["d"]))
        else:
            last = months(year, month, 1).end if 1 <= month <= 12 else None
        if last and last >= span.start:
            return Span(span.start, last)
    return span


def full_year(year: int) -> int:
    """The year that two digits mean: 26 → 2026, 98 → 1998; the border is at 70, as in POSIX.1-2017 (strptime, %y)."""
    return year if year > 99 else year + (1900 if year >= 70 else 2000)


def _year(digits: str) -> int:
    return full_year(int(digits))
