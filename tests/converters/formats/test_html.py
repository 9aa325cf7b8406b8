"""HTML tables are laid out on a grid as a browser shows them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.errors import ConverterError, Unsupported
from converters.formats import html
from converters.grid import Grid
from converters.model import Range, place
from converters.options import DEFAULTS, Options
from converters.tables.understand import tables_of


def grid_of(text: str, options: Options = DEFAULTS) -> Grid:
    [grid] = html.read(Document("page.xls", data=text.encode()), options)
    return grid


def cells_of(grid: Grid) -> dict[int, list[object]]:
    """The rows of tables, by the number that addresses have."""
    return {place("page", grid.pages, row)[1]: v for row, v in grid.rows.items() if row not in grid.outside}


def texts_of(grid: Grid) -> list[object]:
    return [grid.rows[row][0] for row in sorted(grid.outside)]


def test_spans_push_cells_aside() -> None:
    grid = grid_of(
        "<table><tr><td rowspan=2>a</td><td colspan=2>b</td></tr><tr><td>c</td><td>d</td></tr>"
        "<tr><td>e</td><td>f</td><td>g</td></tr></table>"
    )
    assert grid.rows == {0: ["a", "b"], 1: [None, "c", "d"], 2: ["e", "f", "g"]}
    assert grid.merges == [Range(0, 0, 1, 0), Range(0, 1, 0, 2)]


def test_a_span_ends_with_its_table() -> None:
    grid = grid_of("<table><tr><td rowspan=9>a<td>b</tr></table><table><tr><td>c<td>d</table>")
    assert grid.merges == [Range(0, 0, 0, 0)]
    assert grid.rows == {0: ["a", "b"], 2: ["c", "d"]}


def test_addresses_count_the_rows_of_tables_only() -> None:
    grid = grid_of("<h1>t</h1><table><tr><td>a<td>b</table><p>x<p>y<table><tr><td>c<td>d</table>z")
    assert cells_of(grid) == {0: ["a", "b"], 2: ["c", "d"]}
    assert texts_of(grid) == ["t", "x", "y", "z"]
    assert {place("page", grid.pages, row)[0] for row in grid.rows} == {"page", "text"}


def test_texts_around_say_what_a_table_is() -> None:
    page = (
        "<h2>매출현황</h2><div>조회기간: <input value='2026-01-01'> ~ <input type=text value='2026-01-31'>"
        "<input type=hidden value=7></div><p>(단위: 천원)</p>"
        "<table><tr><td>지점<td>매출<tr><td>강남<td>1,200</table><p>※ 부가세 별도</p>"
    )
    [table] = tables_of(grid_of(page))
    assert (table.title, table.columns[1].unit) == ("매출현황", "천원")
    assert "조회기간: 2026-01-01 ~ 2026-01-31" in table.notes
    assert table.notes[-1] == "※ 부가세 별도"


def test_captions_and_layout_tables_give_texts() -> None:
    grid = grid_of(
        "<table><tr><td>매출<br>(단위: 원)</td></tr>"
        "<tr><td><table><caption>표 1</caption><tr><td>a<td>b</table></td></tr>"
        "<tr><td><table><tr><td></table></td></tr></table>"
        "<table><tr><td>c<td>x<table><tr><td>d<td>e</table></table>"
    )
    assert texts_of(grid) == ["매출", "(단위: 원)", "표 1"]
    assert cells_of(grid) == {4: ["a", "b"], 6: ["c", "x"], 8: ["d", "e"]}


@pytest.mark.parametrize(
    "page", ["<p>2026</p><p>1,200</p><p>12명</p>", "<table><tr><td>1,234</table>", "<p>" + "가 " * 900]
)
def test_prose_becomes_no_table(page: str) -> None:
    assert tables_of(grid_of(f"<body>{page}</body>")) == []


def test_texts_lose_markup_and_keep_line_breaks_and_indentation() -> None:
    grid = grid_of(
        "<table><tr><td>&nbsp;&nbsp;<b>한</b>빛<br>상사\n 본점</td><td><script>x()</script>&nbsp;</td>"
        "<td> \n a  b\t</td><td><p>c</p><p>d</p></td></tr></table>"
    )
    assert grid.rows == {0: ["\xa0\xa0한빛\n상사 본점", None, "a b", "c\nd"]}


def test_what_is_hidden_is_dropped_in_texts_and_marked_in_tables() -> None:
    grid = grid_of(
        "<style>.no, th.off {display: none}</style><div class=no>x<table><tr><td>p<td>q</table></div><p hidden>y</p>"
        "<table><tr><td>a<th class=off>k<td>b</tr><tr style='display:none'><td>c<th class=off>l<td>d</tr>"
        "<tr><td><span style='color:red; DISPLAY : none'>0001</span>e<th class=off>m<td>f</tr></table>"
    )
    assert cells_of(grid) == {0: ["p", "q"], 2: ["a", "k", "b"], 3: ["c", "l", "d"], 4: ["e", "m", "f"]}
    assert texts_of(grid) == []
    assert grid.hidden_rows == {0, 3}
    page = "<table><tr><td>a<td hidden>k<td>b<tr><td>c<td hidden>l<td>d</table>"
    assert grid_of(page).hidden_columns == {1}


def test_rows_of_header_cells_are_marked() -> None:
    grid = grid_of("<table><thead><tr><td>a<td>b</thead><tr><th>c<th>d<tr><th>e<td>1<tr><td>f<td>2</table>")
    assert grid.headed == {0, 1}
    [table] = tables_of(grid)
    assert [c.path for c in table.columns] == [("a", "c"), ("b", "d")]
    assert table.rows == [2, 3]


@pytest.mark.parametrize("below", ["<th>합계<th>3<tr><td>가<td>1<tr><td>나<td>2", "<th>가<th>1<tr><th>나<th>2"])
def test_a_total_or_a_whole_table_of_header_cells_is_no_header(below: str) -> None:
    [table] = tables_of(grid_of(f"<table><tr><th>지점<th>매출<tr>{below}</table>"))
    assert [c.path for c in table.columns] == [("지점",), ("매출",)]


def test_form_fields_show_what_is_chosen() -> None:
    grid = grid_of(
        "<table><tr><td><input value='1,200'><td><select><option>가<option selected>나</select>"
        "<td><input type=checkbox value=on>다<td><select></select></tr></table>"
    )
    assert grid.rows == {0: ["1,200", "나", "다", None]}


def test_excels_numbers_formats_and_formulas_are_taken() -> None:
    grid = grid_of(
        """<style><!-- .xl1 {mso-number-format:"\\@";} td.xl2{mso-number-format:"0\\0022월\\0022"; font-weight:700}
        .xl3{mso-number-format:"Short Date"} --></style><table>
        <tr><td class=xl1>0012<td class=xl2 x:num="1">1월
        <td style="mso-number-format:'0\\.0%'" x:num="0.1234">12.3%</tr>
        <tr><td x:str>77<td class=xl3 x:num="46023">2026-01-01<td x:num="12.5" x:fmla="=A1*2">13</tr>
        <tr><td x:num>1,234<td x:num="NaN?">-<td style='mso-char-indent-count:2'>들여</tr></table>"""
    )
    assert list(grid.rows.values()) == [["0012", 1, 0.1234], ["77", "2026-01-01", 12.5], ["1,234", "-", "들여"]]
    formats = [[grid.look(row, column).number_format for column in range(3)] for row in range(3)]
    assert formats == [["@", '0"월"', "0.0%"], ["@", "yyyy-mm-dd", "General"], ["General"] * 3]
    assert (grid.look(0, 1).bold, grid.look(2, 2).indent) == (True, 2)
    assert grid.formulas == {(1, 2): "=A1*2"}


def test_a_text_that_runs_over_blanks_is_not_merged() -> None:
    grid = grid_of("<table><tr><td colspan=2 style='mso-ignore:colspan'>a</td><td>b</td></tr></table>")
    assert (grid.rows, grid.merges) == ({0: ["a", None, "b"]}, [])


def test_a_frame_around_sheets_says_where_they_are() -> None:
    page = "<html><frameset rows='*,39'><frame src='book.files/sheet001.htm'><frame src='t.htm'></frameset></html>"
    with pytest.raises(Unsupported, match=r"page\.xls is only the frame .* book\.files/sheet001\.htm, t\.htm"):
        grid_of(page)


def test_absurd_pages_cost_nothing() -> None:
    conversion = convert(b"<table><tr><td colspan=99999999 rowspan=99999999>a</td></tr><tr><td>1</td></tr></table>")
    assert conversion.state in ("ok", "quarantined")
    assert grid_of("<div>" * 100_000 + "x").rows == {}
    assert texts_of(grid_of("<p>" + " " * 1_000_000 + "x")) == ["x"]
    wide = "<tr>" + "<td colspan=1000>a" * 1000
    with pytest.raises(ConverterError, match="columns are allowed"):
        grid_of(f"<table>{wide}</table>")


def test_unclosed_tags_are_read_as_browsers_do() -> None:
    assert grid_of("<table><tr><td>a<td>b<tr><td>1<td>2").rows == {0: ["a", "b"], 1: ["1", "2"]}
    assert grid_of("<table><form><tr><font><td>a</td><td>b</td></font></tr></form></table>").rows == {0: ["a", "b"]}


def test_a_preview_stops_early() -> None:
    rows = "<tr><td>a<td>b" * 100
    assert len(grid_of(f"<table>{rows}</table><table>{rows}</table>", Options(max_rows=10)).rows) == 10


TAGS = ["table", "tr", "td", "th", "p", "br", "div", "select", "option", "input", "caption", "span", "frame", "style"]
ATTRIBUTES = ["", "rowspan=3", "colspan=2", "hidden", "x:num=1", "x:str", "style='display:none;mso-number-format:\\@'"]


TAG = st.tuples(st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES), st.sampled_from(["", "1", "/", "가\n"]))


@settings(max_examples=200, deadline=None)
@given(st.lists(TAG, max_size=40))
def test_tags_in_any_order_give_grids_or_a_reason(tags: list[tuple[str, str, str]]) -> None:
    source = "<body>" + "".join(
        f"</{tag}>" if text == "/" else f"<{tag} {attributes}>{text}" for tag, attributes, text in tags
    )
    with contextlib.suppress(ConverterError):
        for table in tables_of(grid_of(source)):
            list(table.facts())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_grids_or_a_reason(data: bytes) -> None:
    with contextlib.suppress(ConverterError):
        list(html.read(Document("page.html", data=b"<table><tr><td>" + data), DEFAULTS))
