from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from ondol import registry
from ondol.errors import FatalError
from ondol.lake import gcs
from ondol.lake.base import Lake

OpenLake = Callable[[str], Lake]


@pytest.fixture(params=sorted(registry.LAKES))
def lakes(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenLake:
    """Opens the lake of any tenant in a place that is this test's alone."""
    made = registry.load(registry.LAKES, request.param)
    if request.param == "local":
        return lambda tenant: made(tmp_path, tenant)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", request.getfixturevalue("gcs_server"))
    gcs.client.cache_clear()
    return lambda tenant: made(f"gs://lake/{tmp_path.name}", tenant)


@pytest.fixture
def lake(lakes: OpenLake) -> Lake:
    return lakes("hanbit")


def test_what_is_put_is_got_and_replaced(lake: Lake) -> None:
    uri = lake.put("manifests/a/한글.json", b"one")
    assert lake.put("manifests/a/한글.json", b"two") == uri == lake.uri("manifests/a/한글.json")
    assert lake.get(uri) == lake.local(uri).read_bytes() == b"two"
    assert list(lake.paths("manifests/")) == ["manifests/a/한글.json"]


def test_a_raw_file_is_kept_once_under_its_sha256(lake: Lake) -> None:
    body = b"x" * 3_000_000
    first = lake.put_stream(io.BytesIO(body), 10_000_000)
    assert first == lake.put_stream(io.BytesIO(body), 10_000_000)
    assert first[1:] == (hashlib.sha256(body).hexdigest(), len(body))
    assert len(list(lake.paths("raw/"))) == 1


def test_an_oversized_file_leaves_nothing_behind(lake: Lake) -> None:
    with pytest.raises(ValueError, match="larger than 10 bytes"):
        lake.put_stream(io.BytesIO(b"x" * 11), 10)
    assert list(lake.paths("")) == []


def test_a_broken_stream_leaves_nothing_behind(lake: Lake) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError("connection lost")
            return super().read(1)

    with pytest.raises(OSError, match="connection lost"):
        lake.put_stream(Broken(b"xyz"), 10)
    assert list(lake.paths("")) == []


@pytest.mark.parametrize("path", ["../saeum/raw/x", "/etc/passwd", "a/../../saeum/x", ""])
def test_a_path_out_of_the_tenants_lake_is_refused(lake: Lake, path: str) -> None:
    with pytest.raises(FatalError, match="leaves this tenant's lake"):
        lake.put(path, b"")


def test_another_tenants_object_is_refused(lakes: OpenLake) -> None:
    for other in ("saeum", "hanbit2", "hanbi"):
        uri = lakes(other).put("raw/x", b"secret")
        with pytest.raises(FatalError, match="its own tenant only"):
            lakes("hanbit").get(uri)
    assert list(lakes("hanbit").paths("")) == []


def test_a_missing_object_is_named(lake: Lake) -> None:
    with pytest.raises(FileNotFoundError, match="manifests/none"):
        lake.get(lake.uri("manifests/none"))
