"""Which column of a table each canonical column of a tag rule comes from."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from dataclasses import dataclass, field

from converters.errors import ContractBroken
from converters.model import Column, Table, address
from converters.rules import ColumnRule, TagRule

ABOUT = ("period", "file", "sheet", "title")
"""What `from` may name besides a header text."""
_UNIT = re.compile(r"[(\[（［][^)\]）］]*[)\]）］]$")


@dataclass(slots=True)
class Group:
    """The columns that make one tidy row of each body row: one group, or with unpivot one for each header value.

    Args:
        header: the header text that became a value, if unpivoted.
        columns: canonical column → table column.
    """

    header: str | None
    columns: dict[str, Column] = field(default_factory=dict)


@dataclass(slots=True)
class Binding:
    """A table that the rule speaks of, with its columns found."""

    table: Table
    groups: list[Group]


def bind(table: Table, rule: TagRule) -> Binding | str:
    """The table's columns by the rule; or why it is not a table that the rule speaks of, for people.

    Raises:
        ContractBroken: two columns fit one canonical column.
    """
    if refused := _not_picked(table, rule):
        return refused
    usable = [c for c in table.columns if rule.subtotals == "keep" or not c.subtotal]
    groups = _unpivoted(usable, rule) if rule.unpivot else [Group(None)]
    if not groups:
        return f"no header fits unpivot.over '{rule.unpivot.over if rule.unpivot else ''}'"
    spread = {id(c) for g in groups for c in g.columns.values()}
    fixed = [c for c in usable if id(c) not in spread and not (rule.unpivot and _value_header(c, rule))]
    missing: list[str] = []
    for name, column_rule in rule.columns.items():
        if column_rule.source is None or column_rule.source in ABOUT:
            continue
        if any(name in g.columns for g in groups):
            continue
        if found := _find(table, name, column_rule, fixed):
            for group in groups:
                group.columns[name] = found
        else:
            missing.append(name)
    if refused := _too_little(rule, missing):
        return refused
    return Binding(table, groups)


def normal(text: str) -> str:
    """A header text to compare by: no white space, no unit in brackets at its end, full width as half."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    return _UNIT.sub("", plain) or plain


def header_of(column: Column) -> str:
    """The header path as people read it: 1월/계획."""
    return "/".join(column.path) or "(no header)"


def _not_picked(table: Table, rule: TagRule) -> str:
    pick = rule.table
    for what, glob, text in (("sheet", pick.sheet, table.sheet), ("title", pick.title, table.title or "")):
        if glob and not fnmatch.fnmatchcase(normal(text), normal(glob)):
            return f"its {what} is '{text}', not '{glob}'"
    for header in pick.header:
        if not any(_fits(header, column.path) for column in table.columns):
            return f"it has no header '{header}'"
    return ""


def _too_little(rule: TagRule, missing: list[str]) -> str:
    from_headers = [n for n, r in rule.columns.items() if r.source is not None and r.source not in ABOUT]
    needed = [n for n in from_headers if rule.columns[n].required] or from_headers
    if lacking := [n for n in needed if n in missing]:
        wanted = ", ".join(f"'{_wanted(rule.columns[n])}' ({n})" for n in lacking)
        return f"it has no header {wanted}"
    return ""


def _wanted(rule: ColumnRule) -> str:
    return rule.source if isinstance(rule.source, str) else " or ".join(rule.source or ())


def _find(table: Table, name: str, rule: ColumnRule, columns: list[Column]) -> Column | None:
    alternatives = (rule.source,) if isinstance(rule.source, str) else rule.source or ()
    for alternative in alternatives:
        found = [c for c in columns if _fits(alternative, c.path)]
        if len(found) > 1:
            places = " and ".join(f"'{header_of(c)}' in {address(table.region.top, c.index)}" for c in found)
            raise ContractBroken(
                f"sheet '{table.sheet}': two columns fit '{alternative}' ({name}): {places}.",
                "Name the header path in 'from', such as '판매/수량'.",
                {"column": name, "candidates": [header_of(c) for c in found]},
            )
        if found:
            return found[0]
    return None


def _fits(wanted: str, path: tuple[str, ...]) -> bool:
    parts = [normal(part) for part in wanted.split("/")]
    have = [normal(part) for part in path]
    if len(parts) == 1 and "/" in "".join(path):
        parts = [normal(wanted)]
    tail = have[len(have) - len(parts) :] if len(parts) <= len(have) else []
    return bool(tail) and all(fnmatch.fnmatchcase(text, glob) for text, glob in zip(tail, parts, strict=True))


def _value_header(column: Column, rule: TagRule) -> int | None:
    """At which level of its header path a column has the value to unpivot; None if at none. Returns level + 1."""
    assert rule.unpivot
    over = normal(rule.unpivot.over)
    for level, text in enumerate(column.path):
        if fnmatch.fnmatchcase(normal(text), over):
            return level + 1
    return None


def _unpivoted(columns: list[Column], rule: TagRule) -> list[Group]:
    assert rule.unpivot
    groups: dict[str, Group] = {}
    for column in columns:
        if not (level := _value_header(column, rule)):
            continue
        header = column.path[level - 1]
        rest = column.path[: level - 1] + column.path[level:]
        group = groups.setdefault(normal(header), Group(header))
        if rule.unpivot.value and (not rest or not _named(rest, rule)):
            group.columns[rule.unpivot.value] = column
            continue
        for name in _named(rest, rule):
            group.columns[name] = column
    return [g for g in groups.values() if g.columns]


def _named(rest: tuple[str, ...], rule: TagRule) -> list[str]:
    """The canonical columns whose `from` names what is left of a header path."""
    if not rest:
        return []
    return [
        name
        for name, r in rule.columns.items()
        if any(_fits(wanted, rest) for wanted in ((r.source,) if isinstance(r.source, str) else r.source or ()))
    ]
