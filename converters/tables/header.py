"""The header of a block: which rows it is, and the path of texts over each column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from converters.tables.blocks import Block, spans_columns
from converters.tables.units import is_unit_note, split_units
from converters.tables.words import is_key_value, is_note, is_sign_off, is_total, is_unit_header

MAX_DEPTH = 7
SAMPLE = 40
MIN_DAYS = 5
_WEEKDAYS = frozenset([*"월화수목금토일月火水木金土日", *"mon tue wed thu fri sat sun".split()])
_YEAR = re.compile(r"((?:19|20)\d\d)\s*[년年]?도?")
_MONTH = re.compile(r"'?((?:19|20)?\d\d)[./-](0?[1-9]|1[0-2])|((?:19|20)\d\d)(0[1-9]|1[0-2])")


def first_data_row(block: Block, rows: Sequence[int]) -> int | None:
    """The position of the first row that holds figures of the body; None if the block has none.

    Figures in a header (years, months, days, dates across) are told by being a sequence.
    """
    has_numbers = any("n" in block.kinds(row) for row in rows)
    wanted = "n" if has_numbers else "d"
    for position, row in enumerate(rows):
        if wanted in block.kinds(row) and not _is_sequence(block, rows, position):
            return _walk_back(block, rows, position)
    return _below_days(block, rows)


def marked_rows(block: Block, rows: Sequence[int]) -> range | None:
    """The positions of the header rows that the file itself marks; None if it marks none, or rows of figures as well.

    A total that is set in the same way (<th>) ends them.
    """
    marks = block.grid.headed
    start = next((p for p, row in enumerate(rows[:MAX_DEPTH]) if row in marks), None) if marks else None
    if start is None:
        return None
    end = start + 1
    while end < len(rows) and rows[end] in marks and not any(is_total(t) for _, t in block.texts(rows[end])[:1]):
        end += 1
    return range(start, end) if end - start <= MAX_DEPTH and (end < len(rows) or end - start == 1) else None


def _below_days(block: Block, rows: Sequence[int]) -> int | None:
    """The first row below 1, 2, 3 … 31 that has a label: a roster holds marks and no figures."""
    days = next((p for p, row in enumerate(rows) if len(_integers(block, row) or ()) >= MIN_DAYS), None)
    if days is None or not is_counting(block, rows[days]):
        return None
    return next((p for p in range(days + 1, len(rows)) if block.text(rows[p], block.left)), None)


def is_counting(block: Block, row: int) -> bool:
    """The numbers of a row are days, months or years one after the other, if need be again and again."""
    numbers = _cycle(_integers(block, row) or [])
    if {b - a for a, b in pairwise(numbers)} not in ({1}, {-1}):
        return False
    return (1 <= min(numbers) and max(numbers) <= 31) or 1990 <= min(numbers) <= max(numbers) <= 2100


def figure_columns(block: Block, rows: Sequence[int]) -> dict[int, str]:
    """The columns in which these rows mostly hold numbers or dates, and which of the two."""
    found: dict[int, str] = {}
    lines = [block.kinds(row) for row in rows[:SAMPLE]]
    for column in block.span:
        kinds = [line[column - block.left] for line in lines]
        n, d, t = kinds.count("n"), kinds.count("d"), kinds.count("t")
        if n + d > 0 and max(n, d) >= t:
            found[column] = "n" if n >= d else "d"
    return found


def header_rows(block: Block, rows: Sequence[int], data: int, figures: Sequence[int]) -> tuple[int, int]:
    """First position of the header and the first below it, among the rows before the first data row.

    Both are `data` when there is no header. Rows over the header are titles and notes; rows between it and the data are
    section rows.
    """
    end = _last_header_row(block, rows, data, figures)
    if end is None:
        return data, data
    start = end
    while end + 1 < data and _is_lower_level(block, rows[end + 1]):
        end += 1
    while start > 0 and end - start < MAX_DEPTH - 1 and _is_upper_level(block, rows[start - 1], rows[start]):
        start -= 1
    return start, end + 1


def paths(block: Block, rows: Sequence[int], columns: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The header texts over each column, outermost first; a merged or blank-filled text counts for all it spans."""
    levels = [
        _level(block, rows, position, columns) for position, row in enumerate(rows) if not is_unit_row(block, row)
    ]
    found: dict[int, tuple[str, ...]] = {}
    for column in columns:
        path: list[str] = []
        for level in levels:
            text = level.get(column, "")
            if text and (not path or path[-1] != text):
                path.append(text)
        found[column] = tuple(path)
    return found


