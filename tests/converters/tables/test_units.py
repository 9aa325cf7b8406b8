"""Units: what states one, and for which columns it holds."""

from __future__ import annotations

from typing import Any

import pytest

from converters.grid import PLAIN, Grid, Look
from converters.model import Scalar
from converters.tables.cells import shows_name
from converters.tables.measures import unit_from_notes
from converters.tables.numberformats import show_date, show_number, shown
from converters.tables.understand import tables_of
from converters.tables.units import is_unit_note, kind_of_unit, stated_in_note, unit_in_brackets, units_in_note
from converters.tables.words import measure


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("(단위: 천원)", ["천원"]), ("단위 : 백만원", ["백만원"]), ("[단위:원]", ["원"]),
        ("(단위: 천원, %)", ["천원", "%"]),
        ("(단위: 명/백만원)", ["명", "백만원"]), ("단위: 원/kg", ["원/kg"]), ("（単位：百万円）", ["百万円"]),
        ("(Unit: EA)", ["EA"]),
        ("(in thousands of USD)", ["thousands of USD"]), ("매출 현황 (단위: 억원)", ["억원"]), ("(천원)", ["천원"]),
        ("(금액단위: 백만원)", ["백만원"]), ("(unit: KRW mn)", ["KRW mn"]), ("$ in millions", ["$ in millions"]),
        ("(KRW in millions, except per share data)", ["KRW in millions"]), ("(통화: USD)", ["USD"]),
        ("(Amounts in KRW thousands)", ["KRW thousands"]), ("(단위: 1,000원)", ["1,000원"]),
        ("('000 USD)", ["'000 USD"]),
        ("(VAT별도, 단위: 원)", ["원"]), ("(단위 : 원, 부가세 별도)", ["원"]), ("VAT별도", []),
        ("(주)", []), ("(A)", []),
        ("(Expressed in millions of Korean won)", ["millions of Korean won"]), ("Delivered in January", []),
        ("매출 보고", []), ("단위별 현황", []), ("(수정)", []), ("조회일자: 2026-01-31", []),
    ],
)  # fmt: skip
def test_notes(text: str, units: list[str]) -> None:
    assert units_in_note(text) == units


@pytest.mark.parametrize(
    ("text", "unit"),
    [("금액(원)", "원"), ("매출액[백만원]", "백만원"), ("생산량 (EA)", "EA"), ("매출(계획)", None),
    ("달성률(%)", "%"), ("금액", None), ("단가(원/kg)", "원/kg"), ("금액(VAT별도, 천원)", "천원"), ("단가/원", "원"),
    ("수량 EA", "EA"), ("Sales, USD", "USD"), ("Amount (in USD)", "USD"), ("EBITDA (mn KRW)", "mn KRW"),
    ("금액(1,000원)", "1,000원"), ("기간(일)", "일"), ("지각(분)", "분"), ("판매(대)", "대"), ("나이(세)", "세"),
    ("주식수(주)", "주"),
    ("한빛(주)", None), ("급여(월)", None), ("직원(정)", None), ("매출(A)", None), ("매출(예정)", None),
    ("금액(VAT포함)", None), ("매출/명", None), ("처리건수/일", None), ("売上高（百万円）", "百万円")]
)  # fmt: skip
def test_brackets(text: str, unit: str | None) -> None:
    assert unit_in_brackets(text) == unit


def test_a_title_with_a_unit_is_no_mere_note() -> None:
    assert is_unit_note("(단위: 천원)")
    assert not is_unit_note("1월 매출 현황 (단위: 천원)")


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("수량", "count"), ("금액", "money"), ("재고금액", "money"), ("매출건수", "count"), ("달성률", "rate"),
        ("증감률(%)", "rate"),
        ("환율", "count"), ("단가", "money"), ("방문객수", "count"), ("점수", "count"), ("고객ID", "id"),
        ("No.", "id"), ("연도", "id"),
        ("前年比", "rate"),
        ("売上高", "money"), ("Headcount", "count"), ("Growth rate", "rate"), ("1월", None),
    ],
)  # fmt: skip
def test_measures(header: str, kind: str | None) -> None:
    assert measure(header) == kind


def note_for(header: str, *notes: str) -> str | None:
    found = unit_from_notes([header], [stated for note in notes for stated in stated_in_note(note)])
    return found.unit if found else None


def test_a_money_unit_does_not_hold_for_counts_and_rates() -> None:
    assert note_for("수량", "(단위: 천원)") is None
    assert note_for("달성률", "(단위: 천원)") is None
    assert note_for("1월", "(단위: 명, 천원)") == "명"
    assert note_for("금액", "(단위: 명, 천원)") == "천원"
    assert note_for("수량", "(단위: 천원, 명)") == "명"
    assert kind_of_unit("원/kg") == "money"


