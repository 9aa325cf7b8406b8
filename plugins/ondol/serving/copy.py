"""From Arrow batches to the bytes of a binary COPY: the type gate, the encoder, and the stream.

Binary COPY believes what it is told: an int64 sent to a float8 column becomes another number without an error. So no
column passes that PostgreSQL's own catalog does not say holds its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ondol.errors import FatalError, Rejected
from ondol.serving.checksum import Totals
from ondol.serving.rejects import Rejects, shown
from ondol.serving.types import holder, pg_type, wire_type
from ondol.serving.wire import Column, Unfit, sent_type, to_sent, to_wire

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 8192
"""Rows that are encoded at once: bounds the memory, whatever the size of the source's batches."""


class Encoder:
    """Encodes the batches of one source for one table, and keeps their control totals.

    Args:
        schema: the source's.
        types: the table's column types as PostgreSQL's catalog has them, by name.
        key: the columns that may not be NULL.
        rejects: takes the rows that PostgreSQL cannot hold; without it, the first of them ends all.

    Raises:
        Rejected: a column that the table has no column for, or whose type does not hold all its values.
    """

    def __init__(
        self, schema: pa.Schema, types: Mapping[str, str], key: Sequence[str], rejects: Rejects | None = None
    ) -> None:
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
        self._rejects = rejects
        self._seen = 0

    def chunks(self, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
        """The bytes to COPY, in chunks of about a megabyte; none of them is empty.

        Raises:
            Rejected: a value that PostgreSQL cannot hold, named with its column and key.
        """
        import pyarrow as pa

        encoder = self._encoder()
        yield encoder.write_header()
        names = self._schema.names
        for piece in self._pieces(batches):
            arrays = self._wire(piece)
            self._seen += piece.num_rows
            self.totals.add(pa.RecordBatch.from_arrays(arrays, names))
            sent = [to_sent(array, column) for array, column in zip(arrays, self.columns, strict=True)]
            if chunk := encoder.write_batch(pa.RecordBatch.from_arrays(sent, names)):  # empty up to a megabyte
                yield chunk
        yield encoder.finish()

    def _encoder(self) -> Any:
        import pyarrow as pa
        from pgpq import ArrowToPostgresBinaryEncoder
        from pgpq.encoders import StringEncoderBuilder
        from pgpq.schema import Jsonb

        schema = pa.schema([(column.name, sent_type(column)) for column in self.columns])
        builders = {
            column.name: StringEncoderBuilder.new_with_output(field, Jsonb())
            if column.pg == "jsonb"
            else ArrowToPostgresBinaryEncoder.infer_encoder(field)
            for column, field in zip(self.columns, schema, strict=True)
        }
        return ArrowToPostgresBinaryEncoder.new_with_encoders(schema, builders)

    def _pieces(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.schema.names != self._schema.names or batch.schema.types != self._schema.types:
                raise FatalError(
                    f"a batch has the columns {batch.schema}, but the source was said to be {self._schema}"
                )
            for start in range(0, batch.num_rows, _ROWS):
                yield batch.slice(start, _ROWS)

    def _wire(self, piece: pa.RecordBatch) -> list[pa.Array]:
        """The columns of those rows that can be sent."""
        import pyarrow.compute as pc

        while True:
            try:
                return [to_wire(piece.column(c.name), c, required=c.name in self._key) for c in self.columns]
            except Unfit as unfit:
                bad = pc.fill_null(unfit.bad, False)
                if self._rejects is None:
                    raise self._refusal(piece, unfit, pc.index(bad, True).as_py()) from None
                self._rejects.take(piece.filter(bad), f"column '{unfit.column}' {unfit.what}")
                piece = piece.filter(pc.invert(bad))

    def _refusal(self, piece: pa.RecordBatch, unfit: Unfit, index: int) -> Rejected:
        key = {name: shown(piece.column(name)[index]) for name in self._key}
        row = self._seen + index + 1
        return Rejected(
            f"column '{unfit.column}' {unfit.what} in row {row} of the mart, key {key}.",
            "Clean it in the mart (a filter, cast, coalesce or replace), correct it in the source, or let the rest go "
            "on without such rows: 'on_reject: keep' of the sync in the tenant's YAML.",
            {"column": unfit.column, "row": row, "key": key},
        )


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
