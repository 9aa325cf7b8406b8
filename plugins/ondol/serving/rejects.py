"""Rows that PostgreSQL cannot hold, kept as JSON with the reason, while the rest of the mart goes on.

They wait in a file, not in memory, until the rows that can be held are in; then they go to `_ondol.rejected`, in the
same transaction. That table says what is missing now: a full comparison writes it anew.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
from typing import TYPE_CHECKING, Any

from ondol.errors import Rejected
from ondol.serving.json_text import json_text
from ondol.serving.names import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from ondol.serving.checksum import Totals

REJECTED = '_ondol.rejected (tenant, "table", batch_id, key, "row", reason)'


class Rejects:
    """The rejected rows of one sync of one table."""

    def __init__(self, tenant: str, table: str, batch_id: str, key: Sequence[str]) -> None:
        self.rows = 0
        self.first = ""
        """Why the first of them was rejected."""
        self._names = (tenant, table, batch_id)
        self._key = key
        self._file = tempfile.TemporaryFile("w+", newline="", encoding="utf-8")
        self._lines = csv.writer(self._file)

    def take(self, batch: pa.RecordBatch, reason: str) -> None:
        """Keep all rows of a batch."""
        for index in range(batch.num_rows):
            row = {name: _json(batch.column(name)[index]) for name in batch.schema.names}
            self._lines.writerow((*self._names, _object({k: row[k] for k in self._key}), _object(row), reason))
        self._count(batch.num_rows, reason)

    def take_doubles(self, cursor: Any, table: str, totals: Totals) -> None:
        """Move the rows whose key is there more than once out of a table that has no key yet: none of them is the one.

        Args:
            totals: of the table; those of the rows are taken away.
        """
        keys = ", ".join(map(quote, self._key))
        match = " AND ".join(f"t.{column} = d.{column}" for column in map(quote, self._key))

        def literal(text: str) -> str:
            return str(cursor.mogrify("%s", (text,)).decode())

        key = ", ".join(f"{literal(name)}, t.{quote(name)}" for name in self._key)
        cursor.execute(
            f"CREATE TEMP TABLE doubled ON COMMIT DROP AS"
            f' SELECT {keys}, count(*) AS "?count?" FROM {table} GROUP BY {keys} HAVING count(*) > 1'
        )
        rows = f"(SELECT t.* FROM {table} AS t JOIN pg_temp.doubled AS d ON {match}) AS rows"
        cursor.execute(totals.sql(rows))
        totals.take_away(cursor.fetchone())
        names = ", ".join(map(literal, self._names))
        cursor.execute(
            f"INSERT INTO {REJECTED} SELECT {names}, json_build_object({key}), row_to_json(t),"
            f" 'the key is there ' || d.\"?count?\" || ' times'"
            f" FROM {table} AS t JOIN pg_temp.doubled AS d ON {match}"
        )
        self._count(cursor.rowcount, "the key is there more than once")
        cursor.execute(f"DELETE FROM {table} AS t USING pg_temp.doubled AS d WHERE {match}")

    def store(self, cursor: Any) -> None:
        """Write what was kept."""
        if self._file.tell():
            self._file.seek(0)
            cursor.copy_expert(f"COPY {REJECTED} FROM STDIN (FORMAT csv)", self._file)

    def close(self) -> None:
        """Forget what was kept."""
        self._file.close()

    def check(self, rows: int, share: float) -> None:
        """Refuse all if more than a share of the mart's rows is rejected.

        Raises:
            Rejected: with the first reason.
        """
        if self.rows > share * (rows + self.rows):
            raise Rejected(
                f"{self._names[1]}: PostgreSQL cannot hold {self.rows} of {rows + self.rows} rows, "
                f"more than {share:.2%}; of the first, {self.first}.",
                "Clean them in the mart or the source; if so many are right, raise max_reject_share in the YAML.",
                {"rejected": self.rows, "rows": rows + self.rows, "max_reject_share": share},
            )

    def _count(self, rows: int, reason: str) -> None:
        self.first = self.first or reason
        self.rows += rows


def clear(cursor: Any, tenant: str, table: str) -> None:
    """Forget what earlier syncs rejected of a table."""
    cursor.execute('DELETE FROM _ondol.rejected WHERE tenant = %s AND "table" = %s', (tenant, table))


def shown(scalar: pa.Scalar) -> str | None:
    """A value for a message, also one that Python's types cannot hold."""
    value = _plain(scalar)
    return None if value is None else str(value)


def _plain(scalar: pa.Scalar) -> object:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return scalar.value


def _json(scalar: pa.Scalar) -> str:
    """The value as JSON that PostgreSQL can take apart: a NUL character is there as the text of its escape."""
    value = _plain(scalar)
    try:
        return re.sub(r"(?<!\\)((?:\\\\)*)\\u0000", r"\1\\\\u0000", json_text(value))
    except ValueError:  # what JSON has no word for
        return json.dumps(str(value), ensure_ascii=False)


def _object(values: dict[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {value}" for name, value in values.items()) + "}"
