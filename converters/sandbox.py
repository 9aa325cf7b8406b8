"""convert in a killable process with limits: a file that crashes, hangs or eats all memory harms only itself.

One warm worker process (worker.py) forks a child for each file, so that a file costs milliseconds and not the start of
an interpreter. Results come back as files (storage.py). A worker that dies takes nothing with it: the files that it had
in hand are given to a new one, once.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from converters import export, storage
from converters.model import Conversion, Problem
from converters.options import DEFAULTS, Limits, Options

Job = tuple[str | Path, str | None]
READY = b"ready\n"
"""What a worker says first; until then nothing that it has in hand is to blame."""


class Cancel:
    """Gives up a batch from another thread: once called, what its worker has in hand is killed, and what follows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.called = False
        self._worker: _Worker | None = None

    def __call__(self) -> None:
        """Give up; calling it after the end does nothing."""
        with self._lock:
            self.called = True
            self._kill()

    def hold(self, worker: _Worker | None) -> None:
        """Note which worker has jobs in hand; none any more, if None."""
        with self._lock:
            self._worker = worker
            if self.called:
                self._kill()

    def _kill(self) -> None:
        if self._worker is not None:
            with contextlib.suppress(OSError):
                self._worker.send({"kill": True})


ATTEMPTS = 2

_CAUSES = {
    -signal.SIGXCPU: (
        "over_limit",
        "took more than {cpu_seconds} s of processor time",
        "Split it, or raise cpu_seconds.",
    ),
    -signal.SIGKILL: (
        "killed",
        "was stopped from outside, most likely because memory ran out",
        "Convert it again alone.",
    ),
}


def convert_safely(
    path: str | Path, *, name: str | None = None, options: Options = DEFAULTS, limits: Limits | None = None
) -> Conversion:
    """As convert, in a child process of its own.

    Args:
        limits: instead of those in `options`.
    """
    [conversion] = convert_many([(path, name)], workers=1, options=options, limits=limits)
    return conversion


def convert_many(
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    options: Options = DEFAULTS,
    limits: Limits | None = None,
) -> Iterator[Conversion]:
    """The conversion of each file, in the order of the jobs; up to `workers` run at once.

    Args:
        jobs: path and name of each file; without a name the path's own counts.
        workers: children at once; as many as there are processors if it is left out.
        options / limits: for every file.
    """
    with tempfile.TemporaryDirectory(prefix="converters-") as folder:
        for path in convert_to_files(jobs, folder, workers=workers, options=options, limits=limits):
            yield storage.load(path)
            path.unlink()


def convert_to_files(
    jobs: Sequence[Job],
    folder: str | Path,
    *,
    workers: int | None = None,
    options: Options = DEFAULTS,
    limits: Limits | None = None,
    form: str = "",
    cancel: Cancel | None = None,
) -> Iterator[Path]:
    """As convert_many: the file of each result, as storage.save writes it; files stay in the folder.

    Args:
        form: one of export.FORMS: the result is also written in it, to the `form_path` of its file.
        cancel: what gives up the files in hand when it is called.
    """
    if not jobs:
        return
    with _worker() as worker:
        batch = _Batch(worker, Path(folder), jobs, options, limits or options.limits, form, cancel or Cancel())
        try:
            yield from batch.run(max(1, workers or os.cpu_count() or 1))
        finally:
            batch.cancel.hold(None)


