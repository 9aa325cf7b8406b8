"""The process that sandboxed conversions run in: started once, warm, and forked anew for each file.

It says when it is ready, takes jobs as lines of JSON on stdin and answers each with a line on stdout once its child has
ended, however it ended. It ends, with its children, when stdin is closed: also when the caller was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converters import export
from converters.api import convert
from converters.formats.registry import READERS, reader
from converters.options import Limits, Options
from converters.sandbox import READY


class NoPandas:
    """Keeps pyarrow from importing pandas, a second of time and 100 MB, when it makes its first array."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Refuses pandas; other finders look for the rest."""
        if name == "pandas":
            raise ModuleNotFoundError("pandas is of no use here", name=name)


@dataclass
class Child:
    """A conversion under way."""

    job: int
    deadline: float
    timed_out: bool = False


def serve() -> None:
    """Serves jobs until stdin is closed."""
    sys.meta_path.insert(0, NoPandas)
    for name in READERS:
        reader(name)  # imported once, here, and not in each child
    wake, waker = os.pipe()
    for end in (wake, waker):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # a print in a library must not look like an answer
    os.write(answers, READY)
    children: dict[int, Child] = {}
    pending = b""
    while True:
        pause = min((c.deadline for c in children.values()), default=time.monotonic() + 3600) - time.monotonic()
        ready, _, _ = select.select([0, wake], [], [], max(0.0, pause))
        if wake in ready:
            os.read(wake, 4096)
        if 0 in ready:
            data = os.read(0, 1 << 16)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                _obey(json.loads(line), children, answers)
        _kill_late(children)
        _reap(children, answers)
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _obey(message: dict[str, Any], children: dict[int, Child], answers: int) -> None:
    if "kill" not in message:
        _start(message, children, answers)
        return
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _start(job: dict[str, Any], children: dict[int, Child], answers: int) -> None:
    pid = os.fork()
    if pid:
        children[pid] = Child(job["job"], time.monotonic() + job["limits"]["wall_seconds"])
        return
    status = 1
    try:
        os.close(answers)
        _run(job)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _run(job: dict[str, Any]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    errors = os.open(job["errors"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(errors, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    limits = Limits(**job["limits"])
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds)
    options = Options(limits, tuple(job["passwords"]), job["max_rows"], job["explain"])
    conversion = convert(job["path"], name=job["name"], options=options)
    export.save(conversion, Path(job["result"]), job["form"])


def _limit(what: int, amount: int) -> None:
    _, hard = resource.getrlimit(what)
    soft = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    resource.setrlimit(what, (soft, hard if what == resource.RLIMIT_CPU else soft))


def _kill_late(children: dict[int, Child]) -> None:
    now = time.monotonic()
    for pid, child in children.items():
        if child.deadline <= now and not child.timed_out:
            child.timed_out = True
            child.deadline = now + 3600
            os.kill(pid, signal.SIGKILL)


def _reap(children: dict[int, Child], answers: int) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        child = children.pop(pid, None)
        if child is not None:
            answer = {"job": child.job, "code": os.waitstatus_to_exitcode(status), "timed_out": child.timed_out}
            os.write(answers, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    serve()
    sys.exit(0)
