from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "실적"
    for row in (
        ["지점별 판매 실적"], ["(단위: 천원)"], ["지점", "수량(EA)", "금액", "비고"],
        ["강남점", 10, 1200, "=HYPERLINK"], ["마포점", 5, 800, None], ["합계", 15, 2000, None],
    ):  # fmt: skip
        sheet.append(row)
    sheet["D4"].data_type = "s"
    path = tmp_path / "실적_20260105.xlsx"
    book.save(path)
    return path


def test_the_screen_shows_title_units_subtotals_and_addresses(ondol, workbook):
    said = ondol("convert", workbook)
    assert said.code == 0
    assert "실적 ▸ 지점별 판매 실적  A3:D6" in said.out
    assert "(천원)" in said.out
    assert [line.split()[:3] for line in said.out.splitlines() if "합계" in line] == [["Σ", "6", "합계"]]
    assert said.err == "실적_20260105.xlsx: xlsx, ok, 1 table\n"


def test_columns_of_korean_text_stay_aligned(ondol, workbook):
    from rich.cells import cell_len

    lines = [line for line in ondol("convert", workbook).out.splitlines() if "강남점" in line or "마포점" in line]
    ends = {
        cell_len(line[: line.index(amount) + len(amount)]) for line, amount in zip(lines, ("1200", "800"), strict=True)
    }
    assert len(ends) == 1


def test_facts_are_the_lines_that_the_shared_scorer_reads(ondol, workbook):
    facts = [json.loads(line) for line in ondol("convert", workbook, "--facts").out.splitlines()]
    fact = next(f for f in facts if f["cell"] == "C4")
    assert fact == {
        "sheet": "실적", "cell": "C4", "column": ["금액"], "row": ["강남점"], "value": 1200, "type": "number",
        "unit": "천원", "subtotal": False, "role": "value",
    }  # fmt: skip


def test_each_table_becomes_a_file_of_the_format_asked_for(ondol, workbook, tmp_path, monkeypatch):
    written = {
        to: Path(ondol("convert", workbook, "--to", to, "--out", tmp_path / to).out.strip())
        for to in ("csv", "parquet", "json")
    }
    assert [path.name for path in written.values()] == [f"실적_20260105.1.{to}" for to in written]
    with written["csv"].open(newline="") as file:
        assert list(csv.reader(file))[1] == ["강남점", "10", "1200", "'=HYPERLINK", "False"]
    assert pq.read_table(written["parquet"])["금액"].to_pylist() == [1200, 800, 2000]
    assert json.loads(written["json"].read_text())["title"] == "지점별 판매 실적"
    again = ondol("convert", workbook, "--to", "csv", "--out", tmp_path / "csv")
    assert (again.code, "there already" in again.err) == (1, True)


def test_everything_is_one_document_under_json(ondol, workbook):
    read = ondol("convert", workbook, "--json").json
    assert (read["state"], read["format"], read["tables"][0]["rows"][2]["subtotal"]) == ("ok", "xlsx", True)


def test_rows_beyond_the_limit_are_counted(ondol, workbook):
    said = ondol("convert", workbook, "--rows", 1)
    assert "마포점" not in said.out
    assert "2 more rows" in said.out
    assert "마포점" in ondol("convert", workbook, "--rows", 0).out


def test_a_file_without_a_table_fails_with_what_to_do(ondol, tmp_path):
    path = tmp_path / "broken.xlsx"
    path.write_bytes(b"PK\x03\x04" + b"\x00" * 100)
    said = ondol("convert", path)
    assert said.code == 1
    assert " → " in said.err
    assert ondol("convert", path, "--json").json["problems"]


def test_a_hostile_text_reaches_no_terminal(ondol, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("지점,금액\n\x1b]0;owned\x07강남,1\n\x1b[2J[red]마포[/red],2\n")
    said = ondol("convert", path)
    assert "\x1b" not in said.out + said.err
    assert "[red]마포[/red]" in said.out


def test_options_that_exclude_each_other_are_a_wrong_command_line(ondol, workbook):
    assert ondol("convert", workbook, "--facts", "--json").code == 2
    assert ondol("convert", workbook, "--to", "xml").code == 2
    assert ondol("convert", "gone.xlsx").code == 2


def test_an_explanation_shows_the_sheet_and_each_decision_with_its_evidence(ondol, workbook):
    said = ondol("convert", workbook, "--explain")
    assert said.code == 0
    assert re.search(r"A1\s+title\s+지점별 판매 실적\s+← ", said.out)
    assert re.search(r"C4:C6\s+unit\s+천원\s+← .*A2", said.out)
    assert "강남점" in said.out


def test_an_explanation_is_written_as_a_page_too(ondol, workbook, tmp_path):
    page = tmp_path / "explained.html"
    said = ondol("convert", workbook, "--html", page)
    assert (said.code, said.out) == (0, "")
    assert f"{page}: open it in a browser" in said.err
    assert "지점별 판매 실적" in page.read_text("utf-8")


def test_a_protected_file_is_opened_with_a_password_that_is_asked_for(ondol, workbook, tmp_path, monkeypatch):
    from msoffcrypto.format.ooxml import OOXMLFile

    locked = tmp_path / "locked.xlsx"
    with workbook.open("rb") as source, locked.open("wb") as target:
        OOXMLFile(source).encrypt("열려라", target)
    refused = ondol("convert", locked)
    assert refused.code == 1
    assert "--ask-password" in refused.err
    monkeypatch.setattr("sys.stdin", io.StringIO("열려라\n"))
    opened = ondol("convert", locked, "--ask-password")
    assert opened.code == 0
    assert "강남점" in opened.out
    assert "열려라" not in opened.out + opened.err
