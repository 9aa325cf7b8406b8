"""Tag rules applied: the tables of one file become its tidy table, or the reasons why they cannot."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from converters.binding import ABOUT, Binding, Group, bind, header_of
from converters.casting import cast
from converters.errors import ContractBroken
from converters.model import Column, Conversion, Scalar, Table, address
from converters.proof import mismatches
from converters.rules import ColumnKind, ColumnRule, TagRule
from converters.scales import factor
from converters.tidy import Tidy, schema

if TYPE_CHECKING:
    import pyarrow as pa

LISTED = 20
"""How many offending cells the evidence lists; it always says how many there are."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of the file besides its tables; it fills the lineage columns.

    Args:
        accept: a person released the file: what breaks the contract is noted and passes; what is no value is null.
    """

    item: str
    period_start: dt.date
    period_end: dt.date
    part: str
    sha256: str
    file: str
    run_key: str
    accept: bool = False


@dataclass(slots=True)
class _Breach:
    """One cell that breaks the contract."""

    sheet: str
    cell: str | None
    column: str
    value: str
    allowed: str


@dataclass(slots=True)
class _Work:
    """The tidy table while it is made: one list a column."""

    rule: TagRule
    about: About
    columns: dict[str, list[Scalar]]
    sheets: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    cells: list[dict[str, str]] = field(default_factory=list)
    breaches: list[_Breach] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)


def tag(conversion: Conversion, rule: TagRule, about: About) -> Tidy:
    """The tidy table of a file by its item's rule.

    Raises:
        ContractBroken: no table fits, or cells break the contract; the evidence lists them.
    """
    work = _Work(rule, about, {name: [] for name in rule.kinds()})
    for binding in _bound(conversion, rule, work):
        _prove(binding, work)
        _read(binding, work)
    _check_unique(work)
    if work.breaches:
        _refuse(work)
    return Tidy(_arrow(work), work.decisions)


def _bound(conversion: Conversion, rule: TagRule, work: _Work) -> list[Binding]:
    bindings, refused = list[Binding](), list[str]()
    for table in conversion.tables:
        found = bind(table, rule)
        place = f"table {table.index + 1} of sheet '{table.sheet}'"
        if isinstance(found, Binding):
            bindings.append(found)
            work.decisions.append(f"{place}: taken, {len(table.rows)} rows")
        else:
            refused.append(f"{place}: {found}")
            work.decisions.append(f"{place}: left out, {found}")
    if not bindings:
        headers = {f"{t.sheet} #{t.index + 1}": [header_of(c) for c in t.columns] for t in conversion.tables}
        raise ContractBroken(
            f"no table fits the tag rule: {'; '.join(refused[:3])}.",
            "Correct 'from' of the columns or 'table' in the tenant's YAML, or ask the sender for the usual form.",
            {"tables": refused, "headers": headers},
        )
    if rule.extra_columns == "refuse":
        _refuse_extra(bindings)
    return bindings


def _refuse_extra(bindings: list[Binding]) -> None:
    for binding in bindings:
        used = {id(c) for g in binding.groups for c in g.columns.values()}
        if extra := [c for c in binding.table.columns if id(c) not in used and not c.subtotal]:
            names = ", ".join(f"'{header_of(c)}'" for c in extra)
            raise ContractBroken(
                f"sheet '{binding.table.sheet}' has columns that no rule names: {names}.",
                "Add them to tag.columns, or set extra_columns to 'ignore'.",
                {"columns": [header_of(c) for c in extra]},
            )


def _prove(binding: Binding, work: _Work) -> None:
    """Refuse a file whose totals are not the sums that they say."""
    table, rule = binding.table, work.rule
    count = sum(table.row_subtotal)
    if rule.subtotals == "keep" or not count:
        return
    work.decisions.append(f"sheet '{table.sheet}': {count} subtotal rows dropped")
    if rule.subtotals == "drop":
        return
    numeric = {"integer", "number", "decimal"}
    kinds = rule.kinds()
    columns = {id(c): c for g in binding.groups for name, c in g.columns.items() if kinds[name] in numeric}
    for wrong in mismatches(table, list(columns.values())):
        work.breaches.append(
            _Breach(table.sheet, wrong.cell, wrong.column, str(wrong.value), f"the sum of its cells, {wrong.nearest}")
        )


def _read(binding: Binding, work: _Work) -> None:
    table, rule = binding.table, work.rule
    readers = [_Reader(table, group, work) for group in binding.groups]
    for position, row in enumerate(table.rows):
        if table.row_subtotal[position] and rule.subtotals != "keep":
            continue
        for reader in readers:
            reader.row(position, row)


class _Reader:
    """Reads one group of columns of one table, row by row."""

    def __init__(self, table: Table, group: Group, work: _Work) -> None:
        self.table, self.group, self.work = table, group, work
        self.kinds = work.rule.kinds()
        self.fields = [self._field(name) for name in self.kinds]
        self.factors: dict[tuple[str, str | None], Decimal | None] = {}

    def row(self, position: int, row: int) -> None:
        """Append one tidy row, unless all of its own cells are empty."""
        if all(c.values[position] is None for c in self.group.columns.values() if c.role == "value"):
            return
        work = self.work
        cells: dict[str, str] = {}
        for name, rule, column, fixed in self.fields:
            if column is None:
                work.columns[name].append(fixed)
                continue
            cell = address(row, column.index)
            cells[name] = cell
            value = self._value(name, rule, column, position, row)
            work.columns[name].append(value)
            self._check(name, rule, value, cell, column.values[position])
        work.sheets.append(self.table.sheet)
        work.rows.append(row + 1)
        work.cells.append(cells)

    def _field(self, name: str) -> tuple[str, ColumnRule | None, Column | None, Scalar]:
        """The canonical column's rule, its table column, or its fixed value where no cell gives it."""
        about, unpivot, rule = self.work.about, self.work.rule.unpivot, self.work.rule.columns.get(name)
        kind = self.kinds[name]
        if unpivot and name == unpivot.into:
            return name, None, None, self._cast_fixed(self.group.header, kind, name)
        if unpivot and name == unpivot.value:
            rule = ColumnRule(source="-", type=unpivot.value_type, unit=unpivot.unit, min=unpivot.min, max=unpivot.max)
        if rule is None:
            return name, None, None, None
        if rule.constant is not None:
            return name, rule, None, self._cast_fixed(rule.constant, kind, name)
        if rule.source in ABOUT:
            known: dict[object, Scalar] = {"period": about.period_start, "file": about.file, "sheet": self.table.sheet,
                                           "title": self.table.title}  # fmt: skip
            return name, rule, None, self._cast_fixed(known[rule.source], kind, name)
        return name, rule, self.group.columns.get(name), None

    def _cast_fixed(self, value: Scalar, kind: ColumnKind, name: str) -> Scalar:
        try:
            return cast(value, kind, self.work.about.period_start.year)
        except ValueError as error:
            self._breach(name, None, value, str(error))
            return None

    def _value(self, name: str, rule: ColumnRule | None, column: Column, position: int, row: int) -> Scalar:
        assert rule
        raw = column.values[position]
        cell = address(row, column.index)
        if error := self.table.errors.get((row, column.index)):
            self._breach(name, cell, error, f"a {rule.type}, not a cell error")
            return None
        if rule.codes is not None and raw is not None:
            return self._code(name, rule.codes, raw, cell)
        try:
            value = cast(raw, rule.type, self.work.about.period_start.year)
        except ValueError as error:
            self._breach(name, cell, raw, str(error))
            return None
        if rule.unit and value is not None and not isinstance(value, str | bool):
            value = self._scaled(name, rule, value, self.table.cell_units.get((row, column.index), column.unit), cell)
        return value

    def _code(self, name: str, codes: dict[str, str], raw: Scalar, cell: str) -> Scalar:
        import difflib

        written = str(cast(raw, "text", 0))
        if written in codes:
            return codes[written]
        near = difflib.get_close_matches(written, codes, n=1)
        self._breach(
            name, cell, raw, f"one of the {len(codes)} codes" + (f"; the nearest is '{near[0]}'" if near else "")
        )
        return None

    def _scaled(self, name: str, rule: ColumnRule, value: Scalar, written: str | None, cell: str) -> Scalar:
        if written is None:
            return value
        key = (name, written)
        if key not in self.factors:
            self.factors[key] = self._factor(name, rule, written, cell)
        by = self.factors[key]
        if by is None:
            return None
        if by == 1:
            return value
        return cast(Decimal(str(value)) * by, rule.type, 0)

    def _factor(self, name: str, rule: ColumnRule, written: str, cell: str) -> Decimal | None:
        assert rule.unit
        try:
            by = factor(written, rule.unit)
        except ValueError as error:
            self._breach(name, cell, written, str(error))
            return None
        if by != 1:
            self.work.decisions.append(f"{name}: {written} × {by.normalize():f} = {rule.unit}")
        return by

    def _check(self, name: str, rule: ColumnRule | None, value: Scalar, cell: str, raw: Scalar) -> None:
        for holds, allowed in _CHECKS:
            if rule and not holds(rule, value):
                self._breach(name, cell, raw, allowed(rule))

    def _breach(self, name: str, cell: str | None, value: Scalar, allowed: str) -> None:
        self.work.breaches.append(
            _Breach(self.table.sheet, cell, name, "" if value is None else str(value)[:200], allowed)
        )


