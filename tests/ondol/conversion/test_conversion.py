"""The promises that every way to convert makes: the same results, to the byte; and what each says when it cannot."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import openpyxl
import pytest

from converters import VERSION, cache, convert, storage
from converters.options import Options
from ondol import registry
from ondol.conversion import service
from ondol.conversion.base import Converter, File
from ondol.conversion.job import JobConverter
from ondol.conversion.local import LocalConverter
from ondol.conversion.service import ServiceConverter
from ondol.errors import FatalError, RetriableError
from ondol.lake import gcs
from ondol.lake.local import LocalLake
from tests.converter_service import Served, serve
from tests.samples import TENANTS, deliveries

CASES = Path(__file__).parents[2] / "converters" / "cases"
PASSWORD = "열려라 100%\t"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("service"), "--workers", "2", "--max-bytes", "1000000") as served:
        yield served


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    return LocalLake(tmp_path / "lake", "hanbit")


def converter(kind: str, lake: LocalLake, url: str) -> Converter:
    return registry.load(registry.CONVERTERS, kind)(lake, 2, url if kind == "service" else kind)


def file(lake: LocalLake, name: str, content: bytes, options: Options = Options()) -> File:  # noqa: B008 - frozen
    uri, sha256, _ = lake.put_stream(io.BytesIO(content), 1 << 30)
    return File(uri, name, sha256, f"tables/{cache.key(sha256, name, options)}")


def locked() -> bytes:
    from msoffcrypto.format.ooxml import OOXMLFile

    book, plain, target = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    book.active.append(["지점", "매출"])
    book.active.append(["강남", 10])
    book.save(plain)
    OOXMLFile(plain).encrypt(PASSWORD, target)
    return target.getvalue()


@functools.cache
def contents() -> dict[str, bytes]:
    """Files of every sample firm and some cases; one that is encrypted, one that is empty, one that is broken."""
    found = {d.name: d.content for tenant in TENANTS for d in deliveries(tenant)[:4]}
    for case in sorted(CASES.iterdir())[:8]:
        [path] = case.glob("input.*")
        found[f"{case.name} {path.name}"] = path.read_bytes()
    return {
        **found,
        "locked.xlsx": locked(),
        "empty.csv": b"",
        "broken.xlsx": b"PK\x03\x04",
        "a?b&c=%41.csv": b"a,b\n1,2\n",
    }


@pytest.mark.parametrize("kind", sorted(registry.CONVERTERS))
def test_every_way_gives_what_the_library_gives(lake: LocalLake, served: Served, tmp_path: Path, kind: str) -> None:
    options = Options(passwords=("wrong", PASSWORD))
    files = [file(lake, name, content, options) for name, content in contents().items()]
    converter(kind, lake, served.url).convert(files, options)
    states = {}
    for one in files:
        conversion = convert(lake.local(one.uri), name=one.name, options=options)
        storage.save(conversion, tmp_path / "expected")
        assert lake.get(lake.uri(one.path)) == (tmp_path / "expected").read_bytes(), one.name
        states[one.name] = conversion.state
    assert states["locked.xlsx"] == "ok"
    assert {"ok", "quarantined"} <= set(states.values())


@pytest.mark.parametrize("kind", sorted(registry.CONVERTERS))
def test_every_way_works_on_a_lake_in_a_bucket(
    gcs_server: str, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server)
    gcs.client.cache_clear()
    root = f"gs://lake/{tmp_path.name}"
    lake = gcs.GcsLake(root, "hanbit")
    body = b"a,b\n1,2\n"
    uri, sha256, _ = lake.put_stream(io.BytesIO(body), 100)
    one = File(uri, "매출 1.csv", sha256, f"tables/{cache.key(sha256, '매출 1.csv')}")
    with (
        serve(tmp_path, "--root", f"{root}/hanbit") if kind == "service" else nullcontext(Served("", 0, tmp_path)) as at
    ):
        registry.load(registry.CONVERTERS, kind)(lake, 1, at.url or kind).convert([one], Options())
    storage.save(convert(body, name="매출 1.csv"), tmp_path / "expected")
    assert lake.get(lake.uri(one.path)) == (tmp_path / "expected").read_bytes()


def test_a_service_that_may_not_read_the_lake_says_what_it_may_read(
    gcs_server: str, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server)
    gcs.client.cache_clear()
    lake = gcs.GcsLake(f"gs://lake/{tmp_path.name}", "hanbit")
    uri, sha256, _ = lake.put_stream(io.BytesIO(b"a,b\n1,2\n"), 100)
    with pytest.raises(FatalError, match=r"403: gs://lake/.* is outside of what may be read\. Allowed is"):
        ServiceConverter(lake, 1, served.url).convert([File(uri, "a", sha256, "tables/x")], Options())


@pytest.mark.parametrize("kind", sorted(registry.CONVERTERS))
def test_nothing_to_do_is_no_work(lake: LocalLake, served: Served, kind: str) -> None:
    converter(kind, lake, served.url).convert([], Options())
    assert list(lake.paths("")) == []


@pytest.mark.parametrize("kind", sorted(registry.CONVERTERS))
def test_a_password_is_written_nowhere(lake: LocalLake, served: Served, kind: str) -> None:
    options = Options(passwords=(PASSWORD,))
    one = file(lake, "locked.xlsx", locked(), options)
    converter(kind, lake, served.url).convert([one], options)
    assert storage.summary(lake.local(lake.uri(one.path))).state == "ok"
    for path in lake.paths(""):
        assert PASSWORD.strip().encode() not in lake.get(lake.uri(path))
    assert PASSWORD.strip() not in served.log.read_text()


@pytest.mark.parametrize("kind", ["local", "job"])
def test_arguments_and_environment_of_processes_hold_no_password(
    lake: LocalLake, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                for part in ("cmdline", "environ"):
                    try:
                        text = (process / part).read_bytes()
                    except OSError:
                        continue
                    if b"converters." in text:
                        seen.append(text)

    options = Options(passwords=(PASSWORD,))
    one = file(lake, "locked.xlsx", locked(), options)
    watcher = threading.Thread(target=look)
    watcher.start()
    converter(kind, lake, "").convert([one], options)
    over.set()
    watcher.join()
    assert any(b"converters.worker" in text for text in seen)
    assert not [text for text in seen if PASSWORD.strip().encode() in text]


def test_a_file_over_the_service_s_limit_is_a_result_that_says_so(lake: LocalLake, served: Served) -> None:
    one = file(lake, "큰 파일.csv", b"x" * 1_000_001)
    converter("service", lake, served.url).convert([one], Options())
    result = storage.summary(lake.local(lake.uri(one.path)))
    assert (result.state, result.problems[0].code) == ("quarantined", "over_limit")
    assert "1,000,000 bytes" in result.problems[0].message and result.problems[0].remedy


def test_a_service_that_is_down_may_work_later(lake: LocalLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PAUSES", (0.01,))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        files = [file(lake, f"{n}.csv", b"a,b\n1,2\n") for n in range(5)]
        with pytest.raises(RetriableError, match=rf"{url} does not answer \(ConnectError.*ONDOL_CONVERTER"):
            ServiceConverter(lake, 2, url).convert(files, Options())


class _Answers(BaseHTTPRequestHandler):
    """Gives the answers that a test has put down, one after the other, the last for ever."""

    answers: list[tuple[int, dict[str, str], bytes]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status, headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[_Answers]]]:
    """A server that misbehaves as told."""
    monkeypatch.setattr(service, "PAUSES", (0.01, 0.01))
    handler = type("Handler", (_Answers,), {"answers": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()


PROBLEM = b'{"detail": "No."}'


@pytest.mark.parametrize(
    ("status", "headers", "kind", "said"),
    [
        (500, {}, RetriableError, "answers 500: No. See its log"),
        (502, {}, RetriableError, "answers 502"),
        (401, {}, FatalError, "roles/run.invoker"),
        (403, {}, FatalError, "roles/run.invoker"),
        (404, {}, FatalError, "ONDOL_CONVERTER"),
        (200, {"converter-version": "0"}, RetriableError, "deploy the same version"),
        (200, {"converter-version": VERSION, "conversion-sha256": "ab"}, RetriableError, "other bytes of 'a.csv'"),
    ],
)
def test_an_answer_that_is_no_result_says_what_to_do(
    lake: LocalLake,
    answers: tuple[str, type[_Answers]],
    status: int,
    headers: dict[str, str],
    kind: type[Exception],
    said: str,
) -> None:
    url, handler = answers
    handler.answers = [(status, headers, PROBLEM)]
    one = file(lake, "a.csv", b"a,b\n1,2\n")
    with pytest.raises(kind, match=said):
        ServiceConverter(lake, 1, url).convert([one], Options())
    assert not lake.exists(one.path)


def test_a_busy_service_and_a_failing_one_are_asked_again(lake: LocalLake, answers: tuple[str, type[_Answers]]) -> None:
    url, handler = answers
    one = file(lake, "a.csv", b"a,b\n1,2\n")
    good = {"converter-version": VERSION, "conversion-sha256": hashlib.sha256(b"a,b\n1,2\n").hexdigest()}
    busy = (503, {"retry-after": "0"}, PROBLEM)
    handler.answers = [busy, (500, {}, PROBLEM), *[busy] * 5, (500, {}, PROBLEM), (200, good, b"result")]
    ServiceConverter(lake, 1, url).convert([one], Options())
    assert lake.get(lake.uri(one.path)) == b"result"


def test_a_job_that_fails_says_where_and_why(lake: LocalLake) -> None:
    one = file(lake, "a.csv", b"a,b\n1,2\n")
    lake.local(one.uri).write_bytes(b"changed")
    with pytest.raises(RetriableError, match=r"exit code 1: .*write the manifest anew"):
        JobConverter(lake, 1, "job").convert([one], Options())


def test_a_batch_that_fails_keeps_what_was_done(lake: LocalLake, tmp_path: Path) -> None:
    good, gone = file(lake, "a.csv", b"a,b\n1,2\n"), file(lake, "b.csv", b"a,b\n3,4\n")
    os.unlink(lake.local(gone.uri))  # noqa: PTH108
    with pytest.raises(RetriableError):
        JobConverter(lake, 1, "job").convert([good, gone], Options())
    assert lake.exists(good.path)
    with pytest.raises(FileNotFoundError):
        LocalConverter(lake, 1, "local").convert([good, gone], Options())
