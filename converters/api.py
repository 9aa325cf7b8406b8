"""convert: any business file in, typed and traceable tables out."""

from __future__ import annotations

import contextlib
import gc
import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from converters.detect import detect
from converters.document import Document
from converters.errors import Broken, ConverterError, OverLimit, Unsupported
from converters.explain import view
from converters.formats.registry import NOT_READ, READERS, reader
from converters.grid import Grid
from converters.model import Conversion, Problem
from converters.options import DEFAULTS, Options
from converters.tables.understand import tables_of

log = logging.getLogger(__name__)

SAMPLE_ROWS = 50
SAMPLE_CHARACTERS = 1 << 16


def convert(source: str | Path | bytes, *, name: str | None = None, options: Options = DEFAULTS) -> Conversion:
    """The tables of one file; a bad file gives a state and problems, never an exception.

    Args:
        source: a path, or the bytes themselves.
        name: the file's name as its sender knows it; the path's own name if it is left out.
        options: limits and passwords.
    """
    document = Document.of(source, name)
    result = Conversion(document.name, "", None, "quarantined")
    try:
        result.sha256 = document.sha256
        with _no_collection():
            _convert(document, options, result)
    except ConverterError as error:
        result.state, result.tables = error.state, []
        result.problems.append(error.problem())
    except OSError as error:
        result.problems.append(
            Problem("unreadable", f"{document.name}: {error.strerror or error}.", "Check that the file is still there.")
        )
    except MemoryError:
        result.tables = []
        result.problems.append(
            Problem("over_limit", f"{document.name} needs more memory than it may have.", "Split the file.")
        )
    except Exception as error:
        log.exception("converting failed file=%s", document.name)
        result.tables = []
        result.problems.append(_defect(document, error))
    return result


def sample_text(source: str | Path | bytes, name: str | None = None) -> str:
    """The first texts of a file (sheet names, about 50 rows of each sheet, up to 64 kB), one row a line.

    It is what an item recognises a file by. It never raises: a file that cannot be read gives "".
    """
    document = Document.of(source, name)
    parts: list[str] = []
    try:
        for grid in grids_of(document, Options(max_rows=SAMPLE_ROWS)):
            parts.append(grid.sheet)
            parts.extend(_lines(grid))
            if sum(map(len, parts)) > SAMPLE_CHARACTERS:
                break
    except Exception as error:
        log.debug("no sample of file=%s: %s", document.name, error)
    return "\n".join(parts)[:SAMPLE_CHARACTERS]


def grids_of(document: Document, options: Options) -> Iterator[Grid]:
    """The sheets of a document as they are, before anything is understood.

    Raises:
        ConverterError: the document gives none.
    """
    for grid in reader(_format(document, options))(document, options):
        grid.container = grid.container or document.container
        yield grid


def _convert(document: Document, options: Options, result: Conversion) -> None:
    result.format = detect(document)
    for grid in grids_of(document, options):
        result.problems.extend(grid.problems)
        result.notices.extend(grid.notices)
        tables = tables_of(grid, first_index=len(result.tables))
        result.tables.extend(tables)
        if options.explain:
            result.views.append(view(grid, (decision for table in tables for decision in table.decisions)))
    result.state = "partial" if result.problems else "ok"
    if not result.tables:
        result.state = "quarantined" if result.problems else "ok"
        result.problems.append(
            Problem(
                "no_table",
                f"{document.name}: no table was found in it.",
                "Open it: if there is a table in it, send it to the maintainers: its layout is new to the converter.",
            )
        )


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Pauses the cycle collector, which would walk a million new cells again and again and find nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _format(document: Document, options: Options) -> str:
    limits = options.limits
    if document.size > limits.max_bytes:
        raise OverLimit(
            f"{document.name} has {document.size:,} bytes; max_bytes allows {limits.max_bytes:,}.",
            "Ask the sender to split it, or raise max_bytes.",
        )
    if document.size == 0:
        raise Broken(f"{document.name} is empty (0 bytes).", "Ask the sender to send it again.")
    name = detect(document)
    if name not in READERS:
        what, remedy = NOT_READ[name]
        raise Unsupported(f"{document.name} is {what}, which is not read.", remedy)
    return name


def _defect(document: Document, error: Exception) -> Problem:
    return Problem(
        "converter_defect",
        f"{document.name}: the converter failed ({type(error).__name__}: {str(error)[:200]}).",
        "The file itself may be sound: keep it and report it to the maintainers; meanwhile save it anew as xlsx.",
    )


def _lines(grid: Grid) -> Iterator[str]:
    for values in islice(grid.rows.values(), SAMPLE_ROWS):
        yield "\t".join(str(value) for value in values if value is not None)
