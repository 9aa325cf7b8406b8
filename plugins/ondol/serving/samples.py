"""A few rows of each kind that a dry run would write."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from ondol.serving.base import Sample

_EACH = 5


def of_new(cursor: Any, table: str, key: str) -> tuple[Sample, ...]:
    """The first rows of a table that was empty.

    Args:
        key: the quoted columns of the key.
    """
    cursor.execute(f"SELECT row_to_json(t)::text FROM {table} AS t ORDER BY {key} LIMIT {_EACH}")
    return tuple(Sample(None, _row(text)) for (text,) in cursor.fetchall())


def of_difference(cursor: Any, table: str, key: str, match: str, kind: str) -> tuple[Sample, ...]:
    """The first rows of each kind in pg_temp.difference, beside those of the table.

    Args:
        match: the condition that joins the table `t` with the difference `s`.
        kind: the quoted column that says what is to be done with a row.
    """
    found: list[Sample] = []
    for done in ("inserted", "updated", "deleted"):
        cursor.execute(
            f"SELECT row_to_json(t)::text, row_to_json(s)::text FROM (SELECT * FROM pg_temp.difference"
            f" WHERE {kind} = '{done}' ORDER BY {key} LIMIT {_EACH}) AS s LEFT JOIN {table} AS t ON {match}"
        )
        for before, after in cursor.fetchall():
            row = _row(after)
            del row[kind.strip('"')]
            found.append(Sample(before and _row(before), None if done == "deleted" else row))
    return tuple(found)


def _row(text: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return row
