"""What one text says as a value: a number, nothing, an error; and how a column writes its numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

from converters.tables.dates import date_in
from converters.tables.units import is_unit, kind_of_unit
from converters.tables.words import ERRORS, NULL_MARKS, UNKNOWN_MARKS

LONGEST_MARK = 8
MAX_DIGITS = 15
"""Longer digit strings are identifiers: no spreadsheet program keeps them as numbers."""

_PLAIN = re.compile(r"-?(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*|0)(?:\.\d+)?")
_CURRENCY = r"US\$|[₩￦$¥€£￥\\]|(?i:KRW|USD|JPY|EUR|CNY|GBP)(?=[\s\d(-])"
_NUMBER = re.compile(
    r"(?P<sign>[-+−–±△▲▼▽]?)\s*(?P<open>\()?\s*(?P<inner>[-−△▲▼]?)\s*(?P<currency>" + _CURRENCY + r")?\s*"
    r"(?P<within>\()?(?P<minus>-?)\s*"
    r"(?P<digits>\d{1,3}(?:,\d{3})+|\d+)?(?P<fraction>\.\d+)?(?P<exponent>[eE][-+]?\d{1,3})?\s*"
    r"(?P<percent>%[pP]?t?)?\s*(?P<suffix>[^\d\s(),.%+\-*][^\d(),%+\-*]{0,11})?\s*(?P<close>\))?\s*(?P<trailing>-?)"
)
_ASCII = {0xFF00 + n: 0x20 + n for n in range(1, 95)} | dict.fromkeys(map(ord, "△▲▽▼−"), ord("-"))
"""Full-width forms as half-width ones, and the signs that stand for minus. ③ and ½ are no figures."""

_TAIL = re.compile(r"(?<=\d)(?:[.,]-|\s*\*{1,3})$")
"""Marks behind a number that mean nothing to it: 1,234.- and 1,234*."""

_ENGLISH_SCALES = ("k", "m", "mm", "mn", "b", "bn")
_EMPTY = re.compile(r"(?:" + _CURRENCY + r")?\s*[-–—]\s*(?:[원円%]|원정)?")
_POWERS = {"조": 12, "兆": 12, "억": 8, "億": 8, "만": 4, "万": 4, "천": 3, "千": 3, "백": 2, "百": 2, "십": 1, "十": 1}
_SCALED = re.compile(
    r"(?P<parts>(?:\d[\d,]*(?:\.\d+)?\s*[조兆억億만万천千백百십十]{1,2}\s*)+)(?P<rest>\d[\d,]*)?\s*(?P<unit>[^\d\s]{0,4})"
)
_SCALED_PART = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*([조兆억億만万천千백百십十]+)")
_SLASHED = re.compile(r"[0-3]?\d/[0-3]?\d/(?:19|20)\d\d(?:\s+[\d:]+(?:\s*[AP]M)?)?", re.I)
"""A date whose day its column tells."""

_MYRIADS = "조兆억億만万"
_GROUPING = re.compile(r"[ '\u00a0\u2009\u202f’](?<=\d.)(?=\d{3}(?!\d))")
_COMMA_DECIMAL = re.compile(r"[^\d.,]*(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?[^\d.,]*")
_DOT_GROUPED = re.compile(r"\d\.\d{3}(?:,\d|\.\d{3}(?!\d))")
_SHORT_DECIMAL = re.compile(r"\d,\d{1,2}(?!\d)")
_LONG_COMMA = re.compile(r",\d{3}")


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a text says, with what stands beside it."""

    value: int | float
    unit: str | None = None
    percent: bool = False


def plain_number(text: str) -> int | float | None:
    """The number of a text in the forms that are by far the most frequent: 4662, -12.5, "4,662"."""
    if not _PLAIN.fullmatch(text) or len(text) > MAX_DIGITS:
        return None
    digits = text.replace(",", "")
    return float(digits) if "." in digits else int(digits)


def number_in(text: str, *, quantity: bool = False) -> Number | None:
    """The number of a text, or None: "4,662", "△1,234", "(1,234)", "12.3%", "1,200원", "1억 2,000만".

    "00123" is none: it is a code.

    Args:
        quantity: the header speaks of a quantity, so that 3회, 8시간 and 18L are figures with a unit and no names.
    """
    plain = plain_number(text)
    return Number(plain) if plain is not None else _decorated_number(text, quantity)


@lru_cache(maxsize=1 << 16)
def _decorated_number(text: str, quantity: bool) -> Number | None:
    """Signs, brackets, currencies, units, percent."""
    text = text.strip()
    if len(text) > 40 or not any(c.isdigit() for c in text):
        return None
    if not text.isascii():
        text = text.translate(_ASCII)
    if text[-1] in "-*":
        text = _TAIL.sub("", text)
    found = _NUMBER.fullmatch(text)
    if found is None:
        return _scaled(text)
    if not _is_quantity(found) or (found["within"] and not quantity and (found["currency"] or "").isalpha()):
        return None  # JPY(100) names 100 yen unless it stands in a column of amounts
    suffix = (found["suffix"] or "").strip()
    unit, percent = _unit_of(found, suffix) if suffix or found["percent"] or found["currency"] else (None, False)
    if suffix and unit and not (kind_of_unit(unit) if quantity else is_unit(unit)):
        return _scaled(text)
    value = _magnitude(found)
    if found["percent"] == "%":
        value = round(value / 100, 15)
    if found["sign"] == "±" and value:
        return None
    return Number(-value if _is_negative(found) else value, unit, percent)


