"""xls streams made record by record, for what no library writes: old versions, wrong code pages, bare streams."""

from __future__ import annotations

import struct
from collections.abc import Sequence

FORMATS = ("General", "yyyy-mm-dd", '0"월"', "[h]:mm")
"""The number formats of the cell formats 0, 1, 2 and so on."""


def record(kind: int, data: bytes = b"") -> bytes:
    """One record."""
    return struct.pack("<HH", kind, len(data)) + data


def label(row: int, column: int, text: bytes) -> bytes:
    """A text."""
    return record(0x204, struct.pack("<HHHH", row, column, 0, len(text)) + text)


def number(row: int, column: int, value: float, form: int = 0) -> bytes:
    """A number under one of FORMATS."""
    return record(0x203, struct.pack("<HHHd", row, column, form, value))


def truth(row: int, column: int, *, value: bool) -> bytes:
    """True or false."""
    return record(0x205, struct.pack("<HHHBB", row, column, 0, value, 0))


def error(row: int, column: int, code: int) -> bytes:
    """A cell error."""
    return record(0x205, struct.pack("<HHHBB", row, column, 0, code, 1))


def stream(*sheets: tuple[bytes, bytes], codepage: int = 949, extra: Sequence[bytes] = ()) -> bytes:
    """A bare BIFF 5 stream.

    Args:
        sheets: name and cells of each, the texts in the encoding that is tried.
        codepage: what the file states.
        extra: more records of the workbook as a whole.
    """
    head = b"".join(
        (
            record(0x809, struct.pack("<HHHH", 0x0500, 0x0005, 4000, 1994)),
            record(0x42, struct.pack("<H", codepage)),
            record(0x31, struct.pack("<HHHHHBBBB", 200, 0, 8, 400, 0, 0, 0, 0, 0) + b"\x05Arial"),
            *(
                record(0x41E, struct.pack("<HB", 164 + i, len(f.encode("cp949"))) + f.encode("cp949"))
                for i, f in enumerate(FORMATS)
            ),
            *(record(0xE0, struct.pack("<HHHH", 0, 164 + i, 0x0001, 0x20) + bytes(8)) for i in range(len(FORMATS))),
            *extra,
        )
    )
    bodies = [
        record(0x809, struct.pack("<HHHH", 0x0500, 0x0010, 4000, 1994)) + cells + record(0x0A) for _, cells in sheets
    ]
    offset = len(head) + sum(4 + 7 + len(name) for name, _ in sheets) + 4
    index = b""
    for (name, _), body in zip(sheets, bodies, strict=True):
        index += record(0x85, struct.pack("<IBBB", offset, 0, 0, len(name)) + name)
        offset += len(body)
    return head + index + record(0x0A) + b"".join(bodies)
