"""Tables side by side without a gap are told from one table with many columns."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from converters.grid import Grid
from converters.model import Scalar
from converters.tables.understand import tables_of

PAIR = [["급여", 3], ["임차료", 4]]


def spans(*rows: Sequence[Scalar]) -> list[tuple[int, int]]:
    grid = Grid("s", {i: list(row) for i, row in enumerate(rows)})
    return [(table.region.left, table.region.right) for table in tables_of(grid)]


@pytest.mark.parametrize(
    "header",
    [["수입", "금액", "지출", "금액"], ["과목", "금액", "과목", "금액"], ["Assets", "Amount", "Liabilities", "Amount"]],
)
def test_a_header_that_comes_again_begins_a_table(header: list[str]) -> None:
    assert spans(header, ["이자", 1, "급여", 3], ["회비", 2, "임차료", 4]) == [(0, 1), (2, 3)]


def test_a_second_column_of_labels_with_a_total_of_its_own_begins_a_table() -> None:
    rows = [["지점", "매출", "부서", "인원"], ["강남", 1, "영업", 3], ["분당", 2, "생산", 4], ["합계", 3, "계", 7]]
    assert spans(*rows) == [(0, 1), (2, 3)]
    rows[-1][2] = None
    assert spans(*rows) == [(0, 3)]


def test_tables_of_other_lengths_are_two_if_both_are_named_by_their_labels() -> None:
    rows = [["강남", 1, "가전", 3], ["분당", 2, "가구", 4], ["부산", 3, None, None]]
    assert spans(["지점", "매출", "품목", "수량"], *rows) == [(0, 1), (2, 3)]
    assert spans(["지점", "매출", "평가", "점수"], *rows) == [(0, 3)]


def test_a_journal_with_a_date_before_both_sides_is_one_table() -> None:
    header = ["일자", "차변", "금액", "대변", "금액"]
    assert spans(header, ["01-02", "현금", 1, "매출", 1], ["01-03", "여비", 2, "현금", 2]) == [(0, 4)]


def test_measures_that_come_again_under_one_label_are_one_table() -> None:
    header = ["지점", "매출", "이익", "매출", "이익"]
    assert spans([None, "1월", None, "2월", None], header, ["강남", 1, 2, 3, 4], ["분당", 5, 6, 7, 8]) == [(0, 4)]
