from __future__ import annotations

import csv
import datetime as dt
import json
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from converters import convert
from converters.export import area, document, export
from converters.model import Column, Conversion, Page, Range, Table
from converters.periods import Period

EVIL = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "홍길동"]


def conversion(*columns: Column, name: str = "매출.xlsx") -> Conversion:
    rows = len(columns[0].values)
    table = Table(
        "시트", 0, Range(2, 0, 2 + rows, len(columns) - 1), list(columns), list(range(3, 3 + rows)), [False] * rows
    )
    table.errors[3, 0] = "#DIV/0!"
    return Conversion(name, "ab", "xlsx", "ok", [table])


def test_csv_runs_no_formula(tmp_path):
    numbers = Column(1, ("=금액",), "number", [-1, 2, 3.5, Decimal("4.25"), None, 6])
    (path,) = export(conversion(Column(0, ("지점", "이름"), "text", EVIL), numbers), "csv", tmp_path / "new")
    with path.open(newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["지점/이름", "'=금액"]
    assert [row[0] for row in rows] == [f"'{text}" for text in EVIL[:-1]] + ["홍길동"]
    assert [row[1] for row in rows] == ["-1", "2", "3.5", "4.25", "", "6"]


def test_parquet_keeps_types_and_falls_back_to_text(tmp_path):
    day = dt.date(2026, 1, 5)
    columns = {
        "int64": [1, None], "double": [1, 2.5], "decimal128(38, 9)": [1, Decimal("0.1")], "bool": [True, None],
        "date32[day]": [day, None], "timestamp[us]": [dt.datetime(2026, 1, 5, 7), None],
        "time64[us]": [dt.time(7), None], "string": ["0012", None],
    }  # fmt: skip
    mixed = [
        Column(9, ("mixed",), "mixed", [1, "a"]),
        Column(10, ("huge",), "number", [1 << 70, 1]),
        Column(11, (), "null", [None, None]),
    ]
    made = [Column(n, (kind,), "mixed", values) for n, (kind, values) in enumerate(columns.items())]
    (path,) = export(conversion(*made, *mixed), "parquet", tmp_path)
    found = pq.read_table(path)
    assert [str(field.type) for field in found.schema] == [*columns, "string", "string", "string"]
    assert found.column_names[-1] == "L"
    assert found["mixed"].to_pylist() == ["1", "a"]
    assert found["huge"].to_pylist() == [str(1 << 70), "1"]


def test_json_is_strict_json(tmp_path):
    values = [
        float("nan"),
        Decimal("Infinity"),
        Decimal("0.1"),
        Decimal("10.00"),
        Decimal("0.12345678901234567890"),
        dt.date(2026, 1, 5),
    ]
    made = conversion(Column(0, ("a",), "mixed", values))
    (path,) = export(made, "json", tmp_path)
    read = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert [row["values"][0] for row in read["rows"]] == [
        "nan",
        "inf",
        0.1,
        10,
        "0.12345678901234567890",
        "2026-01-05",
    ]
    assert (read["area"], read["rows"][0]["row"], read["errors"]) == ("A3:A9", 4, {"A4": "#DIV/0!"})
    assert json.loads(json.dumps(document(made)))["tables"][0]["sheet"] == "시트"


def test_places_are_those_of_the_file():
    made = conversion(
        Column(0, ("a",), "number", [1, None, 3, 6], period=Period(dt.date(2026, 1, 1), dt.date(2026, 1, 31)))
    )
    (table,) = made.tables
    table.pages = (Page(0, "시트"), Page(5, "page 2", 0))
    table.sums[6] = (3, 5)
    table.nulls[4, 0] = "-"
    table.errors[5, 0] = "#N/A"
    read = document(made)["tables"][0]
    assert read["area"] == "A3:page 2!A2"
    assert [(row.get("sheet"), row["row"], row["sums"]) for row in read["rows"]] == [
        (None, 4, []), (None, 5, []), ("page 2", 1, []), ("page 2", 2, [4, 1]),
    ]  # fmt: skip
    assert (read["nulls"], read["errors"]["page 2!A1"]) == ({"A5": "-"}, "#N/A")
    assert read["columns"][0]["period"] == {"start": "2026-01-01", "end": "2026-01-31", "basis": "during"}
    table.pages = (Page(0, "page 3", 7),)
    assert area(table) == "page 3!A10:A14"


def test_nothing_is_overwritten_and_no_name_leaves_the_folder(tmp_path):
    made = conversion(Column(0, ("a",), "number", [1]), name="../../etc/passwd\n.xlsx")
    (path,) = export(made, "csv", tmp_path)
    assert path.parent == tmp_path
    with pytest.raises(FileExistsError, match="passwd"):
        list(export(made, "csv", tmp_path))


def test_columns_of_one_name_stay_apart(tmp_path):
    made = conversion(*(Column(n, ("금액",), "number", [n]) for n in range(3)))
    (path,) = export(made, "parquet", tmp_path)
    assert pq.read_table(path).column_names == ["금액", "금액 B", "금액 C"]


def test_rows_that_sum_up_others_are_told_from_them_and_units_stay(tmp_path, workbook):
    made = convert(workbook([["지점", "금액(천원)"], ["강남", 10], ["서초", 20], ["합계", 30]]))
    (text,) = export(made, "csv", tmp_path)
    assert text.read_text("utf-8").split() == [
        "지점,금액(천원),subtotal",
        "강남,10,False",
        "서초,20,False",
        "합계,30,True",
    ]
    (path,) = export(made, "parquet", tmp_path)
    read = pq.read_table(path)
    assert read["subtotal"].to_pylist() == [False, False, True]
    assert read.schema.field("금액(천원)").metadata == {b"unit": "천원".encode()}
