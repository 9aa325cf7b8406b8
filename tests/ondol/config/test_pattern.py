from __future__ import annotations

import datetime as dt
import unicodedata

import pytest

from ondol.config.pattern import compile_name, match_name


@pytest.mark.parametrize(
    ("glob", "name", "start", "end", "part"),
    [
        ("매출일보_{yyyymmdd}*.xlsx", "매출일보_20260105_수정.XLSX", (2026, 1, 5), (2026, 1, 5), ""),
        ("재고_{yyyy-mm-dd}.csv", "재고_2026.01.31.csv", (2026, 1, 31), (2026, 1, 31), ""),
        ("pos_{yymmdd}_{part}.csv", "pos_260105_00012.csv", (2026, 1, 5), (2026, 1, 5), "00012"),
        ("계획_{yyyymm}.xlsx", "계획_202602.xlsx", (2026, 2, 1), (2026, 2, 28), ""),
        ("{yyyy}년 {m}월 실적*.xls", "2026년 2월 실적(최종).xls", (2026, 2, 1), (2026, 2, 28), ""),
        ("예산{yyyy}.xlsx", "예산2026.xlsx", (2026, 1, 1), (2026, 12, 31), ""),
    ],
)
def test_placeholders_give_the_period_and_the_part(
    glob: str, name: str, start: tuple[int, int, int], end: tuple[int, int, int], part: str
) -> None:
    found = match_name(glob, unicodedata.normalize("NFD", name))
    assert found
    assert (found.start, found.end, found.part) == (dt.date(*start), dt.date(*end), part)


def test_digits_that_are_no_date_do_not_match() -> None:
    assert match_name("a_{yyyymmdd}.csv", "a_20261301.csv") is None


def test_characters_of_regular_expressions_are_themselves() -> None:
    assert match_name("a(1)+.csv", "a(1)+.csv")
    assert match_name("a(1)+.csv", "a11.csv") is None


@pytest.mark.parametrize("glob", ["{yyyyy}.csv", "{yyyy}{yyyymm}.csv"])
def test_a_wrong_placeholder_is_named(glob: str) -> None:
    with pytest.raises(ValueError, match=r"no placeholder|already"):
        compile_name(glob)
