"""대양정밀, a manufacturer: its ERP's production export (HTML named .xls), stock lists in CP949, defect workbooks."""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import html
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from random import Random

from tests.samples.delivery import (
    PHOTO,
    Delivery,
    Row,
    january,
    lock_file,
    ratio,
    summed,
    total_of,
    truncated,
    unknown,
)
from tests.samples.workbook import Formula, Sheet, total

AUTHOR = "대양정밀 품질보증팀"
LINES = {
    "1라인": (("0041023", "브라켓 LH"), ("0041024", "브라켓 RH"), ("0052210", "하우징 커버")),
    "2라인": (("0063155", "기어 샤프트 Ø12"), ("0063160", "기어 샤프트 Ø16")),
    "3라인": (("0078801", "실린더 블록"), ("0078815", "밸브 바디"), ("0079002", "오일펌프 커버")),
}
STOCK = (
    ("0041023", "브라켓 LH", "SPCC 1.6t", "EA", 1850),
    ("0041024", "브라켓 RH", "SPCC 1.6t", "EA", 1850),
    ("0052210", "하우징 커버", "ADC12", "EA", 4200),
    ("0063155", "기어 샤프트 Ø12", "SCM440", "EA", 7300),
    ("0063160", "기어 샤프트 Ø16", "SCM440", "EA", 8900),
    ("0078801", "실린더 블록", "FC250", "EA", 31500),
    ("0078815", "밸브 바디", "A6061, T6", "EA", 12400),
    ("0900101", "냉연강판", "SPCC 1.6t×1219", "kg", 1120),
    ("0900102", "알루미늄 합금괴", "ADC12", "kg", 3480),
    ("0900205", "절삭유", "수용성", "L", 5200),
)
PROCESSES = {
    "프레스": ("EA", (("0041023", "브라켓 LH"), ("0041024", "브라켓 RH"))),
    "CNC가공": ("EA", (("0063155", "기어 샤프트 Ø12"), ("0063160", "기어 샤프트 Ø16"), ("0078815", "밸브 바디"))),
    "다이캐스팅": ("kg", (("0052210", "하우징 커버"), ("0079002", "오일펌프 커버"))),
    "열처리": ("kg", (("0063155", "기어 샤프트 Ø12"), ("0063160", "기어 샤프트 Ø16"))),
}
CAUSES = ("치수불량", "찍힘", "기공", "버(Burr)", "경도미달")
_MADE = ("planned_quantity", "good_quantity", "defect_quantity")


def deliveries() -> list[Delivery]:
    """Every file of January 2026, by day and name."""
    files = [production(day, day) for day in january(2, 5, 6, 7, 8, 9, 12, 14, 15, 16, 19, 20)]
    files += [stock(day) for day in january(5, 19, 26)]
    fifth = next(file for file in files if file.arrived == dt.date(2026, 1, 5))
    (thirteenth,) = january(13)
    mac = stock(dt.date(2026, 1, 12))
    december = defects(dt.date(2025, 12, 1), fifth.arrived)
    november = defects(dt.date(2025, 11, 1), fifth.arrived)
    files += [
        replace(fifth, name="생산실적_20260105_재전송.xls", fate="duplicate", rows=()),
        replace(december, name="~$불량률_202512.xlsx", fate="temporary", content=lock_file("정하늘"), rows=()),
        replace(november, fate="broken", content=truncated(november.content), rows=()),
        december,
        unknown(fifth.arrived, "KakaoTalk_20260105_171203.jpg", PHOTO),
        production(fifth.arrived, dt.date(2026, 1, 7), suffix="_정정", corrected=True),
        replace(mac, name=unicodedata.normalize("NFD", mac.name)),
        production(thirteenth, thirteenth, contradictory=True),
        production(thirteenth, dt.date(2026, 1, 14), suffix="_정정"),
        defects(dt.date(2026, 1, 1), dt.date(2026, 1, 30)),
    ]
    return sorted(files, key=lambda file: (file.arrived, file.name))


def production(
    day: dt.date, arrived: dt.date, *, suffix: str = "", corrected: bool = False, contradictory: bool = False
) -> Delivery:
    """생산실적 of one day; `corrected` finds more defects on one line, `contradictory` breaks the grand total."""
    random = Random(f"daeyang production {day}")
    rows: list[Row] = []
    for line, items in LINES.items():
        for code, item in items:
            planned = random.randrange(200, 2000, 50)
            made = planned * random.randint(90, 104) // 100
            defective = made * random.randint(0, 35) // 1000 + (12 if corrected and line == "2라인" else 0)
            rows.append(
                {
                    "production_date": day,
                    "line": line,
                    "item_code": code,
                    "item": item,
                    "planned_quantity": planned,
                    "good_quantity": made - defective,
                    "defect_quantity": defective,
                    "run_minutes": random.randrange(240, 600, 10),
                }
            )
    return Delivery(
        arrived,
        f"생산실적_{day:%Y%m%d}{suffix}.xls",
        _production_html(day, rows, slip=300 if contradictory else 0),
        fate="contradictory" if contradictory else "loaded",
        item="production",
        table="production",
        period=(day, day),
        rows=() if contradictory else tuple(rows),
    )


