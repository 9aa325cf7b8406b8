"""What totals sum up is proved, down to the details, and told in rows and columns of the grid."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.grid import Grid
from converters.model import Range, Scalar, Table
from converters.tables.sums import proof_of, row_sums
from converters.tables.understand import tables_of


def table_of(*rows: Sequence[Scalar], merges: Sequence[Range] = ()) -> Table:
    [table] = tables_of(Grid("s", {i: list(row) for i, row in enumerate(rows)}, list(merges)))
    return table


GROUPED = (
    ["지역", "지점", "수량", "금액"],
    ["수도권", "강남", 3, 30],
    ["수도권", "분당", 4, 41],
    ["수도권", "소계", 7, 71],
    ["영남권", "부산", 5, 55],
    ["영남권", "대구", 6, 66],
    ["영남권", "소계", 11, 121],
    ["합계", None, 18, 192],
)


def test_a_subtotal_sums_its_group_and_a_total_all_details() -> None:
    assert table_of(*GROUPED).sums == {3: (1, 2), 6: (4, 5), 7: (1, 2, 4, 5)}


def test_totals_may_stand_over_their_details() -> None:
    header, *rows = GROUPED
    over = [header, rows[6], rows[2], *rows[:2], rows[5], *rows[3:5]]
    assert table_of(*over).sums == {1: (3, 4, 6, 7), 2: (3, 4), 5: (6, 7)}


def test_a_total_of_totals_is_told_where_the_details_do_not_add_up() -> None:
    rows = [list(row) for row in GROUPED]
    rows[1][2:] = [99, 999]
    assert table_of(*rows).sums == {6: (4, 5), 7: (3, 6)}


def test_a_row_of_differences_sums_nothing() -> None:
    table = table_of(["과목", "당기", "전기"], ["매출", 100, 90], ["원가", 60, 50], ["매출총이익", 40, 40])
    assert (table.sums, any(table.row_subtotal)) == ({}, False)


def test_parents_in_an_outline_sum_their_children_by_arithmetic_alone() -> None:
    rows = [["1. 인건비", 30, 33], ["1) 급여", 20, 22], ["2) 상여", 10, 11], ["2. 경비", 7, 8], ["1) 여비", 7, 8]]
    table = table_of(["과목", "예산", "집행"], *rows)
    assert table.sums == {1: (2, 3), 4: (5,)}
    assert table.row_path(1) == ("1. 인건비", "1) 급여")


def test_a_total_that_is_off_is_one_by_its_word_and_sums_nothing() -> None:
    table = table_of(["지점", "매출"], ["강남", 3], ["분당", 4], ["합계", 8])
    assert (table.sums, table.row_subtotal) == ({}, [False, False, True])


def test_the_first_row_is_a_total_if_it_is_the_sum_of_all_others() -> None:
    regions = [["서울", 3, 9], ["부산", 4, 8], ["제주", 5, 7]]
    assert table_of(["지역", "남", "여"], ["전국", 12, 24], *regions).sums == {1: (2, 3, 4)}
    assert table_of(["지역", "남", "여"], ["전국", 12, 25], *regions).sums == {}


def test_columns_say_what_they_sum_within_their_group_and_over_groups() -> None:
    merges = [Range(0, 1, 0, 3), Range(0, 4, 0, 6), Range(0, 7, 0, 9)]
    header = ["지점", "1월", None, None, "2월", None, None, "합계", None, None]
    below = [None, "국내", "해외", "계", "국내", "해외", "계", "국내", "해외", "계"]
    body = [["강남", 1, 2, 3, 4, 5, 9, 5, 7, 12], ["분당", 10, 20, 30, 40, 50, 90, 50, 70, 120]]
    table = table_of(header, below, *body, merges=merges)
    sums = {column.index: column.sums for column in table.columns if column.subtotal}
    assert sums == {3: (1, 2), 6: (4, 5), 7: (1, 4), 8: (2, 5), 9: (1, 2, 4, 5)}


def test_actual_is_no_sum_of_budget_and_variance() -> None:
    merges = [Range(0, 1, 0, 3)]
    rows = [["Dept", "Q1", None, None], [None, "Budget", "Actual", "Variance"], ["Sales", 5, 7, 2], ["IT", 4, 3, -1]]
    assert not any(column.subtotal for column in table_of(*rows, merges=merges).columns)


@given(st.lists(st.lists(st.integers(-999, 999), min_size=1, max_size=5), min_size=1, max_size=6))
def test_every_group_is_proved_by_its_own_details(groups: list[list[int]]) -> None:
    values: list[Scalar] = []
    totals: dict[int, tuple[int, ...]] = {}
    for group in groups:
        parts = tuple(range(len(values), len(values) + len(group)))
        values += group
        totals[len(values)] = parts
        values.append(sum(group))
    found = row_sums([values], set(totals), set(totals), {})
    for position, proof in found.items():
        assert proof.holds
        assert sum(int(str(values[i])) for i in proof.parts) == values[position]
    assert all(values[position] == 0 for position in totals.keys() - found.keys())


@pytest.mark.parametrize(("total", "held"), [(6, 1), (6.0000001, 1), (7, 0)])
def test_floats_add_up_within_a_millionth(total: float, held: int) -> None:
    proof = proof_of([[1.0, 2.0, 3.0, total]], 3, [0, 1, 2])
    assert proof is not None
    assert proof.held == held


def test_many_totals_that_prove_nothing_cost_little() -> None:
    rows = {0: ["지점", "a", "b", "c", "d"]}
    rows |= {i: ["소계" if i % 10 == 0 else f"점{i}", i, i, i, i] for i in range(1, 30_000)}
    started = time.process_time()
    [table] = tables_of(Grid("s", rows))
    assert sum(table.row_subtotal) == 2999
    assert time.process_time() - started < 5
