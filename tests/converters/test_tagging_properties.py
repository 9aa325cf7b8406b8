"""Whatever the numbers and the layout: no number is lost, none is changed, and each says the cell that holds it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters import convert
from converters.model import letters
from converters.tagging import tag
from tests.converters.by_hand import ABOUT, conversion, rule, table

UNITS = {"원": 1, "천원": 1000, "만원": 10**4, "백만원": 10**6, "억원": 10**8}
FIGURES = st.none() | st.integers(-(10**10), 10**10) | st.decimals(-(10**9), 10**9, places=4).map(float)


@st.composite
def crosstabs(draw):
    months = draw(st.lists(st.integers(1, 12), min_size=1, max_size=12, unique=True))
    shops = draw(st.lists(st.text("가나다라마바사", min_size=1, max_size=4), min_size=1, max_size=6, unique=True))
    body = [[draw(FIGURES) for _ in months] for _ in shops]
    return months, shops, body, draw(st.sampled_from(sorted(UNITS)))


@given(crosstabs(), st.sampled_from(sorted(UNITS)))
def test_unpivot_and_scaling_keep_every_number_and_its_address(crosstab, wanted):
    months, shops, body, written = crosstab
    headers = [f"{month}월" for month in months]
    found = table(["지점", *headers], *[[s, *row] for s, row in zip(shops, body, strict=True)])
    for column in found.columns[1:]:
        column.unit = written
    by = f"""
    columns: {{store: {{from: 지점}}}}
    unpivot: {{over: "*월", into: month, type: month, value: amount, unit: {wanted}}}
    """
    rows = tag(conversion(found), rule(by), ABOUT).table.to_pylist()
    cells = {
        f"{letters(column + 1)}{row + 2}": (shop, month, value)
        for row, (shop, values) in enumerate(zip(shops, body, strict=True))
        for column, (month, value) in enumerate(zip(months, values, strict=True))
        if value is not None
    }
    assert [json.loads(row["_cells"])["amount"] for row in rows] == list(cells)
    for row, (shop, month, value) in zip(rows, cells.values(), strict=True):
        assert (row["store"], row["month"]) == (shop, dt.date(2026, month, 1))
        exact = Decimal(repr(value)) * UNITS[written] / UNITS[wanted]
        assert row["amount"] == round(exact, 9)


def sheets(months: list[int], shops: list[str], body: list[list[object]], unit: str) -> Iterator[list[object]]:
    yield ["지점별 월별 매출"]
    yield [None] * len(months) + [f"(단위: {unit})"]
    yield ["지점", *(f"{month}월" for month in months)]
    yield from ([shop, *row] for shop, row in zip(shops, body, strict=True))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(3, 12),
    st.integers(2, 8),
    st.randoms(use_true_random=False),
    st.sampled_from(["천원", "백만원"]),
)
def test_each_address_of_a_real_workbook_points_to_the_cell_that_holds_the_number(width, height, random, unit):
    months, shops = list(range(1, width + 1)), [f"{'가나다라마바사아'[i]}점" for i in range(height)]
    body = [[random.randint(1, 10**6) for _ in months] for _ in shops]
    book = openpyxl.Workbook()
    for row in sheets(months, shops, body, unit):
        book.active.append(row)
    file = BytesIO()
    book.save(file)
    by = """
    columns: {store: {from: 지점, required: true}}
    unpivot: {over: "*월", into: month, type: month, value: amount, unit: 원}
    """
    rows = tag(convert(file.getvalue(), name="매출.xlsx"), rule(by), ABOUT).table.to_pylist()
    assert len(rows) == width * height
    for row in rows:
        cells = json.loads(row["_cells"])
        assert book.active[cells["store"]].value == row["store"]
        assert book.active[cells["amount"]].value * UNITS[unit] == row["amount"]
        assert book.active.cell(3, book.active[cells["amount"]].column).value == f"{row['month'].month}월"


LIST = """
columns:
  region: {from: 지역, required: true}
  store: {from: 지점, required: true}
  quantity: {from: 판매/수량, type: integer}
  amount: {from: 판매/금액, type: decimal, unit: 원}
"""


def daily(path: Path, total: int) -> Path:
    book = openpyxl.Workbook()
    for row in (
        ["2026년 1월 5일 매출일보"],
        [None, None, None, "(단위: 천원)"],
        ["지역", "지점", "판매", None],
        [None, None, "수량", "금액"],
        ["수도권", "강남점", 9, 1133],
        [None, "서초점", 29, 7837],
        [None, "소계", 38, 8970],
        ["영남권", "부산점", 7, 8093],
        [None, "소계", 7, 8093],
        ["합계", None, 45, total],
    ):
        book.active.append(row)
    for merge in ("A1:D1", "A3:A4", "B3:B4", "C3:D3", "A5:A7", "A8:A9", "A10:B10"):
        book.active.merge_cells(merge)
    book.save(path)
    return path


def test_a_daily_workbook_is_read_to_the_last_figure(tmp_path):
    tidy = tag(convert(daily(tmp_path / "매출일보.xlsx", 17063)), rule(LIST), ABOUT)
    assert tidy.table.select(["region", "store", "quantity", "amount"]).to_pylist() == [
        {"region": "수도권", "store": "강남점", "quantity": 9, "amount": 1_133_000},
        {"region": "수도권", "store": "서초점", "quantity": 29, "amount": 7_837_000},
        {"region": "영남권", "store": "부산점", "quantity": 7, "amount": 8_093_000},
    ]
    assert "6 figures proved to be sums" in tidy.decisions[1]


def test_a_daily_workbook_with_a_false_total_is_refused(tmp_path):
    from converters.errors import ContractBroken

    with pytest.raises(ContractBroken, match=r"D10 \(amount\) is 18,063; allowed is the sum of its cells, 17,063"):
        tag(convert(daily(tmp_path / "매출일보.xlsx", 18063)), rule(LIST), ABOUT)
