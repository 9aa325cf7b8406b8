"""What one text or number says as a date."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.tables.dates import date_in, loose_date_in, serial_date, slashed_dates

DAY = dt.date(2026, 1, 5)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05", "2026.01.05", "2026. 1. 5.", "2026/1/5", "05.01.2026", "2026년 1월 5일", "26년 1월 5일(월)",
        "2026年1月5日",
        "5-Jan-2026", "5-Jan-26", "Jan 5, 2026", "January 5th, 2026", "Mon, Jan 5, 2026", "5 January 2026",
        "2026-01-05(월)", "2026-01-05 월요일", "2026年1月5日(月)", "2026年1月5日 月曜日", "令和8年1月5日", "R8.1.5",
    ],
)  # fmt: skip
def test_dates(text: str) -> None:
    assert date_in(text) == DAY


@pytest.mark.parametrize("text", ["20260105", "26.01.05", "'26.1.5", "260105", "26/1/5"])
def test_dates_that_need_a_column_of_dates_around_them(text: str) -> None:
    assert date_in(text) is None
    assert loose_date_in(text) == DAY


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-05 13:20", dt.time(13, 20)), ("2026-01-05 오후 1:20", dt.time(13, 20)),
        ("2026-01-05 오전 9:30:15", dt.time(9, 30, 15)), ("2026/01/05 12:05 AM", dt.time(0, 5)),
        ("2026. 1. 5 13시 20분", dt.time(13, 20)), ("2026-01-05T13:20:11.25", dt.time(13, 20, 11, 250_000)),
        ("20260105132011", dt.time(13, 20, 11)), ("202601051320", dt.time(13, 20)),
    ],
)  # fmt: skip
def test_times_of_day(text: str, time: dt.time) -> None:
    assert loose_date_in(text) == dt.datetime.combine(DAY, time)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30", "2026-01-05 25:00", "2026-01-05 13:20 PM", "1/5", "01-15", "2026-01", "2026년 1월",
        "123-45-67890", "010-1234-5678", "20260115-001", "101-1203",
        "2-3", "", "12 abc 2026", "H2-3", "2026-01-05 ~ 2026-01-06",
    ],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    assert loose_date_in(text) is None


def test_slashed_dates_are_read_only_where_proved() -> None:
    read = slashed_dates(["31/01/2026", "02/01/2026"])
    assert read is not None
    assert read("02/01/2026") == dt.date(2026, 1, 2)
    read = slashed_dates(["1/15/26 3:05 PM", "1/2/26 9:00 AM"])
    assert read is not None
    assert read("1/2/26 9:00 AM") == dt.datetime(2026, 1, 2, 9)
    read = slashed_dates(["02.01.2026"])
    assert read is not None
    assert read("02.01.2026") == dt.date(2026, 1, 2)
    assert slashed_dates(["01/02/2026", "03/04/2026"]) is None
    assert slashed_dates([]) is None


def test_day_numbers_of_spreadsheet_programs() -> None:
    assert serial_date(46027) == DAY
    assert serial_date(46027.5) == dt.datetime(2026, 1, 5, 12)
    assert serial_date(20260105) is serial_date(31) is None


FORMS = (
    "%Y-%m-%d", "%Y.%m.%d.", "%Y/%m/%d", "%Y년 %m월 %d일", "%y년 %m월 %d일", "%Y年%m月%d日", "%d-%b-%Y", "%d-%b-%y",
    "%b %d, %Y", "%B %d, %Y", "%a, %b %d, %Y",
)  # fmt: skip
LOOSE = ("%Y%m%d", "%y.%m.%d", "'%y.%m.%d", "%y%m%d", "%y/%m/%d")


@given(st.dates(dt.date(2019, 5, 1), dt.date(2069, 12, 31)))
def test_a_date_reads_back_whatever_the_form_it_is_printed_in(day: dt.date) -> None:
    for form in FORMS:
        assert date_in(day.strftime(form)) == day, form
    for form in LOOSE:
        assert loose_date_in(day.strftime(form)) == day, form
    for form in ("令和{}年{}月{}日", "R{}.{}.{}", "R{:02}/{:02}/{:02}"):
        assert date_in(form.format(day.year - 2018, day.month, day.day)) == day, form


@given(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2049, 12, 31)))
def test_a_time_reads_back_in_any_form(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=0)
    for form in ("%Y-%m-%d %H:%M:%S", "%Y.%m.%d %I:%M:%S %p", "%Y%m%d%H%M%S", "%Y년 %m월 %d일 %H시 %M분 %S초"):
        assert loose_date_in(moment.strftime(form)) == moment, form


@given(st.text(max_size=50))
def test_no_text_breaks_a_reader(text: str) -> None:
    loose_date_in(text)
    slashed_dates([text])
