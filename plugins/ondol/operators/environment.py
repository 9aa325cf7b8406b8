"""Airflow on this machine: everything of it under ONDOL_HOME/airflow, its metadata in the embedded PostgreSQL.

Settings are environment variables, which `ondol env` prints; secrets are in ONDOL_HOME/airflow/airflow.cfg, which only
its owner can read, so that they show in no process list and no terminal.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ondol import embedded
from ondol.errors import FatalError
from ondol.settings import PROJECT, settings

HOST = "127.0.0.1"
PORT = 8080
USER = "admin"


def variables(port: int = PORT) -> dict[str, str]:
    """The environment that Airflow's commands need here; starts the embedded PostgreSQL, whose socket they name.

    Args:
        port: of the API server, on the loopback address.
    """
    here = settings()
    place = parse_qs(urlsplit(embedded.uri("airflow")).query)["host"][0]
    return {
        "ONDOL_PROFILE": here.profile,
        "ONDOL_HOME": str(here.home),
        "ONDOL_TENANTS": str(here.tenants),
        "PATH": _first(str(Path(sys.executable).parent), os.environ.get("PATH", ""), os.pathsep),
        "NO_PROXY": _first(HOST, os.environ.get("NO_PROXY", ""), ","),
        "no_proxy": _first(HOST, os.environ.get("no_proxy", ""), ","),
        "AIRFLOW_HOME": str(_folder()),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(max(4, 2 * (os.cpu_count() or 1))),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords()),
        "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACK_DEPTH": "1",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://postgres@/airflow?host={place}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://postgres@/airflow?host={place}",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://{HOST}:{port}",
        "AIRFLOW__API__INSTANCE_NAME": "Ondol",
    }


def prepare(port: int = PORT) -> dict[str, str]:
    """Make Airflow's home, secrets, database and pools where they are missing; safe to repeat, quick the second time.

    Returns:
        the environment for Airflow's commands.

    Raises:
        FatalError: Airflow could not migrate its database, with the end of its log.
    """
    environment = {**os.environ, **variables(port)}
    _folder().mkdir(parents=True, exist_ok=True)
    _write_once(_folder() / "airflow.cfg", _configuration())
    _write_once(_passwords(), json.dumps({USER: secrets.token_urlsafe(12)}))
    if not _is_migrated():
        command = [sys.executable, "-m", "ondol.operators.install"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise FatalError("Airflow's database could not be made:\n" + "\n".join(done.stderr.splitlines()[-15:]))
        _note_migration()
    return environment


def password() -> str:
    """The password of the user `admin`, generated for this home."""
    return str(json.loads(_passwords().read_text())[USER])


def _folder() -> Path:
    return settings().home / "airflow"


def _passwords() -> Path:
    return _folder() / "passwords.json"


def _first(entry: str, text: str, separator: str) -> str:
    """A list in a variable, with an entry at its head."""
    return separator.join([entry, *(part for part in text.split(separator) if part not in ("", entry))])


def _configuration() -> str:
    fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return (
        f"[core]\nfernet_key = {fernet}\n\n[api]\nsecret_key = {secrets.token_hex(32)}\n\n"
        f"[api_auth]\njwt_secret = {secrets.token_hex(32)}\n"
    )


def _write_once(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all; the first of two processes wins."""
    if path.exists():
        return
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    try:
        path.hardlink_to(part)
    except FileExistsError:
        pass
    finally:
        part.unlink()


def _is_migrated() -> bool:
    """Whether this release of Airflow has migrated its database: read in a millisecond, where Airflow takes seconds."""
    import psycopg2

    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    with closing(psycopg2.connect(embedded.uri("airflow"))) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone() == (_mark(),)


def _note_migration() -> None:
    import psycopg2

    with closing(psycopg2.connect(embedded.uri("airflow"))) as connection, connection, connection.cursor() as cursor:
        cursor.execute("COMMENT ON DATABASE airflow IS %s", (_mark(),))


def _mark() -> str:
    return f"migrated by apache-airflow {version('apache-airflow')}"
