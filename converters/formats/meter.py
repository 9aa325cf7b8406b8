"""What a file has cost so far, against its limits."""

from __future__ import annotations

from io import BufferedIOBase
from typing import IO

from converters.errors import Exhausted, OverLimit
from converters.grid import Grid
from converters.options import Limits

CHUNK = 1 << 20
LARGE = 100 << 20
"""Below so many bytes, nothing is a bomb, whatever it was packed to."""


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


class Budget:
    """Counts what a file and all that is nested in it cost together.

    Args:
        name / size: of the outermost file.
    """

    def __init__(self, name: str, size: int, limits: Limits) -> None:
        self.name = name
        self.size = size
        self.limits = limits
        self.members = self.inflated = self.cells = self.failures = 0

    def member(self) -> None:
        """One more file.

        Raises:
            Exhausted: too many.
        """
        self.members += 1
        if self.members > self.limits.max_members:
            raise self._exhausted("files", "max_members", self.limits.max_members)

    def expect(self, name: str, size: int) -> None:
        """A file that declares so many bytes.

        Raises:
            OverLimit: more than are left.
        """
        if self.inflated + size > self.limits.max_inflated_bytes:
            raise OverLimit(
                f"{name} unpacks to {size:,} bytes; of {self.limits.max_inflated_bytes:,} in all (max_inflated_bytes), "
                f"{self.inflated:,} are used.",
                "Unpack it and send it alone, or raise max_inflated_bytes if its sender vouches for it.",
            )

    def inflate(self, size: int) -> None:
        """So many bytes more that were really unpacked.

        Raises:
            Exhausted: too many in all, or too many for the size of the file.
        """
        self.inflated += size
        if self.inflated > self.limits.max_inflated_bytes:
            raise self._exhausted("unpacked bytes", "max_inflated_bytes", self.limits.max_inflated_bytes)
        if self.inflated > LARGE and self.inflated > self.limits.max_ratio * self.size:
            raise self._exhausted("times its size, unpacked", "max_ratio", self.limits.max_ratio)

    def read(self, stream: IO[bytes] | BufferedIOBase) -> bytes:
        """All bytes that a stream unpacks, counted as they come: what it declares may be a lie.

        Raises:
            Exhausted: as `inflate`.
        """
        parts: list[bytes] = []
        while part := stream.read(CHUNK):
            self.inflate(len(part))
            parts.append(part)
        return b"".join(parts)

    def grid(self, grid: Grid) -> None:
        """One more sheet.

        Raises:
            Exhausted: too many cells in all.
        """
        self.cells += sum(len(values) - values.count(None) for values in grid.rows.values())
        if self.cells > self.limits.max_cells:
            raise self._exhausted("cells", "max_cells", self.limits.max_cells)

    def _exhausted(self, what: str, limit: str, allowed: int) -> Exhausted:
        return Exhausted(
            f"{self.name} with all that is nested in it has more than {allowed:,} {what}, which {limit} allows.",
            f"It looks like a bomb: delete it, or split it or raise {limit} if its sender vouches for it.",
        )
