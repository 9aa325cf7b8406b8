"""A column on its way to binary COPY: checked, cast without loss, and in the very form that PostgreSQL reads."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ondol.errors import Rejected
from ondol.serving.json_text import json_strings
from ondol.serving.types import is_wide

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pyarrow as pa


class Column(NamedTuple):
    """One column on its way: its PostgreSQL type and the Arrow type of what it holds."""

    name: str
    pg: str
    wire: pa.DataType


class Unfit(Exception):
    """Some values of a column cannot be sent.

    Args:
        column: its name.
        bad: which rows, as an array of booleans.
        what: what is wrong with them: "has a NUL character".
    """

    def __init__(self, column: str, bad: pa.Array, what: str) -> None:
        super().__init__(what)
        self.column = column
        self.bad = bad
        self.what = what


class _Range(NamedTuple):
    """What PostgreSQL holds, in Arrow's days or microseconds since 1970. Source: PostgreSQL's datatype/timestamp.h."""

    low: int
    high: int
    shift: int
    """From 1970 to PostgreSQL's own start, 2000-01-01."""


_TIMESTAMP = _Range(-210_866_803_200_000_000, 2**63 - 2, 946_684_800_000_000)
_RANGES = {
    "date": _Range(-2_440_588, 2_145_042_905, 10_957),
    "timestamp without time zone": _TIMESTAMP,
    "timestamp with time zone": _TIMESTAMP,
}
_ELEMENTS = {"date[]": _RANGES["date"], "timestamp without time zone[]": _TIMESTAMP}
_HAS_NUL = "has a NUL character"


def to_wire(array: pa.Array, column: Column, *, required: bool) -> pa.Array:
    """The column in its wire type.

    Args:
        required: it is part of the key.

    Raises:
        Unfit: values that PostgreSQL cannot hold, or that only another value could stand for.
    """
    if required and array.null_count:
        raise Unfit(column.name, array.is_null(), "is NULL, but it is part of the key")
    array = _cast(array, column)
    if column.pg in ("text", "text[]"):
        _check_text(array, column)
    elif column.pg == "jsonb":
        _check_json(array, column)
    elif column.pg in _RANGES or column.pg in _ELEMENTS:
        _check_range(array, column)
    return array


def sent_type(column: Column) -> pa.DataType:
    """The type in which a column is encoded: dates and timestamps are whole numbers on the wire."""
    import pyarrow as pa

    if column.pg in _RANGES:
        return pa.int32() if column.pg == "date" else pa.int64()
    return column.wire


def to_sent(array: pa.Array, column: Column) -> pa.Array:
    """A column of the wire type as it is encoded; the infinities of DuckDB become those of PostgreSQL."""
    import pyarrow.compute as pc

    if column.pg not in _RANGES:
        return array
    numbers = array.cast(sent_type(column))
    shifted = pc.subtract(numbers, _RANGES[column.pg].shift)  # wraps for -infinity, which is replaced
    infinite = _infinity(numbers)
    ends = pc.min_max(numbers).as_py()
    if infinite in (ends["max"], -(ends["min"] or 0)):
        shifted = pc.if_else(pc.equal(numbers, infinite), infinite, shifted)
        shifted = pc.if_else(pc.equal(numbers, -infinite), -infinite - 1, shifted)
    return shifted.cast(numbers.type)


def _infinity(numbers: pa.Array) -> int:
    """DuckDB's 'infinity': the greatest number; its negative is '-infinity'."""
    return int(2 ** (numbers.type.bit_width - 1) - 1)


def _cast(array: pa.Array, column: Column) -> pa.Array:
    import pyarrow as pa

    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    if is_wide(array.type):
        return _wide(array, column)
    is_nested = column.pg == "jsonb" and not isinstance(array, pa.ExtensionArray)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if is_nested:
        return _each(array, column, json_strings)
    if array.type == pa.month_day_nano_interval():
        return _intervals(array, column)
    if array.type == column.wire:
        return array
    return _each(array, column, lambda values: values.cast(column.wire, safe=True))


