"""Facts as lines of JSON: the form that shared tools read and people compare."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator
from decimal import Decimal

from converters.model import Conversion, Fact, Scalar


def fact_line(fact: Fact) -> str:
    """One fact as a JSON object on one line, keys in a fixed order; `container` only inside archives and mails."""
    inside = {"container": list(fact.container)} if fact.container else {}
    return json.dumps(
        {
            **inside,
            "sheet": fact.sheet,
            "cell": fact.cell,
            "column": list(fact.column),
            "row": list(fact.row),
            "value": json_value(fact.value),
            "type": fact.type,
            "unit": fact.unit,
            "subtotal": fact.subtotal,
            "role": fact.role,
        },
        ensure_ascii=False,
    )


def fact_lines(conversion: Conversion) -> Iterator[str]:
    """Every fact of every table of a file, a line each."""
    for table in conversion.tables:
        yield from map(fact_line, table.facts())


def json_value(value: Scalar) -> bool | int | float | str | None:
    """A value as JSON has it: dates in ISO form, decimals as numbers; "nan" and "inf", which JSON lacks, as texts."""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        value = int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
