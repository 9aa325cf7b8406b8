"""Delimited text in bulk: Arrow parses it into columns of texts, if both Arrow and Python's csv must read it alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from converters import arrays
from converters.packed import Packed
from converters.runs import Run

BLOCK, PIECE = 1 << 22, 1 << 20
_BLANK_STARTS = np.zeros(256, bool)
_BLANK_STARTS[[*range(0x09, 0x0E), *range(0x1C, 0x21), 0xC2, 0xE1, 0xE2, 0xE3]] = True
"""The first bytes, in UTF-8, of characters that are white space to Python."""


def string_columns(text: str, start: int, delimiter: str, width: int) -> list[pa.Array[Any]] | None:
    """The columns of a text as csv.reader gives them, white space alone as null; None if there is any doubt.

    Args:
        text: it ends with whole records.
        start: the character at which the first of them begins.
        width: how many fields each must have.
    """
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return None
    first, end = len(text[:start].encode()), raw[-PIECE:]
    raw = raw[first : len(raw) - len(end) + len(end.rstrip(b"\r\n"))]
    quoted = _has_breaks_within(raw, delimiter)
    if quoted is None:
        return None
    names = [str(number) for number in range(width)]
    try:
        table = csv.read_csv(
            pa.BufferReader(raw),
            read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=BLOCK),
            parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=quoted, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return [_without_white_space(column.combine_chunks()) for column in table.columns]


def filled_rows(columns: Sequence[pa.Array[Any]], row: int) -> tuple[Sequence[int], list[Packed]]:
    """The numbers of the rows that are not blank, the first of all being `row`, and the columns in them."""
    filled = np.zeros(len(columns[0]), np.bool_)
    for column in columns:
        filled |= arrays.valid_in(column)
    if filled.all():
        return range(row, row + len(filled)), [Packed([Run(column)]) for column in columns]
    kept = arrays.of_flags(filled)
    return (filled.nonzero()[0] + row).tolist(), [Packed([Run(column.filter(kept))]) for column in columns]


def _has_breaks_within(raw: bytes, delimiter: str) -> bool | None:
    """Whether there are line breaks between quotation marks; None if anything could be taken in two ways.

    That is a blank line, a line break of another kind than the others, a quotation mark within a field, or a NUL.
    """
    if not raw or not delimiter.isascii() or b"\0" in raw or raw.startswith((b"\xef\xbb\xbf", b"\n", b"\r")):
        return None
    data = np.frombuffer(raw, np.uint8)
    if not all(_are_lines(data[start : start + PIECE + 2], b"\r" in raw) for start in range(0, len(data), PIECE)):
        return None
    if b'"' not in raw:
        return False
    marks = np.flatnonzero(data == ord('"'))
    if not _are_around_fields(data, marks, delimiter):
        return None
    return bool((np.searchsorted(marks, np.flatnonzero(data == ord("\n"))) % 2).any())


def _are_lines(data: np.ndarray[Any, Any], returns: bool) -> bool:
    """No line is blank; all end in CR LF, or in LF alone."""
    breaks, length = data == ord("\n"), 1 + returns
    blank = (breaks[length:] & breaks[:-length]).any()
    return not blank and (not returns or np.array_equal(breaks[1:], data[:-1] == ord("\r")))


def _are_around_fields(data: np.ndarray[Any, Any], marks: np.ndarray[Any, Any], delimiter: str) -> bool:
    """Every quotation mark opens or closes a field or is one of two that stand for one."""
    if len(marks) % 2:
        return False
    edges = np.zeros(256, bool)
    edges[[ord(delimiter), ord("\n"), ord("\r")]] = True
    opening, closing = marks[::2], marks[1::2]
    doubled = closing[:-1] + 1 == opening[1:]
    opens = edges[data[opening - 1]] | (opening == 0)
    closes = edges[data[np.minimum(closing + 1, len(data) - 1)]] | (closing == len(data) - 1)
    return bool(opens[0] and closes[-1] and (opens[1:] | doubled).all() and (closes[:-1] | doubled).all())


def _without_white_space(texts: pa.Array[Any]) -> pa.Array[Any]:
    if not len(arrays.bytes_of(texts)):
        return texts
    suspects = np.flatnonzero(_BLANK_STARTS[arrays.first_bytes_of(texts)] & arrays.valid_in(texts))
    blank = np.zeros(len(texts), np.bool_)
    blank[suspects] = [text.isspace() for text in texts.take(arrays.of_positions(suspects)).to_pylist()]
    return arrays.blanked(texts, blank)
