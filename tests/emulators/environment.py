"""Environments of their own for emulators that need another Python, or other packages, than Ondol."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
HOMES = HERE.parents[1] / ".ondol" / "emulators"


class Unavailable(Exception):
    """An emulator cannot be installed here; the message says why."""


def install(name: str, after: Callable[[Path], None] = lambda venv: None) -> Path:
    """The home of an emulator, with a folder `venv` that is what the lock <name>.txt says; quick if it is already.

    Args:
        after: is given a new venv, to do what else it needs.
    """
    lock, home = HERE / f"{name}.txt", HOMES / name
    digest, marker = hashlib.sha256(lock.read_bytes()).hexdigest(), home / "installed"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # tests run in several processes
        if not (marker.is_file() and marker.read_text() == digest):
            venv = home / "venv"
            shutil.rmtree(venv, ignore_errors=True)
            run(name, _uv(), "venv", "-q", "--python", _python(), str(venv))
            python = str(venv / "bin/python")
            run(name, _uv(), "pip", "sync", "-q", "--python", python, "--require-hashes", str(lock))
            after(venv)
            marker.write_text(digest)
    return home


def run(name: str, *command: str, **variables: str) -> None:
    """A step of an installation; Unavailable if it fails."""
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"the emulator {name} cannot be installed: {' '.join(command)}: {done.stderr.strip()}")


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a process listens on a port."""
    for _ in range(1200):
        if process.poll() is not None:
            raise AssertionError(f"the emulator ended: {log.read_text()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the emulator does not answer: {log.read_text()}")


def _python() -> str:
    """A Python from 3.13 on: this one, pyenv's (whose shims uv cannot run), or what uv finds."""
    if sys.version_info >= (3, 13):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(pyenv.glob("versions/3.1[345]*/bin/python"))
    return str(found[0]) if found else "3.13"


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else "uv"
