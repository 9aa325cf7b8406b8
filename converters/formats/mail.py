"""What mails of all kinds share: the tables in their bodies, the names of attachments, and which mail it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from converters.encoding import decode, widest
from converters.formats.container import Member, clean
from converters.grid import Grid
from converters.model import Problem, Scalar

BODY = "body"
PGP_MESSAGE = "-----BEGIN PGP MESSAGE-----"
STATEFUL = ("iso-2022-", "utf-7", "hz")
"""Encodings of seven bits, which every other one takes for its own."""

SEPARATORS = (re.compile(r"\t"), re.compile(r"\|"), re.compile(r";"), re.compile(r"[ \u3000]{2,}|\t"))
RULER = re.compile(r"[\s|+:=_\-\u2500-\u257f]*")
NUMBER = re.compile(r"[-+△▲(₩$¥€]*\d[\d,.]*\s*[%원)]?")
MIN_LINES = 3
HEADING = 60
LONGEST = 180


def told(path: tuple[str, ...], subject: str, sender: str, date: str) -> Grid:
    """No sheet, but a notice of the mail's header fields: items recognise mails by it."""
    fields = {"Subject": subject, "From": sender, "Date": date}
    said = "\n".join(f"{field}: {' '.join(text.split())[:LONGEST]}" for field, text in fields.items() if text)
    notices = [Problem("mail", said, "Nothing to do: it says which mail this is.")] if said else []
    return Grid("", container=path, notices=notices)


def bodies(path: tuple[str, ...], pages: Sequence[str], texts: Sequence[str]) -> Iterator[Member | Grid]:
    """What a mail's body holds: its HTML parts with tables, else the tables set in its plain text.

    Args:
        pages / texts: the HTML and the plain parts.
    """
    found: list[Member | Grid] = [
        Member((*path, _numbered(number)), partial(_page, page))
        for number, page in enumerate((page for page in pages if "<table" in page.lower()), 1)
    ]
    found = found or [grid for text in texts if (grid := aligned(text)).rows]
    for number, body in enumerate(found, 1):
        if isinstance(body, Grid):
            body.sheet = _numbered(number)
            body.container = (*path, body.sheet)
        yield body


def _numbered(number: int) -> str:
    return BODY if number == 1 else f"{BODY} {number}"


def _page(text: str) -> bytes:
    return b"<html>" + text.encode("utf-8", "replace")  # by which it is known as a page


def aligned(text: str) -> Grid:
    """A sheet of the tables that a plain text really sets: consecutive lines of as many fields, with numbers in them.

    Rows are the lines of the text. Up to three short lines above a table come along: its title and its unit.
    """
    grid = Grid(BODY, textual=True)
    lines = [line.strip() for line in text.splitlines()]
    at = 0
    while at < len(lines):
        rows, end = _table(lines, at)
        if rows:
            for above in range(max(0, at - 3), at):
                if 0 < len(lines[above]) <= HEADING:
                    grid.rows.setdefault(above, [lines[above]])
            grid.rows.update(rows)
        at = end
    grid.rows = dict(sorted(grid.rows.items()))
    return grid


def _table(lines: Sequence[str], start: int) -> tuple[dict[int, list[Scalar]], int]:
    """The rows of the table that begins at a line, if one does, and the line from which to look on."""
    end = start + 1
    for separator in SEPARATORS:
        rows: dict[int, list[Scalar]] = {}
        at, width = start, 0
        while at < len(lines) and lines[at]:
            if not RULER.fullmatch(lines[at]):
                fields: list[Scalar] = [field.strip() or None for field in separator.split(lines[at].strip("|"))]
                if len(fields) < 2 or (rows and len(fields) != width):
                    break
                rows[at], width = fields, len(fields)
            at += 1
        if len(rows) >= MIN_LINES and _has_numbers(list(rows.values())):
            return rows, at
        end = max(end, at)
    return {}, end


def _has_numbers(rows: Sequence[Sequence[Scalar]]) -> bool:
    """Whether most fields of some column but the first are numbers, its header aside."""
    for column in list(zip(*rows, strict=True))[1:]:
        fields = [str(field) for field in column[1:] if field is not None]
        if 2 * sum(bool(NUMBER.fullmatch(field)) for field in fields) > len(fields):
            return True
    return False


def decoded(data: bytes, charset: str | None) -> str:
    """The text of a part, of which the mail states the charset: the superset that its program really wrote."""
    name = widest(charset) if charset else None
    if name and name.startswith(STATEFUL):
        try:
            return data.decode(name, "replace")
        except LookupError:
            pass
    return decode(data, name)


def attachment_name(name: str, number: int) -> str:
    """The name of an attachment without folders, or its number if it has none."""
    last = clean(name).rpartition("/")[2].strip(" \t\"'")
    return last if last.strip(".") else f"attachment {number}"
