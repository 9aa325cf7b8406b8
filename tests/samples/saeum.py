"""새움병원, a hospital: daily counts of outpatients, and the year's revenue as a crosstab of months."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from random import Random

from tests.samples.delivery import Delivery, Row, january, total_of, truncated, unknown
from tests.samples.workbook import COUNT, Formula, Sheet, total

DEPARTMENTS = {
    "내과계": ("소화기내과", "순환기내과", "내분비내과"),
    "외과계": ("정형외과", "일반외과", "신경외과"),
    "기타": ("소아청소년과", "산부인과", "안과"),
}
REVENUE = {
    "의료수익": ("입원수익", "외래수익", "검진수익"),
    "의료외수익": ("임대수익", "이자수익", "기타손익"),
}


def deliveries() -> list[Delivery]:
    """Every file of January 2026, by day and name."""
    files = [outpatients(day, day) for day in january(5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 19, 20, 21)]
    fifth = files[0]
    files += [
        replace(fifth, name="외래환자현황_20260105 (1).xlsx", fate="duplicate", rows=()),
        outpatients(fifth.arrived, dt.date(2026, 1, 8), suffix="_수정", corrected=True),
        revenue(2025, dt.date(2026, 1, 5)),
        revenue(2025, dt.date(2026, 1, 20), suffix="_결산", final=True),
        replace(files[1], arrived=fifth.arrived, fate="broken", content=truncated(files[1].content), rows=()),
        unknown(dt.date(2026, 1, 5), "식단표.txt", "월: 미역국\r\n화: 된장찌개\r\n".encode("cp949")),
    ]
    return sorted(files, key=lambda file: (file.arrived, file.name))


def outpatients(day: dt.date, arrived: dt.date, *, suffix: str = "", corrected: bool = False) -> Delivery:
    """외래환자현황 of one day."""
    random = Random(f"saeum outpatients {day}")
    rows: list[Row] = []
    for division, departments in DEPARTMENTS.items():
        for department in departments:
            new, again = random.randint(2, 40), random.randint(20, 180)
            if corrected and department == "안과":
                new += 3
            rows.append(
                {
                    "visit_date": day,
                    "division": division,
                    "department": department,
                    "new_patients": new,
                    "returning_patients": again,
                }
            )
    return Delivery(
        arrived,
        f"외래환자현황_{day:%Y%m%d}{suffix}.xlsx",
        _outpatient_workbook(day, rows),
        item="outpatients",
        table="outpatients",
        period=(day, day),
        rows=tuple(rows),
    )


def _outpatient_workbook(day: dt.date, rows: list[Row]) -> bytes:
    sheet = Sheet("외래", "새움병원 원무과", (11, 15, 10, 10, 10))
    sheet.put(1, 1, f"외래환자 현황 ({day:%Y.%m.%d})", "title", across=5)
    sheet.put(2, 4, "(단위: 명)", "unit", across=2)
    for column, text in enumerate(("구분", "진료과", "신환", "재진", "계"), start=1):
        sheet.put(3, column, text, "head")
    sheet.freeze(3, 3)
    row, sums = 4, []
    for division, in_division in groupby(rows, key=lambda r: r["division"]):
        first, group = row, list(in_division)
        for line in group:
            new, again = int(str(line["new_patients"])), int(str(line["returning_patients"]))
            sheet.put(row, 2, str(line["department"]), "text")
            sheet.put(row, 3, new, "number", COUNT)
            sheet.put(row, 4, again, "number", COUNT)
            sheet.put(row, 5, Formula(f"SUM(C{row}:D{row})", new + again), "number", COUNT)
            row += 1
        sheet.put(first, 1, str(division), "label", down=row - first + 1)
        _sum_row(sheet, row, range(first, row), group, "소계", 2, "subtotal")
        sums.append(row)
        row += 1
    _sum_row(sheet, row, sums, rows, "합 계", 1, "total")
    return sheet.save()


def _sum_row(sheet: Sheet, row: int, of: range | list[int], rows: list[Row], text: str, column: int, look: str) -> None:
    sheet.put(row, column, text, f"{look} label", across=3 - column)
    new, again = (int(total_of(rows, measure)) for measure in ("new_patients", "returning_patients"))
    for number, value in ((3, new), (4, again), (5, new + again)):
        sheet.put(row, number, total(number, list(of), value), look, COUNT)


def revenue(year: int, arrived: dt.date, *, suffix: str = "", final: bool = False) -> Delivery:
    """수익분석 of a year: accounts by month; losses with △."""
    random = Random(f"saeum revenue {year}")
    rows: list[Row] = []
    for group, accounts in REVENUE.items():
        for account in accounts:
            for month in range(1, 13):
                low, high = (300, 2400) if group == "의료수익" else (-25, 60)
                millions = random.randint(low, high) + (12 if final and account == "외래수익" and month == 12 else 0)
                rows.append(
                    {
                        "account_group": group,
                        "account": account,
                        "revenue_month": dt.date(year, month, 1),
                        "amount": Decimal(millions * 1_000_000),
                    }
                )
    return Delivery(
        arrived,
        f"수익분석_{year}{suffix}.xlsx",
        _revenue_workbook(year, rows),
        item="revenue",
        table="revenue",
        period=(dt.date(year, 1, 1), dt.date(year, 12, 31)),
        rows=tuple(rows),
    )


def _revenue_workbook(year: int, rows: list[Row]) -> bytes:
    sheet = Sheet("수익분석", "새움병원 기획팀", (13, 14, *(8,) * 12, 10), landscape=True)
    sheet.put(1, 1, f"{year}년 수익분석", "title", across=15)
    sheet.put(2, 13, "(단위: 백만원)", "unit", across=3)
    for column, text in enumerate(("구분", "과목", *(f"{m}월" for m in range(1, 13)), "합계"), start=1):
        sheet.put(3, column, text, "head")
    row = first = 4
    for group, in_group in groupby(rows, key=lambda r: r["account_group"]):
        accounts = list(in_group)
        sheet.put(row, 1, str(group), "label", down=len(accounts) // 12)
        for account, in_account in groupby(accounts, key=lambda r: r["account"]):
            line = [int(Decimal(str(r["amount"])) / 1_000_000) for r in in_account]
            sheet.put(row, 2, str(account), "text")
            for month, value in enumerate(line, start=1):
                sheet.put(row, 2 + month, value, "number", COUNT)
            sheet.put(row, 15, Formula(f"SUM(C{row}:N{row})", sum(line)), "subtotal", COUNT)
            row += 1
    sheet.put(row, 1, "합계", "total label", across=2)
    for month in range(1, 13):
        of_month = (r for r in rows if r["revenue_month"] == dt.date(year, month, 1))
        value = int(total_of(of_month, "amount") / 1_000_000)
        sheet.put(row, 2 + month, total(2 + month, range(first, row), value), "total", COUNT)
    everything = int(total_of(rows, "amount") / 1_000_000)
    sheet.put(row, 15, total(15, range(first, row), everything), "total", COUNT)
    return sheet.save()
