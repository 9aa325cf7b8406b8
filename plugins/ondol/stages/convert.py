"""convert: every file through the unified converter, wherever that runs; the tables go to the lake.

A result is kept by content, name, converter version and options, so that a file is converted once however often it is
run, and anew when another password may open it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ondol.conversion.base import File
from ondol.errors import Rejected
from ondol.lake.base import raw_path
from ondol.manifest import Entry, Manifest
from ondol.stages.context import StageContext

if TYPE_CHECKING:
    from converters.options import Options
    from converters.storage import Summary


def run(context: StageContext, manifest: Manifest) -> Manifest:
    """Every entry with the URI of its tables; what gives none goes to quarantine.

    Raises:
        RetriableError: the converter is down; what it gave until then is kept.
    """
    from converters import storage
    from converters.options import Options

    entries: list[Entry] = []
    refused = tables = 0
    options = Options(passwords=context.passwords())
    with context.telling():
        files = list(_files(context, manifest.entries, options))
        missing = {file.path: file for file in files if not _is_kept(context, file)}
        context.converter.convert(list(missing.values()), options)
        for entry, file in zip(manifest.entries, files, strict=True):
            uri = context.lake.uri(file.path)
            result = storage.summary(context.lake.local(uri))
            try:
                _must_be_usable(context, entry, result, options)
            except Rejected as rejected:
                refused += 1
                context.refuse("convert", entry, rejected)
                continue
            tables += len(result.tables)
            entries.append(entry.model_copy(update={"tables": uri}))
            context.event(
                "convert",
                result.state,
                entry,
                reason="; ".join(p.message for p in result.problems),
                format=result.format,
                tables=[f"{sheet}: {title or ''}" for sheet, title in result.tables],
            )
    return context.manifest(
        "convert", entries, batch=manifest.batch, converted=len(entries), tables=tables, quarantined=refused
    )


def _files(context: StageContext, entries: list[Entry], options: Options) -> Iterator[File]:
    from converters.cache import keys

    key_of = keys(options)
    for entry in entries:
        raw = context.lake.uri(raw_path(entry.sha256))
        yield File(raw, entry.name, entry.sha256, f"tables/{key_of(entry.sha256, entry.name)}")


def _is_kept(context: StageContext, file: File) -> bool:
    from converters import storage
    from converters.cache import lasting

    if not context.lake.exists(file.path):
        return False
    try:
        return lasting(storage.summary(context.lake.local(context.lake.uri(file.path))).state)
    except ValueError:  # of another layout: it is made anew
        return False


def _must_be_usable(context: StageContext, entry: Entry, result: Summary, options: Options) -> None:
    if result.usable:
        return
    problems = [{"code": p.code, "message": p.message, "where": p.where} for p in result.problems]
    evidence: dict[str, object] = {"state": result.state, "problems": problems}
    if result.state == "needs_password":
        from converters.cache import passwords_hash

        evidence["passwords"] = passwords_hash(options.passwords)
        locked = next(p for p in result.problems if p.code == result.state)
        raise Rejected(f"'{entry.name}': {locked.message}", _password_remedy(context), evidence)
    if result.problems:
        first = result.problems[0]
        raise Rejected(f"'{entry.name}': {first.message}", first.remedy, evidence)
    raise Rejected(
        f"'{entry.name}' holds no table.",
        "Look at it with 'ondol convert'; if it is not a report, drop it from quarantine.",
        evidence,
    )


def _password_remedy(context: StageContext) -> str:
    """What makes the next run open the file: a secret that is named and not there, or one that is not named yet."""
    tenant, secrets = context.tenant, context.secrets
    for name in tenant.passwords:
        if secrets.get(tenant.tenant, name) is None:
            how = secrets.how(tenant.tenant, name)
            return f"Secret '{name}', which 'passwords' of {tenant.tenant}.yaml names, is not there: {how}. Run again."
    how = secrets.how(tenant.tenant, "office")
    return (
        f"Name a secret with its password under 'passwords' of {tenant.tenant}.yaml, such as 'passwords: [office]', "
        f"and {how}. Then run again, or ask the sender for a copy without a password."
    )
