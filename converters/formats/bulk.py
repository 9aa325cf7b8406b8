"""Delimited text in bulk: Arrow parses it into columns of texts, if both Arrow and Python's csv must read it alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from converters.packed import Packed, Run

_BLANK_STARTS = np.zeros(256, bool)
_BLANK_STARTS[[*range(0x09, 0x0E), *range(0x1C, 0x21), 0xC2, 0xE1, 0xE2, 0xE3]] = True
"""The first bytes, in UTF-8, of characters that are white space to Python."""


def string_columns(text: str, delimiter: str, width: int) -> list[pa.Array[Any]] | None:
    """The columns of a text as csv.reader gives them, white space alone as null; None if there is any doubt.

    Args:
        text: whole records.
        width: how many fields each must have.
    """
    try:
        raw = text.rstrip("\r\n").encode()
    except UnicodeEncodeError:
        return None
    quoted = _quotation(raw, delimiter) if delimiter.isascii() and _is_plain(raw) else None
    if quoted is None:
        return None
    names = [str(number) for number in range(width)]
    try:
        table = csv.read_csv(
            pa.BufferReader(raw),
            read_options=csv.ReadOptions(column_names=names, use_threads=False),
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
    blank = columns[0].is_null()
    for column in columns[1:]:
        blank = pc.and_(blank, column.is_null())
    if not pc.any(blank).as_py():
        return range(row, row + len(blank)), [Packed([Run(column)]) for column in columns]
    filled = pc.invert(blank)
    return (pc.indices_nonzero(filled).to_numpy() + row).tolist(), [Packed([Run(c.filter(filled))]) for c in columns]


def _is_plain(raw: bytes) -> bool:
    """It has records, none of them empty, and no character that the two might take in different ways."""
    odd = b"\0" in raw or raw.startswith((b"\xef\xbb\xbf", b"\n", b"\r")) or raw.count(b"\r") != raw.count(b"\r\n")
    return bool(raw) and not odd and b"\n\n" not in raw and b"\n\r\n" not in raw


def _quotation(raw: bytes, delimiter: str) -> bool | None:
    """Whether there are line breaks between quotation marks; None if one of the marks stands within a field."""
    if b'"' not in raw:
        return False
    data = np.frombuffer(raw, np.uint8)
    marks = np.flatnonzero(data == ord('"'))
    if len(marks) % 2:
        return None
    edges = np.zeros(256, bool)
    edges[[ord(delimiter), ord("\n"), ord("\r")]] = True
    opening, closing = marks[::2], marks[1::2]
    doubled = closing[:-1] + 1 == opening[1:]
    before = edges[data[opening - 1]] | (opening == 0)
    after = edges[data[np.minimum(closing + 1, len(data) - 1)]] | (closing == len(data) - 1)
    if not (before[1:] | doubled).all() or not before[0] or not (after[:-1] | doubled).all() or not after[-1]:
        return None
    breaks = np.flatnonzero(data == ord("\n"))
    return bool((np.searchsorted(marks, breaks) % 2).any())


def _without_white_space(texts: pa.Array[Any]) -> pa.Array[Any]:
    _, offsets, data = texts.buffers()
    if data is None or not data.size:
        return texts
    starts = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts)]
    first = np.frombuffer(data, np.uint8)[np.minimum(starts, data.size - 1)]
    suspects = np.flatnonzero(_BLANK_STARTS[first] & texts.is_valid().to_numpy(zero_copy_only=False))
    blank = [
        i
        for i, text in zip(suspects.tolist(), texts.take(pa.array(suspects)).to_pylist(), strict=True)
        if text.isspace()
    ]
    if not blank:
        return texts
    mask = np.zeros(len(texts), bool)
    mask[blank] = True
    return pc.if_else(pa.array(mask), pa.scalar(None, pa.string()), texts)
