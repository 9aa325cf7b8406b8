"""The texts around tables: which table each belongs to, and what it is there: title, unit note, note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from converters.model import address
from converters.tables.blocks import STAMP, Block
from converters.tables.segments import Segment
from converters.tables.units import Stated, is_unit_note, stated_in_note
from converters.tables.words import MARKER, is_key_value, is_note, is_sign_off, is_title_like


@dataclass(frozen=True, slots=True)
class Line:
    """One text outside of all tables, and the columns it spans."""

    row: int
    left: int
    right: int
    text: str


@dataclass
class Surroundings:
    """The texts of one table, from top to bottom."""

    above: list[Line] = field(default_factory=list)
    below: list[Line] = field(default_factory=list)
    inherited_units: list[Stated] = field(default_factory=list)

    @property
    def title(self) -> str | None:
        """The nearest of the texts above that look like one; if none does, the nearest that may be one."""
        possible = [line for line in self.above if _may_be_title(line.text)]
        titles = [line for line in possible if line.right > line.left + 1 or is_title_like(line.text)] or possible
        if not titles:
            return None
        nearest = max(line.row for line in titles)
        text = next(line.text for line in titles if line.row == nearest)
        return MARKER.sub("", text) or text

    @property
    def notes(self) -> tuple[str, ...]:
        """All other texts."""
        title = self.title
        texts = [line.text for line in self.above + self.below]
        return tuple(text for text in texts if (MARKER.sub("", text) or text) != title)

    @property
    def units(self) -> list[Stated]:
        """The units that the texts above state, the nearest text first."""
        return [
            stated._replace(because=f"the note '{line.text}' in {address(line.row, line.left)}")
            for line in sorted(self.above, key=lambda li: -li.row)
            for stated in stated_in_note(line.text)
        ]


def surroundings_of(found: Sequence[Segment]) -> list[Surroundings]:
    """The surroundings of each segment that is a table, in order."""
    tables = [s for s in found if s.is_table]
    around = [Surroundings() for _ in tables]
    for segment in found:
        for line in _lines(segment.block, segment.above):
            _give(line, segment, tables, around)
        if segment.is_table:
            around[_position(tables, segment)].below.extend(_lines(segment.block, segment.notes))
    _share_units(tables, around)
    for each in around:
        each.above.sort(key=lambda line: (line.row, line.left))
    return around


def _position(tables: Sequence[Segment], segment: Segment) -> int:
    return next(i for i, table in enumerate(tables) if table is segment)


def _lines(block: Block, rows: Sequence[int]) -> list[Line]:
    lines = []
    for row in rows:
        for column, text in block.texts(row):
            merge = block.merge(row, column)
            lines.append(Line(row, column, merge.right if merge else column, text))
    return lines


def _give(line: Line, segment: Segment, tables: Sequence[Segment], around: Sequence[Surroundings]) -> None:
    """Adds a line to the tables it speaks of: those right below, or the one above for a footnote."""
    if segment.is_table:
        around[_position(tables, segment)].above.append(line)
        return
    under = [i for i, t in enumerate(tables) if _first(t) > line.row]
    over = [i for i, t in enumerate(tables) if _last(t) < line.row]
    if over and (not under or is_note(line.text)):
        mine = [i for i in over if _overlaps(line, tables[i])] or over
        around[max(mine, key=lambda i: _last(tables[i]))].below.append(line)
        return
    mine = [i for i in under if _overlaps(line, tables[i])] or under
    if not mine:
        return
    nearest = min(_first(tables[i]) for i in mine)
    for i in mine:
        if _first(tables[i]) == nearest:
            around[i].above.append(line)


def _share_units(tables: Sequence[Segment], around: Sequence[Surroundings]) -> None:
    """A unit note over one of several tables side by side, or over the first of a sheet, may speak of the others."""
    for i, table in enumerate(tables):
        if around[i].units:
            continue
        beside = [j for j, t in enumerate(tables) if j != i and abs(_first(t) - _first(table)) <= 2 and around[j].units]
        if beside:
            around[i].inherited_units = _inherited(around[beside[0]].units)
            continue
        before = [j for j in range(i) if around[j].units]
        if before and _same_header(tables[before[-1]], table):
            around[i].inherited_units = _inherited(around[before[-1]].units)


def _inherited(units: list[Stated]) -> list[Stated]:
    return [stated._replace(because=f"{stated.because} over another table", sure=0.7) for stated in units]


def _same_header(one: Segment, other: Segment) -> bool:
    if not one.header or not other.header:
        return False
    ours = [text for _, text in one.block.texts(one.header[-1])][1:]
    theirs = [text for _, text in other.block.texts(other.header[-1])][1:]
    return ours == theirs


def _first(segment: Segment) -> int:
    return (segment.header or segment.body)[0]


def _last(segment: Segment) -> int:
    return (segment.body or segment.header)[-1]


def _overlaps(line: Line, segment: Segment) -> bool:
    return line.left <= segment.block.right and segment.block.left <= line.right


def _may_be_title(text: str) -> bool:
    if (
        is_unit_note(text)
        or is_key_value(text)
        or is_sign_off(text)
        or is_note(text)
        or not any(map(str.isalpha, text))
    ):
        return False
    return not (STAMP.search(text) and len(text) <= 30 and any(map(str.isdigit, text)))
