"""What a file has cost so far, against its limits."""

from __future__ import annotations

from converters.errors import OverLimit
from converters.options import Limits


class Meter:
    """Counts the sheets, cells and slots of one file."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.sheets = self.cells = self.slots = 0

    def sheet(self) -> None:
        """One more sheet.

        Raises:
            OverLimit: too many.
        """
        self.sheets += 1
        if self.sheets > self.limits.max_sheets:
            self._over("sheets", self.sheets, "max_sheets", self.limits.max_sheets)

    def row(self, cells: int, slots: int) -> None:
        """One more row, of so many values in so many columns.

        Raises:
            OverLimit: too many in all.
        """
        self.cells += cells
        self.slots += slots
        if self.cells > self.limits.max_cells:
            self._over("cells", self.cells, "max_cells", self.limits.max_cells)
        if self.slots > self.limits.max_slots:
            self._over("rows times columns", self.slots, "max_slots", self.limits.max_slots)

    def _over(self, what: str, got: int, limit: str, allowed: int) -> None:
        raise OverLimit(
            f"{self.name} has more than {allowed:,} {what} (at least {got:,}); {limit} allows {allowed:,}.",
            f"Delete what lies far outside of the tables, split the file, or raise {limit}.",
        )
