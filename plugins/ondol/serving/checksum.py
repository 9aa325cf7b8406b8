"""Control totals of a table, counted on Arrow batches and by PostgreSQL, each on its own: equal rows, equal totals.

Every column has a count of its values and one total, whatever the order of the rows, all modulo 2^64: the sum of
numbers (in units of the last digit), of days, of microseconds and of the lengths of texts; of floats, whose sums depend
on the order, the sum of x / (1 + |x|) in units of 2^-53, which both sides compute to the same bit. So the totals of a
table are those it had, less those of the rows that went, plus those of the rows that came.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ondol.serving.names import quote

if TYPE_CHECKING:
    import pyarrow as pa

_FLOAT = "sum(trunc(nullif({0}::float8 / (1 + abs({0}::float8)), 'NaN') * 9007199254740992)::int8)"
_MICROSECONDS = "trunc(sum(extract(epoch FROM {0})) * 1000000)"
_FINITE_MICROSECONDS = "trunc(sum(extract(epoch FROM {0})) FILTER (WHERE isfinite({0})) * 1000000)"
_SUMS = {
    "boolean": "count(*) FILTER (WHERE {0})",
    "smallint": "sum({0})",
    "integer": "sum({0})",
    "bigint": "sum({0})",
    "real": _FLOAT,
    "double precision": _FLOAT,
    "text": "sum(octet_length({0}))",
    "bytea": "sum(octet_length({0}))",
    "date": "sum({0} - DATE '1970-01-01') FILTER (WHERE isfinite({0}))",
    "timestamp without time zone": _FINITE_MICROSECONDS,
    "timestamp with time zone": _FINITE_MICROSECONDS,
    "time without time zone": _MICROSECONDS,
    "jsonb": "0",
    "uuid": "0",
}
_MODULUS = 2**64


class Totals:
    """The totals of the batches seen so far.

    Args:
        columns: PostgreSQL type and wire type of each column.
    """

    def __init__(self, columns: Mapping[str, tuple[str, pa.DataType]]) -> None:
        self.rows = 0
        self._columns = dict(columns)
        self._counts = dict.fromkeys(columns, 0)
        self._totals = dict.fromkeys(columns, 0)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in one batch of wire types."""
        self.rows += batch.num_rows
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            self._counts[name] += len(array) - array.null_count
            self._totals[name] = (self._totals[name] + _total(array, self._columns[name][0])) % _MODULUS

    def take_away(self, found: Sequence[Any]) -> None:
        """Leave out rows that were taken in, by what `sql` found of them."""
        rows, *others = map(_whole, found)
        self.rows -= rows
        for name, count, total in zip(self._columns, others[::2], others[1::2], strict=True):
            self._counts[name] -= count
            self._totals[name] = (self._totals[name] - total) % _MODULUS

    def values(self) -> dict[str, int]:
        """The number of rows, and the count and the total of each column, by what they are."""
        values = {"rows": self.rows}
        for name, (pg, wire) in self._columns.items():
            unit = f" in 1e-{wire.scale}" if pg.startswith("numeric") and not pg.endswith("[]") else ""
            values[f"count of {name}"] = self._counts[name]
            values[f"total of {name}{unit}"] = self._totals[name]
        return values

    def sql(self, table: str) -> str:
        """The query that counts the same totals of a table."""
        parts = ["count(*)"]
        for name, (pg, wire) in self._columns.items():
            parts += [f"count({quote(name)})", _sql(pg, wire).format(quote(name))]
        return f"SELECT {', '.join(parts)} FROM {table}"

    def named(self, found: Sequence[Any]) -> dict[str, int]:
        """What `sql` found, in the form of `values`."""
        return dict(zip(self.values(), map(_whole, found), strict=True))


def changed(then: Mapping[str, int], went: Mapping[str, int], came: Mapping[str, int]) -> dict[str, int]:
    """The totals of a table after some of its rows went and others came."""
    return {what: (then[what] - went[what] + came[what]) % _MODULUS for what in came}


def differences(expected: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """What is not as expected: "total of amount is 70, not 71"; empty if all is equal."""
    return [f"{what} is {found[what]}, not {value}" for what, value in expected.items() if found[what] != value]


def checksum(values: Mapping[str, int]) -> str:
    """A SHA-256 of names, counts and totals."""
    return hashlib.sha256(json.dumps(dict(values), sort_keys=True).encode()).hexdigest()


def _whole(value: Any) -> int:
    return int(value or 0) % _MODULUS


def _sql(pg: str, wire: pa.DataType) -> str:
    from pyarrow import types

    if pg.endswith("[]"):
        return "sum(cardinality({0}))"
    if pg.startswith("numeric"):
        return f"trunc(sum({{0}}) * {10**wire.scale})"
    if pg == "interval":
        return "0" if types.is_fixed_size_binary(wire) else _MICROSECONDS
    return _SUMS[pg]


def _total(array: pa.Array, pg: str) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pg in ("jsonb", "uuid") or pa.types.is_fixed_size_binary(array.type):
        return 0
    if pg == "boolean":
        return int(array.true_count)
    if pg in ("real", "double precision"):
        return _floats(array)
    if pg.startswith("numeric") and not pg.endswith("[]"):
        return _low_words(array)
    if pg.endswith("[]"):
        array = pc.list_value_length(array)
    elif pg in ("text", "bytea"):
        array = pc.binary_length(array)
    elif not pa.types.is_integer(array.type):
        array = _finite(array)
    return int(pc.sum(array).as_py() or 0) % _MODULUS


def _finite(array: pa.Array) -> pa.Array:
    """Days or microseconds, without DuckDB's infinities: the greatest number of the type, and its negative."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = array.cast(pa.int32() if pa.types.is_date32(array.type) else pa.int64())
    infinite = 2 ** (numbers.type.bit_width - 1) - 1
    ends = pc.min_max(numbers).as_py()
    if infinite in (ends["max"], -(ends["min"] or 0)):
        numbers = numbers.filter(pc.less(pc.abs(numbers), infinite))
    return numbers


def _floats(array: pa.Array) -> int:
    import numpy as np

    numbers = array.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
    with np.errstate(invalid="ignore"):
        shares = np.nan_to_num(numbers / (1 + np.abs(numbers)), nan=0.0)
    return int(np.trunc(shares * 2.0**53).astype(np.int64).view(np.uint64).sum(dtype=np.uint64))


def _low_words(array: pa.Array) -> int:
    """The sum of a decimal column modulo 2^64, in units of its last digit: that of the low halves of its values."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if array.null_count:
        array = pc.fill_null(array, pa.scalar(Decimal(0), array.type))
    words = np.frombuffer(array.buffers()[1], np.uint64)[2 * array.offset :: 2][: len(array)]
    return int(words.sum(dtype=np.uint64))
