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

    from converters import storage

    entries: list[Entry] = []
    refused = tables = 0
    with context.telling(), tempfile.TemporaryDirectory(prefix="ondol-convert-") as folder:
        for entry, conversion in _converted(context, manifest.entries):
            try:
                _must_be_usable(entry, conversion)
            except Rejected as rejected:
                refused += 1
                context.refuse("convert", entry, rejected)
                continue
            path = _path(entry)
            if not context.lake.exists(path):
                storage.save(conversion, Path(folder) / "tables")
                context.lake.put(path, (Path(folder) / "tables").read_bytes())
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


def _converted(context: StageContext, entries: list[Entry]) -> Iterator[tuple[Entry, Conversion]]:
    """Each entry with its conversion: from the lake if it is there, from the workers if not."""
    from converters import sandbox, storage

    fresh = [e for e in entries if not context.lake.exists(_path(e))]
    for entry in entries:
        if entry not in fresh:
            yield entry, storage.load(context.lake.local(context.lake.uri(_path(entry))))
    jobs = [(context.lake.local(context.lake.uri(raw_path(e.sha256))), e.name) for e in fresh]
    yield from zip(fresh, sandbox.convert_many(jobs, workers=context.workers), strict=True)


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
