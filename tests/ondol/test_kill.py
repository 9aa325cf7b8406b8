"""kill -9 at every write of every stage, one after the other, then compare with an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ondol.manifest import STAGES
from tests.ondol.snapshot import inbox, snapshot
from tests.ondol.test_pipeline import _empty_databases

DAY = "2026-01-05"


def _stage(stage: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ondol", "run", "hanbit", DAY, "--from", stage, "--to", stage, "--json"]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_stages_that_are_killed_at_every_write_end_as_if_nothing_had_happened(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox(home)
    for stage in STAGES:
        done = _stage(stage)
        assert done.returncode == 0, done.stderr
    undisturbed = snapshot("hanbit")

    _empty_databases()
    disturbed = home / "again"
    disturbed.mkdir()
    monkeypatch.setenv("ONDOL_HOME", str(disturbed))
    inbox(disturbed)
    kills = {stage: _kill_everywhere(stage) for stage in STAGES}
    assert all(kills[stage] > 0 for stage in STAGES), kills
    result = snapshot("hanbit")
    for part in undisturbed:
        assert result[part] == undisturbed[part], part


def _kill_everywhere(stage: str) -> int:
    """Run a stage killed at its first write, then at its second, … until it ends; how often it was killed."""
    for number in range(1, 500):
        done = _stage(stage, ONDOL_FAULT=str(number))
        if done.returncode == 0:
            return number - 1
        assert done.returncode == -signal.SIGKILL, done.stderr
    raise AssertionError(f"{stage} never ends")