_PAGE = """<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">
<style>
td, th {{ font-family:굴림; font-size:9pt; border:0.5pt solid #808080; }}
th {{ background:#C5D9F1; text-align:center; }}
.txt {{ mso-number-format:"\\@"; text-align:center; }}
.num {{ mso-number-format:"\\#\\,\\#\\#0"; text-align:right; }}
</style>
</head>
<body>
<table border="1" cellspacing="0" style="border-collapse:collapse">
<tr><td colspan="10" style="border:none; font-size:16pt; font-weight:bold; text-align:center">생산실적 현황</td></tr>
<tr><td style="border:none" colspan="6">생산일자 : {day}&nbsp;&nbsp;&nbsp;사업장 : 창원 1공장</td>\
<td style="border:none" colspan="4" align="right">출력자 : ERP_USER07</td></tr>
<tr bgcolor="#C5D9F1"><th rowspan="2">라인</th><th rowspan="2">품번</th><th rowspan="2">품명</th>\
<th colspan="4">생산수량(EA)</th><th rowspan="2">달성률</th>\
<th rowspan="2">가동시간<br>(분)</th><th rowspan="2">비고</th></tr>
<tr bgcolor="#C5D9F1"><th>계획</th><th>양품</th><th>불량</th><th>계</th></tr>
{body}
</table>
</body>
</html>
"""


def _production_html(day: dt.date, rows: list[Row], slip: int) -> bytes:
    body: list[str] = []
    for line, in_line in groupby(rows, key=lambda r: r["line"]):
        group = list(in_line)
        for number, row in enumerate(group):
            over = f'<td class="txt" rowspan="{len(group) + 1}">{line}</td>' if number == 0 else ""
            over += f'<td class="txt">{row["item_code"]}</td><td>{html.escape(str(row["item"]))}</td>'
            body.append(_html_row(over, [row], "금형교체" if row["defect_quantity"] == 0 else "&nbsp;"))
        body.append(_html_row('<td colspan="2" style="background:#F2F2F2" align="center"><b>소계</b></td>', group))
    over = '<td colspan="3" style="background:#FFFF99" align="center"><b>합&nbsp;계</b></td>'
    body.append(_html_row(over, rows, slip=slip))
    return _PAGE.format(day=day, body="\n".join(body)).replace("\n", "\r\n").encode("cp949")


def _html_row(labels: str, rows: Sequence[Row], remark: str = "&nbsp;", slip: int = 0) -> str:
    planned, good, defective, minutes = (int(total_of(rows, name)) for name in (*_MADE, "run_minutes"))
    good += slip
    numbers = [f"{n:,}" for n in (planned, good, defective, good + defective)]
    numbers += [f"{good / planned:.1%}", f"{minutes:,}"]
    cells = "".join(f'<td class="num">{n}</td>' for n in numbers)
    return f"<tr>{labels}{cells}<td>{remark}</td></tr>"


def stock(day: dt.date) -> Delivery:
    """재고현황 as of a Monday: CP949 with three lines before the header and a count line after the rows."""
    random = Random(f"daeyang stock {day}")
    lines: list[tuple[object, ...]] = []
    rows: list[Row] = []
    for code, item, spec, unit, price in STOCK:
        for warehouse in ("본사창고", "외주창고"):
            step = 1 if unit == "EA" else Decimal("0.5")
            opening, received, issued = (random.randrange(*r) * step for r in ((800, 4000), (0, 900), (0, 800)))
            on_hand = opening + received - issued
            amount = int(on_hand * price)
            figures = (opening, received, issued, on_hand, price, amount)
            lines.append((code, item, spec, unit, warehouse, *(f"{n:,}" for n in figures)))
            rows.append(
                {
                    "stock_date": day,
                    "item_code": code,
                    "item": item,
                    "spec": spec,
                    "unit": unit,
                    "warehouse": warehouse,
                    "opening": Decimal(opening),
                    "received": Decimal(received),
                    "issued": Decimal(issued),
                    "quantity": Decimal(on_hand),
                    "unit_price": Decimal(price),
                    "stock_amount": Decimal(amount),
                }
            )
    text = io.StringIO()
    text.write(f"대양정밀㈜ 재고현황\r\n조회일자 : {day}\r\n\r\n")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow("품목코드 품목명 규격 단위 창고 기초재고 입고 출고 현재고 단가(원) 재고금액(원)".split())
    writer.writerows(lines)
    text.write(f"총 {len(lines)}건\r\n")
    return Delivery(
        day,
        f"재고현황_{day:%Y%m%d}.csv",
        text.getvalue().encode("cp949"),
        item="stock",
        table="stock",
        period=(day, day),
        rows=tuple(rows),
    )


