"""The service, a real one: what it answers, what it refuses, and what it never gives away."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import jsonschema
import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import VERSION, convert, export, openapi, service, storage
from converters.facts import fact_lines
from tests.converter_service import Served, serve

PROBLEM = "application/problem+json"
ARROW = "application/vnd.apache.arrow.stream"
PASSWORD = "열려라 100%"
LIMIT = 3 << 20


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain workbook, an encrypted one, a text, and one that takes its time, below the service's only root."""
    from msoffcrypto.format.ooxml import OOXMLFile

    root = tmp_path_factory.mktemp("lake")
    _workbook(root / "매출.xlsx", [["지점", "매출(천원)"], ["강남", 10], ["서초", 20], ["합계", 30]])
    (root / "big.csv").write_text("일자,금액\n" + "".join(f"2026-01-{n % 28 + 1:02},{n}\n" for n in range(150_000)))
    locked = io.BytesIO()
    OOXMLFile(io.BytesIO((root / "매출.xlsx").read_bytes())).encrypt(PASSWORD, locked)
    (root / "locked.xlsx").write_bytes(locked.getvalue())
    (root / "a.csv").write_bytes("지점,매출\n강남,1\n서초,2\n".encode("cp949"))
    return root


@pytest.fixture(scope="module")
def served(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with one worker, room for one more request, and a cache."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "tmp").mkdir()
    options = ["--workers", "1", "--queue", "1", "--max-bytes", str(LIMIT), "--cache", str(folder / "cache")]
    with serve(folder, *options, "--root", str(files), TMPDIR=str(folder / "tmp")) as served:
        yield served
        assert "Traceback" not in served.log.read_text()


@pytest.fixture(scope="module")
def post(served: Served) -> Iterator[Callable[..., httpx.Response]]:
    """POST /v1/convert?query."""
    with httpx.Client(base_url=served.url, timeout=30) as client:
        yield lambda query="", **request: client.post(f"/v1/convert{query}", **request)


def _workbook(path: Path, rows: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def test_the_forms_are_those_of_the_library(post: Callable[..., httpx.Response], files: Path, tmp_path: Path) -> None:
    path = files / "매출.xlsx"
    conversion = convert(path)
    body = {"content": path.read_bytes()}
    query = f"?name={quote(path.name)}"
    document = post(query, **body)
    assert document.json() == json.loads(json.dumps(export.document(conversion)))
    assert (document.headers["conversion-state"], document.headers["converter-version"]) == ("ok", VERSION)
    assert post(f"{query}&as=facts", **body).text.splitlines() == list(fact_lines(conversion))
    storage.save(conversion, tmp_path / "saved")
    assert post(query, **body, headers={"accept": ARROW}).content == (tmp_path / "saved").read_bytes()
    with zipfile.ZipFile(io.BytesIO(post(query, **body, headers={"accept": "application/zip"}).content)) as archive:
        about = json.loads(archive.read("conversion.json"))
        table = pq.read_table(io.BytesIO(archive.read(about["tables"][0]["file"])))
    assert table["매출(천원)"].to_pylist() == [10, 20, 30]


@pytest.mark.parametrize("name", ["매출.xlsx", "a.csv"])
def test_a_body_a_form_and_a_uri_give_the_same(post: Callable[..., httpx.Response], files: Path, name: str) -> None:
    path = files / name
    answers = [
        post(f"?name={quote(name)}", content=path.read_bytes()),
        post(f"?name={quote(name)}", content=iter([path.read_bytes()[:9], path.read_bytes()[9:]])),
        post(files={"file": (name, path.read_bytes())}),
        post(files={"file": ("other", path.read_bytes())}, data={"name": name}),
        post(json={"uri": path.as_uri()}),
        post(json={"uri": str(path), "name": name}),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["tables"]


def test_the_query_s_form_goes_before_accept_and_accept_is_weighed(post: Callable[..., httpx.Response]) -> None:
    def kind(accept: str, query: str = "") -> str:
        return post(query, content=b"a,b\n1,2\n", headers={"accept": accept}).headers["content-type"]

    assert kind("application/zip, application/x-ndjson;q=0.9") == "application/zip"
    assert kind("application/zip;q=0.1, application/x-ndjson;q=0.9") == "application/x-ndjson"
    assert kind("text/html, */*;q=0.8") == "application/json"
    assert kind("application/zip", "?as=json") == "application/json"
    assert kind("application/json;q=0, application/*;q=0.5") == "application/json"
    assert kind("text/html") == kind("application/json;q=x") == PROBLEM


def test_rows_may_be_limited(post: Callable[..., httpx.Response], files: Path) -> None:
    body = (files / "big.csv").read_bytes()
    assert len(post("?max_rows=5", content=body).json()["tables"][0]["rows"]) < 5


def test_a_password_opens_the_file_and_is_written_nowhere(
    post: Callable[..., httpx.Response], files: Path, served: Served
) -> None:
    path = files / "locked.xlsx"
    body = path.read_bytes()
    without = post(content=body)
    assert (without.status_code, without.json()["state"]) == (200, "needs_password")
    for request in (
        {"content": body, "headers": [("Converter-Password", "wrong"), ("Converter-Password", quote(PASSWORD))]},
        {"files": {"file": ("input", body)}, "data": {"password": ["wrong", PASSWORD]}},
        {"json": {"uri": str(path), "name": "input", "passwords": ["wrong", PASSWORD]}},
    ):
        answer = post(**request)
        assert (answer.json()["state"], len(answer.json()["tables"])) == ("ok", 1), answer.text
    assert post(content=body).json()["state"] == "needs_password"
    for kept in (served.log, *(p for p in served.log.parent.rglob("*") if p.is_file())):
        for spelled in (PASSWORD, quote(PASSWORD), json.dumps(PASSWORD)):
            assert spelled.encode() not in kept.read_bytes(), kept


def test_a_result_is_kept_and_a_quarantined_one_is_not(
    post: Callable[..., httpx.Response], files: Path, served: Served
) -> None:
    body = b"x,y\n1,2\n3,4\n"
    first, second = post("?name=kept", content=body), post("?name=kept", content=body)
    assert first.content == second.content
    assert [line.get("cache") for line in served.lines()[-2:]] == [None, "hit"]
    other = post("?name=other", content=body)
    assert other.json()["name"] == "other"
    for _ in range(2):
        assert post(content=b"PK\x03\x04 broken").json()["state"] == "quarantined"
    assert "cache" not in served.lines()[-1]


def test_a_cache_that_is_damaged_costs_only_time(post: Callable[..., httpx.Response], served: Served) -> None:
    body = b"damaged,y\n1,2\n"
    before = set(served.log.parent.glob("cache/*/*"))
    first = post("?as=arrow", content=body)
    [kept] = set(served.log.parent.glob("cache/*/*")) - before
    kept.write_bytes(b"no arrow")
    assert post("?as=arrow", content=body).content == first.content
    assert served.lines("cache")[-1]["error"]


def test_a_file_over_the_limit_is_refused_while_it_comes(post: Callable[..., httpx.Response]) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(1 << 16)

    refused = [post(content=bytes(LIMIT + 1)), post(files={"file": ("a", bytes(LIMIT + 1))})]
    refused.append(post(content=bytes(LIMIT * 2)))
    for answer in refused:
        assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
        assert f"{LIMIT:,} bytes" in answer.json()["detail"]
    assert post(content=endless()).status_code == 413
    assert post(content=bytes(LIMIT)).status_code == 200


def test_an_upload_is_held_on_disk_and_not_in_memory(files: Path, tmp_path: Path) -> None:
    with serve(tmp_path, "--workers", "1") as served:
        before = _peak(served.pid)
        for request in ({"content": bytes(100 << 20)}, {"files": {"file": ("a", io.BytesIO(bytes(100 << 20)))}}):
            answer = httpx.post(f"{served.url}/v1/convert", **request, timeout=60)
            assert answer.json()["state"] == "unsupported"
        assert _peak(served.pid) - before < 20 << 20


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("file:///etc/passwd", 403),
        ("{root}/../secret", 403),
        ("{root}/link", 403),
        ("{root}/%2e%2e/secret", 404),
        ("file://{root}/%2e%2e/secret", 403),
        ("http://127.0.0.1:1/", 403),
        ("gs://bucket/object", 403),
        ("{root}/gone", 404),
    ],
)
def test_a_uri_out_of_the_roots_is_refused(
    post: Callable[..., httpx.Response], files: Path, uri: str, status: int
) -> None:
    (files.parent / "secret").write_text("secret,1\n")
    link = files / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(files.parent / "secret")
    answer = post(json={"uri": uri.format(root=files)})
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["remedy"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"json": {}}, 400),
        ({"json": {"uri": 5}}, 400),
        ({"json": {"uri": "a", "more": 1}}, 400),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"[" * 60_000, "headers": {"content-type": "application/json"}}, 400),
        ({"content": b" " * 70_000, "headers": {"content-type": "application/json"}}, 413),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 400),
        ({"content": b"--b\r\n\r\n", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 400),
        ({"files": {"other": b"x"}}, 400),
        ({"files": [("file", b"x"), ("file", b"y")]}, 400),
        ({"files": {"file": b"x"}, "data": {"password": "x" * 70_000}}, 400),
        ({"content": b"x", "headers": {"content-encoding": "gzip"}}, 415),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(
    post: Callable[..., httpx.Response], request_: dict[str, Any], status: int
) -> None:
    answer = post(**request_)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["status"] == status
    assert answer.json()["detail"]


@pytest.mark.parametrize("query", ["?as=xml", "?max_rows=0", "?max_rows=x", "?name=", f"?name={'x' * 1001}"])
def test_a_wrong_query_is_told_what_is_wrong(post: Callable[..., httpx.Response], query: str) -> None:
    answer = post(query, content=b"a")
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)


