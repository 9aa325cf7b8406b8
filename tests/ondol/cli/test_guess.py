from __future__ import annotations

import datetime as dt

import pytest

from converters.model import Column, Range, Table
from ondol.cli import guess
from ondol.config.pattern import match_name


def table(columns: list[Column], totals: list[bool] | None = None, title: str | None = None) -> Table:
    rows = len(columns[0].values)
    region = Range(0, 0, rows, len(columns) - 1)
    return Table("Sheet1", 0, region, columns, list(range(1, rows + 1)), totals or [False] * rows, title)


def label(path, values, index=0):
    return Column(index, path, "text", values, role="label")


@pytest.mark.parametrize(
    ("file", "glob", "grain", "id"),
    [
        ("매출일보_20260105.xlsx", "매출일보_{yyyymmdd}*.xlsx", "day", "sales_daily"),
        ("매출일보_20260105(수정).xlsx", "매출일보_{yyyymmdd}*.xlsx", "day", "sales_daily"),
        ("매출일보_20260105 - 복사본.xlsx", "매출일보_{yyyymmdd}*.xlsx", "day", "sales_daily"),
        ("2026-01-05 재고현황.xls", "{yyyy-mm-dd} 재고현황*.xls", "day", "stock_status"),
        ("재고 202601_v2.csv", "재고 {yyyymm}*.csv", "month", "stock"),
        ("생산실적 260105.xls", "생산실적 {yymmdd}*.xls", "day", "produced_actual"),
        ("2026년 1월 외래.xlsx", "{yyyy}년 {m}월 외래*.xlsx", "month", "oerae"),
        ("26년1월5일 입고.xlsx", "{yy}년{m}월{d}일 입고*.xlsx", "day", "received"),
        ("목표_2026.xlsx", "목표_{yyyy}*.xlsx", "year", "target"),
        ("[본사] 단가표.xlsx", "[[]본사] 단가표*.xlsx", None, "bonsa_dangapyo"),
        ("{a}*?.csv", "?a?[*][?]*.csv", None, "a_data"),
        ("....csv", "...*.csv", None, "item"),
        ("select_20260105.csv", "select_{yyyymmdd}*.csv", "day", "select_co"),
        ("전화 01012345678.csv", "전화 01012345678*.csv", None, "jeonhwa_01012345678"),
    ],
)
def test_a_file_name_becomes_a_pattern_that_fits_it(file, glob, grain, id):
    name = guess.name_of(file)
    assert (name.glob, name.grain, guess._id(name.stem, set())) == (glob, grain, id)
    assert match_name(name.glob, file)


def test_a_flat_table_gives_columns_types_units_and_a_key():
    flat = table([
        label(("지점코드",), ["0101", "0102"]),
        Column(1, ("품목",), "text", ["귤", "귤"]),
        Column(2, ("수량(EA)",), "number", [1, 2], unit="EA"),
        Column(3, ("금액",), "number", [1000, 2000], unit="원"),
        Column(4, ("합계",), "number", [1000, 2000], subtotal=True),
    ])  # fmt: skip
    item = guess.item_of("매출_20260105.csv", [flat], {"sales"})
    assert item.id == "sales_2"
    assert [(c.name, c.source, c.type, c.unit, c.required) for c in item.columns] == [
        ("date", "period", "date", None, True),
        ("store_code", "지점코드", "text", None, True),
        ("product", "품목", "text", None, False),
        ("quantity", "수량(EA)", "integer", "EA", False),
        ("amount", "금액", "decimal", "원", False),
    ]
    assert item.unique == ["date", "store_code"]
    assert item.header == ["지점코드", "품목", "수량"]


def test_rows_that_say_their_date_need_no_period_column():
    dates = [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]
    item = guess.item_of(
        "x.csv", [table([Column(0, ("일자",), "date", dates), label(("지점",), ["a", "a"], 1)])], set()
    )
    assert [(c.name, c.type) for c in item.columns] == [("date", "date"), ("store", "text")]
    assert (item.period, item.unique) == ("run", ["store", "date"])


def test_months_in_the_header_become_rows():
    months = [Column(n, (f"{n}월",), "number", [n, 2 * n], unit="천원") for n in range(1, 13)]
    total = Column(13, ("합계",), "number", [78, 156], subtotal=True)
    item = guess.item_of(
        "목표_2026.xlsx",
        [table([label(("지점명",), ["강남", "마포"]), *months, total], title="2026년 매출목표")],
        set(),
    )
    assert item.unpivot == {"over": "*월", "into": "month", "type": "month", "value": "target", "unit": "천원"}
    assert item.names() == ["store_name", "month", "target"]
    assert (item.grain, item.unique) == ("year", ["month", "store_name"])


def test_what_is_left_of_a_two_level_header_names_the_columns():
    pairs = [(f"{m}월", kind) for m in (1, 2, 3) for kind in ("계획", "실적")]
    melted = [Column(n + 1, path, "number", [n], unit="EA") for n, path in enumerate(pairs)]
    item = guess.item_of("계획_2026.xlsx", [table([label(("라인",), ["A"]), *melted])], set())
    assert item.unpivot == {"over": "*월", "into": "month", "type": "month"}
    assert [(c.name, c.source) for c in item.columns] == [("line", "라인"), ("plan", "계획"), ("actual", "실적")]


def test_columns_of_one_header_get_names_of_their_whole_path():
    paths = [("온라인", "금액"), ("매장", "금액"), ("금액",), ("",), ("(단위)",)]
    item = guess.item_of("a_20260105.csv", [table([Column(n, p, "number", [n]) for n, p in enumerate(paths)])], set())
    assert [c.source for c in item.columns][1:3] == ["온라인/금액", "매장/금액"]
    assert len({c.name for c in item.columns}) == len(item.columns)


def test_a_date_in_the_title_is_a_period_from_the_content():
    monthly = table([label(("부서",), ["a"])], title="2026년 1월 진료 현황")
    item = guess.item_of("현황.xlsx", [monthly], set())
    assert (item.period, item.grain) == ("content", "month")
    assert (item.columns[0].name, item.columns[0].type) == ("month", "month")
