"""How fast a mart of 12 columns goes from DuckDB to PostgreSQL, beside what PostgreSQL itself and other tools can do.

    python tests/benchmarks/bench_sync.py [--rows 200000] [--rounds 3] [--peers] [--json]

All run on one embedded server, one after the other; the order holds, the figures vary with the machine, so the first
load and its limit take turns (--rounds), and medians are told. The limit of a first load is PostgreSQL reading a
prepared binary file of the same rows on its own disk into the same table (COPY and primary key). A full reload is
TRUNCATE and that COPY, into the table with its primary key and two indexes. --peers adds other tools, from an
environment of their own (.ondol/peers, made if need be).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.csv

from ondol.config.tenant import SyncTable
from ondol.mart import Mart
from ondol.serving.base import SyncResult
from ondol.serving.postgres import PostgresServing
from ondol.stages.sync import move
from ondol.warehouse.duckdb import DuckDbWarehouse

MART = """
    CREATE TABLE bench.mart AS SELECT
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
INDEXED = SPEC.model_copy(update={"indexes": (("shop", "day"), ("name",))})
PEERS = Path(__file__).resolve().parents[2] / ".ondol" / "peers"
PACKAGES = ("adbc-driver-postgresql", "dlt[postgres]", "duckdb", "pandas", "psycopg2-binary", "pyarrow", "sqlalchemy")
LIMIT = "limit: server-side binary COPY"


class Bench:
    """A server, a warehouse with a mart, and the seconds that each way took."""

    def __init__(self, uri: str, rows: int, home: Path) -> None:
        self.uri = uri
        self.rows = rows
        self.serving = PostgresServing(uri, "bench")
        self.warehouse = DuckDbWarehouse(home, "bench")
        self.taken: dict[str, list[float]] = {}
        self.wal: dict[str, int] = {}
        self.edit(MART.format(rows=rows))
        self.connection = psycopg2.connect(uri)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def edit(self, statement: str) -> None:
        with self.warehouse.transaction() as connection:
            connection.execute(statement)

    def timed(self, name: str, work: Callable[[], Any]) -> None:
        self.cursor.execute("CHECKPOINT; SELECT pg_current_wal_lsn()")
        [start] = self.cursor.fetchone() or [None]
        began = time.perf_counter()
        work()
        self.taken.setdefault(name, []).append(time.perf_counter() - began)
        self.cursor.execute("SELECT (pg_current_wal_lsn() - %s::pg_lsn)::bigint", (start,))
        [self.wal[name]] = self.cursor.fetchone() or [0]

    @property
    def seconds(self) -> dict[str, float]:
        """The median of each way."""
        return {name: statistics.median(taken) for name, taken in self.taken.items()}

    def sync(self, spec: SyncTable = SPEC, *, full: bool = False) -> SyncResult:
        return move(self.warehouse, self.serving, spec, full=full)

    def load(self) -> None:
        """A first load, up to where its rows can be read."""
        with self.warehouse.read("mart") as reader:
            self.serving.sync(SPEC, Mart(self.warehouse.fingerprint("mart"), reader.schema, lambda: reader))

    @contextmanager
    def fresh_table(self) -> Iterator[None]:
        self.cursor.execute(f"DROP TABLE IF EXISTS other; CREATE TABLE other ({COLUMNS})")
        yield
        self.cursor.execute("SELECT count(*) FROM other")
        assert self.cursor.fetchone() == (self.rows,)
        self.cursor.execute("DROP TABLE other")

    def server_copy(self, file: Path) -> None:
        self.cursor.execute(
            f"BEGIN; COPY other FROM '{file}' (FORMAT binary); ALTER TABLE other ADD PRIMARY KEY (id); COMMIT"
        )

    def csv_copy(self) -> None:
        with self.connection, closing(self.connection.cursor()) as cursor:
            with self.warehouse.read("mart") as reader:
                plain = [pa.field(f.name, pa.bool_() if f.name == "member" else f.type) for f in reader.schema]
                for batch in reader:
                    text = io.BytesIO()
                    pyarrow.csv.write_csv(pa.Table.from_batches([batch]).cast(pa.schema(plain)), text)
                    text.seek(0)
                    cursor.copy_expert("COPY other FROM STDIN (FORMAT csv, HEADER)", text)
            cursor.execute("ALTER TABLE other ADD PRIMARY KEY (id)")

    def reload(self, file: Path) -> None:
        self.cursor.execute(f"BEGIN; TRUNCATE bench.mart; COPY bench.mart FROM '{file}' (FORMAT binary); COMMIT")


