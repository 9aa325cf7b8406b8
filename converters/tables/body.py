"""The body of a table while it is being understood: raw columns, still as the file has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from converters.model import Scalar, Values
from converters.packed import changeable
from converters.tables.blocks import Block

SAMPLE = 60
_LEADING = re.compile(r"^[\s\u3000\u00a0]*(?:[ㄴ└├│┗┣•·∙\-–>]\s*)?")


@dataclass
class Body:
    """A body.

    Args:
        block / header / rows / columns: where it is on the grid.
        paths: the header texts over each column.
        raw: the values of each column, one a row.
        kinds: what most values of each column are, as Block.kinds.
        rates: the columns whose texts are percentages.
        reasons: why a column is typed as it is, where that is not plain to see.
    """

    block: Block
    header: list[int]
    rows: Sequence[int]
    columns: list[int]
    paths: dict[int, tuple[str, ...]]
    raw: dict[int, Values] = field(default_factory=dict)
    kinds: dict[int, str] = field(default_factory=dict)
    rates: set[int] = field(default_factory=set)
    reasons: dict[int, str] = field(default_factory=dict)

    def load(self) -> None:
        """Reads the columns from the grid; again after rows were taken out."""
        self.raw = {column: changeable(self.block.column(column, self.rows)) for column in self.columns}
        self.kinds = {column: self._kind(column) for column in self.columns}

    def header_text(self, column: int) -> str:
        """The innermost header text over a column."""
        path = self.paths[column]
        return path[-1] if path else ""

    def _kind(self, column: int) -> str:
        rows = self.rows if len(self.rows) <= 2 * SAMPLE else [*self.rows[:SAMPLE], *self.rows[-SAMPLE:]]
        seen = [self.block.kind(row, column) for row in rows]
        counts = {kind: seen.count(kind) for kind in "ndt"}
        best = max(counts, key=lambda kind: counts[kind])
        if not counts[best]:
            return "n" if "x" in seen else " "
        return best

    def indent(self, position: int, column: int) -> int:
        """How far a label is indented: by its format, or by white space and branch marks before it."""
        value = self.raw[column][position]
        look = self.block.grid.look(self.rows[position], column)
        if not isinstance(value, str):
            return look.indent * 2
        lead = _LEADING.match(value)
        width = sum(2 if c == "\u3000" else 1 for c in lead[0]) if lead and lead[0].strip() != "-" else 0
        return look.indent * 2 + width


def unindented(value: Scalar) -> str:
    """A label without the white space and branch marks before it."""
    text = str(value)
    lead = _LEADING.match(text)
    return text[lead.end() :].strip() if lead and lead.end() < len(text) else text.strip()