def _wide(array: pa.Array, column: Column) -> pa.Array:
    """Whole numbers of 128 bits, which lie in memory as decimals of 38 digits do."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_signed = "type_name=hugeint" in str(array.type)
    numbers = pa.Array.from_buffers(column.wire, len(array), array.storage.buffers(), offset=array.offset)
    most = 10**38 - 1
    low, high = (pa.scalar(Decimal(value), column.wire) for value in (-most if is_signed else 0, most))
    bad = pc.or_(pc.less(numbers, low), pc.greater(numbers, high))
    if bad.true_count:
        raise Unfit(column.name, bad, "has more than 38 digits")
    return numbers


def _each(array: pa.Array, column: Column, convert: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """The array converted; if that fails, the rows that it fails for are found one by one."""
    import pyarrow as pa

    failures = (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError, KeyError)
    try:
        return convert(array)
    except failures as error:
        reason = str(error)

    def fails(row: int) -> bool:
        try:
            convert(array.slice(row, 1))
        except failures:
            return True
        return False

    bad = pa.array([fails(row) for row in range(len(array))], pa.bool_())
    if not bad.true_count:
        raise Rejected(
            f"column '{column.name}' cannot become {column.pg}: {reason}.",
            "Cast the column in the mart.",
            {"column": column.name, "type": column.pg},
        )
    raise Unfit(column.name, bad, f"has a value that {column.pg} cannot hold ({reason})")


def _intervals(array: pa.Array, column: Column) -> pa.Array:
    """Months, days and nanoseconds as PostgreSQL's 16 bytes: microseconds, days, months."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    here = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")])
    parts = np.frombuffer(array.buffers()[1], here)[array.offset :][: len(array)]
    lost = (parts["nanoseconds"] % 1000 != 0) & ~array.is_null().to_numpy(zero_copy_only=False)
    if lost.any():
        raise Unfit(column.name, pa.array(lost), "has a part of a microsecond")
    there = np.empty(len(parts), [("microseconds", ">i8"), ("days", ">i4"), ("months", ">i4")])
    there["microseconds"] = parts["nanoseconds"] // 1000
    there["days"], there["months"] = parts["days"], parts["months"]
    packed = pa.Array.from_buffers(pa.binary(16), len(parts), [None, pa.py_buffer(there.tobytes())])
    return pc.if_else(array.is_valid(), packed, pa.scalar(None, packed.type))


def _check_text(array: pa.Array, column: Column) -> None:
    import pyarrow.compute as pc

    is_list = column.pg.endswith("[]")
    texts = array.flatten() if is_list else array
    if _has_nul(texts):
        bad = pc.match_substring(texts, "\0")
        raise Unfit(column.name, _rows_of(array, bad) if is_list else bad, _HAS_NUL)


def _has_nul(array: pa.Array) -> bool:
    """Whether any byte of the texts is 0: one pass over their buffer, where a search in each text costs ten."""
    import numpy as np

    _, offsets, data = array.buffers()
    if not len(array) or data is None:
        return False
    ends = np.frombuffer(offsets, np.int32)[[array.offset, array.offset + len(array)]]
    text: np.ndarray = np.frombuffer(data, np.uint8)[ends[0] : ends[1]]
    return bool(text.size) and not text.min()


def _check_json(array: pa.Array, column: Column) -> None:
    """Escapes that jsonb refuses, which are none after an odd number of backslashes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bad = pc.match_substring(array, r"\u0000")
    if bad.true_count:
        bad = pc.match_substring_regex(array, r"(^|[^\\])(\\\\)*\\u0000")
    if bad.true_count:
        raise Unfit(column.name, bad, _HAS_NUL)
    bad = pc.match_substring_regex(array, r"(?i)\\ud[89a-f]")
    if bad.true_count:
        bad = pa.array([_is_half(text) for text in array.to_pylist()], pa.bool_())
    if bad.true_count:
        raise Unfit(column.name, bad, "has half of a surrogate pair")


def _is_half(text: str | None) -> bool:
    return text is not None and bool(re.search("[\ud800-\udfff]", json.dumps(json.loads(text), ensure_ascii=False)))


def _check_range(array: pa.Array, column: Column) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    is_list = column.pg in _ELEMENTS
    values = array.flatten() if is_list else array
    low, high, _ = (_ELEMENTS if is_list else _RANGES)[column.pg]
    numbers = values.cast(pa.int32() if pa.types.is_date32(values.type) else pa.int64())
    ends = pc.min_max(numbers).as_py()
    if ends["min"] is None or (ends["min"] >= low and ends["max"] <= high):
        return
    outside = pc.or_(pc.less(numbers, low), pc.greater(numbers, high))
    if not is_list:
        outside = pc.and_(outside, pc.less(pc.abs(numbers), _infinity(numbers)))
    if outside.true_count:
        bad = _rows_of(array, outside) if is_list else outside
        what = "has an element that is infinite or outside" if is_list else "is outside"
        raise Unfit(column.name, bad, f"{what} of what PostgreSQL's {column.pg.removesuffix('[]')} holds")


def _rows_of(lists: pa.Array, bad: pa.Array) -> pa.Array:
    """Which lists have a bad element."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = np.zeros(len(lists), bool)
    rows[pc.list_parent_indices(lists).filter(bad).to_numpy()] = True
    return pa.array(rows)
