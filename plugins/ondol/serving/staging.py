"""Rows on their way from a mart into PostgreSQL: COPY, keys, rejected rows, and the control totals of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ondol.errors import RetriableError
from ondol.serving import checksum
from ondol.serving.copy import Encoder, Stream
from ondol.serving.names import quote
from ondol.serving.rejects import Rejects, clear
from ondol.serving.shape import Change, columns_sql, read_shape

if TYPE_CHECKING:
    import pyarrow as pa

    from ondol.config.tenant import SyncTable
    from ondol.mart import Mart


class Staging:
    """One sync's transaction, as all ways of writing a table share it.

    Args:
        cursor: of the transaction, which the caller commits or rolls back.
        tenant: names the schema.
    """

    def __init__(self, cursor: Any, spec: SyncTable, tenant: str, mart: Mart) -> None:
        self.cursor = cursor
        self.spec = spec
        self.mart = mart
        self.table = quote(tenant, spec.table)
        self.key = ", ".join(map(quote, spec.key))
        self.rejects: Rejects | None = None
        self._tenant = tenant

    def match(self, one: str = "t", other: str = "s") -> str:
        """The condition that joins two tables of these aliases by the key."""
        return " AND ".join(f"{one}.{column} = {other}.{column}" for column in map(quote, self.spec.key))

    def begin(self) -> None:
        """Start with no rejected rows: the next rows that are read tell all there are of them."""
        self.close()
        clear(self.cursor, self._tenant, self.spec.table)
        if self.spec.on_reject == "keep":
            self.rejects = Rejects(self._tenant, self.spec.table, self.mart.batch_id, self.spec.key)

    def close(self) -> None:
        """Let go of the rejected rows."""
        if self.rejects:
            self.rejects.close()
            self.rejects = None

    def stage(self, plan: Change, batches: Iterable[pa.RecordBatch]) -> Encoder:
        """Rows of the mart in pg_temp.mart, which has the types and the key of the table."""
        self.cursor.execute(f"CREATE TEMP TABLE mart ({columns_sql(plan.types, self.spec.key)}) ON COMMIT DROP")
        encoder = self.copy("pg_temp.mart", batches)
        self.add_key("pg_temp.mart", encoder)
        return encoder

    def copy(
        self, table: str, batches: Iterable[pa.RecordBatch], options: str = "", schema: pa.Schema | None = None
    ) -> Encoder:
        """COPY all batches into a table, encoding in a thread beside the sending one.

        Args:
            schema: of the batches, if they are not the mart's.
        """
        import psycopg2

        shape = read_shape(self.cursor, table)
        schema = schema or self.mart.schema
        encoder = Encoder(schema, shape.types if shape else {}, self.spec.key, self.rejects)
        columns = ", ".join(map(quote, schema.names))
        with ThreadPoolExecutor(1, thread_name_prefix="encode") as pool:
            stream = Stream(encoder.chunks(batches), pool)
            try:
                self.cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN ({options}FORMAT binary)", stream)
            except psycopg2.Error:
                if stream.error:
                    raise stream.error from None
                raise
        return encoder

    def add_key(self, table: str, encoder: Encoder) -> None:
        """The primary key; where rejected rows are kept, rows whose key is there twice leave first."""
        import psycopg2

        statement = f"ALTER TABLE {table} ADD PRIMARY KEY ({self.key})"
        if not self.rejects:
            self.cursor.execute(statement)
            return
        self.cursor.execute("SAVEPOINT key")
        try:
            self.cursor.execute(statement)
        except psycopg2.errors.UniqueViolation:
            self.cursor.execute("ROLLBACK TO SAVEPOINT key")
            self.rejects.take_doubles(self.cursor, table, encoder.totals)
            self.cursor.execute(statement)

    def count(self, encoder: Encoder, table: str) -> dict[str, int]:
        """The control totals of a table, as PostgreSQL counts them."""
        self.cursor.execute(encoder.totals.sql(table))
        return encoder.totals.named(self.cursor.fetchone())

    def compare(self, expected: Mapping[str, int], found: Mapping[str, int]) -> None:
        """RetriableError if PostgreSQL counts other totals than the mart's."""
        if differ := checksum.differences(expected, found):
            raise RetriableError(
                f"{self.table}: PostgreSQL counts other totals than the mart: {'; '.join(differ)}. Nothing was "
                "changed. Something else writes to this table, or a trigger alters its rows: stop that"
            )
