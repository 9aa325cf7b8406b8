"""File name patterns: globs in which {yyyymmdd} and the like stand for the parts of a period."""

from __future__ import annotations

import datetime as dt
import fnmatch
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

PLACEHOLDERS = {
    "yyyymmdd": r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
    "yyyy-mm-dd": r"(?P<y>\d{4})[-._](?P<m>\d{2})[-._](?P<d>\d{2})",
    "yymmdd": r"(?P<yy>\d{2})(?P<m>\d{2})(?P<d>\d{2})",
    "yyyymm": r"(?P<y>\d{4})(?P<m>\d{2})",
    "yyyy-mm": r"(?P<y>\d{4})[-._](?P<m>\d{2})",
    "yymm": r"(?P<yy>\d{2})(?P<m>\d{2})",
    "yyyy": r"(?P<y>\d{4})",
    "yy": r"(?P<yy>\d{2})",
    "mm": r"(?P<m>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "dd": r"(?P<d>\d{2})",
    "d": r"(?P<d>\d{1,2})",
    "part": r"(?P<part>.+?)",
}


@dataclass(frozen=True, slots=True)
class NameMatch:
    """What a file name says: the dates as far as given, and the part."""

    start: dt.date | None
    end: dt.date | None
    part: str


@lru_cache(maxsize=4096)
def compile_name(glob: str) -> re.Pattern[str]:
    """The pattern as a regular expression, upper and lower case alike.

    Raises:
        ValueError: an unknown or repeated placeholder, naming those that there are.
    """
    expression, seen = "", set[str]()
    for text, name in re.findall(r"([^{}]+)|\{([^{}]*)\}", unicodedata.normalize("NFC", glob)):
        if text:
            expression += fnmatch.translate(text).removeprefix("(?s:").removesuffix(")\\Z").removesuffix(")\\z")
            continue
        if name not in PLACEHOLDERS:
            known = ", ".join("{" + p + "}" for p in PLACEHOLDERS)
            raise ValueError(f"{{{name}}} in {glob!r} is no placeholder; there are {known}")
        groups = set(re.findall(r"\?P<(\w+)>", PLACEHOLDERS[name]))
        if groups & seen:
            raise ValueError(
                f"{{{name}}} in {glob!r} gives a part of the date that an earlier placeholder gives already"
            )
        seen |= groups
        expression += PLACEHOLDERS[name]
    return re.compile(expression, re.IGNORECASE | re.DOTALL)


def match_name(glob: str, name: str) -> NameMatch | None:
    """What the name says by that pattern; None if it does not fit or its digits are no date."""
    found = compile_name(glob).fullmatch(unicodedata.normalize("NFC", name))
    if not found:
        return None
    groups = found.groupdict()
    part = groups.get("part") or ""
    year = groups.get("y") or (f"20{groups['yy']}" if groups.get("yy") else None)
    if year is None:
        return NameMatch(None, None, part)
    try:
        start = dt.date(int(year), int(groups.get("m") or 1), int(groups.get("d") or 1))
    except ValueError:
        return None
    return NameMatch(start, _end(start, bool(groups.get("m")), bool(groups.get("d"))), part)


def _end(start: dt.date, has_month: bool, has_day: bool) -> dt.date:
    if has_day:
        return start
    if has_month:
        return (start.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    return start.replace(month=12, day=31)