_CHECKS: tuple[tuple[Callable[[ColumnRule, Scalar], bool], Callable[[ColumnRule], str]], ...] = (
    (lambda r, v: not r.required or v is not None, lambda r: "a value (required)"),
    (lambda r, v: v is None or not r.allowed or str(v) in r.allowed, lambda r: f"one of {', '.join(r.allowed or ())}"),
    (lambda r, v: v is None or r.min is None or Decimal(str(v)) >= r.min, lambda r: f"at least {r.min}"),
    (lambda r, v: v is None or r.max is None or Decimal(str(v)) <= r.max, lambda r: f"at most {r.max}"),
    (lambda r, v: v is None or not r.pattern or _matches(r.pattern, v), lambda r: f"the pattern {r.pattern}"),
)


def _matches(pattern: str, value: Scalar) -> bool:
    return re.fullmatch(pattern, str(value)) is not None


def _check_unique(work: _Work) -> None:
    seen: dict[tuple[Scalar, ...], int] = {}
    names = work.rule.unique
    if not names:
        return
    for number, key in enumerate(zip(*(work.columns[name] for name in names), strict=True)):
        first = seen.setdefault(key, number)
        if first != number:
            cell = next((work.cells[number][n] for n in names if n in work.cells[number]), None)
            other = next((work.cells[first][n] for n in names if n in work.cells[first]), None)
            text = ", ".join(f"{name}={value}" for name, value in zip(names, key, strict=True))
            work.breaches.append(
                _Breach(work.sheets[number], cell, "+".join(names), text, f"once only; {other} has it too")
            )


