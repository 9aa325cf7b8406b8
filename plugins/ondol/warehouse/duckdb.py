"""The warehouse as one DuckDB file a tenant: tidy tables and marts in the tenant's schema, bookkeeping in `_ondol`.

DuckDB lets one process write and keeps others out, so connections are short and a second process waits for its turn.
The file is locked down: no extension is loaded and SQL reaches no other file but, in a load, the one to be loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converters.tidy import LOADED_AT
from ondol.config.load import Load
from ondol.config.tenant import Transform
from ondol.errors import FatalError, RetriableError
from ondol.faults import point
from ondol.mart import Changes
from ondol.settings import settings
from ondol.warehouse.base import REPLACE, LoadResult, Origin, Slot, TransformResult

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from ondol.warehouse.synced import Carried

MEMORY = "2GB"
SYNC_MEMORY = "128MB"
"""While marts are read for a sync: it streams, however large they are."""
WAIT_SECONDS = 60.0
BATCH_ROWS = 65_536
BOOKS = """
    CREATE SCHEMA IF NOT EXISTS _ondol;
    CREATE SCHEMA IF NOT EXISTS _assertions;
    CREATE TABLE IF NOT EXISTS _ondol.loads (
        item VARCHAR, period_start DATE, period_end DATE, part VARCHAR, version VARCHAR[], sha256 VARCHAR,
        rules_hash VARCHAR, table_name VARCHAR, row_count BIGINT, run_key VARCHAR,
        PRIMARY KEY (item, period_start, period_end, part));
    CREATE TABLE IF NOT EXISTS _ondol.transforms (models VARCHAR, input VARCHAR, made VARCHAR[]);
