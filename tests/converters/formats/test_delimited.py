"""Delimited text of every dialect becomes one grid."""

from __future__ import annotations

import pytest

from converters import convert
from converters.document import Document
from converters.formats import delimited
from converters.grid import Grid
from converters.options import DEFAULTS


def grid_of(text: str) -> Grid:
    [grid] = delimited.read(Document("재고.csv", data=text.encode()), DEFAULTS)
    return grid


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_makes_rows_agree(delimiter: str) -> None:
    rows = [["품명", "비고", "수량"], ["기어, 대형; 특가", "a|b", "1"], ["커버\t소형", "", "2,000"]]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    assert [row[:3] for row in grid_of(text).rows.values()] == [[cell or None for cell in row] for row in rows]


def test_quoted_line_breaks_stay_in_their_cell_and_blank_lines_count() -> None:
    grid = grid_of('a,b\n"1\n2",3\n\n4,5\n')
    assert grid.rows == {0: ["a", "b"], 1: ["1\n2", "3"], 3: ["4", "5"]}
    assert grid.sheet == "재고"


def test_excels_own_first_line_is_obeyed() -> None:
    assert grid_of("sep=;\na,1;b\nc;d\n").rows == {1: ["a,1", "b"], 2: ["c", "d"]}


def test_characters_that_no_encoding_explains_are_a_problem_and_not_lost() -> None:
    conversion = convert("지점,매출\n강남,1\n서초,2\n".encode() + b"\xff\xff\x80,3\n", name="a.csv")
    assert conversion.state == "partial"
    assert conversion.problems[0].code == "undecodable_text"
    assert len(conversion.tables[0].rows) == 3


def test_a_header_without_rows_is_an_empty_table() -> None:
    [table] = convert("일자,지점,금액\n".encode(), name="a.csv").tables
    assert [c.path for c in table.columns] == [("일자",), ("지점",), ("금액",)]
    assert table.rows == []


def test_thousands_without_quotation_marks_are_put_together_if_only_one_reading_is_possible() -> None:
    conversion = convert("지점,금액,비고\n강남,1,000,정상\n서초,2,500,300,정상\n부산,800,취소\n".encode(), name="a.csv")
    assert conversion.state == "ok"
    assert [list(c.values) for c in conversion.tables[0].columns[1:]] == [
        [1000, 2500300, 800],
        ["정상", "정상", "취소"],
    ]


@pytest.mark.parametrize(
    "row", ["강남,10,200,300,정상", "강남,1,000,정상,추가,더", "강남,0,000,정상", "강남,1000,정상,추가"]
)
def test_rows_longer_than_the_header_are_a_problem_if_nothing_proves_how_to_read_them(row: str) -> None:
    conversion = convert(f"지점,금액,비고\n{row}\n부산,800,취소\n".encode(), name="a.csv")
    expected = ["ragged_rows"] if row != "강남,10,200,300,정상" else []
    assert [p.code for p in conversion.problems] == expected
    assert conversion.state == ("partial" if expected else "ok")


def test_blank_fields_at_the_end_and_tables_of_other_widths_are_no_problem() -> None:
    for text in (
        "지점,금액\n강남,1,\n서초,2,,\n",
        "지점,금액\n강남,1\n\n지점,금액,비고\n강남,1,정상\n",
        "작성자,홍길동\n지점,2025,2026\n강남,1,2\n",
    ):
        assert not convert(text.encode(), name="a.csv").problems, text
