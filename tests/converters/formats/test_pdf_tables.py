"""Where the tables of a PDF are: ruled in every manner or only aligned, with what is around them, over pages."""

from __future__ import annotations

from itertools import pairwise

import pytest

from converters import convert
from converters.document import Document
from converters.formats.pdf.reader import read
from converters.grid import Grid
from converters.model import Page, Range
from converters.options import DEFAULTS
from tests.converters.formats.pdf_pages import Sheet, pdf

EDGES = [50, 150, 250, 350]
TOP, HIGH = 100, 18
ROWS = [["지점", "1월", "2월"], ["서울", "1,234", "2,345"], ["부산", "10", "20"], ["대구", "30", "40"]]
BOTTOM = TOP + HIGH * len(ROWS)
LEVELS = [TOP + HIGH * i for i in range(len(ROWS) + 1)]


def grid_of(*sheets: Sheet) -> Grid:
    [grid] = read(Document("book.pdf", data=pdf(*sheets)), DEFAULTS)
    return grid


def rows_of(*sheets: Sheet) -> list[list[object]]:
    return list(grid_of(*sheets).rows.values())


def plain() -> Sheet:
    return Sheet().table(EDGES, TOP, ROWS)


def bars() -> Sheet:
    sheet = plain()
    for x in EDGES:
        sheet.bar(x - 0.25, TOP, 0.5, BOTTOM - TOP)
    for y in LEVELS:
        sheet.bar(EDGES[0], y - 0.25, EDGES[-1] - EDGES[0], 0.5)
    return sheet


def dashes() -> Sheet:
    sheet = plain()
    for x in EDGES:
        for y in range(TOP, BOTTOM, 3):
            sheet.bar(x - 0.25, y, 0.5, 2)
    for y in LEVELS:
        for x in range(EDGES[0], EDGES[-1], 3):
            sheet.bar(x, y - 0.25, 2, 0.5)
    return sheet


def boxes() -> Sheet:
    sheet = plain()
    cells = [(x, y, right - x) for y in LEVELS[1:] for x, right in pairwise(EDGES)]
    sheet.content.append(" ".join(f"{x} {sheet.height - y} {wide} {HIGH} re" for x, y, wide in cells) + " S")
    return sheet


def double() -> Sheet:
    return plain().rules(EDGES, LEVELS).rules([EDGES[0] - 2, EDGES[-1] + 2], [TOP - 2, BOTTOM + 2])


def open_sides() -> Sheet:
    sheet = plain()
    for x in EDGES[1:-1]:
        sheet.line(x, TOP, x, BOTTOM)
    for y in LEVELS:
        sheet.line(EDGES[0], y, EDGES[-1], y)
    return sheet


def only_across() -> Sheet:
    sheet = plain()
    for y in LEVELS:
        sheet.line(EDGES[0], y, EDGES[-1], y)
    return sheet


def only_down() -> Sheet:
    return plain().rules(EDGES, [TOP, TOP + HIGH, BOTTOM])


def frame() -> Sheet:
    return plain().rules([EDGES[0] - 5, EDGES[-1] + 5], [TOP, BOTTOM])


def one_rule_missing() -> Sheet:
    return plain().rules([EDGES[0], EDGES[1], EDGES[3]], LEVELS)


@pytest.mark.parametrize(
    "draw",
    [plain, bars, dashes, boxes, double, open_sides, only_across, only_down, frame, one_rule_missing],
    ids=lambda draw: draw.__name__,
)
def test_a_table_is_the_same_however_its_borders_are_drawn(draw: object) -> None:
    assert rows_of(draw()) == ROWS  # type: ignore[operator]


def test_a_missing_rule_merges_cells() -> None:
    sheet = Sheet().line(50, 100, 350, 100).line(150, 118, 350, 118).line(250, 118, 250, 172)
    for y in (136, 154, 172):
        sheet.line(50, y, 350, y)
    for x in (50, 150, 350):
        sheet.line(x, 100, x, 172)
    sheet.text(80, 122, "지점").text(240, 113, "1월").text(190, 131, "계획").text(290, 131, "실적")
    grid = grid_of(sheet.table(EDGES, 136, [["서울", "1", "2"], ["부산", "3", "4"]]))
    assert list(grid.rows.values())[:2] == [["지점", "1월"], [None, "계획", "실적"]]
    assert grid.merges == [Range(0, 0, 1, 0), Range(0, 1, 0, 2)]


