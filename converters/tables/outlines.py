"""Outlines: one column of labels in which indentation or numbering says what belongs to what.

Numbering is believed only where it counts: within each parent the items run 1, 2, 3 (가, 나, 다; Ⅰ, Ⅱ, Ⅲ), and at least
two ways of numbering are used.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from converters.model import Scalar
from converters.tables.body import Body, unindented
from converters.tables.words import is_inner_total, is_total

MAX_ROWS = 5000
Ancestors = list[tuple[str, ...]]

_SYLLABLES = "가나다라마바사아자차카타파하"
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV")
_MARKS: tuple[tuple[str, re.Pattern[str], Callable[[str], int]], ...] = (
    ("roman", re.compile(r"([IVX]{1,5})[.)]?(?=[\s.)])\s*\S"), lambda t: _ROMAN.index(t) + 1 if t in _ROMAN else 0),
    ("number.", re.compile(r"(\d{1,2})\.(?!\d)\s*\S"), int),
    ("number)", re.compile(r"(\d{1,2})\)\s*\S"), int),
    ("(number)", re.compile(r"\((\d{1,2})\)\s*\S"), int),
    ("syllable.", re.compile(rf"([{_SYLLABLES}])\.\s*\S"), lambda t: _SYLLABLES.index(t) + 1),
    ("syllable)", re.compile(rf"([{_SYLLABLES}])\)\s*\S"), lambda t: _SYLLABLES.index(t) + 1),
    ("(syllable)", re.compile(rf"\(([{_SYLLABLES}])\)\s*\S"), lambda t: _SYLLABLES.index(t) + 1),
    ("letter.", re.compile(r"([A-H])[.)]\s*\S"), lambda t: ord(t) - 64),
)
_DECIMAL = re.compile(r"(\d{1,2}(?:[.-]\d{1,2})*)\.?\s+\S")


def outline(body: Body, column: int) -> Ancestors | None:
    """The ancestors of each label in a column, outermost first; None if nothing says that it is an outline."""
    values = body.raw[column]
    if len(values) > MAX_ROWS:
        return None
    return _by_indent(body, column, values) or by_number(values)


def _by_indent(body: Body, column: int, values: Sequence[Scalar]) -> Ancestors | None:
    indents = [body.indent(i, column) for i in range(len(values))]
    known = [depth for depth, value in zip(indents, values, strict=True) if value is not None]
    if len(set(known)) < 2 or known[0] != min(known):
        return None
    return _nested(values, [depth if v is not None else None for depth, v in zip(indents, values, strict=True)])


def _nested(values: Sequence[Scalar], depths: Sequence[int | None]) -> Ancestors:
    """The ancestors of labels whose depths are known; a row without depth has none."""
    stack: list[tuple[int, str]] = []
    ancestors: Ancestors = []
    for value, depth in zip(values, depths, strict=True):
        if depth is None:
            ancestors.append(())
            continue
        while stack and stack[-1][0] >= depth:
            stack.pop()
        ancestors.append(tuple(text for _, text in stack))
        stack.append((depth, unindented(value)))
    return ancestors


def by_number(values: Sequence[Scalar]) -> Ancestors | None:
    """The ancestors of labels that are numbered in two ways or more: Ⅰ. ▸ 1. ▸ (1), or 1 ▸ 1.1."""
    plain = [v.strip() if isinstance(v, str) and not is_total(v) else None for v in values]
    depths = _decimal_depths(plain) or _mark_depths(plain)
    known = {depth for depth in depths or () if depth is not None}
    if depths is None or len(known) < 2:
        return None
    inner = max(known)
    for position, value in enumerate(values):
        if depths[position] is None and isinstance(value, str):
            depths[position] = inner if is_inner_total(value) else 0
    return _nested(values, depths)


def _decimal_depths(texts: Sequence[str | None]) -> list[int | None] | None:
    """Depths of 1, 1.1, 1.1.1; None where some number has no parent above it."""
    depths: list[int | None] = []
    seen: set[tuple[str, ...]] = {()}
    for text in texts:
        found = _DECIMAL.match(text) if text else None
        number = tuple(re.split(r"[.-]", found[1])) if found else ()
        if text and (not number or number[:-1] not in seen):
            return None
        seen.add(number)
        depths.append(len(number) - 1 if text else None)
    return depths


def _mark_depths(texts: Sequence[str | None]) -> list[int | None] | None:
    """Depths by the order in which the ways of numbering come up; None where some item does not count on."""
    marks = [_mark(text) if text else None for text in texts]
    named = [mark for mark, text in zip(marks, texts, strict=True) if text]
    if sum(mark is not None for mark in named) < 2:
        return None
    unnumbered_below = named[0] is None or named[1] is None
    depths: list[int | None] = []
    counts: dict[str, int] = {}
    for mark, text in zip(marks, texts, strict=True):
        if not text or (mark is None and not unnumbered_below):
            depths.append(0 if text else None)
            continue
        style, ordinal = mark or ("", counts.get("", 0) + 1)
        if ordinal != counts.get(style, 0) + 1:
            return None
        for deeper in list(counts)[list(counts).index(style) + 1 :] if style in counts else ():
            del counts[deeper]
        counts[style] = ordinal
        depths.append(list(counts).index(style))
    return depths


def _mark(text: str) -> tuple[str, int] | None:
    """The way in which a label is numbered, and its place by it; None if it is not."""
    if "①" <= text[0] <= "⑳":
        return "①", ord(text[0]) - ord("①") + 1
    text = unicodedata.normalize("NFKC", text[:12])
    for style, pattern, counted in _MARKS:
        if found := pattern.match(text):
            return style, counted(found[1])
    return None
