"""HTML tables are laid out on a grid as a browser shows them."""

from __future__ import annotations

from converters import convert
from converters.document import Document
from converters.formats import html
from converters.grid import Grid
from converters.model import Range
from converters.options import DEFAULTS


def grid_of(text: str) -> Grid:
    [grid] = html.read(Document("page.xls", data=text.encode()), DEFAULTS)
    return grid


def test_spans_push_cells_aside() -> None:
    grid = grid_of(
        "<table><tr><td rowspan=2>a</td><td colspan=2>b</td></tr><tr><td>c</td><td>d</td></tr>"
        "<tr><td>e</td><td>f</td><td>g</td></tr></table>"
    )
    assert grid.rows == {0: ["a", "b"], 1: [None, "c", "d"], 2: ["e", "f", "g"]}
    assert grid.merges == [Range(0, 0, 1, 0), Range(0, 1, 0, 2)]


def test_tables_are_put_below_each_other() -> None:
    grid = grid_of("<table><tr><td>a</td></tr></table><p>x</p><table><tr><td>b</td></tr></table>")
    assert grid.rows == {0: ["a"], 2: ["b"]}


def test_texts_lose_markup_and_keep_line_breaks_and_indentation() -> None:
    grid = grid_of(
        "<table><tr><td>&nbsp;&nbsp;<b>한</b>빛<br>상사\n 본점</td><td><script>x()</script>&nbsp;</td></tr></table>"
    )
    assert grid.rows == {0: ["\xa0\xa0한빛\n상사 본점", None]}


def test_absurd_spans_cost_nothing() -> None:
    conversion = convert(b"<table><tr><td colspan=99999999 rowspan=99999999>a</td></tr><tr><td>1</td></tr></table>")
    assert conversion.state in ("ok", "quarantined")


def test_unclosed_tags_are_read_as_browsers_do() -> None:
    assert grid_of("<table><tr><td>a<td>b<tr><td>1<td>2").rows == {0: ["a", "b"], 1: ["1", "2"]}
