"""An emulator of BigQuery on a free port of this machine, in an environment of its own.

It needs Python 3.13 and an older DuckDB than Ondol's, hence .ondol/emulators/bigquery, made from bigquery.txt beside
this file when a test first asks for it. The lock is written by

    uv pip compile --universal --generate-hashes --no-emit-index-url -p 3.13 \\
        --override bigquery.overrides.txt bigquery.in -o bigquery.txt
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.emulators.environment import Unavailable, free_port, install, run, wait

__all__ = ["Emulator", "Unavailable", "clear", "serve"]

PROJECT = "ondol-test"
EXTENSIONS = ("ducklake", "httpfs", "icu", "postgres_scanner", "spatial")


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
    home = install("bigquery", _extensions)
    port, grpc = free_port(), free_port()
    log = folder / "bigquery.log"
    command = [str(home / "venv/bin/local-bigquery"), "--host", "127.0.0.1", "--project", PROJECT]
    command += ["--port", str(port), "--grpc-port", str(grpc), "--data-dir", str(folder / "bigquery")]
    with log.open("wb") as output:
        environment = {**os.environ, "HOME": str(home), "STORAGE_EMULATOR_HOST": gcs}
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        wait(port, process, log)
        yield Emulator(f"http://127.0.0.1:{port}", f"127.0.0.1:{grpc}")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def clear(emulator: Emulator) -> None:
    """Leave nothing in the project: its look-ups cost the more, the more there is, in whatever dataset."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.bigquery import Client

    client = Client(PROJECT, AnonymousCredentials(), client_options={"api_endpoint": emulator.url})  # type: ignore[no-untyped-call]
    with closing(client):
        for dataset in client.list_datasets():
            client.delete_dataset(dataset, delete_contents=True)
        for job in client.list_jobs(all_users=True):
            client.delete_job_metadata(job.job_id, location=job.location)


def _extensions(venv: Path) -> None:
    names = ", ".join(f"import_extension({name!r})" for name in EXTENSIONS)
    program = f"from duckdb_extensions import import_extension; {names}"
    run("bigquery", str(venv / "bin/python"), "-c", program, HOME=str(venv.parent))
