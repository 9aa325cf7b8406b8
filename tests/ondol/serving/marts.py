"""Marts made of Arrow tables, and the changes between two of them as a warehouse would tell them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from ondol.mart import Changes, Mart


def mart(
    table: pa.Table, batch_id: str | None = None, *, comments: Mapping[str, str] | None = None, chunk: int = 1000
) -> Mart:
    """A version of a mart; each is a batch of its own unless `batch_id` says otherwise."""
    return Mart(batch_id or uuid.uuid4().hex, table.schema, lambda: table.to_batches(chunk), comments or {})


def changed(then: Mart, now: Mart, key: Sequence[str] = ("id",)) -> Mart:
    """`now`, which knows what differs from `then`."""
    old, new = (_by_key(version, key) for version in (then, now))
    upserts = [row for name, row in new.items() if name not in old or str(old[name]) != str(row)]
    gone = [{column: row[column] for column in key} for name, row in old.items() if name not in new]
    keys = pa.schema([now.schema.field(column) for column in key])
    updated = sum(tuple(row[column] for column in key) in old for row in upserts)
    changes = Changes(
        since=then.batch_id,
        batch_id=now.batch_id,
        schema=now.schema,
        rows=len(new),
        inserted=len(upserts) - updated,
        updated=updated,
        deleted=len(gone),
        upserts=lambda: pa.Table.from_pylist(upserts, now.schema).to_batches(),
        gone=lambda: pa.Table.from_pylist(gone, keys).to_batches(),
    )
    return replace(now, rows=unread, changes=changes)


def unread() -> Any:
    """Rows that nobody is to read."""
    raise AssertionError("all rows were read")


def _by_key(version: Mart, key: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = [row for batch in version.rows() for row in batch.to_pylist()]
    return {tuple(row[column] for column in key): row for row in rows}
