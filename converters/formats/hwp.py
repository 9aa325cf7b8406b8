"""Hangul documents in the binary form HWP 5: the paragraphs and tables of all sections, each cell in its place.

The file is an OLE container; a section is a stream of records, deflated, whose levels make a tree. Each cell of a table
is a list header that states column, row and spans, and the paragraphs that follow it on its level.
Source: "한글 문서 파일 구조 5.0" (Hancom), 3.2 (streams), 4.1 (records), 4.3 (body text).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from converters.document import Document
from converters.errors import Broken, NeedsPassword, OverLimit, Unsupported
from converters.formats.flow import Block, Cell, Flow
from converters.grid import Grid
from converters.model import Problem
from converters.options import Limits, Options

SIGNATURE = b"HWP Document File"
COMPRESSED, ENCRYPTED, DISTRIBUTED, DRM, CERTIFIED, CERTIFIED_DRM = 1, 1 << 1, 1 << 2, 1 << 4, 1 << 8, 1 << 10

PARAGRAPH, TEXT, CONTROL, LIST, SHAPE, TABLE = 66, 67, 71, 72, 76, 77
"""Tags of records: PARA_HEADER, PARA_TEXT, CTRL_HEADER, LIST_HEADER, SHAPE_COMPONENT, TABLE."""
TABLE_CONTROL, DRAWING_CONTROL = b" lbt", b" osg"
CELL = struct.Struct("<8x4H")
"""Of a cell's list header, after number and flags of its paragraphs: column, row, columns spanned, rows spanned."""

CONTROLS = re.compile("[\x01-\x09\x0b\x0c\x0e-\x17].{7}|[\x00-\x1f]", re.S)
"""What PARA_TEXT holds beside letters: controls of eight units, and of one."""
SIGNS = {"\x09": "\t", "\x0a": "\n", "\x18": "-", "\x1e": "\xa0", "\x1f": " "}

MAX_RECORDS = 5_000_000
MAX_DEPTH = 150
LARGE = 100 << 20


@dataclass(slots=True)
class Record:
    """A record with those on the levels below it."""

    tag: int
    data: bytes
    inner: list[Record] = field(default_factory=list)


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid of the whole document.

    Raises:
        NeedsPassword, Unsupported: encrypted, made for distribution, or of an older version.
        Broken, OverLimit: as their messages say.
    """
    if document.head.startswith(SIGNATURE):
        raise Unsupported(
            f"{document.name} is a Hangul document of version 3.0 or older, which is not read.",
            "Open it in Hangul and save it as hwpx or docx, or ask the sender for the table as xlsx.",
        )
    flow = Flow(document, options)
    for number, (name, content) in enumerate(_sections(document, options.limits)):
        root, whole = _tree(document, content)
        if not whole:
            flow.grid.problems.append(_cut_off(document, name, number))
        flow.blocks(_blocks(root.inner))
    yield flow.finished()


def _sections(document: Document, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """Name and records of each section, in order."""
    streams = _streams(document)
    flags = _flags(document, streams)
    names = sorted((name for name in streams if re.fullmatch(r"BodyText/Section\d{1,6}", name)), key=_number)
    if not names:
        raise Broken(
            f"{document.name} is a Hangul document without a section.",
            "Open it in Hangul and save it anew, or ask the sender to send it again.",
        )
    allowed = min(limits.max_inflated_bytes, max(LARGE, limits.max_ratio * document.size))
    for name in names:
        content = streams[name]
        if flags & COMPRESSED:
            content = _inflated(document, name, content, allowed)
            allowed -= len(content)
        yield name, content


def _streams(document: Document) -> dict[str, bytes]:
    """The streams of the OLE container that matter, by path."""
    import olefile

    wanted = re.compile(r"FileHeader|BodyText/Section\d{1,6}")
    try:
        with document.open() as stream, olefile.OleFileIO(stream) as container:
            paths = ["/".join(path) for path in container.listdir()]
            return {path: container.openstream(path).read() for path in paths if wanted.fullmatch(path)}
    except Exception as error:  # the library raises what its parser meets in a damaged directory
        raise Broken(
            f"{document.name} is a damaged Hangul document: {error}.",
            "Open it in Hangul and save it anew, or ask the sender to send it again.",
        ) from error


def _flags(document: Document, streams: dict[str, bytes]) -> int:
    header = streams.get("FileHeader", b"")
    if not header.startswith(SIGNATURE) or len(header) < 40:
        raise Broken(
            f"{document.name} is no sound Hangul document: its file header is missing or damaged.",
            "Open it in Hangul and save it anew, or ask the sender to send it again.",
        )
    flags = int.from_bytes(header[36:40], "little")
    if flags & (ENCRYPTED | CERTIFIED):
        raise NeedsPassword(
            f"{document.name} is a Hangul document that is encrypted with a password or a certificate.",
            "Ask the sender for a copy without protection: no other program can open such a document.",
        )
    if flags & (DISTRIBUTED | DRM | CERTIFIED_DRM):
        kind = "made for distribution (배포용 문서)" if flags & DISTRIBUTED else "under digital rights management (DRM)"
        raise Unsupported(
            f"{document.name} is a Hangul document {kind}, whose text is scrambled so that it cannot be copied.",
            "Ask the sender for the document itself (hwp or hwpx), or for the table as xlsx.",
        )
    return flags


def _number(name: str) -> int:
    return int(name.rpartition("Section")[2])


def _inflated(document: Document, name: str, content: bytes, allowed: int) -> bytes:
    """The content of a deflated stream; of a damaged one what comes before the damage."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(content, max(1, allowed))
    except zlib.error as error:
        raise Broken(
            f"{document.name}: {name} is damaged: {error}.",
            "Open it in Hangul and save it anew, or ask the sender to send it again.",
            where=name,
        ) from error
    if inflater.unconsumed_tail:
        raise OverLimit(
            f"{document.name} unpacks to more than {allowed:,} bytes; max_inflated_bytes and max_ratio allow no more.",
            "It looks like a bomb: delete it, or raise the limits if its sender vouches for it.",
        )
    return inflated


