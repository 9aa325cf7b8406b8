"""Which periods a table, its columns and its rows speak of, and what says so: title, notes, sheet, file, headers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import PurePath

from converters.model import Column, Decision, Range, Scalar, Table
from converters.periods import Period, Span, dates_in, plain_text
from converters.relative import period_of, shifted
from converters.tables.words import bare, is_date_header, is_period_label

_WRITTEN = re.compile(
    r"(?:작성|출력|인쇄|발행|생성|보고|등록|결재|다운로드)(?:일자?|일시|시각|시간)?\s*[:：]?\s*\d[^,|)]*"
    r"|(?:printed|created|issued)\b[^,|)]*|(?:作成|印刷|発行|出力)日時?\s*[:：]?[^,|)]*",
    re.I,
)
"""When a report was written is not what it speaks of."""

_STATED = re.compile(r"기간|기준|현재|조회|대상|일자|as of|period|期間|現在|対象", re.I)
_AS_OF = re.compile(r"현재|기준|as of|時点|現在|말\b", re.I)
_PHRASE = re.compile(
    r"(?<![\d.~-])\d{1,2}\s*(?:~\s*\d{1,2}\s*)?[월月](?![별령세])(?:\s*\d{1,2}\s*[일日])?"
    r"|[1-4]\s*(?:/\s*4\s*)?(?:분기|四半期)|[상하上下](?:반기|半期)"
    r"|(?<![A-Za-z\d])(?:Q[1-4]|[1-4]Q|[12]H|H[12])(?![A-Za-z\d])"
)
_LONE_YEAR = re.compile(r"(?<![\d.,:/-])20[0-4]\d(?![\d.,:/-]|\s*[가-힣]?[건명개원호])")
_EACH = re.compile(r"[월분일]\s*별|연간|년간|年間|月次|monthly|quarterly|annual|daily", re.I)
_TERM = re.compile(r"제\s*(\d{1,3})\s*\(?[당전]?\)?\s*(?:기|期)|第\s*(\d{1,3})\s*期")
_UNDER = (
    (r"연도|년도?|회계연도|year|年度?", "year"),
    (r"월|month|月", "month"),
    (r"일|day|日", "day"),
    (r"분기|quarter", "quarter"),
)
_COUNTED = tuple((re.compile(rf"(?:.*[\s_]|기준|귀속|회계)?(?:{words})", re.I), unit) for words, unit in _UNDER)


@dataclass(frozen=True, slots=True)
class _Source:
    """A text that may say the period of a whole table."""

    what: str
    text: str
    sure: float


def set_periods(table: Table, file: str = "") -> list[Decision]:
    """Gives the table and its columns the periods that they speak of; says by what, and how sure that is.

    Args:
        file: the name of the file that the table is in.
    """
    sources = list(_sources(table, file))
    table.period, sure, because = _of_table(sources)
    terms = _terms([source.text for source in sources])
    decided = [(c, *_of_column(c, table, terms, sure)) for c in table.columns if not c.derived and c.path]
    for column, period, _ in decided:
        column.period = period
    hull = _hull([period for _, period, _ in decided if period])
    if table.period is None and hull:
        table.period, sure, because = hull, 0.7, "its headers"
    decisions = [Decision("period", table.region, str(table.period), sure, because)] if table.period else []
    top, bottom = table.region.top, table.region.bottom
    for column, period, sure in decided:
        if period:
            header = f"the header '{'/'.join(column.path)}'"
            because = header if sure == 1 else f"{header}, beside {table.period}"
            region = Range(top, column.index, bottom, column.index)
            decisions.append(Decision("period", region, str(period), sure, because))
    decisions += _of_rows(table)
    return decisions


def _of_rows(table: Table) -> Iterator[Decision]:
    """What the first and the last row speak of, by the innermost column that says so."""
    if not table.rows:
        return
    ends = [row_period(table, position) for position in (0, -1)]
    named = [c for c in _period_columns(table) if not c.derived and _of_value(c, c.values[0], table.period)]
    if named and ends[0] and ends[1]:
        region = Range(table.rows[0], named[-1].index, table.rows[-1], named[-1].index)
        yield Decision("period", region, f"each row its own: {ends[0]} … {ends[1]}", 0.9, "the texts of its cells")


def row_period(table: Table, position: int) -> Period | None:
    """The period that the labels of a body row name, outermost first (2026년 ▸ 1월); in a list, that of its date.

    None where they name none: then the row speaks of what the table speaks of.
    """
    near, found = table.period, None
    for column in _period_columns(table):
        period = _of_value(column, column.values[position], near)
        if period:
            near = found = period
    return found


def _period_columns(table: Table) -> list[Column]:
    labels = [c for c in table.columns if c.role == "label"]
    if any(not c.derived for c in labels):
        return labels
    dated = (c for c in table.columns if c.type == "date" or (c.path and _unit_under(c.path[-1])))
    return labels + list(dated)[:1]


def _of_value(column: Column, value: Scalar, near: Period | None) -> Period | None:
    header = column.path[-1] if column.path else ""
    if isinstance(value, dt.date):
        day = value.date() if isinstance(value, dt.datetime) else value
        return Period(day, day)
    if isinstance(value, int | float) and not isinstance(value, bool):
        unit = _unit_under(header)
        return _counted(unit, int(value), near) if unit and value == int(value) else None
    if not isinstance(value, str):
        return None
    text = plain_text(value)
    if re.fullmatch(r"\d{1,2}\s?[-./]\s?\d{1,2}", text) and not (is_date_header(header) or is_period_label(header)):
        return None
    if text.isdecimal() and len(text) <= 4:
        unit = _unit_under(header)
        return _counted(unit, int(text), near) if unit else None
    return period_of(text, near, words=False)


def _unit_under(header: str) -> str:
    """What numbers below a header count: 월 → month; "" for nothing of a calendar."""
    word = bare(header)
    return next((unit for pattern, unit in _COUNTED if pattern.fullmatch(word)), "")


def _counted(unit: str, number: int, near: Period | None) -> Period | None:
    """A number of the calendar: 2026, or the 1 of January."""
    if unit == "year":
        return period_of(str(number)) if 1900 <= number < 2100 else None
    return period_of({"month": "{}월", "day": "{}일", "quarter": "{}분기"}[unit].format(number), near)


def _sources(table: Table, file: str) -> Iterator[_Source]:
    """The texts that may say the table's period, the most telling first."""
    if table.title:
        yield _Source(f"the title '{table.title}'", table.title, 0.95)
    for note in sorted(table.notes, key=lambda text: not _STATED.search(text)):
        if len(note) <= 80:
            yield _Source(f"the note '{note}'", note, 0.9 if _STATED.search(note) else 0.6)
    yield _Source(f"the sheet's name '{table.sheet}'", table.sheet, 0.85)
    for name in (*reversed(table.container), file)[:3]:
        stem = PurePath(name.replace("\\", "/")).stem
        if stem and stem != table.sheet:
            yield _Source(f"the file's name '{name}'", stem, 0.7)


