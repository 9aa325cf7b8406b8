"""The words that tables are recognised by."""

from __future__ import annotations

import pytest

from converters.tables.words import (
    is_key_value,
    is_note,
    is_sign_off,
    is_total,
    may_be_total,
    totals_among,
    undecorated,
)


def test_beside_totals_of_months_a_running_total_is_one_too() -> None:
    assert totals_among({"[ 월 계 ]", "[ 누 계 ]", "매출"}) == {"[ 월 계 ]", "[ 누 계 ]"}
    assert totals_among({"합계", "누계"}) == {"합계"}


@pytest.mark.parametrize(
    "text",
    ["소계", "합계", "합 계", "[합계]", "** 합계 **", "총계", "계", "수도권 소계", "영업부합계", "합계(A+B)",
    "일계", "Total", "Sub-total",
     "Grand Total", "Total revenue", "North Total", "小計", "合計", "総計", "관동 計"],
)  # fmt: skip
def test_totals(text: str) -> None:
    assert is_total(text)


@pytest.mark.parametrize(
    "text",
    [
        "시계",
        "회계",
        "통계",
        "설계팀",
        "누계",
        "계획",
        "계약직",
        "합계표 작성 요령",
        "Totally new",
        "totalizer",
        "時計",
        "",
    ],
)
def test_what_is_no_total(text: str) -> None:
    assert not is_total(text)


def test_words_that_only_arithmetic_can_decide() -> None:
    assert all(map(may_be_total, ["누계", "1분기", "Q1", "상반기", "연간", "합계금액", "전체"]))
    assert not may_be_total("강남점")


@pytest.mark.parametrize(
    "text",
    [
        "※ 부가세 별도",
        "* 잠정치",
        "주) 파견 제외",
        "총 30건",
        "총 3건 조회되었습니다.",
        "- 1 -",
        "Page 1 of 3",
        "출력일시: 2026-01-05",
        "(30 rows)",
    ],
)
def test_notes(text: str) -> None:
    assert is_note(text)


@pytest.mark.parametrize("text", ["주문", "주차", "총무팀", "강남점", "-12.5", "Note 20 Ultra", "출고"])
def test_what_is_no_note(text: str) -> None:
    assert not is_note(text)


def test_pairs_sign_off_words_and_decoration() -> None:
    assert is_key_value("조회일자: 2026-01-31")
    assert not is_key_value("10:30")
    assert not is_key_value("분기별 수주 (단위: 억원)")
    assert is_sign_off("팀 장")
    assert undecorated("■ 수도권") == undecorated("[수도권]") == undecorated("수도권") == "수도권"
