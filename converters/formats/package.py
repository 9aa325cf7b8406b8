"""The zip package of a workbook: whether it is safe to open, what it carries along, where its parts are."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from converters.document import Document
from converters.errors import Broken, OverLimit
from converters.model import Problem
from converters.options import Limits

DAMAGES = (
    LookupError,
    SyntaxError,
    OSError,
    EOFError,
    RuntimeError,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,
)
"""What reading parts of a damaged package raises."""
LARGE = 100 << 20
HEAD = 1 << 14
WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
UNTOUCHED = "Nothing is missing from the tables. Open the file only if you trust its sender."
_CARRIED = (
    (r"(?:xl|word)/vbaProject\.bin", "macros", "carries macros ({part}): they were neither run nor read"),
    (r"xl/macrosheets/.+\.(?:xml|bin)", "macros", "carries Excel 4.0 macros ({part}): they were neither run nor read"),
    (
        r"xl/externalLinks/[^/]+\.(?:xml|bin)",
        "external_links",
        "takes values from other files ({part}): the values that were last saved are read, the links not followed",
    ),
    (
        r"xl/connections\.(?:xml|bin)",
        "data_connections",
        "has data connections ({part}): the values that were last saved are read, nothing is fetched",
    ),
)
_PROGRAM = (
    "program_links",
    "asks a program for values over DDE or OLE ({part}): the values that were last saved are read, nothing is started",
)


def check(document: Document, limits: Limits) -> None:
    """Looks at the archive before anything is unpacked.

    Raises:
        Broken: damaged, or with a DTD.
        OverLimit: it unpacks to too much.
    """
    try:
        with document.open() as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            head = _head(archive, WORKBOOK)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, RuntimeError, ValueError, NotImplementedError) as error:
        raise Broken(f"{document.name} is a damaged workbook: {error}.", "Ask the sender to send it again.") from error
    if b"<!DOCTYPE" in head:
        raise Broken(f"{document.name} declares a DTD, which no spreadsheet program writes.", "Treat it as hostile.")
    inflated, deflated = sum(m.file_size for m in members), max(1, sum(m.compress_size for m in members))
    if inflated > limits.max_inflated_bytes:
        raise OverLimit(
            f"{document.name} unpacks to {inflated:,} bytes; max_inflated_bytes allows {limits.max_inflated_bytes:,}.",
            "It looks like a zip bomb: delete it, or raise max_inflated_bytes if its sender vouches for it.",
        )
    if inflated > LARGE and inflated > limits.max_ratio * deflated:
        raise OverLimit(
            f"{document.name} unpacks to {inflated // deflated:,} times its size; max_ratio is {limits.max_ratio:,}.",
            "It looks like a zip bomb: delete it.",
        )


def notices(document: Document) -> list[Problem]:
    """What the package carries that is reported and never followed: macros, links, connections; each kind once."""
    found: dict[str, Problem] = {}
    with document.open() as stream, zipfile.ZipFile(stream) as archive:
        for part in sorted(archive.namelist()):
            for pattern, code, says in _CARRIED:
                if re.fullmatch("/?" + pattern, part.replace("\\", "/"), re.I):
                    if code == "external_links" and re.search(rb"<(?:\w+:)?(?:dde|ole)Link\b", _head(archive, part)):
                        code, says = _PROGRAM
                    says = f"{document.name} {says.format(part=part)}."
                    found.setdefault(code, Problem(code, says, UNTOUCHED))
    return list(found.values())


def counts_from_1904(document: Document) -> bool:
    """Whether the workbook's dates count from 1904, as those of old Excel for Mac do."""
    with document.open() as stream, zipfile.ZipFile(stream) as archive:
        return re.search(rb'<(?:\w+:)?workbookPr\b[^>]*\bdate1904="(?:1|true)"', _head(archive, WORKBOOK)) is not None


@dataclass(frozen=True, slots=True)
class Parts:
    """The names of parts of a workbook.

    Args:
        sheets: in the order of the workbook; "" for one that is not there.
        strings / styles: the shared strings and the styles; "" if there are none.
    """

    sheets: tuple[str, ...]
    strings: str
    styles: str


def parts(archive: zipfile.ZipFile) -> Parts:
    """Where the sheets and the shared strings are, by the relations of the workbook.

    Raises:
        SyntaxError, KeyError: the workbook is not where it usually is, or damaged.
    """
    names = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
    targets: dict[str, str] = {}
    strings = styles = ""
    for relation in _elements(archive.read(names[RELATIONS])):
        path = posixpath.normpath(posixpath.join("/xl", relation.get("Target", ""))).lstrip("/").lower()
        targets[relation.get("Id", "")] = names.get(path, "")
        if relation.get("Type", "").endswith("/sharedStrings"):
            strings = names.get(path, "")
        if relation.get("Type", "").endswith("/styles"):
            styles = names.get(path, "")
    sheets = (e for e in _elements(archive.read(names[WORKBOOK])) if e.tag.endswith("}sheet"))
    ids = (next((v for k, v in sheet.items() if k.endswith("relationships}id")), "") for sheet in sheets)
    return Parts(tuple(targets.get(number, "") for number in ids), strings, styles)


def shortened(archive: zipfile.ZipFile, parts: Parts, sheet: str, head: bytes) -> io.BytesIO:
    """A workbook with one sheet only, which ends with its first rows, and no pictures.

    Args:
        sheet: the part of that sheet.
        head: its XML up to the end of those rows.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as copy:
        for name in archive.namelist():
            if name == sheet:
                copy.writestr(name, head + b"</sheetData></worksheet>")
            elif name not in parts.sheets and not name.startswith("xl/media/"):
                copy.writestr(name, archive.read(name))
    buffer.seek(0)
    return buffer


def without_macro_sheets(document: Document) -> Document:
    """The workbook without its Excel 4.0 macro and dialog sheets, which the reader refuses; itself if it has none."""
    from lxml import etree

    with document.open() as stream, zipfile.ZipFile(stream) as archive:
        if not any(re.match("xl/(?:macro|dialog)sheets/", name) for name in archive.namelist()):
            return document
        relations, workbook = (_root(archive.read(name)) for name in (RELATIONS, WORKBOOK))
        gone = {r.get("Id") for r in relations if re.search("(?:macro|dialog)sheets/", r.get("Target", ""))}
        for element in [*relations, *workbook.iter("{*}sheet"), *workbook.iter("{*}definedName")]:
            if element.tag.endswith("}definedName") or gone.intersection(element.attrib.values()):
                element.getparent().remove(element)
        changed = {RELATIONS: etree.tostring(relations), WORKBOOK: etree.tostring(workbook)}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as copy:
            for name in archive.namelist():
                copy.writestr(name, changed.get(name) or archive.read(name))
    return replace(document, path=None, data=buffer.getvalue())


def _elements(xml: bytes) -> Iterator[Any]:
    return _root(xml).iter("{*}*")  # type: ignore[no-any-return]


def _root(xml: bytes) -> Any:
    from lxml import etree

    return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))


def _head(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.NameToInfo:
        return b""
    with archive.open(name) as member:
        return member.read(HEAD)