def _of_table(sources: Sequence[_Source]) -> tuple[Period | None, float, str]:
    """The first source that names its year says the period; one before it, or the sheet, may name a part of it."""
    parts: list[_Source] = []
    for position, source in enumerate(sources):
        if period := _stated(source.text):
            if position == 0 or not parts:
                parts = [s for s in sources[position + 1 :] if s.what.startswith("the sheet") and _is_phrase(s.text)]
            for part in parts if not _EACH.search(source.text) else ():
                if (narrower := _part(part.text, period)) and narrower != period:
                    sure = round(min(part.sure, source.sure) * 0.95, 2)
                    return narrower, sure, f"{part.what}, beside {source.what}"
            return period, source.sure, source.what
        if _part(source.text, _ANY_YEAR):
            parts.append(source)
    return None, 0.0, ""


_ANY_YEAR = Period(dt.date(2000, 1, 1), dt.date(2000, 12, 31))


def _stated(text: str) -> Period | None:
    """The one period with its year that a text names, when it was written aside."""
    text = _WRITTEN.sub("", text).replace("_", " ")
    spans = list(dict.fromkeys(dates_in(text)))
    if len(spans) == 2:  # 2026년 1월 (2026.01.01 ~ 01.31), 매출_202601_20260205
        longer, other = sorted(spans, key=lambda s: s.start - s.end)
        spans = [longer] if longer.grain != "day" and (other.grain == "day" or _is_in(other, longer)) else spans
    if not spans:
        years = _LONE_YEAR.findall(text)
        return period_of(text) or (period_of(years[0]) if len(set(years)) == 1 else None)
    if len(spans) != 1:
        return None
    return Period(*spans[0], "as_of") if spans[0].grain == "day" and _AS_OF.search(text) else Period(*spans[0])


