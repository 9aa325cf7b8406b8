"""The lake in Google Cloud Storage: one prefix a tenant (or a bucket of its own), every write one conditional upload.

An upload appears whole or not at all and carries its CRC32C, which the server and every download check. A raw file is
written only if it is absent (if_generation_match=0): whoever comes second finds it there.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ondol.errors import FatalError, RetriableError
from ondol.faults import point
from ondol.lake.base import raw_path

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket

CHUNK = 1 << 20
PART = 8 << 20
"""Uploads above this size are resumable, in parts of this size; smaller ones are a single request."""
TIMEOUT = (10, 120)
"""Seconds to connect, and to wait for the next byte."""


class GcsLake:
    """One tenant's objects gs://<bucket>/<prefix>/<tenant>/….

    Args:
        root: gs://bucket or gs://bucket/prefix.
        tenant: its folder there.
    """

    def __init__(self, root: str, tenant: str) -> None:
        bucket, _, prefix = root.removeprefix("gs://").strip("/").partition("/")
        if not root.startswith("gs://") or not bucket:
            raise FatalError(f"the lake is {root!r}: give gs://bucket or gs://bucket/prefix")
        self.bucket = bucket
        self.prefix = f"{prefix}/{tenant}/" if prefix else f"{tenant}/"

    def put(self, path: str, body: bytes) -> str:
        """See Lake."""
        blob = self._blob(path)
        point(f"lake:{Path(path).parent.name}:before")
        with self._telling(path):
            blob.upload_from_string(body, "application/octet-stream", checksum="crc32c", timeout=TIMEOUT, retry=retry())
        point(f"lake:{Path(path).parent.name}:after")
        return self.uri(path)

    def put_stream(self, source: BinaryIO, max_bytes: int) -> tuple[str, str, int]:
        """See Lake; a large file waits on the local disk until its SHA-256, which is its name, is known."""
        digest, size = hashlib.sha256(), 0
        with tempfile.SpooledTemporaryFile(max_size=PART) as scratch:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > max_bytes:
                    raise ValueError(f"larger than {max_bytes:,} bytes")
                digest.update(chunk)
                scratch.write(chunk)
            path = raw_path(digest.hexdigest())
            if not self.exists(path):
                scratch.seek(0)
                point("lake:raw:before")
                self._upload_once(path, scratch, size)
                point("lake:raw:after")
        return self.uri(path), digest.hexdigest(), size

    def get(self, uri: str) -> bytes:
        """See Lake."""
        path = self._path(uri)
        with self._telling(path):
            body: bytes = self._blob(path).download_as_bytes(checksum="crc32c", timeout=TIMEOUT, retry=retry())
        return body

    def exists(self, path: str) -> bool:
        """See Lake."""
        with self._telling(path):
            return bool(self._blob(path).exists(timeout=TIMEOUT, retry=retry()))

    def uri(self, path: str) -> str:
        """See Lake."""
        return f"gs://{self.bucket}/{self._name(path)}"

    def local(self, uri: str) -> Path:
        """See Lake; the copy is kept until this process ends, under the generation that it is of."""
        path = self._path(uri)
        blob = self._blob(path)
        with self._telling(path):
            blob.reload(timeout=TIMEOUT, retry=retry())
            target = self._copies / f"{hashlib.sha256(path.encode()).hexdigest()}-{blob.generation}"
            if not target.exists():
                with tempfile.NamedTemporaryFile(dir=self._copies, delete=False) as scratch:
                    blob.download_to_file(
                        scratch,
                        if_generation_match=blob.generation,
                        checksum="crc32c",
                        timeout=TIMEOUT,
                        retry=retry(),
                    )
                Path(scratch.name).replace(target)
        return target

    def paths(self, prefix: str) -> Iterator[str]:
        """See Lake."""
        with self._telling(prefix):
            for blob in self._bucket.client.list_blobs(
                self._bucket, prefix=self.prefix + prefix, timeout=TIMEOUT, retry=retry()
            ):
                yield blob.name.removeprefix(self.prefix)

    def _upload_once(self, path: str, body: Any, size: int) -> None:
        from google.api_core.exceptions import PreconditionFailed

        try:
            with self._telling(path):
                self._blob(path).upload_from_file(
                    body,
                    size=size,
                    content_type="application/octet-stream",
                    if_generation_match=0,
                    checksum="crc32c",
                    timeout=TIMEOUT,
                    retry=retry(),
                )
        except PreconditionFailed:
            return  # the same bytes are there: an earlier try of this upload, or another run's

    def _name(self, path: str) -> str:
        if not path or path.startswith("/") or {"", ".", ".."} & set(path.split("/")):
            raise FatalError(f"{path!r} leaves this tenant's lake gs://{self.bucket}/{self.prefix}")
        return self.prefix + path

    def _path(self, uri: str) -> str:
        root = f"gs://{self.bucket}/{self.prefix}"
        if not uri.startswith(root):
            raise FatalError(f"{uri} is outside of this tenant's lake {root}: a stage may read its own tenant only")
        return uri.removeprefix(root)

    def _blob(self, path: str) -> Blob:
        return self._bucket.blob(self._name(path), chunk_size=PART)

    @cached_property
    def _bucket(self) -> Bucket:
        return client().bucket(self.bucket)

    @cached_property
    def _copies(self) -> Path:
        folder = tempfile.mkdtemp(prefix="ondol-lake-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    @contextmanager
    def _telling(self, path: str) -> Iterator[None]:
        """Turns what the client raises into what a stage knows; PreconditionFailed passes.

        Raises:
            FileNotFoundError: there is no such object.
            FatalError: the bucket is not there, or refuses this account.
            RetriableError: the service is away, busy, or sent damaged bytes, and the client's own retries are used up.
        """
        from google.api_core import exceptions
        from google.auth.exceptions import GoogleAuthError
        from google.cloud.storage.exceptions import DataCorruption
        from requests import RequestException

        where = f"gs://{self.bucket}/{self.prefix}{path}"
        try:
            yield
        except exceptions.NotFound as error:
            if "bucket" in str(error.message).lower():
                raise FatalError(
                    f"the bucket gs://{self.bucket} does not exist: make it, or correct the lake"
                ) from error
            raise FileNotFoundError(f"{where} is not in the lake") from error
        except exceptions.PreconditionFailed:
            raise
        except (exceptions.Forbidden, exceptions.Unauthorized, GoogleAuthError) as error:
            raise FatalError(
                f"{where}: access is refused ({type(error).__name__}): give this service account "
                "roles/storage.objectUser on the bucket"
            ) from error
        except (exceptions.GoogleAPICallError, exceptions.RetryError, RequestException, DataCorruption) as error:
            raise RetriableError(f"{where}: {type(error).__name__}: {str(error)[:200]}") from error


@cache
def client() -> Any:
    """One client a process; STORAGE_EMULATOR_HOST, which the library honours, needs no credentials."""
    import os

    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return storage.Client(project="emulator", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    return storage.Client()


def retry() -> Any:
    """The library's own retry with a shorter deadline: every call here may be made again."""
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(60.0)
