"""One transaction on a PostgreSQL that may be away, and its errors in Ondol's words, without secrets."""

from __future__ import annotations

import contextlib
import re
import time
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
LOCK_WAIT = 30.0
"""Seconds that a statement waits for what another session holds, before all is tried again later."""
STATEMENT_WAIT = 3600.0
"""Seconds that a statement may take."""
_HOLD = 0.2

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
                cursor.execute(_settings())
                yield cursor
            if commit:
                connection.commit()
    except psycopg2.Error as error:
        raise translated(error, uri, where) from None  # its traceback holds the URI


def _settings() -> str:
    """SET LOCAL: they end with the transaction, so that a pooler hands none of them on to another client."""
    return f"""
        SET LOCAL search_path = pg_catalog, pg_temp;
        SET LOCAL timezone = 'UTC';
        SET LOCAL lock_timeout = '{LOCK_WAIT * 1000:.0f}ms';
        SET LOCAL statement_timeout = '{STATEMENT_WAIT * 1000:.0f}ms';
        SET LOCAL idle_in_transaction_session_timeout = '10min'
    """


def alone(cursor: Any, statement: str) -> None:
    """Run a statement that no reader may be beside, such as ALTER TABLE, once there is a moment without any.

    Whoever comes after a waiting ALTER TABLE waits behind it, for as long as a reader before it takes. So it waits for
    a fifth of a second only, steps back, and tries again until LOCK_WAIT is over.
    """
    import psycopg2

    deadline = time.monotonic() + LOCK_WAIT
    cursor.execute("SAVEPOINT alone")
    while True:
        cursor.execute(f"SET LOCAL lock_timeout = '{_HOLD * 1000:.0f}ms'")
        try:
            cursor.execute(statement)
            break
        except psycopg2.errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT alone")
            time.sleep(_HOLD)
    cursor.execute(f"RELEASE SAVEPOINT alone; SET LOCAL lock_timeout = '{LOCK_WAIT * 1000:.0f}ms'")


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
