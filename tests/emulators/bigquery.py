"""An emulator of BigQuery on a free port of this machine, in an environment of its own.

It needs Python 3.13 and an older DuckDB than Ondol's, hence .ondol/emulators/bigquery, made from bigquery.txt beside
this file when a test first asks for it. The lock is written by

    uv pip compile --universal --generate-hashes --no-emit-index-url -p 3.13 \\
        --override bigquery.overrides.txt bigquery.in -o bigquery.txt
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOCK = Path(__file__).with_suffix(".txt")
HOME = Path(__file__).parents[2] / ".ondol" / "emulators" / "bigquery"
EXTENSIONS = ("ducklake", "httpfs", "icu", "postgres_scanner", "spatial")


class Unavailable(Exception):
    """The emulator cannot be installed here; the message says why."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: the address of its REST API, and host:port of its Storage API."""

    url: str
    storage: str


@contextmanager
def serve(folder: Path, gcs: str) -> Iterator[Emulator]:
    """Start an emulator that reads gs:// from the server at `gcs`, wait until it answers, and end it.

    Raises:
        Unavailable: there is no Python 3.13, or a package cannot be had.
    """
    install()
    port, grpc = _free(), _free()
    log = folder / "bigquery.log"
    command = [str(HOME / "venv/bin/local-bigquery"), "--host", "127.0.0.1", "--project", "ondol"]
    command += ["--port", str(port), "--grpc-port", str(grpc), "--data-dir", str(folder / "bigquery")]
    with log.open("wb") as output:
        environment = {**os.environ, "HOME": str(HOME), "STORAGE_EMULATOR_HOST": gcs}
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        _wait(port, process, log)
        yield Emulator(f"http://127.0.0.1:{port}", f"127.0.0.1:{grpc}")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def install() -> None:
    """Make the environment what the lock says; does nothing if it is."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    marker = HOME / "installed"
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # tests run in several processes
        if marker.is_file() and marker.read_text() == digest:
            return
        venv = HOME / "venv"
        shutil.rmtree(venv, ignore_errors=True)
        _run(_uv(), "venv", "-q", "--python", _python(), str(venv))
        _run(_uv(), "pip", "sync", "-q", "--python", str(venv / "bin/python"), "--require-hashes", str(LOCK))
        names = ", ".join(f"import_extension({name!r})" for name in EXTENSIONS)
        _run(str(venv / "bin/python"), "-c", f"from duckdb_extensions import import_extension; {names}")
        marker.write_text(digest)


def _python() -> str:
    """A Python that the emulator runs on: this one, pyenv's (whose shims uv cannot run), or what uv finds."""
    if sys.version_info >= (3, 13):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(pyenv.glob("versions/3.1[345]*/bin/python"))
    return str(found[0]) if found else "3.13"


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else "uv"


def _run(*command: str) -> None:
    environment = {**os.environ, "HOME": str(HOME)} if "import_extension" in command[-1] else None
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"the BigQuery emulator cannot be installed: {' '.join(command)}: {done.stderr.strip()}")


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            raise AssertionError(f"the BigQuery emulator ended: {log.read_text()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the BigQuery emulator does not answer: {log.read_text()}")
