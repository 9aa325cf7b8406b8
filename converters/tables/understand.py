"""From a grid to its tables: find blocks, part them into segments, and understand each segment in turn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from converters.grid import Grid
from converters.model import Column, Decision, Range, Scalar, Table, Values
from converters.packed import row_numbers
from converters.periods import Period
from converters.tables.blocks import Block, find_blocks
from converters.tables.body import Body, unindented
from converters.tables.cells import shows_name
from converters.tables.columns import Typed, type_decisions, typed
from converters.tables.decisions import Grounds, table_decisions
from converters.tables.header import is_unit_row, paths
from converters.tables.labels import (
    LIST_EVIDENCE,
    fill_down,
    fill_merged,
    is_blank_filled,
    is_merged_down,
    leading_labels,
    list_evidence,
    take_sections,
    written_once,
)
from converters.tables.lines import line_decision
from converters.tables.measures import Evidence, common_unit, set_units, unit_row_units
from converters.tables.numberformats import show_number, shown, shown_period
from converters.tables.outlines import outline
from converters.tables.segments import Segment, joined, segments
from converters.tables.sides import parted
from converters.tables.stated import stated_table
from converters.tables.surroundings import Surroundings, surroundings_of
from converters.tables.totals import leave_sections, mark_totals, total_rows


@dataclass(frozen=True, slots=True)
class Understood:
    """What a sheet holds.

    Args:
        tables: from top to bottom, then left to right; each has the decisions on it and on the texts around it.
        decisions: on texts that belong to no table.
    """

    tables: list[Table]
    decisions: list[Decision]


def understand(grid: Grid, first_index: int = 0) -> Understood:
    """The tables of a sheet, and what its other texts are.

    Args:
        first_index: the number that the first table gets in its file.
    """
    if grid.header_rows is not None:
        table = stated_table(grid, first_index)
        return Understood([table] if table is not None else [], [])
    blank_covered(grid)
    found = joined([part for block in find_blocks(grid) for segment in segments(block) for part in parted(segment)])
    around, lines = surroundings_of(found)
    understood = Understood([], [line_decision(line) for line in lines])
    for segment, surroundings in zip([s for s in found if s.is_table], around, strict=True):
        table = _table(segment, surroundings, first_index + len(understood.tables))
        if table.columns:
            understood.tables.append(table)
        else:
            understood.decisions.extend(surroundings.decisions)
    return understood


def tables_of(grid: Grid, first_index: int = 0) -> list[Table]:
    """The tables of a sheet alone."""
    return understand(grid, first_index).tables


def blank_covered(grid: Grid) -> None:
    """Drops what is hidden under merged ranges: only their top left cell shows."""
    for (row, column), merge in grid.covering.items():
        if (row, column) != (merge.top, merge.left):
            grid.clear(row, column)


def _table(segment: Segment, surroundings: Surroundings, index: int) -> Table:
    body, unit_row = _body(segment)
    labels = leading_labels(body)
    merged = is_merged_down(body, labels)
    sections = take_sections(body, labels)
    fill_merged(body)
    totals = total_rows(body, labels)
    leave_sections(body, sections, totals)
    inner_totals = any(position < len(body.rows) - 1 for position in totals)
    blank_filled = is_blank_filled(body, labels, totals)
    ancestors = outline(body, labels[-1]) if labels else None
    grouped = merged or blank_filled or inner_totals or ancestors is not None or any(sections)
    evidence = list_evidence(body, labels, grouped=grouped) if labels else None
    groups = written_once(body, labels, totals)
    if blank_filled or merged:
        fill_down(body, labels, totals=totals)
    if evidence is not None and evidence >= LIST_EVIDENCE:
        labels, ancestors = groups, None
    captions = _take_captions(body, totals, labels)
    table = Table(
        sheet=segment.block.grid.sheet,
        index=index,
        region=_region(segment),
        columns=[],
        rows=row_numbers(body.rows),
        row_subtotal=[False] * len(body.rows),
        title=surroundings.title,
        notes=surroundings.notes,
        captions=captions,
        container=segment.block.grid.container,
        pages=tuple(segment.block.grid.pages),
    )
    _add_columns(table, body, labels, sections, ancestors)
    proved = mark_totals(table, totals, ancestors, labelled=bool(labels))
    formats = _formats(body)
    notes = surroundings.units or surroundings.inherited_units
    sets = {column: set(known) for column, known in formats.items()}
    table.decisions = surroundings.decisions + table_decisions(table, Grounds(segment, evidence, proved))
    told = _telling_formats(body, formats)
    table.decisions += set_units(table, Evidence(notes, unit_row, sets, told, body.rates, surroundings.title or ""))
    table.decisions += type_decisions(table, body.reasons)
    return table


def _body(segment: Segment) -> tuple[Body, dict[int, str]]:
    """The columns that are no mere gap, their header paths, and the units of a row of units in the header."""
    block = segment.block
    columns = [c for c in block.span if _is_used(block, segment, c)]
    units: dict[int, str] = {}
    for row in segment.header:
        if is_unit_row(block, row):
            units = unit_row_units(block, row)
    body = Body(block, segment.header, segment.body, columns, paths(block, segment.header, columns))
    body.load()
    return body, units


def _is_used(block: Block, segment: Segment, column: int) -> bool:
    """The column holds something of its own, or has a header of its own."""
    if any(value is not None for value in block.column(column, segment.body)):
        return True
    return any(block.grid.value(row, column) is not None for row in segment.header) and not _is_spacer(segment, column)


def _is_spacer(segment: Segment, column: int) -> bool:
    """The left part of a merged header over a body that begins further right."""
    merge = segment.block.merge(segment.header[-1], column)
    if merge is None or merge.left == merge.right or not segment.body:
        return False
    return any(
        segment.block.grid.value(row, c) is not None
        for row in segment.body[:5]
        for c in range(column + 1, merge.right + 1)
    )


def _region(segment: Segment) -> Range:
    first, last = (segment.header or segment.body)[0], (segment.body or segment.header)[-1]
    return Range(first, segment.block.left, last, segment.block.right)


def _take_captions(body: Body, totals: dict[int, str], labels: Sequence[int]) -> dict[tuple[int, int], str]:
    """The word of a total row is no value of the column that it stands in, unless that column holds row labels."""
    columns = [column for column in body.columns if column not in labels or body.kinds[column] != "t"]
    captions: dict[tuple[int, int], str] = {}
    for position, word in totals.items():
        for column in columns:
            if body.raw[column][position] == word:
                captions[body.rows[position], column] = word.strip()
                body.raw[column][position] = None
                break
    return captions


def _add_columns(
    table: Table,
    body: Body,
    labels: Sequence[int],
    sections: Sequence[str | None],
    ancestors: Sequence[tuple[str, ...]] | None,
) -> None:
    head = body.paths[labels[0]] if labels else ()
    outer = _derived(head, [sections] if any(sections) else [])
    if not labels:
        table.columns.extend(outer)
    for column in body.columns:
        if labels and column == labels[0]:
            table.columns.extend(outer)
        if ancestors is not None and column == labels[-1]:
            depth = max(map(len, ancestors), default=0)
            levels = [[a[d] if d < len(a) else None for a in ancestors] for d in range(depth)]
            table.columns.extend(_derived(body.paths[column], levels, first=len(outer) + 1))
            body.raw[column] = [unindented(v) if isinstance(v, str) else v for v in body.raw[column]]
        table.columns.append(_column(table, body, column, label=column in labels))


def _derived(head: tuple[str, ...], levels: Sequence[Sequence[str | None]], first: int = 1) -> list[Column]:
    """Label columns without cells of their own, named after the label's header and the level."""
    return [
        Column(-1, (*head, str(number)), "text", list(values), role="label", derived=True)
        for number, values in enumerate(levels, first)
    ]


