"""Tables that plain text sets are found, and nothing that is none."""

from __future__ import annotations

import time

import pytest

from converters.formats.mail import aligned, attachment_name

ROWS = [["지점", "매출"], ["강남", "1,000"], ["서초", "△20"]]


@pytest.mark.parametrize(
    "lines",
    [
        ["지점\t매출", "강남\t1,000", "서초\t△20"],
        ["지점   매출", "강남   1,000", "서초     △20"],
        ["지점 | 매출", "---|---", "강남 | 1,000", "서초 | △20"],
        ["| 지점 | 매출 |", "|------|------|", "| 강남 | 1,000 |", "| 서초 | △20 |"],
        ["지점;매출", "강남;1,000", "서초;△20"],
    ],
)
def test_lines_of_as_many_fields_with_numbers_are_a_table(lines: list[str]) -> None:
    assert list(aligned("\n".join(["안녕하세요.", "", *lines, "", "감사합니다."])).rows.values())[1:] == ROWS


def test_rows_are_the_lines_of_the_text_and_titles_come_along() -> None:
    greeting = "안녕하세요, 강남지사입니다. " * 4
    text = f"{greeting}\n\n1월 매출\n(단위: 천원)\n지점\t매출\n강남\t1\n서초\t2\n"
    assert aligned(text).rows == {
        2: ["1월 매출"], 3: ["(단위: 천원)"], 4: ["지점", "매출"], 5: ["강남", "1"], 6: ["서초", "2"]
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "Tel  02-123-4567\nFax  02-123-4568\n",
        "Kim\tSeoul\nLee\tBusan\nPark\tDaegu\n",
        "we sold 10; they sold 20\nand then; it rained\nso what; 3\n",
        "a, b, 1\nc, d, 2\ne, f, 3\n",
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert not aligned(text).rows


def test_a_long_text_of_one_kind_is_read_in_linear_time() -> None:
    started = time.process_time()
    aligned("a  b\n" * 20_000 + "\n" + " " * 200_000 + "x")
    aligned("\n".join("\t" * (i % 7) + "a" for i in range(20_000)))
    assert time.process_time() - started < 10


def test_names_of_attachments_have_no_folders_and_no_control_characters() -> None:
    assert attachment_name("C:\\temp\\../a\x1b.csv", 1) == "a_.csv"
    assert [attachment_name(name, 2) for name in ("", "..", "  ")] == ["attachment 2"] * 3
