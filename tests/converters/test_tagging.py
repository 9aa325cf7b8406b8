from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from converters.errors import ContractBroken
from converters.model import Conversion
from converters.tagging import tag
from converters.tidy import LINEAGE, LOADED_AT
from tests.converters.by_hand import ABOUT, conversion, rule, table

SALES = table(
    ["일자", "지점코드", "지점", "수량", "금액(천원)"],
    [dt.datetime(2026, 1, 5), "00033", "강남점", 9, 1133],
    [dt.datetime(2026, 1, 6), "00084", "대구점", 29, 78.5],
    units={"금액(천원)": "천원"},
    labels=3,
)
RULE = """
columns:
  sale_date: {from: 일자, type: date, required: true}
  store_code: {from: 지점코드, pattern: "\\\\d{5}"}
  quantity: {from: 수량, type: integer, min: 0}
  amount: {from: 금액, type: decimal, unit: 원, min: 0}
unique: [sale_date, store_code]
"""


def rows_of(*tables, by, about=ABOUT):
    tidy = tag(conversion(*tables), rule(by), about)
    return tidy.table.select(list(rule(by).kinds())).to_pylist()


def broken(*tables, by, about=ABOUT):
    with pytest.raises(ContractBroken) as error:
        tag(conversion(*tables), rule(by), about)
    return error.value


def test_a_list_becomes_typed_scaled_rows_in_its_order():
    assert rows_of(SALES, by=RULE) == [
        {"sale_date": dt.date(2026, 1, 5), "store_code": "00033", "quantity": 9, "amount": Decimal(1133000)},
        {"sale_date": dt.date(2026, 1, 6), "store_code": "00084", "quantity": 29, "amount": Decimal(78500)},
    ]


def test_every_row_knows_its_file_sheet_row_and_cells():
    read = [name for name in LINEAGE if name != LOADED_AT]
    (first, _) = tag(conversion(SALES), rule(RULE), ABOUT).table.select(read).to_pylist()
    assert first == {
        "_item": "sales",
        "_period_start": dt.date(2026, 1, 1),
        "_period_end": dt.date(2026, 1, 31),
        "_part": "",
        "_sha256": "5ha",
        "_file": "매출_202601.xlsx",
        "_sheet": "매출",
        "_row": 2,
        "_cells": '{"amount": "E2", "quantity": "D2", "sale_date": "A2", "store_code": "B2"}',
        "_run_key": "hanbit-2026-01-05",
    }


def test_a_table_inside_an_archive_names_the_whole_path():
    about = replace(ABOUT, file="1월.zip")
    inner = replace(SALES, container=("1월.zip", "강남점.xlsx"))
    found = tag(conversion(inner), rule(RULE), about).table.column("_file").to_pylist()
    assert found == ["1월.zip/강남점.xlsx"] * 2


def test_decisions_say_what_was_taken_and_scaled():
    assert tag(conversion(SALES), rule(RULE), ABOUT).decisions == [
        "sheet '매출' A1:E3: taken",
        "sheet '매출' A1:E3: columns that no rule names, left out: '지점'",
        "amount: 천원 × 1000 = 원",
    ]


# which tables


def test_the_tables_of_several_sheets_are_one_below_the_other():
    by = "{columns: {store: {from: sheet}, item: {from: 품목}, quantity: {from: 수량, type: integer}}}"
    shops = [table(["품목", "수량"], ["TV", n], sheet=name, index=n) for n, name in enumerate(["강남점", "서초점"])]
    assert rows_of(*shops, by=by) == [
        {"store": "강남점", "item": "TV", "quantity": 0},
        {"store": "서초점", "item": "TV", "quantity": 1},
    ]


def test_a_table_without_the_headers_is_left_out_with_the_reason():
    memo = table(["담당", "연락처"], ["김", "02-1"], sheet="메모", index=1)
    tidy = tag(conversion(SALES, memo), rule(RULE), ABOUT)
    assert tidy.table.num_rows == 2
    (said,) = [d for d in tidy.decisions if "메모" in d]
    assert said.startswith("sheet '메모' A1:B2: left out, it has no header '일자' (sale_date), '지점코드' (store_code)")


