"""The rules of a page: straight lines, and rectangles so thin that they look like one."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as pdfium

from converters.formats.pdf.characters import Box, turned
from converters.formats.pdf.shapes import Rule

THIN = 5.0
MAX_OBJECTS = 200_000
MAX_PIECES = 400_000
MAX_DEPTH = 12
MAX_RULES = 6000
SAME = 1.5
"""Parallel rules nearer than this are one: a double rule, or one drawn from each of two cells."""

BREAK = 4.0
"""A rule goes on over a gap as small as this: dashes, and the crossing of another rule."""

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass
class Rulings:
    """The rules of a page, each once.

    Args:
        drawing: there were more than any table has; they were dropped.
        pictures: it holds an image.
    """

    horizontal: list[Rule] = field(default_factory=list)
    vertical: list[Rule] = field(default_factory=list)
    drawing: bool = False
    pictures: bool = False


def rulings_of(page: Any, turn: int, box: Box) -> Rulings:
    """The rules of one page.

    Args:
        page: PDFium's handle.
        turn: by how many degrees, clockwise, the page is turned to be read.
        box: its visible part after that turn.
    """
    walk = _Walk(turn, box)
    count = pdfium.FPDFPage_CountObjects(page)
    walk.all((pdfium.FPDFPage_GetObject(page, i) for i in range(min(count, MAX_OBJECTS + 1))), _IDENTITY, 0)
    found = Rulings(pictures=walk.pictures)
    if not walk.over:
        found.horizontal, found.vertical = merged(walk.horizontal), merged(walk.vertical)
    if walk.over or len(found.horizontal) + len(found.vertical) > MAX_RULES:
        return Rulings(drawing=True, pictures=walk.pictures)
    return found


def merged(rules: list[Rule]) -> list[Rule]:
    """Parallel rules with those that overlap, or nearly do, made one; in ascending order."""
    lanes: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda r: r.at):
        if lanes and rule.at - lanes[-1][0].at <= SAME:
            lanes[-1].append(rule)
        else:
            lanes.append([rule])
    return [rule for lane in lanes for rule in _connected(lane)]


def _connected(lane: list[Rule]) -> Iterator[Rule]:
    at = sum(rule.at for rule in lane) / len(lane)
    lane.sort(key=lambda r: r.start)
    start, end = lane[0].start, lane[0].end
    for rule in lane[1:]:
        if rule.start - end > BREAK:
            yield Rule(at, start, end)
            start = rule.start
            end = rule.end
        end = max(end, rule.end)
    yield Rule(at, start, end)


class _Walk:
    """Visits the objects of a page and of the forms on it."""

    def __init__(self, turn: int, box: Box) -> None:
        self.turn = turn
        self.box = box
        self.horizontal: list[Rule] = []
        self.vertical: list[Rule] = []
        self.pictures = False
        self.objects = self.pieces = 0
        self._edges = [ctypes.c_float() for _ in range(4)]

    @property
    def over(self) -> bool:
        """It is a drawing, of more pieces than any table has."""
        return self.objects > MAX_OBJECTS or self.pieces > MAX_PIECES

    def all(self, objects: Iterator[Any], matrix: Matrix, depth: int) -> None:
        """Takes in some objects, which lie in a space that `matrix` leads out of."""
        for item in objects:
            self.objects += 1
            if self.over:
                return
            kind = pdfium.FPDFPageObj_GetType(item)
            if kind == pdfium.FPDF_PAGEOBJ_PATH:
                self._path(item, matrix)
            elif kind == pdfium.FPDF_PAGEOBJ_IMAGE:
                self.pictures = True
            elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < MAX_DEPTH:
                inner = range(max(0, pdfium.FPDFFormObj_CountObjects(item)))
                self.all(
                    (pdfium.FPDFFormObj_GetObject(item, i) for i in inner), _product(_matrix(item), matrix), depth + 1
                )

    def _path(self, path: Any, matrix: Matrix) -> None:
        filled, stroked = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDFPath_GetDrawMode(path, filled, stroked)
        if not (filled.value or stroked.value):
            return
        left, bottom, right, top = self._edges
        if not pdfium.FPDFPageObj_GetBounds(path, left, bottom, right, top):
            return
        width, height = right.value - left.value, top.value - bottom.value
        if min(width, height) <= THIN:
            self._thin(_moved((left.value, bottom.value, right.value, top.value), matrix))
        elif stroked.value or pdfium.FPDFPath_CountSegments(path) > 5:
            self._pieces(path, _product(_matrix(path), matrix), stroked=bool(stroked.value))

    def _thin(self, box: Box) -> None:
        """One rule, if it is longer than it is wide."""
        left, bottom, right, top = turned(box, self.turn)
        x0, y0, x1, y1 = self.box
        if right < x0 or left > x1 or top < y0 or bottom > y1:
            return
        if top - bottom <= THIN and right - left > 2 * (top - bottom):
            self.horizontal.append(Rule(y1 - (top + bottom) / 2, left - x0, right - x0))
        elif right - left <= THIN and top - bottom > 2 * (right - left):
            self.vertical.append(Rule((left + right) / 2 - x0, y1 - top, y1 - bottom))

    def _pieces(self, path: Any, matrix: Matrix, *, stroked: bool) -> None:
        """The straight pieces of a path that is stroked; the thin parts of one that is only filled."""
        count = pdfium.FPDFPath_CountSegments(path)
        self.pieces += count
        if self.over:
            return
        for points in _parts(path, count, matrix):
            if len(points) < 2:
                continue
            if stroked:
                for one, other in itertools.pairwise(points):
                    self._thin(_around([one, other]))
            else:
                self._thin(_around(points))


def _parts(path: Any, count: int, matrix: Matrix) -> Iterator[list[tuple[float, float]]]:
    """The points of each part of a path between curves; a closed one ends where it began."""
    points: list[tuple[float, float]] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for i in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(path, i)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        if pdfium.FPDFPathSegment_GetType(segment) != pdfium.FPDF_SEGMENT_LINETO:
            yield points
            points = []
        points.append(_at(x.value, y.value, matrix))
        if pdfium.FPDFPathSegment_GetClose(segment):
            points.append(points[0])
    yield points


def _matrix(item: Any) -> Matrix:
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(item, matrix):
        return _IDENTITY
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _product(one: Matrix, other: Matrix) -> Matrix:
    """First `one`, then `other`."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _at(x: float, y: float, matrix: Matrix) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def _moved(box: Box, matrix: Matrix) -> Box:
    if matrix is _IDENTITY:
        return box
    left, bottom, right, top = box
    return _around([_at(x, y, matrix) for x in (left, right) for y in (bottom, top)])


def _around(points: list[tuple[float, float]]) -> Box:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
