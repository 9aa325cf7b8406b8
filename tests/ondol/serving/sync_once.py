"""Syncs in processes of their own, each killed at a fault point: URI, which content, then tenant:point of each.

They are forks of a process that has imported all it needs: a hundred kills take seconds.
"""

from __future__ import annotations

import os
import sys

import pandas  # noqa: F401
import pgpq.encoders  # noqa: F401
import psycopg2.extensions  # noqa: F401
import pyarrow as pa
import pyarrow.compute

from ondol.config.tenant import SyncTable
from ondol.serving.base import SyncResult
from ondol.serving.postgres import PostgresServing
from tests.ondol.serving.marts import changed, mart


def content(number: int) -> pa.Table:
    """Content 1; 2 has other rows, one column more and a wider one; 3 differs from it by a few rows."""
    ids = list(range(2000))
    if number == 1:
        return pa.table({"id": ids, "amount": pa.array(ids, pa.int32())})
    amounts = pa.array([value + value % 3 for value in ids[100:]], pa.int64())
    second = pa.table({"id": ids[100:], "amount": amounts, "name": [f"상품 {value}" for value in ids[100:]]})
    if number == 2:
        return second
    new = pa.table({"id": [150, 2000], "amount": [-1, -2], "name": ["바뀐 상품", None]}, second.schema)
    return pa.concat_tables([second.slice(10, 40), new, second.slice(51)])


def sync(uri: str, tenant: str, number: int) -> SyncResult:
    """Publish a content as batch 'batch-<number>'; the last one as the changes since the one before."""
    spec = SyncTable(table="sales", key=("id",))
    comments = {"": f"sales {number}", "amount": "원"}
    version = mart(content(number), f"batch-{number}", comments=comments)
    if number == 3:
        version = changed(mart(content(2), "batch-2"), version)
    return PostgresServing(uri, tenant).sync(spec, version)


if __name__ == "__main__":
    for run in sys.argv[3:]:
        name, _, point = run.partition(":")
        if not (child := os.fork()):
            os.environ["ONDOL_FAULT"] = point
            sync(sys.argv[1], name, int(sys.argv[2]))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
