"""새움병원, a hospital: daily outpatients, bed occupancy (two tables on one sheet), and the monthly profit analysis."""

from __future__ import annotations

import calendar
import datetime as dt
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
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
from tests.samples.workbook import COUNT, PERCENT, Formula, Sheet, total

AUTHOR = "새움병원 원무팀"
DEPARTMENTS = ("내과", "외과", "정형외과", "신경외과", "소아청소년과", "산부인과", "이비인후과", "안과", "피부과")
WARDS = {
    "일반병동": (("51병동", 42), ("52병동", 42), ("61병동", 38), ("62병동", 38)),
    "특수병동": (("중환자실", 16), ("신생아실", 12), ("격리병동", 8)),
}
ACCOUNTS = {
    "의료수익": ("입원수익", "외래수익", "기타의료수익", "의료수익차감"),
    "의료비용": ("인건비", "재료비", "관리운영비"),
}
RESULT = "의료이익(손실)"
MILLION = 1_000_000
PROFIT_DEPARTMENTS = ("내과", "외과", "정형외과", "소아청소년과", "산부인과")
_SHARES = {
    "입원수익": 55,
    "외래수익": 40,
    "기타의료수익": 5,
    "의료수익차감": -3,
    "인건비": 45,
    "재료비": 28,
    "관리운영비": 22,
}
_WEEKDAY = "월화수목금토일"


def deliveries() -> list[Delivery]:
    """Every file of January 2026, by day and name."""
    files = [outpatients(day, day) for day in january(2, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16)]
    files += [beds(day, day) for day in january(6, 7, 8, 12)]
    fifth = next(file for file in files if file.arrived == dt.date(2026, 1, 5))
    mac = beds(*january(9, 9))
    third, old = outpatients(*january(3, 5)), outpatients(dt.date(2024, 1, 2), dt.date(2026, 1, 6))
    december = profit(dt.date(2025, 12, 1), fifth.arrived)
    files += [
        replace(fifth, name="외래환자현황_20260105_최종.xlsx", fate="duplicate", rows=()),
        replace(fifth, name="~$외래환자현황_20260105.xlsx", fate="temporary", content=lock_file("한지우"), rows=()),
        replace(third, fate="broken", content=truncated(third.content), rows=()),
        beds(fifth.arrived, fifth.arrived, contradictory=True),
        beds(fifth.arrived, dt.date(2026, 1, 6), suffix="_재송부"),
        december,
        unknown(fifth.arrived, "회의록.txt", "원무팀 주간회의\r\n1. 독감 예방접종 안내문 게시".encode("cp949")),
        unknown(dt.date(2026, 1, 8), "병동사진.jpg", PHOTO),
        replace(old, fate="out_of_window", rows=()),
        replace(third, arrived=dt.date(2026, 1, 6)),
        outpatients(fifth.arrived, dt.date(2026, 1, 7), suffix="_수정", corrected=True),
        replace(mac, name=unicodedata.normalize("NFD", mac.name)),
        profit(dt.date(2026, 1, 1), dt.date(2026, 1, 30)),
    ]
    return sorted(files, key=lambda file: (file.arrived, file.name))


def outpatients(day: dt.date, arrived: dt.date, *, suffix: str = "", corrected: bool = False) -> Delivery:
    """외래환자현황 of one day: new and returning patients by department, morning and afternoon."""
    random = Random(f"saeum outpatients {day}")
    rows: list[Row] = []
    for department in DEPARTMENTS:
        for session in ("오전", "오후"):
            closed = day.weekday() == 5 and session == "오후"
            new, returning = random.randint(2, 18), random.randint(10, 70)
            if corrected and (department, session) == ("정형외과", "오후"):
                returning += 9
            rows.append(
                {
                    "visit_date": day,
                    "department": department,
                    "session": session,
                    "new_patients": 0 if closed else new,
                    "returning_patients": 0 if closed else returning,
                }
            )
    return Delivery(
        arrived,
        f"외래환자현황_{day:%Y%m%d}{suffix}.xlsx",
        _outpatients_workbook(day, rows),
        item="outpatients",
        table="outpatients",
        period=(day, day),
        rows=tuple(rows),
    )


