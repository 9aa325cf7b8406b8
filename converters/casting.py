"""A cell's value as the type that a rule wants: exactly, or not at all."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from converters.model import Scalar
from converters.periods import dates_in, month_in
from converters.rules import ColumnKind

_NINE = Decimal(1).scaleb(-9)
_TRUE, _FALSE = {"true", "y", "yes", "예", "o", "1"}, {"false", "n", "no", "아니오", "x", "0"}


def cast(value: Scalar, kind: ColumnKind, year: int) -> Scalar:
    """The value as that kind; None stays None, and so does an empty text.

    Args:
        year: completes a month that names none.

    Raises:
        ValueError: it is not of that kind; the message says what is allowed.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return _CASTS[kind](value, year)


def decimal(value: Scalar) -> Decimal:
    """An exact decimal with at most nine places; the shortest that a float stands for."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError("a number is wanted")
    text = value.replace(",", "").strip() if isinstance(value, str) else repr(value)
    try:
        number = Decimal(text) if not isinstance(value, Decimal) else value
    except InvalidOperation:
        raise ValueError("a number is wanted") from None
    if not number.is_finite() or abs(number) >= 10**29:
        raise ValueError("a number below 10^29 is wanted")
    return number.quantize(_NINE) if number.as_tuple().exponent < -9 else number  # type: ignore[operator]


def _text(value: Scalar, year: int) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float | Decimal) and value == int(value):
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def _integer(value: Scalar, year: int) -> int:
    number = decimal(value)
    if number != number.to_integral_value() or abs(number) >= 2**63:
        raise ValueError("a whole number is wanted")
    return int(number)


def _date(value: Scalar, year: int) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    text = str(int(value)) if isinstance(value, int | float) and value == int(value) else str(value)
    spans = dates_in(text)
    if len(spans) == 1 and spans[0][0] == spans[0][1]:
        return spans[0][0]
    raise ValueError("a date is wanted, such as 2026-01-05")


def _month(value: Scalar, year: int) -> dt.date:
    if isinstance(value, dt.date):
        return dt.date(value.year, value.month, 1)
    text = str(int(value)) if isinstance(value, int | float) and value == int(value) else str(value)
    if re.fullmatch(r"(19|20)\d{4}", text):
        text = f"{text[:4]}-{text[4:]}"
    if month := month_in(text, year):
        return month
    raise ValueError("a month is wanted, such as 5월 or 2026-05")


def _bool(value: Scalar, year: int) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise ValueError("yes or no is wanted (Y, N, 예, 아니오, true, false)")


_CASTS: dict[ColumnKind, Callable[[Scalar, int], Scalar]] = {
    "text": _text,
    "integer": _integer,
    "number": lambda value, year: float(decimal(value)),
    "decimal": lambda value, year: decimal(value),
    "date": _date,
    "month": _month,
    "bool": _bool,
}
