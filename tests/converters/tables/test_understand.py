"""What holds for any grid whatever: nothing breaks, nothing is invented, nothing is told twice."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters.grid import PLAIN, Grid, Look
from converters.model import Range, Scalar
from converters.tables.understand import tables_of, understand

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


def test_a_key_and_its_value_are_one_note() -> None:
    rows: dict[int, list[Scalar]] = {
        0: ["거래처", "다라유통", "조회기간", "2026-01-01", "~", "2026-01-31"],
        1: ["작성자", "김철수", "작성일:", "2026-02-01"],
        3: ["품명", "규격", "수량", "단가", "공급가액", "세액"],
        4: ["볼트", "M8", 100, 10, 1000, 100],
        5: ["- 이하여백 -"],
        6: ["(VAT 별도)"],
    }
    [table] = tables_of(Grid("s", rows))
    keys = ("거래처: 다라유통", "조회기간: 2026-01-01 ~ 2026-01-31", "작성자: 김철수", "작성일: 2026-02-01")
    assert table.notes == (*keys, "- 이하여백 -", "(VAT 별도)")
    assert table.rows == [4]


@pytest.mark.parametrize(
    ("title", "beside"),
    [
        ("손 익 계 산 서", "주식회사 한마음"),
        ("2026년 1월분 급여대장", "[귀속:2026년01월] [지급:2026년01월25일]"),
        ("인원 현황 (2026.01.31 현재)", "(단위: 명)"),
    ],
)
def test_the_name_of_the_report_is_its_title(title: str, beside: str) -> None:
    rows: dict[int, list[Scalar]] = {0: [title], 1: [beside], 2: ["부서", "인원"], 3: ["영업", 3]}
    [table] = tables_of(Grid("s", rows))
    assert (table.title, table.notes) == (title, (beside,))


def test_every_page_with_its_banner_goes_on_with_the_same_table() -> None:
    rows: dict[int, list[Scalar]] = {}
    for page in range(3):
        rows[5 * page] = ["주문현황", None, None, f"페이지 {page + 1}/3"]
        rows[5 * page + 1] = ["주문번호", "고객", "수량", "금액"]
        rows[5 * page + 2] = [f"A{page}", "가", 1, 1000]
        rows[5 * page + 3] = [f"B{page}", "나", 2, 3000]
    rows[14] = ["총계", None, 9, 12000]
    [table] = tables_of(Grid("s", rows))
    assert (table.title, [c.path for c in table.columns][::3]) == ("주문현황", [("주문번호",), ("금액",)])
    assert table.sums == {14: (2, 3, 7, 8, 12, 13)}
    again = [d.region.top for d in table.decisions if d.says == "comes again"]
    assert sorted(again) == [5, 6, 10, 11]


def test_the_next_table_with_a_title_of_its_own_is_no_next_page() -> None:
    head: list[Scalar] = ["주문번호", "고객", "수량", "금액"]
    rows: dict[int, list[Scalar]] = {
        0: ["주문현황", None, None, "페이지 1/2"],
        1: head,
        2: ["A1", "가", 1, 1000],
        4: ["반품현황", None, None, "페이지 2/2"],
        5: head,
        6: ["B1", "나", 2, 3000],
    }
    assert [t.title for t in tables_of(Grid("s", rows))] == ["주문현황", "반품현황"]


@pytest.mark.parametrize(
    ("row", "columns"),
    [(["지점", "수량", "금액"], 3), (["id", "name", "qty"], 3), (["홍길동", "서울", "좋음"], 0), (["a", "b", "c"], 0)],
)
def test_a_row_of_texts_over_no_body_is_a_header_only_if_its_words_say_so(row: list[Scalar], columns: int) -> None:
    found = understand(Grid("s", {0: row}))
    assert [len(table.columns) for table in found.tables] == [columns] * bool(columns)
    assert [d.says for d in found.decisions] == ([] if columns else row)


def test_a_header_that_looks_like_one_needs_no_words() -> None:
    [table] = tables_of(Grid("s", {0: ["a", "b", "c"]}, styles={0: [0, 0, 0]}, looks=[Look(bold=True), PLAIN]))
    assert [c.path for c in table.columns] == [("a",), ("b",), ("c",)]


@pytest.mark.parametrize("says", ["조회 결과가 없습니다.", "데이터 없음", "No records found", "該当データはありません"])
def test_what_says_that_there_are_no_rows_is_none(says: str) -> None:
    [table] = tables_of(Grid("s", {0: ["지점", "수량", "금액"], 1: [says]}))
    assert (table.rows, table.notes) == ([], (says,))
