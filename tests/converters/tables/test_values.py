"""What one text says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.tables.dates import loose_date_in
from converters.tables.values import Number, is_empty_mark, kind_of_text, number_in, usual_form


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4,662", 4662), ("-12.5", -12.5), ("0", 0), ("+5", 5), ("△1,234", -1234), ("▲ 1,234", -1234),
        ("(1,234)", -1234),
        ("1,234-", -1234), ("−7", -7), ("１，２３４", 1234), ("12.3%", 0.123), ("△10.0%", -0.1), ("(5%)", -0.05),
        ("1.2E+3", 1200.0), (".5", 0.5), ("₩1,200", 1200), ("-₩300", -300), ("$ 5", 5),
        ("1억 2,000만", 120_000_000), ("12만5천원", 125_000), ("3천만", 30_000_000), ("1億2,000万円", 120_000_000),
        ("USD 1,234.50", 1234.5), ("₩ (1,234)", -1234), ("\\1,234", 1234), ("12.3%p", 12.3), ("3.2배", 3.2),
        ("1,234.-", 1234), ("1,234*", 1234), ("±0", 0), ("＋３．２％", 0.032),
    ],
)  # fmt: skip
def test_numbers(text: str, value: float) -> None:
    found = number_in(text)
    assert found is not None
    assert found.value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("$1.2M", "$M"),
        ("USD 5", "USD"),
        ("\\5", None),
        ("12명", "명"),
        ("1,200원", "원"),
        ("3.5kg", "kg"),
        ("5 EA", "EA"),
        ("12억원", "억원"),
        ("1억 2,000만", "원"),
    ],
)
def test_units_behind_numbers(text: str, unit: str) -> None:
    assert number_in(text) == Number(number_in(text).value, unit)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    ["00123", "", "-", "1,23", "12-34", "010-1234-5678", "123-45-67890", "1234567890123456", "5호", "3층",
    "10대", "1월",
     "2026-01-01", "A1", "1/2", "(5", "5)", "--5", "1.2.3", "18L", "1 2",
     "1E10", "1억 2천", "±3", "약 300", "300여", "3~5", "≥5", "3:2", "1.234,56"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert number_in(text) is None


@given(st.integers(-(10**14), 10**14))
def test_every_number_is_read_as_it_is_written(number: int) -> None:
    for text in (str(number), f"{number:,}"):
        assert number_in(text) == Number(number)


@given(st.text(max_size=40))
def test_no_text_breaks_a_reader(text: str) -> None:
    assert kind_of_text(text) in "ndtx "
    number_in(text)
    loose_date_in(text)


def test_under_a_header_of_a_quantity_a_name_is_a_figure_with_its_unit() -> None:
    for text, value, unit in (("3회", 3, "회"), ("8시간", 8, "시간"), ("18L", 18, "L")):
        assert number_in(text) is None
        assert number_in(text, quantity=True) == Number(value, unit)
    assert number_in("3위", quantity=True) is None


@pytest.mark.parametrize(("text", "kind"), [("1/15/2026", "d"), ("15.01.2026", "d"), ("2026-01", "t"), ("1/15", "t")])
def test_a_date_is_no_text_even_before_its_column_tells_day_from_month(text: str, kind: str) -> None:
    assert kind_of_text(text) == kind


@pytest.mark.parametrize("text", ["-", "—", "ㅡ", "N/A", "해당없음", "₩ -", "-원", "- %", "該当なし"])
def test_marks_that_say_nothing(text: str) -> None:
    assert is_empty_mark(text)
    assert kind_of_text(text) == "x"


@pytest.mark.parametrize("text", ["없음", "-5", "미정", "0", "- 급여"])
def test_what_is_no_such_mark(text: str) -> None:
    assert not is_empty_mark(text)


def test_european_numbers_are_read_only_where_the_column_proves_them() -> None:
    for texts, value in ((["1.234,56", "7"], "1234.56"), (["1.234.567"], "1234567"), (["3,5", "12,75"], "3.5")):
        usual = usual_form(texts, quantity=False)
        assert usual is not None
        assert usual(texts[0]) == value
    for texts in (["1.234", "5.678"], ["1,234", "3,5"], ["1,234.5"], ["1,234"], []):
        assert usual_form(texts, quantity=True) is None


def test_digits_grouped_by_spaces_are_one_number_only_under_a_quantity() -> None:
    assert usual_form(["101 203"], quantity=False) is None
    usual = usual_form(["1 234", "12 345 678"], quantity=True)
    assert usual is not None
    assert usual("12 345 678") == "12345678"
    narrow = usual_form(["1\u202f234,5"], quantity=False)
    assert narrow is not None
    assert narrow("1\u202f234,5") == "1234.5"


STYLES = ["{}", "{}원", "{} 천원", "₩{}", "$ {}", "USD {}", "{}.-", "{}*", "{}명", "＋{}"]
MINUS = ["-{}", "△{}", "▲ {}", "({})", "（{}）", "{}-", "−{}", "-₩{}", "₩({})", "({}원)", "▽{}"]


@given(st.integers(1, 10**12), st.integers(0, 3), st.sampled_from(STYLES + MINUS), st.booleans())
def test_a_number_reads_back_whatever_the_style_it_is_printed_in(n: int, places: int, style: str, wide: bool) -> None:
    printed = f"{n / 10**places:,.{places}f}"
    digits = printed.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789,."}) if wide else printed
    found = number_in(style.format(digits))
    wanted = float(printed.replace(",", ""))
    assert found is not None
    assert found.value == pytest.approx(-wanted if style in MINUS else wanted, rel=1e-12)
