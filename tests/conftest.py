"""What all tests share: an ONDOL_HOME of their own with a running embedded PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="ondol-run-"))


@pytest.fixture(scope="session")
def postgres_home() -> Iterator[Path]:
    """A home whose PostgreSQL runs for the whole test session."""
    from ondol import embedded

    home = Path(tempfile.mkdtemp(prefix="ondol-", dir="/tmp"))
    before = os.environ.get("ONDOL_HOME")
    os.environ["ONDOL_HOME"] = str(home)
    embedded.start()
    yield home
    os.environ["ONDOL_HOME"] = str(home)
    embedded.stop()
    if before is None:
        del os.environ["ONDOL_HOME"]
    else:
        os.environ["ONDOL_HOME"] = before
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def home(postgres_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for one test; ledger and serving are databases of their own on the shared server."""
    import psycopg2

    from ondol import embedded

    monkeypatch.setenv("ONDOL_HOME", str(postgres_home))
    names = [f"t_{abs(hash(str(tmp_path))):x}_{kind}" for kind in ("ledger", "serving")]
    connection = psycopg2.connect(embedded.uri("ondol"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    monkeypatch.setenv("ONDOL_DATABASE", embedded.uri(names[0]))
    monkeypatch.setenv("ONDOL_SERVING", embedded.uri(names[1]))
    monkeypatch.setenv("ONDOL_HOME", str(tmp_path))
    return tmp_path
