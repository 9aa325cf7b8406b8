"""Tables built by hand, as the converter gives them: the left column of a text is A, its first header row is 1."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import yaml

from converters.model import Column, Conversion, Range, Scalar, Table, fact_type
from converters.reading import About
from converters.rules import TagRule

ABOUT = About("sales", dt.date(2026, 1, 1), dt.date(2026, 1, 31), "", "5ha", "매출_202601.xlsx", "hanbit-2026-01-05")
TOTALS = ("소계", "합계", "계", "총계", "누계")


def table(
    headers: Sequence[str],
    *rows: Sequence[Scalar],
    units: dict[str, str] | None = None,
    labels: int = 1,
    sheet: str = "매출",
    index: int = 0,
    **more: Any,
) -> Table:
    """A table with its header in the first grid rows.

    Args:
        headers: header paths, "1월/계획".
        units: header → unit.
        labels: how many columns from the left are labels.
    """
    paths = [tuple(header.split("/")) for header in headers]
    depth = max(map(len, paths))
    columns = [
        Column(
            i,
            path,
            _type([row[i] for row in rows]),
            [row[i] for row in rows],
            unit=(units or {}).get(header),
            role="label" if i < labels else "value",
            subtotal=path[-1] in TOTALS or path[0] in TOTALS,
        )
        for i, (header, path) in enumerate(zip(headers, paths, strict=True))
    ]
    grid = list(range(depth, depth + len(rows)))
    totals = [any(isinstance(v, str) and v.endswith(TOTALS) for v in row[:labels]) for row in rows]
    region = Range(0, 0, depth + len(rows) - 1, len(headers) - 1)
    return Table(sheet, index, region, columns, grid, totals, **more)


def conversion(*tables: Table) -> Conversion:
    return Conversion(ABOUT.file, ABOUT.sha256, "xlsx", "ok", list(tables))


def rule(text: str) -> TagRule:
    """A tag rule from its YAML."""
    return TagRule.model_validate(yaml.safe_load(text))


def _type(values: Sequence[Scalar]) -> Any:
    kinds = {fact_type(value) for value in values if value is not None}
    return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "null"
