"""한빛마트, a retail chain: daily sales workbooks, the year's promotion plan, and the tills' CSV in CP949."""

from __future__ import annotations

import csv
import datetime as dt
import io
import unicodedata
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from random import Random

from tests.samples.delivery import (
    PHOTO,
    Delivery,
    Row,
    first_day,
    january,
    lock_file,
    ratio,
    summed,
    total_of,
    truncated,
    unknown,
)
from tests.samples.workbook import COUNT, Formula, Sheet, total

AUTHOR = "한빛마트 영업관리팀"
STORES = (
    ("서울", "0101", "강남점"),
    ("서울", "0102", "마포점"),
    ("서울", "0103", "잠실점"),
    ("경기", "0201", "분당점"),
    ("경기", "0202", "일산점"),
    ("충청", "0301", "대전점"),
    ("영남", "0401", "해운대점"),
    ("영남", "0402", "창원점"),
)
CATEGORIES = {"신선식품": 9, "가공식품": 7, "생활용품": 12, "소형가전": 68}
"""Each category's usual price, in 천원."""
PROMOTIONS = {
    "신선식품": ("딸기", "한우", "제철수산"),
    "가공식품": ("라면", "즉석밥", "커피믹스"),
    "생활용품": ("세제", "화장지"),
    "소형가전": ("전기밥솥", "에어프라이어"),
}
PRODUCTS = (
    ("00104512", "제주 감귤 3kg", 15900),
    ("00104530", "국내산 삼겹살 500g", 14800),
    ("00207781", "신라면 5입", 4100),
    ("00207790", "햇반 210g 12입", 16980),
    ("00310025", "액체세제 3L", 12900),
    ("00310117", "3겹 화장지 30롤", 22900),
    ("00451003", "전기포트 1.7L", 39800),
)
_MEASURES = ("sold_quantity", "sold_amount", "returned_quantity", "returned_amount", "net_amount")


def deliveries() -> list[Delivery]:
    """Every file of January 2026, by day and name."""
    files = [sales(day, day) for day in january(2, 5, 7, 8, 9, 12, 13, 15, 16, 19, 20, 21)]
    fifth = next(file for file in files if file.arrived == dt.date(2026, 1, 5))
    sixth, third, fourteenth = january(6, 3, 14)
    mac = sales(sixth, sixth)
    saturday = sales(third, dt.date(2026, 1, 6))
    files += [
        replace(fifth, name="복사본 - 매출일보_20260105.xlsx", fate="duplicate", rows=()),
        replace(fifth, name="~$매출일보_20260105.xlsx", fate="temporary", content=lock_file("김민지"), rows=()),
        replace(saturday, arrived=fifth.arrived, fate="broken", content=truncated(saturday.content), rows=()),
        saturday,
        replace(mac, name=unicodedata.normalize("NFD", mac.name)),
        sales(fifth.arrived, dt.date(2026, 1, 7), suffix="_수정", corrected=True),
        sales(fourteenth, fourteenth, contradictory=True),
        sales(fourteenth, dt.date(2026, 1, 15), suffix="_수정"),
        plan(2026, dt.date(2026, 1, 5)),
        plan(2026, dt.date(2026, 1, 26), suffix="_개정", revised=True),
        unknown(fifth.arrived, "회의록.txt", _minutes()),
        unknown(dt.date(2026, 1, 12), "KakaoTalk_20260112_091544.jpg", PHOTO),
        *(till(store, day) for store, day in zip(("0101", "0401", "0101", "0101"), january(5, 5, 6, 7), strict=True)),
    ]
    return sorted(files, key=lambda file: (file.arrived, file.name))


def sales(
    day: dt.date, arrived: dt.date, *, suffix: str = "", corrected: bool = False, contradictory: bool = False
) -> Delivery:
    """매출일보 of one day; `corrected` changes the figures of one shop, `contradictory` the grand total only."""
    rows = _sales_rows(day, corrected=corrected)
    return Delivery(
        arrived,
        f"매출일보_{day:%Y%m%d}{suffix}.xlsx",
        _sales_workbook(day, rows, slip=Decimal(900_000) if contradictory else Decimal(0)),
        fate="contradictory" if contradictory else "loaded",
        item="daily_sales",
        table="daily_sales",
        period=(day, day),
        rows=() if contradictory else tuple(rows),
    )


