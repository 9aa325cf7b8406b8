"""Scales of units: how many of one make another, within one kind of thing."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

_POWERS = {"": 1, "천": 1000, "만": 10**4, "십만": 10**5, "백만": 10**6, "천만": 10**7, "억": 10**8, "십억": 10**9,
           "백억": 10**10, "조": 10**12}  # fmt: skip
_KANJI = {"": 1, "千": 1000, "万": 10**4, "百万": 10**6, "千万": 10**7, "億": 10**8, "十億": 10**9, "兆": 10**12}
_KINDS: dict[str, dict[str, Decimal]] = {
    "won": {f"{p}{w}": Decimal(n) for p, n in _POWERS.items() for w in ("원", "won", "krw")},
    "yen": {f"{p}{w}": Decimal(n) for p, n in _KANJI.items() for w in ("円", "yen", "jpy")}
    | {f"{p}엔": Decimal(n) for p, n in _POWERS.items()},
    "dollar": {f"{p}{w}": Decimal(n) for p, n in _POWERS.items() for w in ("달러", "불", "usd", "$")},
    "weight": {"mg": Decimal("0.001"), "g": Decimal(1), "kg": Decimal(1000), "t": Decimal(10**6), "톤": Decimal(10**6),
               "ton": Decimal(10**6), "천톤": Decimal(10**9)},
    "length": {"mm": Decimal(1), "cm": Decimal(10), "m": Decimal(1000), "km": Decimal(10**6)},
    "volume": {"ml": Decimal(1), "cc": Decimal(1), "l": Decimal(1000), "ℓ": Decimal(1000), "kl": Decimal(10**6)},
    "persons": {f"{p}{w}": Decimal(n) for p, n in _POWERS.items() for w in ("명", "인", "名", "人")},
    "pieces": {f"{p}{w}": Decimal(n) for p, n in _POWERS.items() for w in ("개", "ea", "pcs", "pc", "個")},
    "cases": {f"{p}건": Decimal(n) for p, n in _POWERS.items()} | {"件": Decimal(1)},
    "machines": {f"{p}대": Decimal(n) for p, n in _POWERS.items()} | {"台": Decimal(1)},
    "time": {"초": Decimal(1), "분": Decimal(60), "시간": Decimal(3600), "hr": Decimal(3600), "h": Decimal(3600)},
    "share": {"%": Decimal(1), "퍼센트": Decimal(1)},
}  # fmt: skip


def factor(written: str, wanted: str) -> Decimal:
    """By what a value in the written unit is multiplied to be in the wanted one: 천원, 원 → 1000.

    Raises:
        ValueError: one of them is unknown, or they measure different things; the message says both.
    """
    have, want = _folded(written), _folded(wanted)
    if have == want:
        return Decimal(1)
    for units in _KINDS.values():
        if have in units and want in units:
            return units[have] / units[want]
    kinds = {kind: units for kind, units in _KINDS.items() if want in units}
    known = f"; {wanted} can come from {', '.join(list(next(iter(kinds.values())))[:8])}" if kinds else ""
    raise ValueError(f"the file says {written!r} and the rule wants {wanted!r}, which no factor joins{known}")


@lru_cache(maxsize=1024)
def _folded(unit: str) -> str:
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", unit)).strip("()[]{}<>").lower()
    return re.sub(r"^(단위|単位|unit)[:=]?", "", text)
