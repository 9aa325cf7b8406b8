from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ondol.sources.sshd import SERVER, Sshd


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A server of this test's own."""
    if SERVER is None:
        pytest.skip("no sshd on this machine: apt-get install openssh-server")
    server = Sshd(tmp_path / "sshd")
    yield server
    server.stop()