"""


class DuckDbWarehouse:
    """One tenant's file <home>/warehouse/<tenant>_warehouse.duckdb; see Warehouse for what the methods promise.

    DuckDB names the catalog after the file; were it named as the schema is, `hanbit.sales` would be ambiguous.
    """

    def __init__(self, home: Path, tenant: str, *, project: Path | None = None, wait: float = WAIT_SECONDS) -> None:
        """Opens nothing yet.

        Args:
            project: the folder of the Dataform project; by default `dataform` beside the tenants' YAML.
            wait: seconds to wait for another process that holds the file.
        """
        self.home = home
        self.tenant = tenant
        self.path = home / "warehouse" / f"{tenant}_warehouse.duckdb"
        self.project = project or settings().tenants / "dataform"
        self.wait = wait
        self._carried: dict[str, Carried] = {}

    def load(
        self,
        table: str,
        schema: pa.Schema,
        parquet: Path,
        *,
        slot: Slot,
        version: Sequence[str],
        sha256: str,
        rules_hash: str,
        run_key: str,
        how: Load = REPLACE,
        accept: bool = False,
        uri: str | None = None,
    ) -> LoadResult:
        """See Warehouse."""
        from pyarrow.parquet import ParquetFile

        from ondol.warehouse.slots import File, load

        with ParquetFile(parquet) as opened:
            if not opened.schema_arrow.equals(schema):
                raise FatalError(
                    f"{parquet} does not have the tidy schema of {table}: it has {_brief(opened.schema_arrow)}, "
                    f"the rule says {_brief(schema)}. Run tag again: its rules have changed since."
                )
            rows = opened.metadata.num_rows
        file = File(parquet.resolve(), schema, slot, list(version), sha256, rules_hash, run_key, rows)
        return load(self, table, how, file, accept=accept)

    def state(self) -> str:
        """See Warehouse."""
        with self.connect() as connection:
            return loaded_state(connection)

    def tables(self) -> tuple[str, ...]:
        """See Warehouse."""
        with self.connect() as connection:
            return tuple(sorted(tables_of(connection, self.tenant)))

    @contextmanager
    def read(self, table: str) -> Iterator[pa.RecordBatchReader]:
        """See Warehouse."""
        with self.connect(memory=SYNC_MEMORY) as connection:
            self.must_exist(connection, table)
            with reading(connection, f"FROM {self.name(table)}") as reader:
                yield reader

    def fingerprint(self, table: str) -> str:
        """See Warehouse."""
        from ondol.warehouse.synced import fingerprint

        with self.connect(memory=SYNC_MEMORY) as connection:
            self.must_exist(connection, table)
            return fingerprint(connection, self, table)

    def changes(self, table: str, key: Sequence[str], since: str | None) -> AbstractContextManager[Changes | None]:
        """See Warehouse."""
        from ondol.warehouse.synced import changes

        return changes(self, table, key, since, self._carried)

    def remember(self, table: str, key: Sequence[str], batch_id: str) -> None:
        """See Warehouse."""
        from ondol.warehouse.synced import remember

        remember(self, table, key, batch_id, self._carried)

    def comments(self, table: str) -> dict[str, str]:
        """See Warehouse."""
        with self.connect(memory=SYNC_MEMORY) as connection:
            found = connection.execute(
                "SELECT column_name, comment FROM duckdb_columns()"
                " WHERE schema_name = ? AND table_name = ? AND comment IS NOT NULL ORDER BY column_index",
                [self.tenant, table],
            ).fetchall()
        return dict(found)

    def query(self, sql: str, parameters: Sequence[object] | dict[str, object] = ()) -> list[dict[str, Any]]:
        """See Warehouse."""
        with self.connect() as connection:
            cursor = connection.execute(sql, parameters)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def transform(self, models: Transform | str, schemas: Mapping[str, pa.Schema]) -> TransformResult:
        """See Warehouse."""
        from ondol.warehouse.dataform.run import run_project

        return run_project(self, models, schemas)

    def trace(
        self, models: Transform | str | None, table: str, key: Mapping[str, object], column: str | None
    ) -> list[Origin]:
        """See Warehouse."""
        from ondol.warehouse.dataform.trace import trace

        return trace(self, models, table, key, column)

    def close(self) -> None:
        """See Warehouse."""

    def name(self, table: str) -> str:
        """The table's quoted name."""
        return f"{quoted(self.tenant)}.{quoted(table)}"

    @contextmanager
    def connect(
        self, *, write: bool = False, memory: str = MEMORY, reads: Path | None = None
    ) -> Iterator[DuckDBPyConnection]:
        """A connection, closed at the end; several processes may read at once, one alone may write.

        Args:
            memory: DuckDB's limit; one process has one at a time, and waits for the other to end.
            reads: the one file besides its own that SQL may read here.

        Raises:
            RetriableError: another process held the file for longer than `wait`.
        """
        if not self.path.exists():
            self._create()
        connection = self._open(self.path, read_only=not write, memory=memory, reads=reads)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def transaction(self, *, memory: str = MEMORY, reads: Path | None = None) -> Iterator[DuckDBPyConnection]:
        """A writing connection in one transaction: all of it or, after any error or kill, nothing."""
        import duckdb

        with self.connect(write=True, memory=memory, reads=reads) as connection:
            connection.begin()
            try:
                yield connection
                connection.commit()
            except duckdb.TransactionException as error:
                raise RetriableError(f"{self.path}: another writer was first: {error}. Run the stage again.") from error

    def fit(self, connection: DuckDBPyConnection, table: str, schema: pa.Schema) -> None:
        """Make the table, or widen it by the columns and the types that the schema asks for.

        Raises:
            FatalError: a column's type differs and cannot be widened without changing what is there.
        """
        from ondol.warehouse.evolve import duckdb_types, fit

        fit(connection, self.tenant, table, duckdb_types(schema, table))

    def must_exist(self, connection: DuckDBPyConnection, table: str) -> None:
        """FatalError, naming what there is, if there is no such table."""
        if table not in (known := tables_of(connection, self.tenant)):
            raise FatalError(f"the warehouse of {self.tenant} has no table {table!r}; it has {sorted(known)}")

    def _create(self) -> None:
        """Make the file beside its place and move it there, so that it is never seen half-made."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=f".{self.tenant}-") as folder:
            born = Path(folder) / self.path.name
            with self._open(born, read_only=False) as connection:
                connection.execute(BOOKS)
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self.tenant)}")
            point("warehouse:create")
            try:
                self.path.hardlink_to(born)
            except FileExistsError:
                return
        point("warehouse:created")

    def _open(
        self, path: Path, *, read_only: bool, memory: str = MEMORY, reads: Path | None = None
    ) -> DuckDBPyConnection:
        import duckdb

        config: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
            "arrow_lossless_conversion": True,  # else JSON and UUID come as text, and a time loses its zone
            "memory_limit": memory,
            "threads": min(4, os.cpu_count() or 1),
            "temp_directory": str(path.parent / "spill"),
        }
        if not reads:
            config |= {"enable_external_access": False, "lock_configuration": True}
        deadline = time.monotonic() + self.wait
        pause = 0.01
        while True:
            try:
                connection = duckdb.connect(path, read_only=read_only, config=config)
                return _may_read(connection, reads) if reads else connection
            except (duckdb.IOException, duckdb.ConnectionException, duckdb.InvalidInputException) as error:
                if not re.search("lock|different configuration", str(error)):
                    raise FatalError(f"{path} cannot be opened: {error}") from error
                if time.monotonic() > deadline:
                    raise RetriableError(
                        f"{path} was held by another process for {self.wait:.0f} s: {error}. "
                        "Wait for the tenant's other run to end, or close the program that has the file open."
                    ) from error
            time.sleep(pause)
            pause = min(pause * 2, 0.25)


def _may_read(connection: DuckDBPyConnection, file: Path) -> DuckDBPyConnection:
    """Lock a connection down to one file; if another one of this process has the database, its lock is in the way."""
    import duckdb

    literal = "'" + str(file).replace("'", "''") + "'"
    try:
        connection.execute(
            f"SET allowed_paths = [{literal}]; SET enable_external_access = false; SET lock_configuration = true"
        )
    except duckdb.Error:
        connection.close()
        raise
    return connection


def quoted(name: str) -> str:
    """An SQL identifier that means exactly this name."""
    return '"' + name.replace('"', '""') + '"'


def first(connection: DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()) -> tuple[Any, ...] | None:
    """The first row, or None; a result that is not read to its end would keep the connection busy."""
    rows: list[tuple[Any, ...]] = connection.execute(sql, parameters).fetchall()
    return rows[0] if rows else None


def loaded_state(connection: DuckDBPyConnection) -> str:
    """A hash of what every slot holds."""
    rows = connection.execute(
        "SELECT item, period_start, period_end, part, version, rules_hash, table_name"
        " FROM _ondol.loads ORDER BY item, period_start, period_end, part"
    ).fetchall()
    return hashlib.sha256(json.dumps(rows, default=str).encode()).hexdigest()


def _brief(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


def tables_of(connection: DuckDBPyConnection, schema: str) -> set[str]:
    """The names of the tables and views of a schema."""
    found = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = ?", [schema])
    return {row[0] for row in found.fetchall()}


def columns_of(connection: DuckDBPyConnection, schema: str, table: str) -> list[tuple[str, str]]:
    """The names and types of a table's columns, in their order."""
    return connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
        [schema, table],
    ).fetchall()


@contextmanager
def reading(connection: DuckDBPyConnection, sql: str) -> Iterator[pa.RecordBatchReader]:
    """The rows of a query as they come, closed at the end: one left open makes the next connection wait for ever."""
    reader = connection.sql(sql).to_arrow_reader(BATCH_ROWS)
    try:
        yield reader
    finally:
        reader.close()


def row_hash(columns: Sequence[tuple[str, str]]) -> str:
    """The SQL of a row's hash: of all columns but when it was loaded, by name: an alias may be one of them."""
    counted = [name for name, _ in columns if name != LOADED_AT] or [name for name, _ in columns]
    return f"hash({', '.join(map(quoted, counted))})"