@dataclass
class _Batch:
    """Some files on their way through one worker."""

    worker: _Worker
    folder: Path
    jobs: Sequence[Job]
    options: Options
    limits: Limits
    form: str
    cancel: Cancel
    done: set[int] = field(default_factory=set)
    running: dict[int, int] = field(default_factory=dict)  # job → attempts

    def run(self, workers: int) -> Iterator[Path]:
        following = 0
        for wanted in range(len(self.jobs)):
            while wanted not in self.done:
                while len(self.running) < workers and following < len(self.jobs) and following < wanted + 4 * workers:
                    self._submit(following)
                    following += 1
                self._receive()
            self.done.remove(wanted)
            yield self.folder / f"{wanted}"

    def _submit(self, job: int, attempt: int = 1) -> None:
        path, name = self.jobs[job]
        self.running[job] = attempt
        message = {
            "job": job,
            "path": str(Path(path).absolute()),
            "name": name or Path(path).name,
            "result": str(self.folder / f"{job}"),
            "errors": str(self.folder / f"{job}.err"),
            "limits": asdict(self.limits),
            "passwords": self.options.passwords,
            "max_rows": self.options.max_rows,
            "explain": self.options.explain,
            "form": self.form,
        }
        with contextlib.suppress(BrokenPipeError):  # a dead worker is noticed when its answer is read
            self.worker.send(message)
        self.cancel.hold(self.worker)

    def _receive(self) -> None:
        answer = self.worker.receive()
        if answer is None:
            self._restart()
            return
        job = answer["job"]
        self.running.pop(job)
        result = self.folder / f"{job}"
        if answer["code"] == 0 and result.exists():
            self.done.add(job)
        else:
            self._fail(job, answer["code"], timed_out=answer["timed_out"])
        (self.folder / f"{job}.err").unlink(missing_ok=True)

    def _restart(self) -> None:
        """The worker is dead: what it had in hand goes to a new one, but a file is not tried for ever."""
        self.worker.restart()
        for job, attempts in list(self.running.items()):
            if attempts < ATTEMPTS:
                self._submit(job, attempts + 1)
            else:
                self.running.pop(job)
                self._fail(job, -signal.SIGKILL, timed_out=False)

    def _fail(self, job: int, code: int, *, timed_out: bool) -> None:
        path, name = self.jobs[job]
        name = name or Path(path).name
        kind, what, remedy = _CAUSES.get(
            code, ("crashed", f"crashed its reader (exit code {code})", "Save it anew in a spreadsheet program.")
        )
        if timed_out:
            kind, what, remedy = "over_limit", "took longer than {wall_seconds} s", "Split it, or raise wall_seconds."
        what = what.format(**asdict(self.limits))
        said = _last_line(self.folder / f"{job}.err")
        problem = Problem(kind, f"{name} {what}{said}.", remedy)
        result = self.folder / f"{job}"
        export.save(Conversion(name, _sha256(path), None, "quarantined", problems=[problem]), result, self.form)
        self.done.add(job)


class _Worker:
    """One warm worker process."""

    def __init__(self) -> None:
        self.process = self._start()
        self._began = False

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any] | None:
        """The next answer; None if the worker is dead.

        Raises:
            ChildProcessError: it died before it took a file, which no file is to blame for.
        """
        assert self.process.stdout is not None
        if not self._began and self.process.stdout.readline() != READY:
            raise ChildProcessError(
                f"the converter's worker ended as it started (exit code {self.process.wait()}); what it said is above. "
                f"Check the installation: {sys.executable} -m converters.worker </dev/null"
            )
        self._began = True
        line = self.process.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def restart(self) -> None:
        self.stop()
        self.process, self._began = self._start(), False

    def stop(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        home = str(Path(__file__).resolve().parent.parent)
        paths = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
        return subprocess.Popen(
            [sys.executable, "-m", "converters.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,
        )


_idle: list[_Worker] = []
_lock = threading.Lock()


@contextlib.contextmanager
def _worker() -> Iterator[_Worker]:
    """A worker for one batch: an idle one if there is any; it is idle again afterwards, unless the batch broke off."""
    with _lock:
        worker = next((w for w in _idle if w.alive), None) or _Worker()
        _idle[:] = [w for w in _idle if w is not worker and w.alive]
    try:
        yield worker
    except BaseException:  # also a generator that is closed early: children may still be running
        worker.stop()
        raise
    with _lock:
        _idle.append(worker)


@atexit.register
def _stop_all() -> None:
    with _lock:
        while _idle:
            _idle.pop().stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a forked process must not talk to its parent's workers


def _sha256(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _last_line(errors: Path) -> str:
    """What the child said last, as evidence."""
    try:
        lines = errors.read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return f" ({lines[-1][:200]})" if lines else ""
