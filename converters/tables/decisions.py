"""What was decided about a table, how sure it is, and why: one Decision for each region, label, total and section.

Confidence is what the evidence is worth: 1 for a total that its word names and arithmetic proves; 0.3 where arithmetic
contradicts the word; a header is the surer the more its cells differ from those below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from converters.model import Column, Decision, Range, Table, letters
from converters.tables.labels import LIST_EVIDENCE
from converters.tables.segments import Segment
from converters.tables.sums import Proof
from converters.tables.totals import Proved

MAX_ROWS = 1000
MAX_RUNS = 3


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a table was understood by.

    Args:
        evidence: how much speaks for a list, a record in each row; None where no column could be a label.
        proved: what is known of its totals.
    """

    segment: Segment
    evidence: int | None
    proved: Proved


def table_decisions(table: Table, grounds: Grounds) -> list[Decision]:
    """The decisions about the regions of a table and its totals."""
    segment = grounds.segment
    header = list(_header(table, segment))
    return [
        _whole(table, header),
        *header,
        *_repeats(table, segment),
        *_labels(table, grounds.evidence),
        *_sections(table, segment),
        _body(table, grounds.evidence),
        *_total_rows(table, grounds.proved),
        *_total_columns(table, grounds.proved),
    ]


def _whole(table: Table, header: Sequence[Decision]) -> Decision:
    columns = sum(not c.derived for c in table.columns)
    sure, because = (header[0].confidence, "a header over a body") if header else (0.4, "rows without a header")
    return Decision("table", table.region, f"{len(table.rows):,} rows × {columns} columns", sure, because)


def _header(table: Table, segment: Segment) -> Iterator[Decision]:
    """Surer with figures under texts, with merged cells, with a look of its own, and if it names each column once."""
    if not segment.header:
        return
    rows, block = segment.header, segment.block
    paths = [c.path for c in table.columns if not c.derived]
    typed = [c for c in table.columns if c.type in ("number", "date") and c.path]
    cells = [(row, column) for row in rows for column, _ in block.texts(row)]
    merged = any(block.merge(row, column) for row, column in cells)
    looks = {block.grid.look(*cell) for cell in cells}
    below = {block.grid.look(row, column) for row in table.rows[:1] for column in block.span}
    grounds = {
        f"{len(typed)} columns of figures or dates below texts": 0.35 if typed else 0,
        "cells merged over columns or rows": 0.1 if merged else 0,
        "bold, filled or bordered unlike the body": 0.1 if looks.isdisjoint(below) and below else 0,
        "a name of its own for each column": 0.1 if len(set(paths)) == len(paths) and all(paths) else 0,
    }
    because = "; ".join(ground for ground, worth in grounds.items() if worth) or "the first row of texts"
    region = Range(rows[0], table.region.left, rows[-1], table.region.right)
    if _two_lines_a_record(table, segment):
        says = "2 lines, and so may be each record"
        yield Decision("header", region, says, 0.3, "a text for each column in both; rows of two kinds by turns below")
        return
    levels = f"{len(rows)} level{'s' * (len(rows) > 1)}"
    yield Decision("header", region, levels, min(0.99, 0.4 + sum(grounds.values())), because)


def _two_lines_a_record(table: Table, segment: Segment) -> bool:
    """사번 over 성명 in the header, 0001 over 김철수 in the body: each column holds two things by turns."""
    block, header, rows = segment.block, segment.header, table.rows[:MAX_ROWS]
    if len(header) != 2 or len(rows) < 4 or len(rows) % 2:
        return False
    lines = [[block.text(row, column) for column in block.span] for row in header]
    texts = lines[0] + lines[1]
    if not all(texts) or len(set(texts)) < len(texts) or any(block.merge(r, c) for r in header for c in block.span):
        return False
    for column in block.span:
        kinds = [(block.kind(row, column), any(map(str.isdigit, block.text(row, column)))) for row in rows]
        if len({*kinds[::2]}) == len({*kinds[1::2]}) == 1 and kinds[0] != kinds[1]:
            return True
    return False


def _repeats(table: Table, segment: Segment) -> Iterator[Decision]:
    for row in segment.repeats[:MAX_ROWS]:
        yield Decision("header", _across(table, row), "comes again", 0.9, "the same texts as over the table")


def _labels(table: Table, evidence: int | None) -> Iterator[Decision]:
    sure = _margin(LIST_EVIDENCE - 1 - (evidence or 0))
    for column in table.columns:
        if column.role == "label" and not column.derived and table.rows:
            region = Range(table.rows[0], column.index, table.rows[-1], column.index)
            name = " ▸ ".join(column.path) or "no header"
            yield Decision("label", region, f"names the rows ({name})", sure, "left of the figures, one name a row")


