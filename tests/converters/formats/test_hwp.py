"""Hangul documents of version 5: records that are written here one by one, in an OLE container that is, too."""

from __future__ import annotations

import contextlib
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.errors import Broken, ConverterError, NeedsPassword, OverLimit, Unsupported
from converters.formats import hwp
from converters.formats.hwp import CONTROL, LIST, PARAGRAPH, SHAPE, TABLE, TEXT
from converters.grid import Grid
from converters.model import Range
from converters.options import DEFAULTS, Limits, Options

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def container(header: bytes, *sections: bytes) -> bytes:
    """A compound file (MS-CFB) of FileHeader and BodyText/Section0, Section1, …"""
    streams = [content.ljust(4096, b"\0") for content in (header, *sections)]
    chains, body, start = [], b"", 1 + 2  # behind the FAT and two sectors of the directory
    for content in streams:
        sectors = -(-len(content) // SECTOR)
        chains.append(start)
        body += content.ljust(sectors * SECTOR, b"\0")
        start += sectors
    fat = [FAT, 2, END]
    for first, last in zip(chains, [*chains[1:], start], strict=True):
        fat += [*range(first + 1, last), END]
    entries = [
        entry("Root Entry", 5, child=2),
        entry("FileHeader", 2, start=chains[0], size=len(streams[0])),
        entry("BodyText", 1, right=1, child=3),
        *(
            entry(f"Section{n}", 2, right=n + 4 if n + 1 < len(sections) else FREE, start=first, size=len(content))
            for n, (first, content) in enumerate(zip(chains[1:], streams[1:], strict=True))
        ),
    ]
    counts = (0, 1, 1, 0, 4096, END, 0, END, 0)  # of the FAT's sectors, where the directory and the other tables are
    head = struct.pack("<8s16xHHHHH6x9I", bytes.fromhex("d0cf11e0a1b11ae1"), 62, 3, 0xFFFE, 9, 6, *counts)
    head += struct.pack("<109I", 0, *[FREE] * 108)
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(SECTOR, b"\xff")
    assert len(table) == SECTOR, "one sector of FAT is enough for a test"
    return head + table + b"".join(entries).ljust(2 * SECTOR, b"\0") + body


def entry(name: str, kind: int, right: int = FREE, child: int = FREE, start: int = 0, size: int = 0) -> bytes:
    text = name.encode("utf-16-le")
    return struct.pack("<64sHBBIII36xIQ", text, len(text) + 2, kind, 1, FREE, right, child, start, size)


def file_header(flags: int = 0) -> bytes:
    return struct.pack("<32sII", b"HWP Document File", 0x05000300, flags)


def record(tag: int, level: int, data: bytes = b"") -> bytes:
    size = len(data)
    if size < 0xFFF:
        return struct.pack("<I", tag | level << 10 | size << 20) + data
    return struct.pack("<II", tag | level << 10 | 0xFFF << 20, size) + data


def paragraph(text: str, level: int = 0) -> bytes:
    return record(PARAGRAPH, level, bytes(22)) + record(TEXT, level + 1, f"{text}\r".encode("utf-16-le"))


def cell(row: int, column: int, text: str, across: int = 1, down: int = 1, inner: bytes = b"") -> bytes:
    header = struct.pack("<8x4H", column, row, across, down) + bytes(18)
    return record(LIST, 2, header) + paragraph(text, 2) + inner


def table(*cells: bytes, caption: bytes = b"") -> bytes:
    control = record(PARAGRAPH, 0, bytes(22)) + record(CONTROL, 1, b" lbt" + bytes(40))
    return control + caption + record(TABLE, 2, bytes(22)) + b"".join(cells)


def document(*sections: bytes, flags: int = 0) -> Document:
    return Document("보고.hwp", data=container(file_header(flags), *sections))


def grid_of(*sections: bytes, flags: int = 0) -> Grid:
    [grid] = hwp.read(document(*sections, flags=flags), DEFAULTS)
    return grid


def deflated(section: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(section) + deflater.flush()


SALES = table(
    cell(0, 0, "지점", down=2), cell(0, 1, "매출", across=2), cell(1, 1, "계획"), cell(1, 2, "실적"),
    cell(2, 0, "강남"), cell(2, 1, "1,200"), cell(2, 2, "△30"),
)  # fmt: skip


@pytest.mark.parametrize("flags", [0, hwp.COMPRESSED])
def test_cells_stand_where_they_say(flags: int) -> None:
    section = deflated(SALES) if flags else SALES
    grid = grid_of(section, flags=flags)
    assert list(grid.rows.values()) == [["지점", "매출"], [None, "계획", "실적"], ["강남", "1,200", "△30"]]
    assert grid.merges == [Range(0, 0, 1, 0), Range(0, 1, 0, 2)]


def test_controls_are_no_letters_and_pairs_of_surrogates_stay_whole() -> None:
    tab, field = "\t" + "\ud800" * 6 + "\t", "\x0b" + "표글" * 3 + "\x0b"
    data = f"가{tab}나{field}다\n라\x1e마\x18😀\r".encode("utf-16-le", "surrogatepass")
    section = record(PARAGRAPH, 0) + record(TEXT, 1, data)
    assert list(grid_of(section).rows.values()) == [["가\t나다"], ["라\xa0마-😀"]]


def test_captions_text_boxes_and_nested_tables_are_read() -> None:
    caption = record(LIST, 2, bytes(8)) + paragraph("표 1. 매출", 2)
    box = record(CONTROL, 1, b" osg") + record(SHAPE, 2) + record(LIST, 3, bytes(8)) + paragraph("상자", 3)
    inner = record(PARAGRAPH, 2) + record(CONTROL, 3, b" lbt") + record(TABLE, 4)
    for column, text in enumerate("cd"):
        inner += record(LIST, 4, struct.pack("<8x4H", column, 0, 1, 1)) + paragraph(text, 4)
    section = paragraph("제목") + box + table(cell(0, 0, "a"), cell(0, 1, "b", inner=inner), caption=caption)
    footer = record(PARAGRAPH, 0) + record(CONTROL, 1, b"toof") + record(LIST, 2, bytes(8)) + paragraph("바닥글", 2)
    grid = grid_of(section + footer)
    assert list(grid.rows.values()) == [["제목"], ["상자"], ["표 1. 매출"], ["a", "b"], ["c", "d"]]
    assert [page.sheet for page in grid.pages] == ["text", "table 1", "table 2"]


def test_sections_come_in_order_and_large_records_have_their_size_apart() -> None:
    long = "가" * 3000
    section = table(cell(0, 0, long), cell(0, 1, "b"))
    assert list(grid_of(paragraph("하나"), section, paragraph("셋")).rows.values()) == [["하나"], [long, "b"], ["셋"]]


@pytest.mark.parametrize(
    ("flags", "error", "message"),
    [
        (hwp.ENCRYPTED, NeedsPassword, "encrypted with a password"),
        (hwp.DISTRIBUTED, Unsupported, "배포용"),
        (hwp.DRM, Unsupported, "DRM"),
    ],
)
def test_protected_documents_say_what_to_ask_for(flags: int, error: type[ConverterError], message: str) -> None:
    with pytest.raises(error, match=rf"보고\.hwp is a Hangul document .*{message}"):
        grid_of(SALES, flags=flags)


def test_older_versions_and_damage_are_told() -> None:
    with pytest.raises(Unsupported, match=r"version 3\.0"):
        list(hwp.read(Document("a.hwp", data=b"HWP Document File V3.00 \x1a\x01\x02"), DEFAULTS))
    with pytest.raises(Broken, match="file header"):
        list(hwp.read(Document("a.hwp", data=container(b"?", SALES)), DEFAULTS))
    with pytest.raises(Broken, match="BodyText/Section0 is damaged"):
        grid_of(b"\xff" * 100, flags=hwp.COMPRESSED)
    with pytest.raises(Broken, match="damaged Hangul document"):
        list(hwp.read(Document("a.hwp", data=b"\xd0\xcf\x11\xe0 not a container"), DEFAULTS))


def test_a_section_that_is_cut_off_gives_what_comes_before_and_a_problem() -> None:
    grid = grid_of(SALES + struct.pack("<I", TEXT | 1 << 10 | 0xFF0 << 20) + bytes(2000))
    assert len(grid.rows) == 3
    assert [problem.code for problem in grid.problems] == ["section_cut_off"]


def test_bombs_are_refused() -> None:
    limits = Options(limits=Limits(max_inflated_bytes=1 << 16))
    with pytest.raises(OverLimit, match="max_inflated_bytes"):
        list(hwp.read(document(deflated(bytes(1 << 20)), flags=hwp.COMPRESSED), limits))
    deep = b"".join(record(PARAGRAPH, level) for level in range(1023))
    assert grid_of(deflated(deep * 20), flags=hwp.COMPRESSED).rows == {}


def test_a_document_is_found_by_its_content() -> None:
    conversion = convert(document(deflated(paragraph("(단위: 천원)") + SALES), flags=hwp.COMPRESSED).content)
    assert (conversion.format, conversion.state) == ("hwp", "ok")
    facts = [(f.sheet, f.cell, f.value, f.unit) for f in conversion.tables[0].facts() if f.role == "value"]
    assert facts == [("table 1", "B3", 1200, "천원"), ("table 1", "C3", -30, "천원")]


SOUND = document(paragraph("제목") + SALES).content


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_bytes_give_grids_or_a_reason(data: st.DataObject) -> None:
    damaged = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, 1536 + 1000))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ConverterError):
        list(hwp.read(Document("a.hwp", data=bytes(damaged)), DEFAULTS))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            record,
            st.sampled_from([PARAGRAPH, TEXT, CONTROL, LIST, SHAPE, TABLE, 0]),
            st.integers(0, 6),
            st.one_of(st.binary(max_size=30), st.just(b" lbt"), st.just(b" osg"), st.just(bytes(30))),
        ),
        max_size=25,
    )
)
def test_records_in_any_order_give_grids_or_a_reason(records: list[bytes]) -> None:
    with contextlib.suppress(ConverterError):
        grid_of(b"".join(records))
