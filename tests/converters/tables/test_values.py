"""What one text says."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.tables.values import Number, date_in, kind_of_text, loose_date_in, number_in, slashed_dates


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4,662", 4662), ("-12.5", -12.5), ("0", 0), ("+5", 5), ("△1,234", -1234), ("▲ 1,234", -1234),
        ("(1,234)", -1234),
        ("1,234-", -1234), ("−7", -7), ("１，２３４", 1234), ("12.3%", 0.123), ("△10.0%", -0.1), ("(5%)", -0.05),
        ("1.2E+3", 1200.0), (".5", 0.5), ("₩1,200", 1200), ("-₩300", -300), ("$ 5", 5),
        ("1억 2,000만", 120_000_000),
    ],
)  # fmt: skip
def test_numbers(text: str, value: float) -> None:
    found = number_in(text)
    assert found is not None
    assert found.value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("12명", "명"), ("1,200원", "원"), ("3.5kg", "kg"), ("5 EA", "EA"), ("12억원", "억원"), ("1억 2,000만", "원")],
)
def test_units_behind_numbers(text: str, unit: str) -> None:
    assert number_in(text) == Number(number_in(text).value, unit)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    ["00123", "", "-", "1,23", "12-34", "010-1234-5678", "123-45-67890", "1234567890123456", "5호", "3층",
    "10대", "1월",
     "2026-01-01", "A1", "1/2", "(5", "5)", "--5", "1.2.3", "18L", "1 2"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert number_in(text) is None


@given(st.integers(-(10**14), 10**14))
def test_every_number_is_read_as_it_is_written(number: int) -> None:
    for text in (str(number), f"{number:,}"):
        assert number_in(text) == Number(number)


@given(st.text(max_size=40))
def test_no_text_breaks_a_reader(text: str) -> None:
    assert kind_of_text(text) in "ndtx "
    number_in(text)
    loose_date_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05",
        "2026.01.05",
        "2026. 1. 5.",
        "2026/1/5",
        "2026년 1월 5일",
        "2026年1月5日",
        "5-Jan-2026",
        "Jan 5, 2026",
        "2026-01-05(월)",
    ],
)
def test_dates(text: str) -> None:
    assert date_in(text) == dt.date(2026, 1, 5)


def test_times_and_nonsense() -> None:
    assert date_in("2026-01-05 13:20") == dt.datetime(2026, 1, 5, 13, 20)
    assert date_in("2026-02-30") is None
    assert date_in("2026-01-05 25:00") is None
    assert date_in("20260105") is None
    assert loose_date_in("20260105") == loose_date_in("26.01.05") == dt.date(2026, 1, 5)


def test_slashed_dates_are_read_only_where_proved() -> None:
    read = slashed_dates(["31/01/2026", "02/01/2026"])
    assert read is not None
    assert read("02/01/2026") == dt.date(2026, 1, 2)
    assert slashed_dates(["01/02/2026", "03/04/2026"]) is None
