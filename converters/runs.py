"""A run of values in one Arrow array: what packed columns (packed.py) are made of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from converters import arrays
from converters.model import Scalar

EXACT = 2**53
"""Integers below it are floats without loss."""


class Run:
    """Some values of one type.

    Args:
        array: integers, floats, booleans, texts (dictionaries of them, too), dates or times; null is None.
        whole: which of the floats are integers in the file: a cell that holds 5 is not one that holds 5.0.
    """

    __slots__ = ("_coded", "_counted", "array", "whole")

    def __init__(self, array: pa.Array[Any], whole: pa.Array[Any] | None = None) -> None:
        self.array, self.whole = array, whole
        self._coded: pa.DictionaryArray[Any] | None = array if isinstance(array, pa.DictionaryArray) else None
        self._counted: tuple[pa.Array[Any], pa.Array[Any]] | None = None

    def __len__(self) -> int:
        return len(self.array)

    def part(self, start: int, stop: int) -> Run:
        """The values from `start` up to `stop`."""
        if start == 0 and stop == len(self):
            return self
        whole = None if self.whole is None else self.whole.slice(start, stop - start)
        return Run(self.array.slice(start, stop - start), whole)

    def take(self, positions: Sequence[int] | arrays.Ints, valid: arrays.Mask | None = None) -> Run:
        """The values at some positions, or None where they are not valid."""
        at = arrays.of_positions(positions, valid)
        return Run(self.array.take(at), None if self.whole is None else self.whole.take(at))

    def value(self, position: int) -> Scalar:
        """One value."""
        value: Scalar = self.array[position].as_py()
        return int(value) if self.whole is not None and self.whole[position].as_py() else value  # type: ignore[arg-type]

    def unpacked(self) -> list[Scalar]:
        """The values as a list."""
        if isinstance(self.array, pa.DictionaryArray):
            texts = self.array.dictionary.to_pylist()
            return [None if code is None else texts[code] for code in self.array.indices.to_pylist()]
        values: list[Scalar] = self.array.to_pylist()
        if self.whole is not None:
            values = [int(v) if w else v for v, w in zip(values, self.whole.to_pylist(), strict=True)]  # type: ignore[arg-type]
        return values

    def texts(self) -> pa.Array[Any]:
        """The array with dictionaries resolved."""
        return self.array.dictionary_decode() if isinstance(self.array, pa.DictionaryArray) else self.array

    def coded(self) -> pa.DictionaryArray[Any]:
        """Texts as a dictionary and a number for each; asked for again, it costs nothing."""
        if self._coded is None:
            self._coded = self.array.dictionary_encode()
        return self._coded

    def types(self) -> set[type]:
        """The types of the values, that of None included."""
        found: set[type] = {type(None)} if self.array.null_count else set()
        if self.array.null_count == len(self.array):
            return found
        if self.whole is not None:
            some, every = pc.any(self.whole).as_py(), pc.all(self.whole).as_py()
            return found | ({int} if some else set()) | ({float} if not every else set())
        return found | {arrays.python_type(self.array.type)}

    def blanks(self) -> arrays.Mask:
        """Where it is None."""
        return ~arrays.valid_in(self.array)

    @property
    def family(self) -> str:
        """What it can be joined with: "number", another type, or "" for anything if there are only blanks."""
        if self.array.null_count == len(self):
            return ""
        return "number" if arrays.python_type(self.array.type) in (int, float) else str(self.array.type)

    @property
    def has_integers(self) -> bool:
        """Some of its values are integers."""
        return self.whole is not None or bool(pa.types.is_integer(self.array.type))

    def integers(self) -> arrays.Mask:
        """Where it is an integer."""
        if self.whole is not None:
            return arrays.flags_of(self.whole)
        integer = pa.types.is_integer(self.array.type)
        return arrays.valid_in(self.array) if integer else np.zeros(len(self), np.bool_)

    def counts(self, pattern: re.Pattern[str] | None) -> Counter[str]:
        """The texts in which the pattern is found, all without one, and how often each occurs."""
        if str not in self.types():
            return Counter()
        if self._counted is None:
            self._counted = self._count()
        texts, numbers = self._counted
        if pattern is not None:
            ignore_case = bool(pattern.flags & re.IGNORECASE)
            has = pc.match_substring_regex(texts, pattern.pattern, ignore_case=ignore_case)
            texts, numbers = texts.filter(has), numbers.filter(has)
        return Counter(dict(zip(texts.to_pylist(), numbers.to_pylist(), strict=True)))

    def _count(self) -> tuple[pa.Array[Any], pa.Array[Any]]:
        """The texts in the order in which they come first, null left out, and how often each occurs."""
        if isinstance(self.array, pa.DictionaryArray):
            texts, numbers = self.array.drop_null().value_counts().flatten()
            return Run(texts).texts(), numbers
        coded = self.coded()
        numbers = np.bincount(coded.indices.drop_null().to_numpy(), minlength=len(coded.dictionary))
        return coded.dictionary, arrays.of_numbers(numbers, pa.int64())

    def found(self, texts: Collection[str]) -> dict[int, str]:
        """Where some texts stand: position → text."""
        if str not in self.types():
            return {}
        wanted, coded = arrays.of_list(sorted(texts), pa.string()), self._coded
        known = pc.is_in(self.array if coded is None else coded.dictionary, value_set=wanted)
        if coded is not None:
            known = known.take(coded.indices) if pc.any(known).as_py() else known.slice(0, 0)
        at = pc.indices_nonzero(known)
        return dict(zip(at.to_pylist(), Run(self.array.take(at)).texts().to_pylist(), strict=True))

    def mapped(self, to: Mapping[str, Scalar]) -> Run | list[Scalar]:
        """The values, with each text that is a key replaced by what it maps to."""
        if str not in self.types():
            return self
        coded = self.coded()
        known = [to.get(text, text) for text in coded.dictionary.to_pylist()]
        kinds = set(map(type, known)) - {type(None)}
        if len(kinds) > 1:
            return [None if code is None else known[code] for code in coded.indices.to_pylist()]
        kind = arrays.TYPES[kinds.pop() if kinds else str]
        return Run(arrays.of_list(known, kind).take(coded.indices))

    def finite(self) -> bool:
        """No float is infinite or no number."""
        return float not in self.types() or pc.all(pc.is_finite(self.array)).as_py() is not False

    def floats(self) -> Run | None:
        """Integers and floats all as floats; None if an integer is too large for that."""
        if self.whole is None and int in self.types():
            extremes = pc.min_max(self.array).as_py().values()
            if any(abs(value) >= EXACT for value in extremes):
                return None
        return Run(self.array.cast(pa.float64()))

    def days(self) -> Run | None:
        """Points in time as dates; None if one of them is not at midnight."""
        days = self.array.cast(pa.date32(), safe=False)
        same = pc.all(pc.equal(days.cast(self.array.type), self.array)).as_py()
        return Run(days) if same is not False else None

    def cast(self, kind: pa.DataType) -> pa.Array[Any]:
        """The values as an array of a type that fits them all."""
        nothing = self.array.null_count == len(self)
        return pa.nulls(len(self), kind) if nothing else self.texts().cast(kind)


Part = list[Scalar] | Run


def joined(parts: Iterable[Part]) -> list[Part]:
    """The parts with neighbours of one kind joined, so that a column is not in pieces; blanks go with any kind."""
    found: list[Part] = []
    group: list[Run] = []
    kind = ""
    for part in parts:
        own = None if isinstance(part, list) else part.family
        if group and (own is None or (own and kind and own != kind)):
            found.extend(_joined(group))
            group, kind = [], ""
        if isinstance(part, list):
            found.append(part)
        else:
            group.append(part)
            kind = kind or own or ""
    return [*found, *_joined(group)]


def _joined(runs: Sequence[Run]) -> Sequence[Run]:
    kinds = {run.array.type for run in runs if run.family}
    if len(runs) < 2 or not kinds:
        return runs
    kind = pa.float64() if len(kinds) > 1 else kinds.pop()
    if pa.types.is_dictionary(kind):
        texts = next(run.array.dictionary for run in runs if run.family)
        codes = [run.array.indices if run.family else pa.nulls(len(run), kind.index_type) for run in runs]
        return [Run(pa.DictionaryArray.from_arrays(pa.concat_arrays(codes), texts))]
    if kind != pa.float64() or not any(run.has_integers for run in runs):
        return [Run(pa.concat_arrays([run.cast(kind) for run in runs]))]
    floats = [run.floats() if run.family else run for run in runs]
    if any(run is None for run in floats):
        return runs
    whole = np.concatenate([run.integers() for run in runs])
    return [Run(pa.concat_arrays([run.cast(kind) for run in floats if run is not None]), arrays.of_flags(whole))]
