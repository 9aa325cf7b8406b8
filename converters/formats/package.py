"""The zip package of a workbook: whether it is safe to open, and which columns its sheets use."""

from __future__ import annotations

import re
import zipfile

from converters.document import Document
from converters.errors import Broken, OverLimit
from converters.options import Limits

CHUNK = 1 << 20
LARGE = 100 << 20
GAP = 32
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})\d')


def check(document: Document, limits: Limits) -> None:
    """Looks at the archive before anything is unpacked.

    Raises:
        Broken: damaged, or with a DTD.
        OverLimit: it unpacks to too much.
    """
    try:
        with document.open() as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            head = _head(archive, "xl/workbook.xml")
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


def used_columns(document: Document) -> list[tuple[int, int]]:
    """First and last of each run of columns that the cells of the package's sheets use, with the wide gaps left out."""
    letters: set[bytes] = set()
    with document.open() as stream, zipfile.ZipFile(stream) as archive:
        for name in archive.namelist():
            if re.fullmatch(r"/?xl/worksheets/[^/]+\.xml", name, re.I):
                with archive.open(name) as sheet:
                    rest = b""
                    while chunk := sheet.read(CHUNK):
                        letters.update(_REFERENCE.findall(rest + chunk))
                        rest = chunk[-16:]
    spans: list[tuple[int, int]] = []
    for column in sorted(map(_number, letters)):
        if spans and column - spans[-1][1] <= GAP:
            spans[-1] = (spans[-1][0], column)
        else:
            spans.append((column, column))
    return spans


def _head(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.NameToInfo:
        return b""
    with archive.open(name) as member:
        return member.read(4096)


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
