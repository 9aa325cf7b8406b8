"""First guesses at items from sample files, for a person to edit: names, types, units and layouts as they are seen."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING

from ondol.config.names import identifier
from ondol.config.tenant import unreserved
from ondol.config.words import canonical

if TYPE_CHECKING:
    from converters.model import Column, Scalar, Table

DATES = (
    (r"(?<!\d)20\d{2}[-._](?:0[1-9]|1[0-2])[-._](?:0[1-9]|[12]\d|3[01])(?!\d)", "{yyyy-mm-dd}", "day"),
    (r"(?<!\d)20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)", "{yyyymmdd}", "day"),
    (r"(?<!\d)20\d{2}(?:0[1-9]|1[0-2])(?!\d)", "{yyyymm}", "month"),
    (r"(?<!\d)20\d{2}[-._](?:0[1-9]|1[0-2])(?!\d)", "{yyyy-mm}", "month"),
    (r"(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)", "{yymmdd}", "day"),
    (r"(?<!\d)20\d{2}(?!\d)", "{yyyy}", "year"),
)
"""What dates in file names look like, the likeliest first, and the placeholder and grain that each gives."""

HANGUL_DATE = re.compile(r"(20\d{2}|\d{2})(년\s*)(\d{1,2})(월)(?:(\s*)(\d{1,2})(일))?")
RESEND = re.compile(
    r"[\s_-]*(?:[(\[](?:\d+|(?:수정|정정|개정|최종|재송|사본|복사본)[^)\]]*|copy)[)\]]|(?:수정|정정|개정|최종|재송|사본|복사본|final|rev|ver|v)\d*)$",
    re.IGNORECASE,
)
SPOKEN = re.compile(r"20\d{2}\s*[년.\-/]\s*\d{1,2}(?:\s*[월.\-/]\s*(\d{1,2}))?")
MEASURES = frozenset(
    "sales quantity target actual amount plan cost patients stock count budget profit produced".split()
)
MOST_COLUMNS = 300
LONGEST_HEADER = 200
MONEY = re.compile(r"원$|^(?:USD|KRW|JPY|EUR|달러|엔)$")
CROSSTABS = (
    (r"(?:1[0-2]|0?[1-9])월", "*월", "month", "month"),
    (r"(?:3[01]|[12]\d|0?[1-9])일", "*일", "date", "date"),
    (r"[1-4](?:/4)?분기", "*분기", "quarter", "text"),
    (r"20\d{2}년?", "20*", "year", "text"),
)
"""Header texts that are values: their pattern, a glob for them, the column that takes them, and its type."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a file name says: a glob for its like, and how long a period is; no grain if it has no date."""

    glob: str
    stem: str
    grain: str | None


@dataclass(slots=True)
class ColumnGuess:
    """One canonical column, in the words of the YAML."""

    name: str
    source: str
    type: str
    unit: str | None = None
    required: bool = False


@dataclass(slots=True)
class ItemGuess:
    """One item: what `ondol tenant new` writes of a sample file."""

    id: str
    name: Name
    period: str
    grain: str
    header: list[str]
    columns: list[ColumnGuess] = field(default_factory=list)
    unpivot: dict[str, str] | None = None
    unique: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def names(self) -> list[str]:
        """The canonical columns of its tidy table."""
        melted = [self.unpivot[key] for key in ("into", "value") if key in self.unpivot] if self.unpivot else []
        return [column.name for column in self.columns] + melted


def name_of(file: str) -> Name:
    """The glob of a file's name: its date becomes a placeholder, marks of a resend become *."""
    path = PurePath(unicodedata.normalize("NFC", file))
    stem = path.stem
    while (shorter := RESEND.sub("", stem)) and shorter != stem and not _date_lost(stem, shorter):
        stem = shorter
    glob, grain, bare = _dated(stem)
    return Name(f"{glob}*{_literal(path.suffix)}", bare.strip(" _-.,()[]"), grain)


def _date_lost(stem: str, shorter: str) -> bool:
    return _dated(stem)[1] is not None and _dated(shorter)[1] is None


