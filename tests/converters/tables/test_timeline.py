"""The periods of tables, columns and rows, and what says so."""

from __future__ import annotations

import datetime as dt

import pytest

from converters.grid import Grid, Look
from converters.model import Column, Range, Scalar, Table
from converters.tables.timeline import row_period, set_periods
from converters.tables.understand import tables_of

BODY: list[list[Scalar]] = [["강남", 10, 1000], ["서초", 20, 2000]]


def read(*rows: list[Scalar], sheet: str = "Sheet1", file: str = "a.xlsx") -> Table:
    [table] = tables_of(Grid(sheet, dict(enumerate(rows))))
    table.decisions = set_periods(table, file)
    return table


def across(table: Table) -> list[str]:
    return [str(c.period) for c in table.columns if c.role == "value"]


@pytest.mark.parametrize(
    ("title", "sheet", "file", "says", "by"),
    [
        ("2026년 1월 매출일보", "Sheet1", "a.xlsx", "2026-01", "title"),
        ("매출일보 (26.01.15)", "Sheet1", "a.xlsx", "2026-01-15", "title"),
        ("Sales 2026", "Sheet1", "a.xlsx", "2026", "title"),
        ("매출일보", "2026년 1월", "매출_202602.xlsx", "2026-01", "sheet"),
        ("매출일보", "Sheet1", "매출_202601.xlsx", "2026-01", "file"),
        ("매출일보", "Sheet1", "매출_202601_20260205.xlsx", "2026-01", "file"),
        ("매출일보", "Sheet1", "손익_FY2025.xlsx", "2025", "file"),
        ("1월 매출일보", "Sheet1", "매출_20260205.xlsx", "2026-01", "title"),
        ("매출일보", "1월", "2026년 매출.xlsx", "2026-01", "sheet"),
        ("2026년 매출", "1월", "a.xlsx", "2026-01", "sheet"),
        ("2026년 월별 매출", "1월", "a.xlsx", "2026", "title"),
        ("주간보고 (2026.01.05~01.09)", "Sheet1", "a.xlsx", "2026-01-05 to 2026-01-09", "title"),
        ("売上実績 令和8年1月", "Sheet1", "a.xlsx", "2026-01", "title"),
    ],
)
def test_a_table_says_its_period_by_the_nearest_that_names_one(
    title: str, sheet: str, file: str, says: str, by: str
) -> None:
    table = read([title], ["지점", "수량", "금액"], *BODY, sheet=sheet, file=file)
    assert str(table.period) == says
    assert f"the {by}" in table.decisions[0].because
    assert 0 < table.decisions[0].confidence < 1


def test_when_it_was_written_is_not_what_a_table_speaks_of() -> None:
    notes: list[list[Scalar]] = [["매출"], ["출력일시: 2026-02-03 09:30"], ["조회기간: 2026.01.01 ~ 2026.01.31"]]
    assert str(read(*notes, ["지점", "수량", "금액"], *BODY).period) == "2026-01"
    assert read(*notes[:2], ["지점", "수량", "금액"], *BODY).period is None


def test_columns_are_completed_by_the_table() -> None:
    table = read(["매출 (2026년 1월)"], ["지점", "당월", "전월", "전년동월", "누계", "증감"], ["강남", 1, 2, 3, 4, 5])
    assert across(table) == ["2026-01", "2025-12", "2025-01", "2026-01 (to date)", "None"]
    table = read(
        ["매출"],
        ["지점", "2025년", None, "2026년", None],
        [None, "1분기", "2분기", "1분기", "2분기"],
        ["가", 1, 2, 3, 4],
    )
    assert across(table) == ["2025 Q1", "2025 Q2", "2026 Q1", "2026 Q2"]
    assert str(table.period) == "2025-01-01 to 2026-06-30"


def test_numbers_across_are_months_of_a_year_and_days_of_a_month() -> None:
    months = [["지점", *range(1, 13)], ["강남", *range(100, 112)], ["서초", *range(200, 212)]]
    assert across(read(["2026년 매출"], *months))[::11] == ["2026-01", "2026-12"]
    days = [["성명", *range(1, 32)], ["김", *range(100, 131)], ["이", *range(200, 231)]]
    assert across(read(["2026년 1월 출근"], *days))[::30] == ["2026-01-01", "2026-01-31"]
    assert across(read(["출근"], *days))[0] == "None"


