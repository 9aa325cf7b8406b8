"""One version of a mart on its way from a warehouse to a serving database, and what changed since another version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

Rows = Callable[[], "Iterable[pa.RecordBatch]"]
"""Reads rows in bounded memory; each call begins anew."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of a mart since one batch of it was synced, row by row.

    Args:
        since: the batch that it is compared with.
        batch_id: the mart as it is now: its fingerprint.
        schema: the mart's columns.
        rows: how many rows it has now.
        inserted / updated / deleted: how many keys are new, stand for another row, or are gone.
        upserts: the new and the changed rows, whole.
        gone: the keys that are gone, in columns named as the key's.
    """

    since: str
    batch_id: str
    schema: pa.Schema
    rows: int
    inserted: int
    updated: int
    deleted: int
    upserts: Rows
    gone: Rows


@dataclass(frozen=True, slots=True)
class Mart:
    """One version of a mart.

    Args:
        batch_id: names this content: the mart's fingerprint.
        schema: its columns.
        rows: all of its rows.
        comments: text of each column; "" is the table itself.
        changes: what differs from an earlier batch, if the warehouse can tell.
    """

    batch_id: str
    schema: pa.Schema
    rows: Rows
    comments: Mapping[str, str] = field(default_factory=dict)
    changes: Changes | None = None
