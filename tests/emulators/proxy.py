"""A server in front of another that answers some requests as a service in trouble does."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit


@dataclass
class Fault:
    """What happens to the requests that it is about.

    Args:
        match: a pattern of "METHOD path body".
        status / reason: of the answer, in the form of Google's APIs; 0: the request goes through.
        then: of a request that went through, what becomes of its answer: `cut` loses it, `truncate` half of its body.
        times: how many of them.
    """

    match: str
    status: int = 0
    reason: str = ""
    then: Literal["", "cut", "truncate"] = ""
    times: int = 1
    hits: int = field(default=0, init=False)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, target: str, faults: list[Fault]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.faults = faults
        self.lock = threading.Lock()

    def fault(self, request: str) -> Fault | None:
        """The first one that is about the request and not used up."""
        with self.lock:
            for fault in self.faults:
                if fault.hits < fault.times and re.search(fault.match, request, re.DOTALL):
                    fault.hits += 1
                    return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault(f"{self.command} {self.path} {body.decode(errors='replace')}")
        if fault and fault.status:
            about = {"reason": fault.reason, "message": f"{fault.reason}, says the test"}
            error = {"code": fault.status, "message": about["message"], "errors": [about]}
            self.reply(fault.status, [("Content-Type", "application/json")], json.dumps({"error": error}).encode())
            return
        status, headers, content = self.forward(body)
        if not fault:
            self.reply(status, headers, content)
            return
        if fault.then == "truncate":
            self.reply(status, headers, content[: len(content) // 2], len(content))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """What the server answers, its own address replaced by this one's."""
        target, url = self.server.target, self.server.url
        connection = HTTPConnection(urlsplit(target).netloc, timeout=120)
        connection.request(self.command, self.path, body, dict(self.headers))
        got = connection.getresponse()
        content = got.read()
        connection.close()
        if "json" in (got.getheader("Content-Type") or ""):
            content = content.replace(target.encode(), url.encode())
        kept = [(k, v) for k, v in got.getheaders() if k.lower() not in ("content-length", "transfer-encoding")]
        return got.status, [(k, v.replace(target, url)) for k, v in kept], content

    def reply(self, status: int, headers: list[tuple[str, str]], body: bytes, length: int = -1) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve(target: str, faults: list[Fault]) -> Iterator[str]:
    """The URL of a proxy in front of the server at `target`; URLs in answers point to the proxy."""
    server = _Server(target, faults)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
