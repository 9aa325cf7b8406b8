from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from converters.errors import ContractBroken
from converters.periods import Period
from converters.tagging import tag
from tests.converters.by_hand import ABOUT, conversion, rule, table

MONTHS = """
columns: {store: {from: 지점, required: true}}
unpivot: {over: "*월", into: month, type: month, value: amount, unit: 원}
"""
PAIRS = """
columns:
  store: {from: 지점}
  plan: {from: 계획, type: decimal}
  actual: {from: 실적, type: decimal}
unpivot: {over: "*월", into: month, type: month}
"""


def rows_of(found, by):
    tidy = tag(conversion(found), rule(by), ABOUT)
    return [tuple(row.values()) for row in tidy.table.select(list(rule(by).kinds())).to_pylist()]


def refused(found, by):
    with pytest.raises(ContractBroken) as error:
        tag(conversion(found), rule(by), ABOUT)
    return error.value


def month(number, year=2026):
    return dt.date(year, number, 1)


def test_a_crosstab_becomes_a_row_for_each_cell_in_reading_order():
    found = table(["지점", "1월", "2월"], ["강남점", 1, 2], ["서초점", 3, 4], units={"1월": "천원", "2월": "천원"})
    assert rows_of(found, MONTHS) == [
        ("강남점", month(1), Decimal(1000)),
        ("강남점", month(2), Decimal(2000)),
        ("서초점", month(1), Decimal(3000)),
        ("서초점", month(2), Decimal(4000)),
    ]
    cells = tag(conversion(found), rule(MONTHS), ABOUT).table.column("_cells").to_pylist()
    assert [json.loads(c) for c in cells][1] == {"amount": "C2", "store": "A2"}


def test_what_is_left_of_a_two_level_header_names_the_columns():
    found = table(["지점", "1월/계획", "1월/실적", "2월/계획", "2월/실적"], ["강남점", 1, 2, 3, 4])
    assert rows_of(found, PAIRS) == [("강남점", 1, 2, month(1)), ("강남점", 3, 4, month(2))]
    measures_first = table(["지점", "계획/1월", "계획/2월", "실적/1월", "실적/2월"], ["강남점", 1, 3, 2, 4])
    assert rows_of(measures_first, PAIRS) == rows_of(found, PAIRS)


def test_a_year_over_the_months_belongs_to_them():
    found = table(["지점", "2025년/12월", "2026년/12월"], ["강남점", 1, 2])
    assert rows_of(found, MONTHS) == [("강남점", month(12, 2025), 1), ("강남점", month(12), 2)]


def test_a_title_over_all_months_is_no_part_of_the_value():
    found = table(["지점", "월별 매출/1월", "월별 매출/2월"], ["강남점", 1, 2])
    assert rows_of(found, MONTHS) == [("강남점", month(1), 1), ("강남점", month(2), 2)]


def test_days_are_completed_with_the_period_or_the_month_over_them():
    by = MONTHS.replace("*월", "*일").replace("month, type: month", "day, type: date")
    found = table(["지점", "1일", "31일"], ["강남점", 1, 2])
    assert [r[1] for r in rows_of(found, by)] == [dt.date(2026, 1, 1), dt.date(2026, 1, 31)]
    nested = table(["지점", "1월/31일", "2월/1일"], ["강남점", 1, 2])
    assert [r[1] for r in rows_of(nested, by)] == [dt.date(2026, 1, 31), dt.date(2026, 2, 1)]


def test_headers_may_be_texts_without_their_unit():
    by = "{columns: {item: {from: 품목}}, unpivot: {over: '*점', into: store, value: sales}}"
    found = table(["품목", "강남점(천원)", "서초점(천원)"], ["TV", 1, 2])
    assert [r[1] for r in rows_of(found, by)] == ["강남점", "서초점"]


def test_empty_cells_make_no_row():
    found = table(["지점", "1월", "2월", "3월"], ["강남점", 1, None, "-"], ["서초점", None, 4, None])
    found.nulls = {(2, 3): "-"}
    assert [r[:2] for r in rows_of(found, MONTHS)] == [("강남점", month(1)), ("서초점", month(2))]


def test_totals_are_no_values():
    found = table(["지점", "1월", "2월", "합계"], ["강남점", 1, 2, 3], ["서초점", 3, 4, 7], ["합계", 4, 6, 10])
    assert len(rows_of(found, MONTHS.replace("*월", "*"))) == 4


def test_a_column_that_the_rule_names_is_no_value():
    by = MONTHS.replace("columns: {", "columns: {before: {from: 전월, type: decimal}, ")
    found = table(["지점", "전월", "1월", "2월"], ["강남점", 9, 1, 2])
    assert rows_of(found, by) == [(9, "강남점", month(1), 1), (9, "강남점", month(2), 2)]


def test_a_header_that_fits_the_glob_but_is_no_month_is_refused():
    error = refused(table(["지점", "전월", "1월"], ["강남점", 9, 1]), MONTHS)
    assert error.reason == "매출 (month) is '전월'; allowed is a month, such as 2026-05 or 5월."
    by = MONTHS.replace('"*월"', "[1월, 2월]")
    assert rows_of(table(["지점", "전월", "1월"], ["강남점", 9, 1]), by) == [("강남점", month(1), 1)]


def test_a_month_that_the_items_period_has_twice_is_that_of_the_tables_own():
    about = replace(ABOUT, period_start=dt.date(2025, 1, 1), period_end=dt.date(2026, 12, 31))
    found = table(["지점", "5월", "6월"], ["강남점", 1, 2])
    with pytest.raises(ContractBroken, match="allowed is a month"):
        tag(conversion(found), rule(MONTHS), about)
    found.period = Period(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    assert tag(conversion(found), rule(MONTHS), about).table.column("month").to_pylist() == [month(5), month(6)]


def test_a_measure_that_one_month_lacks_is_refused_unless_it_is_optional():
    found = table(["지점", "1월/계획", "1월/실적", "2월/계획"], ["강남점", 1, 2, 3])
    error = refused(found, PAIRS)
    assert error.reason.startswith(
        "sheet '매출': there is no '실적' (actual) under '2월', though there is one under '1월'"
    )
    optional = PAIRS.replace("from: 실적,", "from: 실적, optional: true,")
    assert rows_of(found, optional) == [("강남점", 1, 2, month(1)), ("강남점", 3, None, month(2))]


def test_two_columns_under_one_value_are_refused_if_one_is_wanted():
    found = table(["지점", "1월/계획", "1월/실적"], ["강남점", 1, 2])
    error = refused(found, MONTHS)
    assert "amount is one column under '1월', but there are '1월/계획' at B1 and '1월/실적' at C1" in error.reason
    assert "from: 계획" in error.remedy


def test_a_header_twice_is_refused():
    assert "one column under '1월'" in refused(table(["지점", "1월", "1월"], ["강남점", 1, 2]), MONTHS).reason


def test_a_table_without_such_headers_is_left_out():
    error = refused(table(["지점", "금액"], ["강남점", 1]), MONTHS)
    assert "it has no header that fits '*월' (unpivot.over)" in error.reason


def test_an_offending_cell_is_named_once_and_by_its_own_column():
    found = table(["지점", "1월", "2월"], ["강남점", 1, "x"], [None, 3, 4])
    cells = refused(found, MONTHS).evidence["cells"]
    assert [(c["cell"], c["column"]) for c in cells] == [("C2", "amount"), ("A3", "store")]
