"""Conversions by the converter's service (python -m converters.service), on this machine or on Cloud Run."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx

from ondol.conversion.base import File
from ondol.errors import FatalError, OndolError, RetriableError
from ondol.lake.base import Lake

if TYPE_CHECKING:
    from converters.options import Options

log = logging.getLogger(__name__)

PAUSES = (0.5, 2.0, 5.0)
"""Seconds before each further attempt on a service that does not answer or fails."""

PATIENCE = 900.0
"""Seconds to go on knocking at a service that is busy."""


class ServiceConverter:
    """Sends each file to the service at a URL, or its URI where the lake is one that the service reads itself.

    On run.app it comes with this service account's identity token.
    """

    def __init__(self, lake: Lake, workers: int, address: str) -> None:
        self._lake = lake
        self._workers = workers
        self._url = address.rstrip("/")

    def convert(self, files: Sequence[File], options: Options) -> None:
        """See Converter."""
        if not files:
            return
        headers = [("Converter-Password", quote(password, safe="")) for password in options.passwords]
        if (urlsplit(self._url).hostname or "").endswith(".run.app"):
            headers.append(("Authorization", f"Bearer {_identity(self._url)}"))
        timeout = httpx.Timeout(60, connect=10, read=options.limits.wall_seconds + PATIENCE)
        with httpx.Client(headers=headers, timeout=timeout) as client, ThreadPoolExecutor(self._workers) as pool:
            asked = [pool.submit(self._convert, client, file) for file in files]
            try:
                for one in asked:
                    one.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _convert(self, client: httpx.Client, file: File) -> None:
        answer = self._answer(client, file)
        if answer.status_code == 413:
            self._lake.put(file.path, _too_large(file, answer))
            return
        if answer.status_code != 200:
            raise self._failure(answer)
        self._check(file, answer)
        self._lake.put(file.path, answer.content)

    def _answer(self, client: httpx.Client, file: File) -> httpx.Response:
        """The answer to one file, after as many attempts as it takes; the last one where none is good."""
        until = time.monotonic() + PATIENCE
        pauses = iter(PAUSES)
        while True:
            try:
                answer = self._ask(client, file)
            except httpx.ReadTimeout:
                raise self._down(f"nothing came within {client.timeout.read:g} s") from None
            except httpx.TransportError as error:
                self._pause(pauses, self._down(f"{type(error).__name__}: {error}"))
                continue
            if answer.status_code == 503 and time.monotonic() < until:
                time.sleep(_seconds(answer.headers.get("retry-after", "")))
            elif answer.status_code >= 500:
                self._pause(pauses, self._failure(answer))
            else:
                return answer

    def _ask(self, client: httpx.Client, file: File) -> httpx.Response:
        url, query = f"{self._url}/v1/convert", {"as": "arrow", "name": file.name}
        if file.uri.startswith("gs://"):
            return client.post(url, params=query, json={"uri": file.uri})
        with self._lake.local(file.uri).open("rb") as stream:
            return client.post(url, params=query, content=stream)

    @staticmethod
    def _pause(pauses: Iterator[float], error: OndolError) -> None:
        """Wait before the next attempt; raises the error if there is none left."""
        if (seconds := next(pauses, None)) is None:
            raise error
        log.warning("%s; again in %s s", error, seconds)
        time.sleep(seconds)

    def _check(self, file: File, answer: httpx.Response) -> None:
        from converters import VERSION

        version = answer.headers.get("converter-version")
        if version != VERSION:
            raise RetriableError(
                f"the converter at {self._url} is version {version}, and this is version {VERSION}: "
                "deploy the same version of both"
            )
        if answer.headers.get("conversion-sha256") != file.sha256:
            raise RetriableError(f"the converter at {self._url} got other bytes of {file.name!r} than were sent")

    def _down(self, why: str) -> RetriableError:
        return RetriableError(f"the converter at {self._url} does not answer ({why}): is it up? See ONDOL_CONVERTER")

    def _failure(self, answer: httpx.Response) -> OndolError:
        said = f"the converter at {self._url} answers {answer.status_code}: {_problem(answer).get('detail', '')}"
        if answer.status_code >= 500:
            return RetriableError(f"{said.rstrip()} See its log")
        if answer.status_code in (401, 403) and not _problem(answer).get("remedy"):
            return FatalError(f"{said.rstrip()} Give this service account the role roles/run.invoker on it")
        remedy = _problem(answer).get("remedy", "Is ONDOL_CONVERTER the URL of the converter's service?")
        return FatalError(f"{said.rstrip()} {remedy}")


def _identity(audience: str) -> str:
    """The identity token that Cloud Run asks its callers for."""
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request
    from google.oauth2.id_token import fetch_id_token

    try:
        token: str = fetch_id_token(Request(), audience)  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        raise FatalError(f"no identity token for the converter at {audience}: {error}") from None
    return token


def _too_large(file: File, answer: httpx.Response) -> bytes:
    """The result of a file that the service does not take for its size."""
    from converters import storage
    from converters.model import Conversion, Problem

    said = _problem(answer)
    problem = Problem("over_limit", f"{file.name}: {said.get('detail', 'too large')}", str(said.get("remedy", "")))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result"
        storage.save(Conversion(file.name, file.sha256, None, "quarantined", problems=[problem]), path)
        return path.read_bytes()


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(retry_after: str) -> float:
    return min(float(retry_after), 60.0) if retry_after.isdecimal() else 2.0
