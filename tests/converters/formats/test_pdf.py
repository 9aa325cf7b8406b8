"""PDFs as files: pages, passwords, scans, damage, hostile content; and which characters are read, with which spaces."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from converters import convert
from converters.document import Document
from converters.errors import Broken, NeedsPassword, OverLimit, Unsupported
from converters.formats.pdf.reader import read
from converters.grid import Grid
from converters.options import Limits, Options
from converters.sandbox import convert_safely
from tests.converters.formats.pdf_pages import Sheet, pdf

EDGES = [50, 150, 250, 350]
ROWS = [["지점", "1월 매출", "2월 매출"], ["서울 강남점", "1,234", "2,345"], ["부산점", "10", "20"]]


def grid_of(data: bytes, **options: object) -> Grid:
    [grid] = read(Document("book.pdf", data=data), Options(**options))  # type: ignore[arg-type]
    return grid


def rows_of(data: bytes) -> list[list[object]]:
    return list(grid_of(data).rows.values())


def turned(degrees: int, entries: str = "") -> Sheet:
    """The table with text that runs in another direction on the page."""
    sheet = Sheet(entries=entries)
    place = {90: lambda x, y: (y, 800 - x), 180: lambda x, y: (500 - x, 800 - y), 270: lambda x, y: (500 - y, x + 50)}
    for number, row in enumerate(ROWS):
        for column, text in enumerate(row):
            sheet.text(*place[degrees](53 + 100 * column, 113 + 18 * number), text, turn=degrees)
    for i in range(4):
        sheet.line(*place[degrees](50, 100 + 18 * i), *place[degrees](350, 100 + 18 * i))
        sheet.line(*place[degrees](50 + 100 * i, 100), *place[degrees](50 + 100 * i, 154))
    return sheet


@pytest.mark.parametrize(("degrees", "entries"), [(90, ""), (90, "/Rotate 90"), (180, ""), (270, "/Rotate 270")])
def test_a_table_is_read_whichever_way_it_lies_on_the_page(degrees: int, entries: str) -> None:
    assert rows_of(pdf(turned(degrees, entries))) == ROWS


def test_what_the_page_crops_away_is_not_read() -> None:
    sheet = Sheet(entries="/CropBox [0 600 400 780]").ruled(EDGES, 100, ROWS)
    assert rows_of(pdf(sheet.text(50, 20, "잘린 제목").text(450, 110, "바깥"))) == ROWS


def test_text_that_is_drawn_twice_to_look_bold_counts_once() -> None:
    sheet = Sheet().ruled(EDGES, 100, ROWS).table([x + 0.4 for x in EDGES], 100, ROWS)
    assert rows_of(pdf(sheet)) == ROWS


def test_figures_with_the_same_digits_in_a_row_keep_all_of_them() -> None:
    rows = [["코드", "값"], ["11", "1,111"], ["22", "2,222"]]
    assert rows_of(pdf(Sheet().ruled([50, 150, 250], 100, rows))) == rows


def test_a_space_is_where_the_print_shows_a_gap() -> None:
    sheet = Sheet().rules([50, 200, 350], [100, 118, 136, 154, 172])
    sheet.text(53, 113, "매출 원가").text(203, 113, "서울").text(227, 113, "강남")  # a gap without a space
    sheet.text(53, 131, "서울").text(73.5, 131, "강남").text(203, 131, "a b")  # two texts that touch
    sheet.text(53, 149, "자간이넓은글자 사이", spacing=2.5).text(203, 149, "끝")
    sheet.text(53, 167, "자간이좁은글자 사이", spacing=-1).text(203, 167, "끝")
    assert rows_of(pdf(sheet)) == [
        ["매출 원가", "서울 강남"],
        ["서울강남", "a b"],
        ["자간이넓은글자 사이", "끝"],
        ["자간이좁은글자 사이", "끝"],
    ]


def test_lines_of_a_cell_stay_lines() -> None:
    sheet = Sheet().rules([50, 150, 250], [100, 130, 148]).text(53, 112, "매출액").text(53, 125, "(천원)")
    sheet.text(153, 118, "비고").text(53, 143, "12").text(153, 143, "없음")
    assert rows_of(pdf(sheet)) == [["매출액\n(천원)", "비고"], ["12", "없음"]]


def test_a_raised_footnote_mark_belongs_to_its_line() -> None:
    sheet = Sheet().ruled(EDGES, 100, ROWS).text(73.2, 109, "1)", 5)
    assert rows_of(pdf(sheet))[0] == ["지점1)", "1월 매출", "2월 매출"]


def test_characters_that_only_the_font_knows_are_a_problem() -> None:
    grid = grid_of(pdf(Sheet().ruled(EDGES, 100, ROWS).text(110, 130.6, "A", font="F2")))
    assert grid.rows[1][0] == "서울 강남점\ufffd"
    assert [(p.code, p.where) for p in grid.problems] == [("unknown_characters", "page 1")]


def test_figures_that_were_printed_as_hashes_are_a_problem() -> None:
    conversion = convert(pdf(Sheet().ruled(EDGES, 100, [*ROWS, ["합계", "###", "2,365"]])))
    assert conversion.state == "partial"
    assert conversion.problems[0].code == "hidden_figures"


@pytest.mark.parametrize("sheet", [Sheet().text(100, 200, "대외비", 60, turn=45), Sheet().text(60, 150, "대외비", 60)])
def test_a_watermark_is_left_out_and_a_notice_says_so(sheet: Sheet) -> None:
    grid = grid_of(pdf(sheet.ruled(EDGES, 100, ROWS)))
    assert list(grid.rows.values()) == ROWS
    assert [notice.code for notice in grid.notices] == ["watermark"]


def test_tables_inside_form_objects_are_found() -> None:
    texts = zip(("품목", "수량", "사과", "12"), ((55, 685), (205, 685), (55, 665), (205, 665)), strict=True)
    content = " ".join(f"1 0 0 1 {x} {y} Tm <{text.encode('utf-16-be').hex()}> Tj" for text, (x, y) in texts)
    lines = "50 700 m 350 700 l 50 680 m 350 680 l 50 660 m 350 660 l 50 700 m 50 660 l 200 700 m 200 660 l"
    inner = f"{lines} 350 700 m 350 660 l S BT /F1 10 Tf {content} ET"
    sheet = Sheet()
    sheet.content.append("q .9 0 0 .9 10 10 cm /Outer Do Q")
    forms = {"Outer": ("1 0 0 1 5 5 cm /Inner Do", ""), "Inner": (inner, "/Matrix [1 0 0 1 20 -30]")}
    assert rows_of(pdf(sheet, forms=forms)) == [["품목", "수량"], ["사과", "12"]]


def test_a_password_of_the_options_opens_it() -> None:
    data = pdf(Sheet().ruled(EDGES, 100, ROWS), password="secret")
    assert list(grid_of(data, passwords=("wrong", "secret")).rows.values()) == ROWS


@pytest.mark.parametrize("passwords", [(), ("wrong",)])
def test_without_its_password_it_needs_one(passwords: tuple[str, ...]) -> None:
    data = pdf(Sheet().ruled(EDGES, 100, ROWS), password="secret")
    with pytest.raises(NeedsPassword) as raised:
        grid_of(data, passwords=passwords)
    assert "wrong" not in raised.value.message


def scanned() -> Sheet:
    sheet = Sheet()
    sheet.content.append("q 500 0 0 700 40 70 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x00 EI Q")
    return sheet


def test_a_scan_is_not_supported() -> None:
    with pytest.raises(Unsupported, match="is a scan: no text in it") as raised:
        grid_of(pdf(scanned(), scanned()))
    assert raised.value.remedy


def test_a_scanned_page_among_others_is_a_problem() -> None:
    conversion = convert(pdf(Sheet().ruled(EDGES, 100, ROWS), scanned()))
    assert conversion.state == "partial"
    assert [(p.code, p.where) for p in conversion.problems] == [("scanned_page", "page 2")]
    assert len(conversion.tables) == 1


@pytest.mark.parametrize("data", [b"%PDF-1.4\n%%EOF", pdf(Sheet().ruled(EDGES, 100, ROWS))[:700]])
def test_a_damaged_file_is_broken(data: bytes) -> None:
    with pytest.raises(Broken):
        grid_of(data)


def test_limits_hold() -> None:
    data = pdf(*[Sheet().ruled(EDGES, 100, ROWS) for _ in range(4)])
    with pytest.raises(OverLimit, match="max_pages allows 3"):
        grid_of(data, limits=Limits(max_pages=3))
    with pytest.raises(OverLimit, match="max_cells"):
        grid_of(data, limits=Limits(max_cells=20))


def test_a_preview_reads_only_the_first_pages() -> None:
    grid = grid_of(pdf(*[Sheet().ruled(EDGES, 100, ROWS) for _ in range(9)]), max_rows=5)
    assert [page.sheet for page in grid.pages] == ["page 1", "page 2"]


def test_a_page_as_large_as_a_house_is_read_as_any_other() -> None:
    assert rows_of(pdf(Sheet(14400, 14400).ruled([x * 30 for x in EDGES], 9000, ROWS))) == ROWS


def test_a_drawing_of_countless_lines_costs_little_and_is_no_border() -> None:
    sheet = Sheet().table(EDGES, 100, ROWS)
    places = ((20 * (i % 25), i // 25 * 2) for i in range(10_000))
    sheet.content.append(" ".join(f"{x} {y} m {x + 9} {y} l S" for x, y in places))
    start = time.process_time()
    grid = grid_of(pdf(sheet))
    assert time.process_time() - start < 5
    assert list(grid.rows.values()) == ROWS
    assert [notice.code for notice in grid.notices] == ["drawing"]


def test_forms_that_contain_themselves_end() -> None:
    sheet = Sheet().ruled(EDGES, 100, ROWS)
    sheet.content.append("/A Do")
    assert rows_of(pdf(sheet, forms={"A": ("/B Do", ""), "B": ("/A Do", "")})) == ROWS


def test_forms_that_multiply_harm_only_their_own_process(tmp_path: Path) -> None:
    sheet = Sheet()
    sheet.content.append("/A Do")
    path = tmp_path / "bomb.pdf"
    path.write_bytes(pdf(sheet, forms={"A": ("/B Do /B Do", ""), "B": ("/A Do /A Do", "")}))
    conversion = convert_safely(path, limits=Limits(memory_bytes=1 << 30, cpu_seconds=2))
    assert conversion.state == "quarantined"
    assert conversion.problems[0].remedy
