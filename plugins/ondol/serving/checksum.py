"""Control totals of a table, counted on Arrow batches and by PostgreSQL, each on its own: equal rows, equal totals.

Every column has a count of its values and one total, whatever the order of the rows: the sum of numbers (modulo 2^64,
in units of the last digit), of days, of microseconds and of the lengths of texts, and the range of floats, whose sums
depend on the order.
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

_SUMS = {
    "boolean": "count(*) FILTER (WHERE {0})",
    "smallint": "sum({0})",
    "integer": "sum({0})",
    "bigint": "sum({0})",
    "real": "ARRAY[min(nullif({0}::float8, 'NaN')), max(nullif({0}::float8, 'NaN'))]",
    "double precision": "ARRAY[min(nullif({0}, 'NaN')), max(nullif({0}, 'NaN'))]",
    "text": "sum(octet_length({0}))",
    "bytea": "sum(octet_length({0}))",
    "date": "sum({0} - DATE '1970-01-01')",
    "jsonb": "0",
    "uuid": "0",
}
_MICROSECONDS = "trunc(sum(extract(epoch FROM {0})) * 1000000)"


class Totals:
    """The totals of the batches seen so far.

    Args:
        columns: PostgreSQL type and wire type of each column.
    """

    def __init__(self, columns: Mapping[str, tuple[str, pa.DataType]]) -> None:
        self.rows = 0
        self._columns = dict(columns)
        self._counts = dict.fromkeys(columns, 0)
        self._totals: dict[str, Any] = dict.fromkeys(columns)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in one batch of wire types."""
        self.rows += batch.num_rows
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            self._counts[name] += len(array) - array.null_count
            self._totals[name] = _joined(self._totals[name], _total(array, self._columns[name][0]))

    def _values(self) -> dict[str, object]:
        values: dict[str, object] = {"rows": self.rows}
        for name, (pg, _) in self._columns.items():
            values[f"count of {name}"] = self._counts[name]
            values[f"total of {name}"] = self._totals[name] or (0 if _is_exact(pg) else [None, None])
        return values

    def sql(self, table: str) -> str:
        """The query that counts the same totals of a table."""
        parts = ["count(*)"]
        for name, (pg, wire) in self._columns.items():
            parts += [f"count({quote(name)})", _sql(pg, wire).format(quote(name))]
        return f"SELECT {', '.join(parts)} FROM {table}"

    def differences(self, found: Sequence[Any]) -> list[str]:
        """What is not as `sql` found it: "total of amount is 70, not 71"; empty if all is equal."""
        return [
            f"{what} is {there}, not {here}"
            for (what, here), value in zip(self._values().items(), found, strict=True)
            if (there := _comparable(value)) != here
        ]

    def checksum(self) -> str:
        """A SHA-256 of names, counts and totals."""
        return hashlib.sha256(json.dumps(self._values(), sort_keys=True).encode()).hexdigest()


def _comparable(value: Any) -> object:
    if isinstance(value, list):
        return [_unsigned_zero(end) for end in value]
    return int(value or 0) % 2**64


def _is_exact(pg: str) -> bool:
    return pg not in ("real", "double precision")


def _sql(pg: str, wire: pa.DataType) -> str:
    if pg.endswith("[]"):
        return "sum(cardinality({0}))"
    if pg.startswith("numeric"):
        return f"trunc(sum({{0}}) * {10**wire.scale})"
    return _SUMS.get(pg, _MICROSECONDS)


def _total(array: pa.Array, pg: str) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not _is_exact(pg):
        ends = pc.min_max(array.filter(pc.invert(pc.is_nan(array)))).as_py()
        return [_unsigned_zero(ends["min"]), _unsigned_zero(ends["max"])]
    if pg in ("jsonb", "uuid"):
        return 0
    if pg == "boolean":
        return array.true_count
    if pg.endswith("[]"):
        array = pc.list_value_length(array)
    elif pg.startswith("numeric"):
        return _low_words(array)
    elif pg in ("text", "bytea"):
        array = pc.binary_length(array)
    elif pg == "date":
        array = array.cast(pa.int32())
    elif not pa.types.is_integer(array.type):
        array = array.cast(pa.int64())
    return (pc.sum(array).as_py() or 0) % 2**64


def _low_words(array: pa.Array) -> int:
    """The sum of a decimal column modulo 2^64, in units of its last digit: that of the low halves of its values."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if array.null_count:
        array = pc.fill_null(array, pa.scalar(Decimal(0), array.type))
    words = np.frombuffer(array.buffers()[1], np.uint64)[2 * array.offset :: 2][: len(array)]
    return int(words.sum(dtype=np.uint64))


def _unsigned_zero(value: float | None) -> float | None:
    return value if value is None else value + 0.0


def _joined(old: Any, new: Any) -> Any:
    if old is None:
        return new
    if not isinstance(new, list):
        return (old + new) % 2**64
    lows, highs = ([end for end in ends if end is not None] for ends in zip(old, new, strict=True))
    return [min(lows, default=None), max(highs, default=None)]
