"""How fast a mart of 12 columns goes from DuckDB to PostgreSQL, beside what PostgreSQL itself can do.

    python tests/benchmarks/bench_sync.py [--rows 200000] [--json]

The limit is PostgreSQL reading a prepared binary file of the same rows on its own disk into the same table (COPY and
primary key). All run on one embedded server, one after the other; the order holds, the figures vary with the machine.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pyarrow as pa
import pyarrow.csv

from ondol.config.tenant import SyncTable
from ondol.mart import Mart
from ondol.serving.base import SyncResult
from ondol.serving.postgres import PostgresServing

MART = """
    CREATE TABLE mart AS SELECT
        i AS id, (i % 31)::INT AS shop, DATE '2026-01-01' + (i % 365)::INT AS day, '상품 ' || (i % 5000) AS name,
        (i * 7 % 100000)::DECIMAL(18, 2) AS amount, (i % 977)::DECIMAL(12, 4) AS quantity,
        TIMESTAMPTZ '2026-01-01 00:00:00+09' + i * INTERVAL 1 SECOND AS sold_at, i % 2 = 0 AS member,
        i * 0.37 AS rate, '비고 ' || (i * 31 % 100003) AS note, i * 13 AS receipt, (i % 100)::INT AS percent
    FROM range({rows}) AS numbers(i)
"""
COLUMNS = """
    id bigint NOT NULL, shop int, day date, name text, amount numeric(18, 2), quantity numeric(12, 4),
    sold_at timestamptz, member boolean, rate numeric(38, 2), note text, receipt bigint, percent int
"""
SPEC = SyncTable(table="mart", key=("id",), max_delete_share=1)


class Bench:
    """A server, a mart, and the seconds that each way took."""

    def __init__(self, uri: str, rows: int) -> None:
        self.serving = PostgresServing(uri, "bench")
        self.seconds: dict[str, float] = {}
        self.wal: dict[str, int] = {}
        self.duck = duckdb.connect(config={"memory_limit": "1GB"})
        self.duck.execute(MART.format(rows=rows))
        self.connection = psycopg2.connect(uri)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def timed(self, name: str, work: Callable[[], Any]) -> None:
        self.cursor.execute("CHECKPOINT; SELECT pg_current_wal_lsn()")
        [start] = self.cursor.fetchone() or [None]
        began = time.perf_counter()
        work()
        self.seconds[name] = time.perf_counter() - began
        self.cursor.execute("SELECT (pg_current_wal_lsn() - %s::pg_lsn)::bigint", (start,))
        [self.wal[name]] = self.cursor.fetchone() or [0]

    def sync(self, batch_id: str) -> SyncResult:
        reader = self.duck.sql("SELECT * FROM mart").to_arrow_reader(65_536)
        return self.serving.sync(SPEC, Mart(batch_id, reader.schema, lambda: reader))

    @contextmanager
    def fresh_table(self) -> Iterator[None]:
        self.cursor.execute(f"DROP TABLE IF EXISTS other; CREATE TABLE other ({COLUMNS})")
        yield
        self.cursor.execute("SELECT count(*) FROM other")
        assert self.cursor.fetchone() == (self.serving.count("mart"),)
        self.cursor.execute("DROP TABLE other")

    def server_copy(self, file: Path) -> None:
        self.cursor.execute(
            f"BEGIN; COPY other FROM '{file}' (FORMAT binary); ALTER TABLE other ADD PRIMARY KEY (id); COMMIT"
        )

    def csv_copy(self) -> None:
        with self.connection, closing(self.connection.cursor()) as cursor:
            for batch in self.duck.sql("SELECT * FROM mart").to_arrow_reader(65_536):
                text = io.BytesIO()
                pyarrow.csv.write_csv(pa.Table.from_batches([batch]), text)
                text.seek(0)
                cursor.copy_expert("COPY other FROM STDIN (FORMAT csv, HEADER)", text)
            cursor.execute("ALTER TABLE other ADD PRIMARY KEY (id)")


def measure(uri: str, rows: int, folder: Path) -> dict[str, Any]:
    """Seconds, share of the limit and bytes of write-ahead log of each way."""
    bench = Bench(uri, rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bench.timed("ondol: first load", lambda: bench.sync("1"))
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    file = folder / "mart.bin"
    bench.cursor.execute(f"COPY bench.mart TO '{file}' (FORMAT binary)")
    with bench.fresh_table():
        bench.timed("limit: server-side binary COPY", lambda: bench.server_copy(file))
    with bench.fresh_table():
        bench.timed("psycopg2: COPY of CSV", bench.csv_copy)
    bench.timed("ondol: nothing changed", lambda: bench.sync("2"))
    bench.duck.execute("UPDATE mart SET amount = amount + 1 WHERE id % 100 = 7")
    bench.timed("ondol: 1 % changed", lambda: bench.sync("3"))
    bench.timed("ondol: same batch again", lambda: bench.sync("3"))
    limit = bench.seconds["limit: server-side binary COPY"]
    bench.connection.close()
    return {
        "rows": rows,
        "memory_bytes": memory,
        "ways": {
            name: {"seconds": seconds, "share_of_limit": limit / seconds, "wal_bytes": bench.wal[name]}
            for name, seconds in bench.seconds.items()
        },
    }


def show(found: dict[str, Any]) -> None:
    """The figures as a table for people."""
    print(f"{found['rows']:,} rows of 12 columns; the first load took {found['memory_bytes'] / 1e6:.0f} MB of memory")
    print(f"{'':34}{'seconds':>9}{'rows/s':>12}{'of limit':>10}{'WAL MB':>9}")
    for name, way in sorted(found["ways"].items(), key=lambda item: item[1]["seconds"]):
        speed = found["rows"] / way["seconds"]
        print(f"{name:34}{way['seconds']:9.2f}{speed:12,.0f}{way['share_of_limit']:10.2f}{way['wal_bytes'] / 1e6:9.2f}")


def main() -> None:
    """Measure on an embedded server of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="ondol-", dir="/tmp"))
    os.environ["ONDOL_HOME"] = str(home)
    from ondol import embedded

    try:
        uri = embedded.uri("serving")
        home.chmod(0o755)
        folder = home / "files"
        folder.mkdir()
        folder.chmod(0o777)
        found = measure(uri, options.rows, folder)
    finally:
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        show(found)


if __name__ == "__main__":
    main()
