"""A file that crashes, hangs or eats memory harms only itself; real processes are killed here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from converters import convert, export, sandbox, storage
from converters.options import Limits, Options

ROWS = [["지점", "매출"], ["강남", 10], ["서초", 20]]


@pytest.fixture
def big(workbook: Callable[..., Path]) -> Path:
    """A workbook that takes about a second."""
    return workbook([["일자", "금액"], *([f"2026-01-{n % 28 + 1:02}", n] for n in range(30_000))], "big.xlsx")


def test_the_sandbox_gives_what_convert_gives(workbook: Callable[..., Path]) -> None:
    path = workbook(ROWS)
    assert sandbox.convert_safely(path) == convert(path)
    assert sandbox.convert_safely(path, name="다른 이름.xlsx").name == "다른 이름.xlsx"


def test_results_come_in_the_order_of_the_jobs(workbook: Callable[..., Path], big: Path) -> None:
    jobs = [(big, None), *((workbook([["a", "b"], [n, n]], f"{n}.xlsx"), None) for n in range(6))]
    names = [c.name for c in sandbox.convert_many(jobs, workers=3)]
    assert names == ["big.xlsx", *(f"{n}.xlsx" for n in range(6))]


def test_a_hang_ends_at_the_wall_and_says_so(big: Path) -> None:
    started = time.monotonic()
    conversion = sandbox.convert_safely(big, limits=Limits(wall_seconds=0.05))
    assert time.monotonic() - started < 30
    assert conversion.state == "quarantined"
    assert "0.05 s" in conversion.problems[0].message
    assert len(conversion.sha256) == 64


def test_memory_over_the_limit_is_quarantined(big: Path) -> None:
    conversion = sandbox.convert_safely(big, limits=Limits(memory_bytes=300 << 20, max_cells=10**9))
    assert conversion.state in ("quarantined", "ok")
    starved = sandbox.convert_safely(big, limits=Limits(memory_bytes=1 << 20))
    assert starved.state == "quarantined"
    assert starved.problems[0].remedy


def test_a_killed_child_loses_only_its_own_file(workbook: Callable[..., Path], big: Path) -> None:
    good = workbook(ROWS, "good.xlsx")
    killer = threading.Thread(target=_kill_a_child_of_the_worker)
    killer.start()
    first, second = sandbox.convert_many([(big, None), (good, None)], workers=1)
    killer.join()
    assert (first.state, first.problems[0].code) == ("quarantined", "killed")
    assert second.state == "ok"


def test_a_killed_worker_is_replaced_and_no_file_is_lost(workbook: Callable[..., Path], big: Path) -> None:
    killer = threading.Thread(target=lambda: os.kill(_worker_in_use(), signal.SIGKILL))
    killer.start()
    states = [c.state for c in sandbox.convert_many([(big, None), (workbook(ROWS), None)], workers=2)]
    killer.join()
    assert states == ["ok", "ok"]


def test_a_batch_that_is_left_early_leaves_no_process(workbook: Callable[..., Path], big: Path) -> None:
    batch = sandbox.convert_many([(workbook(ROWS), None), (big, None), (big, None)], workers=1)
    next(batch)
    worker = _worker_in_use()
    batch.close()
    assert not Path(f"/proc/{worker}").exists()


def test_the_worker_ends_when_its_caller_is_killed(workbook: Callable[..., Path], tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom converters import sandbox\n"
        f"sandbox.convert_safely({str(workbook(ROWS))!r})\n"
        "print(sandbox._idle[0].process.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        worker = int(caller.stdout.readline())
        caller.kill()
    for _ in range(100):
        if not _runs(worker):
            return
        time.sleep(0.05)
    pytest.fail(f"worker {worker} outlives its caller")


def test_passwords_reach_the_child(workbook: Callable[..., Path], tmp_path: Path) -> None:
    import io

    from msoffcrypto.format.ooxml import OOXMLFile

    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(workbook(ROWS).read_bytes())).encrypt("열려라", locked)
    path = tmp_path / "locked.xlsx"
    path.write_bytes(locked.getvalue())
    assert sandbox.convert_safely(path).state == "needs_password"
    assert sandbox.convert_safely(path, options=Options(passwords=("열려라",))).state == "ok"


def _worker_in_use() -> int:
    """The process id of the one worker that this process has started and that is not idle."""
    for _ in range(200):
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        idle = {worker.process.pid for worker in sandbox._idle}
        busy = [int(c) for c in children if int(c) not in idle and b"converters.worker" in _command(int(c))]
        if busy:
            return busy[-1]
        time.sleep(0.01)
    raise AssertionError("no worker is running")


def _kill_a_child_of_the_worker() -> None:
    worker = _worker_in_use()
    for _ in range(500):
        children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
        if children:
            os.kill(int(children[0]), signal.SIGKILL)
            return
        time.sleep(0.005)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def test_a_batch_can_be_given_up_from_another_thread_and_its_worker_lives_on(
    workbook: Callable[..., Path], big: Path, tmp_path: Path
) -> None:
    sandbox.convert_safely(workbook(ROWS, "warm.xlsx"))
    idle = {worker.process.pid for worker in sandbox._idle}
    cancel = sandbox.Cancel()
    threading.Timer(0.05, cancel).start()
    results = sandbox.convert_to_files([(big, None)] * 20, tmp_path, workers=1, cancel=cancel)
    assert storage.summary(list(results)[-1]).problems[0].code == "killed"
    assert {worker.process.pid for worker in sandbox._idle} == idle
    cancel()
    assert sandbox.convert_safely(workbook(ROWS)).state == "ok"


def test_a_result_comes_in_the_form_asked_for_also_when_there_is_no_table(
    workbook: Callable[..., Path], tmp_path: Path
) -> None:
    jobs = [(workbook(ROWS), None)]
    for form in export.FORMS:
        [good] = sandbox.convert_to_files(jobs, tmp_path, form=form)
        assert storage.load(good) == convert(jobs[0][0])
        assert export.form_path(good, form).stat().st_size > 0
        [starved] = sandbox.convert_to_files(jobs, tmp_path, form=form, limits=Limits(memory_bytes=1 << 20))
        assert storage.summary(starved).state == "quarantined"
        assert export.form_path(starved, form).exists()


def test_a_worker_that_cannot_start_is_no_fault_of_the_file(
    workbook: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lxml.py").write_text("raise ImportError('lxml is broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sandbox, "_idle", [])
    with pytest.raises(ChildProcessError, match="ended as it started"):
        sandbox.convert_safely(workbook(ROWS))