def _dated(stem: str) -> tuple[str, str | None, str]:
    """The stem as a glob with its date as placeholders, the grain, and the stem without the date."""
    if found := HANGUL_DATE.search(stem):
        year = "{yyyy}" if len(found[1]) == 4 else "{yy}"
        parts = [year, found[2], "{m}", found[4], *([found[5], "{d}", found[7]] if found[6] else [])]
        middle, grain = "".join(parts), "day" if found[6] else "month"
    else:
        matches = ((re.search(pattern, stem), placeholder, grain) for pattern, placeholder, grain in DATES)
        found, middle, grain = next((m for m in matches if m[0]), (None, "", ""))
        if not found:
            return _literal(stem), None, stem
    before, after = stem[: found.start()], stem[found.end() :]
    return f"{_literal(before)}{middle}{_literal(after)}", grain, f"{before} {after}"


def _literal(text: str) -> str:
    """A text as a glob that fits only it; braces, which would be placeholders, fit any one character."""
    return re.sub(r"[{}]", "?", re.sub(r"([\[*?])", r"[\1]", text))


def item_of(file: str, tables: list[Table], taken: set[str]) -> ItemGuess:
    """The item that a file with these tables is a sample of: its largest table counts.

    Args:
        taken: ids that other items have.
    """
    name = name_of(file)
    table = max(tables, key=lambda t: len(t.rows) * len(t.columns))
    period, grain = ("name", name.grain) if name.grain else _spoken(table)
    unpivot, melted = _crosstab(table, name.stem)
    usable = [c for c in table.columns if c.path and max(map(len, c.path)) <= LONGEST_HEADER and not c.subtotal]
    plain = [c for c in usable if c not in melted][:MOST_COLUMNS]
    names = {unpivot[key] for key in ("into", "value") if key in unpivot} if unpivot else set()
    columns = [_column(column, table, names) for column in plain]
    guess = ItemGuess(_id(name.stem, taken), name, period, grain, [_leaf(c) for c in (plain or melted)[:3]])
    guess.unpivot = unpivot
    guess.columns = [*_period_columns(guess, columns), *columns]
    guess.unique = _unique(guess, table, list(zip(plain, columns, strict=True)))
    if unpivot and "value" not in unpivot:
        guess.columns += _left_over(melted, unpivot["over"], names)
    if left := len([c for c in table.columns if not c.subtotal and c not in melted]) - len(plain):
        guess.notes.append(
            f"{left} more columns have no header, too long a one, or come after the first {MOST_COLUMNS}"
        )
    if others := [t for t in tables if t is not table]:
        guess.notes.append(f"the file has {len(others)} more tables: " + ", ".join(_called(t) for t in others[:5]))
    return guess


def _spoken(table: Table) -> tuple[str, str]:
    """Where the period of a file without a date in its name comes from, and its grain."""
    found = SPOKEN.search(" ".join([table.sheet, table.title or "", *table.notes]))
    return ("content", "day" if found[1] else "month") if found else ("run", "day")


def _crosstab(table: Table, stem: str) -> tuple[dict[str, str] | None, list[Column]]:
    """The unpivot of header texts that are values (1월..12월), and the columns under them."""
    values = [c for c in table.columns if c.role == "value" and not c.subtotal]
    for pattern, glob, into, kind in CROSSTABS:
        melted = [c for c in values if any(_is(pattern, text) for text in c.path)]
        if len({text for c in melted for text in c.path if _is(pattern, text)}) < 3:
            continue
        rest = {tuple(t for t in c.path if not _is(pattern, t)) for c in melted}
        unpivot = {"over": glob, "into": into, "type": kind}
        if rest == {()}:
            unpivot["value"] = _value_name([table.title or "", *table.notes, stem], melted[0])
            unpivot |= {"unit": melted[0].unit} if melted[0].unit else {}
        return unpivot, melted
    return None, []


def _is(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, re.sub(r"\s|[(\[（].*?[)\]）]", "", text)) is not None


def _value_name(texts: list[str], column: Column) -> str:
    """A name for the body of a crosstab: the last measure that its title, notes or file name speak of."""
    for text in texts:
        for word in reversed(re.findall(r"[가-힣]+", text)):
            for name in (canonical(word), canonical(re.sub(r"(?:현황|집계|실적표|표)$", "", word))):
                if name in MEASURES:
                    return name
    return "amount" if column.unit and MONEY.search(column.unit) else "value"