def test_other_paths_and_methods_are_problems_too(served: Served) -> None:
    for method, path, status in (("GET", "/v1/convert", 405), ("GET", "/", 404), ("POST", "/healthz", 405)):
        answer = httpx.request(method, served.url + path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)


def test_who_finds_no_room_is_told_when_to_come_again(served: Served, files: Path) -> None:
    body = (files / "big.csv").read_bytes()

    def ask(number: int) -> httpx.Response:
        return httpx.post(f"{served.url}/v1/convert?name={number}&as=arrow", content=body, timeout=60)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused and len(refused) <= 4
    assert {answer.status_code for answer in answers} == {200, 503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert httpx.get(f"{served.url}/readyz").status_code == 200


def test_a_client_that_goes_away_frees_its_place(served: Served, files: Path) -> None:
    body = (files / "big.csv").read_bytes()
    address = urlsplit(served.url)
    for sent in (len(body), 100):
        done = len(served.lines())
        with socket.create_connection((address.hostname, address.port)) as client:
            head = f"POST /v1/convert?name=gone HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            client.sendall(head.encode() + body[:sent])
            time.sleep(0.05)
        began = time.monotonic()
        while len(served.lines()) == done:
            assert time.monotonic() - began < 30
            time.sleep(0.02)
        assert served.lines()[-1]["status"] == service.GONE
    assert httpx.post(f"{served.url}/v1/convert", content=b"a,b\n1,2\n").status_code == 200


def test_nothing_is_left_on_disk(post: Callable[..., httpx.Response], served: Served) -> None:
    post(content=b"a,b\n1,2\n")
    assert os.listdir(served.log.parent / "tmp") == []  # noqa: PTH208 - with what begins with a dot


def test_a_line_of_the_log_tells_what_happened_and_nothing_that_was_in_the_file(
    post: Callable[..., httpx.Response], served: Served
) -> None:
    post("?name=%EA%B9%80%EC%B2%A0%EC%88%98.csv", content="이름,전화\n김철수,010\n".encode())
    line = served.lines()[-1]
    assert {"status": 200, "state": "ok", "format": "csv", "tables": 1, "form": "json"}.items() <= line.items()
    assert line["seconds"] >= 0
    for told in ("김철수", "\\uae40", "010"):
        assert told not in served.log.read_text()


def test_the_openapi_document_describes_what_is_answered(
    post: Callable[..., httpx.Response], served: Served, files: Path
) -> None:
    document = httpx.get(f"{served.url}/openapi.json").json()
    assert document["openapi"].startswith("3.1.")
    operation = document["paths"]["/v1/convert"]["post"]
    assert set(operation["requestBody"]["content"]) == {
        "multipart/form-data", "application/octet-stream", "application/json",
    }  # fmt: skip
    answer = operation["responses"]["200"]["content"]
    assert set(answer) == {"application/json", "application/x-ndjson", "application/zip", ARROW}
    for reference in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert reference in document["components"]["schemas"]
    schema = {**answer["application/json"]["schema"], "components": document["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    for example in answer["application/json"]["examples"].values():
        validator.validate(example["value"])
    for path in files.iterdir():
        if not path.is_symlink() and path.name != "big.csv":
            document = post(content=path.read_bytes()).json()
            validator.validate(document)
            openapi.ConversionModel.model_validate(document)


_HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "accept", "converter-password", "content-encoding", "x-other"]),
    st.one_of(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.strip),
        st.sampled_from(["application/json", "multipart/form-data; boundary=b", "a/b;q=0.5", "*/*;q=9", "%", "%ff"]),
    ),
)
_PARTS = st.sampled_from(
    [
        b"--b\r\n", b"--b--", b"\r\n", b"\r\n\r\n", b'Content-Disposition: form-data; name="file"; filename="a.csv"',
        b'Content-Disposition: form-data; name="name"', b"a,b\n1,2\n", b'{"uri": "', b'"}', b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0", b"<table><tr><td>1", b"%PDF-1.7", b"\xff\xfe", b"From: a\nTo: b\n\n",
    ]
)  # fmt: skip
_BODIES = st.lists(st.one_of(_PARTS, st.binary(max_size=60)), max_size=8).map(b"".join)
_QUERIES = st.dictionaries(st.sampled_from(["as", "name", "max_rows", "x"]), st.text(max_size=20), max_size=3)


@given(_HEADERS, _BODIES, _QUERIES)
@settings(max_examples=150, deadline=None)
def test_no_request_makes_it_fail(
    post: Callable[..., httpx.Response], headers: dict[str, str], body: bytes, query: dict[str, str]
) -> None:
    query = {key: value.encode("utf-8", "replace").decode() for key, value in query.items()}
    answer = post(params=query, headers=headers, content=body)
    assert answer.status_code in (200, 400, 403, 404, 406, 413, 415)
    if answer.status_code != 200:
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json()["detail"]


def test_other_machines_are_let_in_only_where_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("K_SERVICE", raising=False)
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.com"):
        assert service.main(["--host", host]) == 2
        assert "--allow-remote" in capsys.readouterr().err
    assert service.main(["--root", "http://x"]) == 2
    monkeypatch.setenv("K_SERVICE", "converter")
    monkeypatch.setenv("PORT", "9090")
    chosen = service._parser().parse_args([])
    assert (chosen.host, chosen.port, chosen.allow_remote) == ("0.0.0.0", 9090, True)


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10
