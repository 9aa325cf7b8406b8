"""`make ui`: Airflow's four components as children of one process, which ends them all."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from ondol.errors import FatalError
from ondol.operators.environment import HOST, PORT, USER, password, prepare
from ondol.settings import settings

# Logs are read from this machine's disk, so no component needs to serve them on a port.
COMPONENTS = {
    "api-server": [],
    "dag-processor": [],
    "scheduler": ["--skip-serve-logs"],
    "triggerer": ["--skip-serve-logs"],
}
PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
START_SECONDS = 180.0
STOP_SECONDS = 15.0


def ui(port: int = PORT, say: Callable[[str], None] = print) -> None:
    """Run Airflow until Ctrl-C or SIGTERM, then stop all of it.

    Args:
        port: of the UI, on the loopback address.
        say: is given the lines for the person who waits.

    Raises:
        FatalError: the port is taken, or a component stopped by itself, with the end of its log.
    """
    _check_port(port)
    say("Preparing Airflow's database")
    environment = prepare(port)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    with suppress(KeyboardInterrupt), _components(environment) as children:
        say("Starting " + ", ".join(children))
        _wait_until_healthy(children, port)
        say(f"Airflow is at http://{HOST}:{port}, user {USER}, password {password()} (Ctrl-C stops it)")
        while True:
            _check_alive(children)
            time.sleep(1)
    say("Stopped")


@contextmanager
def _components(environment: dict[str, str]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, options in COMPONENTS.items():
            _log(name).parent.mkdir(parents=True, exist_ok=True)
            with _log(name).open("wb") as log:
                children[name] = subprocess.Popen(
                    [sys.executable, "-m", "airflow", name, *options],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C reaches this process alone, which stops them in order
                )
        yield children
    finally:
        _stop(children)


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """SIGTERM to each; after a while SIGKILL to what is left of it, which every stage survives."""
    for child in children.values():
        child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children.values():
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _wait_until_healthy(children: dict[str, subprocess.Popen[bytes]], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while unhealthy := [part for part in PARTS if _health(port).get(part, {}).get("status") != "healthy"]:
        _check_alive(children)
        if time.monotonic() > deadline:
            logs = _log("scheduler").parent
            raise FatalError(f"not healthy after {START_SECONDS:.0f} s: {', '.join(unhealthy)}; see the logs in {logs}")
        time.sleep(0.5)


def _health(port: int) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{HOST}:{port}/api/v2/monitor/health", timeout=10) as response:
            return dict(json.load(response))
    except (OSError, ValueError):
        return {}


def _check_alive(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            tail = "\n".join(_log(name).read_text(errors="replace").splitlines()[-15:])
            raise FatalError(f"Airflow's {name} stopped with exit code {child.returncode}; its log ends:\n{tail}")


def _check_port(port: int) -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError as error:
            raise FatalError(f"port {port} of {HOST} is taken ({error.strerror}): stop what uses it, or choose another "
                             "with --port") from error  # fmt: skip


def _log(name: str) -> Path:
    return settings().home / "logs" / f"{name}.log"


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
