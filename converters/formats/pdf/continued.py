"""What comes again from page to page: running heads and feet, which are dropped, and tables that go on."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from converters.formats.pdf.columns import chunks_of
from converters.formats.pdf.layout import starts
from converters.formats.pdf.shapes import Line, Region, Sheet, nearest

MARGIN = 0.2
"""The share of the page's height, above and below, in which running heads and page numbers stand."""

LOW = 0.6
"""A table that goes on over the page ends below this share of the page's height."""

SAME = 4.0
"""Edges of the parts of one table differ less from page to page, in points."""

PAGE_NUMBER = re.compile(
    r"\W*(?:page|p\.?|쪽|페이지|頁)?\s*\d{1,4}\s*(?:(?:/|of|중|의|[-–])\s*\d{1,4})?\s*(?:쪽|페이지|頁|ページ|page)?\W*",
    re.I,
)
_DIGITS = re.compile(r"\d+")


def drop_running(sheets: Sequence[Sheet]) -> None:
    """Drops page numbers, and what stands in the margin of page after page; of heads the first stays."""
    known = [{_key(line, sheet.number) for line in sheet.lines if _margin(sheet, line)} for sheet in sheets]
    for i, sheet in enumerate(sheets):
        before = known[i - 1] if i else set()
        after = known[i + 1] if i + 1 < len(sheets) else set()
        sheet.lines = [line for line in sheet.lines if not _is_running(sheet, line, before, after)]


def _margin(sheet: Sheet, line: Line) -> str:
    """Which margin a line stands in; "" for none."""
    if line.middle < MARGIN * sheet.height:
        return "above"
    return "below" if line.middle > (1 - MARGIN) * sheet.height else ""


def _key(line: Line, number: int) -> str:
    """What a line says, the same on each page: a number that counts the pages is taken off."""
    return _DIGITS.sub(lambda found: "#" if int(found[0][:9]) == number else found[0], line.text)


def _is_running(sheet: Sheet, line: Line, before: set[str], after: set[str]) -> bool:
    margin = _margin(sheet, line)
    if not margin:
        return False
    if PAGE_NUMBER.fullmatch(line.text):
        return not any(r.top < line.middle < r.bottom for r in sheet.regions)
    if len(chunks_of(line)) > 2:
        return False
    key = _key(line, sheet.number)
    return key in before or (margin == "below" and key in after)


def join_tables(sheets: Sequence[Sheet]) -> None:
    """Numbers the columns of tables that go on over pages alike, and marks the pages where one does."""
    run: list[Region] = []
    for before, sheet in itertools.pairwise(sheets):
        upper, lower = _last(before), _first(sheet)
        if upper is None or lower is None or not _same_columns(upper, lower):
            _number(run)
            run = []
            continue
        sheet.goes_on = True
        if not run or run[-1] is not upper:
            _number(run)
            run = [upper]
        run.append(lower)
    _number(run)


def _last(sheet: Sheet) -> Region | None:
    """The table that the page ends with, if nothing stands beside or below it."""
    if not sheet.regions:
        return None
    last = max(sheet.regions, key=lambda r: r.bottom)
    rest: list[Region | Line] = [*(r for r in sheet.regions if r is not last), *sheet.lines]
    return last if last.bottom > LOW * sheet.height and all(item.bottom <= last.top + 1 for item in rest) else None


def _first(sheet: Sheet) -> Region | None:
    """The table that the page begins with, if nothing stands beside or above it."""
    if not sheet.regions:
        return None
    first = min(sheet.regions, key=lambda r: r.top)
    rest: list[Region | Line] = [*(r for r in sheet.regions if r is not first), *sheet.lines]
    return first if all(item.top >= first.bottom - 1 for item in rest) else None


def _same_columns(one: Region, other: Region) -> bool:
    """The edges of one are among those of the other, and the outermost are the same."""
    few, many = sorted((_relative(one), _relative(other)), key=len)
    return abs(few[-1] - many[-1]) <= SAME and all(abs(_near(many, edge) - edge) <= SAME for edge in few)


def _relative(region: Region) -> list[float]:
    return [edge - region.left for edge in region.edges]


def _near(edges: Sequence[float], edge: float) -> float:
    return edges[nearest(edges, edge)]


def _number(run: Sequence[Region]) -> None:
    """The numbers of the columns of all parts of one table, by the part with most of them."""
    if not run:
        return
    edges = max(map(_relative, run), key=len)
    places = [[nearest(edges, edge) for edge in _relative(region)] for region in run]
    used = {place[column] for region, place in zip(run, places, strict=True) for column in region.used}
    numbers = starts(used, len(edges) - 1)
    for region, place in zip(run, places, strict=True):
        region.numbers = [numbers[i] for i in place]
