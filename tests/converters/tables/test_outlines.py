"""Numbering makes an outline where it counts, and only there."""

from __future__ import annotations

import pytest

from converters.tables.outlines import by_number

OUTLINES = {
    "Ⅰ.|1.|2.|Ⅱ.|1.": ["Ⅰ. 매출", "1. 제품", "2. 상품", "Ⅱ. 원가", "1. 재료"],
    "1.|가.|나.|2.|가.": ["1. 본부", "가. 영업", "나. 생산", "2. 지사", "가. 영업"],
    "1.|1)|2)|2.|1)": ["1. 본부", "1) 영업", "2) 생산", "2. 지사", "1) 영업"],
    "가)|①|②|나)|①": ["가) 본부", "① 영업", "② 생산", "나) 지사", "① 영업"],
    "(1)|A.|B.|(2)|A.": ["(1) 본부", "A. 영업", "B. 생산", "(2) 지사", "A. 영업"],
    "1|1.1|1.2|2|2.1": ["1 본부", "1.1 영업", "1.2 생산", "2 지사", "2.1 영업"],
    "1.|x|y|2.|z": ["1. 본부", "영업", "생산", "2. 지사", "영업"],
    "x|1.|2.|y|1.": ["본부", "1. 영업", "2. 생산", "지사", "1. 영업"],
}


@pytest.mark.parametrize("labels", OUTLINES.values(), ids=OUTLINES)
def test_two_ways_of_numbering_are_two_levels(labels: list[str]) -> None:
    first, second = labels[0], labels[3]
    assert by_number(labels) == [(), (first,), (first,), (), (second,)]


def test_a_total_belongs_to_no_parent_and_a_subtotal_to_the_last() -> None:
    labels = ["1. 본부", "1) 영업", "2) 생산", "소계", "2. 지사", "1) 영업", "합계"]
    assert by_number(labels) == [(), *[("1. 본부",)] * 3, (), ("2. 지사",), ()]


def test_a_line_without_number_between_numbered_ones_belongs_to_none() -> None:
    labels = ["Ⅰ. 매출", "1. 제품", "2. 상품", "매출총이익", "Ⅱ. 판관비", "1. 급여"]
    assert by_number(labels) == [(), ("Ⅰ. 매출",), ("Ⅰ. 매출",), (), (), ("Ⅱ. 판관비",)]


@pytest.mark.parametrize(
    "labels",
    [
        ["1. 강남", "2. 분당", "3. 부산"],
        ["1. 강남", "2. 분당", "합계"],
        ["1. 강남", "3) 분당", "7) 부산"],
        ["1. 강남", "1) 분당", "1) 부산"],
        ["1.5 톤", "2.5 톤", "5 톤"],
        ["강남", "분당", "부산"],
        [None, None],
        [],
        ["IVX. 강남", "1. 분당"],
    ],
)
def test_numbers_that_do_not_count_make_no_outline(labels: list[str | None]) -> None:
    assert by_number(labels) is None