def is_unit_row(block: Block, row: int) -> bool:
    """A row under the header that holds units only: (천원) (천원) (%), with or without 단위 before them."""
    texts = [text for _, text in block.texts(row) if not is_unit_header(text)]
    return len(texts) > 1 and all(split_units(text.strip("()[]（） ")) for text in texts)


def _is_sequence(block: Block, rows: Sequence[int], position: int) -> bool:
    """A row of years, months or days over figures of another kind."""
    row = rows[position]
    if position + 1 >= len(rows):
        return False
    if _are_months(block, row):
        return not _are_months(block, rows[position + 1])
    if _are_parts_of_years(block, rows, position) or _are_parts_of_years(block, rows, position - 1):
        return _are_parts_of_years(block, rows, position)
    numbers = _integers(block, row)
    if numbers is None or ("d" in block.kinds(row) and numbers):
        return False
    if not numbers:
        return False
    below = _integers(block, rows[position + 1]) or []
    if len(numbers) == 1:
        return 1990 <= numbers[0] <= 2100 and not any(1990 <= n <= 2100 for n in below) and _has_label(block, row)
    numbers = _cycle(numbers)
    if not is_counting(block, row) or below == numbers or (len(numbers) == 2 and max(numbers) <= 31):
        return False
    return not any(_is_complete(block, above, row) for above in rows[max(0, position - 1) : position])


def is_weekdays(block: Block, row: int) -> bool:
    """The texts of a row are days of the week."""
    texts = [text for _, text in block.texts(row)]
    return len(texts) >= MIN_DAYS and all(text.strip("()（）").lower() in _WEEKDAYS for text in texts)


def _are_months(block: Block, row: int) -> bool:
    """All numbers of a row are months one after the other: 2025.01 2025.02, 25.12 26.01, 202511 202512 202601."""
    texts = [block.text(row, column) for column, kind in enumerate(block.kinds(row), block.left) if kind == "n"]
    found = [_MONTH.fullmatch(text) for text in texts]
    if len(found) < 2 or not all(found):
        return False
    months = [int(f[1] or f[3]) * 12 + int(f[2] or f[4]) for f in found if f]
    steps = {b - a for a, b in pairwise(months)}
    return len(steps) == 1 and steps <= {1, 3, 6, 12, -1, -12}


def _are_parts_of_years(block: Block, rows: Sequence[int], position: int) -> bool:
    """Months or quarters as numbers below their years, one after the other: 11 12 | 1 2 below 2025 | 2026."""
    row = rows[position]
    numbers = _integers(block, row)
    if position < 1 or not numbers or len(numbers) < 3 or set(block.kinds(row)) - {"n", " "}:
        return False
    year, parts = 0, []
    for column, kind in enumerate(block.kinds(row), block.left):
        found = _YEAR.fullmatch(block.spread(rows[position - 1], column))
        year = int(found[1]) if found else year
        if kind == "n":
            parts.append((year, int(block.text(row, column))))
    return any(
        all(y and 1 <= part <= most for y, part in parts)
        and all(b - a == 1 for a, b in pairwise(y * most + part for y, part in parts))
        for most in (4, 12)
    )


