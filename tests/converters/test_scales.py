from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest

from converters.scales import _MEASURES, _MONEY, _THINGS, factor, unit


@pytest.mark.parametrize(
    ("written", "wanted", "by"),
    [
        ("원", "원", 1),
        ("천원", "원", 1000),
        ("백만원", "천원", 1000),
        ("(단위: 백만원)", "원", 10**6),
        ("억원", "원", 10**8),
        ("억", "백만원", 100),
        ("만 원", "원", 10**4),
        ("KRW", "원", 1),
        ("원", "천원", Fraction(1, 1000)),
        ("천달러", "USD", 1000),
        ("USD'000", "달러", 1000),
        ("in thousands of USD", "USD", 1000),
        ("KRW million", "원", 10**6),
        ("百万円", "円", 10**6),
        ("kg", "t", Fraction(1, 1000)),
        ("㎏", "g", 1000),
        ("천톤", "kg", 10**6),
        ("m³", "L", 1000),
        ("시간", "분", 60),
        ("분", "시간", Fraction(1, 60)),
        ("EA", "개", 1),
        ("Pcs", "ea", 1),
        ("천명", "명", 1000),
        ("％", "비율", Fraction(1, 100)),
        ("천원/톤", "원/kg", 1),
        ("깡통", "깡통", 1),
    ],
)
def test_one_unit_is_so_many_of_another(written, wanted, by):
    assert factor(written, wanted) == by


@pytest.mark.parametrize(
    ("written", "wanted"), [("kg", "원"), ("명", "EA"), ("달러", "원"), ("원/kg", "원"), ("%p", "%")]
)
def test_units_of_different_kinds_are_never_joined(written, wanted):
    with pytest.raises(ValueError, match="they measure") as error:
        factor(written, wanted)
    assert f"'{written}'" in str(error.value)
    assert f"'{wanted}'" in str(error.value)


@pytest.mark.parametrize("text", ["천", "깡통", "", "/", "원/", "천천원", "million"])
def test_an_unknown_unit_is_refused_and_named(text):
    assert unit(text) is None
    with pytest.raises(ValueError, match="is no known unit"):
        factor(text, "원")


def test_no_word_has_two_meanings():
    words = [set(words.split()) for words in (_MONEY | _THINGS).values()] + [set(sizes) for sizes in _MEASURES.values()]
    for one, other in combinations(words, 2):
        assert not one & other
