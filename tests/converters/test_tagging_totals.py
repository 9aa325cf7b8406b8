from __future__ import annotations

import pytest

from converters.errors import ContractBroken
from converters.tagging import tag
from tests.converters.by_hand import ABOUT, conversion, rule, table

RULE = """
columns:
  region: {from: 지역}
  store: {from: 지점}
  quantity: {from: 수량, type: integer}
  amount: {from: 금액, type: decimal, unit: 원}
"""
HEADERS = ["지역", "지점", "수량", "금액"]
ROWS = [
    ["수도권", "강남점", 18, 9_649_656],
    ["수도권", "서초점", 98, 1_158_756],
    ["수도권", "소계", 116, 10_808_412],
    ["충청권", "대전점", 49, 3_622_457],
    ["충청권", "소계", 49, 3_622_457],
    ["총계", None, 165, 14_430_869],
]


def by_region(changed=None, units=None):
    rows = [list(row) for row in ROWS]
    for (row, column), value in (changed or {}).items():
        rows[row][column] = value
    return table(HEADERS, *rows, labels=2, units=units)


def tagged(found, by=RULE):
    return tag(conversion(found), rule(by), ABOUT)


def refused(found, by=RULE):
    with pytest.raises(ContractBroken) as error:
        tagged(found, by)
    return [(c["cell"], c["column"], c["allowed"]) for c in error.value.evidence["cells"]]


def test_proved_totals_are_dropped_and_counted():
    tidy = tagged(by_region())
    assert tidy.table.column("store").to_pylist() == ["강남점", "서초점", "대전점"]
    assert (
        "sheet '매출' A1:D7: 3 subtotal rows and 0 subtotal columns dropped: 6 figures proved to be sums"
        in tidy.decisions
    )


def test_a_false_total_is_refused_with_its_cell_and_the_difference():
    assert refused(by_region({(5, 3): 14_430_870})) == [
        ("D7", "amount", "the sum of its cells, 14,430,869 (the difference is 1)")
    ]
    assert refused(by_region({(2, 2): 118})) == [("C4", "quantity", "the sum of its cells, 116 (the difference is 2)")]


def test_a_false_cell_shows_in_every_total_over_it():
    cells = [cell for cell, *_ in refused(by_region({(0, 3): 9_649_650}))]
    assert cells == ["D4", "D7"]


def test_a_total_without_figures_needs_no_proof():
    tagged(by_region({(2, 2): None, (2, 3): None}))


@pytest.mark.parametrize("how", ["drop", "keep"])
def test_the_rule_may_ask_for_no_proof(how):
    tidy = tagged(by_region({(5, 3): 1}), RULE + f"subtotals: {how}")
    assert tidy.table.num_rows == (3 if how == "drop" else 6)


def test_kept_totals_keep_the_text_that_names_them():
    found = table(["지점", "수량"], ["강남점", 1], [None, 1])
    found.row_subtotal, found.captions = [False, True], {(2, 0): "합계"}
    by = "{columns: {store: {from: 지점}, quantity: {from: 수량, type: integer}}, subtotals: keep}"
    assert tagged(found, by).table.column("store").to_pylist() == ["강남점", "합계"]


def test_totals_above_their_rows_are_proved():
    tidy = tagged(table(HEADERS, ROWS[5], ROWS[2], *ROWS[:2], ROWS[4], ROWS[3], labels=2))
    assert tidy.table.num_rows == 3


def test_totals_of_three_levels_are_proved():
    rows = []
    for city in ("서울", "부산"):
        for shop in ("가", "나"):
            rows += [
                [f"{city} {shop}", "a", 1, 10],
                [f"{city} {shop}", "b", 2, 20],
                [f"{city} {shop} 소계", None, 3, 30],
            ]
        rows.append([f"{city} 계", None, 6, 60])
    rows.append(["총계", None, 12, 120])
    assert tagged(table(HEADERS, *rows, labels=2)).table.num_rows == 8
    rows[-2][3] = 61
    assert refused(table(HEADERS, *rows, labels=2)) == [
        ("D15", "amount", "the sum of its cells, 60 (the difference is 1)")
    ]


