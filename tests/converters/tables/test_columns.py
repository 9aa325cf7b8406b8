"""One type for a column, decided on all of its values and its header."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.model import Scalar
from converters.tables.columns import typed

DAYS = [dt.date(2026, 1, 15), dt.date(2026, 1, 16)]


def read(header: str, *values: Scalar, textual: bool = True) -> list[Scalar]:
    return typed(list(values), (header,), textual=textual).values


@pytest.mark.parametrize(
    ("header", "texts"),
    [
        ("거래처코드", ["00123", "00045"]), ("품번", ["1E10", "2E05"]), ("모델", ["2-3", "1-2"]), ("규격", ["10"]),
        ("사업자등록번호", ["123-45-67890"]), ("등록 번호", ["1234567890"]), ("연락처", ["01012345678", "212345678"]),
        ("바코드", ["8801234567890"]), ("우편번호", ["6234", "13487"]), ("주문번호", ["20260115", "20260116"]),
        ("고객ID", ["101", "102"]), ("전표 No.", ["101", "102"]), ("Invoice Number", ["101"]), ("注文番号", ["101"]),
        ("확인", ["O", "X"]), ("사용여부", ["Y", "N"]), ("출근", ["09:30", "08:55"]), ("근무시간", ["8시간 30분"]),
        ("일자", ["1/15", "1/16"]), ("일자", ["01-15", "01-16"]), ("기준월", ["2026.01", "2026.02"]),
        ("비율", ["3:2", "1:1"]), ("규격", ["1/2", "3/4"]), ("Date", ["1/2/2026", "3/4/2026"]), ("호실", ["101호"]),
    ],
)  # fmt: skip
def test_what_stays_text(header: str, texts: list[str]) -> None:
    assert read(header, *texts) == texts


@pytest.mark.parametrize(
    ("header", "texts"),
    [
        ("일자", ["20260115", "26.01.16"]), ("거래일자", ["46037", "46038"]), ("Date", ["15-Jan-26", "Jan 16, 2026"]),
        ("日付", ["令和8年1月15日", "R8.1.16"]), ("Order Date", ["01/15/2026", "01/16/2026"]),
        ("전표일자", ["260115", "260116"]),
        ("등록일(최초)", ["20260115", "20260116"]), ("OrderDate", ["20260115", "20260116"]),
    ],
)  # fmt: skip
def test_what_is_a_column_of_dates(header: str, texts: list[str]) -> None:
    assert read(header, *texts) == DAYS


def test_numbers_are_dates_under_a_header_of_dates_only() -> None:
    assert read("거래일자", 46037, 46038, textual=False) == DAYS
    assert read("일자", 20260115.0, 20260116, textual=False) == DAYS
    assert read("Candidates", 46037, 46038, textual=False) == [46037, 46038]
    assert read("영업일", 22, 46038, textual=False) == [22, 46038]


def test_percentage_points_among_percentages_are_on_their_scale() -> None:
    column = typed(["3.2%", "-1.5%p", "0.5%P"], ("성장률",), textual=True)
    assert (column.values, column.percent) == ([0.032, -0.015, 0.005], True)
    assert "percentage points" in column.because
    assert read("증감", "1.5%p", "-0.5%p") == [1.5, -0.5]


def test_a_currency_with_its_hundred_in_brackets_is_no_loss() -> None:
    assert read("통화", "JPY(100)", "USD") == ["JPY(100)", "USD"]
    assert read("구분", "JPY(100)", "VND (100)") == ["JPY(100)", "VND (100)"]
    assert read("손익", "$(100)", "$20") == [-100, 20]
    assert read("금액", "USD (100)", "USD 20") == [-100, 20]


def test_amounts_in_mixed_powers_are_all_in_won() -> None:
    column = typed(["1억 2,000만", "8,500만", "3억", "12만5천원"], ("매출",), textual=True)
    assert column.values == [120_000_000, 85_000_000, 300_000_000, 125_000]
    assert set(column.units.values()) == {"원"}
    assert typed(["1.2억", "3.4억"], ("매출",), textual=True).units == {0: "억", 1: "억"}


def test_a_count_in_ten_thousands_is_no_money() -> None:
    assert typed(["3만", "1만2천명"], ("인원",), textual=True).units == {1: "명"}


def test_digits_kept_as_texts_are_figures_where_the_header_speaks_of_figures() -> None:
    for path in (("1월", "계획"), ("2월",), ("금액",), ("실적[억원]",)):
        assert typed(["640", "7"], path, textual=False).values == [640, 7]
    assert typed(["640", "7"], ("지점",), textual=False).values == ["640", "7"]


def test_marks_and_errors_are_nothing_and_remembered() -> None:
    column = typed(["-", "1,234", "#DIV/0!", "해당없음", "₩ -", ""], ("금액",), textual=True)
    assert column.values == [None, 1234, None, None, None, None]
    assert column.nulls == {0: "-", 3: "해당없음", 4: "₩ -"}
    assert column.errors == {2: "#DIV/0!"}


def test_the_apostrophe_before_digits_is_none_of_the_text() -> None:
    assert read("코드", "'00123", "'00045") == ["00123", "00045"]
    assert read("수량", "'12", "7") == [12, 7]
    assert read("이름", "'철수") == ["'철수"]


def test_no_value_of_a_mixed_column_is_lost() -> None:
    column = typed(["10", "20", "약 30", "40"], ("수량",), textual=True)
    assert column.values == [10, 20, "약 30", 40]
    assert column.type == "mixed"
    assert "약 30" in column.because
    assert read("입고일", "2026-01-15", "미정", "2026-01-16") == [DAYS[0], "미정", DAYS[1]]


def test_identifiers_that_a_program_kept_as_floats_are_whole() -> None:
    [code] = read("계좌번호", 110123456789.0, textual=False)
    assert (type(code), code) == (int, 110123456789)


def test_what_excel_exports_as_true_is_true() -> None:
    assert read("사용", "TRUE", "FALSE") == [True, False]


def test_a_column_says_why_its_digits_are_codes() -> None:
    for header, text, why in (("지점코드", "12", "header"), ("지점", "007", "zero"), ("번호표", "1" * 16, "15 digits")):
        assert why in typed([text], (header,), textual=True).because
    assert "keeps" in typed(["12"], ("지점",), textual=False).because
    assert typed(["12"], ("지점",), textual=True).because == ""


@given(
    st.lists(st.from_regex(r"0[0-9]{1,12}", fullmatch=True), min_size=1),
    st.sampled_from(["코드", "지점", "no", "일자"]),
)
def test_codes_never_lose_their_zeros(codes: list[str], header: str) -> None:
    values = read(header, *codes)
    assert all(v == c or isinstance(v, dt.date) for v, c in zip(values, codes, strict=True))
    assert header == "일자" or values == codes