def _left_over(melted: list[Column], over: str, names: set[str]) -> Iterator[ColumnGuess]:
    """The columns that are left of a two-level crosstab: 1월/계획, 1월/실적 → 계획, 실적."""
    pattern = next(p for p, glob, _, _ in CROSSTABS if glob == over)
    seen: dict[tuple[str, ...], Column] = {}
    for column in melted:
        seen.setdefault(tuple(t for t in column.path if not _is(pattern, t)), column)
    for rest, column in seen.items():
        if rest:
            name = _unused(canonical(rest[-1]) or "value", names)
            names.add(name)
            yield ColumnGuess(name, "/".join(rest), _type(column), column.unit)


def _column(column: Column, table: Table, names: set[str]) -> ColumnGuess:
    """The rule of one column, under a name that no other has: of its innermost header, else of the whole path."""
    options = [canonical(text) for text in (column.path[-1], " ".join(column.path))]
    name = next((n for n in options if n and n not in names), None) or _unused(options[0] or "column", names)
    names.add(name)
    alone = not column.derived and sum(c.path[-1:] == column.path[-1:] for c in table.columns) == 1
    source = column.path[-1] if alone else "/".join(column.path)
    required = column.role == "label" and _full(column, _body(table))
    return ColumnGuess(name, source, _type(column), column.unit, required)


def _unused(name: str, taken: set[str]) -> str:
    return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 10_000))) if n not in taken)


def _type(column: Column) -> str:
    values = [v for v in column.values if v is not None]
    if column.type == "number":
        whole = all(_whole(v) for v in values)
        return "integer" if whole and not MONEY.search(column.unit or "") and not _money_word(column) else "decimal"
    if column.type == "date":
        first = all(isinstance(v, dt.date) and v.day == 1 for v in values)
        return "month" if first and len(values) > 1 and "월" in _leaf(column) else "date"
    return "bool" if column.type == "bool" else "text"


def _whole(value: Scalar) -> bool:
    return isinstance(value, int | float | Decimal) and value == int(value)


def _money_word(column: Column) -> bool:
    return re.search(r"액|가$|원가|비용|매출|금$|율|률|%", _leaf(column)) is not None


def _leaf(column: Column) -> str:
    return re.sub(r"\s*[(\[（].*?[)\]）]$", "", column.path[-1]) or column.path[-1]


def _period_columns(guess: ItemGuess, columns: list[ColumnGuess]) -> list[ColumnGuess]:
    """A column for the period of the file, where its rows do not say one."""
    kinds = {c.type for c in columns} | ({guess.unpivot["type"]} if guess.unpivot else set())
    if kinds & {"date", "month"}:
        return []
    name = {"day": "date", "month": "month", "year": "period"}[guess.grain]
    kind = "month" if guess.grain == "month" else "date"
    return [ColumnGuess(_unused(name, {c.name for c in columns}), "period", kind, required=True)]


def _unique(guess: ItemGuess, table: Table, pairs: list[tuple[Column, ColumnGuess]]) -> list[str]:
    """The columns that tell the rows of the sample apart, as few as do; empty if none do."""
    body = _body(table)
    candidates = [(c, g) for c, g in pairs if c.type in ("text", "date") and _full(c, body)]
    candidates += [(c, g) for c, g in pairs if c.role == "label" and c.type == "number" and _full(c, body)]
    candidates.sort(key=lambda pair: (pair[0].role != "label", not _is_code(pair[1].name), pair[0].type != "date"))
    added = [c.name for c in guess.columns if c.source == "period"] + ([guess.unpivot["into"]] if guess.unpivot else [])
    for count in range(1, len(candidates) + 1):
        if len({tuple(c.values[i] for c, _ in candidates[:count]) for i in body}) == len(body):
            return [*added, *(g.name for _, g in candidates[:count])]
    return []


def _is_code(name: str) -> bool:
    return name.endswith(("_code", "_number"))


def _body(table: Table) -> list[int]:
    """The positions of the rows that sum up nothing."""
    return [position for position, total in enumerate(table.row_subtotal) if not total]


def _full(column: Column, body: list[int]) -> bool:
    return all(column.values[i] is not None for i in body)


def _called(table: Table) -> str:
    return f"{table.sheet} ({table.title})" if table.title else table.sheet


def _id(stem: str, taken: set[str]) -> str:
    name = canonical(stem)[:36].rstrip("_") or identifier(stem) or "item"
    return _unused(unreserved(f"{name}_data" if len(name) < 2 else name), taken)
