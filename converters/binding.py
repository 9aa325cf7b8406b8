"""Which column of a table each canonical column of a tag rule comes from."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from converters.errors import ContractBroken
from converters.model import Column, Table, address
from converters.rules import TagRule
from converters.tables.units import unit_in_brackets

Path = tuple[str, ...]
Candidate = tuple[Column, Path]
NEARLY_ALL = 4
"""A table that lacks only one of so many headers or more is a broken form rather than another table."""

_TRAILING_BRACKET = re.compile(r"[(\[][^()\[\]]*[)\]]$")
_YEAR_LEVEL = re.compile(r"'?\d{2}(\d{2})?(년도?|年度?)?|fy'?\d{2}(\d{2})?")
_MONTH_LEVEL = re.compile(r"(.*\D)?\d{1,2}[월月]")


@dataclass(slots=True)
class Group:
    """The columns that make one tidy row of each body row: one group, or with unpivot one for each header value.

    Args:
        header: the header text that becomes a value, if unpivoted, with the year or month over it ("2025년 12월").
        columns: canonical column → table column.
        own: the canonical columns whose table column is of this group alone.
    """

    header: str | None
    columns: dict[str, Column] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Binding:
    """A table that the rule speaks of, with its columns found."""

    table: Table
    groups: list[Group]


@dataclass(frozen=True, slots=True)
class Unfit:
    """A table that the rule does not speak of.

    Args:
        reason: for people.
        missing: how many of the wanted headers it lacks; all, if `table` of the rule leaves it out.
        broken: it looks like a table of the rule that has lost a header.
    """

    reason: str
    missing: int
    broken: bool = False


def bind(table: Table, rule: TagRule) -> Binding | Unfit:
    """The table's columns by the rule; or why it is not a table that the rule speaks of.

    Raises:
        ContractBroken: it is one, but two of its columns fit one canonical column, or it lacks one of them.
    """
    wanted = [name for name, r in rule.columns.items() if r.headers and not r.optional]
    if refused := _left_out(table, rule):
        return Unfit(refused, len(wanted) + 1)
    usable = [c for c in table.columns if c.path and (rule.subtotals == "keep" or not c.subtotal)]
    groups, spread = _groups(usable, rule)
    if not groups:
        globs = " or ".join(f"'{glob}'" for glob in rule.unpivot.globs) if rule.unpivot else ""
        return Unfit(f"it has no header that fits {globs} (unpivot.over)", len(wanted) + 1)
    missing = _bind_columns(table, rule, groups, spread)
    if rule.unpivot and rule.unpivot.value:
        _bind_value(table, rule.unpivot.value, groups, spread)
    if _may_lack(rule, missing, len(wanted)):
        missing = []
    return _lacking(table, rule, missing, len(wanted)) if missing else Binding(table, groups)


def _may_lack(rule: TagRule, missing: list[str], wanted: int) -> bool:
    """Whether the item takes a file that lacks these columns."""
    evolves = rule.changes.missing_column == "evolve" and not any(rule.columns[name].required for name in missing)
    return evolves and 2 * len(missing) <= wanted


def header_of(column: Column) -> str:
    """The header path as people read it: 1월/계획."""
    return "/".join(column.path) or "(no header)"


def place_of(table: Table, column: Column) -> str:
    """Where a column's header begins, for people: '1월/계획' at C4."""
    return f"'{header_of(column)}' at {address(table.region.top, column.index)}"


def find(headers: Sequence[str], candidates: Sequence[Candidate]) -> list[Column]:
    """The columns that the first of these header texts fits which fits any; several if it fits them equally well.

    A whole header path goes before the end of one, the exact text before one without its unit, a glob comes last.
    """
    for header in headers:
        for step in range(5):
            if found := [column for column, path in candidates if _fits(header, path, column.unit, step)]:
                return found
    return []


