"""Rich text: compression, the HTML hidden in it, tables."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.errors import Broken
from converters.formats.rtf import decompressed, encapsulated

ROW = r"\trowd\cellx1000\cellx2000 {0}\cell {1}\cell\row"


def korean(text: str) -> str:
    return "".join(rf"\'{byte:02x}" for byte in text.encode("cp949"))


HEAD = r"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0\fnil\fcharset129 Gulim;}{\f1\fcharset0 Arial;}}"
HIDDEN = (
    HEAD.replace(r"\uc1", r"\fromhtml1\uc1")
    + r"{\*\htmltag64 <table>}{\*\htmltag64 <tr><td>}\f0 " + korean("지점")
    + r"{\*\htmltag72 </td><td>}" + korean("매출")
    + r"{\*\htmltag72 </td></tr><tr><td>}\htmlrtf {\b \htmlrtf0 " + korean("강남") + r"\htmlrtf }\htmlrtf0 "
    + r"{\*\htmltag72 </td><td>}10{\*\htmltag72 </td></tr></table>}{\*\mhtmltag64 <p>}}"
)  # fmt: skip


@pytest.mark.parametrize(
    ("packed", "text"),
    [  # the examples of MS-OXRTFCP, section 3
        ("2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0",
         rb"{\rtf1\ansi\ansicpg1252\pard hello world}" + b"\r\n"),
        ("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0", rb"{\rtf1 WXYZWXYZWXYZWXYZWXYZ}"),
    ],
)  # fmt: skip
def test_the_examples_of_the_specification_are_decompressed(packed: str, text: bytes) -> None:
    assert decompressed(bytes.fromhex(packed)) == text


def test_what_is_not_compressed_is_cut_to_its_length_and_what_is_unknown_refused() -> None:
    assert decompressed(struct.pack("<II4sI", 20, 3, b"MELA", 0) + b"abcdef") == b"abc"
    for bad in (b"", b"\0" * 40):
        with pytest.raises(Broken):
            decompressed(bad)


def test_html_hidden_in_rich_text_comes_out_as_it_went_in() -> None:
    assert encapsulated(HIDDEN.encode()) == (
        "<table><tr><td>지점</td><td>매출</td></tr><tr><td>강남</td><td>10</td></tr></table>"
    )


def test_tables_and_the_paragraphs_over_them_are_read() -> None:
    rows = [ROW.format(korean(a), b) for a, b in (("지점", korean("매출")), ("강남", "10"), ("서초", r"\u8710?20"))]
    text = (
        HEAD + r"\f0 " + korean("1월 매출") + r"\par \pard\intbl " + "".join(rows) + r"\pard " + korean("끝") + r"\par}"
    )
    [table] = convert(text.encode(), name="a.rtf").tables
    assert table.title == "1월 매출" and [c.path for c in table.columns] == [("지점",), ("매출",)]
    assert table.columns[0].values == ["강남", "서초"] and table.region.top == 1


def test_pairs_of_halves_are_one_character() -> None:
    assert encapsulated(rb"{\rtf1\fromhtml1 \u-10179?\u-8704?}") == "\U0001f600"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["{", "}", "\\", "\\'", "\\u", "\\bin9", "\\f9", "\\cell", "\\row", "\\*"]),
            st.text(max_size=4),
        )
    )
)
def test_no_rich_text_defeats_the_reader(pieces: list[str]) -> None:
    text = "{\\rtf1 " + "".join(pieces)
    conversion = convert(text.encode("utf-8", "replace"), name="a.rtf")
    assert "converter_defect" not in [p.code for p in conversion.problems]
