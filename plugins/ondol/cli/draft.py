"""The first YAML of a tenant, as text with comments for the person who edits it."""

from __future__ import annotations

import datetime as dt
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from converters.model import Conversion
from converters.rules import QUANTITIES
from converters.sandbox import convert_many
from ondol.cli.guess import ColumnGuess, ItemGuess, item_of, name_of
from ondol.config.fields import ID_RULE
from ondol.config.loader import load_tenant
from ondol.config.names import identifier
from ondol.config.pattern import match_name
from ondol.config.tenant import Item, is_reserved, unreserved
from ondol.errors import FatalError

_PLAIN = re.compile(r"[가-힣A-Za-z][가-힣\w/ ]*(?<! )")
_WORDS = {"true", "false", "null"}
_UNSAFE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


@dataclass(slots=True)
class Draft:
    """What became of the sample files.

    Args:
        path: the file that was written.
        items: by the name of the sample that each was guessed from.
        unread: why a file was left out, by its name.
        rows: how many rows the item reads of its sample, or why it reads none.
    """

    path: Path
    items: dict[str, ItemGuess] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int | str] = field(default_factory=dict)


def write_tenant(folder: Path, tenant: str, title: str, files: list[Path]) -> Draft:
    """Write <folder>/<tenant>.yaml from sample files, and try its rules on them.

    Files whose names differ in the date are of one kind; the first of them is the sample.

    Raises:
        FatalError: the id cannot be a tenant's, its file is there already, or no file has a table.
    """
    draft = Draft(_new_path(folder, tenant))
    samples = _samples(files)
    conversions = dict(zip(samples, convert_many([(file, None) for file in samples.values()]), strict=True))
    for name, conversion in conversions.items():
        if conversion.tables:
            draft.items[name] = item_of(name, conversion.tables, {i.id for i in draft.items.values()})
        else:
            draft.unread[name] = "; ".join(p.message for p in conversion.problems) or "it has no table"
    if not draft.items:
        raise FatalError("no sample file has a table: " + "; ".join(f"{f}: {why}" for f, why in draft.unread.items()))
    _part(list(draft.items.values()), [file.name for file in files])
    body = text(tenant, title, list(draft.items.values()), draft.unread)
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / draft.path.name).write_text(body)
        config = load_tenant(Path(scratch) / draft.path.name)
    draft.rows = {name: _try(config.item(item.id), conversions[name]) for name, item in draft.items.items()}
    folder.mkdir(parents=True, exist_ok=True)
    with draft.path.open("x") as file:
        file.write(body)
    return draft


def _new_path(folder: Path, tenant: str) -> Path:
    """Where the tenant's file will be; FatalError if it must not be written."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", tenant) or is_reserved(tenant):
        word = identifier(tenant)
        word = unreserved(f"{word}_co" if len(word) < 2 else word)
        raise FatalError(f"{tenant[:80]!r} cannot be a tenant's id. Allowed: {ID_RULE}, no reserved word. Try {word!r}")
    path = folder / f"{tenant}.yaml"
    if path.exists():
        raise FatalError(f"{path} is there already and is not overwritten: edit it, or choose another id")
    return path


def _samples(files: list[Path]) -> dict[str, Path]:
    """The first file of each kind, by its name."""
    kinds: dict[str, Path] = {}
    for file in files:
        kinds.setdefault(name_of(file.name).glob, file)
    return {file.name: file for file in kinds.values()}


def _try(item: Item, conversion: Conversion) -> int | str:
    """How many rows the item's rule reads of its sample, or why it reads none."""
    from converters.errors import ContractBroken
    from converters.tagging import About, tag

    found = match_name(item.match.name or "", conversion.name)
    start = (found and found.start) or dt.date(2000, 1, 1)
    end = (found and found.end) or start
    try:
        about = About(item.id, start, end, "", conversion.sha256, conversion.name, "")
        return int(tag(conversion, item.tag, about).table.num_rows)
    except ContractBroken as broken:
        return broken.reason


def _part(items: list[ItemGuess], names: list[str]) -> None:
    """Let each sample be of one item only: the item with the wider pattern loses its '*' for resends."""
    for name in names:
        fitting = sorted((i for i in items if match_name(i.name.glob, name)), key=lambda i: len(i.name.glob))
        for item in fitting[:-1]:
            item.name = type(item.name)(item.name.glob.replace("*", "", 1), item.name.stem, item.name.grain)
            item.notes.append(
                f"its pattern also fitted {name}: files of a resend, such as …(수정), need a pattern of their own"
            )


def text(tenant: str, title: str, items: list[ItemGuess], unread: dict[str, str]) -> str:
    """The whole file."""
    lines = [
        "# yaml-language-server: $schema=_schema.json",
        "# Written from sample files: edit it, then run 'ondol check'. All keys: docs/tenant.md",
        f"tenant: {tenant}",
        f"name: {scalar(title)}",
        _noted('schedule: "0 7 * * *"', "every day at 7:00"),
        "timezone: Asia/Seoul",
        "",
        "sources:",
        "  - id: inbox",
        "    type: folder",
        _noted(f"    path: inbox/{tenant}/{{date}}", "below ONDOL_HOME; one folder a day, {date} is 2026-01-05"),
        "",
        "items:",
    ]
    for item in items:
        lines += [*_item(item), ""]
    for file, reason in unread.items():
        lines.append(f"# left out: {_comment(file)}: {_comment(reason)}")
    lines += [
        "# The marts that go to PostgreSQL: made by the models in dataform/definitions/<models>/; the key names a row.",
        "# transform: {models: retail}",
        "# sync:",
        "#   - {table: mart_sales, key: [date, store_code]}",
    ]
    return "\n".join(lines) + "\n"


def _item(item: ItemGuess) -> Iterator[str]:
    yield f"  - id: {item.id}"
    for note in item.notes:
        yield f"    # {_comment(note)}"
    yield f"    match: {{name: {scalar(item.name.glob)}}}"
    if item.period != "name":
        why = "a date in the title, notes or sheet name" if item.period == "content" else "the day of the run"
        yield _noted(f"    period: {item.period}", f"{why}: the file's name has no date")
    if item.grain != "day":
        yield f"    grain: {item.grain}"
    yield _noted("    due: 1 day", "expected so long after the period's end")
    yield f"    table: {item.id}"
    yield "    tag:"
    if item.header:
        yield f"      table: {{header: [{', '.join(map(scalar, item.header))}]}}"
    if item.columns:
        yield "      columns:"
        keys = [f"{scalar(c.name)}:" for c in item.columns]
        width = max(map(len, keys))
        yield from (f"        {key:<{width}} {_column(c)}" for key, c in zip(keys, item.columns, strict=True))
    else:
        yield "      columns: {}"
    if item.unpivot:
        yield f"      unpivot: {{{', '.join(f'{key}: {scalar(value)}' for key, value in item.unpivot.items())}}}"
    if item.unique:
        yield f"      unique: [{', '.join(map(scalar, item.unique))}]"


def _column(column: ColumnGuess) -> str:
    parts = [f"from: {scalar(column.source)}"]
    parts += [f"type: {column.type}"] if column.type != "text" else []
    parts += [f"unit: {scalar(column.unit)}"] if column.unit and column.type in QUANTITIES else []
    parts += ["required: true"] if column.required else []
    return f"{{{', '.join(parts)}}}"


def scalar(value: str) -> str:
    """A text as YAML: plain where that is safe, else in double quotes."""
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _noted(line: str, comment: str) -> str:
    return f"{line:<34} # {comment}"


def _comment(value: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", value)
