"""A file inside archives and mails is read as if it came alone, and costs only itself when it cannot be."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters import Options, convert, sample_text
from converters.facts import fact_line
from converters.formats.container import decoded_names
from converters.model import Conversion
from converters.options import Limits
from converters.sandbox import convert_safely
from tests.converters.formats.packing import CSV, attached, compound, outlook, zipped

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
MAIL = (
    b"""From: a@b.kr
To: c@d.kr
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

hello
--b
Content-Type: application/octet-stream; name=a.csv

%b
--b--
"""
    % CSV
)


def limited(**limits: int) -> Options:
    return Options(limits=Limits(**limits))


def codes(conversion: Conversion) -> list[str]:
    return [problem.code for problem in conversion.problems]


def test_facts_say_the_whole_path_down_to_the_file() -> None:
    conversion = convert(zipped(("2월.zip", zipped(("강남/매출.csv", CSV)))), name="상반기.zip")
    [table] = conversion.tables
    assert conversion.state == "ok" and conversion.format == "zip"
    assert table.container == ("상반기.zip", "2월.zip", "강남/매출.csv")
    assert table.sheet == "매출"
    first = json.loads(fact_line(next(table.facts())))
    assert first["container"] == ["상반기.zip", "2월.zip", "강남/매출.csv"]


def test_tables_of_a_member_are_those_of_the_file_alone() -> None:
    alone, inside = convert(CSV, name="a.csv"), convert(zipped(("a.csv", CSV)), name="a.zip")
    [table] = inside.tables
    assert dataclasses.replace(table, container=()) == alone.tables[0]


def test_files_come_in_the_order_of_the_archive_and_are_numbered_through() -> None:
    conversion = convert(zipped(("b.csv", CSV), ("a.csv", CSV), ("c/a.csv", CSV)), name="x.zip")
    assert [(t.index, t.container[1]) for t in conversion.tables] == [(0, "b.csv"), (1, "a.csv"), (2, "c/a.csv")]


def test_one_bad_file_does_not_cost_the_others() -> None:
    members = ("a.csv", CSV), ("cut.xlsx", b"PK\x03\x04..."), ("none.bin", bytes(range(256)) * 9), ("b.csv", CSV)
    conversion = convert(zipped(*members, ("empty.csv", b"")), name="x.zip")
    assert conversion.state == "partial"
    assert [t.container[1] for t in conversion.tables] == ["a.csv", "b.csv"]
    assert [(p.code, p.where) for p in conversion.problems] == [
        ("broken_file", "cut.xlsx"), ("unsupported_format", "none.bin"), ("broken_file", "empty.csv"),
    ]  # fmt: skip
    assert all(p.remedy.endswith(".") for p in conversion.problems)


def test_a_problem_deep_inside_says_the_way_to_it() -> None:
    inner = zipped(
        ("bad.xlsx", b"PK\x03\x04..."), ("latin.csv", "지점,매출\n강남,1\n".encode("cp949") * 400 + b"\xff\xff,1\n")
    )
    conversion = convert(zipped(("in.zip", inner)), name="x.zip")
    assert conversion.problems[0].where == "in.zip ▸ bad.xlsx"


@pytest.mark.parametrize(
    ("members", "state"),
    [
        ([("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(50)), ("b.egg", b"EGGA" + bytes(50))], "unsupported"),
        ([("photo.png", PNG)], "unsupported"),
        ([("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(50)), ("b.xlsx", b"PK\x03\x04...")], "quarantined"),
        ([("a.pgp", b"-----BEGIN PGP MESSAGE-----\n\nabc"), ("b.xlsx", b"PK\x03\x04...")], "needs_password"),
        ([("a.txt", b"just a line of prose")], "ok"),
    ],
)
def test_without_any_table_the_state_says_what_to_do(members: list[tuple[str, bytes]], state: str) -> None:
    conversion = convert(zipped(*members), name="x.zip")
    assert conversion.state == state
    assert conversion.problems and not conversion.tables


def test_what_systems_leave_behind_is_passed_over_with_one_notice() -> None:
    junk = ["__MACOSX/강남/._매출.csv", ".DS_Store", "강남/Thumbs.db", "~$매출.xlsx", "desktop.ini"]
    conversion = convert(zipped(("강남/", b""), *((name, b"x") for name in junk), ("a.csv", CSV)), name="x.zip")
    assert conversion.state == "ok" and len(conversion.tables) == 1
    [notice] = conversion.notices
    assert notice.code == "passed_over" and all(name in notice.message for name in junk)


def test_an_image_beside_tables_is_a_notice() -> None:
    conversion = convert(zipped(("a.csv", CSV), ("도장.png", PNG)), name="x.zip")
    assert conversion.state == "ok"
    assert ["도장.png" in n.message for n in conversion.notices] == [True]


def test_files_of_the_same_name_are_told_apart() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(("a.csv", CSV), ("a.csv", CSV), ("a.csv (2)", CSV))
    names = [t.container[1] for t in convert(data, name="x.zip").tables]
    assert names == ["a.csv", "a.csv (2)", "a.csv (2) (2)"]


def test_nesting_ends_at_its_limit_and_says_so() -> None:
    data = CSV
    for level in range(6):
        data = zipped((f"{level}.zip" if level else "a.csv", data))
    too_deep = convert(data, name="x.zip")
    assert (too_deep.state, codes(too_deep)) == ("quarantined", ["over_limit"])
    assert "max_nesting" in too_deep.problems[0].message
    assert convert(data, name="x.zip", options=limited(max_nesting=6)).state == "ok"


def test_all_levels_share_one_budget_of_members() -> None:
    nested = zipped(*((f"{i}.zip", zipped(*((f"{j}.csv", CSV) for j in range(9)))) for i in range(9)))
    conversion = convert(nested, name="x.zip", options=limited(max_members=50))
    assert conversion.state == "partial" and codes(conversion) == ["over_limit"]
    assert "max_members" in conversion.problems[0].message
    assert 40 <= len(conversion.tables) <= 50


def test_all_levels_share_one_budget_of_cells() -> None:
    nested = zipped(*((f"{i}.zip", zipped((f"{i}.csv", CSV))) for i in range(9)))
    conversion = convert(nested, name="x.zip", options=limited(max_cells=20))
    assert conversion.state == "partial" and codes(conversion) == ["over_limit"]
    assert len(conversion.tables) == 3 and "max_cells" in conversion.problems[0].message


def test_all_levels_share_one_budget_of_inflated_bytes() -> None:
    nested = zipped(*((f"{i}.zip", zipped((f"{i}.bin", bytes(1 << 20)))) for i in range(9)), ("last.csv", CSV))
    conversion = convert(nested, name="x.zip", options=limited(max_inflated_bytes=3 << 20))
    assert set(codes(conversion)) == {"over_limit", "unsupported_format"}
    assert [t.container[1] for t in conversion.tables] == ["last.csv"]


def test_of_very_many_bad_files_the_most_are_counted() -> None:
    conversion = convert(zipped(("a.csv", CSV), *((f"{i}.bin", bytes(range(256))) for i in range(150))), name="x.zip")
    assert conversion.state == "partial" and len(conversion.problems) == 101
    assert conversion.problems[-1].message.startswith("50 more files")


def test_a_bomb_of_archives_in_archives_ends_quickly() -> None:
    bomb = zipped(*((f"{i}.bin", bytes(8 << 20)) for i in range(16)))
    for _ in range(3):
        bomb = zipped(*((f"{i}.zip", bomb) for i in range(16)))
    started = time.process_time()
    conversion = convert(bomb, name="bomb.zip")
    assert time.process_time() - started < 20
    assert conversion.state == "quarantined" and "over_limit" in codes(conversion)


def test_limits_and_passwords_reach_the_sandbox(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(("in.zip", zipped(("a.csv", CSV)))))
    assert convert_safely(path) == convert(path)
    shallow = convert_safely(path, limits=Limits(max_nesting=1))
    assert codes(shallow) == ["over_limit"]


def test_a_sample_of_a_container_names_its_files_and_shows_their_rows() -> None:
    lines = sample_text(zipped(("강남/매출.csv", CSV), ("in.zip", zipped(("b.csv", CSV)))), "x.zip").splitlines()
    assert "강남/매출.csv" in lines and "in.zip/b.csv" in lines
    assert "지점\t매출" in lines
    locked = sample_text(zipped(("보안.pgp", b"-----BEGIN PGP MESSAGE-----\n")), "x.zip")
    assert "보안.pgp" in locked


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("강남점 매출.xlsx".encode("cp949"), "강남점 매출.xlsx"),
        ("강남점 매출.xlsx".encode(), "강남점 매출.xlsx"),
        ("똠방각하 뷁.csv".encode("cp949"), "똠방각하 뷁.csv"),
        ("売上表_テスト.csv".encode("cp932"), "売上表_テスト.csv"),
        (b"plain.csv", "plain.csv"),
    ],
)
def test_names_without_a_stated_encoding_are_told_by_their_bytes(raw: bytes, name: str) -> None:
    assert decoded_names([raw]) == [name]


SOUND = [
    zipped(("a.csv", CSV), ("in.zip", zipped(("b.csv", CSV)))),
    MAIL,
    compound(outlook({0x37: "매출", 0x1000: "본문"}, attachments=(attached("a.csv", CSV),))),
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SOUND), st.data())
def test_no_damage_to_a_container_defeats_the_converter(sound: bytes, data: st.DataObject) -> None:
    damaged = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        patch = data.draw(st.binary(min_size=1, max_size=8))
        damaged[at : at + data.draw(st.sampled_from([len(patch), 0]))] = patch
    damaged = damaged[: data.draw(st.sampled_from([len(damaged), len(damaged) // 2]))]
    conversion = convert(bytes(damaged), name="x")
    assert "converter_defect" not in codes(conversion), conversion.problems
    assert conversion.state == "ok" or conversion.problems
