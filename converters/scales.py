"""Scales of units: how many of one make another, within one kind of thing."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple


class Unit(NamedTuple):
    """What a unit measures, and how many of that kind's first unit one of it is: 천원 → won, 1000."""

    kind: str
    size: Decimal


_POWERS = {
    "": 0, "십": 1, "백": 2, "천": 3, "만": 4, "십만": 5, "백만": 6, "천만": 7, "억": 8, "십억": 9, "백억": 10,
    "천억": 11, "조": 12, "十": 1, "百": 2, "千": 3, "万": 4, "萬": 4, "十万": 5, "百万": 6, "千万": 7, "億": 8,
    "十億": 9, "百億": 10, "兆": 12, "thousand": 3, "thousands": 3, "k": 3, "000": 3, "million": 6, "millions": 6,
    "m": 6, "mn": 6, "mm": 6, "billion": 9, "billions": 9, "bn": 9, "1,000": 3, "1000": 3, "1,000,000": 6, "1000000": 6,
}  # fmt: skip
"""The powers of ten that stand before a unit, or in English before or after it."""

_MONEY = {
    "won": "원 krw won ₩ 원(krw koreanwon",
    "dollar": "달러 불 usd us$ $ dollar dollars usdollar usdollars",
    "yen": "엔 円 jpy yen ¥ japaneseyen",
    "euro": "유로 eur euro euros €",
    "yuan": "위안 元 cny rmb yuan",
    "pound": "파운드 gbp £",
}
_THINGS = {
    "persons": "명 인 사람 名 人 person persons people",
    "pieces": "개 ea each pc pcs piece pieces 個 unit units",
    "cases": "건 件 case cases",
    "machines": "대 台",
    "boxes": "박스 box boxes 상자 箱",
    "sheets": "장 매 枚",
    "volumes": "권 부 冊",
    "times": "회 번 回",
    "sets": "세트 set sets",
    "households": "세대 가구",
    "beds": "병상",
}
_MEASURES: dict[str, dict[str, str]] = {
    "weight": {"mg": "0.001", "g": "1", "그램": "1", "kg": "1000", "kgs": "1000", "t": "1e6", "톤": "1e6", "ton": "1e6",
               "tons": "1e6", "mt": "1e6"},
    "length": {"mm": "1", "cm": "10", "m": "1000", "미터": "1000", "km": "1e6"},
    "area": {"m2": "1", "ha": "1e4", "km2": "1e6"},
    "volume": {"ml": "1", "cc": "1", "l": "1e3", "리터": "1e3", "ℓ": "1e3", "kl": "1e6", "m3": "1e6"},
    "energy": {"wh": "1", "kwh": "1e3", "mwh": "1e6", "gwh": "1e9"},
    "power": {"w": "1", "kw": "1e3", "mw": "1e6"},
    "time": {"초": "1", "sec": "1", "분": "60", "min": "60", "시간": "3600", "時間": "3600", "h": "3600", "hr": "3600",
             "hrs": "3600", "hour": "3600", "hours": "3600"},
    "days": {"일": "1", "日": "1", "day": "1", "days": "1"},
    "months": {"개월": "1", "월": "1", "month": "1", "months": "1"},
    "years": {"년": "1", "年": "1", "year": "1", "years": "1"},
    "share": {"비율": "1", "%": "0.01", "퍼센트": "0.01", "percent": "0.01", "割": "0.1", "‰": "0.001", "bp": "0.0001",
              "bps": "0.0001"},
    "points": {"%p": "1", "%pt": "1", "pp": "1"},
}  # fmt: skip
CURRENCIES = frozenset(_MONEY)
"""The kinds that are money."""

_KOREAN_ALONE = {"억", "십억", "백억", "천억", "조"}
"""Written without 원, they still count won."""


def factor(written: str, wanted: str) -> Fraction:
    """By what a value in the written unit is multiplied to be in the wanted one: 천원, 원 → 1000; kg, t → 1/1000.

    Raises:
        ValueError: one of them is unknown, or they measure different things; the message says both.
    """
    if _folded(written) == _folded(wanted):
        return Fraction(1)
    have, want = unit(written), unit(wanted)
    if have and want and have.kind == want.kind:
        return Fraction(have.size) / Fraction(want.size)
    unknown = [text for text, found in ((written, have), (wanted, want)) if not found]
    why = (
        f"'{unknown[0]}' is no known unit" if unknown else f"they measure {have and have.kind} and {want and want.kind}"
    )
    raise ValueError(f"the file says '{written}' and the rule wants '{wanted}': {why}")


LONGEST = 60
"""Characters of a text that may name a unit."""


@lru_cache(maxsize=4096)
def unit(text: str) -> Unit | None:
    """The unit that a text names: 원, 백만원, USD thousand, kg, EA, 원/kg; None for an unknown one."""
    word = _folded(text) if len(text) <= LONGEST else ""
    if word in _KOREAN_ALONE:
        return Unit("won", Decimal(10) ** _POWERS[word])
    if found := _UNITS.get(word):
        return found
    for power, name in _scaled(word):
        if (found := _UNITS.get(name)) and found.kind not in _MEASURES:
            return Unit(found.kind, found.size * Decimal(10) ** _POWERS[power])
        if power and name in ("톤", "t", "ton"):
            return Unit("weight", _UNITS[name].size * Decimal(10) ** _POWERS[power])
    over, slash, under = word.partition("/")
    if slash and (above := unit(over)) and (below := unit(under)):
        return Unit(f"{above.kind} per {below.kind}", above.size / below.size)
    return None


def _scaled(word: str) -> list[tuple[str, str]]:
    """The ways to read a word as a power of ten and the unit it is of."""
    word = re.sub(r"^in(?=thousand|million|billion)|(?<=.)in(?=thousands|millions|billions)|'(?=000)", "", word)
    before = [(word[:i], re.sub("^of", "", word[i:])) for i in range(1, len(word))]
    after = [(power, name) for name, power in before]
    return [(power, name) for power, name in before + after if power in _POWERS]


def _folded(text: str) -> str:
    """A unit to compare by: no white space, half width, lower case, without "단위:" and brackets around it."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
    return re.sub(r"^(?:단위|単位|units?)[:=]?", "", plain.strip("()[]{}<>").rstrip("."))


_UNITS: dict[str, Unit] = {
    word: Unit(kind, Decimal(1)) for kind, words in (_MONEY | _THINGS).items() for word in words.split()
} | {word: Unit(kind, Decimal(size)) for kind, sizes in _MEASURES.items() for word, size in sizes.items()}