def measure(uri: str, rows: int, rounds: int, folder: Path, peers: bool) -> dict[str, Any]:
    """Seconds, share of the limit and bytes of write-ahead log of each way."""
    bench = Bench(uri, rows, folder)
    file = folder / "mart.bin"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(rounds):
        bench.cursor.execute("DROP TABLE IF EXISTS bench.mart")
        bench.timed("ondol: first load", bench.load)
        bench.cursor.execute(f"COPY bench.mart TO '{file}' (FORMAT binary)")
        with bench.fresh_table():
            bench.timed(LIMIT, lambda: bench.server_copy(file))
    bench.timed("ondol: first load, remembered", bench.sync)
    bench.timed("ondol: two indexes more", lambda: bench.sync(INDEXED))
    bench.cursor.execute("VACUUM ANALYZE bench.mart")
    bench.timed("ondol: nothing changed", lambda: bench.sync(INDEXED))
    for number in range(rounds):
        bench.edit(f"UPDATE bench.mart SET amount = amount + 1 WHERE id % 100 = {number}")
        bench.timed("ondol: 1 % changed", lambda: bench.sync(INDEXED))
    bench.edit("UPDATE bench.mart SET amount = amount + 1 WHERE id % 10000 = 7")
    bench.timed("ondol: 0.01 % changed", lambda: bench.sync(INDEXED))
    bench.timed("ondol: compared in full", lambda: bench.sync(INDEXED, full=True))
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    bench.timed("full reload: TRUNCATE, COPY, 3 indexes", lambda: bench.reload(file))
    with bench.fresh_table():
        bench.timed("psycopg2: COPY of CSV", bench.csv_copy)
    if peers:
        _measure_peers(bench, folder)
    bench.connection.close()
    seconds = bench.seconds
    return {
        "rows": rows,
        "memory_bytes": memory,
        "reload_over_one_percent": seconds["full reload: TRUNCATE, COPY, 3 indexes"] / seconds["ondol: 1 % changed"],
        "first_load_over_one_percent": seconds["ondol: first load"] / seconds["ondol: 1 % changed"],
        "ways": {
            name: {"seconds": taken, "share_of_limit": seconds[LIMIT] / taken, "wal_bytes": bench.wal.get(name)}
            for name, taken in seconds.items()
        },
    }


def _measure_peers(bench: Bench, folder: Path) -> None:
    """Each tool loads the same rows from a DuckDB file; the slow ones a sample, scaled."""
    python = PEERS / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    if not python.exists():
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, PEERS], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *PACKAGES], check=True)
    file = folder / "peers.duckdb"
    script = Path(__file__).with_name("sync_peers.py")
    import duckdb

    with duckdb.connect(file) as connection:
        connection.execute(MART.format(rows=bench.rows).replace("bench.mart", "mart"))
    for tool, rows in (("adbc", bench.rows), ("dlt", min(bench.rows, 500_000)), ("pandas", min(bench.rows, 50_000))):
        done = subprocess.run(
            [python, script, tool, file, bench.uri, str(rows)],
            capture_output=True, text=True, cwd=folder, env={**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false"},
        )  # fmt: skip
        if done.returncode:
            print(f"{tool} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
            continue
        name, seconds = done.stdout.split()[-2:]
        bench.taken[f"peer: {name}"] = [float(seconds) * bench.rows / rows]


def show(found: dict[str, Any]) -> None:
    """The figures as a table for people."""
    print(f"{found['rows']:,} rows of 12 columns; Ondol's syncs took {found['memory_bytes'] / 1e6:.0f} MB of memory")
    print(f"{'':40}{'seconds':>9}{'rows/s':>12}{'of limit':>10}{'WAL MB':>9}")
    for name, way in sorted(found["ways"].items(), key=lambda item: item[1]["seconds"]):
        wal = "" if way["wal_bytes"] is None else f"{way['wal_bytes'] / 1e6:.2f}"
        speed = found["rows"] / way["seconds"]
        print(f"{name:40}{way['seconds']:9.2f}{speed:12,.0f}{way['share_of_limit']:10.2f}{wal:>9}")
    print(f"1 % changed: {found['reload_over_one_percent']:.1f} times as fast as a full reload, "
          f"{found['first_load_over_one_percent']:.1f} times as fast as a first load")  # fmt: skip


def main() -> None:
    """Measure on an embedded server of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", action="store_true", help="measure other tools as well")
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
        found = measure(uri, options.rows, options.rounds, folder, options.peers)
    finally:
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        show(found)


if __name__ == "__main__":
    main()
