"""What one cell is and shows, by its value and format."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal

from converters.grid import Look
from converters.model import Scalar
from converters.tables.numberformats import PERIOD_SUFFIX, is_code_form, show_date, show_number, shown
from converters.tables.values import kind_of_text


def kind_of(value: Scalar, look: Look) -> str:
    """One letter: n number, d date, t text, x nothing or an error, blank; 5 under `0"월"` is the text 5월."""
    if value is None:
        return " "
    if isinstance(value, str):
        return kind_of_text(value)
    if isinstance(value, bool | dt.time):
        return "t"
    if isinstance(value, dt.date):
        return "d"
    return "t" if shows_name(look.number_format) else "n"


def shows_name(number_format: str) -> bool:
    """The format makes a number a period (`0"월"`) or a code (`00000`, `000-00-00000`)."""
    if number_format == "General":
        return False
    return is_code_form(number_format) or bool(PERIOD_SUFFIX.match(shown(number_format).suffix))


def text_of(value: Scalar, look: Look) -> str:
    """What a reader of the sheet sees, on one line: "" for a blank."""
    if value is None:
        return ""
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFC", value).split())
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return show_number(value, look.number_format)
    if isinstance(value, Decimal):
        return str(value)
    return show_date(value, look.number_format) if isinstance(value, dt.date) else value.isoformat()
