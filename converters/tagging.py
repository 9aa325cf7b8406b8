"""Tag rules applied: the tables of one file become its tidy table, or the reasons why they cannot."""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

from converters.binding import Binding, Unfit, bind, header_of
from converters.contract import LISTED, Breach, refuse, shown
from converters.errors import ContractBroken
from converters.model import Column, Conversion, Scalar, Table, address
from converters.proof import prove
from converters.reading import About, Rows, read
from converters.rules import ColumnRule, TagRule
from converters.tidy import EXTRA, Tidy, schema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["About", "tag"]


def tag(conversion: Conversion, rule: TagRule, about: About) -> Tidy:
    """The tidy table of a file by its item's rule; its rows are in the order of the file.

    Raises:
        ContractBroken: no table fits, a unit is of another kind, or cells break the contract; the evidence lists them.
    """
    decisions: list[str] = []
    bindings = _bindings(conversion, rule, decisions)
    if rule.changes.new_column == "evolve" and (extra := _extra_rules(bindings, rule, decisions)):
        rule = rule.extended(extra)
        bindings = _bindings(conversion, rule, [])
    breaches: list[Breach] = []
    for binding in bindings:
        _prove(binding, rule, breaches, decisions)
    read_of = [(binding.table, read(binding, rule, about)) for binding in bindings]
    if wide := _too_narrow(rule, read_of):
        rule = rule.widened(wide)
        read_of = [(binding.table, read(binding, rule, about)) for binding in bindings]
        decisions.append(f"taken as decimal, for not all are whole numbers: {', '.join(sorted(wide))}")
    for _, rows in read_of:
        breaches += rows.breaches
        decisions += rows.decisions
    columns = {name: [v for _, rows in read_of for v in rows.columns[name]] for name in rule.kinds()}
    breaches += _twice(rule, columns, read_of)
    if breaches and not about.accept:
        raise refuse(breaches)
    decisions += [f"accepted by a person: {breach}" for breach in breaches[:LISTED]]
    if len(breaches) > LISTED:
        decisions.append(f"accepted by a person: {len(breaches) - LISTED} more cells")
    return Tidy(_arrow(rule, about, columns, read_of), decisions)


def _bindings(conversion: Conversion, rule: TagRule, decisions: list[str]) -> list[Binding]:
    """The tables that the rule speaks of, in the order of the file."""
    bindings: list[Binding] = []
    left_out: list[tuple[Table, Unfit]] = []
    for table in conversion.tables:
        found = bind(table, rule)
        if isinstance(found, Binding):
            bindings.append(found)
            decisions.append(f"{_called(table)}: taken")
            _note_changes(found, rule, decisions)
        else:
            left_out.append((table, found))
            decisions.append(f"{_called(table)}: left out, {found.reason}")
    if not bindings:
        raise _none_fits(conversion, rule, left_out)
    for table, unfit in left_out:
        if unfit.broken:
            raise ContractBroken(
                f"{_called(table)} has nearly all that the rule wants, but {unfit.reason}.",
                "Add that header to 'from', ask the sender for the usual form, or let 'table' leave such tables out.",
                {"tables": [_evidence(table, unfit)]},
            )
    return bindings


def _none_fits(conversion: Conversion, rule: TagRule, left_out: list[tuple[Table, Unfit]]) -> ContractBroken:
    if not left_out:
        return ContractBroken(
            f"'{conversion.name}' has no table.", "Ask the sender for the usual form, or drop the file.", {"tables": []}
        )
    table, nearest = min(left_out, key=lambda pair: pair[1].missing)
    others = f" (and {len(left_out) - 1} more tables fit less)" if len(left_out) > 1 else ""
    wanted = {name: list(r.headers) for name, r in rule.columns.items() if r.headers}
    return ContractBroken(
        f"no table has what the rule wants: {_called(table)}: {nearest.reason}{others}.",
        "Add the file's header to 'from', mend 'table' in the tenant's YAML, or ask the sender for the usual form.",
        {"wanted": wanted, "tables": [_evidence(t, unfit) for t, unfit in left_out[:LISTED]]},
    )


def _evidence(table: Table, unfit: Unfit) -> dict[str, object]:
    headers = [header_of(column) for column in table.columns]
    return {"table": _called(table), "title": table.title, "headers": headers, "reason": unfit.reason}


def _called(table: Table) -> str:
    """The table for people: sheet '매출' B5:G30."""
    region = table.region
    return f"sheet '{table.sheet}' {address(region.top, region.left)}:{address(region.bottom, region.right)}"


def _note_changes(binding: Binding, rule: TagRule, decisions: list[str]) -> None:
    """Note the columns that the file has too many or too few; refuse it if the rule says so."""
    if extra := [header_of(column) for column in _extra(binding)]:
        named = ", ".join(repr(text) for text in extra)
        if rule.changes.new_column == "quarantine":
            raise ContractBroken(
                f"{_called(binding.table)} has columns that no rule names: {named}.",
                "Add them to tag.columns, or set changes.new_column to 'freeze' or 'evolve'.",
                {"columns": extra},
            )
        if rule.changes.new_column == "freeze":
            decisions.append(f"{_called(binding.table)}: columns that no rule names, left out: {named}")
    if rule.changes.missing_column == "evolve":
        found = {name for group in binding.groups for name in group.columns}
        if lacking := [name for name, r in rule.columns.items() if r.headers and not r.optional and name not in found]:
            decisions.append(f"{_called(binding.table)}: left empty, for there is no such header: {', '.join(lacking)}")