def _refuse(work: _Work) -> None:
    if work.about.accept:
        work.decisions.extend(f"accepted by a person: {_line(b)}" for b in work.breaches[:LISTED])
        return
    count = len(work.breaches)
    more = f" and {count - 1} more" if count > 1 else ""
    raise ContractBroken(
        f"{_line(work.breaches[0])}{more}.",
        "Ask the sender for a correction, mend the rule, or release it with --accept if it is right as it is.",
        {
            "count": count,
            "cells": [
                {"sheet": b.sheet, "cell": b.cell, "column": b.column, "value": b.value, "allowed": b.allowed}
                for b in work.breaches[:LISTED]
            ],
        },
    )


def _line(breach: _Breach) -> str:
    place = f"{breach.sheet}!{breach.cell}" if breach.cell else breach.sheet
    return f"{place} ({breach.column}) is '{breach.value}'; allowed: {breach.allowed}"


def _arrow(work: _Work) -> pa.Table:
    import pyarrow as pa

    about, count = work.about, len(work.rows)
    same = {
        "_item": about.item,
        "_period_start": about.period_start,
        "_period_end": about.period_end,
        "_part": about.part,
        "_sha256": about.sha256,
        "_file": about.file,
        "_run_key": about.run_key,
    }
    data: dict[str, Sequence[object]] = {
        **work.columns,
        **{name: [value] * count for name, value in same.items()},
        "_sheet": work.sheets,
        "_row": work.rows,
        "_cells": [json.dumps(cells, sort_keys=True, ensure_ascii=False) for cells in work.cells],
    }
    wanted = schema(work.rule)
    return pa.table([pa.array(data[field.name], field.type) for field in wanted], schema=wanted)
