"""The rows of one table by a tag rule: cells cast, scaled, coded and checked, column by column."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, compress
from typing import TypeVar

from converters.binding import Binding, Group, header_of, place_of
from converters.casting import cast_all, caster, is_nothing
from converters.contract import Breach, offences, shown
from converters.errors import ContractBroken
from converters.model import Column, Scalar, letters
from converters.periods import Span, dates_in
from converters.rules import ColumnRule, TagRule
from converters.scales import factor, unit
from converters.tables.units import unit_in_brackets

NO_RESULT = frozenset(["#DIV/0!", "#N/A", "#NULL!"])
"""Cell errors that say "there is none"; all others say that a formula is broken."""
_ROW = "\0"
T = TypeVar("T")


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
class Rows:
    """Tidy rows of one table.

    Args:
        columns: canonical column → its values.
        rows: the 1-based row of its sheet that each comes from.
        sheets: the sheet that each comes from.
        cells: JSON of each row: canonical column → address.
        breaches: the cells that break the contract, row by row.
        decisions: for people.
    """

    columns: dict[str, list[Scalar]]
    rows: list[int] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)


def read(binding: Binding, rule: TagRule, about: About) -> Rows:
    """The tidy rows of a table, in its order; with unpivot, each body row's from left to right.

    Raises:
        ContractBroken: a unit cannot be scaled to the rule's.
    """
    return _Reader(binding, rule, about).read()


class _Reader:
    def __init__(self, binding: Binding, rule: TagRule, about: About) -> None:
        self.table, self.groups, self.rule, self.about = binding.table, binding.groups, rule, about
        self.names = list(rule.kinds())
        self.out = Rows({name: [] for name in self.names})
        self._shared: dict[tuple[str, int], list[Scalar]] = {}
        self._noted: list[tuple[int, Breach]] = []

    def read(self) -> Rows:
        body = [p for p, total in enumerate(self.table.row_subtotal) if self.rule.subtotals == "keep" or not total]
        said = [self._said(group, body) for group in self.groups]
        kept = [any(flags) for flags in zip(*said, strict=True)]
        if dropped := len(kept) - sum(kept):
            self.out.decisions.append(f"sheet '{self.table.sheet}': {dropped} rows dropped, which have labels only")
        self.positions = list(compress(body, kept))
        said = [list(compress(flags, kept)) for flags in said]
        for name in self.names:
            parts = [self._values(name, group, flags) for group, flags in zip(self.groups, said, strict=True)]
            self.out.columns[name] = _interleaved(parts, said)
        self.out.breaches = [breach for _, breach in sorted(self._noted, key=lambda noted: noted[0])]
        places = [self.table.place(self.table.rows[p]) for p in self.positions]
        numbers = [str(row + 1) for _, row in places]
        templates = [self._template(group) for group in self.groups]
        self.out.cells = _interleaved([[t.replace(_ROW, n) for n in numbers] for t in templates], said)
        self.out.rows = _interleaved([[row + 1 for _, row in places]] * len(said), said)
        self.out.sheets = _interleaved([[sheet for sheet, _ in places]] * len(said), said)
        return self.out

    def _said(self, group: Group, body: Sequence[int]) -> list[bool]:
        """Which body rows say anything that makes a tidy row of this group.

        Unpivoted cells must have a value. Of other rows, one of the quantities must have one, or a mark that says that
        there is none; without quantities, or if one of them is required, any cell will do.
        """
        if self.rule.unpivot:
            return self._any_says([group.columns[name] for name in sorted(group.own)], body, dashes=False)
        quantities = [n for n in group.columns if self.rule.columns[n].is_measure]
        required = any(self.rule.columns[n].required for n in quantities)
        names = group.columns if required or not quantities else quantities
        return self._any_says([group.columns[name] for name in names], body, dashes=True)

    def _any_says(self, columns: Iterable[Column], body: Sequence[int], dashes: bool) -> list[bool]:
        says = [not columns] * len(body)
        rows, marks = self.table.rows, {**self.table.errors, **(self.table.nulls if dashes else {})}
        for column in columns:
            values, index = column.values, column.index
            says = [
                s or not is_nothing(values[p]) or (bool(marks) and (rows[p], index) in marks)
                for s, p in zip(says, body, strict=True)
            ]
        return says

    def _values(self, name: str, group: Group, said: Sequence[bool]) -> list[Scalar]:
        """The values of a canonical column for every row that is read, of this group."""
        count = len(self.positions)
        if self.rule.unpivot and name == self.rule.unpivot.into:
            rule = ColumnRule(source="period", type=self.rule.unpivot.type, required=True)
            return self._fixed(name, rule, group.header) * count
        rule_of = self.rule.rule_of(name)
        assert rule_of
        if not rule_of.headers:
            return self._fixed(name, rule_of, self._about(rule_of)) * count
        column = group.columns.get(name)
        if column is None:
            return [None] * count
        if name in group.own:
            return self._column(name, rule_of, column, said)
        key = (name, id(column))
        if key not in self._shared:
            self._shared[key] = self._column(name, rule_of, column, [True] * count)
        return self._shared[key]

    def _about(self, rule: ColumnRule) -> Scalar:
        """What `constant`, or one of the words that are no headers, gives."""
        if rule.constant is not None:
            return rule.constant
        if rule.source == "period":
            return self.about.period_start
        text = {"file": self.about.file, "sheet": self.table.sheet, "title": self.table.title}[str(rule.source)]
        spans = dates_in(text or "") if rule.type in ("date", "month") else []
        return spans[0].start if spans else text

    def _fixed(self, name: str, rule: ColumnRule, raw: Scalar) -> list[Scalar]:
        """One value, cast and checked, that no cell gives."""
        values, wrong = self._cast(rule, [raw], None)
        for allowed in [*wrong.values()] or [allowed for _, allowed in offences(rule, values)]:
            self._noted.append((-1, Breach(self.table.sheet, None, name, shown(raw), allowed)))
        return values

    def _column(self, name: str, rule: ColumnRule, column: Column, said: Sequence[bool]) -> list[Scalar]:
        """A table column cast, scaled and checked; what is wrong with it is noted."""
        raw = self._raw(rule, column)
        values, wrong = self._cast(rule, raw, self._factor(name, rule, column, column.unit) if rule.unit else None)
        self._read_cells_of_other_units(name, rule, column, raw, values, wrong)
        self._note_errors(name, rule, column, wrong)
        checked = list(compress(range(len(values)), said))
        offending = ((checked[i], allowed) for i, allowed in offences(rule, [values[i] for i in checked]))
        for i, allowed in sorted(chain(wrong.items(), ((i, a) for i, a in offending if i not in wrong))):
            row = self.table.rows[self.positions[i]]
            value = self.table.errors.get((row, column.index)) or shown(raw[i])
            cell = None if column.derived else self.table.address(row, column.index)
            self._noted.append((i, Breach(self.table.sheet, cell, name, value, allowed)))
        return values

    def _raw(self, rule: ColumnRule, column: Column) -> list[Scalar]:
        raw = [column.values[p] for p in self.positions]
        if self.table.captions and rule.type == "text":
            places = ((self.table.rows[p], column.index) for p in self.positions)
            return [self.table.captions.get(place, v) for v, place in zip(raw, places, strict=True)]
        return raw

    def _cast(
        self, rule: ColumnRule, raw: Sequence[Scalar], by: Fraction | None
    ) -> tuple[list[Scalar], dict[int, str]]:
        cast = caster(rule.type, Span(self.about.period_start, self.about.period_end), by)
        if rule.codes is None:
            return self._completed(rule, raw, *cast_all(raw, cast))
        codes = {"".join(written.split()): code for written, code in rule.codes.items()}
        coded, unknown = list[Scalar](), dict[int, str]()
        for i, text in enumerate(cast_all(raw, caster("text"))[0]):
            known = text is None or "".join(str(text).split()) in codes
            coded.append(codes["".join(str(text).split())] if known and text is not None else text)
            if not known:
                near = difflib.get_close_matches(str(text), rule.codes, n=1, cutoff=0.5)
                unknown[i] = f"one of the {len(codes)} texts in codes" + (f", such as '{near[0]}'" if near else "")
        values, wrong = self._completed(rule, coded, *cast_all(coded, cast))
        return values, wrong | unknown

    def _completed(
        self, rule: ColumnRule, raw: Sequence[Scalar], values: list[Scalar], wrong: dict[int, str]
    ) -> tuple[list[Scalar], dict[int, str]]:
        """Dates and months that the item's period does not complete, completed by the table's own."""
        if not wrong or rule.type not in ("date", "month") or self.table.period is None:
            return values, wrong
        at = list(wrong)
        retried, left = cast_all((raw[i] for i in at), caster(rule.type, self.table.period.span))
        for i, value in zip(at, retried, strict=True):
            values[i] = value
        return values, {at[order]: allowed for order, allowed in left.items()}

    def _factor(self, name: str, rule: ColumnRule, column: Column, written: str | None) -> Fraction | None:
        """What the values of a column are multiplied by to be in the rule's unit."""
        assert rule.unit
        stated = written or rule.assume_unit
        wanted = unit(rule.unit)
        if stated is None and wanted and wanted.kind == "share":
            if any(unit_in_brackets(text) == "%" for text in column.path):
                raise self._unit_error(name, column, rule, "the header says %, but a cell may show 0.5 as 50%")
            stated = "비율"
        if stated is None:
            self._decide(f"{name}: {place_of(self.table, column)} states no unit, taken as {rule.unit}")
            return None
        try:
            by = factor(stated, rule.unit)
        except ValueError as error:
            raise self._unit_error(name, column, rule, str(error)) from None
        if by != 1:
            self._decide(f"{name}: {stated} × {by} = {rule.unit}")
        return by

    def _unit_error(self, name: str, column: Column, rule: ColumnRule, why: str) -> ContractBroken:
        return ContractBroken(
            f"sheet '{self.table.sheet}': {name}, from {place_of(self.table, column)}: {why}.",
            f"Correct unit (it is '{rule.unit}') or assume_unit of {name}, or ask the sender for the usual form.",
            {"sheet": self.table.sheet, "column": name, "header": header_of(column), "unit": column.unit},
        )

    def _read_cells_of_other_units(
        self,
        name: str,
        rule: ColumnRule,
        column: Column,
        raw: Sequence[Scalar],
        values: list[Scalar],
        wrong: dict[int, str],
    ) -> None:
        """Cells that state a unit of their own are read anew by that."""
        if not rule.unit or not self.table.cell_units:
            return
        by_unit: dict[str | None, list[int]] = {}
        for i, position in enumerate(self.positions):
            place = (self.table.rows[position], column.index)
            if place in self.table.cell_units and raw[i] is not None:
                by_unit.setdefault(self.table.cell_units[place], []).append(i)
        for written, indexes in by_unit.items():
            cast, bad = self._cast(rule, [raw[i] for i in indexes], self._factor(name, rule, column, written))
            for order, i in enumerate(indexes):
                values[i] = cast[order]
                wrong.pop(i, None)
                if order in bad:
                    wrong[i] = bad[order]

    def _note_errors(self, name: str, rule: ColumnRule, column: Column, wrong: dict[int, str]) -> None:
        """A cell error is a breach, or if it says that there is no result, no value."""
        if not self.table.errors:
            return
        none: list[str] = []
        for i, position in enumerate(self.positions):
            place = (self.table.rows[position], column.index)
            error = self.table.errors.get(place)
            if error in NO_RESULT and not rule.required:
                none.append(f"{self.table.address(*place)} {error}")
            elif error:
                wrong[i] = f"a {rule.type}, not a cell error"
        if none:
            more = f" and {len(none) - 5} more" if len(none) > 5 else ""
            self._decide(f"{name}: no value where the sheet has an error: {', '.join(none[:5])}{more}")

    def _template(self, group: Group) -> str:
        places = {n: f"{letters(c.index)}{_ROW}" for n, c in group.columns.items() if not c.derived}
        return json.dumps(places, sort_keys=True).replace(json.dumps(_ROW)[1:-1], _ROW)

    def _decide(self, text: str) -> None:
        if text not in self.out.decisions:
            self.out.decisions.append(text)


def _interleaved(parts: Sequence[list[T]], said: Sequence[Sequence[bool]]) -> list[T]:
    """Row by row what each group has of it, where it says anything."""
    if len(parts) == 1:
        return list(compress(parts[0], said[0]))
    return list(compress(chain.from_iterable(zip(*parts, strict=True)), chain.from_iterable(zip(*said, strict=True))))
