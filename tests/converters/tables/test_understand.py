"""What holds for any grid whatever: nothing breaks, nothing is invented, nothing is told twice."""

from __future__ import annotations

import datetime as dt

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters.grid import Grid
from converters.model import Range, Scalar
from converters.tables.understand import tables_of

WORDS = [
    "지점",
    "합계",
    "소계",
    "1월",
    "(단위: 천원)",
    "매출액",
    "-",
    "00123",
    "△5",
    "12.3%",
    "2026-01-05",
    "결재",
    "※ 주",
    "  들여쓴",
    "No.",
]
CELLS = st.one_of(
    st.none(),
    st.sampled_from(WORDS),
    st.integers(-999, 2100),
    st.floats(0, 1),
    st.just(dt.date(2026, 1, 5)),
    st.booleans(),
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=7), min_size=1, max_size=12)
MERGES = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 6), st.integers(0, 3), st.integers(0, 3)), max_size=4)


def grid_of(rows: list[list[Scalar]], merges: list[tuple[int, int, int, int]], *, textual: bool) -> Grid:
    if textual:
        rows = [[None if v is None else str(v) for v in row] for row in rows]
    kept = {i: row for i, row in enumerate(rows) if any(v is not None for v in row)}
    return Grid("s", kept, [Range(t, le, t + h, le + w) for t, le, h, w in merges if h or w], textual=textual)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(ROWS, MERGES, st.booleans())
def test_any_grid_is_understood_without_breaking(
    rows: list[list[Scalar]], merges: list[tuple[int, int, int, int]], textual: bool
) -> None:
    grid = grid_of(rows, merges, textual=textual)
    tables = tables_of(grid)
    facts = [fact for table in tables for fact in table.facts()]
    places = [fact.cell for fact in facts]
    assert len(places) == len(set(places))
    for table in tables:
        assert len(table.row_subtotal) == len(table.rows)
        assert table.rows == sorted(set(table.rows))
        for column in table.columns:
            assert len(column.values) == len(table.rows)


def test_a_hundred_thousand_rows_keep_their_last_cell() -> None:
    rows: dict[int, list[Scalar]] = {0: ["코드", "금액"]}
    rows.update({n: [f"{n:06}", n] for n in range(1, 100_001)})
    [table] = tables_of(Grid("s", rows))
    assert (table.columns[0].values[-1], table.columns[1].values[-1]) == ("100000", 100_000)
    assert [c.type for c in table.columns] == ["text", "number"]


def test_a_name_below_the_sign_off_box_is_no_title() -> None:
    rows: dict[int, list[Scalar]] = {
        0: ["2026년 1월 매출일보"],
        1: [None, None, "담당", "팀장"],
        2: [None, None, "김민지", None],
        4: ["지점", "현금", "카드"],
        5: ["강남", 1, 2],
    }
    [table] = tables_of(Grid("s", rows))
    assert table.title == "2026년 1월 매출일보"
    assert "김민지" in table.notes


def test_a_title_of_one_table_is_not_that_of_the_next() -> None:
    rows: dict[int, list[Scalar]] = {
        0: ["■ 매출 현황"],
        1: ["지점", "금액"],
        2: ["강남", 1],
        4: ["□ 인원"],
        5: ["부서", "인원(명)"],
        6: ["영업", 3],
    }
    assert [t.title for t in tables_of(Grid("s", rows))] == ["매출 현황", "인원"]
