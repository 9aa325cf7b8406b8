"""The words of a page, from the letters that PDFium finds and the box of each.

Whether there is a space between two letters is decided here, by the gap between them: what programs write as spaces,
and what PDFium adds, depends on the program and the font. The box of a letter is as wide as the font moves on, so that
letters of one word touch, whatever their shape; letter spacing is measured and taken off.
"""

from __future__ import annotations

import ctypes
import math
import re
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, repeat
from statistics import median_low
from typing import Any

import pypdfium2.raw as pdfium

from converters.formats.pdf.shapes import SPACE, Word, joined

UNKNOWN = "\ufffd"
TOUCH = 0.08
"""Letters nearer than so many times their height touch; a space that the file has is at least so wide."""

BREAK = 1.0
"""Letters further apart belong to different words for certain, whatever the letter spacing."""

_BLANK = frozenset(" \t\r\n\x0b\x0c\x00\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
                   "\u200a\u200b\u200c\u200d\u202f\u205f\u2060\u3000\ufeff\u00ad")  # fmt: skip
_HYPHENS = re.compile("[\x02\ufffe]")
"""What PDFium puts for a hyphen at the end of a line."""

_PRIVATE = re.compile("[\ue000-\uf8ff]")

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in the page's own space: y grows upwards."""


@dataclass
class Page:
    """What the letters of a page are.

    Args:
        turn: by how many degrees, clockwise, the page must be turned for its text to be level.
        box: the visible part, in the page's own space after that turn.
        characters: how many letters it has.
        slanted: how many of them are neither level nor upright: watermarks.
    """

    words: list[Word] = field(default_factory=list)
    turn: int = 0
    box: Box = (0, 0, 0, 0)
    characters: int = 0
    slanted: int = 0


@dataclass
class _Letters:
    """The letters of a page, as columns."""

    texts: Sequence[str]
    lefts: Sequence[float]
    tops: Sequence[float]
    rights: Sequence[float]
    bottoms: Sequence[float]

    def turned(self, degrees: int) -> _Letters:
        """As they are on the page turned clockwise."""
        if not degrees:
            return self
        boxes = [
            turned((left, bottom, right, top), degrees)
            for left, bottom, right, top in zip(self.lefts, self.bottoms, self.rights, self.tops, strict=True)
        ]
        lefts, bottoms, rights, tops = zip(*boxes, strict=True) if boxes else ((), (), (), ())
        return _Letters(self.texts, lefts, tops, rights, bottoms)

    def some(self, positions: Sequence[int]) -> _Letters:
        """Only those at some positions."""
        lists = (self.texts, self.lefts, self.tops, self.rights, self.bottoms)
        return _Letters(*([each[i] for i in positions] for each in lists))  # type: ignore[arg-type]


def turned(box: Box, degrees: int) -> Box:
    """A box on a page that is turned clockwise about its origin."""
    left, bottom, right, top = box
    match degrees:
        case 90:
            return bottom, -right, top, -left
        case 180:
            return -right, -top, -left, -bottom
        case 270:
            return -top, left, -bottom, right
    return box


class CharacterReader:
    """Reads the words of pages; it keeps the memory that PDFium writes boxes to."""

    def __init__(self) -> None:
        self._boxes: Any = None
        self._pointers: list[Any] = []

    def read(self, text_page: Any, box: Box) -> Page:
        """The words of one page.

        Args:
            text_page: PDFium's handle of the page's text.
            box: the visible part of the page, in its own space.
        """
        count = max(0, pdfium.FPDFText_CountChars(text_page))
        if not count:
            return Page(box=box)
        letters = self._letters(text_page, count)
        turn = _turn(text_page, count)
        page = Page(turn=turn, box=turned(box, turn))
        runs = _Runs(page, text_page)
        runs.read(letters.turned(turn))
        for degrees in (90, 270, 180):
            if positions := runs.others.get((turn + degrees) % 360):
                _read_turned(page, letters.some(positions), turn, degrees)
        return page

    def _letters(self, text_page: Any, count: int) -> _Letters:
        if count > len(self._pointers):
            self._boxes = (pdfium.FS_RECTF * (2 * count))()
            self._pointers = [ctypes.byref(box) for box in self._boxes]
        ctypes.memset(self._boxes, 0, count * ctypes.sizeof(pdfium.FS_RECTF))
        deque(map(pdfium.FPDFText_GetLooseCharBox, repeat(text_page, count), range(count), self._pointers), maxlen=0)
        numbers = memoryview(self._boxes).cast("B").cast("f")[: 4 * count].tolist()
        return _Letters(_texts(text_page, count), numbers[::4], numbers[1::4], numbers[2::4], numbers[3::4])


def _texts(text_page: Any, count: int) -> Sequence[str]:
    """One text a letter."""
    units = array("H", bytes(2 * (count + 1)))
    buffer = (ctypes.c_ushort * len(units)).from_buffer(units)
    written = pdfium.FPDFText_GetText(text_page, 0, count, buffer) - 1
    text = units.tobytes()[: 2 * max(0, written)].decode("utf-16-le", "replace")
    if written == count == len(text):
        return text
    return [_letter(pdfium.FPDFText_GetUnicode(text_page, i)) for i in range(count)]


def _letter(code: int) -> str:
    return chr(code) if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else UNKNOWN if code else "\x00"


