"""What a header or a label names as a period, alone or beside another."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.periods import Period, Span, months
from converters.relative import period_of, shifted

YEAR = Period(*months(2026, 1, 12))
MONTH = Period(*months(2026, 1, 1))
QUARTER = Period(*months(2026, 1, 3))
DAY = Period(dt.date(2026, 1, 31), dt.date(2026, 1, 31), "as_of")
WEEK = Period(dt.date(2026, 1, 5), dt.date(2026, 1, 9))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026년 1월", "2026-01"), ("2026.01", "2026-01"), ("26.01", "2026-01"), ("'26.1", "2026-01"), ("2026", "2026"),
        ("2026A", "2026"), ("'26", "2026"), ("26년", "2026"), ("FY25", "2025"), ("1Q26", "2026 Q1"),
        ("2026-Q1", "2026 Q1"),
        ("2026년 하반기", "2026 H2"), ("2026년 1월(계획)", "2026-01"), ("令和8年1月", "2026-01"),
        ("前期 (令和7年度)", "2025"),
        ("Jan 2026", "2026-01"),
        ("2026년 1월 31일 현재", "as of 2026-01-31"), ("2026.01.01~2026.01.15", "2026-01-01 to 2026-01-15"),
        ("2026년 1월 누계", "2026-01 (to date)"),
    ],
)  # fmt: skip
def test_what_names_its_year_needs_nothing_else(text: str, says: str) -> None:
    assert str(period_of(text)) == str(period_of(text, YEAR)) == says


@pytest.mark.parametrize(
    ("text", "near", "says"),
    [
        ("1월", YEAR, "2026-01"), ("01월", YEAR, "2026-01"), ("3월 실적", YEAR, "2026-03"), ("May", YEAR, "2026-05"),
        ("1~3월", YEAR, "2026 Q1"), ("1분기", YEAR, "2026 Q1"), ("Q2", YEAR, "2026 Q2"), ("第4四半期", YEAR, "2026 Q4"),
        ("상반기", YEAR, "2026 H1"), ("下期", YEAR, "2026 H2"), ("H1", YEAR, "2026 H1"),
        ("1월말", YEAR, "as of 2026-01-31"),
        ("3월 누계", YEAR, "2026 Q1 (to date)"), ("W03", YEAR, "2026-01-12 to 2026-01-18"),
        ("15일", MONTH, "2026-01-15"), ("15(목)", MONTH, "2026-01-15"), ("1/15", MONTH, "2026-01-15"),
        ("01-15", MONTH, "2026-01-15"), ("1월 15일(목)", MONTH, "2026-01-15"),
        ("당월", MONTH, "2026-01"), ("전월", MONTH, "2025-12"), ("전년동월", MONTH, "2025-01"),
        ("전년", MONTH, "2025-01"),
        ("전년", YEAR, "2025"), ("전년동기", QUARTER, "2025 Q1"), ("당월(1월)", MONTH, "2026-01"),
        ("당기", QUARTER, "2026 Q1"), ("전기", YEAR, "2025"),
        ("전분기", QUARTER, "2025 Q4"), ("누계", MONTH, "2026-01 (to date)"), ("YTD", QUARTER, "2026 Q1 (to date)"),
        ("당월누계", MONTH, "2026-01 (to date)"), ("전년누계", YEAR, "2025 (to date)"), ("Prior year", YEAR, "2025"),
        ("당월", DAY, "2026-01"), ("전월말", DAY, "as of 2025-12-31"), ("전년동월", DAY, "2025-01"),
        ("전일", DAY, "2026-01-30"),
        ("금주", WEEK, "2026-01-05 to 2026-01-11"), ("전주", WEEK, "2025-12-29 to 2026-01-04"),
        ("前月", MONTH, "2025-12"),
    ],
)  # fmt: skip
def test_what_is_near_completes_the_rest(text: str, near: Period, says: str) -> None:
    assert period_of(text) is None
    assert str(period_of(text, near)) == says


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("전년대비", YEAR), ("전월비", MONTH), ("증감", MONTH), ("수량", YEAR), ("1", YEAR), ("1.15", YEAR),
        ("13월", YEAR),
        ("5분기", YEAR), ("당월", YEAR), ("전월", QUARTER), ("15일", YEAR), ("전일", MONTH), ("3주차", MONTH),
        ("", YEAR),
        ("제12기", YEAR), ("강남점", MONTH), ("1월 15일", None),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_none(text: str, near: Period | None) -> None:
    assert period_of(text, near) is None


def test_words_that_mean_other_things_too_are_not_read_where_they_may() -> None:
    assert period_of("전기", YEAR, words=False) is None
    assert period_of("1월", YEAR, words=False) == MONTH


def test_the_end_of_a_month_stays_one() -> None:
    assert shifted(Span(dt.date(2026, 2, 1), dt.date(2026, 2, 28)), -1).end == dt.date(2026, 1, 31)
    assert shifted(Span(dt.date(2024, 2, 1), dt.date(2024, 2, 29)), -12).end == dt.date(2023, 2, 28)


@given(st.text(max_size=50), st.sampled_from([None, YEAR, MONTH, QUARTER, DAY, WEEK]))
def test_no_text_breaks_the_reading(text: str, near: Period | None) -> None:
    found = period_of(text, near)
    assert found is None or found.start <= found.end


@given(st.dates(dt.date(2010, 1, 1), dt.date(2049, 12, 31)))
def test_every_month_and_quarter_of_a_year_is_found_beside_it(day: dt.date) -> None:
    year = Period(*months(day.year, 1, 12))
    month = Period(*months(day.year, day.month, 1))
    for text in (
        f"{day.month}월",
        f"{day.month:02}월 계획",
        f"{day:%b}",
        f"{day:%Y.%m}",
        f"'{day:%y.%m}",
        f"{day:%Y}년 {day.month}월",
    ):
        assert period_of(text, year) == month, text
    assert str(period_of(f"{(day.month + 2) // 3}Q", year)) == f"{day.year} Q{(day.month + 2) // 3}"
    for text in (f"{day.day}일", f"{day.month}/{day.day}", f"{day:%m-%d}"):
        assert period_of(text, month) == Period(day, day), text