def _sales_rows(day: dt.date, *, corrected: bool) -> list[Row]:
    random = Random(f"hanbit sales {day}")
    rows: list[Row] = []
    for region, code, store in STORES:
        for category, price in CATEGORIES.items():
            sold = random.randint(40, 900) // (1 if price < 20 else 12)
            amount = sold * price + random.randint(0, price * 5)
            returned = random.choice((0, 0, 0, 1, 2, 5)) if category != "소형가전" else random.choice((0, 0, 1))
            back = returned * price
            if corrected and code == "0102":
                sold, amount = sold + 11, amount + 11 * price
            rows.append(
                {
                    "sale_date": day,
                    "region": region,
                    "store_code": code,
                    "store": store,
                    "category": category,
                    "sold_quantity": sold,
                    "sold_amount": Decimal(amount * 1000),
                    "returned_quantity": returned,
                    "returned_amount": Decimal(back * 1000),
                    "net_amount": Decimal((amount - back) * 1000),
                }
            )
    return rows


def _sales_workbook(day: dt.date, rows: list[Row], slip: Decimal) -> bytes:
    sheet = Sheet("매출일보", AUTHOR, (9, 10, 11, 12, 10, 13, 10, 13, 14))
    sheet.put(1, 1, f"{day.year}년 {day.month}월 {day.day}일 매출일보", "title", down=2, across=5)
    sheet.sign_off(6, (("담당", "김민지"), ("팀장", "박정호"), ("본부장", "")))
    sheet.put(3, 1, "작성부서 : 영업관리팀", "note", across=4)
    sheet.put(3, 8, "(단위: 천원)", "unit", across=2)
    for column, text in enumerate(("지역", "점포코드", "점포명", "분류"), start=1):
        sheet.put(4, column, text, "head", down=2)
    for column, text in ((5, "판매"), (7, "반품")):
        sheet.put(4, column, text, "head", across=2)
        sheet.put(5, column, "수량", "head")
        sheet.put(5, column + 1, "금액", "head")
    sheet.put(4, 9, "순매출", "head", down=2)
    sheet.freeze(4, 5)
    row, sums = 6, []
    for region, in_region in groupby(rows, key=lambda r: r["region"]):
        first, group = row, list(in_region)
        for _, in_store in groupby(group, key=lambda r: r["store_code"]):
            shop = list(in_store)
            sheet.put(row, 2, str(shop[0]["store_code"]), "label", "@", down=len(shop))
            sheet.put(row, 3, str(shop[0]["store"]), "label", down=len(shop))
            for line in shop:
                sheet.put(row, 4, str(line["category"]), "label")
                for column, measure in enumerate(_MEASURES, start=5):
                    sheet.put(row, column, _shown(line, measure), "number", COUNT)
                row += 1
        sheet.put(first, 1, str(region), "label", down=row - first + 1)
        sheet.put(row, 2, "소계", "subtotal label", across=3)
        for column, measure in enumerate(_MEASURES, start=5):
            value = _thousands(measure, total_of(group, measure))
            sheet.put(row, column, total(column, range(first, row), value), "subtotal", COUNT)
        sums.append(row)
        row += 1
    sheet.put(row, 1, "합계", "total label", across=4)
    for column, measure in enumerate(_MEASURES, start=5):
        value = _thousands(measure, total_of(rows, measure))
        if slip and measure == "sold_amount":
            sheet.put(row, column, value + _thousands(measure, slip), "total", COUNT)
        else:
            sheet.put(row, column, total(column, sums, value), "total", COUNT)
    sheet.put(row + 1, 1, "※ 순매출 = 판매금액 - 반품금액 (부가세 포함)", "note", across=9)
    return sheet.save()


def _shown(line: Row, measure: str) -> int:
    return _thousands(measure, Decimal(str(line[measure])))


def _thousands(measure: str, value: Decimal) -> int:
    return int(value / 1000) if measure.endswith("amount") else int(value)


def plan(year: int, arrived: dt.date, *, suffix: str = "", revised: bool = False) -> Delivery:
    """행사계획 of a year: what each promotion is to sell a month."""
    random = Random(f"hanbit plan {year}")
    rows: list[Row] = []
    for category, products in PROMOTIONS.items():
        for product in products:
            for month in range(1, 13):
                millions = random.choice((0, 0, 15, 20, 30, 45, 60, 80))
                if revised and product == "딸기" and month in (2, 3):
                    millions += 25
                rows.append(
                    {
                        "category": category,
                        "product": product,
                        "plan_month": dt.date(year, month, 1),
                        "planned_amount": Decimal(millions * 1_000_000),
                    }
                )
    return Delivery(
        arrived,
        f"행사계획_{year}{suffix}.xlsx",
        _plan_workbook(year, rows, revised=revised),
        item="promotion_plan",
        table="promotion_plan",
        period=(dt.date(year, 1, 1), dt.date(year, 12, 31)),
        rows=tuple(rows),
    )


