"""What a caller may set: limits and passwords."""

from __future__ import annotations

from dataclasses import dataclass, field

MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost at most; beyond it the file is quarantined with the limit's name.

    Args:
        max_bytes: size of the file as it came.
        max_inflated_bytes: what the members of archives declare in total, and what is really inflated, at all levels.
        max_ratio: inflated to deflated size of an archive of some size: beyond it, it is a bomb.
        max_nesting: archives and mails inside of each other, the file itself included.
        max_members: files in archives and mails, at all levels.
        max_cells: cells with a value, in all sheets together.
        max_slots: rows × width that a reader walks through to find those cells.
        max_sheets: sheets of a workbook.
        max_pages: pages of a PDF.
        memory_bytes: address space of the worker process (only in the sandbox).
        cpu_seconds / wall_seconds: time of the worker for one file (only in the sandbox).
    """

    max_bytes: int = 256 * MB
    max_inflated_bytes: int = 2048 * MB
    max_ratio: int = 1000
    max_nesting: int = 5
    max_members: int = 10_000
    max_cells: int = 20_000_000
    max_slots: int = 600_000_000
    max_sheets: int = 1000
    max_pages: int = 10_000
    memory_bytes: int = 4096 * MB
    cpu_seconds: int = 300
    wall_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is converted.

    Args:
        limits: what it may cost.
        passwords: tried in turn on an encrypted file; never written to a message.
        max_rows: rows read of each sheet; None for all. A preview sets it.
        explain: also keep the sheets as a person sees them, with every decision on them (Conversion.views).
    """

    limits: Limits = Limits()
    passwords: tuple[str, ...] = field(default=(), repr=False)
    max_rows: int | None = None
    explain: bool = False


DEFAULTS = Options()
