"""Hangul documents in XML: every cell in the place that it states."""

from __future__ import annotations

import contextlib
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.errors import Broken, ConverterError, NeedsPassword
from converters.formats import hwpx
from converters.grid import Grid
from converters.model import Range
from converters.options import DEFAULTS

NAMES = 'xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph" xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section"'


def package(*sections: str, **more: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/hwp+zip")
        for number, section in reversed(list(enumerate(sections))):
            archive.writestr(f"Contents/section{number}.xml", f"<hs:sec {NAMES}>{section}</hs:sec>")
        for name, text in more.items():
            archive.writestr(name, text)
    return stream.getvalue()


def grid_of(*sections: str) -> Grid:
    [grid] = hwpx.read(Document("a.hwpx", data=package(*sections)), DEFAULTS)
    return grid


def p(*runs: str) -> str:
    return f"<hp:p>{''.join(f'<hp:run>{run}</hp:run>' for run in runs)}</hp:p>"


def t(text: str) -> str:
    return f"<hp:t>{text}</hp:t>"


def tc(row: object, column: object, inner: str, across: object = 1, down: object = 1) -> str:
    return (
        f'<hp:tc><hp:subList>{inner}</hp:subList><hp:cellAddr colAddr="{column}" rowAddr="{row}"/>'
        f'<hp:cellSpan colSpan="{across}" rowSpan="{down}"/></hp:tc>'
    )


def tbl(*rows: str, head: str = "") -> str:
    return f"<hp:tbl>{head}{''.join(f'<hp:tr>{row}</hp:tr>' for row in rows)}</hp:tbl>"


TABLE = tbl(
    tc(0, 0, p(t("지점")), down=2) + tc(0, 1, p(t("매출")), across=2),
    tc(1, 1, p(t("계획"))) + tc(1, 2, p(t("실적"))),
    tc(2, 0, p(t("강남"), t("점")) + p(t("본관"))) + tc(2, 1, p(t("10"))) + tc(2, 2, p(t("12"))),
)


def test_cells_stand_where_they_say() -> None:
    grid = grid_of(p(TABLE))
    assert list(grid.rows.values()) == [["지점", "매출"], [None, "계획", "실적"], ["강남점\n본관", "10", "12"]]
    assert grid.merges == [Range(0, 0, 1, 0), Range(0, 1, 0, 2)]


def test_sections_captions_and_text_boxes_come_in_order() -> None:
    caption = f"<hp:caption><hp:subList>{p(t('표 1. 매출'))}</hp:subList></hp:caption>"
    table = tbl(tc(0, 0, p(t("a"))) + tc(0, 1, p(t("b"))), head=caption)
    box = f"<hp:rect><hp:drawText><hp:subList>{p(t('상자'))}</hp:subList></hp:drawText></hp:rect>"
    header = f"<hp:ctrl><hp:header><hp:subList>{p(t('머리말'))}</hp:subList></hp:header></hp:ctrl>"
    first = p(header, t("제목")) + p(t("앞"), box, table, t("뒤"))
    assert [row[0] for row in grid_of(first, p(t("둘째 구역"))).rows.values()] == [
        "제목",
        "앞",
        "상자",
        "표 1. 매출",
        "a",
        "뒤",
        "둘째 구역",
    ]


def test_signs_are_text_and_deletions_are_not() -> None:
    text = t("가<hp:lineBreak/>나<hp:tab/>다<hp:deleteBegin/>지움<hp:deleteEnd/>라<hp:nbSpace/>마<hp:fwSpace/>바")
    assert list(grid_of(p(text)).rows.values()) == [["가"], ["나\t다라\xa0마 바"]]


def test_cells_without_a_place_follow_each_other_and_absurd_ones_are_refused() -> None:
    bare = "<hp:tc><hp:subList>{}</hp:subList></hp:tc>"
    grid = grid_of(p(tbl(bare.format(p(t("a"))) + bare.format(p(t("b"))), tc("x", "y", p(t("c")), -5, 10**20))))
    assert list(grid.rows.values()) == [["a", "b"], ["c"]]
    with pytest.raises(ConverterError, match="rows and 16,384 columns are allowed"):
        grid_of(p(tbl(tc(0, 0, p(t("a"))) + tc(10**12, 10**12, p(t("b"))))))


def test_a_document_that_cannot_be_read_says_why() -> None:
    manifest = '<m:manifest xmlns:m="urn:m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    sealed = package(p(t("a")), **{"META-INF/manifest.xml": manifest})
    with pytest.raises(NeedsPassword, match=r"a\.hwpx is a Hangul document that is encrypted"):
        list(hwpx.read(Document("a.hwpx", data=sealed), DEFAULTS))
    with pytest.raises(Broken, match="without a section"):
        grid_of()
    assert convert(sealed).state == "needs_password"


def test_a_document_is_found_by_its_content() -> None:
    conversion = convert(package(p(t("(단위: 천원)")), p(TABLE)))
    assert (conversion.format, conversion.state) == ("hwpx", "ok")
    facts = [(f.sheet, f.cell, f.value, f.unit) for f in conversion.tables[0].facts() if f.role == "value"]
    assert facts == [("table 1", "B3", 10, "천원"), ("table 1", "C3", 12, "천원")]


SOUND = package(p(t("제목")), p(TABLE))
TAGS = ["hp:p", "hp:run", "hp:t", "hp:tbl", "hp:tr", "hp:tc", "hp:subList", "hp:rect", "hp:caption", "hp:cellAddr"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_give_grids_or_a_reason(data: st.DataObject) -> None:
    damaged = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ConverterError):
        list(hwpx.read(Document("a.hwpx", data=bytes(damaged)), DEFAULTS))


@settings(max_examples=150, deadline=None)
@given(st.recursive(st.just("1"), lambda inner: st.builds(
    lambda tag, parts, value: f'<{tag} colAddr="{value}" rowAddr="{value}">{"".join(parts)}</{tag}>',
    st.sampled_from(TAGS), st.lists(inner, max_size=3), st.integers(-2, 10**6)), max_leaves=12))  # fmt: skip
def test_elements_in_any_order_give_grids_or_a_reason(section: str) -> None:
    with contextlib.suppress(ConverterError):
        grid_of(section)
