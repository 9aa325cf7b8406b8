"""The tables of one block: each with its header, its body and the texts around it.

A block may hold several tables without a blank row between them, and one table may repeat its header at page breaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from converters.grid import PLAIN
from converters.tables.blocks import Block, is_side_text, shown_text
from converters.tables.forms import are_pairs, is_form_row
from converters.tables.header import figure_columns, first_data_row, header_rows, is_weekdays, marked_rows
from converters.tables.plain import is_figure, no_figures
from converters.tables.words import is_header_word, is_key_value, is_note, is_page_number, is_sign_off

MIN_TEXT_ROWS = 2
MAX_BLANK_ROWS = 4
MAX_FORM_ROWS = 20
MAX_PAGE_HEAD = 3


@dataclass
class Segment:
    """One table of a block, in rows of the grid.

    Args:
        above: titles, notes and forms over it.
        notes: rows within or under it that are notes.
        repeats: rows in which the header and what is over it come again, at page breaks.
    """

    block: Block
    above: list[int] = field(default_factory=list)
    header: list[int] = field(default_factory=list)
    body: Sequence[int] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)
    repeats: list[int] = field(default_factory=list)

    @property
    def rows(self) -> list[int]:
        """All its rows, of whatever kind."""
        return [*self.above, *self.header, *self.body, *self.notes, *self.repeats]

    @property
    def is_table(self) -> bool:
        """It has something of a table; otherwise all it holds are texts."""
        return bool(self.header or self.body)


def segments(block: Block) -> list[Segment]:
    """The tables of a block from top to bottom; one segment of texts if it holds none."""
    if block.lone or _is_form(block):
        return [Segment(block, above=[*block.rows])]
    found: list[Segment] = []
    rows = block.rows
    while rows:
        segment, rows = _next(block, rows)
        found.append(segment)
    return found


def _is_form(block: Block) -> bool:
    """Rows of keys and values, with single texts among them."""
    lines = [[text for _, text in block.texts(row)] for row in block.rows[:MAX_FORM_ROWS]]
    forms = [is_form_row(line) for line in lines]
    return any(forms) and all(
        form or len(line) == 1 or are_pairs(line) for form, line in zip(forms, lines, strict=True)
    )


def _next(block: Block, rows: Sequence[int]) -> tuple[Segment, Sequence[int]]:
    data, marked = first_data_row(block, rows), marked_rows(block, rows)
    if data is None:
        return _textual(block, rows, marked), []
    if marked and marked.start <= data:
        data = marked.stop
    figures = figure_columns(block, rows[data:])
    start, end = header_rows(block, rows, data, list(figures))
    if marked and marked.stop == data:
        start, end = min(start, marked.stop - 1), marked.stop
    segment = Segment(block, above=[*rows[:start]], header=[*rows[start:end]])
    if start == end:
        segment.above, end = _leading_texts(block, rows[:data]), 0
        end = len(segment.above)
    stop = _collect_body(segment, rows, end, figures)
    return segment, rows[stop:]


def _leading_texts(block: Block, rows: Sequence[int]) -> list[int]:
    """The rows before the data of a table without header that are titles or notes."""
    return [row for row in rows if len(block.texts(row)) == 1]


def _textual(block: Block, rows: Sequence[int], marked: range | None) -> Segment:
    """A block without a figure: a list of texts under a header, a header without rows, or just texts."""
    if marked and len(block.texts(rows[marked[-1]])) > 1:
        start = min(marked[-1], header_rows(block, rows, marked.stop, [])[0])
        notes = [row for row in rows[marked.stop :] if _is_note_row(block, row)]
        below = [row for row in rows[marked.stop :] if row not in notes]
        return Segment(block, [*rows[:start]], [*rows[start : marked.stop]], below, notes)
    if block.left == block.right and not _is_single_column_list(block, rows):
        return Segment(block, above=[*rows])
    texts = [text for row in rows for _, text in block.texts(row)]
    if sum(is_sign_off(text) or is_key_value(text) for text in texts) * 2 > len(texts):
        return Segment(block, above=[*rows])
    first = 0
    while first < len(rows) - 1 and len(block.texts(rows[first])) < 2 and block.left < block.right:
        first += 1
    depth = 1
    while first + depth < len(rows) and (
        _parts(block, rows[first + depth - 1]) or is_weekdays(block, rows[first + depth])
    ):
        depth += 1
    header, body = [*rows[first : first + depth]], rows[first + depth :]
    filled = sum(not is_key_value(text) for _, text in block.texts(header[-1]))
    if (body and filled * 3 >= 2 * len(block.span)) or (not body and filled >= 3) or (not body and depth > 1):
        segment = Segment(block, above=[*rows[:first]], header=header)
        segment.repeats = [row for row in body if _is_same(block, header[-1], row)]
        segment.notes = [row for row in body if _is_note_row(block, row)]
        segment.body = [row for row in body if row not in segment.repeats and row not in segment.notes]
        return segment
    return Segment(block, above=[*rows])


def _is_single_column_list(block: Block, rows: Sequence[int]) -> bool:
    return block.grid.textual and len(rows) == len(block.grid.rows) and len(rows) > MIN_TEXT_ROWS


def _parts(block: Block, row: int) -> bool:
    """The row has a text merged over some of the columns: there is a lower header row."""
    return any(
        (merge := block.merge(row, column))
        and merge.left < merge.right
        and merge.top == row
        and (merge.left > block.left or merge.right < block.right)
        for column in block.span
    )


def _collect_body(segment: Segment, rows: Sequence[int], start: int, figures: dict[int, str]) -> int:
    """Fills body and notes; gives the position at which the next table of the block begins."""
    block, header = segment.block, segment.header
    suspects = _suspects(block, rows, start, figures)
    drop: set[int] = set()
    stop = len(rows)
    for position in suspects:
        row = rows[position]
        if any(_is_same(block, known, row) for known in header):
            head = _page_head(block, rows, position, header[0])
            if _has_own_title(block, rows, position - len(head), start):
                stop = _with_titles(block, rows, position, start)
                break
            drop |= {position, *head}
            segment.repeats += [rows[i] for i in sorted({position, *head})]
        elif position > start and _is_new_header(block, rows, position, figures):
            stop = _with_titles(block, rows, position, start)
            break
        elif _is_note_row(block, row):
            drop.add(position)
            segment.notes.append(row)
    segment.notes = [row for row in segment.notes if row < rows[stop - 1] + 1]
    body = rows[start:stop]
    segment.body = [row for position, row in enumerate(body, start) if position not in drop] if drop else body
    return stop


def _suspects(block: Block, rows: Sequence[int], start: int, figures: dict[int, str]) -> list[int]:
    """Positions of rows in which no figure column holds a figure: sections, repeated headers, new tables, notes."""
    columns = [c for c, kind in figures.items() if kind == "n"] or list(figures)
    below = rows[start:]
    left: Sequence[int] = range(len(below))
    for n, column in enumerate(columns[:6]):
        values = block.column(column, below)
        left = no_figures(values) if n == 0 else [i for i in left if not is_figure(values[i])]
        if not left:
            return []
    return [start + i for i in left if not any(block.kind(below[i], c) in ("n", "x") for c in columns)]


def _is_same(block: Block, known: int, row: int) -> bool:
    if known == row:
        return False
    ours, theirs = block.texts(known), block.texts(row)
    return len(ours) > 1 and ours == theirs


def _has_own_title(block: Block, rows: Sequence[int], position: int, start: int) -> bool:
    """Over the repeated header stands a title that is new: this is the next table and not the next page."""
    for row in reversed(rows[max(start, position - MAX_PAGE_HEAD) : position]):
        texts = [text for _, text in block.texts(row) if not is_side_text(text)]
        if texts:
            return len(texts) == 1 and not set(block.kinds(row)) - {"t", " "}
    return False


def _page_head(block: Block, rows: Sequence[int], position: int, header: int) -> list[int]:
    """Titles and other lone lines right over a repeated header."""
    found = []
    known = _texts_above(block, header)
    while position > 0:
        texts = [text for _, text in block.texts(rows[position - 1])]
        if len(texts) > MAX_PAGE_HEAD or not all(text in known or is_note(text) for text in texts):
            break
        position -= 1
        found.append(position)
    return found


def _texts_above(block: Block, row: int) -> set[str]:
    """The texts in the rows right over a header, whatever block they are in."""
    grid = block.grid
    return {
        shown_text(grid, r, c)
        for r in range(max(0, row - 6), row)
        for c, v in enumerate(grid.rows.get(r, ()))
        if v is not None
    }


def _is_new_header(block: Block, rows: Sequence[int], position: int, figures: dict[int, str]) -> bool:
    """Texts stand where figures should, and figures follow: another table begins without a blank row."""
    row = rows[position]
    numeric = [c for c, kind in figures.items() if kind == "n"] or list(figures)
    texts = [c for c in numeric if block.spread(row, c) and block.kind(row, c) in ("t", " ")]
    if len(texts) * 2 < len(numeric) or len(block.texts(row)) < 2:
        return False
    if len({block.spread(row, c) for c in block.span}) <= 1:
        return False
    if len(numeric) == 1 and not _follows_title(block, rows, position):
        return False
    return any("n" in block.kinds(below) for below in rows[position + 1 : position + 5])


def _follows_title(block: Block, rows: Sequence[int], position: int) -> bool:
    return position > 0 and len(block.texts(rows[position - 1])) == 1


def _with_titles(block: Block, rows: Sequence[int], position: int, start: int) -> int:
    while (
        position > start + 1
        and len(block.texts(rows[position - 1])) <= 2
        and "n" not in block.kinds(rows[position - 1])
    ):
        position -= 1
    return position


def _is_note_row(block: Block, row: int) -> bool:
    texts = block.texts(row)
    return len(texts) == 1 and is_note(texts[0][1])


def is_headerless(segment: Segment) -> bool:
    """Body rows that belong under the header of the segment above, if it fits."""
    return bool(segment.body) and not segment.header


def joined(found: Sequence[Segment]) -> list[Segment]:
    """Segments that a blank row only seems to part are one table."""
    out: list[Segment] = []
    taken: set[int] = set()
    beside = _by_row(found) if any(map(is_headerless, found)) else {}
    for segment in found:
        if is_headerless(segment) and id(segment) not in taken:
            upper, sections = _upper([s for s in out if id(s) not in taken], segment)
            if upper is not None and _may_continue(upper, segment, sections):
                rows, mates = _mates(upper, [segment, *sections], beside)
                if all(_fits(upper, mate) for mate in mates):
                    upper.body = sorted({*upper.body, *rows})
                    upper.notes = upper.notes + [row for mate in mates for row in mate.notes]
                    upper.repeats = upper.repeats + [row for mate in mates for row in mate.repeats]
                    taken |= {id(each) for each in (*mates, *sections)}
                    continue
        elif segment.header and (page := _next_page(out, segment)):
            first, *banner = (each for each in page if id(each) not in taken)
            first.body = sorted({*first.body, *segment.body})
            first.notes = first.notes + segment.notes
            first.repeats = first.repeats + segment.header + segment.repeats
            first.repeats += [row for each in banner for row in each.above] + segment.above
            taken |= {id(each) for each in (segment, *banner)}
            continue
        out.append(segment)
    return [_without_doubt(segment) for segment in out if id(segment) not in taken]


def _without_doubt(segment: Segment) -> Segment:
    """Texts in a row over no body are a header only if the file, their look or most of their words say so."""
    if segment.body or not segment.header:
        return segment
    block, last = segment.block, segment.header[-1]
    cells = block.texts(last)
    plain = any(block.grid.look(last, column) == PLAIN for column, _ in cells)
    worded = sum(is_header_word(text) for _, text in cells) * 2 > len(cells)
    if worded or not plain or len(segment.header) > 1 or block.grid.headed.intersection(segment.header):
        return segment
    return Segment(block, sorted([*segment.above, *segment.header, *segment.repeats]), notes=segment.notes)


def _next_page(out: Sequence[Segment], lower: Segment) -> list[Segment]:
    """The table that goes on below, and the lines of the next page's head: its title and number, then its header."""
    upper, banner = _upper(out, lower)
    if upper is None or not upper.body or len(upper.header) != len(lower.header):
        return []
    if (upper.block.left, upper.block.right) != (lower.block.left, lower.block.right):
        return []
    known = _texts_above(upper.block, upper.header[0])
    heads = [
        *((each.block, row) for each in banner for row in each.above),
        *((lower.block, row) for row in lower.above),
    ]
    texts = [text for block, row in heads for _, text in block.texts(row)]
    if not any(map(is_page_number, texts)) or not all(text in known or is_page_number(text) for text in texts):
        return []
    headers = zip(upper.header, lower.header, strict=True)
    same = all(_is_same(upper.block, above, row) for above, row in headers)
    return [upper, *banner] if same else []


