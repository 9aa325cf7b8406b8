from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import html

from converters import Options, convert
from converters.explain import page, painted
from converters.model import KINDS, Conversion
from converters.sandbox import convert_safely

REPORT = [
    ["지점별 매출"],
    [None, None, "(단위: 천원)"],
    [],
    ["지역", "지점", "금액"],
    ["서울", "강남", 10],
    [None, "서초", 20],
    [None, "소계", 30],
    [],
    ["※ 부가세 별도"],
]


@pytest.fixture
def explained(workbook: Callable[..., Path]) -> Conversion:
    return convert(workbook(REPORT), options=Options(explain=True))


def test_every_cell_that_shows_something_is_said_to_be_something(explained: Conversion) -> None:
    [view] = explained.views
    kinds = painted(view)
    shown = [(row, column) for row, texts in view.texts.items() for column, text in enumerate(texts) if text]
    assert all(place in kinds for place in shown)
    found = {kinds[place] for place in shown}
    assert found >= {"title", "unit_note", "header", "label", "total_row", "body", "footnote"}


def test_each_decision_is_of_a_known_kind_with_evidence(explained: Conversion) -> None:
    for view in explained.views:
        assert view.decisions
        for decision in view.decisions:
            assert decision.kind in KINDS
            assert 0 <= decision.confidence <= 1
            assert decision.because
            assert decision.region.top <= decision.region.bottom and decision.region.left <= decision.region.right


def test_views_are_made_only_where_they_are_asked_for(workbook: Callable[..., Path]) -> None:
    assert convert(workbook(REPORT)).views == []


def test_the_sandbox_hands_over_the_same_views(explained: Conversion, workbook: Callable[..., Path]) -> None:
    assert convert_safely(workbook(REPORT), options=Options(explain=True)).views == explained.views


def test_the_page_shows_each_cell_with_what_was_read_in_it(explained: Conversion) -> None:
    root = html.document_fromstring(page(explained))
    [cell] = root.xpath('//td[@data-at="5,2"]')
    assert cell.text == "20"
    assert cell.get("title") == "금액 · 서울 ▸ 서초 = 20 천원 (value, number)"
    assert len(root.xpath("//li[@data-region]")) == len(explained.views[0].decisions)


def test_hostile_texts_stay_texts_on_the_page(workbook: Callable[..., Path]) -> None:
    evil = "<script>alert(1)</script>\"'&"
    text = page(convert(workbook([[evil, "$name"], ["a", 1]]), name=f"{evil}.xlsx", options=Options(explain=True)))
    assert "<script>alert" not in text
    assert len(re.findall(r"<script\b", text)) == 1
    assert "$name" in html.document_fromstring(text).text_content()


def test_a_large_sheet_is_shown_by_its_first_rows(workbook: Callable[..., Path]) -> None:
    conversion = convert(workbook([["a", "b"], *([i, i] for i in range(3000))]), options=Options(explain=True))
    assert len(conversion.views[0].texts) == 2000
    assert conversion.views[0].rows == 3001
    assert "1,001 more rows" in page(conversion)