def test_numbers_below_years_are_months_or_quarters() -> None:
    months = [["지점", "2025년", None, "2026년", None], [None, 11, 12, 1, 2], ["가", 5, 6, 7, 8], ["나", 6, 7, 8, 9]]
    assert across(read(["매출"], *months)) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    quarters = [["지점", "2025년", *[None] * 3, "2026년"], [None, 1, 2, 3, 4, 1], ["가", 5, 6, 7, 8, 9]]
    assert across(read(["매출"], *quarters)) == ["2025 Q1", "2025 Q2", "2025 Q3", "2025 Q4", "2026 Q1"]


def test_a_month_over_years_is_that_month_of_each() -> None:
    rows = [["지점", "1월", None, "2월", None], [None, *["2025년", "2026년"] * 2], ["가", 5, 6, 7, 8]]
    assert across(read(["매출"], *rows)) == ["2025-01", "2026-01", "2025-02", "2026-02"]


def test_business_terms_are_dated_by_what_stands_beside_one() -> None:
    notes: list[list[Scalar]] = [["재무상태표"], ["제12기 2025년 12월 31일 현재"]]
    table = read(*notes, ["과목", "제12기(당)", "제11기(전)"], *BODY)
    assert across(table) == ["as of 2025-12-31", "as of 2024-12-31"]


def test_electricity_is_no_period() -> None:
    assert across(read(["2026년 경비"], ["부서", "전기", "수도"], *BODY)) == ["None", "None"]
    assert across(read(["2026년 손익"], ["과목", "당기", "전기"], *BODY)) == ["2026", "2025"]


def test_without_a_year_there_is_no_guess() -> None:
    table = read(["매출"], ["지점", "1월", "2월"], *BODY)
    assert (table.period, across(table)) == (None, ["None", "None"])
    assert table.decisions == []


def test_rows_say_their_periods() -> None:
    def rows(*given: list[Scalar]) -> list[str]:
        table = read(*given)
        return [str(row_period(table, position)) for position in range(len(table.rows))]

    years: list[list[Scalar]] = [["2025년", "1월", 1], [None, "2월", 2], ["2026년", "1월", 3], [None, "2월", 4]]
    assert rows(["매출"], ["연도", "월", "금액"], *years) == ["2025-01", "2025-02", "2026-01", "2026-02"]
    assert rows(["2026년"], ["월", "수량"], [1, 10], [2, 20], [3, 30]) == ["2026-01", "2026-02", "2026-03"]
    assert rows(["2026년 1월"], ["일자", "수량"], ["1/1", 10], ["1/2", 20]) == ["2026-01-01", "2026-01-02"]
    assert rows(["2026년 1월"], ["지점", "수량", "금액"], *BODY) == ["None", "None"]
    dates: list[list[Scalar]] = [["2026-01-05", "001", "가", 1], ["2026-01-05", "002", "나", 2]]
    assert rows(["일자", "코드", "이름", "금액"], *dates) == ["2026-01-05"] * 2


def test_each_decision_says_what_it_is_by() -> None:
    table = read(["2026년 매출"], ["지점", "1월", "2월"], *BODY)
    said = [(d.kind, d.says, d.because) for d in table.decisions]
    assert said[0] == ("period", "2026", "the title '2026년 매출'")
    assert said[1] == ("period", "2026-01", "the header '1월', beside 2026")


def test_a_table_without_rows_speaks_of_no_periods_of_rows() -> None:
    column = Column(0, ("일자",), "null", [], role="label")
    table = Table("Sheet1", 0, Range(0, 0, 0, 0), [column], [], [], title="2026년 1월 매출")
    assert [d.says for d in set_periods(table)] == ["2026-01"]


@pytest.mark.parametrize(
    ("number_format", "path", "says"),
    [
        ('m"월"', ["12월", "1월"], ["2025-12", "2026-01"]),
        ("m/d(aaa)", ["12/1(월)", "1/5(월)"], ["2025-12-01", "2026-01-05"]),
        ('yyyy"년"', ["2025년", "2026년"], ["2025", "2026"]),
    ],
)
def test_a_header_that_is_a_date_says_its_year_though_it_is_not_shown(
    number_format: str, path: list[str], says: list[str]
) -> None:
    head: list[Scalar] = ["지점", dt.date(2025, 12, 1), dt.date(2026, 1, 5)]
    grid = Grid("Sheet1", dict(enumerate([head, *BODY])), looks=[Look(number_format=number_format), Look()])
    grid.styles = {0: [1, 0, 0]}
    [table] = tables_of(grid)
    set_periods(table, "a.xlsx")
    assert [c.path[-1] for c in table.columns if c.role == "value"] == path
    assert across(table) == says
