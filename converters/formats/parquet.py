"""Parquet: its types are kept, batch by batch. Row 1 is the header, row n + 1 the n-th record.

Members of a struct have header paths; lists and maps stay JSON. A time with a zone is given as clocks there show it,
and a notice names the zone. Source: Apache Parquet, "Logical Types"; Apache Arrow, "Data Types".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from converters.document import Document
from converters.errors import Broken, NeedsPassword, OverLimit
from converters.formats.excel import cell_value
from converters.formats.meter import Meter
from converters.formats.records import Path, lay_out, time_zone
from converters.grid import Grid
from converters.model import Problem, Scalar
from converters.options import Options

BATCH_ROWS = 1 << 14
MAX_DEPTH = 16


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid, its header stated.

    Raises:
        Broken, NeedsPassword, OverLimit: as their messages say.
    """
    import pyarrow.parquet as pq

    if document.head.startswith(b"PARE"):
        raise NeedsPassword(
            f"{document.name} is an encrypted Parquet file.", "Ask the sender for one without encryption."
        )
    try:
        with document.open() as stream, pq.ParquetFile(stream, page_checksum_verification=True) as file:
            _check_size(document, file.metadata, options)
            yield _Reading(document, options).grid(file)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Broken(
            f"{document.name} is no sound Parquet file: {said}.", "Ask the sender to write it anew."
        ) from error


def _check_size(document: Document, metadata: Any, options: Options) -> None:
    """Refuses what its footer says is too large, before anything is unpacked."""
    limits = options.limits
    if options.max_rows is None:
        Meter(document.name, limits).row(0, metadata.num_rows * max(1, metadata.num_columns))
    size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if size > limits.max_inflated_bytes:
        raise OverLimit(
            f"{document.name} unpacks to {size:,} bytes; max_inflated_bytes allows {limits.max_inflated_bytes:,}.",
            "Ask the sender to split it, or raise max_inflated_bytes.",
        )


class _Reading:
    """One file on its way to a grid."""

    def __init__(self, document: Document, options: Options) -> None:
        self.name = document.name
        self.sheet = document.stem
        self.max_rows = options.max_rows
        self.meter = Meter(document.name, options.limits)
        self.problems: dict[Path, Problem] = {}
        self.notices: dict[Path, Problem] = {}

    def grid(self, file: Any) -> Grid:
        """The records of the file."""
        self.meter.sheet()
        rows: list[list[Scalar]] = []
        for batch in file.iter_batches(min(BATCH_ROWS, self.max_rows or BATCH_ROWS)):
            columns = [self._values(path, array) for path, array in _leaves(batch)]
            blank = sum(column.count(None) for column in columns)
            self.meter.row(len(columns) * batch.num_rows - blank, len(columns) * batch.num_rows)
            rows.extend(map(list, zip(*columns, strict=True)))
            if self.max_rows and len(rows) >= self.max_rows:
                break
        grid = Grid(self.sheet, problems=[*self.problems.values()], notices=[*self.notices.values()])
        none = pa.RecordBatch.from_pylist([], schema=file.schema_arrow)
        if paths := [path for path, _ in _leaves(none)]:
            lay_out(grid, paths, rows[: self.max_rows])
        return grid

    def _values(self, path: Path, array: Any) -> list[Scalar]:
        """The values of a column as Python has them."""
        kind = array.type
        if isinstance(kind, pa.BaseExtensionType):
            if kind.extension_name == "arrow.uuid":
                return [v if v is None else str(uuid.UUID(bytes=v)) for v in array.storage.to_pylist()]
            return self._values(path, array.storage)
        if pa.types.is_dictionary(kind):
            return self._values(path, array.dictionary_decode())
        reader = next((reader for applies, reader in _READERS if applies(kind)), None)
        if reader is not None:
            return reader(self, path, array)
        found: list[Scalar] = array.to_pylist()
        return found

    def texts(self, _: Path, array: Any) -> list[Scalar]:
        """Texts; "" says nothing."""
        return [text or None for text in array.to_pylist()]

    def moments(self, path: Path, array: Any) -> list[Scalar]:
        """Dates and times, to the microsecond; as their numbers where no calendar of Python's goes."""
        if pa.types.is_timestamp(array.type):
            if array.type.tz:
                self.notices[path] = time_zone(path, array.type.tz)
                array = pc.local_timestamp(array)
            array = array.cast(pa.timestamp("us"), safe=False)
        try:
            found: list[Scalar] = array.to_pylist()
        except (OverflowError, ValueError):
            self._report(path, "dates_out_of_range", "holds dates before the year 1 or after 9999, given as numbers")
            found = array.view(pa.int32() if pa.types.is_date32(array.type) else pa.int64()).to_pylist()
        return found

    def clocks(self, _: Path, array: Any) -> list[Scalar]:
        """Times of day, to the microsecond."""
        found: list[Scalar] = array.cast(pa.time64("us"), safe=False).to_pylist()
        return found

    def lengths(self, _: Path, array: Any) -> list[Scalar]:
        """Lengths of time, as texts."""
        micros = array.cast(pa.duration("us"), safe=False).cast(pa.int64()).to_pylist()
        return [None if v is None else cell_value(timedelta(microseconds=v)) for v in micros]

    def binaries(self, path: Path, array: Any) -> list[Scalar]:
        """Bytes, which old writers mean as texts."""
        try:
            return self.texts(path, array.cast(pa.large_binary()).cast(pa.large_string()))
        except pa.ArrowInvalid:
            self._report(path, "binary_column", "holds binary data, which is no text: it was left out")
            return [None] * len(array)

    def nested(self, _: Path, array: Any) -> list[Scalar]:
        """Lists, maps and structs too deep for a header, as JSON."""
        return [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in array.to_pylist()]

    def _report(self, path: Path, code: str, says: str) -> None:
        column = ".".join(path)
        self.problems[path] = Problem(
            code, f"The column '{column}' of {self.name} {says}.", "Ask the sender for another type.", where=column
        )


_Reader = Callable[[_Reading, Path, Any], list[Scalar]]
_READERS: tuple[tuple[Callable[[Any], bool], _Reader], ...] = (
    (lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t), _Reading.texts),
    (lambda t: pa.types.is_timestamp(t) or pa.types.is_date(t), _Reading.moments),
    (pa.types.is_time, _Reading.clocks),
    (pa.types.is_duration, _Reading.lengths),
    (
        lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t),
        _Reading.binaries,
    ),
    (pa.types.is_nested, _Reading.nested),
)


def _leaves(batch: Any) -> Iterator[tuple[Path, Any]]:
    """The columns of a batch, those of structs with the path to them."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        yield from _members((name,), column)


def _members(path: Path, array: Any) -> Iterator[tuple[Path, Any]]:
    if pa.types.is_struct(array.type) and len(path) < MAX_DEPTH:
        for field, member in zip(array.type, array.flatten(), strict=True):
            yield from _members((*path, field.name), member)
    else:
        yield path, array