PICKS = [("sheet: '매출*'", {"매출"}), ("title: '*일보'", {"메모"}), ("header: [비고]", {"메모"})]


@pytest.mark.parametrize(("pick", "sheets"), PICKS)
def test_the_rule_picks_tables_by_sheet_title_or_header(pick, sheets):
    headers = ["지점", "금액", "비고"]
    by = f"{{table: {{{pick}}}, columns: {{store: {{from: 지점}}}}}}"
    one = table(headers[:2], ["강남점", 1], title="2026년 1월 매출")
    other = table(headers, ["서초점", 2, "x"], sheet="메모", index=1, title="2026년 1월 매출 일보")
    found = tag(conversion(one, other), rule(by), ABOUT).table.column("_sheet").to_pylist()
    assert set(found) == sheets


def test_a_file_without_a_fitting_table_says_what_it_has_and_what_is_wanted():
    renamed = table(
        ["일 자", "지점코드", "지점", "수량", "매출금액"], [dt.date(2026, 1, 5), "00033", "강남점", 9, 1133], labels=3
    )
    error = broken(renamed, by=RULE)
    assert error.reason == (
        "no table has what the rule wants: sheet '매출' A1:E2: it has no header '금액' (amount), "
        "the nearest is '매출금액' at E1."
    )
    assert error.evidence["wanted"] == {
        "sale_date": ["일자"], "store_code": ["지점코드"], "quantity": ["수량"], "amount": ["금액"]
    }  # fmt: skip
    assert error.evidence["tables"][0]["headers"] == ["일 자", "지점코드", "지점", "수량", "매출금액"]
    json.dumps(error.evidence)


def test_a_file_without_tables_says_so():
    assert broken(by=RULE).reason == "'매출_202601.xlsx' has no table."


def test_a_sheet_that_lost_one_of_its_headers_is_refused_not_left_out():
    lost = replace(SALES, sheet="대구", columns=SALES.columns[:-1])
    assert "sheet '대구'" in broken(SALES, lost, by=RULE).reason
    assert "no header '금액' (amount)" in broken(SALES, lost, by=RULE).reason


def test_a_table_that_has_the_picked_headers_must_have_all_others():
    by = "{table: {header: [지점]}, columns: {store: {from: 지점}, amount: {from: 금액, type: decimal}}}"
    good, bad = table(["지점", "금액"], ["강남점", 1]), table(["지점", "금 앨"], ["서초점", 1], sheet="서초", index=1)
    assert "sheet '서초' A1:B2 has nearly all that the rule wants" in broken(good, bad, by=by).reason


def test_columns_that_no_rule_names_are_refused_if_the_rule_says_so():
    assert (
        "has columns that no rule names: '지점'" in broken(SALES, by=RULE + "changes: {new_column: quarantine}").reason
    )
    assert rows_of(SALES, by=RULE + "changes: {new_column: freeze}")


# which columns


@pytest.mark.parametrize(
    ("source", "letter"),
    [
        ("금액", "B"),
        ("금 액", "B"),
        ("금액(원)", "B"),
        ("/금액", "B"),
        ("전월/금액", "C"),
        ("전월/*", "C"),
        ("수량(당월)", "D"),
        ("수량(누계)", "E"),
        ("'수량?당월?'", "D"),
        ("AMOUNT", "F"),
        ("원가/kg", "G"),
        ("원가*", "G"),
        ("[없음, 금액, 수량]", "B"),
        ("title", None),
        ("/title", "H"),
    ],
)
def test_a_header_text_finds_its_column(source, letter):
    headers = ["지점", "금액(원)", "전월/금액", "수량(당월)", "수량(누계)", "Amount", "원가/kg", "title"]
    found = table(headers, ["강남점", 1, 2, 3, 4, 5, 6, 7])
    found.columns[6].path = ("원가/kg",)
    by = f"{{columns: {{value: {{from: {source}}}}}}}"
    (cells,) = tag(conversion(found), rule(by), ABOUT).table.column("_cells").to_pylist()
    assert json.loads(cells) == ({"value": f"{letter}3"} if letter else {})