def test_upright_labels_over_rows_are_read() -> None:
    sheet = Sheet().rules([50, 80], [100, 154]).text(70, 150, "연구 개발", turn=90)
    sheet.ruled([80, 200, 300], 100, [["가", "1"], ["나", "2"], ["다", "3"]])
    grid = grid_of(sheet)
    assert list(grid.rows.values()) == [["연구 개발", "가", "1"], [None, "나", "2"], [None, "다", "3"]]
    assert grid.merges == [Range(0, 0, 2, 0)]


def test_a_currency_beside_its_figure_is_no_column() -> None:
    sheet = Sheet().ruled([50, 150, 250], 100, [["품목", "금액"], ["가", "1,000"], ["나", "20"], ["다", "3"]])
    for y in (131, 149, 167):
        sheet.text(153, y, "₩")
    assert rows_of(sheet)[1:] == [["가", "₩ 1,000"], ["나", "₩ 20"], ["다", "₩ 3"]]


def test_headers_need_not_stand_over_their_figures() -> None:
    sheet = Sheet().text(50, 100, "품목").text(150, 100, "수량").text(230, 100, "금액").text(320, 100, "비고")
    for i, (name, count, amount) in enumerate([("가", "1", "300"), ("나", "22", "4,500"), ("다", "3", "60")]):
        sheet.text(50, 115 + 15 * i, name).right(226, 115 + 15 * i, count).right(316, 115 + 15 * i, amount)
    assert rows_of(sheet.text(320, 130, "반품")) == [
        ["품목", "수량", "금액", "비고"],
        ["가", "1", "300"],
        ["나", "22", "4,500", "반품"],
        ["다", "3", "60"],
    ]


def test_a_header_in_the_middle_of_columns_is_merged_over_them() -> None:
    sheet = Sheet().text(195, 100, "1월").text(315, 100, "2월")
    for x, text in ((50, "지점"), (160, "계획"), (220, "실적"), (280, "계획"), (340, "실적")):
        sheet.text(x, 115, text)
    for y, name in ((130, "서울"), (145, "부산")):
        sheet.text(50, y, name)
        for x in (180, 240, 300, 360):
            sheet.right(x, y, "10")
    grid = grid_of(sheet)
    assert grid.rows[0] == ["지점", "1월", None, "2월"]
    assert grid.merges == [Range(0, 1, 0, 2), Range(0, 3, 0, 4), Range(0, 0, 1, 0)]


def test_labels_in_the_middle_of_their_rows_span_them() -> None:
    sheet = Sheet().text(50, 100, "지역").text(120, 100, "지점").right(250, 100, "매출")
    for i, (name, amount) in enumerate([("가", "1"), ("나", "2"), ("다", "3"), ("라", "4"), ("마", "5")]):
        sheet.text(120, 115 + 15 * i, name).right(250, 115 + 15 * i, amount)
    grid = grid_of(sheet.text(50, 130, "수도권").text(50, 167.5, "영남권"))
    assert [row[0] for row in grid.rows.values()] == ["지역", "수도권", None, None, "영남권", None]
    assert grid.merges == [Range(1, 0, 3, 0), Range(4, 0, 5, 0)]


def test_indented_labels_keep_their_level() -> None:
    sheet = Sheet().right(250, 100, "금액")
    for i, (indent, name) in enumerate([(0, "자산"), (10, "현금"), (10, "재고"), (0, "부채"), (10, "차입금")]):
        sheet.text(50 + indent, 115 + 15 * i, name).right(250, 115 + 15 * i, f"{i + 1},000")
    grid = grid_of(sheet)
    assert [grid.look(row, 0).indent for row in list(grid.rows)[1:]] == [0, 1, 1, 0, 1]


def test_a_cell_that_wraps_is_one_row_where_rules_say_so() -> None:
    sheet, y = (
        Sheet().table([50, 200, 300], 100, [["구분", "금액"]]).line(50, 100, 300, 100).line(50, 118, 300, 118),
        118,
    )
    for name, amount in (("매출원가 및\n판매관리비", "100"), ("영업외\n비용", "300"), ("기타", "5")):
        for i, line in enumerate(name.split("\n")):
            sheet.text(53, y + 12 + i * 12, line)
        sheet.right(297, y + 12, amount)
        y += 12 * len(name.split("\n")) + 8
        sheet.line(50, y, 300, y)
    assert rows_of(sheet)[1:] == [["매출원가 및\n판매관리비", "100"], ["영업외\n비용", "300"], ["기타", "5"]]


