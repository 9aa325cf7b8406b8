"""The API in the test process, over a tenants' folder of one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from ondol.api.access import Principal, granted
from ondol.api.app import create_app
from ondol.api.collecting import InService

HANBIT = """\
# 한빛마트: a comment at the head
tenant: hanbit
name: 한빛마트
sources:
  - id: share   # the head office's
    type: folder
    path: "inbox/hanbit/{date}"
  # the tills
  - {id: tills, type: folder, path: inbox/hanbit/tills}

items:
  - id: sales
    match: {name: "매출_{yyyymmdd}*.csv"}   # one a day
    table: sales
    tag:
      columns:
        sale_date: {from: period, type: date}
        store: {from: 점포, codes: {0012: 강남}}
        amount: {from: 금액, type: decimal}

  # the year's plan
  - id: plan
    match: {name: "계획_{yyyy}.csv", source: [tills]}
    grain: year
    due: 30 days
    table: plan
    tag: {columns: {amount: {from: 금액, type: decimal}}}
"""
SAEUM = HANBIT.replace("hanbit", "saeum").replace("한빛마트", "새움병원")
Call = Callable[..., TestClient]


@pytest.fixture
def tenants(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of two tenants' files."""
    folder = home / "tenants"
    folder.mkdir()
    (folder / "hanbit.yaml").write_text(HANBIT)
    (folder / "saeum.yaml").write_text(SAEUM)
    monkeypatch.setenv("ONDOL_TENANTS", str(folder))
    return folder


@pytest.fixture
def call(tenants: Path) -> Iterator[Call]:
    """A client with roles; without any, an editor of hanbit."""
    clients: list[TestClient] = []

    def client(*roles: str, who: str = "kim") -> TestClient:
        def authenticate(request: Request) -> Principal:
            return Principal(who, granted(roles or ("hanbit:editor",), "{tenant}:{role}"))

        made = TestClient(create_app(authenticate, InService()), raise_server_exceptions=True)
        clients.append(made.__enter__())
        return made

    yield client
    for made in clients:
        made.__exit__(None, None, None)
