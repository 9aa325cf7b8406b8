"""Values of a long column as Arrow holds them: a million cells without a million objects.

A packed column reads and changes like a list. What asks for all of it at once (which types, which texts, where a text
stands) has a function here that takes lists as well, so that the code above need not know which of the two it has.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableSequence, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, cast, overload

from converters.model import Scalar, Values

if TYPE_CHECKING:
    import pyarrow as pa

    from converters.arrays import Mask
    from converters.runs import Run

    Part = list[Scalar] | Run

EXACT = 2**53
"""Integers below it are floats without loss."""
MIN_PACKED = 2000
"""A column with fewer values than that is a list."""
PATIENCE = 1024
"""So many single values are taken out of a run before it is unpacked as a whole."""


class Packed(MutableSequence[Scalar]):
    """Values of one column, part by part: lists, and runs of Arrow.

    Args:
        parts: one after the other; it keeps the lists and may change them.
    """

    __slots__ = ("_asked", "_starts", "parts")

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = [part for part in parts if len(part)]
        self._starts = [0, *accumulate(map(len, self.parts))]
        self._asked = 0

    def __len__(self) -> int:
        return self._starts[-1]

    def __iter__(self) -> Iterator[Scalar]:
        for part in self.parts:
            yield from part if isinstance(part, list) else part.unpacked()

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, list | Packed) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Packed({list(self[:20])!r}, … {len(self):,} values)"

    @overload
    def __getitem__(self, index: int) -> Scalar: ...
    @overload
    def __getitem__(self, index: slice) -> Packed: ...
    def __getitem__(self, index: int | slice) -> Scalar | Packed:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self._between(start, max(start, stop)) if step == 1 else self.take(range(start, stop, step))
        number, offset = self._locate(index)
        part = self.parts[number]
        if isinstance(part, list):
            return part[offset]
        self._asked += 1
        if self._asked > PATIENCE:
            return self._unpack(number)[offset]
        return part.value(offset)

    def __setitem__(self, index: int | slice, value: Any) -> None:
        if isinstance(index, slice):
            self._become([*self])[index] = value
            return
        number, offset = self._locate(index)
        self._unpack(number)[offset] = value

    def __delitem__(self, index: int | slice) -> None:
        values = [*self]
        del values[index]
        self._become(values)

    def insert(self, index: int, value: Scalar) -> None:
        """Puts a value before that at `index`."""
        values = [*self]
        values.insert(index, value)
        self._become(values)

    def take(self, positions: Sequence[int]) -> Packed:
        """The values at some positions, which ascend."""
        parts: list[Part] = []
        edges = [bisect_right(positions, start - 1) for start in self._starts]
        for part, start, first, last in zip(self.parts, self._starts, edges, edges[1:], strict=False):
            inside = [position - start for position in positions[first:last]]
            parts.append([part[i] for i in inside] if isinstance(part, list) else part.take(inside))
        return Packed(parts)

    def _between(self, start: int, stop: int) -> Packed:
        parts: list[Part] = []
        for part, first in zip(self.parts, self._starts, strict=False):
            low, high = max(0, start - first), min(len(part), stop - first)
            if low < high:
                parts.append(part[low:high] if isinstance(part, list) else part.part(low, high))
        return Packed(parts)

    def _locate(self, index: int) -> tuple[int, int]:
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError("no such position")
        number = bisect_right(self._starts, index) - 1
        return number, index - self._starts[number]

    def _unpack(self, number: int) -> list[Scalar]:
        part = self.parts[number]
        if not isinstance(part, list):
            part = self.parts[number] = part.unpacked()
        return part

    def _become(self, values: list[Scalar]) -> list[Scalar]:
        self.parts, self._starts = [values], [0, len(values)]
        return values


def row_numbers(rows: Sequence[int]) -> Sequence[int]:
    """The numbers of the rows of a table, in ascending order: of a long one without a gap a range, else a list."""
    even = len(rows) >= MIN_PACKED and rows[-1] - rows[0] == len(rows) - 1
    return range(rows[0], rows[-1] + 1) if even else [*rows]


def parts_of(values: Sequence[Scalar]) -> Sequence[Part]:
    """The parts of a column; a plain list is one."""
    return values.parts if isinstance(values, Packed) else [values if isinstance(values, list) else list(values)]


def changeable(values: Sequence[Scalar]) -> Values:
    """A copy that may be changed."""
    return values[:] if isinstance(values, Packed) else list(values)


def types_of(values: Sequence[Scalar]) -> set[type]:
    """The types of the values, that of None included."""
    if not isinstance(values, Packed):
        return set(map(type, values))
    return set().union(*(set(map(type, part)) if isinstance(part, list) else part.types() for part in values.parts))


def texts_of(values: Sequence[Scalar], pattern: re.Pattern[str] | None = None) -> Counter[str]:
    """The texts among the values and how often each occurs.

    Args:
        pattern: only of those in which it is found; in forms that Arrow's RE2 has as well.
    """
    counts: Counter[str] = Counter()
    for part in parts_of(values):
        if isinstance(part, list):
            known = Counter(part)
            plain = all(type(value) is str for value in known)
            counts.update(known if plain else {v: n for v, n in known.items() if type(v) is str})  # type: ignore[arg-type]
        else:
            more = part.counts(pattern)
            both = {text: counts[text] + more[text] for text in counts.keys() & more.keys()}
            dict.update(counts, more)
            dict.update(counts, both)
    return Counter({text: n for text, n in counts.items() if pattern.search(text)}) if pattern else counts


def found(values: Sequence[Scalar], texts: Collection[str]) -> dict[int, str]:
    """Where some texts stand: position → text."""
    places: dict[int, str] = {}
    start = 0
    for part in parts_of(values) if texts else ():
        if isinstance(part, list):
            places.update({i: v for i, v in enumerate(part, start) if type(v) is str and v in texts})
        else:
            places.update({start + i: text for i, text in part.found(texts).items()})
        start += len(part)
    return places


def where(values: Sequence[Scalar], test: Callable[[Scalar], bool], packed: Callable[[Run], Mask]) -> list[int]:
    """The positions of the values that pass a test.

    Args:
        test: of one value.
        packed: the same of all values of a run.
    """
    positions: list[int] = []
    start = 0
    for part in parts_of(values):
        if isinstance(part, list):
            positions.extend(i for i, value in enumerate(part, start) if test(value))
        else:
            positions.extend((packed(part).nonzero()[0] + start).tolist())
        start += len(part)
    return positions


def blanks(values: Sequence[Scalar]) -> list[int]:
    """The positions of None."""
    return where(values, lambda value: value is None, lambda run: run.blanks())


def mapped(values: Sequence[Scalar], to: Mapping[str, Scalar]) -> Values:
    """The values, with each text that is a key replaced by what it maps to."""
    if not to:
        return changeable(values)
    return _like(
        values,
        [
            [to.get(v, v) if type(v) is str else v for v in part] if isinstance(part, list) else part.mapped(to)
            for part in parts_of(values)
        ],
    )


def count_of(values: Sequence[Scalar], types: Collection[type]) -> int:
    """How many of the values are of some types."""
    return sum(type(value) in types for value in values) if types_of(values) & {*types} else 0


def all_finite(values: Sequence[Scalar]) -> bool:
    """No float is infinite or no number."""
    return all(
        math.isfinite(sum(v for v in part if type(v) is float)) if isinstance(part, list) else part.finite()
        for part in parts_of(values)
    )


def as_floats(values: Sequence[Scalar]) -> Values | None:
    """Integers and floats all as floats; None if an integer is too large for that."""
    parts = [_floats(part) if isinstance(part, list) else part.floats() for part in parts_of(values)]
    return None if any(part is None for part in parts) else _like(values, cast("list[Part]", parts))


def _floats(values: list[Scalar]) -> list[Scalar] | None:
    if any(abs(value) >= EXACT for value in values if type(value) is int):
        return None
    return [float(value) if type(value) is int else value for value in values]


def as_days(values: Sequence[Scalar]) -> Values | None:
    """Points in time as dates; None if one of them is not at midnight."""
    parts = [_days(part) if isinstance(part, list) else part.days() for part in parts_of(values)]
    return None if any(part is None for part in parts) else _like(values, cast("list[Part]", parts))


def _days(values: list[Scalar]) -> list[Scalar] | None:
    if any(value.time() != dt.time() for value in values if type(value) is dt.datetime):
        return None
    return [value.date() if type(value) is dt.datetime else value for value in values]


def _like(values: Sequence[Scalar], parts: Sequence[Part]) -> Values:
    """The parts as the values were: packed or a list."""
    return Packed(parts) if isinstance(values, Packed) else cast("list[Scalar]", parts[0])


def array_of(values: Sequence[Scalar], kind: pa.DataType) -> pa.Array[Any]:
    """The values, all of which fit the type, as one array."""
    import pyarrow as pa

    from converters import arrays

    made = [_array(part, kind) if isinstance(part, list) else part.cast(kind) for part in parts_of(values)]
    return made[0] if len(made) == 1 else pa.concat_arrays(made) if made else arrays.of_list([], kind)


def _array(values: list[Scalar], kind: pa.DataType) -> pa.Array[Any]:
    import pyarrow as pa

    from converters import arrays

    return arrays.of_list(values, kind) if kind in arrays.TYPES.values() else pa.array(values, kind)
