"""The warehouse as one DuckDB file a tenant: tidy tables and marts in the tenant's schema, bookkeeping in `_ondol`.

DuckDB lets one process write and keeps others out, so connections are short and a second process waits for its turn.
The file is locked down: no extension is loaded and SQL reaches no other file; rows come in as Arrow batches.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ondol.errors import FatalError, RetriableError
from ondol.faults import point
from ondol.mart import Changes
from ondol.settings import settings
from ondol.warehouse.base import LoadResult, Origin, Slot, TransformResult

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from ondol.warehouse.synced import Carried

MEMORY = "2GB"
SYNC_MEMORY = "128MB"
"""While marts are read for a sync: it streams, however large they are."""
WAIT_SECONDS = 60.0
BATCH_ROWS = 65_536
SLOT = "_item = ? AND _period_start = ? AND _period_end = ? AND _part = ?"
BOOKS = """
    CREATE SCHEMA IF NOT EXISTS _ondol;
    CREATE SCHEMA IF NOT EXISTS _assertions;
    CREATE TABLE IF NOT EXISTS _ondol.loads (
        item VARCHAR, period_start DATE, period_end DATE, part VARCHAR, version VARCHAR[], sha256 VARCHAR,
        rules_hash VARCHAR, table_name VARCHAR, row_count BIGINT, run_key VARCHAR,
        PRIMARY KEY (item, period_start, period_end, part));
    CREATE TABLE IF NOT EXISTS _ondol.transforms (models VARCHAR, input VARCHAR, made VARCHAR[]);
