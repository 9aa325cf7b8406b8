"""Whatever stands on a page, wherever: reading it never fails, and no text gets lost or comes twice."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from converters.document import Document
from converters.formats.pdf.reader import read
from converters.options import DEFAULTS
from tests.converters.formats.pdf_pages import Sheet, pdf

Text = tuple[int, int, int, int, str, int]
Line = tuple[int, int, int, int, bool]

TEXTS = st.tuples(
    st.integers(0, 7),  # place across, 70 points each
    st.integers(0, 55),  # place down, 14 points each
    st.integers(0, 20),
    st.integers(0, 3),
    st.sampled_from(["나다", "1,234", "합계", "-5.5%", "ab", "(주)", "2026", "-"]),
    st.integers(6, 9),
)
LINES = st.tuples(st.integers(10, 580), st.integers(20, 820), st.integers(10, 580), st.integers(20, 820), st.booleans())


@given(st.lists(TEXTS, max_size=60, unique_by=lambda text: text[:2]), st.lists(LINES, max_size=40))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_every_text_is_on_the_grid_once(texts: list[Text], lines: list[Line]) -> None:
    sheet = Sheet()
    for number, (across, down, right, lower, text, size) in enumerate(texts):
        sheet.text(10 + 70 * across + right, 30 + 14 * down + lower, f"{chr(0xAC00 + number)}{text}", size)
    for x0, y0, x1, y1, level in lines:
        sheet.line(x0, y0, x1 if level else x0, y0 if level else y1)
    [grid] = read(Document("book.pdf", data=pdf(sheet)), DEFAULTS)
    found = Counter(letter for row in grid.rows.values() for value in row if value for letter in str(value))
    assert [n for n in range(len(texts)) if found[chr(0xAC00 + n)] != 1] == []
    assert list(grid.rows) == sorted(grid.rows)
    assert all(merge.top <= merge.bottom and merge.left <= merge.right for merge in grid.merges)
