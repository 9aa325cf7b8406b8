"""JSON and newline-delimited JSON: records in, one table for each list of records.

Row 1 of a table is its header, row n + 1 its n-th record. Nested objects give header paths; a list of objects inside of
records is a table of its own, whose first column tells the row of the record that it belongs to; an empty one says
nothing. Source: RFC 8259; pandas, DataFrame.to_json (the orients split, index and columns).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from converters.document import Document
from converters.encoding import decode, sniff
from converters.errors import Broken, OverLimit
from converters.formats.json_values import Parser
from converters.formats.meter import Meter
from converters.formats.records import Path, lay_out, time_zone
from converters.grid import Grid
from converters.model import Problem, Scalar
from converters.options import Options

MAX_DEPTH = 16
MAX_COLUMNS = 1 << 14
KEY = "key"
"""The header of the keys of an object of records: {"A01": {…}, "A02": {…}}."""

_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?")


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid for each list of records.

    Raises:
        Broken: no JSON.
        OverLimit: too many cells or columns.
    """
    text = decode(document.content).lstrip("\ufeff")
    parser = Parser(document.name)
    try:
        root = parser.parse(text)
        found = _Finder()
        lists = found.lists(root, (), 0) or _single(root)
        problems, notices = parser.problems(), found.notices()
        if lost := text.count("\ufffd"):
            problems.append(_undecodable(lost, sniff(document.content)))
        meter = Meter(document.name, options.limits)
        while lists:
            records = lists.pop(0)
            meter.sheet()
            name = ".".join(records.path) or document.stem
            grid, inner = _grid(records, name, meter, options.max_rows)
            lists[:0] = inner
            grid.problems, grid.notices = grid.problems + problems, grid.notices + notices
            problems, notices = [], []
            yield grid
    except RecursionError as error:
        raise Broken(
            f"{document.name} is nested too deeply.", "Ask the sender for flat records, or for csv."
        ) from error


@dataclass
class _Records:
    """The records of one table.

    Args:
        path: the members that lead to it.
        records: objects; or lists, where each is a row without names.
        parents: for each the row, in the table that it is nested in, of the record it belongs to.
        parent: the name of that table.
    """

    path: Path
    records: list[Any]
    parents: list[int] = field(default_factory=list)
    parent: str = ""


class _Finder:
    """Where in a value the lists of records are."""

    def __init__(self) -> None:
        self.around: list[str] = []

    def lists(self, value: Any, path: Path, depth: int) -> list[_Records]:
        """The lists of records in a value, in its order; what stands around them is kept for the notice."""
        if isinstance(value, list):
            return [_Records(path, value)] if _holds_rows(value) or (value and not path) else []
        if not isinstance(value, dict) or depth > MAX_DEPTH:
            return []
        if (records := _by_column(value) or _by_key(value)) is not None:
            return [_Records(path, records)]
        found: list[_Records] = []
        plain: list[str] = []
        for name, member in value.items():
            inner = self.lists(member, (*path, name), depth + 1)
            found += inner
            if not inner and member not in (None, "", [], {}):
                plain.append(f"{'.'.join((*path, name))} = {_text(member)[:100]}")
        if found:
            self.around += plain
        return found

    def notices(self) -> list[Problem]:
        """What stands around the records."""
        if not self.around:
            return []
        said = ", ".join(self.around[:10]) + (", …" if len(self.around) > 10 else "")
        return [Problem("around_the_records", f"Around the records stands: {said}.", "Nothing has to be done.")]


def _single(root: Any) -> list[_Records]:
    """An object without lists of records is one record."""
    return [_Records((), [root])] if isinstance(root, dict) and root else []


def _holds_rows(value: list[Any]) -> bool:
    return any(isinstance(item, dict | list) and item for item in value)


def _by_column(value: dict[str, Any]) -> list[Any] | None:
    """The records of an object of columns, or of names and rows apart."""
    names, rows = value.get("columns"), value.get("data")
    if isinstance(names, list) and names and isinstance(rows, list) and all(isinstance(n, str | int) for n in names):
        if rows and all(isinstance(row, list) and len(row) == len(names) for row in rows):
            return [dict(zip(map(str, names), row, strict=True)) for row in rows]
    columns = list(value.values())
    if not columns or not all(isinstance(c, list) and c and not _holds_rows(c) for c in columns):
        return None
    if len({len(column) for column in columns}) > 1:
        return None
    return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]


