"""What a page is made of while its tables are sought: words, lines of them, rules, and the tables found.

Lengths are in points; x grows to the right and y downwards from the top left corner of the page as one reads it.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

SPACE = 0.2
"""A gap of so many times the height of the letters is a space, if no letter spacing explains it."""


SLOPE = 0.4
"""Words whose middles differ by so many heights of the letters are on one line: raised and lowered ones too."""


@dataclass(slots=True)
class Word:
    """Letters that touch each other.

    Args:
        text: the letters.
        follows: it stands in the text right after the word before it, on the same line.
        spaced: a space stands between the two, however narrow.
        upright: it runs along the line, not up or down the page.
    """

    left: float
    top: float
    right: float
    bottom: float
    text: str
    follows: bool = False
    spaced: bool = False
    upright: bool = True

    @property
    def size(self) -> float:
        """The height of its letters."""
        return self.bottom - self.top if self.upright else self.right - self.left

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return (self.top + self.bottom) / 2

    @property
    def centre(self) -> float:
        """The x of its middle."""
        return (self.left + self.right) / 2


@dataclass(slots=True)
class Line:
    """Words that stand beside each other, from left to right."""

    words: list[Word]

    @property
    def left(self) -> float:
        """Where the first word begins."""
        return self.words[0].left

    @property
    def right(self) -> float:
        """Where the last word ends."""
        return max(word.right for word in self.words)

    @property
    def top(self) -> float:
        """The upper edge of the highest word."""
        return min(word.top for word in self.words)

    @property
    def bottom(self) -> float:
        """The lower edge of the lowest word."""
        return max(word.bottom for word in self.words)

    @property
    def size(self) -> float:
        """The height of its letters."""
        return max(word.size for word in self.words)

    @property
    def middle(self) -> float:
        """The y of the middle of its first word."""
        return self.words[0].middle

    @property
    def text(self) -> str:
        """Its words with a space where the print shows one."""
        return joined(self.words)


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line: horizontal at y or vertical at x, from `start` to `end` on the other axis."""

    at: float
    start: float
    end: float


@dataclass(slots=True)
class Cell:
    """A cell of a table: its rows and columns (0-based, both ends included) and what it says.

    Args:
        x: where its text begins.
        indent: how many levels that is further right than in cells above or below.
    """

    top: int
    left: int
    bottom: int
    right: int
    text: str = ""
    x: float = 0.0
    indent: int = 0


@dataclass(slots=True)
class Region:
    """A table of one page.

    Args:
        edges: the x of each column's left edge and of the last one's right edge.
        rows: how many it has.
        cells: those that say something.
        spacers: empty columns that part two tables which look like one.
        numbers: for each edge, the number of columns before it that are laid out; empty while that is not settled.
    """

    left: float
    top: float
    right: float
    bottom: float
    edges: list[float]
    rows: int
    cells: list[Cell] = field(default_factory=list)
    spacers: frozenset[int] = frozenset()
    numbers: list[int] = field(default_factory=list)

    @property
    def used(self) -> set[int]:
        """The columns to be laid out: those in which a text begins, and spacers."""
        return {cell.left for cell in self.cells} | self.spacers


@dataclass(slots=True)
class Sheet:
    """A page.

    Args:
        number: 1-based.
        regions: its tables.
        lines: the lines of text outside of them, from top to bottom.
        rules: the horizontal ones.
        goes_on: its first table is the rest of the last one on the page before.
        left_out: how much text was left out as a watermark.
        drawing: it has more rules than any table.
    """

    number: int
    height: float
    regions: list[Region] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    goes_on: bool = False
    left_out: int = 0
    drawing: bool = False


def lines_of(words: Sequence[Word]) -> list[Line]:
    """The lines that words stand in, from top to bottom; a word that was printed twice counts once."""
    lines: list[Line] = []
    middle = 0.0
    for word in sorted(words, key=lambda w: (w.middle, w.left)):
        if lines and word.middle - middle <= SLOPE * max(word.size, lines[-1].words[0].size):
            lines[-1].words.append(word)
        else:
            lines.append(Line([word]))
            middle = word.middle
    for line in lines:
        if len(line.words) > 1:
            line.words = _once(sorted(line.words, key=lambda w: w.left))
    return lines


def _once(words: list[Word]) -> list[Word]:
    """Without those that are printed again a hair beside themselves, to look bold or to cast a shadow."""
    kept: list[Word] = []
    for word in words:
        near = (w for w in reversed(kept[-3:]) if word.left - w.left < 0.15 * word.size)
        if not any(w.text == word.text for w in near):
            kept.append(word)
    return kept


def joined(words: Sequence[Word]) -> str:
    """The text of words that stand beside each other."""
    text = words[0].text
    for before, word in itertools.pairwise(words):
        gap = word.left - before.right
        text += (" " if word.spaced or gap >= SPACE * min(word.size, before.size) else "") + word.text
    return text


def text_of(words: Sequence[Word]) -> str:
    """The text of the words of a cell, with its line breaks."""
    if len(words) == 1:
        return words[0].text
    return "\n".join(line.text for line in lines_of(words))


def nearest(edges: Sequence[float], edge: float) -> int:
    """The position of the nearest of some ascending edges."""
    place = bisect_left(edges, edge)
    return min((i for i in (place - 1, place) if 0 <= i < len(edges)), key=lambda i: abs(edges[i] - edge))