def _part(text: str, whole: Period) -> Period | None:
    """The part of a period that a text names without a year: 1월 매출일보."""
    found = list(_PHRASE.finditer(plain_text(text)))
    return period_of(found[0][0], whole) if len(found) == 1 else None


def _is_phrase(text: str) -> bool:
    """The whole text names a part of a year: a sheet that is called 1월."""
    return _PHRASE.fullmatch(plain_text(text)) is not None


def _is_in(part: Span, whole: Span) -> bool:
    return whole.start <= part.start and part.end <= whole.end


def _hull(periods: Sequence[Period]) -> Period | None:
    if not periods:
        return None
    return Period(min(p.start for p in periods), max(p.end for p in periods))


def _of_column(column: Column, table: Table, terms: dict[int, Span], sure: float) -> tuple[Period | None, float]:
    """The period that a header path names, each level beside those over it, and how sure that is.

    A header that is a date in the file says its year, too, whatever of it is shown.
    """
    near, mine = column.period or table.period, 1.0
    found = column.period
    for text in column.path:
        period = _of_term(text, terms) or _of_number(text, column, table, near) or _of_header(text, table, near)
        if period:
            if not period_of(text) and period != column.period:
                mine = round(mine * (sure if near is table.period else 1.0) * 0.95, 2)
            near = found = _narrowed(column.path[: column.path.index(text)], period)
    return found, mine


def _narrowed(above: Sequence[str], period: Period) -> Period:
    """The month of a year that stands below it: 1월 over 2026 and 2025."""
    if period.span.grain != "year" or period.basis != "during":
        return period
    parts = (period_of(text, period, words=False) for text in reversed(above) if period_of(text) is None)
    return next((part for part in parts if part is not None), period)


def _of_header(text: str, table: Table, near: Period | None) -> Period | None:
    word = bare(text)
    if word in ("전기", "前期") and not any(
        "당기" in bare(t) or "当期" in bare(t) for c in table.columns for t in c.path
    ):
        return None  # 전기 is electricity, too
    return period_of(text, near)


def _of_number(text: str, column: Column, table: Table, near: Period | None) -> Period | None:
    """1 to 12 across under years are months, 1 to 4 again and again quarters; 1 to 31 under months are days."""
    if near is None or not text.isdecimal() or len(text) > 2 or near.span.grain not in ("year", "month"):
        return None
    level = column.path.index(text)
    groups: dict[tuple[str, ...], list[int]] = {}
    for path in dict.fromkeys(c.path[: level + 1] for c in table.columns):
        if len(path) > level and path[level].isdecimal():
            groups.setdefault(path[:level], []).append(int(path[level]))
    runs = list(groups.values())
    if sum(map(len, runs)) < 3 or any(run != list(range(run[0], run[0] + len(run))) for run in runs):
        return None
    if near.span.grain == "month":
        return _counted("day", int(text), near)
    whole = all(run[0] == 1 for run in runs[1:]) and all(run[-1] == 4 for run in runs[:-1])
    quarters = len(runs) > 1 and near is not table.period and whole
    return _counted("quarter" if quarters else "month", int(text), near)


def _terms(texts: Sequence[str]) -> dict[int, Span]:
    """Business terms that a text dates: 제12기 (2025.01.01 ~ 2025.12.31)."""
    found: dict[int, Span] = {}
    for text in texts:
        plain = plain_text(text)
        marks = list(_TERM.finditer(plain))
        for mark, following in zip_longest(marks, marks[1:]):
            end = following.start() if following else len(plain)
            if len(spans := dates_in(plain[mark.end() : end])) == 1:
                found[int(mark[1] or mark[2])] = spans[0]
    return found


def _of_term(text: str, terms: dict[int, Span]) -> Period | None:
    mark = _TERM.search(plain_text(text))
    if not mark or not terms:
        return None
    number = int(mark[1] or mark[2])
    known = min(terms, key=lambda term: abs(term - number))
    span = shifted(terms[known], 12 * (number - known))
    return Period(*span, "as_of" if span.grain == "day" else "during")
