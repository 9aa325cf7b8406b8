"""The cells in the XML of a worksheet, found in bulk by NumPy.

Only the plain form is taken, which is what spreadsheet programs and exports write: rows with their number, in order,
and in them cells with their address, in order, each with a value, a formula, both or none. All else raises NotPlain:
then the sheet is read another way. Source: ECMA-376 part 1, 18.3.1.4 (c), 18.3.1.73 (row), 18.18.11 (ST_CellType).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa

from converters import arrays

Array = np.ndarray[Any, Any]

CHUNK = 1 << 20
LONGEST_ROW = 1 << 26
TYPES = (b"n", b"s", b"str", b"b", b"e", b"inlineStr")
NUMBER, SHARED, TEXT, BOOL, ERROR, INLINE, KEPT = range(7)
"""Positions in TYPES; KEPT is an inline text whose white space at the ends counts."""
LONGEST_ATTRIBUTES = 24
MARGIN = 32

ROW, ROW_END, CELL, CELL_END, VALUE, VALUE_END, FORMULA, FORMULA_END, ITEM, ITEM_END, LINE, LINE_END = range(1, 13)
EMPTY = 16
"""Added to the kind of a tag that closes itself: <c r="A1" s="3"/>."""
_NAMES = {
    b"ro": ROW, b"/r": ROW_END, b"c ": CELL, b"/c": CELL_END, b"/v": VALUE_END, b"/f": FORMULA_END,
    b"v>": VALUE, b"v/": VALUE + EMPTY, b"v ": VALUE + EMPTY, b"f>": FORMULA, b"f ": FORMULA, b"f/": FORMULA + EMPTY,
    b"is": ITEM, b"/i": ITEM_END, b"t>": LINE, b"t ": LINE, b"/t": LINE_END,
}  # fmt: skip
_FOLLOWS = {
    ROW: (CELL, CELL + EMPTY, ROW_END),
    ROW + EMPTY: (ROW, ROW + EMPTY),
    ROW_END: (ROW, ROW + EMPTY),
    CELL: (VALUE, VALUE + EMPTY, FORMULA, FORMULA + EMPTY, ITEM, CELL_END),
    CELL + EMPTY: (CELL, CELL + EMPTY, ROW_END),
    CELL_END: (CELL, CELL + EMPTY, ROW_END),
    VALUE: (VALUE_END,),
    VALUE + EMPTY: (CELL_END,),
    VALUE_END: (CELL_END,),
    FORMULA: (FORMULA_END,),
    FORMULA + EMPTY: (VALUE, VALUE + EMPTY, CELL_END),
    FORMULA_END: (VALUE, VALUE + EMPTY, CELL_END),
    ITEM: (LINE,),
    LINE: (LINE_END,),
    LINE_END: (ITEM_END,),
    ITEM_END: (CELL_END,),
}
_KIND = np.zeros(1 << 16, np.uint8)
for _name, _kind in _NAMES.items():
    _KIND[_name[0] | _name[1] << 8] = _kind
_MAY_FOLLOW = np.zeros(1024, bool)
for _kind, _next in _FOLLOWS.items():
    _MAY_FOLLOW[[_kind << 5 | following for following in _next]] = True
_LENGTH = np.zeros(32, np.uint8)
_LENGTH[[ROW_END, CELL_END, VALUE_END, FORMULA_END, ITEM, ITEM_END, LINE_END]] = [6, 4, 4, 4, 4, 5, 4]
_MIX = np.uint64(0x9E3779B97F4A7C15)
_BYTES = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
_EMPTY_END, _FORMULA_WITH_ATTRIBUTES, _LINE_WITH_ATTRIBUTES = (
    int.from_bytes(name, "little") for name in (b"/>", b"f ", b"t ")
)
_ROW_START = np.uint64(int.from_bytes(b'<row r="', "little"))
_CELL_START = np.uint64(int.from_bytes(b'<c r="', "little"))
_HIDDEN = re.compile(rb'<row r="(\d{1,7})"[^>]* hidden="(?:1|true)"')
_KEPT = b'<t xml:space="preserve">'
_ATTRIBUTES = re.compile(rb'(?: s="(\d{1,5})"| t="([a-zA-Z]{1,9})"){0,2}')


class NotPlain(Exception):
    """The sheet has something that is not read in bulk."""


@dataclass
class Cells:
    """The cells of some rows, blank ones (<c r="A1" s="3"/>) left out.

    Args:
        xml: what they were found in.
        rows: the 0-based number of each row, in ascending order.
        row: of each cell, the position of its row in `rows`.
        column / style / type: of each cell; the type is a position in TYPES.
        start / end: of each cell, where in `xml` its value is; equal if it has none.
        formula: whether it has one.
    """

    xml: bytes
    rows: Array
    row: Array
    column: Array
    style: Array
    type: Array
    start: Array
    end: Array
    formula: Array

    def at(self, places: Array) -> Cells:
        """Some of the cells."""
        parts = (self.row, self.column, self.style, self.type, self.start, self.end, self.formula)
        return Cells(self.xml, self.rows, *(part[places] for part in parts))

    def texts(self, places: Array) -> pa.Array[Any]:
        """What is between the tags of some cells; all cells of this have a value."""
        ends = np.stack([self.start, self.end], axis=1).astype(np.int32).ravel()
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(self.xml)]
        between = pa.Array.from_buffers(pa.string(), max(0, len(ends) - 1), buffers)
        return between.take(arrays.of_positions(2 * places))


class SheetXml:
    """The XML of a worksheet, cut where its first rows end.

    Args:
        stream: the part of the sheet.
        first: the row (0-based) at which what is read in bulk begins.

    Raises:
        NotPlain: that row is not to be found.
    """

    def __init__(self, stream: IO[bytes], first: int) -> None:
        self._stream, self._rest = stream, b""
        self.head, self.end = b"", b""
        """What is before that row, and, once all rows were read, what is after the last."""
        while data := stream.read(CHUNK):
            known = max(0, self._rest.rfind(b"<row "))
            self._rest += data
            rows = re.finditer(rb'<row r="(\d{1,7})"', self._rest[known:])
            begin = next((known + m.start() for m in rows if int(m[1]) > first), 0)
            _demand(begin > 0 or len(self._rest) < LONGEST_ROW, "rows of another form")
            if begin:
                self.head, self._rest = self._rest[:begin], self._rest[begin:]
                return
        raise NotPlain("no rows below the first ones")

    def chunks(self) -> Iterator[bytes]:
        """The XML of whole rows, about a megabyte at a time.

        Raises:
            NotPlain: they are not to be found.
        """
        rest, data = self._rest, b"\0"
        while data:
            end = rest.find(b"</sheetData>")
            cut = end if end >= 0 else rest.rfind(b"<row ")
            if cut > 0:
                yield rest[:cut]
                rest = rest[cut:]
            if end >= 0:
                self.end = rest + self._stream.read(LONGEST_ROW)
                return
            _demand(len(rest) < LONGEST_ROW, "rows of another form")
            data = self._stream.read(CHUNK)
            rest += data
        raise NotPlain("no end of the rows")


def hidden_rows_in(xml: bytes) -> list[int]:
    """The 0-based numbers of the rows of a chunk that are hidden."""
    return [int(m[1]) - 1 for m in _HIDDEN.finditer(xml)] if b' hidden="' in xml else []


def cells_in(xml: bytes) -> Cells:
    """The cells of a chunk of whole rows.

    Raises:
        NotPlain: the rows are of another form.
    """
    data = _Bytes(xml)
    tags = np.flatnonzero(np.frombuffer(xml, np.uint8) == ord("<"))
    ends = np.append(tags[1:], len(xml))
    kinds = _kinds(data, tags, ends)
    starts = (kinds == ROW) | (kinds == ROW + EMPTY)
    rows, digits, lengths = _rows(data, tags[starts])
    at = np.flatnonzero(kinds == CELL)
    row = np.cumsum(starts)[at] - 1
    column, after = _addresses(data, tags[at], digits[row], lengths[row])
    _demand(((column[1:] > column[:-1]) | (row[1:] > row[:-1])).all(), "cells out of order")
    style, kind = _attributes(xml, data, after, ends[at] - 1)
    place = at + 1
    formula = kinds[place] & 15 == FORMULA
    if formula.any():
        place = place + np.where(formula, np.where(kinds[place] == FORMULA, 2, 1), 0)
    inline = kinds[place] == ITEM
    place, skip = place + inline, np.full(len(place), 3)
    _demand((inline <= (kind == INLINE)).all(), "an inline text of another type")
    if inline.any():
        kept = inline & (data.at(tags[place], 2, 1) == _LINE_WITH_ATTRIBUTES)
        kind, skip = np.where(kept, KEPT, kind), np.where(kept, len(_KEPT), skip)
        _demand(
            all((data.at(tags[place[kept]], shift=n) == _word(_KEPT[n : n + 8])).all() for n in (0, 8, 16)), "a text"
        )
    valued = inline | ((kinds[place] == VALUE) & (kind != INLINE))
    _demand((valued | (kind != INLINE)).all(), "an inline text elsewhere")
    start, end = np.where(valued, tags[place] + skip, 0), np.where(valued, ends[place], 0)
    return Cells(xml, rows, row, column, style, kind, start, end, formula)


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


class _Bytes:
    """Bytes with numbers of several of them read from any position."""

    def __init__(self, xml: bytes) -> None:
        self._padded = bytes(MARGIN) + xml + bytes(LONGEST_ATTRIBUTES + MARGIN)

    def at(self, positions: Array, width: int = 8, shift: int = 0) -> Array:
        """The number that `width` bytes from each position + shift on make, the first byte the lowest."""
        count = len(self._padded) - 2 * MARGIN
        view = np.ndarray((count,), f"<u{width}", self._padded, offset=MARGIN + shift, strides=(1,))
        return view[positions]


def _demand(holds: bool | np.bool_, what: str) -> None:
    if not holds:
        raise NotPlain(what)


def _kinds(data: _Bytes, tags: Array, ends: Array) -> Array:
    """What each tag is: only such may follow one another, and only values and formulas have a text."""
    names, closes = data.at(tags, 2, 1), data.at(ends, 2, -2)
    kinds = _KIND[names]
    empty, textual = closes == _EMPTY_END, (kinds == VALUE) | (kinds == FORMULA) | (kinds == LINE)
    _demand((empty | (kinds < EMPTY)).all(), "a value with attributes")
    _demand((textual | (closes >> 8 == ord(">"))).all(), "text between tags")
    if empty.any():
        kinds = kinds + EMPTY * (empty & ((kinds == ROW) | (kinds == CELL) | (names == _FORMULA_WITH_ATTRIBUTES)))
    lengths = _LENGTH[kinds]
    _demand(((lengths == ends - tags) | (lengths == 0)).all(), "text between tags")
    whole = len(kinds) and kinds[0] in (ROW, ROW + EMPTY) and kinds[-1] in (ROW_END, ROW + EMPTY)
    _demand(bool(whole), "no whole rows")
    _demand(_MAY_FOLLOW[kinds[:-1].astype(np.uint16) << 5 | kinds[1:]].all(), "other elements")
    return kinds


def _rows(data: _Bytes, starts: Array) -> tuple[Array, Array, Array]:
    """The number of each row, its digits with the quotation mark after them, and how many digits there are."""
    _demand((data.at(starts) == _ROW_START).all(), "a row without number")
    digits = data.at(starts, shift=8)
    numbers, lengths, going = (
        np.zeros(len(starts), np.int64),
        np.zeros(len(starts), np.int64),
        np.ones(len(starts), np.bool_),
    )
    for place in range(8):
        byte = (digits >> np.uint64(8 * place) & np.uint64(255)).astype(np.int64)
        going = going & (byte >= ord("0")) & (byte <= ord("9"))
        numbers = np.where(going, numbers * 10 + byte - ord("0"), numbers)
        lengths = lengths + going
    _demand(((lengths > 0) & (lengths < 8)).all(), "a row without number")
    digits = digits & _BYTES[lengths + 1]
    _demand((digits >> (lengths * 8).astype(np.uint64) == ord('"')).all(), "a row without number")
    _demand((np.diff(numbers) > 0).all(), "rows out of order")
    return numbers - 1, digits, lengths


def _addresses(data: _Bytes, starts: Array, digits: Array, lengths: Array) -> tuple[Array, Array]:
    """The column of each cell, and where its address ends; its row is the one that it is in."""
    _demand((data.at(starts) & _BYTES[6] == _CELL_START).all(), "a cell without address")
    address = data.at(starts, shift=6)
    first, second, third = ((address >> np.uint64(8 * n) & np.uint64(255)).astype(np.int64) - 64 for n in range(3))
    _demand(((first > 0) & (first <= 26)).all(), "a cell without address")
    two = (second > 0) & (second <= 26)
    three = two & (third > 0) & (third <= 26)
    column = np.where(two, first * 26 + second, first)
    column = np.where(three, column * 26 + third, column) - 1
    after = starts + 7 + two + three
    _demand((data.at(after) & _BYTES[lengths + 1] == digits).all(), "a cell of another row")
    return column, after + lengths + 1


def _attributes(xml: bytes, data: _Bytes, starts: Array, ends: Array) -> tuple[Array, Array]:
    """The style and the type of each cell: few different texts, each of which is read once."""
    lengths = ends - starts
    _demand((lengths <= LONGEST_ATTRIBUTES).all(), "long attributes")
    parts = [data.at(starts, shift=n) & _BYTES[np.clip(lengths - n, 0, 8)] for n in range(0, lengths.max(initial=1), 8)]
    keys = parts[0]
    for part in parts[1:]:
        keys = keys * _MIX ^ part
    codes = np.frombuffer(arrays.of_numbers(keys, pa.uint64()).dictionary_encode().indices.buffers()[1], np.int32)
    example = np.zeros(int(codes.max(initial=-1)) + 1, np.int64)
    example[codes[::-1]] = np.arange(len(codes))[::-1]
    _demand(all((part == part[example][codes]).all() for part in parts), "attributes of one key")
    read = [_read_attributes(xml[starts[cell] : ends[cell]]) for cell in example]
    table = np.array(read, np.int64).reshape(-1, 2)
    return table[codes, 0], table[codes, 1]


def _read_attributes(text: bytes) -> tuple[int, int]:
    found = _ATTRIBUTES.fullmatch(text)
    if found is None or (found[2] or b"n") not in TYPES:
        raise NotPlain(f"attributes {text!r}")
    return int(found[1] or 0), TYPES.index(found[2] or b"n")