def _cycle(numbers: list[int]) -> list[int]:
    """The part that comes again and again: 2025 2026 of 2025 2026 2025 2026."""
    for length in range(2, len(numbers) // 2 + 1):
        if len(numbers) % length == 0 and numbers == numbers[:length] * (len(numbers) // length):
            return numbers[:length]
    return numbers


def _has_label(block: Block, row: int) -> bool:
    return "t" in block.kinds(row)


def _integers(block: Block, row: int) -> list[int] | None:
    """The numbers of a row if all are whole."""
    numbers: list[int] = []
    for column, kind in enumerate(block.kinds(row), block.left):
        if kind == "n":
            text = block.text(row, column)
            if not re.fullmatch(r"-?[0-9]+", text):
                return None
            numbers.append(int(text))
    return numbers


def _is_complete(block: Block, row: int, below: int) -> bool:
    """The row heads every figure of the row below with a text of its own, so that one is no header."""
    return all(
        block.kind(row, column) == "t" for column, kind in enumerate(block.kinds(below), block.left) if kind == "n"
    )


def _walk_back(block: Block, rows: Sequence[int], position: int) -> int:
    """Body rows before the first with a number: those with dates or empty marks where the body has figures."""
    figures = figure_columns(block, rows[position:])
    while position > 0:
        above = rows[position - 1]
        kinds = {column: block.kind(above, column) for column in figures}
        marks = any(kinds[c] in ("x", figures[c]) for c in figures)
        if not marks or any(kind == "t" for kind in kinds.values()) or _is_sequence(block, rows, position - 1):
            break
        if (
            all(kind == "d" for kind in block.kinds(above).replace(" ", "").replace("t", ""))
            and "d" not in figures.values()
        ):
            break
        position -= 1
    return position


def _last_header_row(block: Block, rows: Sequence[int], data: int, figures: Sequence[int]) -> int | None:
    for position in range(data - 1, -1, -1):
        row = rows[position]
        headed = sum(bool(block.spread(row, column)) for column in figures)
        if headed * 2 >= len(figures) and headed and not _is_side_row(block, row):
            if len({block.spread(row, c) for c in block.span}) > 1 or block.left == block.right:
                return position
    for position in range(data - 1, -1, -1):
        if len(block.texts(rows[position])) >= 2 and not _is_side_row(block, rows[position]):
            return position
    return None


def _is_side_row(block: Block, row: int) -> bool:
    texts = [text for _, text in block.texts(row)]
    if is_unit_row(block, row):
        return False
    return all(is_unit_note(t) or is_key_value(t) or is_sign_off(t) or is_note(t) for t in texts)


def _is_lower_level(block: Block, row: int) -> bool:
    """Texts under a header that stand over no figures: days of the week, but no labels."""
    kinds = block.kinds(row)
    return kinds[0] == " " and kinds.count("t") > 1 and set(kinds) <= {"t", " "} and not _is_side_row(block, row)


def _is_upper_level(block: Block, row: int, below: int) -> bool:
    cells = block.texts(row)
    kinds = block.kinds(row)
    if _is_side_row(block, row) or any(is_key_value(text) or is_unit_note(text) for _, text in cells):
        return False
    if "n" in kinds and "t" in kinds.replace(" ", "")[1:] and not is_counting(block, row):
        return False
    if len(cells) == 1:
        return spans_columns(block, row, *cells[0])
    merges = [block.merge(row, column) for column, _ in cells]
    if any(merge and merge.left < merge.right for merge in merges):
        return True
    headed = [c for c in block.span if block.text(below, c)]
    return len(headed) >= 2 and all(text for _, text in cells)


def _level(block: Block, rows: Sequence[int], position: int, columns: Sequence[int]) -> dict[int, str]:
    """The text of one header row over each column."""
    row = rows[position]
    merged = any((m := block.merge(row, c)) and m.left < m.right for c in columns)
    last = position == len(rows) - 1
    level: dict[int, str] = {}
    carried = ""
    for column in columns:
        text = block.spread(row, column)
        if text:
            carried = text if not block.merge(row, column) or not merged else ""
        elif carried and not merged and not last and _has_lower(block, rows[position + 1 :], column):
            text = carried if _carrier_has_lower(block, rows, position, column) else ""
        level[column] = text
    return level


def _has_lower(block: Block, rows: Sequence[int], column: int) -> bool:
    return any(block.text(row, column) for row in rows if not is_unit_row(block, row))


def _carrier_has_lower(block: Block, rows: Sequence[int], position: int, column: int) -> bool:
    """The text to the left that would fill this blank spans columns: there is a lower text under it as well."""
    row = rows[position]
    while column > block.left and not block.spread(row, column):
        column -= 1
    return _has_lower(block, rows[position + 1 :], column)
