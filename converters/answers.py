"""The service's answers: the form that a request wants, and errors as RFC 9457 has them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import BinaryIO, Literal

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from converters import export
from converters.intake import Refused, wrong

Form = Literal["json", "facts", "parquet", "arrow"]
ARROW = "arrow"
"""The form of storage.py, which the sandbox makes in any case: "" to it."""

MEDIA = {form: media for form, (media, _) in export.FORMS.items()} | {ARROW: "application/vnd.apache.arrow.stream"}
CHUNK = 1 << 18


def accepted(accept: str) -> str:
    """The form that an Accept header likes best.

    Source: RFC 9110, section 12.5.1.
    """
    wishes: list[tuple[float, str]] = []
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        wishes.append((float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight, re.ASCII) else 0.0, kind))
    for liking, kind in sorted(wishes, key=lambda wish: -wish[0]):
        for form, media in MEDIA.items():
            if liking > 0 and kind in (media, f"{media.partition('/')[0]}/*", "*/*"):
                return form
    remedy = f"There is {', '.join(MEDIA.values())}."
    raise Refused(406, "Not acceptable", f"None of {accept[:200]} is made here.", remedy)


async def problem(request: Request, error: Exception) -> Response:
    """Any error as RFC 9457, section 3, has it; the connection ends with it, for the body may not have been read."""
    headers: dict[str, str] = {}
    remedy = "See /openapi.json for what may be asked."
    if isinstance(error, Refused):
        status, title, detail, remedy, headers = error.status, error.title, error.detail, error.remedy, error.headers
    elif isinstance(error, RequestValidationError):
        status, title, detail = 400, "Wrong request", wrong(error.errors())
    elif isinstance(error, HTTPException):
        status, title, detail = error.status_code, str(error.detail), f"{request.method} {request.url.path[:200]}"
        headers = dict(error.headers or {})
    else:
        status, title, detail = 500, "Defect", f"The service failed ({type(error).__name__})."
        remedy = "Report it to the maintainers with the log."
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "remedy": remedy}
    return JSONResponse(body, status, {**headers, "Connection": "close"}, "application/problem+json")


async def chunks(body: BinaryIO) -> AsyncIterator[bytes]:
    """The bytes of a file, which is closed at the end."""
    with body:
        while chunk := body.read(CHUNK):
            yield chunk
