"""Every cell has a role with a reason, and confidence falls where the evidence does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from converters.api import grids_of
from converters.document import Document
from converters.grid import Grid, Look
from converters.model import KINDS, Decision, Range, Scalar
from converters.options import DEFAULTS
from converters.tables.understand import understand
from tests.converters.tables.test_understand import MERGES, ROWS, grid_of

CASES = sorted(p for p in (Path(__file__).parents[1] / "cases").iterdir() if p.is_dir())


def decisions(grid: Grid) -> list[Decision]:
    understood = understand(grid)
    return [decision for table in understood.tables for decision in table.decisions] + understood.decisions


def of_kind(kind: str, *rows: Sequence[Scalar], looks: Sequence[Look] = ()) -> list[Decision]:
    grid = Grid("s", {i: list(row) for i, row in enumerate(rows) if any(v is not None for v in row)})
    if looks:
        grid.looks = [*looks, Look()]
        grid.styles = {0: [0] * len(rows[0])}
    return [decision for decision in decisions(grid) if decision.kind == kind]


def uncovered(grid: Grid, found: Sequence[Decision]) -> set[tuple[int, int]]:
    cells = {(r, c) for r, values in grid.rows.items() for c, value in enumerate(values) if value is not None}
    for region in {decision.region for decision in found}:
        cells -= {(r, c) for r, c in cells if region.top <= r <= region.bottom and region.left <= c <= region.right}
    return cells


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(ROWS, MERGES)
def test_nothing_on_any_sheet_is_without_a_role(
    rows: list[list[Scalar]], merges: list[tuple[int, int, int, int]]
) -> None:
    grid = grid_of(rows, merges, textual=False)
    found = decisions(grid)
    assert not uncovered(grid, found)
    for decision in found:
        assert decision.kind in KINDS
        assert 0 < decision.confidence <= 1
        assert decision.says
        assert decision.because


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_in_a_case_is_without_a_role(case: Path) -> None:
    for grid in grids_of(Document.of(next(case.glob("input.*"))), DEFAULTS):
        assert not uncovered(grid, decisions(grid))


TOTAL = (["지점", "매출", "이익"], ["강남", 3, 1], ["분당", 4, 2])


@pytest.mark.parametrize(
    ("last", "confidence", "says"),
    [
        (["합계", 7, 3], 1.0, "sums rows 2 to 3"),
        (["합계", 8, 3], 0.6, "sums rows 2 to 3, but off by +1 in '매출'"),
        (["합계", 8, 1], 0.3, "said to be a total, yet off by -2 in '이익' from the sum of rows 2 to 3"),
    ],
)
def test_a_total_is_as_sure_as_arithmetic_makes_it(last: list[Scalar], confidence: float, says: str) -> None:
    [found] = of_kind("total_row", *TOTAL, last)
    assert (found.confidence, found.says, found.region) == (confidence, says, Range(3, 0, 3, 2))
    assert "'합계'" in found.because


def test_a_word_without_figures_to_add_up_is_less_than_proof() -> None:
    [found] = of_kind("total_row", ["지점", "달성률"], ["강남", 0.5], ["분당", 0.7], ["합계", 0.6])
    assert (found.confidence, found.says) == (0.7, "a total by its word alone")


def test_total_columns_say_what_they_sum() -> None:
    [found] = of_kind("total_column", ["지점", "1월", "2월", "합계"], ["강남", 3, 1, 4], ["분당", 4, 2, 6])
    assert (found.confidence, found.says) == (1.0, "sums columns B to C")


def test_a_header_is_the_surer_the_more_it_differs_from_the_body() -> None:
    [figures] = of_kind("header", *TOTAL)
    [bold] = of_kind("header", *TOTAL, looks=[Look(bold=True)])
    [texts] = of_kind("header", ["부서", "성명", "직책"], ["영업", "김", "부장"], ["생산", "이", "과장"])
    assert texts.confidence < figures.confidence < bold.confidence


def test_the_texts_around_a_table_have_their_kinds() -> None:
    found = decisions(
        Grid(
            "s",
            {
                0: ["매출 현황", None, None, "결재", "팀장"],
                1: [None, None, None, None, "홍길동"],
                2: ["거래처", "한빛상사", "작성일", "2026-01-31"],
                3: [None, None, "(단위: 천원)"],
                4: ["지점", "매출", "이익", "원가", "비고"],
                5: ["강남", 3, 1, 2, "신규"],
                6: ["분당", 4, 2, 2, "이전"],
                7: ["※ 잠정치"],
                8: ["- 1 -"],
            },
        )
    )
    kinds = {(decision.region.top, decision.region.left): decision.kind for decision in reversed(found)}
    assert {kinds[place] for place in ((0, 3), (0, 4), (1, 4))} == {"sign_off"}
    assert [(d.region.left, d.region.right, d.says) for d in found if d.kind == "form"] == [
        (0, 1, "거래처: 한빛상사"),
        (2, 3, "작성일: 2026-01-31"),
    ]
    assert (kinds[0, 0], kinds[3, 2], kinds[7, 0], kinds[8, 0]) == ("title", "unit_note", "footnote", "page_number")


def test_the_texts_of_a_sheet_without_a_table_are_told_too() -> None:
    understood = understand(Grid("s", {0: ["표지"], 2: ["작성: 영업팀"]}))
    assert not understood.tables
    assert [decision.region.top for decision in understood.decisions] == [0, 2]


def test_headers_that_come_again_and_sections_are_told() -> None:
    header = ["지점", "매출", "이익"]
    rows = [
        header,
        ["■ 수도권", None, None],
        ["강남", 3, 1],
        header,
        ["■ 영남", None, None],
        ["부산", 4, 2],
        ["대구", 1, 1],
    ]
    assert [d.region.top for d in of_kind("section", *rows)] == [1, 4]
    assert [(d.region.top, d.says) for d in of_kind("header", *rows)][1:] == [(3, "comes again")]


def test_records_of_two_lines_leave_little_confidence() -> None:
    header: list[list[Scalar]] = [["사번", "기본급", "지급합계"], ["성명", "국민연금", "차인지급"]]
    body: list[list[Scalar]] = [
        ["0001", 3000, 3100],
        ["김철수", 135, 2885],
        ["0002", 2800, 2800],
        ["이영희", 126, 2614],
    ]
    [found] = of_kind("header", *header, *body)
    assert (found.says, found.confidence) == ("2 lines, and so may be each record", 0.3)
    named: list[list[Scalar]] = [[f"{name}점", *figures] for name, (_, *figures) in zip("가나다라", body, strict=True)]
    [found] = of_kind("header", *header, *named)
    assert found.confidence > 0.5
