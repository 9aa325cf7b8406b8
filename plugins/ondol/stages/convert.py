"""convert: one call of the unified converter per file, in worker processes; the tables go to the lake.

A result is kept by content, name and converter version, so that a file is converted once however often it is run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ondol.errors import Rejected
from ondol.lake.local import raw_path
from ondol.manifest import Entry, Manifest
from ondol.stages.context import StageContext

if TYPE_CHECKING:
    from converters.model import Conversion


def run(context: StageContext, manifest: Manifest) -> Manifest:
    """Every entry with the URI of its tables; what gives none goes to quarantine."""
    import tempfile

    entries: list[Entry] = []
    refused = tables = 0
    with context.telling(), tempfile.TemporaryDirectory(prefix="ondol-convert-") as folder:
        for entry, conversion, result in _converted(context, manifest.entries, Path(folder)):
            try:
                _must_be_usable(entry, conversion)
            except Rejected as rejected:
                refused += 1
                context.refuse("convert", entry, rejected)
                continue
            path = _path(entry)
            if result:
                context.lake.put(path, result.read_bytes())
            tables += len(conversion.tables)
            entries.append(entry.model_copy(update={"tables": context.lake.uri(path)}))
            context.event(
                "convert",
                conversion.state,
                entry,
                reason="; ".join(p.message for p in conversion.problems),
                format=conversion.format,
                tables=[f"{t.sheet}: {t.title or ''}" for t in conversion.tables],
            )
    return context.manifest(
        "convert", entries, batch=manifest.batch, converted=len(entries), tables=tables, quarantined=refused
    )


def _converted(
    context: StageContext, entries: list[Entry], folder: Path
) -> Iterator[tuple[Entry, Conversion, Path | None]]:
    """Each entry with its conversion: from the lake, or from a worker with the file that is to go into the lake."""
    from converters import sandbox, storage

    there = {_path(e) for e in entries if context.lake.exists(_path(e))}
    fresh = [e for e in entries if _path(e) not in there]
    for entry in entries:
        if _path(entry) in there:
            yield entry, storage.load(context.lake.local(context.lake.uri(_path(entry)))), None
    jobs = [(context.lake.local(context.lake.uri(raw_path(e.sha256))), e.name) for e in fresh]
    results = sandbox.convert_to_files(jobs, folder, workers=context.workers)
    for entry, result in zip(fresh, results, strict=True):
        yield entry, storage.load(result), result
        result.unlink(missing_ok=True)


def _path(entry: Entry) -> str:
    from converters import VERSION

    name = hashlib.sha256(entry.name.encode()).hexdigest()[:8]  # the sheet of a text file is named after it
    return f"tables/{VERSION}/{entry.sha256}-{name}"


def _must_be_usable(entry: Entry, conversion: Conversion) -> None:
    if conversion.state in ("ok", "partial") and conversion.tables:
        return
    problems = [{"code": p.code, "message": p.message, "where": p.where} for p in conversion.problems]
    if conversion.problems:
        first = conversion.problems[0]
        raise Rejected(
            f"'{entry.name}': {first.message}", first.remedy, {"state": conversion.state, "problems": problems}
        )
    raise Rejected(
        f"'{entry.name}' holds no table.",
        "Look at it with 'ondol convert'; if it is not a report, drop it from quarantine.",
        {"state": conversion.state, "problems": problems},
    )
