"""What every request passes first: who it is from, and how large its body may be."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ondol.api.access import ALL, Principal, is_loopback
from ondol.api.problems import Refused

Authenticate = Callable[[Request], Principal]
"""Finds who a request is from; Refused if nobody who is known here."""

MAX_BYTES = 262_144
OPEN = ("/openapi.json", "/docs", "/healthz")


class Guard:
    """The outermost part of the application.

    Args:
        authenticate: may wait for the network: it is called in a thread.
    """

    def __init__(self, app: ASGIApp, authenticate: Authenticate) -> None:
        self._app = app
        self._authenticate = authenticate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if path not in OPEN and not path.startswith("/docs/"):
                principal = await to_thread.run_sync(self._authenticate, request)
                scope.setdefault("state", {})["principal"] = principal
            length = request.headers.get("content-length", "0")
            if not length.isdecimal() or int(length[:20]) > MAX_BYTES:
                raise _too_large()
        except Refused as refused:
            await refused.response()(scope, receive, send)
            return
        await self._app(scope, _bounded(receive), send)


def _bounded(receive: Receive) -> Receive:
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BYTES:
            raise HTTPException(413, f"the body has more than {MAX_BYTES:,} bytes")
        return message

    return bounded


def _too_large() -> Refused:
    return Refused(413, "Too large", f"The body has more than {MAX_BYTES:,} bytes.", "Send less at once.",
                   headers={"Connection": "close"})  # fmt: skip


def anybody(request: Request) -> Principal:
    """The demo's caller: whoever can reach the loopback address may do all; but no page of another site may.

    Raises:
        Refused: the request is for, or from, another host: a browser was led here.
    """
    origin = request.headers.get("origin")
    if not is_loopback(request.url.hostname or "") or (origin and not is_loopback(urlsplit(origin).hostname or "")):
        raise Refused(403, "Not from here", "The demo serves this machine alone.", "Ask it as http://127.0.0.1.")
    return Principal("anybody (demo)", {ALL: "editor"})