def test_a_note_may_name_what_each_of_its_units_is_of() -> None:
    note = "(단위: 매출-백만원, 객단가-원, 인원-명)"
    assert [note_for(header, note) for header in ("매출액", "객단가", "인원", "이익")] == [
        "백만원",
        "원",
        "명",
        "백만원",
    ]
    assert note_for("금액", "(수량단위: EA, 금액단위: 천원)") == "천원"
    assert note_for("인원", "단위 : 백만원(매출), 명(인원)") == "명"


def units_of(rows: list[list[Scalar]], *, textual: bool = False, formats: dict[int, str] | None = None) -> list[Any]:
    """The units of the value columns, and those of single cells."""
    looks = [Look(number_format) for number_format in (formats or {}).values()]
    at = {column: n for n, column in enumerate(formats or {})}
    grid = Grid("s", dict(enumerate(rows)), looks=[*looks, PLAIN], textual=textual)
    grid.styles = {r: [at.get(c, len(looks)) for c in range(len(row))] for r, row in enumerate(rows)} if formats else {}
    [table] = tables_of(grid)
    own = [f"{table.address(*place)} {unit}" for place, unit in sorted(table.cell_units.items())]
    return [*(c.unit for c in table.columns if c.role == "value"), *own]


def test_what_is_nearest_to_a_figure_states_its_unit() -> None:
    head: list[list[Scalar]] = [["매출 현황"], [None, None, "(단위: 천원)"], ["지점", "수량(EA)", "금액"]]
    body: list[list[Scalar]] = [["강남", 1, 5], ["서초", 2, 6]]
    assert units_of(head + body) == ["EA", "천원"]
    assert units_of([*head, ["강남", "1", "5원"], ["서초", "2", "6원"]], textual=True) == ["EA", "원"]
    assert units_of([*head, ["강남", "1", "$5"], ["서초", "2", "$6"]], textual=True) == ["EA", "천원"]
    assert units_of(head + body, formats={2: "_-₩* #,##0"}) == ["EA", "천원"]
    assert units_of([["지점", "금액"], ["강남", 5], ["서초", 6]], formats={1: "_-₩* #,##0"}) == ["₩"]
    assert units_of([["지점", "금액"], ["강남", 5], ["서초", 6]], formats={1: '#,##0"천원"'}) == ["천원"]


def test_rates_have_no_unit_whatever_the_note_says() -> None:
    head: list[list[Scalar]] = [["(단위: 천원)"], ["지점", "금액", "증감", "배수"]]
    body: list[list[Scalar]] = [["강남", "1,000", "5.0%", "1.2배"], ["서초", "900", "△1.0%", "0.8배"]]
    assert units_of(head + body, textual=True) == ["천원", None, None]


def test_rows_that_are_measures_take_the_unit_of_their_kind() -> None:
    rows: list[list[Scalar]] = [
        ["(단위: 백만원, 대, %)"],
        ["구분", "1월", "2월", "3월"],
        ["판매량", "10", "20", "30"],
        ["매출액", "100", "200", "300"],
        ["이익률", "12.3%", "11.0%", "9.9%"],
    ]
    assert units_of(rows, textual=True)[:3] == ["백만원"] * 3
    assert units_of(rows, textual=True)[3:] == [
        "B3 대", "C3 대", "D3 대", "B5 None", "C5 None", "D5 None",
    ]  # fmt: skip


def test_a_unit_per_head_is_two_where_amounts_and_heads_stand_side_by_side() -> None:
    body: list[list[Scalar]] = [["영업", 5, 100], ["생산", 7, 200]]
    assert units_of([["(단위: 백만원/명)"], ["부서", "인원", "급여"], *body]) == ["명", "백만원"]
    assert units_of([["(단위: 백만원/명)"], ["부서", "인당 매출", "인당 이익"], *body]) == ["백만원/명", "백만원/명"]


def test_figures_that_a_format_shows_in_thousands_are_in_the_smaller_unit() -> None:
    rows: list[list[Scalar]] = [["(단위: 천원)"], ["지점", "금액"], ["강남", 1234567], ["서초", 7654321]]
    assert units_of(rows, formats={1: "#,##0,"}) == ["원"]
    assert units_of([["(단위: 백만원)"], *rows[1:]], formats={1: "#,##0,,"}) == ["원"]
    assert units_of(rows, formats={1: "#,##0"}) == ["천원"]
    assert units_of([["지점", "금액(천원)"], *rows[2:]], formats={1: "#,##0,"}) == ["원"]


def test_a_unit_in_a_format_that_shows_thousands_is_that_of_the_figure_shown() -> None:
    rows: list[list[Scalar]] = [["지점", "금액"], ["강남", 1234567], ["서초", 7654321]]
    for number_format, unit in (
        ('#,##0,"천원"', "원"),
        ('#,##0,,"백만원"', "원"),
        ('#,##0,"백만원"', "천원"),
        ('#,##0"천원"', "천원"),
        ('#,##0.0,,"억원"', None),
        ('"₩"#,##0,', "₩"),
    ):
        assert units_of(rows, formats={1: number_format}) == [unit], number_format


BODY: list[list[Scalar]] = [["강남", 1, 2], ["서초", 3, 4]]


