"""Names that databases, shells and people can all take, made of any text."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

_INITIALS = "g kk n d tt r m b pp s ss _ j jj ch k t p h".split()
_VOWELS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_FINALS = "_ k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split()


def romanise(text: str) -> str:
    """Hangul in Latin letters, syllable by syllable (한빛 → hanbit); other characters stay.

    Source: Revised Romanization of Korean (2000), without the assimilation between syllables.
    """
    return "".join(_syllable(character) for character in unicodedata.normalize("NFC", text))


def _syllable(character: str) -> str:
    number = ord(character) - 0xAC00
    if not 0 <= number < 11172:
        return character
    initial, vowel, final = number // 588, number % 588 // 28, number % 28
    return (_INITIALS[initial] + _VOWELS[vowel] + _FINALS[final]).replace("_", "")


def identifier(text: str, longest: int = 40) -> str:
    """A valid id made of any text: 'Han-Bit 마트' → 'han_bit_mateu'; empty if nothing is left."""
    plain = unicodedata.normalize("NFKD", romanise(unicodedata.normalize("NFKC", text))).lower()
    words = re.sub(r"[^a-z0-9]+", "_", "".join(c for c in plain if not unicodedata.combining(c))).strip("_")
    if words[:1].isdigit():
        words = f"x{words}"
    return words[:longest].rstrip("_")


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word that was most likely meant; None if none is near."""
    by_lower = {w.lower(): w for w in sorted(words)}
    found = difflib.get_close_matches(word.strip().lower(), by_lower, n=1, cutoff=0.55)
    return by_lower[found[0]] if found else None
