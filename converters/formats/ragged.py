"""Delimited records with more fields than their header: figures whose thousands were divided by the delimiter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from converters.model import Problem, Scalar

_FIGURE = re.compile(r"(?!(?:19|20)\d\d$)[-+(₩$]?\d[\d,./:-]*[)%]?")
_HEAD = re.compile(r"[-+]?[1-9]\d{0,2}")
_TAIL = re.compile(r"\d{3}(?:\.\d+)?")
NAMED = 5
MAX_FIELDS, MAX_JOINS = 200, 12


def overlong(rows: Mapping[int, Sequence[Scalar]]) -> tuple[int, list[int], list[int]]:
    """How many fields the header has, the rows below it up to the next blank one, and which of these have more.

    The header is the row without a figure right above the first row with one; (0, [], []) if there is none.
    """
    numbers = list(rows)
    first = next((p for p, number in enumerate(numbers) if _has_figure(rows[number])), 0)
    if not first or numbers[first - 1] != numbers[first] - 1 or _filled(rows[numbers[first - 1]]) < 2:
        return 0, [], []
    width = len(rows[numbers[first - 1]])
    body: list[int] = []
    for number in numbers[first:]:
        is_header = _filled(rows[number]) > 1 and not _has_figure(rows[number])
        if number != numbers[first] + len(body) or is_header:
            break
        body.append(number)
    return width, body, [number for number in body if _length(rows[number]) > width] if len(body) > 1 else []


def joined(rows: Mapping[int, Sequence[Scalar]], width: int) -> dict[int, list[Scalar]] | None:
    """The rows with their thousands put together again; None unless each can be made as long as `width` in one way."""
    found: dict[int, list[Scalar]] = {}
    for number, row in rows.items():
        fields = list(row[: _length(row)])
        fields += [None] * (min(width, len(row)) - len(fields))
        ways = [fields] if len(fields) == width else _ways(fields, width)
        if len(ways) != 1:
            return None
        found[number] = ways[0]
    return found


def problem(name: str, rows: Sequence[int], width: int) -> Problem:
    """What is said of rows that stay longer than their header."""
    named = ", ".join(str(row + 1) for row in rows[:NAMED]) + (" and others" if len(rows) > NAMED else "")
    return Problem(
        "ragged_rows",
        f"{name} has more fields than the {width} of its header in row {named}: values may be in wrong columns.",
        "Ask the sender to put fields that hold the delimiter, such as 1,000, in quotation marks.",
    )


def _ways(fields: Sequence[Scalar], width: int) -> list[list[Scalar]]:
    """At most two ways to join neighbours to figures so that `width` fields are left."""
    joins = len(fields) - width
    if joins < 1 or joins > MAX_JOINS or len(fields) > MAX_FIELDS:
        return []
    found: list[list[Scalar]] = []
    for way in _joinings(fields, 0, joins):
        found.append(way)
        if len(found) > 1:
            break
    return found


def _joinings(fields: Sequence[Scalar], at: int, joins: int) -> Iterator[list[Scalar]]:
    if at == len(fields):
        if joins == 0:
            yield []
        return
    for rest in _joinings(fields, at + 1, joins):
        yield [fields[at], *rest]
    text = str(fields[at] or "").strip()
    if not _HEAD.fullmatch(text):
        return
    for more in range(1, joins + 1):
        following = str(fields[at + more] or "").strip() if at + more < len(fields) else ""
        if not _TAIL.fullmatch(following):
            return
        text = f"{text},{following}"
        for rest in _joinings(fields, at + more + 1, joins - more):
            yield [text, *rest]
        if "." in following:
            return


def _has_figure(row: Sequence[Scalar]) -> bool:
    return any(isinstance(field, str) and _FIGURE.fullmatch(field.strip()) for field in row)


def _filled(row: Sequence[Scalar]) -> int:
    return len(row) - list(row).count(None)


def _length(row: Sequence[Scalar]) -> int:
    """How many fields a row has up to its last that is not blank."""
    return max((position for position, field in enumerate(row, 1) if field is not None), default=0)
