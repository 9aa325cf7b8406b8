"""A real converter service on a free port of this machine, for tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Served:
    """A running service: where it is, its process, and what it has logged."""

    url: str
    pid: int
    log: Path

    def lines(self, event: str = "convert") -> list[dict[str, Any]]:
        """Its log lines of one event."""
        parsed = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [line for line in parsed if line["event"] == event]


@contextmanager
def serve(folder: Path, *options: str, **variables: str) -> Iterator[Served]:
    """Start a service, wait until it is ready, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "service.log"
    command = [sys.executable, "-m", "converters.service", "--port", str(port), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **variables})
    served = Served(f"http://127.0.0.1:{port}", process.pid, log)
    try:
        _wait(served, process)
        yield served
    finally:
        process.terminate()
        assert process.wait(30) in (0, -15), log.read_text()


def _wait(served: Served, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        assert process.poll() is None, served.log.read_text()
        try:
            if httpx.get(f"{served.url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the service is not ready: {served.log.read_text()}")
