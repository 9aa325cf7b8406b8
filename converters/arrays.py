"""Arrow arrays out of lists and NumPy, without pa.array and pa.scalar.

Their first call imports pandas, if it is installed, only to know whether it was given something of it: that costs a
second and 100 MB, more than the conversion of most files. Source: Apache Arrow, "Columnar Format", Validity bitmaps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, cast

import numpy as np
import pyarrow as pa

from converters.model import Scalar

Ints = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
TYPES: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    dt.date: pa.date32(),
    dt.datetime: pa.timestamp("us"),
    dt.time: pa.time64("us"),
}
"""The Arrow type that holds all values of a type exactly, integers beyond 64 bits aside."""
_PYTHON = {arrow: python for python, arrow in TYPES.items()}
_EPOCH, _MICROSECOND = dt.datetime(1970, 1, 1), dt.timedelta(microseconds=1)
_DAY_ONE = dt.date(1970, 1, 1).toordinal()


def python_type(kind: pa.DataType) -> type:
    """The type that the values of an array of one of TYPES, or of a dictionary of texts, have in Python."""
    return str if pa.types.is_dictionary(kind) else _PYTHON[kind]


def of_numbers(numbers: np.ndarray[Any, Any], kind: pa.DataType, valid: Mask | None = None) -> pa.Array[Any]:
    """Numbers as an array of a type of the same width, with null where they are not valid."""
    bits = None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, len(numbers), [bits, pa.py_buffer(np.ascontiguousarray(numbers))])


def of_flags(flags: Mask) -> pa.Array[Any]:
    """Booleans as an array."""
    return pa.Array.from_buffers(pa.bool_(), len(flags), [None, pa.py_buffer(np.packbits(flags, bitorder="little"))])


def of_positions(positions: Sequence[int] | Ints, valid: Mask | None = None) -> pa.Array[Any]:
    """Positions to take; null takes a null."""
    return of_numbers(np.asarray(positions, np.int64), pa.int64(), valid)


def of_list(values: Sequence[Scalar], kind: pa.DataType) -> pa.Array[Any]:
    """Values that are all of the type that TYPES gives this one, or None."""
    valid = np.fromiter((value is not None for value in values), np.bool_, len(values))
    if pa.types.is_string(kind):
        return _of_texts(cast("Sequence[str | None]", values), valid)
    if pa.types.is_boolean(kind):
        flags = of_flags(np.fromiter((value is True for value in values), np.bool_, len(values)))
        return blanked(flags, ~valid)
    dtype = np.float64 if pa.types.is_floating(kind) else np.int32 if kind.bit_width == 32 else np.int64
    numbers = [0 if value is None else _number(value) for value in values]
    return of_numbers(np.array(numbers, dtype), kind, valid)


def blanked(array: pa.Array[Any], blank: Mask) -> pa.Array[Any]:
    """The array with null where it is to be blank."""
    if not blank.any():
        return array
    bits = np.packbits(valid_in(array) & ~blank, bitorder="little")
    whole = array if array.offset == 0 else pa.concat_arrays([array])
    return pa.Array.from_buffers(array.type, len(array), [pa.py_buffer(bits), *whole.buffers()[1:]])


def valid_in(array: pa.Array[Any]) -> Mask:
    """Where the array is not null."""
    bits = array.buffers()[0]
    if bits is None or not array.null_count:
        return np.ones(len(array), np.bool_)
    flags = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")
    return flags[array.offset : array.offset + len(array)].astype(np.bool_)


def flags_of(array: pa.Array[Any]) -> Mask:
    """The booleans of an array; null is False."""
    flags = np.unpackbits(np.frombuffer(array.buffers()[1], np.uint8), bitorder="little")
    return flags[array.offset : array.offset + len(array)].astype(np.bool_) & valid_in(array)


def bytes_of(texts: pa.Array[Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The bytes of all texts, one after the other."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)
    whole = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return whole[ends[texts.offset] : ends[texts.offset + len(texts)]]


def first_bytes_of(texts: pa.Array[Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The first byte of each text; of an empty one, some byte. There must be a text that is not empty."""
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts)]
    whole = np.frombuffer(data, np.uint8)
    return whole[np.minimum(starts, len(whole) - 1)]


def lengths_of(texts: pa.Array[Any]) -> np.ndarray[Any, Any]:
    """How many bytes each text has."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.diff(offsets)


def _of_texts(texts: Sequence[str | None], valid: Mask) -> pa.Array[Any]:
    encoded = [text.encode() if text else b"" for text in texts]
    offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.int32, len(encoded) + 1)
    bits = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    buffers = [bits, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def _number(value: Scalar) -> int | float:
    if isinstance(value, dt.datetime):
        return (value - _EPOCH) // _MICROSECOND
    if isinstance(value, dt.date):
        return value.toordinal() - _DAY_ONE
    if isinstance(value, dt.time):
        return (dt.datetime.combine(_EPOCH, value) - _EPOCH) // _MICROSECOND
    return cast("int | float", value)
