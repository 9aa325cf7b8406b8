from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ondol.sources.sshd import SERVER, Sshd


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A server of this test's own; only CI insists on it."""
    if SERVER is None and not os.environ.get("CI"):
        pytest.skip("no sshd on this machine: apt-get install openssh-server")
    server = Sshd(tmp_path / "sshd")
    yield server
    server.stop()