@lru_cache(maxsize=1 << 15)
def normal(text: str) -> str:
    """A header text to compare by: no white space, half width, lower case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


@lru_cache(maxsize=1 << 15)
def without_unit(text: str, unit: str | None = None) -> str:
    """The same without a unit in brackets at its end: 금액(천원) → 금액, but 금액(당월) stays."""
    plain = normal(text)
    bracket = _TRAILING_BRACKET.search(plain)
    if bracket and bracket.start() and (unit_in_brackets(bracket[0]) or (unit and bracket[0][1:-1] == normal(unit))):
        return plain[: bracket.start()]
    return plain


def fits_glob(glob: str, text: str) -> bool:
    """Whether a text fits a glob of * and ?, white space and case ignored."""
    return _glob(normal(glob).replace("/", "\0")).fullmatch(normal(text).replace("/", "\0")) is not None


@lru_cache(maxsize=1 << 15)
def _fits(header: str, path: Path, unit: str | None, step: int) -> bool:
    wanted = normal(header)
    whole_only = wanted.startswith("/")
    wanted = wanted.removeprefix("/")
    starts = range(1) if step < 2 or whole_only else range(len(path))
    if step < 4:
        level = normal if step % 2 == 0 else lambda text: without_unit(text, unit)
        return any("/".join(map(level, path[start:])) == wanted for start in starts)
    if "*" not in wanted and "?" not in wanted:
        return False
    forms = ([normal(t) for t in path], [without_unit(t, unit) for t in path])
    texts = ("/".join(t.replace("/", "\0") for t in form[start:]) for form in forms for start in starts)
    return any(_glob(wanted).fullmatch(text) for text in texts)


@lru_cache(maxsize=1 << 12)
def _glob(glob: str) -> re.Pattern[str]:
    return re.compile(re.escape(glob).replace(r"\*", "[^/]*").replace(r"\?", "[^/]"))


def _left_out(table: Table, rule: TagRule) -> str:
    """Why `table` of the rule leaves the table out, if it does."""
    pick = rule.table
    for what, glob, text in (("sheet", pick.sheet, table.sheet), ("title", pick.title, table.title or "")):
        if glob and not fits_glob(glob, text):
            return f"its {what} is '{text}', not '{glob}' (table.{what})"
    everything = [(c, c.path) for c in table.columns if c.path]
    for header in pick.header:
        if not find([header], everything):
            return f"it has no header '{header}' (table.header){_nearest(table, [header])}"
    return ""


def _bind_columns(table: Table, rule: TagRule, groups: list[Group], spread: list[list[Candidate]]) -> list[str]:
    """Fill the groups with the columns that the rule names by headers; the names of those that are missing.

    A column that sums up others is taken only if no other fits.
    """
    unpivoted = {id(column) for members in spread for column, _ in members}
    plain = [(c, c.path) for c in table.columns if c.path and id(c) not in unpivoted]
    missing: list[str] = []
    for name, column_rule in rule.columns.items():
        if not column_rule.headers:
            continue
        found = _bind_plain(table, rule, name, [c for c in plain if not c[0].subtotal])
        in_groups = _bind_own(table, rule, name, groups, spread)
        if not found and not in_groups:
            found = _bind_plain(table, rule, name, plain)
        if found and in_groups:
            raise _ambiguous(table, name, column_rule.headers, [found, *in_groups])
        if found:
            for group in groups:
                group.columns[name] = found
        elif not in_groups and not column_rule.optional:
            missing.append(name)
    return missing


def _bind_plain(table: Table, rule: TagRule, name: str, plain: Sequence[Candidate]) -> Column | None:
    """The column of a canonical column that is the same in all groups."""
    headers = rule.columns[name].headers
    found = find(headers, plain)
    if len(found) > 1:
        raise _ambiguous(table, name, headers, found)
    return found[0] if found else None


def _bind_own(
    table: Table, rule: TagRule, name: str, groups: list[Group], spread: list[list[Candidate]]
) -> list[Column]:
    """Each group's own column of a canonical column, by what is left of the header path; none if no group has one."""
    column_rule = rule.columns[name]
    found: list[Column] = []
    lacking: list[Group] = []
    for group, members in zip(groups, spread, strict=True):
        fitting = find(column_rule.headers, [(c, rest) for c, rest in members if rest])
        if len(fitting) > 1:
            raise _ambiguous(table, name, column_rule.headers, fitting)
        if fitting:
            group.columns[name] = fitting[0]
            group.own.add(name)
            found += fitting
        else:
            lacking.append(group)
    if found and lacking and not column_rule.optional and not _may_lack(rule, [name], 2):
        raise ContractBroken(
            f"sheet '{table.sheet}': there is no {_or(column_rule.headers)} ({name}) under '{lacking[0].header}', "
            f"though there is one under '{next(g.header for g in groups if name in g.own)}'.",
            f"Ask the sender for the whole form, narrow unpivot.over, or set optional: true on {name}.",
            {"sheet": table.sheet, "column": name, "missing_under": [g.header for g in lacking]},
        )
    return found