def test_two_columns_that_fit_one_are_named_with_their_places():
    two = table(["지점", "당월/금액", "전월/금액"], ["강남점", 1, 2])
    error = broken(two, by="{columns: {amount: {from: 금액, type: decimal}}}")
    assert error.reason == "sheet '매출': two columns fit '금액' (amount): '당월/금액' at B1 and '전월/금액' at C1."
    assert "such as '당월/금액'" in error.remedy


def test_an_optional_column_may_be_missing():
    by = "{columns: {store: {from: 지점}, note: {from: 비고, optional: true}}}"
    assert rows_of(table(["지점"], ["강남점"]), by=by) == [{"store": "강남점", "note": None}]
    assert rows_of(table(["지점", "비고"], ["강남점", "신규"]), by=by) == [{"store": "강남점", "note": "신규"}]


def test_what_no_cell_gives_comes_from_the_file():
    by = """
    columns:
      day: {from: period, type: date}
      file: {from: file}
      month: {from: title, type: month}
      sheet: {from: sheet, codes: {강남: S01}}
      channel: {constant: 매장}
      item: {from: 품목}
    """
    found = table(["품목", "수량"], ["TV", 1], sheet="강남", title="2025년 12월 매출")
    assert rows_of(found, by=by) == [
        {"day": dt.date(2026, 1, 1), "file": "매출_202601.xlsx", "month": dt.date(2025, 12, 1), "sheet": "S01",
         "channel": "매장", "item": "TV"}
    ]  # fmt: skip
    error = broken(replace(found, sheet="강동"), by=by)
    assert error.reason == "강동 (sheet) is '강동'; allowed is one of the 1 texts in codes, such as '강남'."


# values


def test_all_cells_that_break_the_contract_are_listed_and_counted():
    rows = [["33" if i == 0 else "00033", "없음" if i == 1 else -i, "서울" if i < 29 else "제주"] for i in range(30)]
    by = """
    columns:
      store_code: {from: 지점코드, pattern: "\\\\d{5}"}
      amount: {from: 금액, type: decimal, min: 0}
      region: {from: 지역, allowed: [서울, 부산]}
    """
    error = broken(table(["지점코드", "금액", "지역"], *rows), by=by)
    assert error.reason.startswith("매출!A2 (store_code) is '33'; allowed is a text that fits")
    assert error.reason.endswith(", and 30 more cells break the contract.")
    assert error.evidence["count"] == 31
    assert [(c["cell"], c["value"], c["allowed"]) for c in error.evidence["cells"][:3]] == [
        ("A2", "'33'", r"a text that fits \d{5}"), ("B3", "'없음'", "a number"), ("B4", "-2", "at least 0")
    ]  # fmt: skip
    assert len(error.evidence["cells"]) == 20


@pytest.mark.parametrize(
    ("checks", "value", "allowed"),
    [
        ("required: true", None, "any value but none (required)"),
        ("type: integer, max: 5", 6, "at most 5"),
        ("type: integer", 1.5, "a whole number"),
        ("type: date", "2026-02-30", "a date, such as 2026-01-05"),
        ("allowed: [A, B]", "C", "one of A, B"),
        ("codes: {강남점: S01, 서초점: S02}", "강남 점포", "one of the 2 texts in codes, such as '강남점'"),
    ],
)
def test_a_refused_value_says_what_is_allowed(checks, value, allowed):
    found = table(["지점", "값"], ["x", value])
    by = f"{{columns: {{store: {{from: 지점}}, value: {{from: 값, {checks}}}}}}}"
    (cell,) = broken(found, by=by).evidence["cells"]
    assert (cell["cell"], cell["column"], cell["allowed"]) == ("B2", "value", allowed)


