"""Units: what states one, and for which columns it holds."""

from __future__ import annotations

import pytest

from converters.tables.measures import unit_from_notes
from converters.tables.numberformats import show_date, show_number, shown
from converters.tables.units import is_unit_note, kind_of_unit, unit_in_brackets, units_in_note
from converters.tables.words import measure


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("(단위: 천원)", ["천원"]), ("단위 : 백만원", ["백만원"]), ("[단위:원]", ["원"]),
        ("(단위: 천원, %)", ["천원", "%"]),
        ("(단위: 명/백만원)", ["명", "백만원"]), ("단위: 원/kg", ["원/kg"]), ("（単位：百万円）", ["百万円"]),
        ("(Unit: EA)", ["EA"]),
        ("(in thousands of USD)", ["thousands of USD"]), ("매출 현황 (단위: 억원)", ["억원"]), ("(천원)", ["천원"]),
        ("매출 보고", []), ("단위별 현황", []), ("(수정)", []), ("조회일자: 2026-01-31", []),
    ],
)  # fmt: skip
def test_notes(text: str, units: list[str]) -> None:
    assert units_in_note(text) == units


@pytest.mark.parametrize(
    ("text", "unit"),
    [("금액(원)", "원"), ("매출액[백만원]", "백만원"), ("생산량 (EA)", "EA"), ("매출(계획)", None),
    ("달성률(%)", "%"), ("금액", None), ("단가(원/kg)", "원/kg")]
)  # fmt: skip
def test_brackets(text: str, unit: str | None) -> None:
    assert unit_in_brackets(text) == unit


def test_a_title_with_a_unit_is_no_mere_note() -> None:
    assert is_unit_note("(단위: 천원)")
    assert not is_unit_note("1월 매출 현황 (단위: 천원)")


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("수량", "count"), ("금액", "money"), ("재고금액", "money"), ("매출건수", "count"), ("달성률", "rate"),
        ("증감률(%)", "rate"),
        ("환율", None), ("단가", "money"), ("방문객수", "count"), ("점수", None), ("No.", "id"), ("연도", "id"),
        ("前年比", "rate"),
        ("売上高", "money"), ("Headcount", "count"), ("Growth rate", "rate"), ("1월", None),
    ],
)  # fmt: skip
def test_measures(header: str, kind: str | None) -> None:
    assert measure(header) == kind


def test_a_money_unit_does_not_hold_for_counts_and_rates() -> None:
    assert unit_from_notes("count", ["천원"]) is None
    assert unit_from_notes("rate", ["천원"]) is None
    assert unit_from_notes(None, ["천원"]) == unit_from_notes("money", ["명", "천원"]) == "천원"
    assert unit_from_notes("count", ["천원", "명"]) == "명"
    assert kind_of_unit("원/kg") == "money"


def test_number_formats_say_what_a_reader_sees() -> None:
    assert show_number(5, '0"월"') == "5월"
    assert show_number(0.123, "0.0%") == "12.3%"
    assert show_number(7, "000") == "007"
    assert shown('#,##0"원";[Red]-#,##0"원"').suffix == "원"
    assert shown("[$₩-412]#,##0").prefix == "₩"
    assert shown("0.0%").percent
    import datetime as dt

    assert show_date(dt.date(2026, 5, 1), 'm"월"') == "5월"
    assert show_date(dt.date(2026, 5, 1), "yyyy-mm-dd") == "2026-05-01"
    assert show_date(dt.date(2026, 5, 1), "mm/dd") == "05/01"