def test_titles_notes_and_units_are_on_the_grid_outside_of_the_table() -> None:
    sheet = plain().rules(EDGES, LEVELS).text(180, 60, "매출 현황", 16).right(350, 92, "(단위: 천원)")
    grid = grid_of(sheet.text(50, 190, "※ 부가세 별도"))
    assert {row: grid.rows[row] for row in grid.outside} == {
        0: ["매출 현황"],
        1: [None, None, "(단위: 천원)"],
        6: ["※ 부가세 별도"],
    }
    [table] = convert(pdf(sheet)).tables
    assert (table.title, table.columns[1].unit) == ("매출 현황", "천원")


def test_tables_beside_each_other_stay_apart_with_their_titles() -> None:
    sheet = Sheet().text(50, 60, "가. 매출").text(320, 60, "나. 인원")
    sheet.ruled([50, 120, 200], 80, [["지점", "매출"], ["서울", "10"], ["부산", "20"]])
    sheet.ruled([320, 390, 470], 80, [["부서", "인원"], ["영업", "1"], ["지원", "2"], ["물류", "3"]])
    tables = convert(pdf(sheet)).tables
    assert [(table.title, len(table.rows)) for table in tables] == [("가. 매출", 2), ("나. 인원", 3)]


def test_lists_beside_each_other_without_rules_stay_apart() -> None:
    sheet = Sheet()
    left = [["지점", "계획", "실적"], ["서울", "100", "90"], ["부산", "200", "210"]]
    right = [["부서", "정규직", "계약직"], ["영업팀", "11", "3"], ["지원팀", "7", "2"]]
    tables = convert(pdf(sheet.table([50, 90, 140, 190], 80, left).table([330, 380, 430, 480], 80, right))).tables
    assert [[column.path[-1] for column in table.columns] for table in tables] == [left[0], right[0]]


def test_prose_is_no_table() -> None:
    sheet = Sheet()
    for i in range(30):
        sheet.text(
            50, 60 + 15 * i, f"올해 매출은 지난해보다 크게 늘었으며 {i}번째 줄에서도 그 까닭을 길게 설명하고 있다."
        )
    assert not convert(pdf(sheet)).tables


def test_a_table_over_pages_is_one_and_says_the_page_of_each_row() -> None:
    pages = []
    for number in range(3):
        rows = [ROWS[0], *([f"지점{number}-{i}", str(i), "1,000"] for i in range(36))]
        page = Sheet().text(50, 40, "매출 보고서", 14).right(350, 60, "(단위: 천원)").ruled(EDGES, 70, rows)
        pages.append(page.text(50, 790, "한빛상사 대외비").text(280, 820, f"- {number + 1} -"))
    grid = grid_of(*pages)
    assert grid.pages == [Page(0, "page 1"), Page(39, "page 2"), Page(76, "page 3")]
    assert [row[0] for row in grid.rows.values() if len(row) == 1] == ["매출 보고서"]
    [table] = convert(pdf(*pages)).tables
    assert len(table.rows) == 108
    assert [(f.sheet, f.cell) for f in table.facts() if f.value == "지점1-0"] == [("page 2", "A2")]


def test_an_aligned_table_over_pages_keeps_its_columns_where_one_page_leaves_some_blank() -> None:
    first = [["지점", "1월", "2월", "비고"], *([f"가{i}", "10", "20", "-"] for i in range(34))]
    second = [[f"나{i}", "", "2,000", ""] for i in range(5)]
    edges = [50, 150, 250, 350, 450]
    grid = grid_of(Sheet().table(edges, 100, first), Sheet().table(edges, 60, second))
    assert grid.rows[35] == ["나0", None, "2,000"]
    assert grid.pages[1] == Page(35, "page 2")


def test_a_table_that_ends_high_on_its_page_is_not_carried_on() -> None:
    grid = grid_of(plain().rules(EDGES, LEVELS), plain().rules(EDGES, LEVELS))
    assert list(grid.rows) == [0, 1, 2, 3, 5, 6, 7, 8]