def _extra(binding: Binding) -> list[Column]:
    """The columns that no rule names and that are no sums."""
    used = {id(c) for g in binding.groups for c in g.columns.values()}
    return [c for c in binding.table.columns if id(c) not in used and not c.subtotal and not c.derived]


def _extra_rules(bindings: Sequence[Binding], rule: TagRule, decisions: list[str]) -> dict[str, ColumnRule]:
    """A text column for each header that no rule names, in the order of the file."""
    found: dict[str, ColumnRule] = {}
    for binding in bindings:
        headers = [header_of(column) for column in _extra(binding) if column.path]
        for header in dict.fromkeys(headers):
            name = _extra_name(header)
            if headers.count(header) > 1 or (name in found and found[name].headers != (header,)):
                decisions.append(f"{_called(binding.table)}: {header!r} is left out: several columns are called so")
                continue
            found[name] = ColumnRule(source=(header,), optional=True)
    if found:
        decisions.append(f"columns that no rule names, taken as text: {', '.join(found)}")
    return found


def _extra_name(header: str) -> str:
    """extra_ and the header's letters and digits, at most 63 bytes: a name that each warehouse takes."""
    plain = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", header).lower()).strip("_") or "column"
    return (EXTRA + plain).encode()[:63].decode(errors="ignore")


def _too_narrow(rule: TagRule, read_of: Sequence[tuple[Table, Rows]]) -> set[str]:
    """The integer columns with values that are none, if the rule lets them be wider."""
    if rule.changes.wider_type != "evolve":
        return set()
    kinds = rule.kinds()
    return {b.column for _, rows in read_of for b in rows.breaches if kinds.get(b.column) == "integer"}


def _prove(binding: Binding, rule: TagRule, breaches: list[Breach], decisions: list[str]) -> None:
    """Note the totals that are not the sums that they say they are."""
    table = binding.table
    rows, columns = sum(table.row_subtotal), sum(c.subtotal for c in table.columns)
    if rule.subtotals == "keep" or not rows + columns:
        return
    dropped = f"{_called(table)}: {rows} subtotal rows and {columns} subtotal columns dropped"
    if rule.subtotals == "drop":
        decisions.append(f"{dropped}, not proved")
        return
    names: dict[int, str] = {}
    amounts = []
    for group in binding.groups:
        for name, column in group.columns.items():
            rule_of = rule.rule_of(name)
            if rule_of and rule_of.is_measure and rule_of.additive and id(column) not in names:
                names[id(column)] = name
                amounts.append(column)
    proof = prove(table, amounts)
    no_proof = f", no proof for {', '.join(proof.unproved)}" if proof.unproved else ""
    decisions.append(f"{dropped}: {proof.proved} figures proved to be sums{no_proof}")
    for wrong in proof.mismatches:
        value, nearest, off = (_plain(n) for n in (wrong.value, wrong.nearest, wrong.value - wrong.nearest))
        name = names.get(id(wrong.column), header_of(wrong.column))
        allowed = f"the sum of its cells, {nearest} (the difference is {off})"
        breaches.append(Breach(table.sheet, wrong.cell, name, value, allowed))


def _plain(number: int | Decimal) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:,f}"


def _twice(rule: TagRule, columns: dict[str, list[Scalar]], read_of: Sequence[tuple[Table, Rows]]) -> list[Breach]:
    """The rows whose `unique` columns say what an earlier row says."""
    if not rule.unique:
        return []
    first: dict[tuple[Scalar, ...], int] = {}
    breaches: list[Breach] = []
    starts = [0, *accumulate(len(rows.rows) for _, rows in read_of)]
    for number, key in enumerate(zip(*(columns[name] for name in rule.unique), strict=True)):
        if (earlier := first.setdefault(key, number)) == number:
            continue
        at, before = bisect_right(starts, number) - 1, bisect_right(starts, earlier) - 1
        (table, rows), (other, other_rows) = read_of[at], read_of[before]
        cells, row = json.loads(rows.cells[number - starts[at]]), other_rows.rows[earlier - starts[before]]
        cell = next((cells[name] for name in rule.unique if name in cells), None)
        value = ", ".join(shown(v) or "empty" for v in key)
        allowed = f"no second row of these (unique): row {row} of sheet '{other.sheet}' has them"
        breaches.append(Breach(table.sheet, cell, "+".join(rule.unique), value, allowed))
    return breaches


def _arrow(
    rule: TagRule, about: About, columns: dict[str, list[Scalar]], read_of: Sequence[tuple[Table, Rows]]
) -> pa.Table:
    import pyarrow as pa

    count = sum(len(rows.rows) for _, rows in read_of)
    same = {
        "_item": about.item,
        "_period_start": about.period_start,
        "_period_end": about.period_end,
        "_part": about.part,
        "_sha256": about.sha256,
        "_run_key": about.run_key,
    }
    data: dict[str, Sequence[object]] = {
        "_file": [file for t, rows in read_of for file in [_file(about, t)] * len(rows.rows)],
        "_sheet": [sheet for _, rows in read_of for sheet in rows.sheets],
        "_row": [row for _, rows in read_of for row in rows.rows],
        "_cells": [cells for _, rows in read_of for cells in rows.cells],
        **columns,
    }
    wanted = schema(rule)
    arrays = [
        pa.repeat(pa.scalar(same[f.name], f.type), count) if f.name in same else pa.array(data[f.name], f.type)
        for f in wanted
    ]
    return pa.table(arrays, schema=wanted)


def _file(about: About, table: Table) -> str:
    """The file, and the path inside it of a table that was in an archive or a mail: 1월.zip/강남점.xlsx."""
    inner = table.container[1:] if table.container[:1] == (about.file,) else table.container
    return "/".join([about.file, *inner])
