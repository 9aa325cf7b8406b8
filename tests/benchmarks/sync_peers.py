"""One other tool loads the table `mart` of a DuckDB file into PostgreSQL; prints its name and seconds.

    python sync_peers.py adbc|dlt|pandas FILE URI ROWS

It runs in an environment of its own, see bench_sync.py. What a tool imports, and its first connection, are not counted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import duckdb

KEY = "ALTER TABLE {table} ADD PRIMARY KEY (id)"
CHUNK = 65_536


def adbc(connection: duckdb.DuckDBPyConnection, uri: str, rows: int) -> Callable[[], None]:
    """ADBC's binary COPY of Arrow batches."""
    from adbc_driver_postgresql import dbapi

    def load() -> None:
        reader = connection.execute(f"FROM mart LIMIT {rows}").to_arrow_reader(CHUNK)
        with dbapi.connect(uri) as target, target.cursor() as cursor:
            cursor.adbc_ingest("peer_adbc", reader, mode="create")
            cursor.execute(KEY.format(table="peer_adbc"))
            target.commit()

    return load


def dlt(connection: duckdb.DuckDBPyConnection, uri: str, rows: int) -> Callable[[], None]:
    """dlt's pipeline of Arrow tables, replacing the table."""
    import dlt as tool

    @tool.resource(name="peer", primary_key="id", write_disposition="replace")
    def mart() -> object:
        yield from connection.execute(f"FROM mart LIMIT {rows}").to_arrow_reader(CHUNK)

    # It insists on a host and a password; libpq takes the socket that the URI names behind.
    uri = uri.replace("@/", ":unused@localhost/")
    pipeline = tool.pipeline("peer", destination=tool.destinations.postgres(uri), dataset_name="peer_dlt")
    return lambda: pipeline.run(mart()).raise_on_failed_jobs()  # type: ignore[no-any-return]


def pandas(connection: duckdb.DuckDBPyConnection, uri: str, rows: int) -> Callable[[], None]:
    """pandas.to_sql as it comes, a chunk at a time."""
    from sqlalchemy import create_engine, text

    engine = create_engine(uri.replace("postgresql:", "postgresql+psycopg2:"))

    def load() -> None:
        frame = connection.execute(f"FROM mart LIMIT {rows}").df()
        with engine.begin() as target:
            frame.to_sql("peer_pandas", target, index=False, chunksize=CHUNK)
            target.execute(text(KEY.format(table="peer_pandas")))

    return load


TOOLS = {
    "adbc": (adbc, "adbc-driver-postgresql"),
    "dlt": (dlt, "dlt"),
    "pandas": (pandas, "pandas"),
}

if __name__ == "__main__":
    prepare, package = TOOLS[sys.argv[1]]
    with duckdb.connect(sys.argv[2], read_only=True) as source:
        work = prepare(source, sys.argv[3], int(sys.argv[4]))
        start = time.perf_counter()
        work()
        print(f"{package}-{version(package)}", time.perf_counter() - start)