def _margin(steps: int) -> float:
    """The confidence in one of two readings, by how far the evidence is from where the other would win."""
    return min(0.95, 0.6 + 0.1 * max(0, steps))


def _sections(table: Table, segment: Segment) -> Iterator[Decision]:
    """Rows of the body that became outer labels."""
    if len(segment.body) == len(table.rows):
        return
    for row in sorted(set(segment.body) - set(table.rows))[:MAX_ROWS]:
        texts = [text for _, text in segment.block.texts(row)]
        because = "one text and no figure in a row over rows with figures"
        yield Decision("section", _across(table, row), f"outer label {' '.join(texts)}", 0.85, because)


def _body(table: Table, evidence: int | None) -> Decision:
    region = table.region
    if table.rows:
        region = Range(table.rows[0], region.left, table.rows[-1], region.right)
    if any(c.role == "label" and not c.derived for c in table.columns):
        return Decision(
            "body", region, "a report: labels name its rows", _margin(1 - (evidence or 0)), "see its labels"
        )
    if evidence is None:
        return Decision("body", region, "no column names its rows", 0.7, "no texts left of the figures")
    because = "dates, codes, a counter or repeated names speak for a list"
    return Decision("body", region, "a list: each row is a record", _margin(evidence - LIST_EVIDENCE), because)


def _across(table: Table, row: int) -> Range:
    return Range(row, table.region.left, row, table.region.right)


def _total_rows(table: Table, proved: Proved) -> Iterator[Decision]:
    names = {c.index: c for c in table.columns}
    for position in sorted({*proved.words, *proved.rows})[:MAX_ROWS]:
        proof = proved.rows.get(position)
        where = names[proved.added[proof.at]] if proof else None
        missed = f"'{_name(where)}'" if where else ""
        rows = [table.rows[i] for i in proof.parts] if proof else []
        runs = _listed(rows, "row", lambda row: _row(table, row)) if rows else ""
        word = f"the word '{proved.words[position].strip()}'" if position in proved.words else ""
        yield _total("total_row", _across(table, table.rows[position]), runs, word, proof, ("columns", missed))


def _total_columns(table: Table, proved: Proved) -> Iterator[Decision]:
    for column in (c for c in table.columns if c.subtotal and table.rows):
        proof = proved.columns.get(column.index)
        parts = [proved.figures[i] for i in proof.parts] if proof else []
        runs = _listed(parts, "column", letters) if parts else ""
        missed = f"row {_row(table, table.rows[proof.at])}" if proof else ""
        word = f"the word '{_name(column)}'"
        region = Range(table.region.top, column.index, table.rows[-1], column.index)
        yield _total("total_column", region, runs, word, proof, ("rows", missed))


def _row(table: Table, row: int) -> str:
    """The number of a row as the file has it, with its page or table where that is not the sheet."""
    sheet, number = table.place(row)
    return str(number + 1) if sheet == table.sheet else f"{number + 1} of {sheet}"


def _name(column: Column) -> str:
    return " ▸ ".join(column.path) or letters(column.index)


def _total(kind: str, region: Range, runs: str, word: str, proof: Proof | None, place: tuple[str, str]) -> Decision:
    """A total, by its word, by arithmetic, or both; a proof against the word leaves little."""
    if proof is None:
        return Decision(kind, region, "a total by its word alone", 0.7, f"{word}; there is nothing to add up")
    held = f"{proof.held} of {proof.of} {place[0]} add up"
    because = "; ".join(filter(None, (word, held)))
    if proof.holds:
        return Decision(kind, region, f"sums {runs}", 1.0 if word else 0.9, because)
    off = f"off by {proof.gap:+,.10g} in {place[1]}"
    says = f"sums {runs}, but {off}" if proof.shows else f"said to be a total, yet {off} from the sum of {runs}"
    return Decision(kind, region, says, round(0.3 + 0.6 * proof.held / proof.of, 2), because)


def _listed(numbers: Sequence[int], noun: str, name: Callable[[int], str]) -> str:
    """Runs of numbers, the first of many: rows 6 to 9 and 12."""
    breaks = [i for i, (a, b) in enumerate(pairwise(numbers), 1) if b != a + 1] if _has_gaps(numbers) else []
    edges = [0, *breaks, len(numbers)]
    runs = [(numbers[start], numbers[end - 1]) for start, end in pairwise(edges)]
    shown = [name(first) if first == last else f"{name(first)} to {name(last)}" for first, last in runs[:MAX_RUNS]]
    more = f" … ({len(numbers):,} in all)" if len(runs) > MAX_RUNS else ""
    return f"{noun}{'s' * (len(numbers) > 1)} {' and '.join(shown)}{more}"


def _has_gaps(numbers: Sequence[int]) -> bool:
    return numbers[-1] - numbers[0] != len(numbers) - 1
