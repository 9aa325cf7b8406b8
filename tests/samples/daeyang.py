"""대양정밀, a parts maker: its ERP's HTML tables in EUC-KR named .xls, and stock lists in CP949 text."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace
from decimal import Decimal
from html import escape
from itertools import groupby
from random import Random

from tests.samples.delivery import Delivery, Row, january, total_of, truncated, unknown

LINES = {
    "프레스": (("P-1001", "브라켓 A"), ("P-1002", "브라켓 B"), ("P-1010", "커버 플레이트")),
    "사출": (("M-2001", "하우징 상"), ("M-2002", "하우징 하")),
    "조립": (("A-3001", "구동 모듈"), ("A-3002", "센서 모듈"), ("A-3005", "제어 박스")),
}
STOCK = (
    ("00010233", "SPCC 1.0T 코일", "원자재창고", "kg"),
    ("00010234", "SPCC 1.2T 코일", "원자재창고", "kg"),
    ("00020511", "ABS 수지 (흑색)", "원자재창고", "kg"),
    ("00045003", "M4 볼트", "자재창고", "EA"),
    ("00045018", "M5 너트", "자재창고", "EA"),
    ("00070120", "리니어 가이드", "자재창고", "EA"),
    ("00091205", "구동 모듈", "제품창고", "EA"),
    ("00091206", "센서 모듈", "제품창고", "EA"),
)
_MEASURES = ("planned_quantity", "produced_quantity", "defect_quantity")


def deliveries() -> list[Delivery]:
    """Every file of January 2026, by day and name."""
    days = january(5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 19, 20, 21, 22, 23)
    files = [production(day, day) for day in days]
    fifth = files[0]
    files += [
        replace(fifth, name="생산실적_20260105(1).xls", fate="duplicate", rows=()),
        production(january(8)[0], dt.date(2026, 1, 12), suffix="_재전송", corrected=True),
        *(stock(day) for day in january(5, 12, 19, 26)),
        Delivery(dt.date(2026, 1, 5), "불량사진.xlsx", truncated(b"PK\x03\x04" + bytes(range(256)) * 4), "unknown"),
        unknown(dt.date(2026, 1, 6), "작업지시 메모.txt", "프레스 2호기 금형 교체\r\n".encode("cp949")),
    ]
    return sorted(files, key=lambda file: (file.arrived, file.name))


def production(day: dt.date, arrived: dt.date, *, suffix: str = "", corrected: bool = False) -> Delivery:
    """생산실적 of one day, as the ERP's "Excel" button gives it."""
    random = Random(f"daeyang production {day}")
    rows: list[Row] = []
    for line, items in LINES.items():
        for code, name in items:
            planned = random.randrange(200, 1200, 10)
            produced = planned - random.choice((0, 0, 0, 10, 35, 60))
            rows.append(
                {
                    "production_date": day,
                    "line": line,
                    "item_code": code,
                    "item": name,
                    "planned_quantity": planned,
                    "produced_quantity": produced - (20 if corrected and line == "사출" else 0),
                    "defect_quantity": random.choice((0, 1, 2, 3, 7)),
                }
            )
    return Delivery(
        arrived,
        f"생산실적_{day:%Y%m%d}{suffix}.xls",
        _html(day, rows).encode("euc-kr"),
        item="production",
        table="production",
        period=(day, day),
        rows=tuple(rows),
    )


def _html(day: dt.date, rows: list[Row]) -> str:
    head = 'style="background-color:#C0C0C0;font-weight:bold;text-align:center"'
    out = [
        '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head>'
        '<meta http-equiv="Content-Type" content="text/html; charset=euc-kr"></head><body>',
        f'<table><tr><td colspan="7" style="font-size:16pt"><b>일일 생산실적 ({day:%Y-%m-%d})</b></td></tr>',
        '<tr><td colspan="7" align="right">단위 : EA</td></tr></table>',
        '<table border="1">',
        f'<tr><th rowspan="2" {head}>라인</th><th rowspan="2" {head}>품번</th><th rowspan="2" {head}>품명</th>'
        f'<th colspan="3" {head}>수량</th><th rowspan="2" {head}>비고</th></tr>',
        f"<tr><th {head}>계획</th><th {head}>실적</th><th {head}>불량</th></tr>",
    ]
    for line, in_line in groupby(rows, key=lambda r: r["line"]):
        group = list(in_line)
        for number, row in enumerate(group):
            first = f'<td rowspan="{len(group) + 1}">{line}</td>' if number == 0 else ""
            out.append(f"<tr>{first}{_cells(row['item_code'], row['item'])}{_amounts([row])}<td>&nbsp;</td></tr>")
        out.append(f'<tr><td colspan="2" align="center">소계</td>{_amounts(group)}<td>&nbsp;</td></tr>')
    out.append(f'<tr><td colspan="3" align="center"><b>합계</b></td>{_amounts(rows)}<td>&nbsp;</td></tr>')
    out.append("</table></body></html>")
    return "\r\n".join(out)


def _cells(*texts: object) -> str:
    return "".join(f'<td style="mso-number-format:\\@">{escape(str(text))}</td>' for text in texts)


def _amounts(rows: list[Row]) -> str:
    return "".join(f'<td align="right">{int(total_of(rows, measure)):,}</td>' for measure in _MEASURES)


def stock(day: dt.date) -> Delivery:
    """재고현황 of one day: three lines of preamble, codes with leading zeros, a closing count line."""
    random = Random(f"daeyang stock {day}")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([("대양정밀(주)",), (f"조회일자: {day}",), ()])
    writer.writerow(("품번", "품명", "창고", "단위", "재고수량", "단가"))
    rows: list[Row] = []
    for code, name, place, unit in STOCK:
        quantity, price = random.randint(20, 9000), random.randint(12, 48000)
        writer.writerow((code, name, place, unit, f"{quantity:,}", f"{price:,}"))
        rows.append(
            {
                "stock_date": day,
                "item_code": code,
                "item": name,
                "warehouse": place,
                "unit": unit,
                "quantity": quantity,
                "unit_price": Decimal(price),
            }
        )
    text.write(f"총 {len(rows)}건\r\n")
    return Delivery(
        day,
        f"재고현황_{day:%Y%m%d}.csv",
        text.getvalue().encode("cp949"),
        item="stock",
        table="stock",
        period=(day, day),
        rows=tuple(rows),
    )
