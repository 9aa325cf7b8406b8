"""Explanations: each sheet as a person sees it, cells coloured by what they were found to be, decisions with why.

`view` is made in the worker, where the grid is; `page` makes one HTML page (explain.html) of a conversion's views:
nothing is loaded from elsewhere and every text is escaped, so that it may be opened, mailed and kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib import resources
from itertools import islice
from string import Template

from converters.grid import Grid
from converters.model import Conversion, Decision, Fact, Range, View, letters, place
from converters.tables.blocks import shown_text

MAX_ROWS = 2_000
MAX_COLUMNS = 200
MAX_TEXT = 500
MAX_FACTS = 100_000

_FIGURE = re.compile(r"[-+△▲(]?[\d,.]+[)%]?$")

COLOURS = {
    "table": ("#ffffff", "white"),
    "body": ("#eef5ee", "green"),
    "total_column": ("#e0f0f2", "cyan"),
    "label": ("#dfe8fb", "blue"),
    "section": ("#c9d6f7", "bright_blue"),
    "header": ("#fde9c8", "yellow"),
    "total_row": ("#c8e6ea", "cyan"),
    "title": ("#f6d5de", "magenta"),
    "unit_note": ("#eadcf5", "bright_magenta"),
    "note": ("#f0e8f6", "bright_magenta"),
    "footnote": ("#f0e8f6", "bright_magenta"),
    "form": ("#ece9e1", "bright_black"),
    "sign_off": ("#ece9e1", "bright_black"),
    "page_number": ("#ece9e1", "bright_black"),
}
"""What cells are, in the order in which they are painted over each other: the colour on a page and on a terminal."""


def view(grid: Grid, decisions: Iterable[Decision]) -> View:
    """The first rows of a sheet as a person sees them, with the decisions on it, from top to bottom."""
    rows = list(islice(grid.rows, MAX_ROWS))
    last = rows[-1] if rows else -1
    width = min(grid.width, MAX_COLUMNS)
    texts = {}
    for row in rows:
        line = [shown_text(grid, row, c)[:MAX_TEXT] for c in range(min(len(grid.rows[row]), width))]
        texts[row] = line
    return View(
        sheet=grid.sheet,
        texts=texts,
        rows=len(grid.rows),
        merges=[m for m in grid.merges if m.top <= last and m.left < width],
        container=grid.container,
        pages=tuple(page for page in grid.pages if page.first <= last),
        hidden=grid.hidden,
        hidden_rows=tuple(sorted(r for r in grid.hidden_rows if r <= last)),
        hidden_columns=tuple(sorted(c for c in grid.hidden_columns if c < width)),
        decisions=sorted(decisions, key=lambda d: (d.region.top, d.region.left)),
    )


def painted(view: View) -> dict[tuple[int, int], str]:
    """What each cell is, by grid position: the kind in COLOURS that is painted last over it."""
    order = {kind: layer for layer, kind in enumerate(COLOURS)}
    cells: dict[tuple[int, int], str] = {}
    for decision in sorted((d for d in view.decisions if d.kind in order), key=lambda d: order[d.kind]):
        cells.update(dict.fromkeys(_cells(view, decision.region), decision.kind))
    return cells


def where(view: View, region: Range) -> str:
    """A region as people write it: B3 or B3:D9, with the page or table of the file it is on where that differs."""
    sheet, top = place(view.sheet, view.pages, region.top)
    _, bottom = place(view.sheet, view.pages, region.bottom)
    first, last = f"{letters(region.left)}{top + 1}", f"{letters(region.right)}{bottom + 1}"
    name = first if first == last else f"{first}:{last}"
    return name if sheet == view.sheet else f"{sheet} {name}"


def _cells(view: View, region: Range) -> Iterator[tuple[int, int]]:
    for row in range(region.top, region.bottom + 1):
        if row in view.texts:
            for column in range(region.left, min(region.right, MAX_COLUMNS - 1) + 1):
                yield row, column


def page(conversion: Conversion) -> str:
    """One HTML page that shows the sheets, coloured, and each decision beside them with its confidence and evidence."""
    said = _facts(conversion)
    sheets = "".join(_sheet(number, view, said) for number, view in enumerate(conversion.views))
    problems = "".join(
        f"<li>{escape(p.message)}{escape(f' ({p.where})') if p.where else ''} → {escape(p.remedy)}</li>"
        for p in [*conversion.problems, *conversion.notices]
    )
    colours = "".join(f".{kind}{{background:{colour}}}" for kind, (colour, _) in COLOURS.items())
    legend = "".join(f'<span class="{kind}">{kind.replace("_", " ")}</span>' for kind in COLOURS if kind != "table")
    template = Template(resources.files("converters").joinpath("explain.html").read_text("utf-8"))
    return template.substitute(
        name=escape(conversion.name),
        colours=colours,
        about=escape(
            f"{conversion.format or 'unknown format'} · {conversion.state} · "
            f"{len(conversion.tables)} table{'s' * (len(conversion.tables) != 1)} · "
            f"sha256 {conversion.sha256}"
        ),
        legend=legend,
        problems=f"<ul class=problems>{problems}</ul>" if problems else "",
        sheets=sheets,
    )


def _facts(conversion: Conversion) -> dict[tuple[tuple[str, ...], str, str], str]:
    """What was read in each cell, in one line, by container, sheet and address."""
    facts = islice((fact for table in conversion.tables for fact in table.facts()), MAX_FACTS)
    return {(fact.container, fact.sheet, fact.cell): _said(fact) for fact in facts}


def _said(fact: Fact) -> str:
    path = " · ".join([" ▸ ".join(fact.column), " ▸ ".join(fact.row)]).strip(" ·")
    unit = f" {fact.unit}" if fact.unit else ""
    return f"{path} = {fact.value}{unit} ({fact.role}, {fact.type}{', subtotal' * fact.subtotal})"


def _sheet(number: int, view: View, said: Mapping[tuple[tuple[str, ...], str, str], str]) -> str:
    name = " ▸ ".join([*view.container, view.sheet]) + (" (hidden)" if view.hidden else "")
    left_out = view.rows - len(view.texts)
    more = f"<p class=more>… {left_out:,} more rows are not shown</p>" if left_out > 0 else ""
    return (
        f"<section id=s{number}><h2>{escape(name)}</h2><div class=both>"
        f"<div class=sheet><table>{''.join(_rows(view, said))}</table>{more}</div>"
        f"<ol>{''.join(_decision(number, view, d) for d in view.decisions)}</ol></div></section>"
    )


def _rows(view: View, said: Mapping[tuple[tuple[str, ...], str, str], str]) -> Iterator[str]:
    kinds = painted(view)
    width = max(map(len, view.texts.values()), default=0)
    spans, covered = _spans(view, width)
    heads = (f"<th{' class=hidden' * (c in view.hidden_columns)}>{letters(c)}</th>" for c in range(width))
    yield f"<tr><th></th>{''.join(heads)}</tr>"
    above = -1
    for row, texts in view.texts.items():
        if row > above + 1:
            yield f"<tr class=gap><td colspan={width + 1}></td></tr>"
        above = row
        sheet, number = place(view.sheet, view.pages, row)
        faint = " class=hidden" if row in view.hidden_rows else ""
        yield f'<tr{faint}><th title="{escape(sheet)}">{number + 1}</th>'
        for column in range(width):
            if (row, column) in covered:
                continue
            text = texts[column] if column < len(texts) else ""
            fact = said.get((view.container, sheet, f"{letters(column)}{number + 1}"))
            kind, look = kinds.get((row, column), ""), "number" if _FIGURE.match(text) else ""
            title = f' title="{escape(fact)}"' if fact else ""
            span = spans.get((row, column), "")
            yield f'<td data-at="{row},{column}"{span}{title} class="{kind} {look}">{escape(text)}</td>'
        yield "</tr>"


def _spans(view: View, width: int) -> tuple[dict[tuple[int, int], str], set[tuple[int, int]]]:
    """What merged ranges add to their first cell, and the cells under them; a range over blank rows adds nothing."""
    spans: dict[tuple[int, int], str] = {}
    covered: set[tuple[int, int]] = set()
    for merge in view.merges:
        rows = [row for row in range(merge.top, merge.bottom + 1) if row in view.texts]
        right = min(merge.right, width - 1)
        if rows and rows[0] == merge.top and rows == list(range(rows[0], rows[-1] + 1)):
            spans[merge.top, merge.left] = f" rowspan={len(rows)} colspan={right - merge.left + 1}"
            covered.update((r, c) for r in rows for c in range(merge.left, right + 1))
            covered.discard((merge.top, merge.left))
    return spans, covered


def _decision(number: int, view: View, decision: Decision) -> str:
    region = decision.region
    data = f"{number},{region.top},{region.left},{region.bottom},{region.right}"
    return (
        f'<li data-region="{data}" class="{decision.kind}"><b>{escape(decision.kind.replace("_", " "))}</b> '
        f"<i>{escape(where(view, region))}</i> {escape(decision.says)}"
        f"<div class=why><meter max=1 value={decision.confidence:.2f} low=0.5 high=0.85 optimum=1 "
        f'title="{decision.confidence:.0%}"></meter> {escape(decision.because)}</div></li>'
    )
