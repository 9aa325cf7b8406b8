"""Named points between writes, where a test can kill the process.

`ONDOL_FAULT=<n>` sends SIGKILL to this process at the n-th point that it passes (1-based); `ONDOL_FAULT_LOG=<file>`
appends the name of every point passed, which is how the tests learn how many there are. Unset, a point costs one
dictionary look-up.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

_passed = 0


def point(name: str) -> None:
    """Call it before and after every write that is to survive a kill."""
    global _passed
    if log := os.environ.get("ONDOL_FAULT_LOG"):
        with Path(log).open("a") as file:
            file.write(name + "\n")
    if target := os.environ.get("ONDOL_FAULT"):
        _passed += 1
        if _passed == int(target):
            os.kill(os.getpid(), signal.SIGKILL)
