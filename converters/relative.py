"""Periods that a header or a label names by itself or beside another: 2026.01, 1월, 1분기, 전월, 전년동기, 1월 누계."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from functools import lru_cache

from converters.periods import Period, Span, dates_in, day_of, full_year, month_of, months, plain_text

LONGEST = 40
Reader = Callable[[re.Match[str], Span], Span | None]

_SCENARIO = re.compile(
    r"[\s_:/-]*(?:계획|실적|목표|예산|추정|전망|예상|잠정|확정|매출액?|금액|수량|판매|집행|합계|소계|계|분|중|plan|actuals?|budget|forecast|"
    r"target|results?|amount|sales|qty|売上|実績|計画|予算|見込|金額|数量)$",
    re.I,
)
"""Behind a period, these say what is told of it."""

_TO_DATE = re.compile(r"[\s_]*(?:누계|누적|累計|ytd|year[\s-]to[\s-]date)$", re.I)
_AS_OF = re.compile(r"[\s_]*(?:현재|기준|말일?|時点|現在|末)$")
_COMPARED = re.compile(r"대비|비교|증감|[가-힣]비$|vs|yoy|mom|qoq|比$|growth|change", re.I)
_YEAR_ALONE = re.compile(
    r"((?:19|20)\d\d)\s?(?:[AEFPB]|년도?|年度?)?|'(\d\d)|(\d\d)\s*(?:년도?|年度?)|FY\s?'?(\d\d)", re.I
)
_SHORT_MONTH = re.compile(r"([1-4]\d)\.(0[1-9]|1[0-2])")
_DECIMAL = re.compile(r"\d+\.\d+")


@lru_cache(maxsize=1 << 14)
def period_of(text: str, near: Period | None = None, *, words: bool = True) -> Period | None:
    """The period that a whole text names; None for any other, and for one that nothing completes.

    Args:
        near: the period that surrounds it: the year of "1월", the month of "15일", what "전월" is before.
        words: also by words such as 전월 and 누계, which may mean other things where no header stands: 전기.
    """
    plain = plain_text(text)
    if not plain or len(plain) > LONGEST or _COMPARED.search(plain):
        return None
    if found := _to_date(plain, near) if words else None:
        return found
    if (without := _AS_OF.sub("", plain)) != plain:
        found = period_of(without, near, words=words)
        return found and Period(found.end, found.end, "as_of")
    core = _core(plain)
    span = _absolute(core) or _absolute(plain)
    if not span and near:
        span = _beside(core, near.span, words) or _beside(plain, near.span, words)
    return Period(*span) if span else None


def shifted(span: Span, count: int) -> Span:
    """The same days so many months later; an end of a month stays one."""
    return Span(_moved(span.start, count), _moved(span.end, count))


def _to_date(plain: str, near: Period | None) -> Period | None:
    """The months from January to the end of what stands before 누계."""
    core = _core(plain, keep=_TO_DATE)
    without = _TO_DATE.sub("", core)
    if without == core:
        return None
    end = period_of(without, near) if without else near
    if end is None or end.start.year != end.end.year:
        return None
    return Period(dt.date(end.end.year, 1, 1), end.end, "to_date")


def _core(plain: str, keep: re.Pattern[str] | None = None) -> str:
    """The text without brackets and what they and the words behind a period say: "1월 계획(안)" → 1월."""
    core = re.sub(r"\s*[(\[][^()\[\]]*[)\]]$", "", plain) or plain
    while not (keep and keep.search(core)) and (shorter := _SCENARIO.sub("", core)) and shorter != core:
        core = shorter
    return core


def _absolute(core: str) -> Span | None:
    """A text that names its year."""
    if found := _YEAR_ALONE.fullmatch(core):
        return months(full_year(int(found[found.lastindex or 1])), 1, 12)
    spans = dates_in(core)
    if not spans and (found := _SHORT_MONTH.fullmatch(core)):
        return months(full_year(int(found[1])), int(found[2]), 1)
    return spans[0] if len(spans) == 1 else None


def _beside(core: str, near: Span, words: bool) -> Span | None:
    for pattern, read in _CALENDAR + (_WORDS if words else ()):
        if found := pattern.fullmatch(core):
            try:
                return read(found, near)
            except ValueError:
                return None
    return None


def _moved(day: dt.date, count: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    last = calendar.monthrange(year, month + 1)[1]
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    return dt.date(year, month + 1, last if is_last else min(day.day, last))


def _one_year(near: Span) -> int:
    """The year of a period.

    Raises:
        ValueError: it has several.
    """
    if near.start.year != near.end.year:
        raise ValueError("several years")
    return near.start.year


def _of_month(found: re.Match[str], near: Span) -> Span | None:
    month = month_of(found[0].removesuffix("분").removesuffix("달"), near)
    return months(month.year, month.month, 1) if month else None


def _of_day(found: re.Match[str], near: Span) -> Span | None:
    day = None if _DECIMAL.fullmatch(found[0]) else day_of(found[0], near)
    return Span(day, day) if day else None


def _of_months(found: re.Match[str], near: Span) -> Span:
    year = _one_year(near)
    return Span(months(year, int(found[1]), 1).start, months(year, int(found[2]), 1).end)


def _of_quarter(found: re.Match[str], near: Span) -> Span:
    return months(_one_year(near), int(found[found.lastindex or 1]) * 3 - 2, 3)


def _of_half(found: re.Match[str], near: Span) -> Span:
    return months(_one_year(near), 1 if found[found.lastindex or 1] in "상上1" else 7, 6)


def _of_week(found: re.Match[str], near: Span) -> Span | None:
    """A week of a year by ISO 8601; one of a month is counted in too many ways."""
    if near.grain != "year":
        return None
    monday = dt.date.fromisocalendar(_one_year(near), int(found[found.lastindex or 1]), 1)
    return Span(monday, monday + dt.timedelta(days=6))


def _by(unit: str, count: int) -> Reader:
    """The day, week, month, quarter or year that a period is in or ends, and those before and after it."""

    def read(_: re.Match[str], near: Span) -> Span | None:
        day = near.end
        if unit == "week":
            monday = day - dt.timedelta(days=day.weekday())
            first = monday + dt.timedelta(weeks=count)
            return Span(first, first + dt.timedelta(days=6)) if monday <= near.start else None
        if unit == "day":
            first = day + dt.timedelta(days=count)
            return Span(first, first) if near.start == day else None
        length = {"month": 1, "quarter": 3, "year": 12}[unit]
        whole = months(day.year, (day.month - 1) // length * length + 1, length)
        return shifted(whole, count * length) if whole.start <= near.start else None

    return read


def _previous(count: int) -> Reader:
    """A period of the same length before or after."""

    def read(_: re.Match[str], near: Span) -> Span | None:
        length = {"month": 1, "quarter": 3, "half": 6, "year": 12}.get(near.grain)
        return shifted(near, count * length) if length else None

    return read


def _of_year_before(found: re.Match[str], near: Span) -> Span:
    return shifted(near, -12)


_MONTHS = "|".join([*calendar.month_abbr[1:], *calendar.month_name[1:]])


def _compiled(*rows: tuple[str, Reader]) -> tuple[tuple[re.Pattern[str], Reader], ...]:
    return tuple((re.compile(pattern, re.I), reader) for pattern, reader in rows)


_CALENDAR = _compiled(
    (rf"\d{{1,2}}\s*(?:월|月)(?:분|달|度)?|(?:{_MONTHS})\.?", _of_month),
    (r"(\d{1,2})\s*[월月]?\s*[~∼-]\s*(\d{1,2})\s*[월月]", _of_months),
    (r"제?\s*([1-4])\s*(?:/\s*4\s*)?(?:분기|四半期|Q)|Q([1-4])|第([1-4])四半期", _of_quarter),
    (r"([상하上下])\s*(?:반기|半期|期)|H([12])|([12])H", _of_half),
    (r"\d{1,2}(?:\s*[월月]\s*|\s?[-./]\s?)\d{1,2}\s*[일日]?\.?(?:\s*\(.\))?", _of_day),
    (r"\d{1,2}\s*[일日]|\d{1,2}\s*[일日]?\s*\([월화수목금토일月火水木金土日]\)", _of_day),
    (r"제?\s*(\d{1,2})\s*(?:주차?|週目?)|W(?:eek)?\s?(\d{1,2})|第(\d{1,2})週", _of_week),
)  # fmt: skip
_WORDS = _compiled(
    (r"[당금本今当]일|금일|오늘|[当本]日|today", _by("day", 0)),
    (r"전일|어제|前日|yesterday", _by("day", -1)),
    (r"[당금]주|이번\s?주|今週|this week", _by("week", 0)),
    (r"전주|지난\s?주|前週|先週|last week|previous week|prior week", _by("week", -1)),
    (r"[당금본]월|이번\s?달|[当今本]月|this month|current month", _by("month", 0)),
    (r"전월|지난\s?달|[前先]月|last month|previous month|prior month", _by("month", -1)),
    (r"전전월|前々月", _by("month", -2)),
    (r"[익차]월|다음\s?달|[翌来]月|next month", _by("month", 1)),
    (r"[당금]분기|当四半期|this quarter|current quarter", _by("quarter", 0)),
    (r"전분기|직전분기|前四半期|last quarter|previous quarter|prior quarter", _by("quarter", -1)),
    (r"[당금]년도?|당해\s?(?:연도)?|올해|[当本今]年度?|this year|current year", _by("year", 0)),
    (r"[당금]기|[当今]期|current period|this period", _previous(0)),
    (r"전기|前期|prior period|previous period", _previous(-1)),
    (r"차기|次期|来期", _previous(1)),
    (r"전년\s*동월|前年\s*同月", _by("month", -12)),
    (r"전년\s*(?:동[기월일]|동분기|도)?|작년|지난해|前年\s*(?:同[期月日])?|昨年|PY", _of_year_before),
    (r"(?:last|prior|previous) year|same period last year", _of_year_before),
)  # fmt: skip
