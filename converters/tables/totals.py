"""Subtotals and totals, in rows and columns: by their words, and proved by arithmetic where the words leave it open."""

from __future__ import annotations

from collections.abc import Sequence

from converters.model import Scalar
from converters.tables.body import Body
from converters.tables.values import number_in
from converters.tables.words import (
    is_counter_header,
    is_inner_total,
    is_period_label,
    is_total,
    may_be_total,
    totals_among,
)

TOLERANCE = 1e-6
MAX_ROWS = 5000


def total_rows(body: Body, labels: Sequence[int]) -> dict[int, str]:
    """The rows that words make totals: position → the word. Labels are looked at, or the texts left of the figures."""
    figures = [c for c in body.columns if body.kinds[c] == "n"]
    if not figures:
        return {}
    counters = [c for c in figures if is_counter_header(body.header_text(c)) or is_period_label(body.header_text(c))]
    first = next((c for c in figures if c not in counters), figures[0])
    if labels:
        first = max(labels[-1] + 1, first)
    found: dict[int, str] = {}
    for column in (c for c in body.columns if c < first and (body.kinds[c] != "n" or c in counters)):
        values = body.raw[column]
        words = totals_among({v for v in values if type(v) is str})
        if words:
            found.update({i: v for i, v in enumerate(values) if v in words and i not in found})  # type: ignore[misc]
    return {i: word for i, word in found.items() if _has_figure(body, i, figures)}


def leave_sections(body: Body, sections: list[str | None], totals: dict[int, str]) -> None:
    """Takes totals of everything out of the last section: those that do not sum up its rows."""
    inner = any(is_inner_total(word) for word in totals.values())
    for position, word in totals.items():
        if is_inner_total(word) or sections[position] is None:
            continue
        rows = [i for i in range(position) if sections[i] == sections[position] and i not in totals]
        others = any(section != sections[position] for section in sections[:position])
        if inner or (others and not _sums_up(body, position, rows)):
            sections[position] = None
    if any(sections):
        _end_at_totals(body, sections, totals)


def _end_at_totals(body: Body, sections: list[str | None], totals: dict[int, str]) -> None:
    """Takes the lines that follow the total of a section out of it: Operating income below Total expenses."""
    start = 0
    for position in range(1, len(sections) + 1):
        if position < len(sections) and sections[position] == sections[start]:
            continue
        last = max((i for i in totals if start < i < position - 1), default=None)
        if last is not None and sections[start] is not None and _sums_up(body, last, range(start, last)):
            sections[last + 1 : position] = [None] * (position - last - 1)
        start = position


def _sums_up(body: Body, position: int, rows: Sequence[int]) -> bool:
    columns = [[_figure(v) for v in body.raw[c]] for c in body.columns if body.kinds[c] == "n"]
    return _is_sum(columns, position, rows, share=0.5)


def _figure(value: Scalar) -> Scalar:
    """The number that a raw value is or says."""
    if isinstance(value, str):
        found = number_in(value)
        return found.value if found else None
    return value


def _has_figure(body: Body, position: int, figures: Sequence[int]) -> bool:
    return any(body.raw[c][position] is not None for c in figures)


def proved_parents(columns: Sequence[list[Scalar]], ancestors: Sequence[tuple[str, ...]]) -> set[int]:
    """Rows of an indented outline whose figures are the sums of those one level below them."""
    proved = set()
    for position, path in enumerate(ancestors):
        children = _children(ancestors, position, len(path))
        if len(children) >= 2 and _is_sum(columns, position, children):
            proved.add(position)
    return proved


def _children(ancestors: Sequence[tuple[str, ...]], parent: int, depth: int) -> list[int]:
    found = []
    for position in range(parent + 1, len(ancestors)):
        if len(ancestors[position]) <= depth:
            break
        if len(ancestors[position]) == depth + 1:
            found.append(position)
    return found


def proved_rows(columns: Sequence[list[Scalar]], words: Sequence[str], known: set[int]) -> set[int]:
    """Rows whose word may mean a sum (누계, 전체) and whose figures are that of the rows above them."""
    proved: set[int] = set()
    if len(words) > MAX_ROWS:
        return proved
    for position, word in enumerate(words):
        if position in known or not may_be_total(word):
            continue
        details = [i for i in range(position) if i not in known and i not in proved]
        since = max((i for i in known | proved if i < position), default=-1) + 1
        if len(details) < 2:
            details = [i for i in range(position + 1, len(words)) if i not in known]
        if any(len(p) > 1 and _is_sum(columns, position, p) for p in (details, range(since, position))):
            proved.add(position)
    return proved


def total_columns(paths: Sequence[tuple[str, ...]], columns: Sequence[list[Scalar]]) -> set[int]:
    """The value columns that sum up others: by word, or by a word that may mean it and arithmetic."""
    known = {i for i, path in enumerate(paths) if any(is_total(text) for text in path)}
    for position, path in enumerate(paths):
        if position in known or not any(may_be_total(text) for text in path):
            continue
        if _sums_up_others(position, paths, columns, known):
            known.add(position)
    return known


def _sums_up_others(
    position: int, paths: Sequence[tuple[str, ...]], columns: Sequence[list[Scalar]], known: set[int]
) -> bool:
    """The column is the sum of the plain ones before it, down to some first one, or of those after it."""
    tail = paths[position][1:]
    peers = [
        i for i in range(len(paths)) if i != position and i not in known and (len(tail) == 0 or paths[i][1:] == tail)
    ]
    before = [i for i in peers if i < position]
    after = [i for i in peers if i > position]
    choices = [before[start:] for start in range(len(before) - 1)] + [after[: end + 1] for end in range(1, len(after))]
    rows = list(zip(*columns, strict=True))[:MAX_ROWS]
    return any(_adds_up(rows, position, choice) for choice in choices[:60])


def _adds_up(rows: Sequence[tuple[Scalar, ...]], position: int, parts: Sequence[int]) -> bool:
    seen = 0
    for row in rows:
        total = row[position]
        figures = [row[i] for i in parts if _is_number(row[i])]
        if not _is_number(total):
            continue
        if not figures or not _close(total, figures):
            return False
        seen += total != 0
    return seen > 0


def _is_sum(columns: Sequence[list[Scalar]], position: int, parts: Sequence[int], share: float = 1.0) -> bool:
    """Figures are the sums of others in this share of the columns: all, unless there are rates among them."""
    sums = proofs = 0
    nonzero = False
    for values in columns:
        total = values[position]
        figures = [values[i] for i in parts if _is_number(values[i])]
        if not _is_number(total) or not figures:
            continue
        sums += 1
        proofs += _close(total, figures)
        nonzero = nonzero or total != 0
    return nonzero and proofs >= share * sums


def _close(total: Scalar, figures: Sequence[Scalar]) -> bool:
    sum_of = sum(map(float, figures))  # type: ignore[arg-type]
    difference: float = abs(float(total) - sum_of)  # type: ignore[arg-type]
    return difference <= TOLERANCE * max(1.0, abs(sum_of))


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