def _tree(document: Document, content: bytes) -> tuple[Record, bool]:
    """The records of a section as a tree, and whether all of them were there."""
    root = Record(0, b"")
    path = [root]  # the record that is open on each level, behind the root
    position = count = 0
    while position + 4 <= len(content):
        header = int.from_bytes(content[position : position + 4], "little")
        tag, level, size = header & 0x3FF, header >> 10 & 0x3FF, header >> 20
        position += 4
        if size == 0xFFF:
            size = int.from_bytes(content[position : position + 4], "little")
            position += 4
        if position + size > len(content):
            return root, False
        if tag in (PARAGRAPH, TEXT, CONTROL, LIST, SHAPE, TABLE) and level < MAX_DEPTH:
            count += 1
            if count > MAX_RECORDS:
                raise OverLimit(
                    f"{document.name} has a section of more than {MAX_RECORDS:,} records.",
                    "Ask the sender for the table as xlsx or csv.",
                )
            record = Record(tag, content[position : position + size])
            del path[level + 1 :]
            path[-1].inner.append(record)
            path.append(record)
        position += size
    return root, position == len(content)


def _cut_off(document: Document, name: str, number: int) -> Problem:
    return Problem(
        "section_cut_off",
        f"{document.name}: section {number + 1} ends in the middle of a record; what comes before it was read.",
        "Open it in Hangul and save it anew, or ask the sender to send it again.",
        where=name,
    )


def _blocks(records: list[Record]) -> Iterator[Block]:
    """What paragraphs hold: the text of each, then its tables and the texts in its drawings."""
    for paragraph in records:
        if paragraph.tag != PARAGRAPH:
            continue
        for record in paragraph.inner:
            if record.tag == TEXT:
                yield _text(record.data)
        for record in paragraph.inner:
            if record.tag == CONTROL and record.data.startswith(TABLE_CONTROL):
                yield from _table(record.inner)
            elif record.tag == CONTROL and record.data.startswith(DRAWING_CONTROL):
                yield from _drawn(record.inner)


def _text(data: bytes) -> str:
    """The letters of a paragraph; controls count units of 16 bits, so pairs of surrogates are joined at the end."""
    units = "".join(map(chr, struct.unpack(f"<{len(data) // 2}H", data[: len(data) & ~1])))
    letters = CONTROLS.sub(lambda found: SIGNS.get(found[0][0], ""), units)
    return letters.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _drawn(records: list[Record]) -> Iterator[Block]:
    """The paragraphs of text boxes, however deep in groups of shapes."""
    yield from _blocks(records)
    for record in records:
        if record.tag in (SHAPE, LIST):
            yield from _drawn(record.inner)


def _table(records: list[Record]) -> Iterator[Block]:
    """A table's caption, then the table: its cells are the list headers behind the table record."""
    at = next((i for i, record in enumerate(records) if record.tag == TABLE), len(records))
    yield from _blocks(records[:at])
    cells: list[Cell] = []
    for header, paragraphs in _lists(records[at:]):
        if len(header.data) >= CELL.size:
            column, row, across, down = CELL.unpack_from(header.data)
            cells.append(Cell(row, column, list(_blocks(paragraphs)), max(1, down), max(1, across)))
    yield cells


def _lists(records: list[Record]) -> Iterator[tuple[Record, list[Record]]]:
    """Each list header with the paragraphs that follow it."""
    starts = [i for i, record in enumerate(records) if record.tag == LIST]
    for start, end in pairwise([*starts, len(records)]):
        yield records[start], records[start].inner + records[start + 1 : end]
