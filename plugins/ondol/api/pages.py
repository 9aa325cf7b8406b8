"""Lists in parts: a cursor says behind what the next part begins, so that nothing is left out or told twice."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import Query

from ondol.api.problems import Refused

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many results.")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next` of the part before.")]


def page(rows: Sequence[dict[str, Any]], limit: int, last: Callable[[dict[str, Any]], str | int]) -> dict[str, Any]:
    """One part of a list.

    Args:
        rows: one more than the limit, if there are more.
        last: what a cursor says of a row.
    """
    more = len(rows) > limit
    results = list(rows[:limit])
    return {"results": results, "next": _made(last(results[-1])) if more else None}


def after_name(cursor: str | None) -> str:
    """The name that a part begins behind; "" for the first part."""
    value = _read(cursor)
    return value if isinstance(value, str) else _refuse() if value is not None else ""


def before_number(cursor: str | None) -> int | None:
    """The number that a part begins below; None for the first part."""
    value = _read(cursor)
    if value is None:
        return None
    return value if type(value) is int and 0 < value < 1 << 63 else int(_refuse())


def _made(value: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _read(cursor: str | None) -> Any:
    if cursor is None:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return _refuse()


def _refuse() -> Any:
    raise Refused(422, "Wrong cursor", "The cursor is none that this list gave.", "Begin without a cursor.")
