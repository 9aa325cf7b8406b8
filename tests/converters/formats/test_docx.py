"""Word documents: every table as Word shows it, whatever markup it is in."""

from __future__ import annotations

import contextlib
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.errors import Broken, ConverterError, OverLimit
from converters.formats import docx
from converters.grid import Grid
from converters.model import Range
from converters.options import DEFAULTS, Limits, Options

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
OFFICE_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"


def package(body: str, namespace: str = WORD, part: str = "word/document.xml", head: str = "") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/styles.xml", "<styles/>")
        archive.writestr(
            "_rels/.rels", f'<Relationships><Relationship Type="{OFFICE_DOCUMENT}" Target="/{part}"/></Relationships>'
        )
        archive.writestr(
            part,
            f'{head}<w:document xmlns:w="{namespace}" xmlns:mc="urn:mc"><w:body>{body}</w:body></w:document>',
        )
    return stream.getvalue()


def grid_of(body: str, **more: str) -> Grid:
    [grid] = docx.read(Document("a.docx", data=package(body, **more)), DEFAULTS)
    return grid


def p(*runs: str) -> str:
    return f"<w:p>{''.join(runs)}</w:p>"


def r(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def tc(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(r(text))}</w:tc>"


def tr(*cells: str, properties: str = "") -> str:
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def tbl(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/><w:tblGrid/>{''.join(rows)}</w:tbl>"


def span(columns: int) -> str:
    return f'<w:gridSpan w:val="{columns}"/>'


RESTART, GO_ON = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"


def test_cells_stand_in_the_columns_of_the_tables_grid() -> None:
    grid = grid_of(
        tbl(
            tr(tc("a", RESTART), tc("b", span(2)), tc("c")),
            tr(tc("", GO_ON), tc("d"), tc("e"), tc("f")),
            tr(tc("", '<w:vMerge w:val="continue"/>'), tc("g", span(3))),
            tr(tc("h"), tc("i"), properties='<w:gridBefore w:val="2"/>'),
        )
    )
    assert list(grid.rows.values()) == [
        ["a", "b", None, "c"],
        [None, "d", "e", "f"],
        [None, "g"],
        [None, None, "h", "i"],
    ]
    assert grid.merges == [Range(0, 0, 2, 0), Range(0, 1, 0, 2), Range(2, 1, 2, 3)]


def test_a_merge_goes_on_only_right_below_and_older_merges_are_read() -> None:
    grid = grid_of(
        tbl(
            tr(tc("a", RESTART), tc("b", '<w:hMerge w:val="restart"/>'), tc("", "<w:hMerge/>"), tc("c")),
            tr(tc("d"), tc("e"), tc("f"), tc("g")),
            tr(tc("x", GO_ON), tc("h"), tc("i"), tc("j", GO_ON)),
        )
    )
    assert list(grid.rows.values()) == [["a", "b", None, "c"], ["d", "e", "f", "g"], [None, "h", "i"]]
    assert grid.merges == [Range(0, 1, 0, 2), Range(1, 0, 2, 0), Range(1, 3, 2, 3)]


def test_text_is_what_a_reader_sees() -> None:
    seen = p(
        r("가"),
        "<w:del><w:r><w:delText>지운</w:delText></w:r></w:del>",
        "<w:moveFrom><w:r><w:t>옮긴</w:t></w:r></w:moveFrom>",
        f"<w:ins>{r('나')}</w:ins>",
        r("숨긴", "<w:vanish/>"),
        r("다", '<w:vanish w:val="0"/>'),
        "<w:r><w:tab/><w:t>라</w:t><w:br/><w:t>마</w:t><w:noBreakHyphen/></w:r>",
        f"<w:hyperlink>{r('바')}</w:hyperlink><w:sdt><w:sdtContent>{r('사')}</w:sdtContent></w:sdt>",
        "<w:r><w:instrText> PAGE </w:instrText></w:r>",
    )
    assert list(grid_of(seen).rows.values()) == [["가나다\t라"], ["마-바사"]]


def test_deleted_rows_are_gone_and_hidden_ones_marked() -> None:
    grid = grid_of(
        tbl(
            tr(tc("a"), tc("b")),
            tr(tc("x"), tc("y"), properties="<w:del/>").replace("<w:trPr>", "<w:tblPrEx/><w:trPr>"),
            tr(tc("c"), tc("d"), properties="<w:hidden/>"),
        )
    )
    assert grid.rows == {0: ["a", "b"], 1: ["c", "d"]}
    assert grid.hidden_rows == {1}


def test_tables_in_content_controls_and_text_boxes_are_read_once() -> None:
    inner = tbl(tr(tc("a"), tc("b")))
    control = f"<w:sdt><w:sdtContent>{tbl(tr(tc('c'), tc('d')))}</w:sdtContent></w:sdt>"
    box = f"<w:txbxContent>{p(r('상자'))}{inner}</w:txbxContent>"
    drawn = (
        f"<w:r><mc:AlternateContent><mc:Choice><w:drawing>{box}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    assert list(grid_of(p(r("앞"), drawn) + control).rows.values()) == [["앞"], ["상자"], ["a", "b"], ["c", "d"]]


def test_bold_and_indentation_are_those_of_the_first_paragraph() -> None:
    def cell(indent: str, run: str) -> str:
        return f"<w:tc>{p(f'<w:pPr><w:ind {indent}/></w:pPr>', run)}</w:tc>"

    grid = grid_of(
        tbl(
            tr(cell('w:left="400"', r("a")), cell('w:leftChars="300" w:left="9"', r("b", "<w:b/>"))),
            tr(cell('w:start="-100"', r("c", '<w:b w:val="false"/>')), cell('w:left="oops"', r("d"))),
        )
    )
    looks = [grid.look(row, column) for row in (0, 1) for column in (0, 1)]
    assert [(look.indent, look.bold) for look in looks] == [(2, False), (3, True), (0, False), (0, False)]


@pytest.mark.parametrize(("namespace", "part"), [(STRICT, "word/document.xml"), (WORD, "word/document2.xml")])
def test_the_strict_variant_and_other_part_names_are_read(namespace: str, part: str) -> None:
    assert grid_of(tbl(tr(tc("a"), tc("b"))), namespace=namespace, part=part).rows == {0: ["a", "b"]}


def test_absurd_spans_cost_nothing() -> None:
    grid = grid_of(tbl(tr(tc("a", span(10**15)), properties='<w:gridBefore w:val="-7"/>'), tr(tc("b"), tc("c"))))
    assert list(grid.rows.values()) == [["a"], ["b", "c"]]


def test_what_is_hostile_or_damaged_says_so() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]>'
    with pytest.raises(Broken, match=r"a\.docx: word/document\.xml declares a DTD"):
        grid_of(p(r("a")), head=bomb)
    with pytest.raises(Broken, match=r"word/document\.xml cannot be read"):
        grid_of("<w:p>")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/styles.xml", "<styles/>")
    with pytest.raises(Broken, match="without its main part"):
        list(docx.read(Document("a.docx", data=stream.getvalue()), DEFAULTS))
    with pytest.raises(OverLimit, match="max_inflated_bytes"):
        list(docx.read(Document("a.docx", data=package(" " * 10_000)), Options(limits=Limits(max_inflated_bytes=1000))))


def test_macros_are_told_and_not_run() -> None:
    stream = io.BytesIO(package(tbl(tr(tc("a"), tc("b")))))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("word/vbaProject.bin", b"x")
    [grid] = docx.read(Document("a.docm", data=stream.getvalue()), DEFAULTS)
    assert [notice.code for notice in grid.notices] == ["macros"]
    assert (grid.problems, len(grid.rows)) == ([], 1)


def test_nesting_is_bounded() -> None:
    body = p(r("a"))
    for _ in range(300):
        body = tbl(tr(f"<w:tc>{body}</w:tc>"))
    with pytest.raises(Broken, match="cannot be read"):
        grid_of(body)


def test_a_document_is_found_by_its_content() -> None:
    conversion = convert(package(p(r("(단위: 천원)")) + tbl(tr(tc("지점"), tc("매출")), tr(tc("강남"), tc("10")))))
    assert (conversion.format, conversion.state) == ("docx", "ok")
    [fact] = [fact for fact in conversion.tables[0].facts() if fact.role == "value"]
    assert (fact.sheet, fact.cell, fact.value, fact.unit) == ("table 1", "B2", 10, "천원")


SOUND = package(p(r("제목")) + tbl(tr(tc("a", RESTART), tc("b", span(2))), tr(tc("", GO_ON), tc("1"), tc("2"))))
TAGS = ["w:p", "w:tbl", "w:tr", "w:tc", "w:r", "w:t", "w:tcPr", "w:vMerge", "w:gridSpan", "w:sdt", "w:txbxContent"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_give_grids_or_a_reason(data: st.DataObject) -> None:
    damaged = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ConverterError):
        list(docx.read(Document("a.docx", data=bytes(damaged)), DEFAULTS))


@settings(max_examples=150, deadline=None)
@given(st.recursive(st.just("<w:t>1</w:t>"), lambda inner: st.builds(
    lambda tag, parts, value: f'<{tag} w:val="{value}" w:left="{value}">{"".join(parts)}</{tag}>',
    st.sampled_from(TAGS), st.lists(inner, max_size=3), st.integers(-2, 10**12)), max_leaves=12))  # fmt: skip
def test_elements_in_any_order_give_grids_or_a_reason(body: str) -> None:
    with contextlib.suppress(ConverterError):
        grid_of(body)
