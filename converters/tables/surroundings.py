"""The texts around tables: which table each belongs to, and what it is there: title, unit note, note."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from converters.model import Decision, address
from converters.tables.lines import Line, line_decision, lines_of, title_of, with_signatures
from converters.tables.segments import Segment
from converters.tables.units import UNSURE, Stated, stated_in_note
from converters.tables.words import is_note


@dataclass
class Surroundings:
    """The texts of one table, from top to bottom."""

    above: list[Line] = field(default_factory=list)
    below: list[Line] = field(default_factory=list)
    inherited_units: list[Stated] = field(default_factory=list)

    @property
    def title(self) -> str | None:
        """The words of the title."""
        title = title_of(self.above)
        return title.words if title else None

    @property
    def notes(self) -> tuple[str, ...]:
        """All other texts."""
        title = self.title
        return tuple(line.text for line in self.above + self.below if line.words != title)

    @property
    def units(self) -> list[Stated]:
        """The units that the texts above state, the nearest text first; if none does, those that the texts below do."""
        return _units(sorted(self.above, key=lambda line: -line.row)) or _units(self.below)

    @property
    def units_of_all(self) -> list[Stated]:
        """The units that stand over the title: if it is that of the first table, they may be those of the sheet."""
        title = title_of(self.above)
        return _units([line for line in self.above if title and line.row < title.row])

    @property
    def decisions(self) -> list[Decision]:
        """What each text was found to be."""
        title = title_of(self.above)
        above = [line_decision(line, title=title) for line in self.above]
        return above + [line_decision(line, below=True) for line in self.below]


def _units(lines: Iterable[Line]) -> list[Stated]:
    return [
        stated._replace(because=f"the note '{line.text}' in {address(line.row, line.left)}")
        for line in lines
        for stated in stated_in_note(line.text)
    ]


def surroundings_of(found: Sequence[Segment]) -> tuple[list[Surroundings], list[Line]]:
    """The surroundings of each segment that is a table, in order, and the texts of a sheet without one."""
    tables = [s for s in found if s.is_table]
    places = {id(table): i for i, table in enumerate(tables)}
    around = [Surroundings() for _ in tables]
    owned = [(segment, line) for segment in found for line in lines_of(segment.block, segment.above)]
    lines = with_signatures([line for _, line in owned])
    for (segment, _), line in zip(owned, lines, strict=True):
        if (place := places.get(id(segment))) is not None:
            around[place].above.append(line)
        elif tables:
            _give(line, tables, around)
    for segment in tables:
        around[places[id(segment)]].below.extend(lines_of(segment.block, segment.notes))
    _share_units(tables, around)
    for each in around:
        each.above.sort(key=lambda line: (line.row, line.left))
    return around, [] if tables else lines


def _give(line: Line, tables: Sequence[Segment], around: Sequence[Surroundings]) -> None:
    """Adds a line to the tables it speaks of: those right below, or the one above or beside it."""
    under = [i for i, t in enumerate(tables) if _first(t) > line.row]
    over = [i for i, t in enumerate(tables) if _last(t) < line.row]
    if not under or (over and is_note(line.text)):
        mine = [i for i in over if _overlaps(line, tables[i])] or over or range(len(tables))
        around[max(mine, key=lambda i: _last(tables[i]))].below.append(line)
        return
    mine = [i for i in under if _overlaps(line, tables[i])] or under
    nearest = min(_first(tables[i]) for i in mine)
    for i in mine:
        if _first(tables[i]) == nearest:
            around[i].above.append(line)


def _share_units(tables: Sequence[Segment], around: Sequence[Surroundings]) -> None:
    """A unit note over one of several tables side by side, or over the first of a sheet, may speak of the others."""
    stated = [each.units for each in around]
    earliest: dict[int, int] = {}
    for i, table in enumerate(tables):
        if stated[i]:
            earliest.setdefault(_first(table), i)
    before: int | None = None
    of_all = around[0].units_of_all if around else []
    for i, table in enumerate(tables):
        if stated[i]:
            before = i
            continue
        beside = [earliest[row] for row in range(_first(table) - 2, _first(table) + 3) if row in earliest]
        if beside:
            around[i].inherited_units = _inherited(stated[min(beside)], 0.7)
        elif before is not None and _same_header(tables[before], table):
            around[i].inherited_units = _inherited(stated[before], 0.7)
        else:
            around[i].inherited_units = _inherited(of_all, UNSURE)


def _inherited(units: list[Stated], sure: float) -> list[Stated]:
    return [stated._replace(because=f"{stated.because} over another table", sure=sure) for stated in units]


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
