"""A job may be split, stopped and killed; its results are those of one call."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converters import cache, convert, job, storage
from converters.options import Options

ROWS = [["지점", "매출"], ["강남", 10], ["서초", 20]]
PASSWORD = "열려라"
ALONE = job.Task()


@pytest.fixture
def lake(tmp_path: Path, workbook: Callable[..., Path]) -> Path:
    """Raw files below lake/raw, and their manifest; one is encrypted, one is no table, two have the same content."""
    from msoffcrypto.format.ooxml import OOXMLFile

    root = tmp_path / "lake"
    (root / "raw").mkdir(parents=True)
    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(workbook(ROWS).read_bytes())).encrypt(PASSWORD, locked)
    files = {f"{n}일 매출.csv": f"지점,매출\n강남,{n}\n서초,{n + 1}\n".encode("cp949") for n in range(6)}
    files |= {"같은 것.csv": files["0일 매출.csv"], "locked.xlsx": locked.getvalue(), "broken.xlsx": b"PK\x03\x04"}
    files["big.xlsx"] = workbook([["일자", "금액"], *([n, n * 2] for n in range(3000))], "big.xlsx").read_bytes()
    lines = []
    for name, content in files.items():
        sha256 = hashlib.sha256(content).hexdigest()
        (root / "raw" / sha256).write_bytes(content)
        lines.append({"uri": (root / "raw" / sha256).as_uri(), "name": name, "sha256": sha256})
    (root / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


def command(lake: Path, out: Path, *options: str) -> list[str]:
    manifest = (lake / "manifest.jsonl").as_uri()
    return [sys.executable, "-m", "converters.job", manifest, out.as_uri(), "--workers", "2", *options]


def run(lake: Path, out: Path, *options: str, stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(lake, out, *options), input=stdin, capture_output=True, text=True, timeout=60)


def here(lake: Path, out: Path, *passwords: str, task: job.Task = ALONE) -> list[dict[str, Any]]:
    """The same in this process, which is quicker."""
    options = Options(passwords=passwords)
    return job.run((lake / "manifest.jsonl").as_uri(), out.as_uri(), task=task, options=options, workers=2)


def results(out: Path) -> dict[str, bytes]:
    """Everything a job has made, by path; what a killed one left half-written begins with a dot."""
    files = (path for path in out.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def test_every_file_has_its_result_and_a_line_and_quarantine_is_no_failure(lake: Path, tmp_path: Path) -> None:
    done = run(lake, tmp_path / "out", "--passwords", "-", stdin=f"wrong\n{PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    [summary] = (tmp_path / "out" / "summary").iterdir()
    lines = [json.loads(line) for line in summary.read_text().splitlines()]
    assert [line["name"] for line in lines] == [
        json.loads(line)["name"] for line in (lake / "manifest.jsonl").read_text().splitlines()
    ]
    options = Options(passwords=("wrong", PASSWORD))
    for line in lines:
        path = tmp_path / "out" / cache.key(line["sha256"], line["name"], options)
        assert line["result"] == path.as_uri()
        assert storage.load(path) == convert(lake / "raw" / line["sha256"], name=line["name"], options=options)
    states = {line["name"]: line["state"] for line in lines}
    assert (states["locked.xlsx"], states["broken.xlsx"], states["big.xlsx"]) == ("ok", "quarantined", "ok")
    assert PASSWORD not in done.stdout + done.stderr + summary.read_text()


def test_tasks_share_the_files_by_content(lake: Path, tmp_path: Path) -> None:
    here(lake, tmp_path / "alone")
    tasks = [job.Task(index, 3) for index in range(3)]
    shares = [{line["sha256"] for line in here(lake, tmp_path / "together", task=task)} for task in tasks]
    assert sum(map(len, shares)) == len(set().union(*shares)) == 9
    alone, together = (
        {path: body for path, body in results(tmp_path / out).items() if not path.startswith("summary/")}
        for out in ("alone", "together")
    )
    assert together == alone


def test_what_is_there_is_not_made_again_but_for_quarantine_and_other_passwords(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    here(lake, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    here(lake, out)
    again = {path.name for path, written in before.items() if path.stat().st_mtime_ns != written}
    broken = cache.key(hashlib.sha256(b"PK\x03\x04").hexdigest(), "broken.xlsx")
    assert {name for name in again if not name.endswith(".jsonl")} == {Path(broken).name}
    assert [line["state"] for line in here(lake, out, PASSWORD) if line["name"] == "locked.xlsx"] == ["ok"]


def test_a_job_that_is_killed_again_and_again_ends_with_the_same_results(lake: Path, tmp_path: Path) -> None:
    here(lake, tmp_path / "undisturbed")
    out = tmp_path / "killed"
    for kills in range(4):
        process = subprocess.Popen(command(lake, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = len(results(out))
        while len(results(out)) <= before + kills % 2:
            assert process.poll() is None, "there was nothing left to do"
            time.sleep(0.001)
        process.kill()
        assert process.wait(30) == -signal.SIGKILL
    here(lake, out)
    moved = (str(out).encode(), str(tmp_path / "undisturbed").encode())
    assert {path: body.replace(*moved) for path, body in results(out).items()} == results(tmp_path / "undisturbed")


def test_a_job_that_is_told_to_stop_keeps_what_is_done_and_leaves_no_process(lake: Path, tmp_path: Path) -> None:
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(command(lake, out), env=environment, stderr=subprocess.PIPE) as process:
        while not results(out):
            assert process.poll() is None
            time.sleep(0.002)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 128 + signal.SIGTERM
    assert children
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert list(scratch.iterdir()) == []
    assert results(out)


def test_a_file_that_is_not_what_the_manifest_says_fails_alone(lake: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in (lake / "manifest.jsonl").read_text().splitlines()]
    Path(lake / "raw" / lines[0]["sha256"]).write_bytes(b"changed")
    lines[1]["uri"] = (lake / "raw" / "gone").as_uri()
    (lake / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert job.main([str(lake / "manifest.jsonl"), str(tmp_path / "out")]) == 1
    [summary] = (tmp_path / "out" / "summary").iterdir()
    told = {line["name"]: line for line in map(json.loads, summary.read_text().splitlines())}
    failed = {name: line["error"] for name, line in told.items() if line["state"] is None}
    assert set(failed) == {"0일 매출.csv", "같은 것.csv", "1일 매출.csv"}
    assert "write the manifest anew" in failed["0일 매출.csv"]
    assert "No such file" in failed["1일 매출.csv"]
    assert told["2일 매출.csv"]["state"] == "ok"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "manifest.jsonl:1"),
        ('{"uri": "a", "name": "b"}', "sha256"),
        ('{"uri": "a", "name": "b", "sha256": "../../x"}', "sha256"),
        ('{"uri": "a", "name": "b", "sha256": "%s", "more": 1}' % ("a" * 64), "more"),
    ],
)
def test_a_manifest_that_is_none_says_where(
    tmp_path: Path, line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.jsonl").write_text(line + "\n")
    assert job.main([str(tmp_path / "manifest.jsonl"), str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err


def test_a_job_that_cannot_begin_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert job.main([str(tmp_path / "gone.jsonl"), out]) == 2
    assert "gone.jsonl" in capsys.readouterr().err
    (tmp_path / "empty.jsonl").touch()
    assert job.main([str(tmp_path / "empty.jsonl"), out]) == 0
    monkeypatch.setenv("CLOUD_RUN_TASK_INDEX", "3")
    assert job.main([str(tmp_path / "empty.jsonl"), out]) == 2
    assert "CLOUD_RUN_TASK_INDEX is 3" in capsys.readouterr().err