def _unit_of(found: re.Match[str], suffix: str) -> tuple[str | None, bool]:
    """The unit beside a number, and whether that makes it a rate, which carries none."""
    if found["percent"] or (suffix and kind_of_unit(suffix) == "rate"):
        return None, True
    currency = found["currency"]
    if suffix and currency and suffix.lower() in _ENGLISH_SCALES:
        return currency + suffix, False
    return suffix or (currency if currency != "\\" else None), False


def is_empty_mark(text: str) -> bool:
    """The text says that there is nothing: -, N/A, 해당없음, also as accounts write it: "₩ -", "-원"."""
    return text in NULL_MARKS or (len(text) <= LONGEST_MARK and _EMPTY.fullmatch(text) is not None)


def usual_form(texts: Collection[str], *, quantity: bool) -> Callable[[str], str] | None:
    """What makes the numbers of a column usual ones, if its texts prove that it writes them as Europeans do.

    1.234,56 · 1 234,5 · 1'234.5 become 1234.56, 1234.5, 1234.5. A column of 1.234 alone proves nothing.

    Args:
        quantity: the header speaks of a quantity; without it, "101 203" are two room numbers.
    """
    whole = "\n".join(texts)
    if "," not in whole and "." not in whole and not _GROUPING.search(whole):
        return None
    figures = [text for text in texts if any(map(str.isdigit, text))]
    plain = [_GROUPING.sub("", text) for text in figures]
    grouped = plain != figures and (quantity or not any(" " in text for text in figures))
    if not grouped:
        plain = figures
    if _has_comma_decimals(plain):
        return lambda text: (_GROUPING.sub("", text) if grouped else text).replace(".", "").replace(",", ".")
    return (lambda text: _GROUPING.sub("", text)) if grouped else None


def _has_comma_decimals(texts: list[str]) -> bool:
    if not any("," in text for text in texts) and not any(text.count(".") > 1 for text in texts):
        return False
    if not all(map(_COMMA_DECIMAL.fullmatch, texts)):
        return False
    if any(map(_DOT_GROUPED.search, texts)):
        return True
    return any(map(_SHORT_DECIMAL.search, texts)) and not any(map(_LONG_COMMA.search, texts))


def kind_of_text(text: str) -> str:
    """One letter for what a text says: n number, d date, x nothing or an error, t text, blank for blank."""
    return "n" if _PLAIN.fullmatch(text) and len(text) <= MAX_DIGITS else _kind_of_other(text)


@lru_cache(maxsize=1 << 16)
def _kind_of_other(text: str) -> str:
    word = text.strip()
    if not word:
        return " "
    if is_empty_mark(word) or word in ERRORS or word in UNKNOWN_MARKS:
        return "x"
    if not any(c.isdigit() for c in word):
        return "t"
    if number_in(word) is not None or (_DOT_GROUPED.search(word) and _COMMA_DECIMAL.fullmatch(word)):
        return "n"
    return "d" if date_in(word) is not None or _SLASHED.fullmatch(word) else "t"


def _is_quantity(found: re.Match[str]) -> bool:
    digits = (found["digits"] or "").replace(",", "")
    if not digits and not found["fraction"]:
        return False
    if (len(digits) > 1 and digits[0] == "0") or len(digits) > MAX_DIGITS:
        return False
    if (found["exponent"] or "e+")[1] not in "+-" and not found["fraction"]:  # 1E10 names a product
        return False
    if bool(found["open"]) + bool(found["within"]) != bool(found["close"]):
        return False
    signs = [found[name] for name in ("sign", "inner", "minus", "trailing")]
    return sum(map(bool, signs)) <= 1


def _magnitude(found: re.Match[str]) -> int | float:
    digits = (found["digits"] or "0").replace(",", "")
    if found["fraction"] or found["exponent"]:
        return float(digits + (found["fraction"] or "") + (found["exponent"] or ""))
    return int(digits)


def _is_negative(found: re.Match[str]) -> bool:
    marks = (found[name] for name in ("open", "within", "inner", "minus", "trailing"))
    return any(marks) or found["sign"] not in ("", "+", "±")


def _scaled(text: str) -> Number | None:
    """1억 2,000만 → 120,000,000; 12만5천원 → 125,000. None for 1억 2천: 천 may be 천만 there."""
    negative = text.startswith("-")
    found = _SCALED.fullmatch(text.lstrip("-+ "))
    if not found or (found["unit"] and not is_unit(found["unit"])):
        return None
    total, last, myriad = 0.0, 99, ""
    for figure, scale in _SCALED_PART.findall(found["parts"]):
        power = sum(_POWERS[c] for c in scale)
        if power >= last or (scale[-1] not in _MYRIADS and myriad and myriad not in "만万"):
            return None
        total += float(figure.replace(",", "")) * 10**power
        last, myriad = power, scale[-1] if scale[-1] in _MYRIADS else myriad
    if found["rest"]:
        total += int(found["rest"].replace(",", ""))
    value = round(total) if total == round(total) else total
    japanese = any(c in text for c in "兆億万千百十円")
    return Number(-value if negative else value, found["unit"] or ("円" if japanese else "원"))
