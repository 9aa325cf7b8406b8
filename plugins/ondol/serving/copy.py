"""From Arrow batches to the bytes of a binary COPY: the type gate, the checks of values, and the stream.

Binary COPY believes what it is told: an int64 sent to a float8 column becomes another number without an error. So no
column passes that PostgreSQL's own catalog does not say holds its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ondol.errors import FatalError, Rejected
from ondol.serving.checksum import Totals
from ondol.serving.json_text import json_strings
from ondol.serving.types import holder, pg_type, wire_type

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 8192
"""Rows that are encoded at once: bounds the memory, whatever the size of the source's batches."""

_RANGES = {
    "date": (-2_440_588, 2_145_042_905),
    "timestamp without time zone": (-210_866_803_200_000_000, 2**63 - 2),
    "timestamp with time zone": (-210_866_803_200_000_000, 2**63 - 2),
}
"""What PostgreSQL holds, in days or microseconds since 1970; the encoder's shift to 2000 would wrap beyond it.
The last microsecond of 64 bits is DuckDB's 'infinity'. Source: PostgreSQL's datatype/timestamp.h."""


class Column(NamedTuple):
    """One column on its way: its PostgreSQL type and the Arrow type that has the same binary form."""

    name: str
    pg: str
    wire: pa.DataType


class Encoder:
    """Encodes the batches of one source for one table, and keeps their control totals.

    Args:
        schema: the source's.
        types: the table's column types as PostgreSQL's catalog has them, by name.
        key: the columns that may not be NULL.

    Raises:
        Rejected: a column that the table has no column for, or whose type does not hold all its values.
    """

    def __init__(self, schema: pa.Schema, types: Mapping[str, str], key: Sequence[str]) -> None:
        for field in schema:
            want, have = pg_type(field.type, field.name), types.get(field.name)
            if have is None or holder(have, want) != have:
                raise Rejected(
                    f"column '{field.name}' is {want} in the mart and {have or 'missing'} in PostgreSQL.",
                    f"Cast it in the mart, or alter the column in PostgreSQL to {want}.",
                    {"column": field.name, "mart": want, "postgresql": have},
                )
        self.columns = [Column(f.name, types[f.name], wire_type(types[f.name], f.type)) for f in schema]
        self.totals = Totals({column.name: (column.pg, column.wire) for column in self.columns})
        self._schema = schema
        self._key = key

    def chunks(self, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
        """The bytes to COPY, in chunks of about a megabyte; none of them is empty.

        Raises:
            Rejected: a value that PostgreSQL cannot hold, named with its column and key.
        """
        import pyarrow as pa
        from pgpq import ArrowToPostgresBinaryEncoder
        from pgpq.encoders import StringEncoderBuilder
        from pgpq.schema import Jsonb

        wire = pa.schema([(column.name, column.wire) for column in self.columns])
        builders = {
            column.name: StringEncoderBuilder.new_with_output(field, Jsonb())
            if column.pg == "jsonb"
            else ArrowToPostgresBinaryEncoder.infer_encoder(field)
            for column, field in zip(self.columns, wire, strict=True)
        }
        encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(wire, builders)
        yield encoder.write_header()
        for batch in self._pieces(batches):
            arrays = [self._to_wire(batch, column) for column in self.columns]
            converted = pa.RecordBatch.from_arrays(arrays, schema=wire)
            self.totals.add(converted)
            if chunk := encoder.write_batch(converted):  # empty until pgpq has a megabyte
                yield chunk
        yield encoder.finish()

    def _pieces(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.schema.names != self._schema.names or batch.schema.types != self._schema.types:
                raise FatalError(
                    f"a batch has the columns {batch.schema}, but the source was said to be {self._schema}"
                )
            for start in range(0, batch.num_rows, _ROWS):
                yield batch.slice(start, _ROWS)

    def _to_wire(self, batch: pa.RecordBatch, column: Column) -> pa.Array:
        import pyarrow as pa

        array = batch.column(column.name)
        try:
            array = _cast(array, column)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError, KeyError) as error:
            raise Rejected(
                f"column '{column.name}' has a value that {column.pg} cannot hold: {error}.",
                "Cast or round the column in the mart.",
                {"column": column.name, "type": column.pg},
            ) from error
        if column.name in self._key and array.null_count:
            self._refuse(batch, column, array.is_null(), "is NULL, but it is part of the key")
        if column.pg == "text" and _has_nul(array):
            import pyarrow.compute as pc

            self._refuse(batch, column, pc.match_substring(array, "\0"), "has a NUL character")
        if column.pg in _RANGES:
            self._check_range(batch, column, array)
        return array

    def _check_range(self, batch: pa.RecordBatch, column: Column, array: pa.Array) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        numbers = array.cast(pa.int32() if column.pg == "date" else pa.int64())
        low, high = _RANGES[column.pg]
        ends = pc.min_max(numbers).as_py()
        if ends["min"] is not None and (ends["min"] < low or ends["max"] > high):
            outside = pc.or_(pc.less(numbers, low), pc.greater(numbers, high))
            self._refuse(batch, column, outside, f"is infinite or outside of what PostgreSQL's {column.pg} holds")

    def _refuse(self, batch: pa.RecordBatch, column: Column, bad: pa.Array, what: str) -> NoReturn:
        import pyarrow.compute as pc

        index = pc.index(bad, True).as_py()
        key = {name: _shown(batch.column(name)[index]) for name in self._key}
        row = self.totals.rows + index + 1
        raise Rejected(
            f"column '{column.name}' {what} in row {row} of the mart, key {key}.",
            "Clean it in the mart (a filter, coalesce or replace), or correct it in the source.",
            {"column": column.name, "row": row, "key": key},
        )


def _cast(array: pa.Array, column: Column) -> pa.Array:
    import pyarrow as pa

    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    elif column.pg == "jsonb":
        return json_strings(array)
    return array if array.type == column.wire else array.cast(column.wire, safe=True)


def _has_nul(array: pa.Array) -> bool:
    """Whether any byte of the texts is 0: one pass over their buffer, where a search in each text costs ten."""
    import numpy as np

    _, offsets, data = array.buffers()
    if not len(array) or data is None:
        return False
    ends = np.frombuffer(offsets, np.int32)[[array.offset, array.offset + len(array)]]
    text = np.frombuffer(data, np.uint8)[ends[0] : ends[1]]
    return bool(text.size) and not text.min()


def _shown(scalar: pa.Scalar) -> str | None:
    try:
        value = scalar.as_py()
    except (OverflowError, ValueError):
        value = scalar.value
    return None if value is None else str(value)


class Stream:
    """A file to read chunks from that are made in another thread, one ahead of the reader.

    Args:
        chunks: none of them empty: an empty read ends a COPY, and PostgreSQL would not notice.
    """

    def __init__(self, chunks: Iterator[bytes], pool: ThreadPoolExecutor) -> None:
        self.error: BaseException | None = None
        self._chunks = chunks
        self._pool = pool
        self._next = self._ask()

    def _ask(self) -> Future[bytes]:
        return self._pool.submit(next, self._chunks, b"")

    def read(self, size: int = -1) -> bytes:
        """The next chunk, of whatever size; b"" at the end."""
        try:
            chunk = self._next.result()
        except BaseException as error:
            self.error = error
            raise OSError("the source of the rows failed") from None  # psycopg2 tells the server this text
        if chunk:
            self._next = self._ask()
        return chunk