def _outpatients_workbook(day: dt.date, rows: list[Row]) -> bytes:
    sheet = Sheet("외래환자현황", AUTHOR, (16, *(9,) * 6, 10))
    sheet.put(1, 1, "외래환자 현황", "title", across=8)
    sheet.height(1, 33)
    sheet.put(2, 1, f"진료일 : {day.year}년 {day.month}월 {day.day}일({_WEEKDAY[day.weekday()]})", "note", across=4)
    sheet.put(2, 6, "(단위: 명)", "unit", across=3)
    sheet.put(3, 1, "진료과", "head", down=2)
    for column, session in ((2, "오전"), (5, "오후")):
        sheet.put(3, column, session, "head", across=3)
        for offset, text in enumerate(("신환", "재진", "계")):
            sheet.put(4, column + offset, text, "head")
    sheet.put(3, 8, "합계", "head", down=2)
    sheet.freeze(3, 4)
    first, last = 5, 4 + len(DEPARTMENTS)
    figures = []
    for row, department in enumerate(DEPARTMENTS, start=first):
        morning, afternoon = (
            [r for r in rows if r["department"] == department and r["session"] == s] for s in ("오전", "오후")
        )
        counts = [
            int(total_of(part, name))
            for part in (morning, afternoon)
            for name in ("new_patients", "returning_patients")
        ]
        figures.append(counts)
        sheet.put(row, 1, department, "text")
        _patients(sheet, row, counts, "number")
    sheet.put(last + 1, 1, "합    계", "total label")
    sums = [sum(column) for column in zip(*figures, strict=True)]
    for column, value in zip(range(2, 9), _with_sums(sums), strict=True):
        sheet.put(last + 1, column, total(column, range(first, last + 1), value), "total", COUNT)
    sheet.put(last + 2, 1, "※ 신환: 당원 최초 내원 환자, 응급실 제외", "note", across=8)
    return sheet.save()


def _with_sums(counts: Sequence[int]) -> tuple[int, ...]:
    a, b, c, d = counts
    return (a, b, a + b, c, d, c + d, a + b + c + d)


def _patients(sheet: Sheet, row: int, counts: Sequence[int], look: str) -> None:
    for column, value in zip(range(2, 9), _with_sums(counts), strict=True):
        formula = {4: f"B{row}+C{row}", 7: f"E{row}+F{row}", 8: f"D{row}+G{row}"}.get(column)
        sheet.put(row, column, Formula(formula, value) if formula else value, "subtotal" if formula else look, COUNT)


def beds(day: dt.date, arrived: dt.date, *, suffix: str = "", contradictory: bool = False) -> Delivery:
    """병상가동현황 of one day: one table a kind of ward; `contradictory` breaks the first table's total."""
    random = Random(f"saeum beds {day}")
    rows: list[Row] = []
    for kind, wards in WARDS.items():
        for ward, licensed in wards:
            operated = licensed - random.choice((0, 0, 2))
            rows.append(
                {
                    "report_date": day,
                    "ward_kind": kind,
                    "ward": ward,
                    "licensed_beds": licensed,
                    "operated_beds": operated,
                    "inpatients": operated * random.randint(60, 98) // 100,
                }
            )
    return Delivery(
        arrived,
        f"병상가동현황_{day:%Y%m%d}{suffix}.xlsx",
        _beds_workbook(day, rows, slip=10 if contradictory else 0),
        fate="contradictory" if contradictory else "loaded",
        item="beds",
        table="beds",
        period=(day, day),
        rows=() if contradictory else tuple(rows),
    )


def _beds_workbook(day: dt.date, rows: list[Row], slip: int) -> bytes:
    sheet = Sheet("병상가동", "새움병원 간호부", (16, 12, 12, 12, 12))
    sheet.put(1, 1, "병상 가동 현황", "title", across=5)
    sheet.height(1, 33)
    sheet.put(2, 1, f"기준일시 : {day} 24:00", "note", across=3)
    row = 4
    for kind in WARDS:
        sheet.put(row, 1, f"■ {kind}", "section", across=3)
        sheet.put(row, 5, "(단위: 병상, 명)", "unit")
        for column, text in enumerate(("병동", "허가병상", "가동병상", "재원환자", "가동률"), start=1):
            sheet.put(row + 1, column, text, "head")
        group = [r for r in rows if r["ward_kind"] == kind]
        first = row = row + 2
        for line in group:
            sheet.put(row, 1, str(line["ward"]))
            _occupancy(sheet, row, [_count([line], name) for name in _BEDS], "number")
            row += 1
        sums = [_count(group, name) for name in _BEDS]
        sheet.put(row, 1, "합계", "total label")
        _occupancy(sheet, row, sums, "total", first)
        if slip and kind == "일반병동":
            sheet.put(row, 4, sums[2] + slip, "total", COUNT)
        row += 2
    sheet.put(row, 1, "※ 가동률 = 재원환자 ÷ 가동병상", "note", across=5)
    return sheet.save()


_BEDS = ("licensed_beds", "operated_beds", "inpatients")


def _count(rows: Iterable[Row], name: str) -> int:
    return int(total_of(rows, name))


def _occupancy(sheet: Sheet, row: int, counts: Sequence[int], look: str, first: int | None = None) -> None:
    for column, value in enumerate(counts, start=2):
        sheet.put(row, column, total(column, range(first, row), value) if first else value, look, COUNT)
    sheet.put(row, 5, Formula(f"D{row}/C{row}", counts[2] / counts[1]), look, PERCENT)