"""
WIDENS = {("BIGINT", "DECIMAL(38,9)"), ("BIGINT", "DOUBLE")}


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
        rule_schema: pa.Schema,
        parquet: Path,
        *,
        slot: Slot,
        version: Sequence[str],
        sha256: str,
        rules_hash: str,
        run_key: str,
    ) -> LoadResult:
        """See Warehouse."""
        key = [slot.item, slot.period.start, slot.period.end, slot.part]
        with self.transaction() as connection:
            held = first(
                connection,
                "SELECT version, rules_hash, table_name FROM _ondol.loads"
                " WHERE item = ? AND period_start = ? AND period_end = ? AND part = ?",
                key,
            )
            if held and held[0] > list(version):
                return LoadResult("superseded")
            if held and held[:2] == (list(version), rules_hash):
                return LoadResult("unchanged")
            deleted = self._delete(connection, held[2], key) if held else 0
            self.fit(connection, table, rule_schema)
            inserted = self._insert(connection, table, rule_schema, parquet, slot, key)
            connection.execute(
                "INSERT OR REPLACE INTO _ondol.loads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [*key, list(version), sha256, rules_hash, table, inserted, run_key],
            )
            point("warehouse:load:commit")
        point("warehouse:load:done")
        return LoadResult("loaded", inserted, deleted)

    def state(self) -> str:
        """See Warehouse."""
        with self.connect() as connection:
            return loaded_state(connection)

    def tables(self) -> tuple[str, ...]:
        """See Warehouse."""
        with self.connect() as connection:
            return tuple(sorted(_tables(connection, self.tenant)))

    @contextmanager
    def read(self, table: str) -> Iterator[pa.RecordBatchReader]:
        """See Warehouse."""
        with self.connect(memory=SYNC_MEMORY) as connection:
            self.must_exist(connection, table)
            yield connection.sql(f"FROM {self.name(table)}").to_arrow_reader(BATCH_ROWS)

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
        with self.connect() as connection:
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

    def transform(self, models: str, schemas: Mapping[str, pa.Schema]) -> TransformResult:
        """See Warehouse."""
        from ondol.warehouse.dataform.run import run_project

        return run_project(self, models, schemas)

    def trace(self, models: str | None, table: str, key: Mapping[str, object], column: str | None) -> list[Origin]:
        """See Warehouse."""
        from ondol.warehouse.dataform.trace import trace

        return trace(self, models, table, key, column)

    def close(self) -> None:
        """See Warehouse."""

    def name(self, table: str) -> str:
        """The table's quoted name."""
        return f"{quoted(self.tenant)}.{quoted(table)}"

    @contextmanager
    def connect(self, *, write: bool = False, memory: str = MEMORY) -> Iterator[DuckDBPyConnection]:
        """A connection, closed at the end; several processes may read at once, one alone may write.

        Args:
            memory: DuckDB's limit; one process has one at a time, and waits for the other to end.

        Raises:
            RetriableError: another process held the file for longer than `wait`.
        """
        if not self.path.exists():
            self._create()
        connection = self._open(self.path, read_only=not write, memory=memory)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def transaction(self, *, memory: str = MEMORY) -> Iterator[DuckDBPyConnection]:
        """A writing connection in one transaction: all of it or, after any error or kill, nothing."""
        import duckdb

        with self.connect(write=True, memory=memory) as connection:
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
        wanted = {field.name: duckdb_type(field.type, table, field.name) for field in schema}
        target = self.name(table)
        if table not in _tables(connection, self.tenant):
            columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in wanted.items())
            connection.execute(f"CREATE TABLE {target} ({columns})")
            return
        present = dict(columns_of(connection, self.tenant, table))
        for name, kind in wanted.items():
            if name not in present:
                connection.execute(f"ALTER TABLE {target} ADD COLUMN {quoted(name)} {kind}")
            elif (present[name], kind) in WIDENS or (present[name] != kind and _is_empty(connection, target)):
                connection.execute(f"ALTER TABLE {target} ALTER {quoted(name)} TYPE {kind}")
            elif present[name] != kind and (kind, present[name]) not in WIDENS:
                raise FatalError(
                    f"{table}.{name} is {present[name]} in the warehouse and holds rows, but the rule now says {kind}. "
                    "Give the column another name, or the item another `table`, and run its periods again: "
                    "an item that moves takes its rows along."
                )

    def _delete(self, connection: DuckDBPyConnection, table: str, key: list[object]) -> int:
        deleted = first(connection, f"DELETE FROM {self.name(table)} WHERE {SLOT}", key)
        return int(deleted[0]) if deleted else 0

    def _insert(
        self,
        connection: DuckDBPyConnection,
        table: str,
        schema: pa.Schema,
        parquet: Path,
        slot: Slot,
        key: list[object],
    ) -> int:
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile

        with ParquetFile(parquet) as file:
            if not file.schema_arrow.equals(schema):
                raise FatalError(
                    f"{parquet} does not have the tidy schema of {table}: it has {_brief(file.schema_arrow)}, "
                    f"the rule says {_brief(schema)}. Run tag again: its rules have changed since."
                )
            batches = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(BATCH_ROWS))
            columns = ", ".join(quoted(name) for name in schema.names)
            connection.register("_arriving", batches)
            connection.execute(f"INSERT INTO {self.name(table)} ({columns}) SELECT {columns} FROM _arriving")
            connection.unregister("_arriving")
            count = file.metadata.num_rows
        held = first(connection, f"SELECT count(*) FROM {self.name(table)} WHERE {SLOT}", key)
        if held != (count,):
            raise FatalError(
                f"{parquet} has {count} rows, but {held and held[0]} of {table} are of its slot {slot}: "
                "each row's _item, _period_start, _period_end and _part must be the file's. Nothing was loaded."
            )
        return int(count)

    def must_exist(self, connection: DuckDBPyConnection, table: str) -> None:
        """FatalError, naming what there is, if there is no such table."""
        if table not in (known := _tables(connection, self.tenant)):
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

    def _open(self, path: Path, *, read_only: bool, memory: str = MEMORY) -> DuckDBPyConnection:
        import duckdb

        config: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "enable_external_access": False,
            "python_enable_replacements": False,
            "lock_configuration": True,
            "arrow_lossless_conversion": True,  # else JSON and UUID come as text, and a time loses its zone
            "memory_limit": memory,
            "threads": min(4, os.cpu_count() or 1),
            "temp_directory": str(path.parent / "spill"),
        }
        deadline = time.monotonic() + self.wait
        pause = 0.01
        while True:
            try:
                return duckdb.connect(path, read_only=read_only, config=config)
            except (duckdb.IOException, duckdb.ConnectionException) as error:
                if "lock" not in str(error) and "different configuration" not in str(error):
                    raise FatalError(f"{path} cannot be opened: {error}") from error
                if time.monotonic() > deadline:
                    raise RetriableError(
                        f"{path} was held by another process for {self.wait:.0f} s: {error}. "
                        "Wait for the tenant's other run to end, or close the program that has the file open."
                    ) from error
            time.sleep(pause)
            pause = min(pause * 2, 0.25)


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


def duckdb_type(kind: pa.DataType, table: str, column: str) -> str:
    """The DuckDB type of a tidy column's Arrow type."""
    types = {
        "string": "VARCHAR",
        "int64": "BIGINT",
        "int32": "INTEGER",
        "double": "DOUBLE",
        "decimal128(38, 9)": "DECIMAL(38,9)",
        "date32[day]": "DATE",
        "bool": "BOOLEAN",
    }
    if str(kind) not in types:
        raise FatalError(f"{table}.{column} is of Arrow type {kind}; a tidy table may have {sorted(types)}")
    return types[str(kind)]


def _brief(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


def _tables(connection: DuckDBPyConnection, schema: str) -> set[str]:
    found = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = ?", [schema])
    return {row[0] for row in found.fetchall()}


def columns_of(connection: DuckDBPyConnection, schema: str, table: str) -> list[tuple[str, str]]:
    """The names and types of a table's columns, in their order."""
    return connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
        [schema, table],
    ).fetchall()


def row_hash(columns: Sequence[tuple[str, str]]) -> str:
    """The SQL of a row's hash: of all columns by name, since a table's alias may be the name of one of them."""
    return f"hash({', '.join(quoted(name) for name, _ in columns)})"


def _is_empty(connection: DuckDBPyConnection, target: str) -> bool:
    return first(connection, f"SELECT 1 FROM {target} LIMIT 1") is None