def _angle(text_page: Any, position: int) -> int:
    """Of a letter, counter-clockwise, in degrees; -1 if it is not along an axis."""
    angle = -math.degrees(pdfium.FPDFText_GetCharAngle(text_page, position)) % 360
    nearest = round(angle / 90) * 90
    return nearest % 360 if abs(angle - nearest) < 2 else -1


def _turn(text_page: Any, count: int) -> int:
    """The turn that makes most of the text level, by a sample of it."""
    step = max(1, count // 40)
    sample = [i for i in range(0, count, step) if not pdfium.FPDFText_IsGenerated(text_page, i)]
    angles = Counter(_angle(text_page, i) for i in sample)
    angles.pop(-1, None)
    if not angles:
        return 0
    angle, votes = angles.most_common(1)[0]
    return angle if votes > angles[0] else 0


class _Runs:
    """Cuts the letters of a page into runs on one line, and those into words."""

    def __init__(self, page: Page, text_page: Any = None) -> None:
        self.page = page
        self.text_page = text_page
        self.others: dict[int, list[int]] = {}

    def read(self, letters: _Letters) -> None:
        """Adds the words of all level letters to the page; keeps the positions of the others by their angle."""
        gaps: list[float] = []
        spaces: set[int] = set()
        height = base = end = 0.0
        blank = -1
        places: list[int] = []
        for i, (text, left, bottom, right, top) in enumerate(
            zip(letters.texts, letters.lefts, letters.bottoms, letters.rights, letters.tops, strict=True)
        ):
            if text in _BLANK:
                blank = i
                continue
            gap = left - end
            if places and -0.3 < (bottom - base) / height < 0.3 and -0.5 * height < gap < BREAK * height:
                if blank >= 0 and left - letters.lefts[blank] >= TOUCH * height and self._is_real(blank):
                    spaces.add(len(gaps))
                gaps.append(gap)
                places.append(i)
            else:
                if places:
                    self._add(letters, places, gaps, spaces, height)
                places, gaps, spaces = [i], [], set()
                height = top - bottom or 1.0
                base = bottom
            end, blank = right, -1
        if places:
            self._add(letters, places, gaps, spaces, height)

    def _is_real(self, blank: int) -> bool:
        """The file has this space; PDFium did not add it."""
        return self.text_page is None or not pdfium.FPDFText_IsGenerated(self.text_page, blank)

    def _add(self, letters: _Letters, places: list[int], gaps: list[float], spaces: set[int], height: float) -> None:
        """One run of letters."""
        self.page.characters += len(places)
        angle = _angle(self.text_page, places[0]) if self.text_page is not None else self.page.turn
        if angle != self.page.turn:
            if angle < 0:
                self.page.slanted += len(places)
            else:
                self.others.setdefault(angle, []).extend(places)
            return
        self.page.words.extend(_words(letters, places, gaps, spaces, height, self.page.box))


def _words(
    letters: _Letters, places: list[int], gaps: list[float], spaces: set[int], height: float, box: Box
) -> list[Word]:
    cuts = _cuts(gaps, spaces, height)
    words = []
    for (first, spaced), (last, _) in pairwise([(0, False), *cuts, (len(places), False)]):
        head, tail = places[first], places[last - 1]
        text = "".join([letters.texts[i] for i in places[first:last]])
        left, right = letters.lefts[head], letters.rights[tail]
        bottom, top = letters.bottoms[head], letters.tops[head]
        if right < box[0] or left > box[2] or top < box[1] or bottom > box[3]:
            continue  # outside of what is shown
        place = (left - box[0], box[3] - top, right - box[0], box[3] - bottom)
        words.append(Word(*place, _cleaned(text), first > 0, spaced))
    return words


def _cuts(gaps: list[float], spaces: set[int], height: float) -> list[tuple[int, bool]]:
    """The letters of a run before which there is a gap, and whether that is a space."""
    if not gaps or (not spaces and max(gaps) < TOUCH * height):
        return []
    spacing = 0.0
    if len(gaps) >= 4:
        usual = median_low(gaps)
        spacing = usual if abs(usual) < 0.5 * height else 0.0
    wide, narrow = spacing + SPACE * height, spacing + TOUCH * height
    cut = ((n + 1, gap >= wide or n in spaces) for n, gap in enumerate(gaps) if gap >= narrow or n in spaces)
    return list(cut)


def _cleaned(text: str) -> str:
    """With a mark for each letter that has no Unicode, or one of a private area, which only its font knows."""
    return text if text.isascii() and "\x02" not in text else _PRIVATE.sub(UNKNOWN, _HYPHENS.sub("-", text))


def _read_turned(page: Page, letters: _Letters, turn: int, degrees: int) -> None:
    """Adds text that runs up or down the page, or upside down: each run is one word."""
    total = (turn + degrees) % 360
    there = Page(turn=total, box=turned(turned(page.box, -turn % 360), total))
    _Runs(there).read(letters.turned(total))
    width, height = there.box[2] - there.box[0], there.box[3] - there.box[1]
    runs: list[list[Word]] = []
    for word in there.words:
        if word.follows and runs:
            runs[-1].append(word)
        else:
            runs.append([word])
    for run in runs:
        text = joined(run)
        left, top, right, bottom = run[0].left, run[0].top, run[-1].right, run[0].bottom
        match degrees:
            case 90:
                place = (top, width - right, bottom, width - left)
            case 270:
                place = (height - bottom, left, height - top, right)
            case _:
                place = (width - right, height - bottom, width - left, height - top)
        page.words.append(Word(*place, text, upright=False))
