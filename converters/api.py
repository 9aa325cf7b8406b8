"""convert: any business file in, typed and traceable tables out."""

from __future__ import annotations

import contextlib
import gc
import logging
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from converters.detect import detect
from converters.document import Document
from converters.errors import NeedsPassword, Unsupported, failure_of
from converters.explain import view
from converters.formats.registry import grids_of
from converters.grid import Grid
from converters.model import Conversion, Problem, State
from converters.options import DEFAULTS, Options
from converters.tables.timeline import set_periods
from converters.tables.understand import understand

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
    except Exception as error:
        failure = failure_of(document.name, error)
        result.state, result.tables, result.views = failure.state, [], []
        result.problems.append(failure.problem())
    return result


def sample_text(source: str | Path | bytes, name: str | None = None, passwords: Sequence[str] = ()) -> str:
    """The first texts of a file (sheet names, about 50 rows of each sheet, up to 64 kB), one row a line.

    Of an archive or a mail also the names of the files in it, and the mail's subject, sender and date. It is what an
    item recognises a file by. It never raises: a file that cannot be read gives "".
    """
    document = Document.of(source, name)
    parts: list[str] = []
    inside: tuple[str, ...] = ()
    try:
        for grid in grids_of(document, Options(passwords=tuple(passwords), max_rows=SAMPLE_ROWS)):
            if grid.container[1:] != inside:
                inside = grid.container[1:]
                parts.append("/".join(inside))
            parts.extend(notice.message for notice in grid.notices if notice.code == "mail")
            parts.append(grid.sheet)
            parts.extend(_lines(grid))
            if sum(map(len, parts)) > SAMPLE_CHARACTERS:
                break
    except Exception as error:
        log.debug("no sample of file=%s: %s", document.name, error)
    return "\n".join(filter(None, parts))[:SAMPLE_CHARACTERS]


def _convert(document: Document, options: Options, result: Conversion) -> None:
    result.format = detect(document)
    for grid in grids_of(document, options):
        result.problems.extend(grid.problems)
        result.notices.extend(grid.notices)
        try:
            _understand(grid, options, result)
        except Exception as error:
            if not grid.container:
                raise
            failure = failure_of(grid.sheet, error)  # one file of an archive must not cost the others
            failure.where = " ▸ ".join(grid.container[1:])
            result.problems.append(failure.problem())
    result.state = _state(document, result)


def _understand(grid: Grid, options: Options, result: Conversion) -> None:
    understood = understand(grid, first_index=len(result.tables))
    for table in understood.tables:
        table.decisions += set_periods(table, result.name)
    result.tables.extend(understood.tables)
    if options.explain:
        owned = (decision for table in understood.tables for decision in table.decisions)
        result.views.append(view(grid, chain(owned, understood.decisions)))


def _state(document: Document, result: Conversion) -> State:
    """The state of a file that was read to its end; without any table it is the one that best says what to do."""
    if result.tables:
        return "partial" if result.problems else "ok"
    if not result.problems:
        result.problems = [notice for notice in result.notices if notice.code == Unsupported.code]
    codes = {problem.code for problem in result.problems}
    if NeedsPassword.code in codes:
        return "needs_password"
    if codes == {Unsupported.code}:
        return "unsupported"
    if codes:
        return "quarantined"
    result.problems.append(
        Problem(
            "no_table",
            f"{document.name}: no table was found in it.",
            "Open it: if there is a table in it, send it to the maintainers: its layout is new to the converter.",
        )
    )
    return "ok"


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


def _lines(grid: Grid) -> Iterator[str]:
    for values in islice(grid.rows.values(), SAMPLE_ROWS):
        yield "\t".join(str(value) for value in values if value is not None)