def test_codes_replace_what_is_written_and_ignore_white_space():
    by = "{columns: {store: {from: 지점, codes: {강남점: S01, '33': S33}}}}"
    found = table(["지점", "수량"], ["강남 점", 1], ["33", 1], [None, 2])
    assert [r["store"] for r in rows_of(found, by=by)] == ["S01", "S33"]


def test_rows_that_share_the_unique_columns_name_each_other():
    error = broken(
        table(["지점", "금액"], ["강남점", 1], ["서초점", 2], ["강남점", 3]),
        by="{columns: {store: {from: 지점}}, unique: [store]}",
    )
    assert error.reason == (
        "매출!A4 (store) is '강남점'; allowed is no second row of these (unique): row 2 of sheet '매출' has them."
    )


def test_a_cell_error_of_a_broken_formula_is_refused_and_one_of_no_result_is_no_value():
    found = table(["지점", "달성률"], ["강남점", None], ["서초점", None], ["분당점", 0.5])
    found.errors = {(1, 1): "#DIV/0!", (2, 1): "#REF!"}
    by = "{columns: {store: {from: 지점}, rate: {from: 달성률, type: number}}}"
    (cell,) = broken(found, by=by).evidence["cells"]
    assert (cell["cell"], cell["value"], cell["allowed"]) == ("B3", "#REF!", "a number, not a cell error")
    del found.errors[2, 1]
    tidy = tag(conversion(found), rule(by), ABOUT)
    assert tidy.table.column("rate").to_pylist() == [None, 0.5]
    assert "rate: no value where the sheet has an error: B2 #DIV/0!" in tidy.decisions
    required = by.replace("type: number", "type: number, required: true")
    assert broken(found, by=required).evidence["cells"][0]["value"] == "#DIV/0!"


def test_a_released_file_passes_and_says_what_was_accepted():
    found = table(["지점", "금액", "코드"], ["강남점", "없음", "x"], ["강남점", -1, "a"])
    by = """
    columns:
      store: {from: 지점}
      amount: {from: 금액, type: decimal, min: 0}
      code: {from: 코드, codes: {a: A}}
    unique: [store]
    """
    tidy = tag(conversion(found), rule(by), replace(ABOUT, accept=True))
    assert tidy.table.select(["store", "amount", "code"]).to_pylist() == [
        {"store": "강남점", "amount": None, "code": "x"},
        {"store": "강남점", "amount": Decimal(-1), "code": "A"},
    ]
    assert sum(d.startswith("accepted by a person: 매출!") for d in tidy.decisions) == 4


def test_a_release_does_not_make_kilograms_won():
    by = "{columns: {store: {from: 지점}, amount: {from: 금액, type: decimal, unit: 원}}}"
    broken(table(["지점", "금액"], ["강남점", 1], units={"금액": "kg"}), by=by, about=replace(ABOUT, accept=True))


# rows


def test_blank_rows_and_rows_of_labels_only_are_dropped_and_counted():
    found = table(["지점", "금액"], ["■ 수도권", None], ["강남점", 1], [None, None], ["서초점", None])
    by = "{columns: {store: {from: 지점}, amount: {from: 금액, type: decimal}}}"
    tidy = tag(conversion(found), rule(by), ABOUT)
    assert tidy.table.column("store").to_pylist() == ["강남점"]
    assert "sheet '매출': 3 rows dropped, which have labels only" in tidy.decisions


def test_a_row_without_its_required_amount_is_refused_not_dropped():
    found = table(["지점", "금액"], ["강남점", 1], ["서초점", None], [None, None])
    by = "{columns: {store: {from: 지점}, amount: {from: 금액, type: decimal, required: true}}}"
    assert broken(found, by=by).evidence["cells"][0]["cell"] == "B3"
    assert broken(found, by=by).evidence["count"] == 1


