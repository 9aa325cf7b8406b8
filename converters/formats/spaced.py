"""Plain text whose columns stand one below the other: spaces divide it, or the lines of a database console's box."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from converters.formats.mail import RULER
from converters.model import Scalar

MIN_LINES = 3
MAX_LINE = 4000
_GAP = re.compile(r"\S {2,}\S")
_COUNT = re.compile(r"\(?\d+ (?:rows?|행)\b.{0,40}", re.I)
"""What a console says below a box: 2 rows in set (0.00 sec)."""


def aligned_rows(text: str) -> dict[int, list[Scalar]] | None:
    """The rows of an aligned text, each under the number of its line; None if it is not aligned. Rulers are no rows."""
    lines = text.expandtabs().splitlines()
    if any(len(line) > MAX_LINE for line in lines):
        return None
    filled = {number: line.rstrip() for number, line in enumerate(lines) if line.strip() and not _is_ruler(line)}
    if sum(_is_ruler(line) and "+" in line for line in lines):
        return _boxed(filled)
    return _spaced(filled)


def _is_ruler(line: str) -> bool:
    return RULER.fullmatch(line) is not None and re.search(r"[-=─━]{2}", line) is not None


def _boxed(lines: dict[int, str]) -> dict[int, list[Scalar]] | None:
    rows: dict[int, list[Scalar]] = {}
    for number, line in lines.items():
        text = line.strip()
        if "|" in text:
            inner = text[1:-1] if text[0] == text[-1] == "|" else line
            rows[number] = [field.strip() or None for field in inner.split("|")]
        elif not _COUNT.fullmatch(text):
            rows[number] = [text]
    widths = {len(row) for row in rows.values()} - {1}
    return rows if len(widths) == 1 and len(rows) > 1 else None


def _spaced(lines: dict[int, str]) -> dict[int, list[Scalar]] | None:
    """Cut where all lines are blank for two places or more; lines of one text over the first others stay whole."""
    divided = [number for number, line in lines.items() if _GAP.search(line)]
    if len(divided) < MIN_LINES:
        return None
    body = [number for number in lines if number >= divided[0]]
    if len(body) != len(divided):
        return None
    places = {number: _places(lines[number]) for number in body}
    cuts = _cuts(list(places.values()))
    if len(cuts) < 1:
        return None
    rows: dict[int, list[Scalar]] = {n: [line.strip()] for n, line in lines.items() if n < divided[0]}
    for number, line in places.items():
        edges = [0, *cuts, len(line)]
        rows[number] = [line[a:b].replace("\0", "").strip() or None for a, b in pairwise(edges)]
    return rows


def _places(line: str) -> str:
    """The line with as many characters as it takes places: a wide one is followed by NUL."""
    return "".join(c + "\0" if unicodedata.east_asian_width(c) in "WF" else c for c in line)


def _cuts(lines: Sequence[str]) -> list[int]:
    """Where the columns but the first begin: the ends of what is blank in all lines, two places wide or more."""
    width = max(map(len, lines))
    blank = [all(line[place : place + 1] in ("", " ") for line in lines) for place in range(width)]
    return [p for p in range(3, width) if not blank[p] and blank[p - 1] and blank[p - 2] and not all(blank[:p])]