def defects(month: dt.date, arrived: dt.date) -> Delivery:
    """불량률 of one month: quantities in EA or kg, each process with its 소계, rates as percent."""
    random = Random(f"daeyang defects {month}")
    rows: list[Row] = []
    for process, (unit, items) in PROCESSES.items():
        for code, item in items:
            produced = Decimal(random.randrange(4000, 30000, 10))
            produced += Decimal("0.5") if unit == "kg" else 0
            defective = Decimal(int(produced * random.randint(2, 40) / 1000))
            rows.append(
                {
                    "month": month,
                    "process": process,
                    "item_code": code,
                    "item": item,
                    "unit": unit,
                    "produced": produced,
                    "defective": defective,
                    "defect_rate": (defective / produced).quantize(Decimal("1e-9")),
                    "main_cause": random.choice(CAUSES),
                }
            )
    return Delivery(
        arrived,
        f"불량률_{month:%Y%m}.xlsx",
        _defects_workbook(month, arrived, rows),
        item="defects",
        table="defects",
        period=(month, month.replace(day=calendar.monthrange(month.year, month.month)[1])),
        rows=tuple(rows),
    )


def _defects_workbook(month: dt.date, made: dt.date, rows: list[Row]) -> bytes:
    sheet = Sheet("불량률", AUTHOR, (12, 11, 18, 8, 13, 12, 10, 14))
    sheet.put(1, 1, f"{month.year}년 {month.month}월 공정별 불량률", "title", down=2, across=4)
    sheet.sign_off(5, (("작성", "정하늘"), ("검토", "오세영"), ("승인", "")))
    sheet.put(3, 1, f"작성일 : {made.year}. {made.month}. {made.day}.", "note", across=4)
    heads = ("공정", "품번", "품명", "단위", "생산수량", "불량수량", "불량률", "주요 불량유형")
    for column, text in enumerate(heads, start=1):
        sheet.put(4, column, text, "head")
    sheet.height(4, 24)
    sheet.freeze(4, 4)
    row = 5
    for process, in_process in groupby(rows, key=lambda r: r["process"]):
        first, group = row, list(in_process)
        unit = str(group[0]["unit"])
        figures = "#,##0.0" if unit == "kg" else "#,##0"
        for line in group:
            sheet.put(row, 2, str(line["item_code"]), "label", "@")
            sheet.put(row, 3, str(line["item"]), "text")
            sheet.put(row, 4, unit)
            sheet.put(row, 5, _float(line, "produced"), "number", figures)
            sheet.put(row, 6, _float(line, "defective"), "number", figures)
            sheet.put(
                row,
                7,
                Formula(f"F{row}/E{row}", _float(line, "defective") / _float(line, "produced")),
                "number",
                "0.00%",
            )
            sheet.put(row, 8, str(line["main_cause"]), "text")
            row += 1
        sheet.put(first, 1, str(process), "label", down=row - first + 1)
        sheet.put(row, 2, "소계", "subtotal label", across=2)
        sheet.put(row, 4, unit, "subtotal label")
        produced, defective = (float(total_of(group, name)) for name in ("produced", "defective"))
        sheet.put(row, 5, total(5, range(first, row), produced), "subtotal", figures)
        sheet.put(row, 6, total(6, range(first, row), defective), "subtotal", figures)
        sheet.put(row, 7, Formula(f"F{row}/E{row}", defective / produced), "subtotal", "0.00%")
        sheet.put(row, 8, None, "subtotal")
        row += 1
    sheet.put(row, 1, "※ 불량률 = 불량수량 ÷ 생산수량", "note", across=8)
    return sheet.save()


def _float(row: Row, name: str) -> float:
    return float(str(row[name]))


def marts(tidy: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """What the manufacturing models must make of those tidy rows."""
    made = summed(tidy["production"], by=("production_date", "line"), sums=(*_MADE, "run_minutes"))
    for row in made:
        produced = total_of([row], "good_quantity") + total_of([row], "defect_quantity")
        row["yield_rate"] = ratio(row["good_quantity"], produced)
        row["achievement_rate"] = ratio(row["good_quantity"], row["planned_quantity"])
    last = max((str(row["stock_date"]) for row in tidy["stock"]), default="")
    kept = ("item_code", "warehouse", "item", "unit", "stock_date", "quantity", "stock_amount")
    latest = [{name: row[name] for name in kept} for row in tidy["stock"] if str(row["stock_date"]) == last]
    rates = summed(tidy["defects"], by=("month", "process", "unit"), sums=("produced", "defective"))
    for row in rates:
        row["defect_rate"] = ratio(row["defective"], row["produced"])
    return {"production_daily": made, "stock_latest": latest, "defect_rate_monthly": rates}
