"""What the lake in Cloud Storage promises when the service is in trouble: whole objects, or an error that says so."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ondol.errors import FatalError, RetriableError
from ondol.lake import gcs
from ondol.lake.gcs import GcsLake
from tests.emulators import proxy
from tests.emulators.proxy import Fault

BODY = bytes(range(256)) * 4000
UPLOAD, LOOK, READ = r"POST /upload", r"GET \S*/o/\S*raw\S*projection", r"GET \S*alt=media"


@pytest.fixture
def faults(gcs_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Fault]]:
    """Where a test puts faults."""
    found: list[Fault] = []
    with proxy.serve(gcs_server, found) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        gcs.client.cache_clear()
        yield found
    gcs.client.cache_clear()


@pytest.fixture
def lake(faults: list[Fault], tmp_path: Path) -> GcsLake:
    return GcsLake(f"gs://lake/{tmp_path.name}", "hanbit")


@pytest.mark.parametrize(
    "fault", [Fault(UPLOAD, 503, "backendError"), Fault(UPLOAD, 429, "rateLimitExceeded"), Fault(UPLOAD, then="cut")]
)
def test_an_upload_that_was_refused_or_whose_answer_was_lost_ends_as_one_whole_object(
    lake: GcsLake, faults: list[Fault], fault: Fault
) -> None:
    fault.hits = 0
    faults.append(fault)
    uri, sha256, size = lake.put_stream(io.BytesIO(BODY), 10**9)
    assert fault.hits == 1
    assert (sha256, size) == (hashlib.sha256(BODY).hexdigest(), len(BODY))
    assert lake.get(uri) == BODY
    assert len(list(lake.paths(""))) == 1


def test_a_raw_file_that_another_run_stores_meanwhile_is_taken_as_it_is(lake: GcsLake, faults: list[Fault]) -> None:
    first = lake.put_stream(io.BytesIO(BODY), 10**9)
    faults.append(Fault(r"GET \S*/o/\S*raw", 404, "notFound"))  # as seen before the other's upload: 412 follows
    assert lake.put_stream(io.BytesIO(BODY), 10**9) == first
    assert faults[0].hits == 1
    assert lake.get(first[0]) == BODY


def test_a_read_that_breaks_off_gives_the_whole_object_or_says_so_and_never_half(
    lake: GcsLake, faults: list[Fault]
) -> None:
    uri = lake.put("tidy/a.parquet", BODY)
    for read in (lake.get, lambda uri: lake.local(uri).read_bytes()):
        faults.append(Fault(READ, then="truncate"))
        with suppress(RetriableError):
            assert read(uri) == BODY
        assert read(uri) == BODY
        assert faults[-1].hits == 1


def test_what_lasts_is_told_with_what_to_check(
    lake: GcsLake, faults: list[Fault], monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.cloud.storage.retry import DEFAULT_RETRY

    monkeypatch.setattr(gcs, "retry", lambda: DEFAULT_RETRY.with_timeout(0.5))
    faults.append(Fault(UPLOAD, 503, "backendError", times=99))
    with pytest.raises(RetriableError, match=r"gs://lake/.*a\.json"):
        lake.put("manifests/a.json", b"{}")
    faults[:] = [Fault(UPLOAD, 403, "forbidden")]
    with pytest.raises(FatalError, match=r"roles/storage\.objectUser"):
        lake.put("manifests/a.json", b"{}")
    lake.put("manifests/a.json", b"{}")
    assert lake.get(lake.uri("manifests/a.json")) == b"{}"
