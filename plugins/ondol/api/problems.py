"""Errors as RFC 9457 has them: every answer from 400 on is application/problem+json with what to do about it."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from ondol.errors import ConfigError, OndolError, RetriableError
from ondol.errors import Problem as Place

log = logging.getLogger(__name__)

MEDIA = "application/problem+json"
SEE = "See openapi.json for what may be asked."
_TITLES = {404: "Not found", 405: "Method not allowed", 413: "Too large"}


class Refused(Exception):
    """A request that is not served.

    Args:
        detail: what is wrong with it, with what was got.
        remedy: what the caller can do.
        places: what is wrong in the tenant's YAML, each with its line.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        remedy: str,
        *,
        headers: dict[str, str] | None = None,
        places: Sequence[Place] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.remedy = remedy
        self.headers = headers or {}
        self.places = places

    def response(self) -> Response:
        """The answer to the request."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "remedy": self.remedy,
        }
        if self.places:
            body["problems"] = [dataclasses.asdict(place) for place in self.places]
        return JSONResponse(_sent(body), self.status, self.headers, MEDIA)


def unknown(what: str, name: str) -> Refused:
    """There is no such thing, or none that the caller may know of."""
    return Refused(
        404, "Not found", f"There is no {what} '{name[:80]}' for you.", "List what there is: see openapi.json."
    )


def wrong_file(error: ConfigError, *, status: int, title: str, detail: str) -> Refused:
    """What the loader of the tenants' files refuses, each problem with its line."""
    places = [dataclasses.replace(place, file=Path(place.file).name) for place in error.problems]
    return Refused(status, title, detail, "\n".join(map(str, places[:5])) or str(error), places=places)


def _sent(value: Any) -> Any:
    """What may go out: a request can have half characters in it, which no answer can repeat."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


async def answer(request: Request, error: Exception) -> Response:
    """Any error as an answer."""
    return _refused(request, error).response()


def _refused(request: Request, error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, RequestValidationError):
        return Refused(422, "Wrong request", "; ".join(_said(e) for e in error.errors()[:5]), SEE)
    if isinstance(error, HTTPException):
        title = _TITLES.get(error.status_code, str(error.detail)[:80])
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(request))
        detail = f"{request.method} {request.url.path[:200]}: {str(error.detail)[:200]}"
        return Refused(error.status_code, title, detail, SEE, headers=headers)
    if isinstance(error, ConfigError):
        return wrong_file(error, status=409, title="The tenant's file stands against it", detail="Nothing was changed.")
    if isinstance(error, RetriableError):
        return Refused(
            503, "Try again", str(error), "Try again after Retry-After seconds.", headers={"Retry-After": "5"}
        )
    if isinstance(error, OndolError):
        log.error("%s %s: %s", request.method, request.url.path, error)
        return Refused(
            500, "Cannot be done", str(error), "The message says what the platform's operator has to change."
        )
    return Refused(500, "Defect", f"It failed ({type(error).__name__}).", "Report it with the time; the log has more.")


def _said(error: dict[str, Any]) -> str:
    """One of pydantic's errors, without what was sent: it may be large."""
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {error['msg']}"[:300]


def _methods(request: Request) -> list[str]:
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches({**request.scope, "method": "OPTIONS"})[0] is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return sorted(found)


HANDLED: tuple[type[Exception], ...] = (Refused, HTTPException, RequestValidationError, OndolError, Exception)
