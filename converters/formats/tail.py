"""The rows of a long worksheet below its first ones, as packed columns.

Values and types are those that the reader of the first rows gives; columns of numbers, dates and shared strings never
become objects. What the scan does not take raises NotPlain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from converters import arrays
from converters.formats.excel import Kind, shown_value
from converters.formats.meter import Meter
from converters.formats.patient import column_number
from converters.formats.scan import (
    BOOL,
    ERROR,
    INLINE,
    KEPT,
    NUMBER,
    SHARED,
    TEXT,
    Array,
    Cells,
    NotPlain,
    SheetXml,
    cells_in,
    hidden_rows_in,
)
from converters.formats.strings import inline_texts, shared_strings
from converters.model import Range, Scalar
from converters.packed import Packed
from converters.runs import EXACT, Run, joined
from converters.tables.words import ERRORS

if TYPE_CHECKING:
    from converters.runs import Part

DAY = 86_400_000
FIRST_DAY, LAST_DAY = 61, 2_958_464
"""Days that every program counts alike: 1900-03-01 to 9999-12-30."""
_EPOCH = 25569
_NUMBER = re.compile(r"-?\d{1,400}(?:\.\d{0,400})?(?:[eE][-+]?\d{1,3})?")
FORMS = 8
"""Added to the kind of a number that is shown as a date; twice, for a length of time."""
_IN_NUMBERS = np.zeros(256, np.bool_)
_IN_NUMBERS[list(b"0123456789.+-eE")] = True
_MERGE = re.compile(rb'<mergeCell ref="([A-Z]{1,3})([1-9]\d{0,6}):([A-Z]{1,3})([1-9]\d{0,6})" ?/>')
SPARSE = 8
"""A sheet with so many more places than cells is not read into columns."""


@dataclass
class Tail:
    """What was read.

    Args:
        numbers: the 0-based rows that are not blank.
        columns: their values, from column 0 on.
        styles: the style of each cell, by row; rows that look alike share one list, and a blank has its column's.
        uncalculated: formulas without a value.
        hidden: rows that are hidden, with or without cells.
        merges: the merged ranges of the whole sheet.
    """

    numbers: Sequence[int]
    columns: list[Packed]
    styles: dict[int, list[int]]
    uncalculated: list[tuple[int, int]] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    merges: list[Range] = field(default_factory=list)


def read_tail(sheet: SheetXml, strings: bytes, kinds: Sequence[Kind], meter: Meter) -> Tail | None:
    """The rows of a worksheet below its first ones; None if it has something that is not read in bulk.

    Args:
        strings: the part of the shared strings; empty if there is none.
        kinds: what kind of number each style shows.

    Raises:
        OverLimit: too many cells.
    """
    before = meter.cells, meter.slots
    try:
        reader = _Reader(shared_strings(strings), kinds, meter)
        for xml in sheet.chunks():
            reader.take(cells_in(xml))
            reader.hidden += hidden_rows_in(xml)
        tail = reader.tail()
        tail.merges = _merges(sheet.end)
        return tail
    except (NotPlain, pa.ArrowInvalid, UnicodeDecodeError, OverflowError, IndexError):
        meter.cells, meter.slots = before
        return None


class _Reader:
    def __init__(self, strings: pa.Array[Any], kinds: Sequence[Kind], meter: Meter) -> None:
        self.strings, self.kinds, self.meter = strings, kinds, meter
        self.nothing = arrays.lengths_of(strings) == 0
        self.forms = np.array([FORMS * ("number", "date", "clock").index(kind) for kind in kinds], np.int64)
        self.numbers: list[Array] = []
        self.count = self.cells = self.next = 0
        self.columns: dict[int, list[tuple[int, Part]]] = {}
        self.settled = np.full(0, -1, np.int64)
        self.shared: list[int] = []
        self.alike: dict[bytes, list[int]] = {}
        self.styles: dict[int, list[int]] = {}
        self.uncalculated: list[tuple[int, int]] = []
        self.hidden: list[int] = []

    def take(self, cells: Cells) -> None:
        """Adds the cells of some rows."""
        _demand(cells.rows[0] >= self.next, "rows out of order")
        self.next = cells.rows[-1] + 1
        valued = cells.end > cells.start
        for cell in np.flatnonzero(cells.formula & ~valued & (cells.type != TEXT)):
            self.uncalculated.append((int(cells.rows[cells.row[cell]]), int(cells.column[cell])))
        if not valued.all():
            cells = cells.at(np.flatnonzero(valued))
        codes = self._codes(cells)
        if self.nothing.any() and (blank := self.nothing[codes] & (cells.type == SHARED)).any():
            cells, codes = cells.at(np.flatnonzero(~blank)), codes[~blank]
        if not len(cells.row):
            return
        self.meter.row(len(cells.row), len(cells.row))
        self.cells += len(cells.row)
        begins = np.append(True, cells.row[1:] != cells.row[:-1])
        row, numbers = np.cumsum(begins) - 1, cells.rows[cells.row[begins]]
        self._take_columns(cells, row, codes, len(numbers))
        self._take_styles(cells, row, numbers)
        self.numbers.append(numbers)
        self.count += len(numbers)

    def tail(self) -> Tail:
        """All that was taken."""
        numbers = np.concatenate(self.numbers) if self.numbers else np.zeros(0, np.int64)
        _demand(len(self.columns) * self.count <= SPARSE * self.cells + SPARSE * DAY, "a sparse sheet")
        self.shared[:] = self.settled.tolist()
        columns = [Packed(self._column(column)) for column in range(max(self.columns, default=-1) + 1)]
        even = len(numbers) and numbers[-1] - numbers[0] == len(numbers) - 1
        rows: Sequence[int] = range(int(numbers[0]), int(numbers[-1]) + 1) if even else numbers.tolist()
        return Tail(rows, columns, self.styles, self.uncalculated, self.hidden)

    def _codes(self, cells: Cells) -> Array:
        """Of each cell with a shared string: its number."""
        codes = np.zeros(len(cells.row), np.int64)
        shared = np.flatnonzero(cells.type == SHARED)
        if len(shared):
            codes[shared] = _integers(cells.texts(shared))
            _demand(codes.min() >= 0 and codes.max() < len(self.strings), "a shared string that is missing")
        return codes

    def _take_columns(self, cells: Cells, row: Array, codes: Array, count: int) -> None:
        order = np.argsort(cells.column.astype(np.uint16), kind="stable")
        texts = cells.texts(order)
        column, row, codes = cells.column[order], row[order], codes[order]
        kind = cells.type[order] + self.forms[cells.style[order]] * (cells.type[order] == NUMBER)
        edges = np.flatnonzero(np.append(True, column[1:] != column[:-1])).tolist()
        for start, end in pairwise([*edges, len(column)]):
            part = self._part(kind[start:end], texts.slice(start, end - start), codes[start:end])
            if part is None:
                styles = cells.style[order[start:end]].tolist()
                values = zip(kind[start:end].tolist(), styles, texts.slice(start, end - start).to_pylist(), strict=True)
                part = [
                    self._value(*value, code) for value, code in zip(values, codes[start:end].tolist(), strict=True)
                ]
            spread = part if end - start == count else _spread(part, row[start:end], count)
            self.columns.setdefault(int(column[start]), []).append((self.count, spread))

    def _part(self, kinds: Array, texts: pa.Array[Any], codes: Array) -> Part | None:
        """The values of one column, if they are of one kind and of its usual form."""
        if (kinds != kinds[0]).any():
            return None
        if kinds[0] == SHARED:
            numbers = arrays.of_numbers(codes.astype(np.int32), pa.int32())
            return Run(pa.DictionaryArray.from_arrays(numbers, self.strings))
        if kinds[0] in (TEXT, INLINE, KEPT):
            return _texts(texts, int(kinds[0]))
        return _numbers(texts) if kinds[0] == NUMBER else _moments(texts) if kinds[0] == NUMBER + FORMS else None

    def _value(self, kind: int, style: int, text: str, code: int) -> Scalar:
        """The value of one cell."""
        if kind == SHARED:
            return self.strings[code].as_py()  # type: ignore[no-any-return]
        if kind in (TEXT, INLINE, KEPT):
            return _said([text], kind)[0]
        if kind in (BOOL, ERROR):
            _demand(text in ("0", "1") if kind == BOOL else text in ERRORS, f"a cell of {text}")
            return text == "1" if kind == BOOL else text
        _demand(bool(_NUMBER.fullmatch(text)), f"a number {text}")
        if kind != NUMBER:
            return shown_value(float(text), self.kinds[style])
        return int(text) if text.lstrip("-").isdigit() and -(2**63) <= int(text) < 2**63 else float(text)

    def _take_styles(self, cells: Cells, row: Array, numbers: Array) -> None:
        missing = int(cells.column.max()) + 1 - len(self.settled)
        if missing > 0:
            self.settled = np.append(self.settled, np.full(missing, -1))
        fresh = self.settled[cells.column] < 0
        self.settled[cells.column[fresh][::-1]] = cells.style[fresh][::-1]
        self.styles.update(dict.fromkeys(numbers.tolist(), self.shared))
        odd = np.flatnonzero(cells.style != self.settled[cells.column])
        if not len(odd):
            return
        rows, place = np.unique(row[odd], return_inverse=True)
        _demand(len(rows) * len(self.settled) <= SPARSE * len(row) + SPARSE * DAY, "a sparse sheet")
        looks = np.tile(self.settled, (len(rows), 1))
        looks[place, cells.column[odd]] = cells.style[odd]
        for number, look in zip(numbers[rows].tolist(), looks, strict=True):
            self.styles[number] = self.alike.setdefault(look.tobytes(), look.tolist())

    def _column(self, column: int) -> list[Part]:
        """The parts of a column, in as few pieces as may be."""
        parts: list[Part] = []
        known = 0
        for start, part in self.columns.get(column, []):
            if start > known:
                parts.append(Run(pa.nulls(start - known)))
            parts.append(part)
            known = start + len(part)
        if known < self.count:
            parts.append(Run(pa.nulls(self.count - known)))
        return joined(parts)


def _merges(xml: bytes) -> list[Range]:
    """The merged ranges that the XML after the rows names."""
    found = [(m[1].decode(), int(m[2]), m[3].decode(), int(m[4])) for m in _MERGE.finditer(xml)]
    _demand(len(found) == xml.count(b"mergeCell ") and b"</worksheet>" in xml, "an end of another form")
    return [Range(top - 1, column_number(left), bottom - 1, column_number(right)) for left, top, right, bottom in found]


def _demand(holds: bool | np.bool_, what: str) -> None:
    if not holds:
        raise NotPlain(what)


def _spread(part: Part, rows: Array, count: int) -> Part:
    """The values in their rows, None in the others."""
    if isinstance(part, list):
        values: list[Scalar] = [None] * count
        for row, value in zip(rows.tolist(), part, strict=True):
            values[row] = value
        return values
    positions, valid = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    positions[rows], valid[rows] = np.arange(len(rows)), True
    return part.take(positions, valid)


def _integers(texts: pa.Array[Any]) -> Array:
    _demand(_IN_NUMBERS[arrays.bytes_of(texts)].all(), "no number")
    return np.frombuffer(texts.cast(pa.int64()).buffers()[1], np.int64)


def _numbers(texts: pa.Array[Any]) -> Run | None:
    """Integers, or floats of which some may be integers; None if they need a closer look."""
    data = arrays.bytes_of(texts)
    if not _IN_NUMBERS[data].all():
        return None
    exponent = bool((data | 32 == ord("e")).any())
    try:
        if not exponent and not (data == ord(".")).any():
            return Run(texts.cast(pa.int64()))
        floats = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    broken = pc.match_substring_regex(texts, "[.eE]") if exponent else pc.match_substring(texts, ".")
    whole = ~arrays.flags_of(broken)
    values = np.frombuffer(floats.buffers()[1], np.float64)[whole]
    if (np.abs(values) >= EXACT).any() or (np.signbit(values) & (values == 0)).any():
        return None
    return Run(floats, arrays.of_flags(whole) if whole.any() else None)


def _moments(texts: pa.Array[Any]) -> Run | None:
    """Dates, or points in time none of which is at midnight; None if they need a closer look."""
    if not _IN_NUMBERS[arrays.bytes_of(texts)].all():
        return None
    try:
        serials = np.frombuffer(texts.cast(pa.float64()).buffers()[1], np.float64)
    except pa.ArrowInvalid:
        return None
    if not ((serials >= FIRST_DAY) & (serials <= LAST_DAY)).all():
        return None
    moments = np.rint(serials * 86400 * 1000).astype(np.int64) - _EPOCH * DAY
    rest = moments % DAY
    if not rest.any():
        return Run(arrays.of_numbers((moments // DAY).astype(np.int32), pa.date32()))
    return Run(arrays.of_numbers(moments * 1000, pa.timestamp("us"))) if rest.all() else None


def _texts(texts: pa.Array[Any], kind: int) -> Run:
    coded = texts.dictionary_encode()
    known = arrays.of_list(_said(coded.dictionary.to_pylist(), kind), pa.string())
    return Run(pa.DictionaryArray.from_arrays(coded.indices, known).dictionary_decode())


def _said(texts: Sequence[str], kind: int) -> list[str]:
    said = inline_texts(texts, kind)
    _demand(all(said), "a text of nothing")
    return said