def _plan_workbook(year: int, rows: list[Row], *, revised: bool) -> bytes:
    sheet = Sheet("행사계획", "한빛마트 마케팅팀", (11, 14, *(7,) * 12, 9), landscape=True)
    sheet.put(1, 1, f"{year}년 품목별 행사계획" + (" (1월 개정)" if revised else ""), "title", across=15)
    sheet.height(1, 33)
    sheet.put(2, 13, "(단위: 백만원)", "unit", across=3)
    sheet.put(3, 1, "분류", "head")
    sheet.put(3, 2, "품목", "head")
    for month in range(1, 13):
        sheet.put(3, 2 + month, f"{month}월", "head")
    sheet.put(3, 15, "합계", "head")
    sheet.freeze(3, 3)
    row = first = 4
    for category, in_category in groupby(rows, key=lambda r: r["category"]):
        group = list(in_category)
        sheet.put(row, 1, str(category), "label", down=len(group) // 12)
        for product, in_product in groupby(group, key=lambda r: r["product"]):
            line = [_millions(r["planned_amount"]) for r in in_product]
            sheet.put(row, 2, str(product), "text")
            for month, value in enumerate(line, start=1):
                sheet.put(row, 2 + month, value, "number", COUNT)
            sheet.put(row, 15, Formula(f"SUM(C{row}:N{row})", sum(line)), "subtotal", COUNT)
            row += 1
    sheet.put(row, 1, "합계", "total label", across=2)
    for month in range(1, 13):
        value = _millions(total_of((r for r in rows if r["plan_month"] == dt.date(year, month, 1)), "planned_amount"))
        sheet.put(row, 2 + month, total(2 + month, range(first, row), value), "total", COUNT)
    sheet.put(row, 15, total(15, range(first, row), _millions(total_of(rows, "planned_amount"))), "total", COUNT)
    return sheet.save()


def _millions(value: object) -> int:
    return int(Decimal(str(value)) / 1_000_000)


def till(store: str, day: dt.date) -> Delivery:
    """A shop's receipts of one day, as its POS system exports them: CP949, CRLF, a closing count line."""
    random = Random(f"hanbit till {store} {day}")
    lines: list[tuple[object, ...]] = []
    rows: list[Row] = []
    for number in range(1, 16):
        receipt = f"{day:%y%m%d}{number:04d}"
        time = f"{day} {9 + number * 3 // 4:02d}:{random.randrange(60):02d}"
        for code, product, price in sorted(random.sample(PRODUCTS, 2)):
            quantity = random.choice((1, 1, 1, 2, 3))
            lines.append((store, time, receipt, code, product, quantity, f"{price:,}", f"{price * quantity:,}"))
            rows.append(
                {
                    "sale_date": day,
                    "store_code": store,
                    "receipt_no": receipt,
                    "product_code": code,
                    "product": product,
                    "quantity": quantity,
                    "unit_price": Decimal(price),
                    "amount": Decimal(price * quantity),
                }
            )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("점포코드", "거래일시", "영수증번호", "상품코드", "상품명", "수량", "단가", "금액"))
    writer.writerows(lines)
    text.write(f"총 {len(lines)}건\r\n")
    return Delivery(
        day,
        f"POS매출_{store}_{day:%Y%m%d}.csv",
        text.getvalue().encode("cp949"),
        item="pos_sales",
        table="pos_sales",
        period=(day, day),
        part=store,
        rows=tuple(rows),
    )


def _minutes() -> bytes:
    lines = (
        "주간 영업회의 회의록",
        "일시 : 2026. 1. 5.(월) 09:00",
        "참석 : 김민지, 박정호, 이수현",
        "",
        "1. 설 선물세트 사전예약 1/12부터 진행",
        "2. 마포점 POS 2번 단말기 교체 요청",
    )
    return "\r\n".join(lines).encode("cp949")


def marts(tidy: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """What the retail models must make of those tidy rows."""
    stores = summed(
        tidy["daily_sales"],
        by=("sale_date", "store_code", "store", "region"),
        sums=("sold_quantity", "returned_quantity", "net_amount"),
    )
    regions = summed(
        [row | {"sale_month": first_day(row["sale_date"])} for row in stores],
        by=("sale_month", "region"),
        sums=("sold_quantity", "net_amount"),
    )
    for row in stores:
        row["return_rate"] = ratio(row["returned_quantity"], row["sold_quantity"])
    plans = summed(
        [row | {"products": int(total_of([row], "planned_amount") > 0)} for row in tidy["promotion_plan"]],
        by=("plan_month", "category"),
        sums=("products", "planned_amount"),
    )
    products = summed(
        tidy["pos_sales"],
        by=("sale_date", "store_code", "product_code", "product"),
        sums=("quantity", "amount"),
    )
    return {
        "store_sales_daily": stores,
        "region_sales_monthly": regions,
        "pos_product_daily": products,
        "promotion_plan_monthly": plans,
    }
