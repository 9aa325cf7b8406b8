"""The converter over HTTP: POST /v1/convert a file, or the URI of one in the lake, and get its tables.

    python -m converters.service [--host 127.0.0.1] [--port 8081] [--root gs://lake/hanbit]...

Each file is converted in the sandbox; a file that gives no table is a result like any other (200, `state` says why),
and every error is RFC 9457 problem+json. The form of the answer follows `?as=` or Accept: the JSON document of
`ondol convert --json`, facts as NDJSON, a zip of Parquet files, or the Arrow file that converters.storage reads.

The service knows no users: it is for its own machine, or for a platform that lets only invited callers in. So it
listens on the loopback address, on Cloud Run (K_SERVICE is set there, and IAM guards the door) on all addresses, and
elsewhere on others only with --allow-remote.

| option | environment | meaning | default |
| --- | --- | --- | --- |
| --host, --port | PORT | where it listens | 127.0.0.1:8081 |
| --allow-remote | K_SERVICE | another address than the loopback one is meant | no |
| --workers | CONVERTER_WORKERS | files converted at once | one a core |
| --queue | CONVERTER_QUEUE | requests that may wait or upload meanwhile; more get 503 | 4 a worker |
| --max-bytes | CONVERTER_MAX_BYTES | the largest file | 256 MB |
| --wall-seconds | CONVERTER_WALL_SECONDS | the longest conversion, and the longest upload | 600 |
| --root, repeated | CONVERTER_ROOTS, by spaces | folders and gs:// prefixes whose files may be named by URI | none |
| --cache | CONVERTER_CACHE | a folder or gs:// prefix that keeps results; old ones are its owner's to delete | none |
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from converters import VERSION, cache, export, openapi, sandbox, storage
from converters.answers import ARROW, MEDIA, Form, accepted, chunks, problem
from converters.intake import NAME_CHARACTERS, Intake, Refused, receive
from converters.lakes import LakeError, Lakes
from converters.options import DEFAULTS, Limits, Options

log = logging.getLogger("converters.service")

GONE = 499
"""What the log calls an answer that nobody waits for any more (nginx's word); it is never sent."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How the service runs: see the module's table."""

    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    queue: int | None = None
    limits: Limits = DEFAULTS.limits
    roots: tuple[str, ...] = ()
    cache: str | None = None

    @property
    def places(self) -> int:
        """Requests that may be inside at once."""
        return self.workers + (4 * self.workers if self.queue is None else self.queue)


def create_app(setup: Setup) -> FastAPI:
    """The service as an ASGI application.

    Raises:
        LakeError: a root or the cache is neither a folder nor a gs:// prefix.
    """
    service = Service(setup)
    app = openapi.Described(
        title="Ondol converter",
        version=VERSION,
        summary="Any business file in, typed and traceable tables out.",
        docs_url=None,
        redoc_url=None,
        lifespan=service.lifespan,
        redirect_slashes=False,
    )

    @app.post(
        "/v1/convert",
        operation_id="convert",
        response_class=JSONResponse,
        responses=openapi.ANSWERS,
        openapi_extra={"requestBody": openapi.REQUEST},
    )
    async def convert(
        request: Request,
        form: Annotated[Form | None, Query(alias="as", description="The form of the answer; else Accept says.")] = None,
        name: Annotated[
            str | None, Query(min_length=1, max_length=NAME_CHARACTERS, description="The file's name.")
        ] = None,
        max_rows: Annotated[int | None, Query(ge=1, le=1 << 31, description="Read so many rows of a sheet.")] = None,
    ) -> Response:
        """Convert one file.

        The body is a form with the part `file`, or a JSON object with the URI of a file in the lake, or, with any other
        Content-Type, the file itself. Passwords go into the form, the JSON, or the header Converter-Password
        (percent-encoded UTF-8; once for each).
        """
        wanted = form or accepted(request.headers.get("accept", "*/*"))
        return await service.answer(request, name, "" if wanted == ARROW else wanted, max_rows)

    @app.get("/healthz", response_model=openapi.Health)
    async def healthz() -> dict[str, str]:
        """Whether the process lives."""
        return {"status": "ok"}

    @app.get("/readyz", response_model=openapi.Health, responses={503: openapi.ANSWERS[503]})
    async def readyz() -> dict[str, str]:
        """Whether a request would be taken now."""
        service.check_room()
        return {"status": "ready"}

    for kind in (Refused, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, problem)
    return app


class Service:
    """One running service: its places, its slots in the sandbox, its cache."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._reachable = Lakes(setup.roots)
        self._cache = cache.Cache(setup.cache) if setup.cache else None
        self._slots = CapacityLimiter(setup.workers)
        self._inside = 0
        self._warm = False

    @contextlib.asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Ready once a first file went through the sandbox, which starts its worker."""
        with tempfile.TemporaryDirectory(prefix="converter-") as folder:
            path = Path(folder) / "warm.csv"
            path.write_text("a,b\n1,2\n")
            first = await to_thread.run_sync(sandbox.convert_safely, path)
        if first.state != "ok":
            raise RuntimeError(f"the sandbox does not work: {first.problems}")
        self._warm = True
        yield
        self._warm = False

    def check_room(self) -> None:
        """Refused, if a request would be."""
        if not self._warm or self._inside >= self._setup.places:
            detail = f"{self._inside} requests are inside; there is room for {self._setup.places}."
            raise Refused(503, "Busy", detail, "Try again after Retry-After seconds.", Retry_After="2")

    async def answer(self, request: Request, name: str | None, form: str, max_rows: int | None) -> Response:
        """The answer to one request, and its line in the log."""
        began = time.monotonic()
        told: dict[str, Any] = {"event": "convert", "status": 500, "form": form or ARROW}
        try:
            self.check_room()
            self._inside += 1
            try:
                response = await self._convert(request, name, form, max_rows, told)
            finally:
                self._inside -= 1
            told["status"] = response.status_code
        except Refused as refused:
            told["status"] = refused.status
            raise
        except ClientDisconnect:
            told["status"] = GONE
            return Response(status_code=400)
        finally:
            told["seconds"] = round(time.monotonic() - began, 3)
            log.info("%s", json.dumps(told))
        return response

    async def _convert(
        self, request: Request, name: str | None, form: str, max_rows: int | None, told: dict[str, Any]
    ) -> Response:
        with tempfile.TemporaryDirectory(prefix="converter-") as scratch:
            folder = Path(scratch)
            intake = await self._receive(request, name, folder)
            told |= {"sha256": intake.sha256, "bytes": intake.size}
            options = Options(self._setup.limits, intake.passwords, max_rows)
            result = await self._run(request, intake, options, form, folder, told)
            summary = storage.summary(result)
            told |= {"state": summary.state, "format": summary.format, "tables": len(summary.tables)}
            told |= {"problems": [p.code for p in summary.problems]}
            body = (export.form_path(result, form) if form else result).open("rb")
        headers = {
            "Content-Length": str(os.fstat(body.fileno()).st_size),
            "Conversion-State": summary.state,
            "Conversion-Sha256": summary.sha256,
            "Converter-Version": VERSION,
        }
        return StreamingResponse(chunks(body), media_type=MEDIA[form or ARROW], headers=headers)

    async def _receive(self, request: Request, name: str | None, folder: Path) -> Intake:
        limits = self._setup.limits
        try:
            with anyio.fail_after(limits.wall_seconds):
                return await receive(request, name, folder, self._reachable, limits.max_bytes)
        except TimeoutError:
            detail = f"The file did not come within {limits.wall_seconds:g} s."
            raise Refused(408, "Too slow", detail, "Send it again, or by URI.") from None

    async def _run(
        self, request: Request, intake: Intake, options: Options, form: str, folder: Path, told: dict[str, Any]
    ) -> Path:
        """The file of the result, once there is a slot for it; its form lies beside it.

        Raises:
            ClientDisconnect: nobody waits for it any more; the sandbox has been told.
        """
        cancel = sandbox.Cancel()
        result: Path | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(_watch, request, cancel, group.cancel_scope)
            made = partial(self._result, intake, options, form, folder, cancel, told)
            result = await to_thread.run_sync(made, limiter=self._slots)
            group.cancel_scope.cancel()
        if result is None or cancel.called:
            raise ClientDisconnect
        return result

    def _result(
        self, intake: Intake, options: Options, form: str, folder: Path, cancel: sandbox.Cancel, told: dict[str, Any]
    ) -> Path:
        key = cache.key(intake.sha256, intake.name, options) if self._cache else ""
        if self._cache and _tried(partial(self._cache.fetch, key, folder / "kept", form)):
            told["cache"] = "hit"
            return folder / "kept"
        job = (intake.path, intake.name)
        [result] = sandbox.convert_to_files([job], folder, workers=1, options=options, form=form, cancel=cancel)
        if self._cache and not cancel.called and cache.lasting(storage.summary(result).state):
            _tried(partial(self._cache.put, key, result, form))
        return result


def _tried(step: partial[Any]) -> bool | None:
    """What a step of the cache gives. One that fails costs no more than time: it is logged."""
    try:
        found: bool | None = step()
    except (LakeError, OSError, ValueError) as error:
        log.warning("%s", json.dumps({"event": "cache", "error": str(error)}))
        return None
    return found


async def _watch(request: Request, cancel: sandbox.Cancel, scope: anyio.CancelScope) -> None:
    """Gives the conversion up when the client goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    cancel()
    scope.cancel()


def main(arguments: list[str] | None = None) -> int:
    """Serves until it is told to stop; 2 if it may not listen where it is told to."""
    import uvicorn

    chosen = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if not (chosen.allow_remote or _is_loopback(chosen.host)):
        print(
            f"--host {chosen.host} lets other machines in, and the service asks nobody who they are: "
            "put it behind what does, and say --allow-remote",
            file=sys.stderr,
        )
        return 2
    if missing := [root for root in chosen.root if "://" not in root and not Path(root).is_dir()]:
        print(f"--root {missing[0]} is no folder: correct it, or make the folder", file=sys.stderr)
        return 2
    limits = replace(DEFAULTS.limits, max_bytes=chosen.max_bytes, wall_seconds=chosen.wall_seconds)
    try:
        app = create_app(Setup(chosen.workers, chosen.queue, limits, tuple(chosen.root), chosen.cache))
    except LakeError as error:
        print(error, file=sys.stderr)
        return 2
    uvicorn.run(app, host=chosen.host, port=chosen.port, access_log=False, log_config=None, server_header=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    env = os.environ.get
    cloud_run = "K_SERVICE" in os.environ
    parser = argparse.ArgumentParser(
        prog="python -m converters.service", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--host", default="0.0.0.0" if cloud_run else "127.0.0.1")
    parser.add_argument("--port", type=int, default=env("PORT", "8081"))
    parser.add_argument("--allow-remote", action="store_true", default=cloud_run)
    parser.add_argument("--workers", type=_count, default=env("CONVERTER_WORKERS", str(os.cpu_count() or 1)))
    parser.add_argument("--queue", type=_count, default=env("CONVERTER_QUEUE"))
    parser.add_argument("--max-bytes", type=_count, default=env("CONVERTER_MAX_BYTES", str(DEFAULTS.limits.max_bytes)))
    parser.add_argument("--wall-seconds", type=_count, default=env("CONVERTER_WALL_SECONDS", "600"))
    parser.add_argument("--root", action="append", default=env("CONVERTER_ROOTS", "").split())
    parser.add_argument("--cache", default=env("CONVERTER_CACHE"))
    return parser


def _count(text: str) -> int:
    """A whole number from 1 on."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
