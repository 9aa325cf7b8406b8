"""`ondol convert --explain`: the sheets on a terminal, coloured by what each cell was found to be, and why."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ondol.cli.output import clean, console, say

if TYPE_CHECKING:
    from rich.table import Table

    from converters.model import Conversion, Decision, View

WIDEST = 24
SIGNS = ((0.85, "✓"), (0.5, "~"), (0.0, "?"))
"""What stands before a decision, by its least confidence: sure, likely, doubtful."""


def show(conversion: Conversion, rows: int) -> None:
    """Print each sheet with its legend and decisions.

    Args:
        rows: rows shown of a sheet; 0 for all.
    """
    for view in conversion.views:
        name = " ▸ ".join([*view.container, view.sheet])
        say(name + " (hidden)" * view.hidden, style="bold")
        console().print(_sheet(view, rows))
        if rows and view.rows > rows:
            say(
                f"… {view.rows - rows:,} more rows: --rows 0 shows up to 2,000, --html the same in a browser",
                style="dim",
            )
        for decision in view.decisions:
            _decision(view, decision)
        say("")


def _sheet(view: View, rows: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from converters.explain import COLOURS, painted
    from converters.model import letters, place

    kinds = painted(view)
    width = max(map(len, view.texts.values()), default=0)
    shown = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    shown.add_column("", justify="right", style="dim")
    for column in range(width):
        shown.add_column(letters(column), overflow="ellipsis", max_width=WIDEST, no_wrap=True)
    for row, texts in islice(view.texts.items(), rows or None):
        cells = []
        for column in range(width):
            text = clean(texts[column]).replace("\n", "⏎") if column < len(texts) else ""
            kind = kinds.get((row, column))
            cells.append(Text(text or " ", style=f"black on {COLOURS[kind][1]}" if kind else ""))
        shown.add_row(f"{place(view.sheet, view.pages, row)[1] + 1}", *cells)
    shown.caption = Text.assemble(*_legend(set(kinds.values())))
    shown.caption_justify = "left"
    return shown


def _legend(kinds: set[str]) -> Iterator[tuple[str, str] | str]:
    from converters.explain import COLOURS

    for kind, (_, colour) in COLOURS.items():
        if kind in kinds:
            yield f" {kind.replace('_', ' ')} ", f"black on {colour}"
            yield " "


def _decision(view: View, decision: Decision) -> None:
    from converters.explain import where

    sign = next(sign for least, sign in SIGNS if decision.confidence >= least)
    place = where(view, decision.region)
    kind = decision.kind.replace("_", " ")
    say(f"  {sign} {decision.confidence:4.0%}  {place:<10} {kind:<12} {decision.says}  ← {decision.because}")