def _column(table: Table, body: Body, column: int, *, label: bool) -> Column:
    values = _shown_names(body, column)
    result: Typed = typed(values, body.paths[column], textual=body.block.grid.textual)
    rows = body.rows
    table.nulls.update({(rows[i], column): mark for i, mark in result.nulls.items()})
    table.errors.update({(rows[i], column): text for i, text in result.errors.items()})
    found = Column(column, body.paths[column], result.type, result.values, role="label" if label else "value")
    found.period = _dated(body, column)
    body.reasons[column] = result.because
    if result.percent:
        body.rates.add(column)
    elif result.units:
        found.unit = common_unit(result.units, result.values)
        if found.unit is None:
            table.cell_units.update({(rows[i], column): unit for i, unit in result.units.items()})
    return found


def _dated(body: Body, column: int) -> Period | None:
    """The period of the innermost header that the file keeps as a date, of which only a part is seen: 12월, 1/5."""
    grid, block = body.block.grid, body.block
    for row in reversed(body.header):
        merge = block.merge(row, column)
        place = (merge.top, merge.left) if merge else (row, column)
        if isinstance(value := grid.value(*place), dt.date):
            return shown_period(value, grid.look(*place).number_format)
    return None


def _shown_names(body: Body, column: int) -> Values:
    """The values of a column; numbers that their format makes a name (`0"월"`, `00000`) as that text."""
    grid = body.block.grid
    if not any(shows_name(look.number_format) for look in grid.looks):
        return body.raw[column]
    values: list[Scalar] = []
    for row, value in zip(body.rows, body.raw[column], strict=True):
        number_format = grid.look(row, column).number_format
        if type(value) in (int, float) and shows_name(number_format):
            values.append(show_number(value, number_format))  # type: ignore[arg-type]
        else:
            values.append(value)
    return values


def _formats(body: Body) -> dict[int, list[str]]:
    """The number formats that the cells of each column with figures have, each once."""
    grid = body.block.grid
    styled = body.rows if grid.styles else ()
    distinct = list({id(s): s for row in styled if (s := grid.styles.get(row)) is not None}.values())
    formats: dict[int, list[str]] = {}
    for column in body.columns:
        if body.kinds[column] == "n":
            styles = {styles[column] for styles in distinct if column < len(styles)} - {-1}
            formats[column] = sorted({grid.looks[style].number_format for style in styles})
    return formats


def _telling_formats(body: Body, formats: dict[int, list[str]]) -> dict[tuple[int, int], str]:
    """The formats of single cells in columns whose cells do not all have one, as far as they say a unit or percent."""
    grid = body.block.grid
    telling: dict[tuple[int, int], str] = {}
    for column, known in formats.items():
        if len(known) < 2 or not any(shown(f).percent or shown(f).suffix or shown(f).prefix for f in known):
            continue
        for row in body.rows:
            number_format = grid.look(row, column).number_format
            form = shown(number_format)
            if (form.percent or form.suffix or form.prefix) and grid.value(row, column) is not None:
                telling[row, column] = number_format
    return telling
