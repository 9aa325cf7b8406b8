"""Tables that stand side by side without a gap: an account's two sides, a list wrapped into pairs of columns.

One table names each of its columns once and has its labels at the left. Several are told by what one would not have:
inner headers that come again, an upper header over labels and figures together, a total word in two label columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from converters.tables.blocks import Block
from converters.tables.header import figure_columns
from converters.tables.segments import Segment
from converters.tables.words import is_counter_header, is_group_header, is_period_label, is_title_like, is_total

MIN_WIDTH = 2
SAMPLE = 200


def parted(segment: Segment) -> list[Segment]:
    """The tables of a segment, left to right: itself, if it is one."""
    block = segment.block
    if not segment.header or not segment.body or block.right - block.left + 1 < 2 * MIN_WIDTH:
        return [segment]
    figures = figure_columns(block, segment.body)
    starts = _by_repeated_header(segment, figures) or _by_upper_header(segment, figures)
    starts = starts or _by_labels(segment, figures)
    if not starts:
        return [segment]
    titles = _title_rows(segment, starts)
    ends = [*(start - 1 for start in starts[1:]), block.right]
    return [_part(segment, *columns, titles) for columns in zip(starts, ends, strict=True)]


def _by_repeated_header(segment: Segment, figures: dict[int, str]) -> list[int]:
    """수입 | 금액 | 지출 | 금액: the innermost header comes again, but for the name over the labels."""
    block = segment.block
    texts = [block.spread(segment.header[-1], column) for column in block.span]
    for width in range(MIN_WIDTH, len(texts) // 2 + 1):
        parts = [texts[i : i + width] for i in range(0, len(texts), width)]
        if len(texts) % width or not all(texts) or any(part[1:] != parts[0][1:] for part in parts):
            continue
        starts = list(range(block.left, block.right, width))
        if parts[0][0] in parts[0][1:] or not all(
            column not in figures or _heads_labels(block.text(segment.header[-1], column)) for column in starts
        ):
            return []
        return starts
    return []


def _heads_labels(header: str) -> bool:
    return is_counter_header(header) or is_period_label(header)


def _by_upper_header(segment: Segment, figures: dict[int, str]) -> list[int]:
    """자산 over 과목 and 금액, 부채 over 과목 and 금액: each upper text stands over labels and their figures."""
    block, top = segment.block, segment.header[0]
    if len(segment.header) < 2:
        return []
    starts = [column for column, _ in block.texts(top)]
    ends = [*(start - 1 for start in starts[1:]), block.right]
    if len(starts) < 2 or starts[0] != block.left:
        return []
    for start, end in zip(starts, ends, strict=True):
        merge = block.merge(top, start)
        if (merge and (merge.right != end or merge.bottom > top)) or not _is_whole(start, end, figures):
            return []
    return starts


def _is_whole(start: int, end: int, figures: dict[int, str]) -> bool:
    """The columns are those of a table: labels, then figures."""
    return start not in figures and any(column in figures for column in range(start + 1, end + 1))


def _by_labels(segment: Segment, figures: dict[int, str]) -> list[int]:
    """A second column of labels, right of figures, has a total of its own, or ends before or after the first."""
    block = segment.block
    starts = [block.left, *(right for left, right in pairwise(block.span) if left in figures and right not in figures)]
    ends = [*(start - 1 for start in starts[1:]), block.right]
    if len(starts) < 2 or not all(_is_whole(*columns, figures) for columns in zip(starts, ends, strict=True)):
        return []
    labels = [[block.text(row, column) for row in segment.body[-SAMPLE:]] for column in starts]
    if all(any(map(is_total, filter(None, texts))) for texts in labels):
        return starts
    named = all(is_group_header(block.text(segment.header[-1], column)) for column in starts)
    return starts if named and len(segment.body) <= SAMPLE and _is_uneven(labels) else []


def _is_uneven(labels: Sequence[Sequence[str]]) -> bool:
    """Each column names different things from the top on, and some go on, other than by a total, where others end."""
    own = [[text for text in texts if text and not is_total(text)] for texts in labels]
    if any(
        len(set(texts)) < len(texts) or list(whole[: len(texts)]) != texts
        for texts, whole in zip(own, labels, strict=True)
    ):
        return False
    return len({len(texts) for texts in own}) > 1 and min(map(len, own)) > 1


def _title_rows(segment: Segment, starts: Sequence[int]) -> list[int]:
    """Upper header rows that are titles, one over each part."""
    found = []
    for row in segment.header[:-1]:
        texts = segment.block.texts(row)
        if [column for column, _ in texts] != list(starts) or not all(is_title_like(text) for _, text in texts):
            break
        found.append(row)
    return found


def _part(segment: Segment, left: int, right: int, titles: list[int]) -> Segment:
    """Some columns of a segment, and of its rows those that hold something there."""
    whole = segment.block
    block = Block(whole.grid, whole.rows, left, right)
    header = [row for row in segment.header if row not in titles]
    body = [row for row in segment.body if block.texts(row)]
    notes = segment.notes if left == whole.left else []
    return Segment(block, [*segment.above, *titles], header, body, notes)
