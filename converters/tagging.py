"""Tag rules applied: the tables of one file become its tidy table, or the reasons why they cannot."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

from converters.binding import Binding, Unfit, bind, header_of
from converters.contract import LISTED, Breach, refuse, shown
from converters.errors import ContractBroken
from converters.model import Conversion, Scalar, Table, address
from converters.proof import prove
from converters.reading import About, Rows, read
from converters.rules import TagRule
from converters.tidy import Tidy, schema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["About", "tag"]


def tag(conversion: Conversion, rule: TagRule, about: About) -> Tidy:
    """The tidy table of a file by its item's rule; its rows are in the order of the file.

    Raises:
        ContractBroken: no table fits, a unit is of another kind, or cells break the contract; the evidence lists them.
    """
    decisions: list[str] = []
    breaches: list[Breach] = []
    read_of: list[tuple[Table, Rows]] = []
    for binding in _bindings(conversion, rule, decisions):
        _prove(binding, rule, breaches, decisions)
        rows = read(binding, rule, about)
        breaches += rows.breaches
        decisions += rows.decisions
        read_of.append((binding.table, rows))
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
            _refuse_extra(found, rule)
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


def _refuse_extra(binding: Binding, rule: TagRule) -> None:
    used = {id(c) for g in binding.groups for c in g.columns.values()}
    extra = [header_of(c) for c in binding.table.columns if id(c) not in used and not c.subtotal and not c.derived]
    if extra and rule.extra_columns == "refuse":
        raise ContractBroken(
            f"{_called(binding.table)} has columns that no rule names: {', '.join(repr(text) for text in extra)}.",
            "Add them to tag.columns, or set extra_columns to 'ignore'.",
            {"columns": extra},
        )


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