def _bind_value(table: Table, name: str, groups: list[Group], spread: list[list[Candidate]]) -> None:
    """The one column of each group that is the body: with nothing left of its path, or else the only one."""
    for group, members in zip(groups, spread, strict=True):
        taken = [group.columns[n] for n in group.own]
        free = [(c, rest) for c, rest in members if not any(c is t for t in taken)]
        found = [c for c, rest in free if not rest] or [c for c, _ in free]
        if len(found) != 1:
            places = " and ".join(place_of(table, c) for c in found) or "no column that is left"
            raise ContractBroken(
                f"sheet '{table.sheet}': {name} is one column under '{group.header}', but there are {places}.",
                "Leave out unpivot.value and name in columns what is left of each header path, such as from: 계획.",
                {"sheet": table.sheet, "column": name, "candidates": [header_of(c) for c in found]},
            )
        group.columns[name] = found[0]
        group.own.add(name)


def _groups(columns: Sequence[Column], rule: TagRule) -> tuple[list[Group], list[list[Candidate]]]:
    """A group for each header value, left to right, and the columns under it with what is left of their paths."""
    if not rule.unpivot:
        return [Group(None)], [[]]
    named = {id(c) for c in _named_exactly(columns, rule)}
    found: dict[str, tuple[Group, list[Candidate]]] = {}
    for column in columns:
        level = None if column.role == "label" or id(column) in named else _value_level(column, rule)
        if level is None:
            continue
        outer = [text for text in column.path[:level] if _completes(text, rule)]
        header = " ".join([*outer, _bare(column.path[level], column.unit)])
        rest = tuple(t for i, t in enumerate(column.path) if i != level and not (i < level and t in outer))
        _, members = found.setdefault(normal(header), (Group(header), []))
        members.append((column, rest))
    return [group for group, _ in found.values()], [members for _, members in found.values()]


def _bare(text: str, unit: str | None) -> str:
    """A header text as a value: on one line, without a unit in brackets at its end."""
    line = " ".join(text.split())
    return re.sub(r"\s*[(\[（［][^()\[\]（）［］]*.$", "", line) if without_unit(text, unit) != normal(text) else line


def _named_exactly(columns: Sequence[Column], rule: TagRule) -> Iterator[Column]:
    """The columns whose whole header path a `from` names: they are no header values, whatever the glob says."""
    for column_rule in rule.columns.values():
        for header in column_rule.headers:
            yield from (c for c in columns if any(_fits(header, c.path, c.unit, step) for step in (0, 1)))


def _value_level(column: Column, rule: TagRule) -> int | None:
    """The innermost level of a header path that is a value to unpivot."""
    assert rule.unpivot
    for level in reversed(range(len(column.path))):
        text = column.path[level]
        if any(fits_glob(g, text) or fits_glob(g, without_unit(text, column.unit)) for g in rule.unpivot.globs):
            return level
    return None


def _completes(text: str, rule: TagRule) -> bool:
    """Whether a header level over the value is the year of a month, or the year or month of a date."""
    kind = rule.unpivot.type if rule.unpivot else "text"
    return (kind in ("month", "date") and _YEAR_LEVEL.fullmatch(normal(text)) is not None) or (
        kind == "date" and _MONTH_LEVEL.fullmatch(normal(text)) is not None
    )


def _ambiguous(table: Table, name: str, headers: Sequence[str], found: Sequence[Column]) -> ContractBroken:
    return ContractBroken(
        f"sheet '{table.sheet}': two columns fit {_or(headers)} ({name}): "
        f"{' and '.join(place_of(table, c) for c in found[:4])}.",
        f"Name one of them by its header path in 'from' of {name}, such as '{header_of(found[0])}'.",
        {"sheet": table.sheet, "column": name, "candidates": [header_of(c) for c in found]},
    )


def _lacking(table: Table, rule: TagRule, missing: list[str], wanted: int) -> Unfit:
    texts = [f"{_or(rule.columns[n].headers)} ({n}){_nearest(table, rule.columns[n].headers)}" for n in missing]
    picked = bool(rule.table.header)
    nearly = len(missing) == 1 and wanted >= NEARLY_ALL
    return Unfit(f"it has no header {', '.join(texts)}", len(missing), broken=picked or nearly)


def _nearest(table: Table, headers: Sequence[str]) -> str:
    """The header of the table that is most like one of these, for people."""
    texts = {normal(part): c for c in table.columns for part in (*c.path[-1:], "/".join(c.path))}
    for header in headers:
        if near := difflib.get_close_matches(normal(header), texts, n=1, cutoff=0.5):
            return f", the nearest is {place_of(table, texts[near[0]])}"
    return ""


def _or(headers: Sequence[str]) -> str:
    return " or ".join(f"'{header}'" for header in headers)
