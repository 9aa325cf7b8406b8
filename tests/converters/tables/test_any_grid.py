"""Promises that hold for any grid, however messy: nothing is told twice, no figure is lost without a word."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from converters.grid import Grid
from converters.model import Range, Scalar, address
from converters.tables.timeline import set_periods
from converters.tables.understand import Understood, understand

WORDS = """
지점 매출 금액 수량 합계 소계 강남 송파 1월 2월 2025
2026년_1월_매출_현황 (단위:_천원) 비고 No. ※_부가세_별도 결재 담당 작성일: 2026-01-31
△5 1,200 - 12% 00123 Total -_1_- 거래처 한빛상사 Q1
"""
TEXTS = [word.replace("_", " ") for word in WORDS.split()]
CELLS: st.SearchStrategy[Scalar] = st.one_of(
    st.none(),
    st.none(),
    st.sampled_from(TEXTS),
    st.integers(-9, 9),
    st.sampled_from([1000, 2025, 2026, 0.5, 12345678901, dt.date(2026, 1, 1), dt.date(2026, 2, 1), True]),
)
BESIDE = {"title", "note", "unit_note", "footnote", "sign_off", "page_number", "form", "header", "section"}
"""What cells may be that give no fact."""

ROWS = st.lists(st.lists(CELLS, min_size=0, max_size=6), min_size=1, max_size=9)
MERGES = st.lists(st.tuples(*[st.integers(0, 5)] * 2, st.integers(0, 2), st.integers(0, 3)), max_size=2)


def grid_of(rows: list[list[Scalar]], merges: list[tuple[int, int, int, int]], textual: bool) -> Grid:
    """A grid of rows, with merged ranges (top, left, rows and columns beyond the first) that do not overlap."""
    kept = {i: list(row) for i, row in enumerate(rows) if any(value is not None for value in row)}
    taken: set[tuple[int, int]] = set()
    ranges: list[Range] = []
    for top, left, down, across in merges:
        cells = {(r, c) for r in range(top, top + down + 1) for c in range(left, left + across + 1)}
        if len(cells) > 1 and not cells & taken:
            taken |= cells
            ranges.append(Range(top, left, top + down, left + across))
    return Grid("s", kept, ranges, textual=textual)


def told(found: Understood) -> list[tuple[int, int]]:
    """The cells of the headers and bodies of all tables."""
    cells = []
    for table in found.tables:
        headers = [d.region for d in table.decisions if d.kind == "header"]
        rows = {*table.rows, *(row for r in headers for row in range(r.top, r.bottom + 1))}
        cells += [(row, c.index) for row in rows for c in table.columns if not c.derived]
    return cells


@settings(max_examples=200, deadline=None)
@given(ROWS, MERGES, st.booleans())
def test_no_cell_belongs_to_two_tables(
    rows: list[list[Scalar]], merges: list[tuple[int, int, int, int]], textual: bool
) -> None:
    cells = told(understand(grid_of(rows, merges, textual)))
    assert [cell for cell, count in Counter(cells).items() if count > 1] == []


@settings(max_examples=200, deadline=None)
@given(ROWS, MERGES, st.booleans())
def test_every_number_is_a_fact_or_named_in_a_decision(
    rows: list[list[Scalar]], merges: list[tuple[int, int, int, int]], textual: bool
) -> None:
    grid = grid_of(rows, merges, textual)
    found = understand(grid)
    for table in found.tables:
        set_periods(table, "a.xlsx")
    facts = {fact.cell for table in found.tables for fact in table.facts()}
    decisions = [*found.decisions, *(d for table in found.tables for d in table.decisions)]
    regions = [d.region for d in decisions if d.kind in BESIDE]
    for row, values in grid.rows.items():
        for column, value in enumerate(values):
            if type(value) not in (int, float) or address(row, column) in facts:
                continue
            assert any(r.top <= row <= r.bottom and r.left <= column <= r.right for r in regions), (row, column)
