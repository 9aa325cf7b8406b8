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

EXACT = 2**53
"""Integers below it are floats without loss."""
MIN_PACKED = 2000
"""A column with fewer values than that is a list."""
PATIENCE = 1024
"""So many single values are taken out of a packed run before it is unpacked as a whole."""


class Run:
    """Some values of one type.

    Args:
        array: integers, floats, booleans, texts (dictionaries of them, too), dates or times; null is None.
        whole: which of the floats are integers in the file: a cell that holds 5 is not one that holds 5.0.
    """

    __slots__ = ("array", "whole")

    def __init__(self, array: pa.Array[Any], whole: pa.Array[Any] | None = None) -> None:
        self.array, self.whole = array, whole

    def __len__(self) -> int:
        return len(self.array)

    def part(self, start: int, stop: int) -> Run:
        """The values from `start` up to `stop`."""
        whole = None if self.whole is None else self.whole.slice(start, stop - start)
        return Run(self.array.slice(start, stop - start), whole)

    def take(self, positions: pa.Array[Any]) -> Run:
        """The values at some positions."""
        return Run(self.array.take(positions), None if self.whole is None else self.whole.take(positions))

    def unpacked(self) -> list[Scalar]:
        """The values as a list."""
        import pyarrow as pa

        if isinstance(self.array, pa.DictionaryArray):
            texts = [*self.array.dictionary.to_pylist(), None]
            return [texts[code] for code in self.array.indices.fill_null(-1).to_pylist()]
        values: list[Scalar] = self.array.to_pylist()
        if self.whole is not None:
            values = [int(v) if w else v for v, w in zip(values, self.whole.to_pylist(), strict=True)]  # type: ignore[arg-type]
        return values

    def texts(self) -> pa.Array[Any]:
        """The array with dictionaries resolved."""
        import pyarrow as pa

        return self.array.dictionary_decode() if isinstance(self.array, pa.DictionaryArray) else self.array

    def types(self) -> set[type]:
        """The types of the values, that of None included."""
        found: set[type] = {type(None)} if self.array.null_count else set()
        if self.array.null_count == len(self.array):
            return found
        if self.whole is not None:
            import pyarrow.compute as pc

            some, every = pc.any(self.whole).as_py(), pc.all(self.whole).as_py()
            return found | ({int} if some else set()) | ({float} if not every else set())
        return found | {_type_of(self.array.type)}


Part = list[Scalar] | Run


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
            yield from part.unpacked() if isinstance(part, Run) else part

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
        return part.part(offset, offset + 1).unpacked()[0]

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
        import pyarrow as pa

        parts: list[Part] = []
        edges = [bisect_right(positions, start - 1) for start in self._starts]
        for part, start, first, last in zip(self.parts, self._starts, edges, edges[1:], strict=False):
            inside = [position - start for position in positions[first:last]]
            parts.append(part.take(pa.array(inside)) if isinstance(part, Run) else [part[i] for i in inside])
        return Packed(parts)

    def _between(self, start: int, stop: int) -> Packed:
        parts: list[Part] = []
        for part, first in zip(self.parts, self._starts, strict=False):
            low, high = max(0, start - first), min(len(part), stop - first)
            if low < high:
                parts.append(part.part(low, high) if isinstance(part, Run) else part[low:high])
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
        if isinstance(part, Run):
            part = self.parts[number] = part.unpacked()
        return part

    def _become(self, values: list[Scalar]) -> list[Scalar]:
        self.parts, self._starts = [values], [0, len(values)]
        return values


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
    return set().union(*(part.types() if isinstance(part, Run) else set(map(type, part)) for part in values.parts))


def texts_of(values: Sequence[Scalar], pattern: re.Pattern[str] | None = None) -> Counter[str]:
    """The texts among the values and how often each occurs.

    Args:
        pattern: only of those in which it is found; in forms that Arrow's RE2 has as well.
    """
    counts: Counter[str] = Counter()
    for part in parts_of(values):
        if isinstance(part, list):
            found = Counter(part)
            plain = all(type(value) is str for value in found)
            counts.update(found if plain else {v: n for v, n in found.items() if type(v) is str})  # type: ignore[arg-type]
        elif str in part.types():
            texts, numbers = _found_in(part, pattern).value_counts().flatten()
            counts.update(dict(zip(texts.to_pylist(), numbers.to_pylist(), strict=True)))
    del counts[None]
    return Counter({t: n for t, n in counts.items() if pattern.search(t)}) if pattern else counts


