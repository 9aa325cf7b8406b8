"""convert never raises: each bad file has a state, a message and a remedy."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from converters import Options, convert, sample_text
from converters.options import Limits

ROWS = [["지점", "매출"], ["강남", 10], ["서초", 20]]


def test_bytes_and_path_give_the_same(workbook: Callable[..., Path]) -> None:
    path = workbook(ROWS)
    assert convert(path.read_bytes(), name=path.name) == convert(path)


def test_a_name_says_nothing_about_the_format(workbook: Callable[..., Path]) -> None:
    path = workbook(ROWS)
    assert convert(path, name="really.csv").format == "xlsx"


@pytest.mark.parametrize(
    ("data", "state", "code"),
    [
        (b"", "quarantined", "broken_file"),
        (b"   \n \n", "quarantined", "broken_file"),
        (b"PK\x03\x04 cut off", "quarantined", "broken_file"),
        (bytes(range(256)) * 8, "unsupported", "unsupported_format"),
        (b"%PDF-1.7\n...", "quarantined", "broken_file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "unsupported", "unsupported_format"),
        (b'{"a": [1, 2', "quarantined", "broken_file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "unsupported", "unsupported_format"),
        (b"just a line of prose", "ok", "no_table"),
    ],
)
def test_bad_content_has_a_state_and_a_remedy(data: bytes, state: str, code: str) -> None:
    conversion = convert(data, name="file.xlsx")
    assert (conversion.state, conversion.problems[0].code) == (state, code)
    assert "file.xlsx" in conversion.problems[0].message
    assert conversion.problems[0].remedy.endswith(".")
    assert not conversion.tables


def test_a_missing_file_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    conversion = convert(tmp_path / "gone.xlsx")
    assert conversion.state == "quarantined"
    assert conversion.problems[0].code == "unreadable"


def test_every_cut_of_a_workbook_ends_in_a_state(workbook: Callable[..., Path]) -> None:
    data = workbook(ROWS).read_bytes()
    for end in range(0, len(data), max(1, len(data) // 40)):
        assert convert(data[:end]).state == "quarantined"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(workbook: Callable[..., Path]) -> None:
    data = workbook(ROWS).read_bytes()
    bomb = io.BytesIO(data)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(150 << 20))
    conversion = convert(bomb.getvalue(), name="bomb.xlsx")
    assert conversion.state == "quarantined"
    assert conversion.problems[0].code == "over_limit"


def test_limits_are_named_in_the_problem(workbook: Callable[..., Path]) -> None:
    path = workbook([["a", "b"], *([[1, 2]] * 50)])
    few_cells = convert(path, options=Options(limits=Limits(max_cells=20)))
    assert few_cells.state == "quarantined"
    assert "max_cells" in few_cells.problems[0].message
    few_bytes = convert(path, options=Options(limits=Limits(max_bytes=100)))
    assert "max_bytes" in few_bytes.problems[0].message


def test_two_cells_at_the_corners_of_a_sheet_allocate_no_box_between(workbook: Callable[..., Path]) -> None:
    path = workbook([["지점", "매출"], ["강남", 1]])
    import openpyxl

    book = openpyxl.load_workbook(path)
    book.active["XFD6000"] = 1
    book.save(path)
    conversion = convert(path)
    assert conversion.state == "ok"
    assert conversion.tables[0].columns[0].values == ["강남"]


def test_a_protected_workbook_needs_a_password_and_opens_with_it(workbook: Callable[..., Path]) -> None:
    from msoffcrypto.format.ooxml import OOXMLFile

    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(workbook(ROWS).read_bytes())).encrypt("온돌2026", locked)
    data = locked.getvalue()
    refused = convert(data, name="locked.xlsx")
    assert refused.state == "needs_password"
    wrong = convert(data, name="locked.xlsx", options=Options(passwords=("guess-me-not",)))
    assert wrong.state == "needs_password"
    assert "guess-me-not" not in repr(wrong) + repr(Options(passwords=("guess-me-not",)))
    assert convert(data, options=Options(passwords=("no", "온돌2026"))).tables == convert(workbook(ROWS)).tables


def test_sample_text_has_sheet_and_first_rows_and_never_raises(workbook: Callable[..., Path]) -> None:
    path = workbook([["2026년 1월 매출일보"], *([["지점", "매출"]] * 500)])
    text = sample_text(path, "일보.xlsx")
    assert text.splitlines()[:2] == ["Sheet", "2026년 1월 매출일보"]
    assert len(text.splitlines()) <= 60
    assert sample_text(b"PK\x03\x04", "broken.xlsx") == ""
    assert sample_text("지점,매출\n강남,1\n".encode("cp949"), "a.csv").splitlines()[1] == "지점\t매출"


def test_importing_the_package_loads_no_reader() -> None:
    code = "import sys, converters; sys.exit(any(m in sys.modules for m in ('pyarrow', 'lxml', 'pandas', 'chardet')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_dtd_in_a_workbook_is_refused(workbook: Callable[..., Path]) -> None:
    source = zipfile.ZipFile(workbook(ROWS))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for member in source.namelist():
            data = source.read(member)
            if member == "xl/workbook.xml":
                data = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "b">]>' + data[data.find(b"<workbook") :]
            archive.writestr(member, data)
    assert convert(target.getvalue()).state == "quarantined"


def test_bare_biff_without_a_container_is_known_as_xls() -> None:
    conversion = convert(struct.pack("<HHHH", 0x0809, 8, 0x0500, 0x0005) + bytes(100), name="old.xls")
    assert conversion.format == "xls"
    assert conversion.state == "quarantined"
