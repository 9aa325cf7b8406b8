"""Plain text divided by spaces or by the lines of a box."""

from __future__ import annotations

import pytest

from converters import convert
from converters.formats.spaced import aligned_rows

FIXED = """일자        지점        매출액       건수
----------  ------      ---------    ----
2026-01-05  강남점      1,234,000      12
2026-01-05  서초점        980,500       9
합계                    2,214,500      21
"""
BOX = """+--------+-----------+
| store  | amount    |
+--------+-----------+
| 강남   | 1,000     |
|        | 2,500     |
+--------+-----------+
2 rows in set (0.00 sec)
"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_aligned_text_is_cut_at_its_spaces_and_not_at_its_thousands(encoding: str) -> None:
    [table] = convert(("매출 현황\n" + FIXED).encode(encoding), name="a.txt").tables
    assert [c.path for c in table.columns] == [("일자",), ("지점",), ("매출액",), ("건수",)]
    assert list(table.columns[2].values) == [1234000, 980500, 2214500]
    assert table.rows == [3, 4, 5]


def test_the_lines_of_a_box_and_what_counts_its_rows_are_no_rows() -> None:
    assert aligned_rows(BOX) == {1: ["store", "amount"], 3: ["강남", "1,000"], 4: [None, "2,500"]}
    console = " store | amount\n-------+-------\n 강남  |  1,000\n       |  2,500\n(2 rows)\n"
    assert aligned_rows(console) == {0: ["store", "amount"], 2: ["강남", "1,000"], 3: [None, "2,500"]}


def test_prose_and_delimited_text_are_not_aligned() -> None:
    for text in ("금일 회의록입니다.\n참석자: 김철수\n끝\n", "지점,금액\n강남,1\n서초,2\n"):
        assert aligned_rows(text) is None
    [table] = convert("지점,  금액\n강남  ,  1\n서초  ,  2\n".encode(), name="a.csv").tables
    assert list(table.columns[1].values) == [1, 2]