def _found_in(run: Run, pattern: re.Pattern[str] | None) -> pa.Array[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pattern is None or isinstance(run.array, pa.DictionaryArray):
        return run.array
    ignore_case = bool(pattern.flags & re.IGNORECASE)
    return run.array.filter(pc.match_substring_regex(run.array, pattern.pattern, ignore_case=ignore_case))


def found(values: Sequence[Scalar], texts: Collection[str]) -> dict[int, str]:
    """Where some texts stand: position → text."""
    places: dict[int, str] = {}
    start = 0
    for part in parts_of(values) if texts else ():
        if isinstance(part, list):
            places.update({i: v for i, v in enumerate(part, start) if type(v) is str and v in texts})
        elif str in part.types():
            import pyarrow as pa
            import pyarrow.compute as pc

            at = pc.indices_nonzero(pc.is_in(part.texts(), value_set=pa.array(sorted(texts), pa.string())))
            places.update({start + i.as_py(): part.texts()[i.as_py()].as_py() for i in at})
        start += len(part)
    return places


def where(values: Sequence[Scalar], test: Callable[[Scalar], bool], packed: Callable[[Run], Any]) -> list[int]:
    """The positions of the values that pass a test.

    Args:
        test: of one value.
        packed: the same of a run: a boolean array.
    """
    positions: list[int] = []
    start = 0
    for part in parts_of(values):
        if isinstance(part, list):
            positions.extend(i for i, value in enumerate(part, start) if test(value))
        else:
            positions.extend((packed(part).to_numpy(zero_copy_only=False).nonzero()[0] + start).tolist())
        start += len(part)
    return positions


def blanks(values: Sequence[Scalar]) -> list[int]:
    """The positions of None."""
    return where(values, lambda value: value is None, lambda run: run.array.is_null())


def mapped(values: Sequence[Scalar], to: Mapping[str, Scalar]) -> Values:
    """The values, with each text that is a key replaced by what it maps to."""
    if not to:
        return changeable(values)
    parts = [
        [to.get(v, v) if type(v) is str else v for v in part] if isinstance(part, list) else _mapped_run(part, to)
        for part in parts_of(values)
    ]
    return _like(values, parts)


def _mapped_run(run: Run, to: Mapping[str, Scalar]) -> Part:
    import pyarrow as pa

    if str not in run.types():
        return run
    coded = run.array if isinstance(run.array, pa.DictionaryArray) else run.array.dictionary_encode()
    known = [to.get(text, text) for text in coded.dictionary.to_pylist()]
    kinds = set(map(type, known)) - {type(None)}
    if len(kinds) > 1:
        return [None if code < 0 else known[code] for code in coded.indices.fill_null(-1).to_pylist()]
    return Run(pa.array(known, arrow_types()[kinds.pop() if kinds else str]).take(coded.indices))


def count_of(values: Sequence[Scalar], types: Collection[type]) -> int:
    """How many of the values are of some types."""
    return sum(type(value) in types for value in values) if types_of(values) & {*types} else 0


def all_finite(values: Sequence[Scalar]) -> bool:
    """No float is infinite or no number."""
    for part in parts_of(values):
        if isinstance(part, list):
            if not math.isfinite(sum(value for value in part if type(value) is float)):
                return False
        elif float in part.types():
            import pyarrow.compute as pc

            if not pc.all(pc.is_finite(part.array)).as_py():
                return False
    return True


def as_floats(values: Sequence[Scalar]) -> Values | None:
    """Integers and floats all as floats; None if an integer is too large for that."""
    parts = [_floats(part) if isinstance(part, list) else _float_run(part) for part in parts_of(values)]
    if any(part is None for part in parts):
        return None
    return _like(values, cast("list[Part]", parts))


def _floats(values: list[Scalar]) -> list[Scalar] | None:
    if any(abs(value) >= EXACT for value in values if type(value) is int):
        return None
    return [float(value) if type(value) is int else value for value in values]


def _float_run(run: Run) -> Run | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if int not in run.types() or run.whole is not None:
        return Run(run.array.cast(pa.float64()))
    extremes = pc.min_max(run.array).as_py().values()
    return Run(run.array.cast(pa.float64())) if all(abs(value) < EXACT for value in extremes) else None


def as_days(values: Sequence[Scalar]) -> Values | None:
    """Points in time as dates; None if one of them is not at midnight."""
    parts = [_days(part) if isinstance(part, list) else _day_run(part) for part in parts_of(values)]
    if any(part is None for part in parts):
        return None
    return _like(values, cast("list[Part]", parts))


def _days(values: list[Scalar]) -> list[Scalar] | None:
    if any(value.time() != dt.time() for value in values if type(value) is dt.datetime):
        return None
    return [value.date() if type(value) is dt.datetime else value for value in values]


def _day_run(run: Run) -> Run | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    days = run.array.cast(pa.date32(), safe=False)
    return Run(days) if pc.all(pc.equal(days.cast(run.array.type), run.array)).as_py() is not False else None


def _like(values: Sequence[Scalar], parts: Sequence[Part]) -> Values:
    """The parts as the values were: packed or a list."""
    return Packed(parts) if isinstance(values, Packed) else cast("list[Scalar]", parts[0])


def array_of(values: Sequence[Scalar], kind: pa.DataType) -> pa.Array[Any]:
    """The values, all of which fit the type, as one array."""
    import pyarrow as pa

    arrays = [pa.array(part, kind) if isinstance(part, list) else _cast(part, kind) for part in parts_of(values)]
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays) if arrays else pa.array([], kind)


def _cast(run: Run, kind: pa.DataType) -> pa.Array[Any]:
    import pyarrow as pa

    nothing = run.array.null_count == len(run)
    return pa.nulls(len(run), kind) if nothing else run.texts().cast(kind)


def arrow_types() -> dict[type, pa.DataType]:
    """The Arrow type that holds all values of a type exactly, integers beyond 64 bits aside."""
    import pyarrow as pa

    return {
        bool: pa.bool_(),
        int: pa.int64(),
        float: pa.float64(),
        str: pa.string(),
        dt.date: pa.date32(),
        dt.datetime: pa.timestamp("us"),
        dt.time: pa.time64("us"),
    }


def _type_of(kind: pa.DataType) -> type:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return str
    return next(python for python, arrow in arrow_types().items() if arrow == kind)
