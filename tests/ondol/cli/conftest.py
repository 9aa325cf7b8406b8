from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ondol.cli.main import main

TENANT = """\
tenant: hanbit
name: 한빛마트
sources:
  - {id: inbox, type: folder, path: "inbox/hanbit/{date}"}
items:
  - id: sales
    match: {name: "매출_{yyyymmdd}*.csv"}
    table: sales
    tag:
      columns:
        sale_date: {from: period, type: date}
        store_code: {from: 지점코드, required: true}
        amount: {from: 금액, type: decimal}
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What one command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own, with the tenant hanbit; its database only where `home` gives one."""
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    (tenants / "hanbit.yaml").write_text(TENANT)
    monkeypatch.setenv("ONDOL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONDOL_TENANTS", str(tenants))
    return tmp_path


@pytest.fixture
def own_server(place: Path) -> Iterator[None]:
    """Let a test start the embedded PostgreSQL of `place`; it is stopped at the end."""
    from ondol import embedded

    yield
    embedded.stop()


@pytest.fixture
def ondol(place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run one command line as the shell does."""

    def ondol(*words: object) -> Said:
        monkeypatch.setattr("sys.argv", ["ondol", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Said(int(ended.value.code or 0), *capfd.readouterr())

    return ondol
