from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from ondol import embedded
from ondol.errors import FatalError
from ondol.settings import settings


@pytest.fixture
def short() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="o-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_a_home_with_spaces_and_hangul_has_a_server_that_starts_answers_and_stops(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONDOL_HOME", str(short / "내 문서 1"))
    embedded.start()
    try:
        psycopg2.connect(embedded.uri("serving")).close()
        assert embedded.running()
    finally:
        assert embedded.stop()
    assert not embedded.running()


@pytest.mark.parametrize("name", ["o'q", 'a"b', "$(id)", "`id`", "a,b", "a\\b"])
def test_a_home_that_a_shell_would_take_apart_is_refused(
    short: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONDOL_HOME", str(short / name))
    with pytest.raises(FatalError, match="set ONDOL_HOME to a folder without"):
        embedded.start()


def test_a_wrong_number_of_workers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONDOL_WORKERS", "abc")
    with pytest.raises(FatalError, match="ONDOL_WORKERS is 'abc'"):
        settings()
