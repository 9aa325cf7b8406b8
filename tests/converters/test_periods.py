from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.periods import Span, dates_in, day_of, month_of

DAY = Span(dt.date(2026, 1, 5), dt.date(2026, 1, 5))
JANUARY = Span(dt.date(2026, 1, 1), dt.date(2026, 1, 31))
FISCAL = Span(dt.date(2026, 4, 1), dt.date(2027, 3, 31))


@pytest.mark.parametrize(
    ("text", "start", "end", "grain"),
    [
        ("2026-01-05", "2026-01-05", "2026-01-05", "day"),
        ("26.1.5", "2026-01-05", "2026-01-05", "day"),
        ("20260105", "2026-01-05", "2026-01-05", "day"),
        ("매출일보 (2026. 1. 5. 현재)", "2026-01-05", "2026-01-05", "day"),
        ("2026년 1월 5일(월)", "2026-01-05", "2026-01-05", "day"),
        ("５ Jan ２０２６", "2026-01-05", "2026-01-05", "day"),
        ("January 5, 2026", "2026-01-05", "2026-01-05", "day"),
        ("2026년 1월 매출일보", "2026-01-01", "2026-01-31", "month"),
        ("2026년도 (1월)", "2026-01-01", "2026-01-31", "month"),
        ("2026 1월", "2026-01-01", "2026-01-31", "month"),
        ("2026.01", "2026-01-01", "2026-01-31", "month"),
        ("'26.1", "2026-01-01", "2026-01-31", "month"),
        ("매출_202601", "2026-01-01", "2026-01-31", "month"),
        ("2026년 2월", "2026-02-01", "2026-02-28", "month"),
        ("2026年1月", "2026-01-01", "2026-01-31", "month"),
        ("2026년 1분기", "2026-01-01", "2026-03-31", "quarter"),
        ("2026년 4/4분기", "2026-10-01", "2026-12-31", "quarter"),
        ("매출_2026년 4-4분기", "2026-10-01", "2026-12-31", "quarter"),
        ("令和8年1月", "2026-01-01", "2026-01-31", "month"),
        ("R8.1.5", "2026-01-05", "2026-01-05", "day"),
        ("平成30年度", "2018-01-01", "2018-12-31", "year"),
        ("1Q26 실적", "2026-01-01", "2026-03-31", "quarter"),
        ("2026년 1~3월", "2026-01-01", "2026-03-31", "quarter"),
        ("2026년 하반기", "2026-07-01", "2026-12-31", "half"),
        ("2026년 사업계획", "2026-01-01", "2026-12-31", "year"),
        ("FY2026", "2026-01-01", "2026-12-31", "year"),
        ("2026.01.01~2026.01.15", "2026-01-01", "2026-01-15", "range"),
        ("2026.01.01~15", "2026-01-01", "2026-01-15", "range"),
        ("2026-01-01 ~ 02-15", "2026-01-01", "2026-02-15", "range"),
        ("2026-01-05 00:00 ~ 2026-01-06 23:59", "2026-01-05", "2026-01-06", "range"),
        ("2026년 1월 5일부터 1월 7일까지", "2026-01-05", "2026-01-07", "range"),
        ("2026년 12월 29일 ~ 1월 4일", "2026-12-29", "2027-01-04", "range"),
        ("2026-01~2026-05", "2026-01-01", "2026-05-31", "range"),
    ],
)
def test_a_text_says_its_period(text, start, end, grain):
    (span,) = dates_in(text)
    assert (str(span.start), str(span.end), span.grain) == (start, end, grain)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "매출일보",
        "총 2026건",
        "2026.13.01",
        "02-1234-5678",
        "1,202.05",
        "10.5",
        "123456-1234567",
        "1월",
        "1분기",
        "0026",
    ],
)
def test_a_text_without_a_year_says_no_period(text):
    assert dates_in(text) == []


def test_the_dates_of_a_text_are_in_its_order():
    found = dates_in("기준일 2026-01-31, 작성일 2026년 2월 3일 (전월: 2025.12)")
    assert [str(span.start) for span in found] == ["2026-01-31", "2026-02-03", "2025-12-01"]


@given(st.dates(dt.date(2000, 1, 1), dt.date(2069, 12, 31)))
def test_every_day_is_read_in_every_form(day):
    span = Span(day, day)
    forms = ("%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%Y%m%d", "%y.%m.%d", "%Y년 %m월 %d일", "%y년 %m월 %d일", "'%y.%m.%d")
    for form in forms:
        assert dates_in(f"기준: {day.strftime(form)} 현재") == [span], form
        assert day_of(day.strftime(form)) == day, form
        assert month_of(day.strftime(form)) == day.replace(day=1), form


@given(st.text())
def test_no_text_breaks_the_reading(text):
    for span in dates_in(text):
        assert span.start <= span.end
    day_of(text, JANUARY)
    month_of(text, JANUARY)


@pytest.mark.parametrize(
    ("text", "near", "day"),
    [
        ("1/5", DAY, "2026-01-05"),
        ("1월 5일", DAY, "2026-01-05"),
        ("3/31", FISCAL, "2027-03-31"),
        ("31일", JANUARY, "2026-01-31"),
        ("5", JANUARY, "2026-01-05"),
        ("2026. 1. 5.(월)", None, "2026-01-05"),
        ("2026-01-05T13:20:11Z", None, "2026-01-05"),
        ("2026-01-05 오후 1:20", None, "2026-01-05"),
        ("2026년 1월 5일 월요일", None, "2026-01-05"),
    ],
)
def test_a_cell_says_its_day(text, near, day):
    assert str(day_of(text, near)) == day


@pytest.mark.parametrize(
    ("text", "near"),
    [("납기 2026-01-05", None), ("2026-01", None), ("1/5", None), ("5일", FISCAL), ("2/30", JANUARY), ("46027", None),
     ("2026-01-05 2026-01-06", None), ("01/05/2026", None)],
)  # fmt: skip
def test_what_is_no_single_day_is_none(text, near):
    assert day_of(text, near) is None


@pytest.mark.parametrize(
    ("text", "near", "month"),
    [
        ("5월", DAY, "2026-05-01"),
        ("5월(계획)", DAY, "2026-05-01"),
        ("May", DAY, "2026-05-01"),
        ("5", DAY, "2026-05-01"),
        ("12월", FISCAL, "2026-12-01"),
        ("1월", FISCAL, "2027-01-01"),
        ("2025년 12월", DAY, "2025-12-01"),
        ("26.5", None, "2026-05-01"),
        ("202605", None, "2026-05-01"),
    ],
)
def test_a_header_says_its_month(text, near, month):
    assert str(month_of(text, near)) == month


@pytest.mark.parametrize("text", ["전월", "13월", "1분기", "2026년", "합계", "1월~3월"])
def test_what_is_no_single_month_is_none(text):
    assert month_of(text, DAY) is None


def test_a_month_that_a_long_period_has_twice_is_none():
    assert month_of("5월", Span(dt.date(2025, 1, 1), dt.date(2026, 12, 31))) is None


@pytest.mark.parametrize("text", ["2026" + " " * 60_000, "2026년" + "( " * 30_000, "26.1." * 13_000, "2026" * 16_000])
def test_a_hostile_text_is_read_in_time_that_grows_with_its_length(text):
    started = time.process_time()
    dates_in(text)
    day_of(text, JANUARY)
    month_of(text, JANUARY)
    assert time.process_time() - started < 2
