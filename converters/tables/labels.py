"""Row labels: which columns name a row, what section rows and indentation add, and what blanks mean.

A report names each row by the texts at its left (지역 ▸ 지점) and has label columns; a flat list has a record in each
row (dates, codes, names, amounts) and has none. Which of the two a table is, is decided by evidence, piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from itertools import pairwise

from converters.model import Scalar
from converters.packed import blanks
from converters.tables.blocks import PERIOD
from converters.tables.body import SAMPLE, Body
from converters.tables.words import (
    bare,
    is_code_header,
    is_counter_header,
    is_inner_total,
    is_period_label,
    is_total,
    is_unit_header,
    undecorated,
)

ENOUGH = 500
LIST_EVIDENCE = 2
_CODE = re.compile(r"0\d+")
_COUNTED = re.compile(r"(\d{1,4})(|일|월|년|주|주차|차|회|회차|분기|日|月|年|週)")
_WEEKDAYS = "월화수목금토일월 月火水木金土日月"
_REMARKS = frozenset(
    "비고 備考 remarks remark note notes 메모 특이사항 단위 単位 unit units 적요 산출근거 담당 평가".split()
)


def leading_labels(body: Body) -> list[int]:
    """The columns left of the first figures that may name rows; a counter (No.) is passed over."""
    found: list[int] = []
    counting = _counting(body)
    for column in body.columns:
        if column in counting:
            break
        kind, header = body.kinds[column], body.header_text(column)
        if (kind == "n" and is_counter_header(header)) or is_unit_header(header):
            continue
        if kind == "n" and not found and _are_periods(header, body.raw[column]):
            found.append(column)
        elif kind in "td" or (kind == " " and not found):
            found.append(column)
        else:
            break
    if not any(body.kinds[c] == "n" for c in body.columns if c not in found):
        return found if _periods_across(body, [c for c in body.columns if c not in found[:1]]) else []
    return [column for column in found if body.kinds[column] != " "]


def list_evidence(body: Body, labels: Sequence[int], *, grouped: bool) -> int:
    """How much speaks for a list, a record a row in which no column labels: LIST_EVIDENCE is enough.

    Args:
        grouped: labels are merged or blank-filled, or section rows or indentation give outer ones.
    """
    return sum(_evidence(body, labels, grouped))


def _evidence(body: Body, labels: Sequence[int], grouped: bool) -> list[int]:
    figures = [c for c in body.columns if body.kinds[c] == "n"]
    others = [c for c in body.columns if c not in labels]
    after = [c for c in body.columns if c > labels[0] and c not in labels and body.kinds[c] in "td"]
    dates = [c for c in labels if body.kinds[c] == "d"]
    return [
        -4 if grouped else 0,
        -3 if _periods_across(body, figures) or _periods_across(body, others) else 0,
        -2 if len(body.header) > 1 else 0,
        2 if any(_is_code(body, c) for c in labels) else 0,
        2 if dates and len(labels) > 1 else 0,
        1 if dates else 0,
        1 if any(is_counter_header(body.header_text(c)) for c in body.columns[:1]) else 0,
        min(2, len(labels) - 2) if len(labels) > 2 else 0,
        1 if sum(not _is_remark(body.header_text(c)) for c in after) else 0,
        2 if _repeats(body, labels) else 0,
        1 if len(body.rows) > 200 else 0,
    ]


def _counting(body: Body) -> set[int]:
    """The columns under 1일, 2일, 3일 … or 월, 화, 수 …: what stands below is no label, though it may be text."""
    found: set[int] = set()
    run: list[int] = []
    for before, column in pairwise(body.columns):
        steps = any(_counts_on(a, b) for a in body.paths[before] for b in body.paths[column])
        run = [*(run or [before]), column] if steps else []
        if len(run) > 2:
            found.update(run)
    return found


def _counts_on(before: str, text: str) -> bool:
    ours, theirs = (_COUNTED.fullmatch(bare(t)) for t in (before, text))
    if ours and theirs:
        return int(ours[1]) + 1 == int(theirs[1]) and ours[2] == theirs[2]
    return len(both := bare(before) + bare(text)) == 2 and both in _WEEKDAYS


def _periods_across(body: Body, columns: Sequence[int]) -> bool:
    if len(_counting(body).intersection(columns)) * 2 > len(columns):
        return True
    texts = [text for c in columns for text in body.paths[c]]
    return len(columns) > 2 and sum(
        bool(PERIOD.search(text)) or (len(bare(text)) == 1 and bare(text) in "월화수목금토일") for text in texts
    ) * 2 > len(columns)


def _is_code(body: Body, column: int) -> bool:
    texts = [v for v in body.raw[column][:SAMPLE] if isinstance(v, str)]
    return is_code_header(body.header_text(column)) or sum(bool(_CODE.fullmatch(t)) for t in texts) * 3 > len(texts)


def _is_remark(header: str) -> bool:
    return bare(header) in _REMARKS


def _repeats(body: Body, labels: Sequence[int]) -> bool:
    keys = list(zip(*(body.raw[c][:ENOUGH] for c in labels), strict=True))
    keys = [key for key in keys if not any(isinstance(text, str) and is_total(text) for text in key)]
    return len(keys) > 3 and len(set(keys)) < len(keys)


def _are_periods(header: str, values: Sequence[Scalar]) -> bool:
    """The numbers of a column name periods: its header says so, or they are years in a row."""
    seen = [v for v in values if v is not None]
    if len(set(seen)) < len(seen):
        return False
    years = [v for v in seen if type(v) is int and 1990 <= v <= 2100]
    steps = {b - a for a, b in pairwise(years)}
    return is_period_label(header) or (len(years) == len(seen) > 2 and steps in ({1}, {-1}))


def take_sections(body: Body, labels: Sequence[int]) -> list[str | None]:
    """Takes the section rows out of the body; gives the section of each row that stays.

    A section row holds one text and nothing else, and figures follow below it.
    """
    figures = [c for c in body.columns if body.kinds[c] == "n"]
    blank = blanks(body.raw[figures[0]]) if figures else []
    at = [i for i in blank if _is_section(body, i, body.rows[i], labels, figures)]
    at = _believable(body, at, labels)
    if not at:
        return [None] * len(body.rows)
    sections: list[str | None] = []
    rows: list[int] = []
    current: str | None = None
    marks = set(at)
    for position, row in enumerate(body.rows):
        if position in marks:
            current = undecorated(body.block.texts(row)[0][1])
            continue
        rows.append(row)
        sections.append(current)
    body.rows = rows
    body.load()
    return sections


def _is_section(body: Body, position: int, row: int, labels: Sequence[int], figures: Sequence[int]) -> bool:
    if any(body.raw[c][position] is not None for c in figures[:3]):
        return False
    cells = body.block.texts(row)
    if len(cells) != 1 or is_total(cells[0][1]):
        return False
    column = cells[0][0]
    return column <= (labels[0] if labels else body.columns[0]) and body.block.kind(row, column) == "t"


def _believable(body: Body, at: list[int], labels: Sequence[int]) -> list[int]:
    """Section rows that head figures: not a lone item without figures in the middle or at the end of a table."""
    at = [i for n, i in enumerate(at) if i + 1 < len(body.rows) and (n + 1 == len(at) or at[n + 1] != i + 1)]
    if not at:
        return []
    wide = [
        i
        for i in at
        if (m := body.block.merge(body.rows[i], body.block.texts(body.rows[i])[0][0])) and m.right > m.left
    ]
    marked = [i for i in at if undecorated(t := body.block.texts(body.rows[i])[0][1]) != t.strip()]
    if len(at) > 1 or wide or marked or at[0] == 0 or _stands_out(body, at[0]) or not labels:
        return at
    return []


def _stands_out(body: Body, position: int) -> bool:
    """The row looks unlike the next one: bold, filled or less indented."""
    column = body.block.texts(body.rows[position])[0][0]
    here, there = (body.block.grid.look(body.rows[i], column) for i in (position, position + 1))
    return (here.bold, here.filled) != (there.bold, there.filled) or body.indent(position, column) < body.indent(
        position + 1, column
    )


def fill_merged(body: Body) -> bool:
    """Gives each cell of a vertically merged range in the body its value; tells whether a label column had one."""
    positions = {row: i for i, row in enumerate(body.rows)} if body.block.grid.merges else {}
    found = False
    for merge in body.block.grid.merges:
        if merge.left not in body.raw or merge.top not in positions or merge.bottom == merge.top:
            continue
        column = body.raw[merge.left]
        value = column[positions[merge.top]]
        if value is None:
            continue
        for row in range(merge.top + 1, min(merge.bottom, body.rows[-1]) + 1):
            if row in positions:
                column[positions[row]] = value
                found = found or body.kinds[merge.left] in "td"
    return found


def is_blank_filled(body: Body, labels: Sequence[int], totals: Container[int]) -> bool:
    """An outer label is written once and left blank below it, while an inner column goes on."""
    if len(labels) < 2:
        return False
    outer, *inner = (body.raw[column] for column in labels)
    gaps = sum(i not in totals and any(column[i] is not None for column in inner) for i in blanks(outer))
    return gaps * 5 > len(outer) and outer[:1] != [None]


def written_once(body: Body, labels: Sequence[int], totals: Container[int]) -> list[int]:
    """The outer label columns that are filled once for a group of rows, merged or left blank below."""
    found: list[int] = []
    for column in labels[:-1]:
        gaps = sum(i not in totals for i in blanks(body.raw[column]))
        if gaps * 5 <= len(body.rows) and not is_merged_down(body, [column]):
            break
        found.append(column)
    return found


def is_merged_down(body: Body, labels: Sequence[int]) -> bool:
    """Cells of label columns are merged over several rows of the body."""
    rows = set(body.rows) if body.block.grid.merges else set()
    return any(
        m.left in labels and m.bottom > m.top and m.top in rows and m.bottom <= body.rows[-1]
        for m in body.block.grid.merges
    )


def fill_down(body: Body, labels: Sequence[int], *, totals: dict[int, str]) -> None:
    """Fills blanks of outer labels from above; a total of everything stays without them.

    Args:
        totals: the word of each total row, by position.
    """
    several = sum(not is_inner_total(word) for word in totals.values()) > 1
    for depth, column in enumerate(labels[:-1]):
        values = body.raw[column]
        inner = labels[depth + 1 :]
        outer = labels[:depth]
        carried: Scalar = None
        above: tuple[Scalar, ...] = ()
        for position, value in enumerate(values):
            key = tuple(body.raw[c][position] for c in outer)
            if key != above:
                carried, above = None, key
            if value is not None:
                carried = (
                    None if position in totals and not any(body.raw[c][position] is not None for c in inner) else value
                )
            elif _may_fill(body, position, inner, totals, several):
                values[position] = carried
            else:
                carried = None if position in totals else carried


def _may_fill(body: Body, position: int, inner: Sequence[int], totals: dict[int, str], several: bool) -> bool:
    if all(body.raw[c][position] is None for c in inner):
        return False
    if body.block.merge(body.rows[position], inner[0] - 1) and position in totals:
        return False
    word = totals.get(position)
    return word is None or is_inner_total(word) or (several and position < len(body.rows) - 1)