def _by_key(value: dict[str, Any]) -> list[Any] | None:
    """The records of an object of objects with the same members; under "0", "1", … they are columns."""
    members = list(value.values())
    if len(members) < 2 or not all(isinstance(m, dict) and m for m in members):
        return None
    names = members[0].keys()
    if any(m.keys() != names for m in members) or any(map(_holds_more, members)):
        return None
    if list(names) == [str(n) for n in range(len(names))]:
        return [{column: member[n] for column, member in value.items()} for n in names]
    return [{KEY: key, **member} for key, member in value.items()]


def _holds_more(member: dict[str, Any]) -> bool:
    return any(isinstance(item, list) and _holds_rows(item) for item in member.values())


def _grid(found: _Records, name: str, meter: Meter, max_rows: int | None) -> tuple[Grid, list[_Records]]:
    """The grid of some records, and the records that are nested in them."""
    records = found.records[:max_rows]
    if all(isinstance(record, list) for record in records):
        return _matrix(records, name, meter), []
    flat = _Flat(name)
    head = [(f"row of {found.parent}",)] if found.parents else []
    columns: dict[Path, int] = {path: i for i, path in enumerate(head)}
    rows: list[list[Scalar]] = []
    for number, record in enumerate(records):
        values: list[Scalar] = [found.parents[number]] if head else []
        for path, value in flat.record(record, number + 2):
            at = columns.setdefault(path, len(columns))
            if at >= len(values):
                if at >= MAX_COLUMNS:
                    raise _too_wide(name)
                values += [None] * (at + 1 - len(values))
            values[at] = value
        meter.row(len(values) - values.count(None), len(values))
        rows.append(values)
    grid = Grid(name)
    if columns:
        lay_out(grid, list(columns), rows)
        for path, column in columns.items():
            _read_dates(grid, rows, column, path)
    path = found.path
    return grid, [_Records((*path, *p), items, parents, name) for p, (items, parents) in flat.inner.items()]


class _Flat:
    """Records without nesting."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inner: dict[Path, tuple[list[Any], list[int]]] = {}

    def record(self, record: Any, row: int) -> Iterator[tuple[Path, Scalar]]:
        """The path and the value of each member, and of the members of members."""
        if not isinstance(record, dict):
            yield ("value",), _scalar(record)
            return
        yield from self._members(record, (), row)

    def _members(self, record: dict[str, Any], path: Path, row: int) -> Iterator[tuple[Path, Scalar]]:
        for name, value in record.items():
            here = (*path, name)
            if isinstance(value, dict) and value and len(here) < MAX_DEPTH:
                yield from self._members(value, here, row)
            elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
                items, parents = self.inner.setdefault(here, ([], []))
                items += value
                parents += [row] * len(value)
            elif value not in ({}, []):
                yield here, _scalar(value)


def _matrix(records: Sequence[list[Any]], name: str, meter: Meter) -> Grid:
    """Rows without names: their header, if there is one, has to be found."""
    grid = Grid(name)
    for row, items in enumerate(records):
        values = [_scalar(item) for item in items]
        used = len(values) - values.count(None)
        meter.row(used, len(values))
        if used:
            grid.rows[row] = values
    return grid


def _read_dates(grid: Grid, rows: Sequence[list[Scalar]], column: int, path: Path) -> None:
    """JSON has no dates: a column of texts that are all in the form of ISO 8601 has; times stay as they are written."""
    holders = [row for row in rows if column < len(row) and row[column] is not None]
    dates: list[dt.date] = []
    zones: set[str] = set()
    for row in holders:
        text = row[column]
        if not isinstance(text, str) or not _ISO.fullmatch(text):
            return
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            return
        zones.add(moment.strftime("%z"))
        dates.append(moment.date() if len(text) == 10 else moment.replace(tzinfo=None))
    if len(zones) != 1 or len(set(map(type, dates))) != 1:
        return
    for row, date in zip(holders, dates, strict=True):
        row[column] = date
    if zone := zones.pop():
        grid.notices.append(time_zone(path, f"UTC{zone[:3]}:{zone[3:5]}"))


def _scalar(value: Any) -> Scalar:
    """A value as a cell holds it: "" says nothing, a list or an object stays JSON."""
    if isinstance(value, list | dict):
        return _text(value)
    return None if value == "" else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _too_wide(name: str) -> OverLimit:
    return OverLimit(
        f"the records of {name} have more than {MAX_COLUMNS:,} different members.",
        "Ask the sender for records whose members have the same names.",
        where=name,
    )


def _undecodable(lost: int, encoding: str) -> Problem:
    return Problem(
        "undecodable_text",
        f"{lost} characters could not be decoded as {encoding}.",
        "Ask the sender to export as UTF-8.",
    )
