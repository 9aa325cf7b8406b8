"""Paragraphs and tables in turn become one grid on which each table keeps addresses of its own."""

from __future__ import annotations

import pytest

from converters.document import Document
from converters.errors import OverLimit
from converters.formats.flow import MAX_COLUMNS, MAX_TEXT, NEAR, Block, Cell, Flow
from converters.grid import Grid, Look
from converters.model import Range, place
from converters.options import DEFAULTS, Limits, Options
from converters.tables.understand import tables_of

UNIT = "(단위: 천원)"


def table(*rows: list[str]) -> list[Cell]:
    return [Cell(r, c, [text]) for r, row in enumerate(rows) for c, text in enumerate(row)]


def grid_of(*blocks: Block, options: Options = DEFAULTS) -> Grid:
    flow = Flow(Document("보고.docx", data=b""), options)
    flow.blocks(blocks)
    return flow.finished()


def addressed(grid: Grid) -> list[tuple[str, int, list[object]]]:
    return [(*place(grid.sheet, grid.pages, row), list(values)) for row, values in grid.rows.items()]


SALES = table(["지점", "매출"], ["강남", "1,200"])


def test_each_table_has_addresses_of_its_own_and_texts_are_outside_of_all() -> None:
    grid = grid_of("매출 현황", UNIT, SALES, "※ 잠정", SALES)
    assert addressed(grid) == [
        ("text", 0, ["매출 현황"]),
        ("text", 1, [UNIT]),
        ("table 1", 0, ["지점", "매출"]),
        ("table 1", 1, ["강남", "1,200"]),
        ("text", 2, ["※ 잠정"]),
        ("table 2", 0, ["지점", "매출"]),
        ("table 2", 1, ["강남", "1,200"]),
    ]
    assert [grid.rows[row] for row in sorted(grid.outside)] == [["매출 현황"], [UNIT], ["※ 잠정"]]


def test_texts_tell_title_unit_and_note_of_the_table_that_they_stand_by() -> None:
    first, second = tables_of(grid_of("1. 매출 현황", UNIT, SALES, "※ 잠정", "2. 재고 현황", SALES))
    assert (first.title, first.columns[1].unit, first.notes[-1]) == ("1. 매출 현황", "천원", "※ 잠정")
    assert second.title == "2. 재고 현황"
    assert {fact.cell for fact in second.facts()} == {"A2", "B2"}
    assert {fact.sheet for fact in second.facts()} == {"table 2"}


@pytest.mark.parametrize("text", ["2026", "1,234", "2026-01-31", "12명", "- 3 -", "가" * (MAX_TEXT + 1), "a\nb\nc"])
def test_no_paragraph_becomes_a_table(text: str) -> None:
    assert tables_of(grid_of(*[text] * 5)) == []


def test_only_texts_near_a_table_are_kept_and_long_ones_never() -> None:
    texts = [f"문단 {n}" for n in range(100)]
    grid = grid_of(*texts, "가" * (MAX_TEXT + 1), SALES, *texts)
    kept = [grid.rows[row][0] for row in sorted(grid.outside)]
    assert kept == texts[:NEAR] + texts[-NEAR:] + texts[:NEAR]


def test_a_table_in_a_cell_is_the_next_one() -> None:
    inner = table(["품목", "수량"], ["기어", "10"])
    outer = [Cell(0, 0, ["구분"]), Cell(0, 1, ["내역"]), Cell(1, 0, ["가"]), Cell(1, 1, ["아래", inner])]
    assert addressed(grid_of(outer, SALES)) == [
        ("table 1", 0, ["구분", "내역"]),
        ("table 1", 1, ["가", "아래"]),
        ("table 2", 0, ["품목", "수량"]),
        ("table 2", 1, ["기어", "10"]),
        ("table 3", 0, ["지점", "매출"]),
        ("table 3", 1, ["강남", "1,200"]),
    ]


def test_a_table_that_only_lays_out_gives_its_texts_and_the_tables_in_it() -> None:
    layout = [Cell(0, 0, ["매출 현황", UNIT]), Cell(1, 0, [SALES]), Cell(2, 0, ["※ 잠정"])]
    grid = grid_of(layout)
    assert [sheet for sheet, _, _ in addressed(grid)] == ["text", "text", "table 2", "table 2", "text"]


def test_spans_looks_and_hidden_rows_are_those_of_the_cells() -> None:
    bold = Look(bold=True, indent=1)
    grid = grid_of(
        "위", [Cell(0, 0, ["가"], down=2), Cell(0, 1, ["나"], across=2, look=bold), Cell(1, 1, ["다"], hidden=True)]
    )
    assert grid.merges == [Range(1, 0, 2, 0), Range(1, 1, 1, 2)]
    assert (grid.look(1, 1), grid.look(1, 0), grid.look(2, 1)) == (bold, grid.looks[-1], grid.looks[-1])
    assert grid.hidden_rows == {2}


def test_leading_spaces_stay_as_they_indent() -> None:
    assert Cell(0, 0, ["", "  강남 ", "", "본점  "]).text == "  강남 \n본점"
    assert Cell(0, 0, ["  ", "\u3000"]).text is None


def test_what_is_far_outside_is_refused_before_it_costs_memory() -> None:
    for row, column in ((0, MAX_COLUMNS), (1 << 40, 0)):
        with pytest.raises(OverLimit, match=r"보고\.docx has a table with a cell in row"):
            grid_of([Cell(0, 0, ["가"]), Cell(row, column, ["나"])])
    with pytest.raises(OverLimit, match="max_cells"):
        grid_of(*["문단"] * 20, options=Options(limits=Limits(max_cells=10)))


def test_a_preview_stops_early() -> None:
    grid = grid_of(*[SALES] * 100, options=Options(max_rows=5))
    assert len(grid.rows) == 4
