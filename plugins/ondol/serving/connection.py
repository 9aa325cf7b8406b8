"""One transaction on a PostgreSQL that may be away, and its errors in Ondol's words, without secrets."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ondol.errors import FatalError, OndolError, Rejected, RetriableError

if TYPE_CHECKING:
    import psycopg2

_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_SETTINGS = """
    SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL timezone = 'UTC';
    SET LOCAL lock_timeout = '30s';
    SET LOCAL statement_timeout = '1h';
    SET LOCAL idle_in_transaction_session_timeout = '10min'
"""
"""SET LOCAL: they end with the transaction, so that a pooler hands none of them on to another client."""

_REJECTED = {"0A", "21", "22", "23", "2B", "42", "54"}
_FATAL = {"26", "28", "34", "3D", "3F", "42501", "42P01"}
"""SQLSTATEs, or their classes; all others (connection, resources, locks, shutdown) may pass by themselves."""


@contextlib.contextmanager
def transaction(uri: str, where: str, *, commit: bool = True) -> Iterator[Any]:
    """A cursor in a transaction of its own connection, committed at the end (rolled back if not `commit`).

    Args:
        where: what the errors name, such as "hanbit.sales".

    Raises:
        RetriableError, FatalError, Rejected: what PostgreSQL said, by its SQLSTATE.
    """
    import psycopg2
    from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED

    try:
        connection = psycopg2.connect(uri, connect_timeout=10, application_name="ondol", **_KEEPALIVE)
        with contextlib.closing(connection):
            connection.set_client_encoding("UTF8")
            connection.isolation_level = ISOLATION_LEVEL_READ_COMMITTED
            with connection.cursor() as cursor:
                cursor.execute(_SETTINGS)
                yield cursor
            if commit:
                connection.commit()
    except psycopg2.Error as error:
        raise translated(error, uri, where) from None  # its traceback holds the URI


def translated(error: psycopg2.Error, uri: str, where: str) -> OndolError:
    """The error that says whether trying again may help, and what to do."""
    import psycopg2

    diagnostics = error.diag
    parts = [diagnostics.message_primary or str(error).strip().partition("\n")[0], diagnostics.message_detail]
    parts.append((diagnostics.context or "").rpartition("\n")[2])  # the last line: which row and column of a COPY
    text = redacted("; ".join(filter(None, parts)), uri)
    code = error.pgcode or ""
    if code == "23505":
        return Rejected(
            f"{where}: the mart has a key more than once: {text}.",
            "Make the key unique in the mart, or add the column that tells the rows apart to 'key' in the YAML.",
            {"sqlstate": code, "detail": text},
        )
    if code in _FATAL or code[:2] in _FATAL or (not code and isinstance(error, psycopg2.ProgrammingError)):
        return FatalError(f"{where}: PostgreSQL refuses: {text}. Check the name, and the rights of the user in the URI")
    if code[:2] in _REJECTED:
        return Rejected(
            f"{where}: PostgreSQL rejects the rows or their shape: {text}.",
            "Correct the rows in the mart or the table in PostgreSQL; nothing was changed.",
            {"sqlstate": code, "detail": text},
        )
    return RetriableError(f"{where}: PostgreSQL is away or busy: {text}. Trying again is safe; check that it runs")


def redacted(text: str, uri: str) -> str:
    """The text without the password of a URI, nor any part of it that libpq may have taken for a host or port."""
    found = re.search(r"//[^/?#]*?:(.*)@", uri) or re.search(r"password=('(?:[^'\\]|\\.)*'|[^\s&]+)", uri)
    if not found:
        return text
    secret = found[1].strip("'")
    pieces = {secret, unquote(secret), *re.split(r"[@:/?#\[\]]", secret), *re.split(r"[@:/?#\[\]]", unquote(secret))}
    for piece in sorted(pieces - {""}, key=len, reverse=True):
        text = text.replace(piece, "***")
    return text
