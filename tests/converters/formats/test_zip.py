"""zip archives: names, passwords, lies."""

from __future__ import annotations

import io
import stat
import struct
import zipfile

import pytest
import pyzipper

from converters import Options, convert
from converters.options import Limits
from tests.converters.formats.packing import CSV, Entry, raw_zip, zipcrypto, zipped

PASSWORD = "온돌2026"


def aes(bits: int, password: str = PASSWORD) -> bytes:
    target = io.BytesIO()
    with pyzipper.AESZipFile(target, "w", zipfile.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=bits)
        archive.writestr("a.csv", CSV)
    return target.getvalue()


def names_of(data: bytes) -> list[str]:
    return [table.container[1] for table in convert(data, name="x.zip").tables]


def test_names_in_cp949_and_utf8_without_a_flag_and_with_one_are_read() -> None:
    assert names_of(raw_zip(Entry("강남/1월 매출.csv".encode("cp949")))) == ["강남/1월 매출.csv"]
    assert names_of(raw_zip(Entry("강남/1월 매출.csv".encode()))) == ["강남/1월 매출.csv"]
    assert names_of(raw_zip(Entry("강남/1월 매출.csv".encode(), flags=0x800))) == ["강남/1월 매출.csv"]


def test_decomposed_hangul_and_backslashes_become_what_people_write() -> None:
    decomposed = "\u1100\u1161\u11bc\u1102\u1161\u11b7.csv"
    assert names_of(raw_zip(Entry(decomposed.encode(), flags=0x800))) == ["강남.csv"]
    assert names_of(raw_zip(Entry("강남\\".encode("cp949"), b""), Entry("강남\\a.csv".encode("cp949")))) == [
        "강남/a.csv"
    ]


@pytest.mark.parametrize(
    "name", [b"../a.csv", b"/etc/a.csv", b"C:\\a.csv", b"c:a.csv", b"x/../../a.csv", b"..\\a.csv", b"\\\\host\\a.csv",
             b"a.csv\x00.txt"]
)  # fmt: skip
def test_names_that_lead_out_are_refused_and_the_rest_is_read(name: bytes) -> None:
    conversion = convert(raw_zip(Entry(name), Entry(b"b.csv")), name="x.zip")
    assert conversion.state == "partial"
    assert [t.container[1] for t in conversion.tables] == ["b.csv"]
    assert "leads out" in conversion.problems[0].message


def test_links_are_refused() -> None:
    link = Entry(b"a.csv", b"/etc/passwd", attributes=(stat.S_IFLNK | 0o777) << 16, system=3)
    conversion = convert(raw_zip(link), name="x.zip")
    assert conversion.state == "quarantined" and "link" in conversion.problems[0].message


@pytest.mark.parametrize("codec", ["cp949", "utf-8"])
def test_zipcrypto_opens_with_a_password_in_either_encoding(codec: str) -> None:
    data = zipcrypto(b"a.csv", PASSWORD.encode(codec))
    assert convert(data, name="x.zip", options=Options(passwords=("no", PASSWORD))).state == "ok"
    refused = convert(data, name="x.zip", options=Options(passwords=("guess-me-not",)))
    assert refused.state == "needs_password" and refused.problems[0].where == "a.csv"
    assert "guess-me-not" not in repr(refused)
    assert convert(data, name="x.zip").state == "needs_password"


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_opens_with_its_password_only(bits: int) -> None:
    assert convert(aes(bits), name="x.zip", options=Options(passwords=("no", PASSWORD))).state == "ok"
    assert convert(aes(bits), name="x.zip", options=Options(passwords=("no",))).state == "needs_password"


def test_a_locked_file_beside_open_ones_makes_the_result_partial() -> None:
    mixed = io.BytesIO(aes(256))
    with zipfile.ZipFile(mixed, "a") as archive:
        archive.writestr("b.csv", CSV)
    conversion = convert(mixed.getvalue(), name="x.zip")
    assert conversion.state == "partial" and [p.code for p in conversion.problems] == ["needs_password"]


def test_a_declared_size_that_lies_is_no_way_around_the_limits() -> None:
    low = raw_zip(Entry(b"a.csv", CSV * 1000, size=10), Entry(b"b.csv"))
    conversion = convert(low, name="x.zip")
    assert conversion.state == "partial" and conversion.problems[0].code == "broken_file"
    high = raw_zip(Entry(b"a.csv", size=(1 << 32) - 2), Entry(b"b.csv"))
    conversion = convert(high, name="x.zip", options=Options(limits=Limits(max_inflated_bytes=1 << 20)))
    assert conversion.state == "partial" and conversion.problems[0].code == "over_limit"


def test_a_ratio_beyond_belief_ends_the_reading() -> None:
    data = zipped(*((f"{i}.bin", bytes(60 << 20)) for i in range(3)), ("a.csv", CSV))
    conversion = convert(data, name="x.zip", options=Options(limits=Limits(max_ratio=100)))
    assert "max_ratio" in conversion.problems[-1].message and not conversion.tables


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_methods_that_are_not_read_are_named(method: int) -> None:
    conversion = convert(zipped(("a.csv", CSV), method=method), name="x.zip")
    assert conversion.state == "unsupported" and "ordinary zip" in conversion.problems[0].remedy


def test_a_zip_that_is_cut_off_says_so_and_does_not_contradict_itself() -> None:
    message = convert(zipped(("a.csv", CSV))[:60], name="x.zip").problems[0].message
    assert "cut off" in message and "not a zip" not in message


def test_an_empty_archive_says_so() -> None:
    conversion = convert(zipped(), name="x.zip")
    assert conversion.state == "quarantined" and "empty" in conversion.problems[0].message


def test_a_workbook_packed_with_backslashes_is_a_workbook() -> None:
    assert convert(zipped(("xl\\workbook.xml", b"<workbook/>")), name="x").format == "xlsx"


def test_a_locked_member_that_ends_with_the_file_is_no_defect() -> None:
    whole = zipcrypto(b"a.csv", b"pw", b"")
    local, directory = whole[:35], whole[47:98]
    directory = directory[:42] + struct.pack("<I", len(directory) + 22) + directory[46:]
    end = struct.pack("<I4H2IH", 0x06054B50, 0, 0, 1, 1, len(directory), 0, len(local))
    conversion = convert(b"PK\x03\x04" + directory + end + local, name="x.zip", options=Options(passwords=("pw",)))
    assert conversion.problems[0].code in ("needs_password", "broken_file")
