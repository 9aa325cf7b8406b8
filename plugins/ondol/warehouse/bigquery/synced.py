"""What changed in a mart since it was synced: a table with the key and a hash of each row of the last synced batch.

    _ondol_synced_<mart>   k0, k1, … (the key) and h (the hash); its description says of which key and columns

Nothing else is kept: the table's own rows give the fingerprint of the batch that it remembers, so it is either that
batch's or serves nobody. BigQuery compares; only rows that differ leave it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ondol.faults import point
from ondol.mart import Changes

if TYPE_CHECKING:
    import pyarrow as pa

    from ondol.warehouse.bigquery.warehouse import BigQueryWarehouse

Columns = list[tuple[str, str]]


def fingerprint(warehouse: BigQueryWarehouse, table: str) -> str:
    """See Warehouse.fingerprint."""
    columns = warehouse.columns(table)
    [totals] = warehouse.client.rows(warehouse.sql.totals(table, [name for name, _ in columns]))
    return _fingerprint(columns, totals["n"], totals["total"], totals["parity"])


@contextmanager
def changes(
    warehouse: BigQueryWarehouse, table: str, key: Sequence[str], since: str | None
) -> Iterator[Changes | None]:
    """See Warehouse.changes."""
    columns = warehouse.columns(table)
    if since is None or _remembered(warehouse, table, key, columns) != since:
        yield None
        return
    names = [name for name, _ in columns]
    client, sql = warehouse.client, warehouse.sql
    differing = client.select(sql.differing(table, names, key)).destination
    [found] = client.rows(sql.difference(table, sql.whole(differing), names, key))
    if found["n"] != found["then"] + found["inserted"] - found["deleted"] or not found["is_unique"]:
        yield None  # a key is there twice, or is NULL: the serving database has to judge the whole mart
        return
    with client.batches(differing) as reader:
        schema = reader.schema

    def batches(new: bool, columns: Sequence[str], called: Sequence[str]) -> Iterator[pa.RecordBatch]:
        import pyarrow.compute as pc

        with client.batches(differing) as reader:
            for batch in reader:
                here = batch.filter(pc.is_valid(batch["fresh"]) if new else pc.is_null(batch["fresh"]))
                if here.num_rows:
                    yield here.select(columns).rename_columns(list(called))

    values = [f"c{number}" for number in range(len(names))]
    keys = [f"k{number}" for number in range(len(key))]
    yield Changes(
        since=since,
        batch_id=_fingerprint(columns, found["n"], found["total"], found["parity"]),
        schema=_renamed(schema, values, names),
        rows=found["n"],
        inserted=found["inserted"],
        updated=found["updated"],
        deleted=found["deleted"],
        upserts=lambda: batches(True, values, names),
        gone=lambda: batches(False, keys, key),
    )


def remember(warehouse: BigQueryWarehouse, table: str, key: Sequence[str], batch_id: str) -> None:
    """See Warehouse.remember."""
    columns = warehouse.columns(table)
    if _remembered(warehouse, table, key, columns) == batch_id:
        return
    about = _about(key, columns)
    warehouse.client.run(warehouse.sql.remember(table, [name for name, _ in columns], key, about))
    point("warehouse:remember:done")


def _remembered(warehouse: BigQueryWarehouse, table: str, key: Sequence[str], columns: Columns) -> str | None:
    """The batch that is remembered of a mart of this key and these columns."""
    held = warehouse.client.table(warehouse.sql.synced(table))
    if not held or held.description != _about(key, columns):
        return None
    [totals] = warehouse.client.rows(warehouse.sql.remembered(table))
    return _fingerprint(columns, totals["n"], totals["total"], totals["parity"])


def _about(key: Sequence[str], columns: Columns) -> str:
    return hashlib.sha256(json.dumps([list(key), columns]).encode()).hexdigest()


def _fingerprint(columns: Columns, rows: int, total: object, parity: int) -> str:
    return hashlib.sha256(json.dumps([columns, rows, int(str(total).partition(".")[0]), parity]).encode()).hexdigest()


def _renamed(schema: pa.Schema, columns: Sequence[str], names: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([schema.field(column).with_name(name) for column, name in zip(columns, names, strict=True)])
