"""kill -9 at every write of a change, then the same request again: the change is made once, and told once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ondol.api.conftest import HANBIT, Call
from tests.ondol.api.test_entries import UNDER

ONCE = """
import sys
from fastapi.testclient import TestClient
from ondol.api.access import Principal
from ondol.api.app import create_app
from ondol.api.collecting import InService
app = create_app(lambda request: Principal("kim", {"hanbit": "editor"}), InService())
headers = {"If-Match": sys.argv[1], "Idempotency-Key": sys.argv[2]}
sent = TestClient(app).patch("/v1/tenants/hanbit/items/plan", json={"config": {"due": "45 days"}}, headers=headers)
print(sent.status_code, sent.headers["etag"])
"""


def _send(tag: str, key: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", ONCE, tag, key]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_a_change_that_is_killed_at_any_write_is_made_once_when_it_is_repeated(call: Call, tenants: Path) -> None:
    client, file, kills = call(), tenants / "hanbit.yaml", 0
    for number in range(1, 50):
        file.write_text(HANBIT)
        tag = client.get(f"{UNDER}/items/plan").headers["etag"]
        seen = len(client.get(f"{UNDER}/changes").json()["results"])
        killed = _send(tag, f"key-{number}", ONDOL_FAULT=str(number))
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert file.read_text() in (HANBIT, HANBIT.replace("30 days", "45 days"))
        kills += 1
        again = _send(tag, f"key-{number}")
        assert again.stdout.startswith("200"), again.stdout + again.stderr
        assert file.read_text() == HANBIT.replace("30 days", "45 days")
        told = client.get(f"{UNDER}/changes").json()["results"]
        states = [change["state"] for change in told[: len(told) - seen]]
        assert states.count("done") == 1, states
        assert set(states) <= {"done", "undone"}
    assert kills == 5
