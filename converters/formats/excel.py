"""What the formats of Excel's family share: serial dates, number formats without a text in the file, error codes.

Values come out as the xlsx reader gives them. Source: MS-XLS 2.4.126 (Format), 2.5.10 (Bes); ECMA-376 part 1, 18.8.30.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from converters.model import Problem, Scalar, address

Kind = Literal["number", "date", "clock"]

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}

_LONG, _SHORT, _HANJA = 'yyyy"년" mm"월" dd"일"', "yyyy-mm-dd", 'yyyy"年" mm"月" dd"日"'
BUILTIN_FORMATS = {
    **dict(enumerate(["General", "0", "0.00", "#,##0", "#,##0.00"])),
    **dict(enumerate(["#,##0", "#,##0", "#,##0.00", "#,##0.00"], 5)),
    **dict(enumerate(["0%", "0.00%", "0.00E+00", "# ?/?", "# ??/??", _SHORT, "d-mmm-yy", "d-mmm", "mmm-yy"], 9)),
    **dict(enumerate(["h:mm AM/PM", "h:mm:ss AM/PM", "h:mm", "h:mm:ss", "yyyy-mm-dd h:mm"], 18)),
    **dict(enumerate([_HANJA, "mm-dd", "mm-dd", "mm-dd-yy", _LONG, 'h"시" mm"분"', 'h"시" mm"분" ss"초"'], 27)),
    **dict(enumerate([_SHORT, _SHORT, _HANJA, "#,##0", "#,##0", "#,##0.00", "#,##0.00"], 34)),
    **dict(enumerate(["#,##0", "#,##0", "#,##0.00", "#,##0.00", "mm:ss", "[h]:mm:ss", "mm:ss.0", "##0.0E+0", "@"], 41)),
    **dict(enumerate([_HANJA, "mm-dd", _SHORT, _SHORT, "mm-dd", _SHORT, _SHORT, _HANJA, "mm-dd"], 50)),
}
"""Formats that files give by number only; those that differ by country are the Korean ones, without a currency."""

_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.')
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.I)
_DAY = 86_400
_LAST_SERIAL = 2_958_466  # 9999-12-31 and one


def spelled(number_format: str) -> str:
    """A number format as Excel spells it: some programs write GENERAL."""
    return re.sub("general", "General", number_format, flags=re.I) or "General"


@lru_cache(maxsize=4096)
def kind_of_format(number_format: str) -> Kind:
    """Whether numbers under this format are numbers, points in time, or lengths of time (`[h]:mm`)."""
    plain = _LITERAL.sub("", number_format).split(";")[0]
    if _ELAPSED.search(plain):
        return "clock"
    plain = re.sub(r"\[[^\]]*\]", "", plain).lower().replace("general", "")
    return "date" if re.search(r"[ymdhs]", plain) else "number"


def number(value: float) -> int | float:
    """A number as the file's program shows it: whole numbers are integers."""
    return int(value) if value.is_integer() and abs(value) < 1e16 else value


def shown_value(value: float, kind: Kind, *, since_1904: bool = False) -> Scalar:
    """The value of a number under a format of some kind.

    Args:
        since_1904: days count from 1904-01-01, as old Macintosh files have them.
    """
    if kind == "number" or not 0 <= value < _LAST_SERIAL:
        return number(value)
    if kind == "clock":
        return cell_value(dt.timedelta(days=value))
    milliseconds = round(value * _DAY * 1000)
    if milliseconds < _DAY * 1000:
        return (dt.datetime.min + dt.timedelta(milliseconds=milliseconds)).time()
    days, milliseconds = divmod(milliseconds, _DAY * 1000)
    days += 1462 if since_1904 else 0
    if days >= _LAST_SERIAL:
        return number(value)
    day = dt.datetime(1899, 12, 30 if value >= 60 or since_1904 else 31) + dt.timedelta(days=days)
    return day + dt.timedelta(milliseconds=milliseconds) if milliseconds else day.date()


def cell_value(value: Any) -> Scalar:
    """What the grid has for a value of calamine's: None for its "", a text for a duration."""
    if value == "":
        return None
    if type(value) is dt.timedelta:
        return _clock(value)
    return value  # type: ignore[no-any-return]


def _clock(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def uncalculated(sheet: str, cells: Sequence[tuple[int, int]]) -> Problem:
    """Formulas of a sheet whose value the file does not hold."""
    first = ", ".join(address(*cell) for cell in cells[:3]) + (", …" if len(cells) > 3 else "")
    return Problem(
        "uncalculated_formulas",
        f"{len(cells):,} formulas have no value ({first}): the program that wrote the file did not calculate them.",
        "Open the file in a spreadsheet program, save it, and send that; until then these cells are null.",
        where=sheet,
    )
