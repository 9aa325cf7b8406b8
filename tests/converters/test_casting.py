from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.casting import cast_all, caster, decimal_of
from converters.model import Scalar
from converters.periods import Span

JANUARY = Span(dt.date(2026, 1, 1), dt.date(2026, 1, 31))
DAY = dt.date(2026, 1, 5)


@pytest.mark.parametrize(
    ("kind", "value", "cast"),
    [
        ("text", " 00033 ", "00033"),
        ("text", 33.0, "33"),
        ("text", 1.5, "1.5"),
        ("text", "-", "-"),
        ("text", "", None),
        ("text", dt.datetime(2026, 1, 5), "2026-01-05"),
        ("text", "가", "가"),
        ("integer", 2.0, 2),
        ("integer", "1,234", 1234),
        ("integer", "△12", -12),
        ("integer", "-", None),
        ("integer", 2.9999999999999996, 3),
        ("decimal", 0.1, Decimal("0.1")),
        ("decimal", "(1,234.50)", Decimal("-1234.50")),
        ("decimal", "1,234-", Decimal(-1234)),
        ("decimal", "₩1,234", Decimal(1234)),
        ("decimal", "12.3%", Decimal("0.123")),
        ("decimal", 1 / 3, Decimal("0.333333333")),
        ("decimal", "１２", Decimal(12)),
        ("number", "1.5e3", 1500.0),
        ("date", dt.datetime(2026, 1, 5, 13, 20), DAY),
        ("date", "2026-01-05", DAY),
        ("date", "26.1.5", DAY),
        ("date", 20260105, DAY),
        ("date", 20260105.0, DAY),
        ("date", "1/5", DAY),
        ("month", DAY, dt.date(2026, 1, 1)),
        ("month", "5월", dt.date(2026, 5, 1)),
        ("month", 5, dt.date(2026, 5, 1)),
        ("month", 202605, dt.date(2026, 5, 1)),
        ("bool", "Y", True),
        ("bool", "아니오", False),
        ("bool", "X", False),
        ("bool", "✓", True),
        ("bool", "☐", False),
        ("bool", 1, True),
        ("bool", True, True),
    ],
)
def test_a_value_becomes_its_kind(kind, value, cast):
    found = caster(kind, JANUARY)(value)
    assert (type(found), found) == (type(cast), cast)


@pytest.mark.parametrize(
    ("kind", "value", "allowed"),
    [
        ("integer", 1.5, "a whole number"),
        ("integer", True, "a number"),
        ("integer", 2**63, "at most 18 digits"),
        ("integer", "1,23", "a number"),
        ("integer", "없음", "a number"),
        ("decimal", "0.1234567891", "at most 9 decimals"),
        ("decimal", 10**29, "at most 29 digits"),
        ("decimal", "--5", "a number"),
        ("decimal", "(5", "a number"),
        ("decimal", DAY, "a number"),
        ("number", 2**53 + 1, "holds exactly"),
        ("number", float("nan"), "finite"),
        ("number", "1e999", "a float can hold"),
        ("date", 46027, "a date"),
        ("date", "2026-02-30", "a date"),
        ("date", True, "a date"),
        ("month", "전월", "a month"),
        ("bool", "maybe", "yes or no"),
    ],
)
def test_what_is_not_of_the_kind_is_refused(kind, value, allowed):
    with pytest.raises(ValueError, match=allowed):
        caster(kind, JANUARY)(value)


def test_scaling_is_exact_where_a_float_would_not_be():
    assert caster("integer", by=Fraction(1000))(1.133) == 1133
    assert caster("decimal", by=Fraction(1, 60))(90) == Decimal("1.5")
    assert caster("integer", by=Fraction(1000))("△1,234.567") == -1234567
    with pytest.raises(ValueError, match="a whole number"):
        caster("integer", by=Fraction(1, 1000))(1)


@given(
    st.integers(-(10**14), 10**14), st.integers(0, 4), st.sampled_from(["{:,}", "△{:,}", "({:,})", "{:,}-", "-{:,}"])
)
def test_a_number_is_the_same_however_it_is_written(digits, places, form):
    number = Decimal(abs(digits)).scaleb(-places)
    assert decimal_of(form.format(number)) == (number if form == "{:,}" else -number)


@given(st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.times()))
def test_a_value_is_cast_or_refused_with_what_is_allowed(values: list[Scalar]):
    for kind in ("text", "integer", "number", "decimal", "date", "month", "bool"):
        done, wrong = cast_all(values, caster(kind, JANUARY))
        assert len(done) == len(values)
        assert all(done[position] is None and allowed for position, allowed in wrong.items())