def test_a_unit_may_stand_in_the_corner_below_or_in_a_row_of_its_own() -> None:
    assert units_of([["구분 (단위: 천원)", "1월", "2월"], *BODY]) == ["천원", "천원"]
    assert units_of([["연령(세)", "1월", "2월"], *BODY]) == [None, None]
    assert units_of([["매출"], ["지점", "수량", "금액"], *BODY, ["※ 단위: 천원"]]) == [None, "천원"]
    assert units_of([["지점", "수량", "금액"], ["단위", "EA", "천원"], *BODY]) == ["EA", "천원"]


def test_a_title_chooses_between_the_units_of_a_note() -> None:
    for title, unit in (("월별 매출", "천원"), ("월별 인원", "명")):
        assert units_of([[title], ["(단위: 명, 천원)"], ["지점", "1월", "2월"], *BODY]) == [unit, unit]


def test_a_note_over_all_titles_of_a_sheet_is_for_those_that_speak_of_its_kind() -> None:
    rows: list[list[Scalar]] = [
        ["경영실적"],
        [None, "(단위: 백만원)"],
        [],
        ["1. 매출"],
        ["구분", "전월", "당월"],
        *BODY,
    ]
    rows += [[], ["2. 비용"], ["항목", "계획", "실적"], *BODY, [], ["3. 인원"], ["부서", "정규직", "계약직"], *BODY]
    tables = tables_of(Grid("s", {r: row for r, row in enumerate(rows) if row}))
    assert [[c.unit for c in t.columns if c.role == "value"] for t in tables] == [["백만원"] * 2] * 2 + [[None] * 2]


def test_small_figures_under_a_comparison_are_rates() -> None:
    head: list[list[Scalar]] = [["(단위: 백만원)"], ["지점", "금액", "전년비"]]
    assert units_of([*head, ["강남", 10, 0.052], ["서초", 20, -0.1]]) == ["백만원", None]
    assert units_of([*head, ["강남", 10, 520], ["서초", 20, -100]]) == ["백만원", "백만원"]


def test_each_column_says_what_its_unit_is_from() -> None:
    rows: list[list[Scalar]] = [["(단위: 천원)"], ["지점", "수량(EA)", "금액"], ["강남", 1, 5], ["서초", 2, 6]]
    [table] = tables_of(Grid("s", dict(enumerate(rows))))
    said = [(d.region.left, d.says, d.because) for d in table.decisions if d.kind == "unit"]
    assert said == [(1, "EA", "the header '수량(EA)'"), (2, "천원", "the note '(단위: 천원)' in A1")]


def test_a_number_that_its_format_fills_up_with_zeros_is_a_code() -> None:
    rows: list[list[Scalar]] = [["지점코드", "금액"], [33, 100], [84, 200]]
    grid = Grid("s", dict(enumerate(rows)), looks=[Look(number_format="00000"), Look()])
    grid.styles = {1: [0, 1], 2: [0, 1]}
    [table] = tables_of(grid)
    assert [(c.type, c.values) for c in table.columns] == [("text", ["00033", "00084"]), ("number", [100, 200])]
    assert [show_number(33, f) for f in ("00000", "0", '0"월"', "0.00", "000%")] == [
        "00033",
        "33",
        "33월",
        "33",
        "3300%",
    ]


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (1208147521, "000-00-00000", "120-81-47521"),
        (1012345678, r"000\-00\-00000;@", "101-23-45678"),
        (5, '00"-"00', "00-05"),
        (1234567, "[<=9999999]###-####;(0##) ###-####", "123-4567"),
        (3112345678, "[<=9999999]###-####;(0##) ###-####", "(311) 234-5678"),
    ],
)
def test_digits_that_their_format_parts_by_dashes_are_a_code(value: int, number_format: str, text: str) -> None:
    assert show_number(value, number_format) == text
    assert shows_name(number_format)


@pytest.mark.parametrize("number_format", ["#,##0", "# ##0", "0.00", "#,##0_-", "-0", '0"-"', "yyyy-mm", "0 0"])
def test_other_formats_make_no_codes(number_format: str) -> None:
    assert not shows_name(number_format)


def test_number_formats_say_what_a_reader_sees() -> None:
    assert show_number(5, '0"월"') == "5월"
    assert show_number(0.123, "0.0%") == "12.3%"
    assert show_number(7, "000") == "007"
    assert shown('#,##0"원";[Red]-#,##0"원"').suffix == "원"
    assert shown("[$₩-412]#,##0").prefix == "₩"
    assert shown("0.0%").percent
    assert [shown(f).thousands for f in ("#,##0", "#,##0,", '#,##0,,"백만"')] == [0, 1, 2]
    import datetime as dt

    assert show_date(dt.date(2026, 5, 1), 'm"월"') == "5월"
    assert show_date(dt.date(2026, 5, 1), "yyyy-mm-dd") == "2026-05-01"
    assert show_date(dt.date(2026, 5, 1), "mm/dd") == "05/01"