def test_the_total_of_a_label_is_the_sum_of_its_rows_wherever_they_stand():
    rows = [
        ["TV", "가", 1, 10],
        ["냉장고", "가", 2, 20],
        ["TV", "나", 4, 40],
        ["TV 계", None, 5, 50],
        ["냉장고 계", None, 2, 20],
    ]
    assert tagged(table(HEADERS, *rows, labels=2)).table.num_rows == 3
    rows[3][2] = 6
    assert [cell for cell, *_ in refused(table(HEADERS, *rows, labels=2))] == ["C5"]


def test_figures_in_thousands_may_be_off_by_their_rounding_and_no_more():
    rows = [["수도권", f"{n}호점", 1, 1] for n in range(9)]
    by = RULE.replace("unit: 원", "unit: 원")
    for total, fine in ((12, True), (14, False)):
        found = table(HEADERS, *rows, ["합계", None, 9, total], labels=2, units={"금액": "천원"})
        if fine:
            assert tagged(found, by).table.num_rows == 9
        else:
            assert [cell for cell, *_ in refused(found, by)] == ["D11"]


def test_a_float_is_not_wrong_for_its_last_bits():
    rows = [["수도권", f"{n}호점", 1, 0.1] for n in range(10)]
    assert sum(row[3] for row in rows) != 1.0
    tagged(table(HEADERS, *rows, ["합계", None, 10, sum(row[3] for row in rows)], labels=2))


@pytest.mark.parametrize("header", ["달성률", "단가", "평균 체류", "unit price", "비중(%)"])
def test_rates_and_prices_do_not_add_up(header):
    by = f"{{columns: {{store: {{from: 지점}}, value: {{from: '{header}', type: decimal}}}}}}"
    tagged(table(["지점", header], ["강남점", 5], ["서초점", 7], ["합계", 6]), by)


def test_a_rule_may_say_that_a_column_does_not_add_up():
    by = "{columns: {store: {from: 지점}, level: {from: 수위, type: decimal}}}"
    found = table(["지점", "수위"], ["강남점", 5], ["서초점", 7], ["합계", 7])
    assert refused(found, by)
    tagged(found, by.replace("type: decimal", "type: decimal, additive: false"))


def test_a_running_total_from_before_the_table_has_no_proof_and_is_said_so():
    tidy = tagged(table(HEADERS, *ROWS[:2], ["누계", None, 900, 99_000_000], labels=2))
    assert any("no proof for row 4 (누계)" in d for d in tidy.decisions)


def test_columns_that_sum_up_others_are_proved():
    headers = ["지점", "1월", "2월", "소계", "3월", "4월", "합계"]
    by = "{columns: {store: {from: 지점}}, unpivot: {over: '?월', into: month, type: month, value: amount}}"
    rows = [[f"{n}호점", n, 2, n + 2, 3, 4, n + 9] for n in range(5)]
    assert tagged(table(headers, *rows), by).table.num_rows == 20
    rows[3][6] = 13
    assert refused(table(headers, *rows), by) == [("G5", "합계", "the sum of its cells, 12 (the difference is 1)")]


def test_totals_of_two_level_headers_are_proved_by_their_like():
    headers = ["지점", "1월/계획", "1월/실적", "2월/계획", "2월/실적", "합계/계획", "합계/실적"]
    by = """
    columns: {store: {from: 지점}, plan: {from: 계획, type: decimal}, actual: {from: 실적, type: decimal}}
    unpivot: {over: "*월", into: month, type: month}
    """
    rows = [[f"{n}호점", n, 2, 3, 4, n + 3, 6] for n in range(5)]
    assert tagged(table(headers, *rows), by).table.num_rows == 10
    rows[1][6] = 7
    assert [cell for cell, *_ in refused(table(headers, *rows), by)] == ["G4"]
    inner = ["지점", "1월/신규", "1월/재방문", "1월/계", "2월/신규", "2월/재방문", "2월/계"]
    by = by.replace("계획", "신규").replace("실적", "재방문")
    assert tagged(table(inner, *[["가", 1, 2, 3, 4, 5, 9], ["나", 1, 1, 2, 1, 1, 2]]), by).table.num_rows == 4


def test_a_total_column_of_something_else_is_not_proved_and_said_so():
    tidy = tagged(table([*HEADERS, "합계"], *[["가", f"{n}", n, n, 77] for n in range(4)], labels=2))
    assert any("no proof for column '합계'" in d for d in tidy.decisions)