def _upper(out: Sequence[Segment], lower: Segment) -> tuple[Segment | None, list[Segment]]:
    """The table over a segment, and the lone texts right over it, which may be section rows of that table."""
    sections: list[Segment] = []
    for segment in reversed(out):
        if not _over(segment, lower):
            continue
        if segment.is_table or len(segment.above) > 1:
            return segment, sections
        sections.append(segment)
    return None, sections


def _by_row(found: Sequence[Segment]) -> dict[int, list[Segment]]:
    """The segments that hold something in each row."""
    beside: dict[int, list[Segment]] = {}
    for segment in found:
        for row in segment.rows:
            beside.setdefault(row, []).append(segment)
    return beside


def _over(upper: Segment, lower: Segment) -> bool:
    return upper.block.left <= lower.block.right and lower.block.left <= upper.block.right


def _may_continue(upper: Segment, lower: Segment, sections: Sequence[Segment]) -> bool:
    if not upper.is_table or lower.above or not all(_is_section(upper, segment) for segment in sections):
        return False
    rows = sorted([*(row for segment in sections for row in segment.above), *lower.body])
    last = (upper.body or upper.header)[-1]
    return all(below - above <= MAX_BLANK_ROWS for above, below in pairwise([last, *rows]))


def _is_section(upper: Segment, lone: Segment) -> bool:
    """A text alone over the labels of the table."""
    texts = [text for row in lone.above for _, text in lone.block.texts(row)]
    return len(texts) == 1 and lone.block.left == upper.block.left and not is_side_text(texts[0])


def _mates(
    upper: Segment, lower: Sequence[Segment], beside: dict[int, list[Segment]]
) -> tuple[set[int], list[Segment]]:
    """The rows of the lower segments and of all that stands beside them below the columns of the upper one."""
    rows: set[int] = set()
    found: dict[int, Segment] = {}
    waiting = list(lower)
    while waiting:
        mate = waiting.pop()
        if id(mate) not in found:
            found[id(mate)] = mate
            new = {*mate.above, *mate.body} - rows
            rows |= new
            waiting += [s for row in new for s in beside[row] if s is not upper and _over(upper, s)]
    return rows, list(found.values())


def _fits(upper: Segment, mate: Segment) -> bool:
    """It is within the columns of the table above and has no header of its own."""
    within = upper.block.left <= mate.block.left and mate.block.right <= upper.block.right
    return within and not mate.header
