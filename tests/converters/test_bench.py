"""The shared bench of messy tables, if this machine has it: its score must not fall."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = os.environ.get("ONDOL_BENCH", "")
SCORER = Path(FOLDER).parent / "score_facts.py"


@pytest.mark.skipif(not FOLDER, reason="ONDOL_BENCH names no folder with bench tables: THE SCORE IS NOT CHECKED")
def test_the_bench_is_read_at_98_percent_or_more() -> None:
    command = [sys.executable, str(SCORER), FOLDER, "--", sys.executable, "-m", "converters", "--facts", "{file}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    score = re.search(r"score: ([\d.]+) %", done.stdout)
    assert score, done.stdout
    assert float(score[1]) >= 98.0, done.stdout