def profit(month: dt.date, arrived: dt.date) -> Delivery:
    """수익분석 of one month: accounts by department, in 백만원, deductions and losses with △."""
    random = Random(f"saeum profit {month}")
    size = {department: random.randint(250, 900) for department in PROFIT_DEPARTMENTS}
    rows: list[Row] = []
    for group, accounts in ACCOUNTS.items():
        for account in accounts:
            for department in PROFIT_DEPARTMENTS:
                millions = size[department] * _SHARES[account] * random.randint(85, 115) // 10_000
                rows.append(
                    {
                        "month": month,
                        "account_group": group,
                        "account": account,
                        "department": department,
                        "amount": Decimal(millions * MILLION),
                    }
                )
    rows += [
        {
            "month": month,
            "account_group": RESULT,
            "account": None,
            "department": department,
            "amount": _won(rows, department, "의료수익") - _won(rows, department, "의료비용"),
        }
        for department in PROFIT_DEPARTMENTS
    ]
    return Delivery(
        arrived,
        f"수익분석_{month:%Y%m}.xlsx",
        _profit_workbook(month, rows),
        item="profit",
        table="profit",
        period=(month, month.replace(day=calendar.monthrange(month.year, month.month)[1])),
        rows=tuple(rows),
    )


def _profit_workbook(month: dt.date, rows: list[Row]) -> bytes:
    sheet = Sheet("수익분석", "새움병원 재무팀", (12, 16, *(12,) * 5, 12), landscape=True)
    sheet.put(1, 1, f"{month.year}년 {month.month}월 진료과별 수익분석", "title", down=2, across=4)
    sheet.sign_off(5, (("담당", "서유진"), ("팀장", "문태호"), ("병원장", "")))
    sheet.put(3, 6, "(단위: 백만원)", "unit", across=3)
    heads = ("구분", "과목", *PROFIT_DEPARTMENTS, "합계")
    for column, text in enumerate(heads, start=1):
        sheet.put(4, column, text, "head")
    sheet.freeze(4, 4)
    row, sums = 5, []
    for group, accounts in ACCOUNTS.items():
        first = row
        for account in accounts:
            line = [int(_won(rows, department, group, account) / MILLION) for department in PROFIT_DEPARTMENTS]
            sheet.put(row, 2, account, "text")
            for column, value in enumerate(line, start=3):
                sheet.put(row, column, value if value >= 0 else f"△{-value:,}", "number", COUNT)
            sheet.put(row, 8, Formula(f"SUM(C{row}:G{row})", sum(line)), "subtotal", COUNT)
            row += 1
        sheet.put(first, 1, group, "label", down=row - first + 1)
        sheet.put(row, 2, "소계", "subtotal label")
        of_group = [int(_won(rows, department, group) / MILLION) for department in PROFIT_DEPARTMENTS]
        for column, value in enumerate((*of_group, sum(of_group)), start=3):
            sheet.put(row, column, total(column, range(first, row), value), "subtotal", COUNT)
        sums.append(row)
        row += 1
    sheet.put(row, 1, RESULT, "total label", across=2)
    for column, department in enumerate(PROFIT_DEPARTMENTS, start=3):
        _difference(sheet, row, column, sums, _won(rows, department, RESULT))
    _difference(sheet, row, 8, sums, sum(_won(rows, department, RESULT) for department in PROFIT_DEPARTMENTS))
    return sheet.save()


def _difference(sheet: Sheet, row: int, column: int, sums: Sequence[int], won: Decimal | int) -> None:
    letter = "ABCDEFGH"[column - 1]
    sheet.put(row, column, Formula(f"{letter}{sums[0]}-{letter}{sums[1]}", int(won / MILLION)), "total", COUNT)


def _won(rows: Iterable[Row], department: str, group: str, account: str | None = None) -> Decimal:
    """What one department has in a group of accounts, or in one of them."""
    return total_of(
        (
            row
            for row in rows
            if (row["department"], row["account_group"]) == (department, group) and account in (None, row["account"])
        ),
        "amount",
    )


def marts(tidy: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """What the hospital models must make of those tidy rows."""
    visits = summed(tidy["outpatients"], by=("visit_date", "department"), sums=("new_patients", "returning_patients"))
    for row in visits:
        row["patients"] = total_of([row], "new_patients") + total_of([row], "returning_patients")
        row["new_share"] = ratio(row["new_patients"], row["patients"])
    occupancy = summed(tidy["beds"], by=("report_date", "ward_kind"), sums=_BEDS)
    for row in occupancy:
        row["occupancy_rate"] = ratio(row["inpatients"], row["operated_beds"])
    booked = [row for row in tidy["profit"] if row["account_group"] != RESULT]
    profits = summed(
        [
            row | {"revenue": row["amount"], "cost": 0}
            if row["account_group"] == "의료수익"
            else row | {"revenue": 0, "cost": row["amount"]}
            for row in booked
        ],
        by=("month", "department"),
        sums=("revenue", "cost"),
    )
    for row in profits:
        row["profit"] = total_of([row], "revenue") - total_of([row], "cost")
    return {
        "outpatients_daily": visits,
        "bed_occupancy_daily": occupancy,
        "revenue_monthly": summed(booked, by=("month", "account_group", "account"), sums=("amount",)),
        "department_profit_monthly": profits,
    }
