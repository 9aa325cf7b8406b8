"""csv, tsv and other delimited text: the delimiter is the one under which most rows agree in their number of fields.

The first rows are read one by one. The rest goes through Arrow, column by column, if its form leaves no doubt: the same
number of fields in each row, and quotation marks only around whole fields.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from converters.document import Document
from converters.encoding import decode, sniff
from converters.errors import Broken
from converters.formats.meter import Meter
from converters.formats.ragged import joined, overlong, problem
from converters.formats.spaced import aligned_rows
from converters.grid import Grid, LongRows
from converters.model import Problem, Scalar
from converters.options import Options
from converters.packed import Packed

DELIMITERS = ",\t;|"
SAMPLE = 1 << 16
FIRST_ROWS = 1500
LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
csv.field_size_limit(1 << 27)


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid: a row is a record, so row 5 is the fifth record, as a spreadsheet program shows it.

    Raises:
        Broken: no text.
        OverLimit: too many cells.
    """
    data = document.head if options.max_rows else document.content
    text = decode(data).lstrip("\ufeff")
    if not text or text.isspace():
        raise Broken(f"{document.name} holds white space only.", "Ask the sender to send it again.")
    grid = Grid(document.stem, textual=True)
    if "\ufffd" in text:
        grid.problems.append(_undecodable(text, sniff(data)))
    stated, text = _stated_delimiter(text)
    meter = Meter(document.name, options.limits)
    delimiter = stated or find_delimiter(text[:SAMPLE])
    if stated is None and (rows := _aligned(text, delimiter)):
        for row, values in islice(rows.items(), options.max_rows):
            meter.row(len(values), len(values))
            grid.rows[row] = values
        yield grid
        return
    _read_rows(grid, text, delimiter, int(stated is not None), meter, options.max_rows)
    _mend_ragged(grid, document.name, delimiter)
    yield grid


def _aligned(text: str, delimiter: str) -> dict[int, list[Scalar]] | None:
    """The rows of a text that spaces or boxes divide where no delimiter divides all of its lines alike."""
    sample = _whole(text[:SAMPLE])
    agreeing, _ = _agreement(sample, delimiter)
    return aligned_rows(text) if agreeing < 1 and aligned_rows(sample) else None


def _mend_ragged(grid: Grid, name: str, delimiter: str) -> None:
    """Rows longer than their header get their thousands back if only one reading is possible; else they are told."""
    width, body, long = overlong(grid.rows.first if isinstance(grid.rows, LongRows) else grid.rows)
    if not long:
        return
    whole = delimiter == "," and not isinstance(grid.rows, LongRows)
    mended = joined({number: grid.rows[number] for number in body}, width) if whole else None
    if mended is None:
        grid.problems.append(problem(name, long, width))
        return
    grid.rows.update(mended)
    grid.notices.append(
        Problem(
            "thousands_joined",
            f"{name} has figures such as 1,000 that are not in quotation marks, the first in row {long[0] + 1}. They "
            "were put together in the only way in which all rows are as long as the header.",
            "Nothing to do.",
        )
    )


def _read_rows(grid: Grid, text: str, delimiter: str, start: int, meter: Meter, max_rows: int | None) -> None:
    """All records, the first of them in row `start`; those after the first ones in bulk if possible."""
    lines = Lines(text)
    first: dict[int, list[Scalar]] = {}
    grid.rows = first
    for row, fields in enumerate(csv.reader(lines, delimiter=delimiter), start):
        if max_rows and row >= max_rows:
            break
        values: list[Scalar] = [f if f and not f.isspace() else None for f in fields]
        used = len(values) - values.count(None)
        meter.row(used, len(values))
        if used:
            first[row] = values
        if row == FIRST_ROWS and (below := _in_bulk(text, lines.read, delimiter, len(fields), row + 1, meter)):
            grid.rows = LongRows(first, *below)
            break


def _in_bulk(
    text: str, start: int, delimiter: str, width: int, row: int, meter: Meter
) -> tuple[Sequence[int], Sequence[Packed]] | None:
    """Row numbers and columns of the text from `start` on, as LongRows has them; None if it takes a closer look."""
    from converters.formats.bulk import filled_rows, string_columns

    columns = string_columns(text, start, delimiter, width)
    if columns is None:
        return None
    meter.row(sum(len(c) - c.null_count for c in columns), len(columns) * len(columns[0]))
    return filled_rows(columns, row)


class Lines:
    """The lines of a text, one by one.

    Args:
        text: with line ends of any kind.
    """

    def __init__(self, text: str) -> None:
        self.read = 0
        """How many characters the lines read so far have."""
        self._text = text

    def __iter__(self) -> Iterator[str]:
        for line in LINE.finditer(self._text):
            self.read = line.end()
            yield line[0]


def find_delimiter(sample: str) -> str:
    """The delimiter of a text: the one whose rows agree most, then the one with most fields; "," if none divides."""
    whole = _whole(sample)
    best = max(DELIMITERS, key=lambda delimiter: _agreement(whole, delimiter))
    return best if _agreement(whole, best)[0] else ","


def _whole(sample: str) -> str:
    """The lines of a sample that are sure to be whole."""
    return sample[: sample.rfind("\n")] if "\n" in sample else sample


def _agreement(lines: str, delimiter: str) -> tuple[float, int]:
    """The share of the rows that agree in their number of fields, if it is more than one, and that number."""
    try:
        counts = [len(row) for row in csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error:
        return 0.0, 0
    several = Counter(n for n in counts if n > 1)
    fields, rows = max(several.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return rows / max(1, len(counts)), fields


def _stated_delimiter(text: str) -> tuple[str | None, str]:
    """Excel's own first line "sep=;" and the text below it."""
    if found := re.match(r'"?sep=(.)"?\r?\n', text, re.I):
        return found[1], text[found.end() :]
    return None, text


def _undecodable(text: str, encoding: str) -> Problem:
    return Problem(
        "undecodable_text",
        f"{text.count(chr(0xFFFD))} characters could not be decoded as {encoding}.",
        "Ask the sender to export as UTF-8.",
    )
