"""Subtotals and totals, in rows and columns: by their words, and proved by arithmetic where the words leave it open."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from converters.model import Column, Scalar, Table
from converters.packed import found as places_of
from converters.packed import texts_of
from converters.tables.body import Body
from converters.tables.sums import Figures, Proof, adds_up, column_sum, figures_of, proof_of, row_sums
from converters.tables.values import number_in
from converters.tables.words import (
    TOTAL_HINT,
    is_code_header,
    is_counter_header,
    is_inner_total,
    is_period_label,
    is_total,
    may_be_total,
    measure,
    totals_among,
)

MAX_ROWS = 5000
MAX_PAIRS = 200_000
"""Beyond so many pairs of a total column and a column, words alone say what is a total."""
LAST = 3
_EACH = re.compile(r"[인명건개평]당(?:\s|$)|단가|평균|\bper\b|\baverage|\bavg", re.I)


def total_rows(body: Body, labels: Sequence[int]) -> dict[int, str]:
    """The rows that words make totals: position → the word.

    Labels are looked at, or the texts left of the figures; in the last rows all texts: a word may stand beside its sum.
    """
    figures = [c for c in body.columns if body.kinds[c] == "n"]
    if not figures:
        return {}
    names = [c for c in figures if _is_name(body.header_text(c))]
    first = next((c for c in figures if c not in names), figures[0])
    if labels:
        first = max(labels[-1] + 1, first)
    found: dict[int, str] = {}
    for column in body.columns:
        values = body.raw[column]
        start = 0 if column < first and (column in names or body.kinds[column] != "n") else max(0, len(values) - LAST)
        part = values[start:] if start else values
        for position, word in places_of(part, totals_among(set(texts_of(part, TOTAL_HINT)))).items():
            found.setdefault(start + position, word)
    return {i: word for i, word in found.items() if _has_figure(body, i, figures)}


def _is_name(header: str) -> bool:
    """What is below are numbers that name rows: counters, periods, codes."""
    return is_counter_header(header) or is_period_label(header) or is_code_header(header)


def leave_sections(body: Body, sections: list[str | None], totals: dict[int, str]) -> None:
    """Takes totals of everything out of the last section, and the lines that follow the total of a section."""
    if not any(sections) or not totals:
        return
    figures = [[_figure(v) for v in body.raw[c]] for c in body.columns if body.kinds[c] == "n"]
    _leave_by_word(figures, sections, totals)
    _end_at_totals(figures, sections, totals)


def _leave_by_word(figures: Figures, sections: list[str | None], totals: dict[int, str]) -> None:
    """합계 after 소계, or one that does not sum up the rows of the section it stands in."""
    inner = any(is_inner_total(word) for word in totals.values())
    starts = _starts(sections)
    for position, word in totals.items():
        if is_inner_total(word) or sections[position] is None:
            continue
        rows = [i for i in range(starts[position], position) if i not in totals] if not inner else []
        if inner or (starts[position] > 0 and not _sums_up(figures, position, rows)):
            sections[position] = None


def _end_at_totals(figures: Figures, sections: list[str | None], totals: dict[int, str]) -> None:
    """Operating income below Total expenses is no expense."""
    starts = _starts(sections)
    last = {starts[position]: position for position in sorted(totals) if sections[position] is not None}
    for start, total in last.items():
        if total + 1 < len(starts) and starts[total + 1] == start and _sums_up(figures, total, range(start, total)):
            end = next((i for i in range(total + 1, len(starts)) if starts[i] != start), len(starts))
            sections[total + 1 : end] = [None] * (end - total - 1)


def _starts(sections: Sequence[str | None]) -> list[int]:
    """For each row: the first row of the run of rows in the same section."""
    starts: list[int] = []
    for position, section in enumerate(sections):
        starts.append(starts[-1] if position and section == sections[position - 1] else position)
    return starts


def _sums_up(figures: Figures, position: int, rows: Sequence[int]) -> bool:
    proof = proof_of(figures, position, rows)
    return proof is not None and proof.shows


def _figure(value: Scalar) -> Scalar:
    """The number that a raw value is or says."""
    if isinstance(value, str):
        found = number_in(value)
        return found.value if found else None
    return value


def _has_figure(body: Body, position: int, figures: Sequence[int]) -> bool:
    return any(body.raw[c][position] is not None for c in figures)


@dataclass(frozen=True, slots=True)
class Proved:
    """What is known of the totals of a table.

    Args:
        words: the word of each total row that has one, by position.
        rows: the best proof of each total row, by position.
        columns: the best proof of each total column, by grid column; None where there is nothing to compare.
        added / figures: the grid columns that the proofs of rows and of columns number.
    """

    words: dict[int, str]
    rows: dict[int, Proof]
    columns: dict[int, Proof | None]
    added: list[int]
    figures: list[int]


def mark_totals(
    table: Table, words: dict[int, str], ancestors: Sequence[tuple[str, ...]] | None, *, labelled: bool
) -> Proved:
    """Marks the total rows and columns of a table and fills in what each sums.

    Args:
        words: the rows that words make totals.
        ancestors: of each row, if the labels are an outline.
        labelled: the table has labels that may say more (누계, 전체).
    """
    columns = [c for c in table.columns if c.role == "value" and c.type in ("number", "mixed")]
    added = _across_amounts([c for c in columns if not any(map(_is_never_added, c.path))])
    additive = list(added.values())
    families = proved_parents(additive, ancestors) if ancestors else {}
    known = {*words, *families}
    if labelled:
        leaves = [(table.row_path(i) or ("",))[-1] for i in range(min(len(table.rows), MAX_ROWS + 1))]
        known |= proved_rows(additive, leaves, known)
    inner = {position for position, word in words.items() if is_inner_total(word)}
    rows = row_sums(additive, known, inner, families)
    for position in known:
        table.row_subtotal[position] = True
    table.sums = {table.rows[p]: tuple(table.rows[i] for i in proof.parts) for p, proof in rows.items() if proof.shows}
    sums = total_columns([c.path for c in columns], [c.values for c in columns])
    for position, proof in sums.items():
        columns[position].subtotal = True
        columns[position].sums = tuple(columns[i].index for i in proof.parts) if proof and proof.shows else ()
    proofs = {columns[position].index: proof for position, proof in sums.items()}
    return Proved(words, rows, proofs, list(added), [c.index for c in columns])


def _is_never_added(header: str) -> bool:
    return measure(header) in ("rate", "id") or bool(_EACH.search(header))


def _across_amounts(columns: Sequence[Column]) -> dict[int, Sequence[Scalar]]:
    """The figures by grid column; those of details and of their sums beside them, below one header, as one column."""
    groups: dict[tuple[str, ...], list[Column]] = {}
    for column in columns:
        groups.setdefault(column.path, []).append(column)
    figures: dict[int, Sequence[Scalar]] = {}
    for group in groups.values():
        rows = list(zip(*(column.values for column in group), strict=True)) if len(group) > 1 else []
        if rows and all(len(row) - row.count(None) <= 1 for row in rows):
            figures[group[0].index] = [next((value for value in row if value is not None), None) for row in rows]
        else:
            figures |= {column.index: column.values for column in group}
    return figures


def proved_parents(columns: Figures, ancestors: Sequence[tuple[str, ...]]) -> dict[int, list[int]]:
    """Rows of an outline whose figures are the sums of those one level below them, and these rows.

    A parent of one child is a sum only where others are: it may say the same by chance.
    """
    families = {position: _children(ancestors, position, len(path)) for position, path in enumerate(ancestors)}
    proved = {
        parent: children
        for parent, children in families.items()
        if children and (proof := proof_of(columns, parent, children)) and proof.holds
    }
    return proved if any(len(children) > 1 for children in proved.values()) else {}


def _children(ancestors: Sequence[tuple[str, ...]], parent: int, depth: int) -> list[int]:
    found = []
    for position in range(parent + 1, len(ancestors)):
        if len(ancestors[position]) <= depth:
            break
        if len(ancestors[position]) == depth + 1:
            found.append(position)
    return found


def proved_rows(columns: Figures, words: Sequence[str], known: Collection[int]) -> set[int]:
    """Rows whose word may mean a sum (누계, 전체) and whose figures are that: of all above, or since the last total.

    The first row needs no such word if it sums up all others (전국 over its regions).
    """
    proved: set[int] = set()
    if not columns or len(words) > MAX_ROWS:
        return proved
    rows = list(zip(*map(figures_of, columns), strict=True))
    details = [position for position in range(len(rows)) if position not in known]
    everything = _Sum(len(columns), (rows[i] for i in details))
    above, since = _Sum(len(columns)), _Sum(len(columns))
    for position in details:
        below = everything.without(above, rows[position])
        sums = [above, since] if above.count > 1 else [since, below]
        heads = position == 0 and below.count > 2 and not _has_negative(rows)
        hinted = heads or may_be_total(words[position])
        if hinted and any(s.count > 1 and adds_up(rows[position], s.figures) for s in sums):
            proved.add(position)
        else:
            above.add(rows[position])
            since.add(rows[position])
        if position in proved or position + 1 in known:
            since = _Sum(len(columns))
    return proved


class _Sum:
    """Rows of figures added up, column by column."""

    def __init__(self, width: int, rows: Iterable[Sequence[float]] = ()) -> None:
        self.count = 0
        self.figures = [0.0] * width
        for row in rows:
            self.add(row)

    def add(self, row: Sequence[float]) -> None:
        """One more row."""
        self.count += 1
        self.figures = [total + figure for total, figure in zip(self.figures, row, strict=True)]

    def without(self, other: _Sum, row: Sequence[float]) -> _Sum:
        """What is left without another sum and one row."""
        rest = _Sum(0)
        rest.count = self.count - other.count - 1
        rest.figures = [a - b - c for a, b, c in zip(self.figures, other.figures, row, strict=True)]
        return rest


def _has_negative(rows: Iterable[Sequence[float]]) -> bool:
    return any(figure < 0 for row in rows for figure in row)


def total_columns(paths: Sequence[tuple[str, ...]], columns: Figures) -> dict[int, Proof | None]:
    """The value columns that sum up others, by word or, if the word leaves it open, by arithmetic; and the proof."""
    known = {i for i, path in enumerate(paths) if any(is_total(text) for text in path)}
    open_ones = [i for i, path in enumerate(paths) if i not in known and any(may_be_total(text) for text in path)]
    if not known and not open_ones:
        return {}
    if (len(known) + len(open_ones)) * len(paths) > MAX_PAIRS:
        return dict.fromkeys(sorted(known))
    rows = list(zip(*(values[:MAX_ROWS] for values in columns), strict=True))
    for position in open_ones:
        proof = column_sum(paths, rows, position, known)
        if proof and proof.holds:
            known.add(position)
    proofs = {position: column_sum(paths, rows, position, known) for position in sorted(known)}
    return {position: proof and _finest(position, proof, proofs) for position, proof in proofs.items()}


def _finest(position: int, proof: Proof, proofs: Mapping[int, Proof | None]) -> Proof:
    """The proof with the details of those parts that are totals themselves, where these are proved."""
    parts: list[int] = []
    for part in proof.parts:
        below = proofs.get(part)
        parts += below.parts if below and below.holds and position not in below.parts else [part]
    return replace(proof, parts=tuple(dict.fromkeys(parts)))
