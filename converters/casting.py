"""A cell's value as the kind that a rule wants: exactly, or not at all."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from converters.model import Scalar
from converters.periods import Span, day_of, month_of

if TYPE_CHECKING:
    from converters.rules import ColumnKind

PLACES = 9
"""Decimals that a `decimal` keeps; with 29 digits before them it fills decimal128(38, 9)."""

Cast = Callable[[Scalar], Scalar]
_WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN)
_LAST_PLACE = Decimal(1).scaleb(-PLACES)
_NUMBER = re.compile(
    r"(?P<sign>[-+−–△▲▼▽]?)\s*(?P<open>\(?)\s*[₩$€£¥]?\s*(?P<inner>[-−△▲]?)"
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:e[-+]?\d{1,3})?)\s*(?P<percent>%?)\s*(?P<close>\)?)(?P<trailing>-?)",
    re.IGNORECASE,
)
_DASHES = frozenset("-–—―−‐－")
_TRUE = frozenset("true t yes y 1 o ○ ◯ ● ✓ ✔ ☑ 예 네 유 はい 有".split())
_FALSE = frozenset("false f no n 0 x × ✕ ✗ ✘ ☐ 아니오 아니요 무 いいえ 無".split())


def caster(kind: ColumnKind, near: Span | None = None, by: Fraction | None = None) -> Cast:
    """What makes a value one of that kind; it raises ValueError, saying what is allowed, for what is not of it.

    A blank text is no value, and so is a dash alone where no text is wanted.

    Args:
        near: the period that completes "5월" to a month and "1/5" to a date.
        by: what a quantity is multiplied by before it is cast; then it is rounded to nine decimals.
    """
    cast = _CASTS[kind]
    if kind == "text":
        return lambda value: None if value is None else cast(value, near)
    if by is not None and by != 1:
        return lambda value: None if is_nothing(value) else cast(_scaled(decimal_of(value), by), near)
    return lambda value: None if is_nothing(value) else cast(value, near)


def cast_all(values: Iterable[Scalar], cast: Cast) -> tuple[list[Scalar], dict[int, str]]:
    """The values cast; and by its position, what is allowed in place of each that could not be."""
    done: list[Scalar] = []
    wrong: dict[int, str] = {}
    for position, value in enumerate(values):
        try:
            done.append(cast(value))
        except ValueError as error:
            done.append(None)
            wrong[position] = str(error)
    return done, wrong


def is_nothing(value: Scalar) -> bool:
    """No value: None, a blank text, or a dash alone."""
    return value is None or (isinstance(value, str) and (not value or value.isspace() or value.strip() in _DASHES))


def decimal_of(value: Scalar) -> Decimal:
    """The number that a cell says, exactly; of a float, the shortest decimal that stands for it.

    "1,234" · "△1,234" · "(1,234)" · "1,234-" · "₩1,234" · "12.3%" (0.123).

    Raises:
        ValueError: it is no number.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(repr(value))
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, str):
        number = _number_in(value)
    else:
        raise ValueError("a number")
    if not number.is_finite():
        raise ValueError("a finite number")
    return number


@lru_cache(maxsize=1 << 16)
def _number_in(text: str) -> Decimal:
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _NUMBER.fullmatch(plain)
    if not found or not re.match(r"\.?\d", found["digits"]) or bool(found["open"]) != bool(found["close"]):
        raise ValueError("a number")
    number = Decimal(found["digits"].replace(",", ""))
    negative = [found["sign"] not in ("", "+"), bool(found["inner"]), bool(found["open"]), bool(found["trailing"])]
    if sum(negative) > 1:
        raise ValueError("a number with one sign")
    number = -number if any(negative) else number
    return number.scaleb(-2) if found["percent"] else number


def _scaled(value: Decimal, by: Fraction) -> Decimal:
    product = _WIDE.multiply(value, by.numerator)
    if by.denominator != 1:
        product = _WIDE.divide(product, by.denominator)
    return _WIDE.quantize(product, _LAST_PLACE) if abs(product) < 10**60 else product


def _decimal(value: Scalar, near: Span | None) -> Decimal:
    number = decimal_of(value)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -PLACES:
        rounded = _WIDE.quantize(number, _LAST_PLACE)
        if rounded != number and not isinstance(value, float):
            raise ValueError(f"a number of at most {PLACES} decimals")
        number = rounded
    if abs(number) >= 10**29:
        raise ValueError("a number of at most 29 digits before the point")
    return number


def _integer(value: Scalar, near: Span | None) -> int:
    if type(value) is int and -(2**63) <= value < 2**63:
        return value
    number = decimal_of(value)
    if isinstance(value, float) and abs(number) < 10**19:
        number = _WIDE.quantize(number, _LAST_PLACE)
    if number != number.to_integral_value():
        raise ValueError("a whole number")
    if not -(2**63) <= number < 2**63:
        raise ValueError("a whole number of at most 18 digits")
    return int(number)


def _number(value: Scalar, near: Span | None) -> float:
    if type(value) is float and value - value == 0:
        return value
    number = float(decimal_of(value))
    if number - number != 0:
        raise ValueError("a number that a float can hold")
    if isinstance(value, int) and number != value:
        raise ValueError("a number that a float holds exactly (use type decimal or integer)")
    return number


def _text(value: Scalar, near: Span | None) -> str | None:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip() or None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float | Decimal):
        number = decimal_of(value)
        return f"{number:f}" if number != number.to_integral_value() else str(int(number))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "seconds")
    assert value is not None
    return value.isoformat()


def _date(value: Scalar, near: Span | None) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    day = None if isinstance(value, bool | dt.time) else day_of(str(_text(value, None)), near)
    if not day:
        raise ValueError("a date, such as 2026-01-05")
    return day


def _month(value: Scalar, near: Span | None) -> dt.date:
    if isinstance(value, dt.date):
        return dt.date(value.year, value.month, 1)
    month = None if isinstance(value, bool | dt.time) else month_of(str(_text(value, None)), near)
    if not month:
        raise ValueError("a month, such as 2026-05 or 5월")
    return month


def _bool(value: Scalar, near: Span | None) -> bool:
    word = str(_text(value, None)).lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError("yes or no (Y/N, O/X, 예/아니오, true/false, 1/0)")


_CASTS: dict[ColumnKind, Callable[[Scalar, Span | None], Scalar]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "decimal": _decimal,
    "date": _date,
    "month": _month,
    "bool": _bool,
}
