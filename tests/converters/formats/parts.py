"""Workbooks made of parts by hand, for what no library writes: odd orders, missing parts, damaged ones."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
FORMATS = ("General", "yyyy\\-mm\\-dd", "yyyy\\-mm\\-dd\\ hh:mm", "0.0%", "#,##0", '0"월"', "[h]:mm", "h:mm")
"""The number formats of the styles 0, 1, 2 and so on."""


def workbook_of(
    rows: str,
    *,
    strings: str | None = None,
    before: str = "",
    properties: str = "",
    after: str = "",
    parts: Mapping[str, str | None] = {},
) -> bytes:
    """A workbook of one sheet.

    Args:
        rows: what is in its <sheetData>.
        strings: the <si> elements of the shared strings; no such part without them.
        before: what comes before <sheetData>.
        properties: elements before <sheets> in the workbook part.
        after: elements after <sheets> in the workbook part.
        parts: more parts, or others instead of those made here; None leaves one out.
    """
    sheets = f'{properties}<sheets><sheet name="표" sheetId="1" r:id="rId1"/></sheets>{after}'
    made: dict[str, str | None] = {
        "[Content_Types].xml": _content_types(strings is not None),
        "_rels/.rels": _relations({"rId1": (f"{OFFICE}/officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{sheets}</workbook>',
        "xl/_rels/workbook.xml.rels": _relations(
            {
                "rId1": (f"{OFFICE}/worksheet", "worksheets/sheet1.xml"),
                "rId2": (f"{OFFICE}/styles", "styles.xml"),
                "rId3": (f"{OFFICE}/sharedStrings", "sharedStrings.xml"),
            }
        ),
        "xl/styles.xml": _styles(),
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>' if strings is not None else None,
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData></worksheet>',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**made, **parts}.items():
            if text is not None:
                archive.writestr(name, _DECLARATION + text)
    return buffer.getvalue()


def _content_types(strings: bool) -> str:
    types = {"workbook": "sheet.main", "worksheets/sheet1": "worksheet", "styles": "styles"}
    if strings:
        types["sharedStrings"] = "sharedStrings"
    overrides = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{_SHEET_TYPE}.{kind}+xml"/>' for part, kind in types.items()
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="{relations}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    lines = "".join(f'<Relationship Id="{i}" Type="{kind}" Target="{to}"/>' for i, (kind, to) in targets.items())
    return f'<Relationships xmlns="{PACKAGE}/relationships">{lines}</Relationships>'


def _styles() -> str:
    quoted = [text.replace("&", "&amp;").replace('"', "&quot;") for text in FORMATS]
    formats = "".join(f'<numFmt numFmtId="{200 + i}" formatCode="{text}"/>' for i, text in enumerate(quoted))
    cells = "".join(
        f'<xf numFmtId="{200 + i if i else 0}" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        for i in range(len(quoted))
    )
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts count="{len(quoted)}">{formats}</numFmts>'
        '<fonts count="1"><font><sz val="11"/></font></fonts>'
        '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
        '<borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(quoted)}">{cells}</cellXfs></styleSheet>'
    )