def test_a_row_whose_amounts_are_dashes_stays():
    found = table(["지점", "금액"], ["강남점", 1], ["서초점", None])
    found.nulls = {(2, 1): "-"}
    by = "{columns: {store: {from: 지점}, amount: {from: 금액, type: decimal}}}"
    assert [r["store"] for r in rows_of(found, by=by)] == ["강남점", "서초점"]


def test_a_table_of_texts_keeps_its_rows():
    by = "{columns: {store: {from: 지점}, phone: {from: 전화}}}"
    assert len(rows_of(table(["지점", "전화"], ["강남점", None], ["서초점", "02-1"]), by=by)) == 2


def test_an_outer_label_that_no_cell_of_its_row_holds_has_no_address():
    found = table(["구분", "지점", "금액"], ["수도권", "강남점", 1], labels=2)
    found.columns[0].derived = True
    by = "{columns: {region: {from: 구분, required: true}, store: {from: 지점}, amount: {from: 금액, type: decimal}}}"
    (cells,) = tag(conversion(found), rule(by), ABOUT).table.column("_cells").to_pylist()
    assert json.loads(cells) == {"store": "B2", "amount": "C2"}


def test_no_row_is_a_tidy_table_of_no_rows():
    empty = table(["일자", "지점코드", "지점", "수량", "금액"])
    tidy = tag(Conversion("a.csv", "s", "csv", "ok", [empty]), rule(RULE), ABOUT)
    assert tidy.table.num_rows == 0


# units


def test_a_cell_that_states_its_own_unit_is_scaled_by_that():
    found = table(["지점", "금액"], ["강남점", 5], ["서초점", 5], units={"금액": "천원"})
    found.cell_units = {(2, 1): "백만원"}
    by = "{columns: {store: {from: 지점}, amount: {from: 금액, type: integer, unit: 원}}}"
    assert [r["amount"] for r in rows_of(found, by=by)] == [5_000, 5_000_000]


def test_a_file_without_a_unit_counts_as_in_the_wanted_or_the_assumed_one():
    found = table(["지점", "금액"], ["강남점", 5])
    by = "{columns: {amount: {from: 금액, type: integer, unit: 원}}}"
    tidy = tag(conversion(found), rule(by), ABOUT)
    assert tidy.table.column("amount").to_pylist() == [5]
    assert "amount: '금액' at B1 states no unit, taken as 원" in tidy.decisions
    assumed = by.replace("unit: 원", "unit: 원, assume_unit: 천원")
    assert [r["amount"] for r in rows_of(found, by=assumed)] == [5000]
    stated = table(["지점", "금액"], ["강남점", 5], units={"금액": "원"})
    assert [r["amount"] for r in rows_of(stated, by=assumed)] == [5]


def test_a_unit_of_another_kind_is_refused_with_both():
    found = table(["지점", "금액"], ["강남점", 5], units={"금액": "kg"})
    error = broken(found, by="{columns: {amount: {from: 금액, type: integer, unit: 원}}}")
    assert error.reason == (
        "sheet '매출': amount, from '금액' at B1: the file says 'kg' and the rule wants '원': "
        "they measure weight and won."
    )


def test_a_rate_is_a_share_unless_its_header_speaks_of_percent():
    by = "{columns: {rate: {from: 달성률, type: decimal, unit: '%'}}}"
    assert [r["rate"] for r in rows_of(table(["지점", "달성률"], ["강남점", 0.807]), by=by)] == [Decimal("80.7")]
    doubtful = table(["지점", "달성률(%)"], ["강남점", 80.7])
    assert "a cell may show 0.5 as 50%" in broken(doubtful, by=by).reason
    assumed = by.replace("unit: '%'", "unit: '%', assume_unit: '%'")
    assert [r["rate"] for r in rows_of(doubtful, by=assumed)] == [Decimal("80.7")]
