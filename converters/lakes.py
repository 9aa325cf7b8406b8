"""Objects of a lake by their URI: files below a folder (file:///data/lake/…) or objects of GCS (gs://bucket/…).

What a URI may reach is fixed by *roots*: folders, or buckets with a prefix. Nothing else can be named: no other scheme,
no `..`, no link out of a folder, nothing that is not a plain file.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

CHUNK = 1 << 20


class LakeError(Exception):
    """A URI that names nothing that can be had; the message says why, the remedy what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.message = message
        self.remedy = remedy


class Outside(LakeError):
    """The URI leads out of the roots."""


class Missing(LakeError):
    """There is no such object."""


class Unreachable(LakeError):
    """The lake does not answer, or lets nobody in."""


class Lakes:
    """What lies below some roots.

    Args:
        roots: folders (a path or file://) and gs://bucket or gs://bucket/prefix.

    Raises:
        LakeError: a root is neither.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        self.roots = tuple(roots)
        self._stores = [_Bucket(root) if root.startswith("gs://") else _Folder(root) for root in roots]

    @contextlib.contextmanager
    def open(self, uri: str) -> Iterator[BinaryIO]:
        """A stream over an object's bytes.

        Raises:
            Outside, Missing, Unreachable: see there.
        """
        store, path = self._find(uri)
        with store.open(path, uri) as stream:
            yield stream

    def exists(self, uri: str) -> bool:
        """Whether there is such an object."""
        store, path = self._find(uri)
        return store.exists(path)

    def put(self, uri: str, source: Path) -> None:
        """Writes a file's bytes to an object: whole or not at all, in place of what is there."""
        store, path = self._find(uri)
        store.put(path, source)

    def _find(self, uri: str) -> tuple[_Folder | _Bucket, str]:
        for store in self._stores:
            if (path := store.path(uri)) is not None:
                return store, path
        allowed = ", ".join(self.roots) or "nothing, for it has no root"
        raise Outside(f"{uri[:200]} is outside of what may be read.", f"Allowed is: {allowed}.")


class _Folder:
    """A folder of this machine."""

    def __init__(self, root: str) -> None:
        parts = urlsplit(root)
        if parts.scheme not in ("", "file") or parts.netloc:
            raise LakeError(f"{root} is no root.", "Give a folder, file:///folder or gs://bucket/prefix.")
        named = Path(unquote(parts.path) if parts.scheme else root).absolute()
        self._names = {named, named.resolve()}
        self._root = named.resolve()

    def path(self, uri: str) -> str | None:
        """The path below the root that a URI names, if it names one."""
        if uri.startswith("file:///"):
            uri = unquote(urlsplit(uri).path)
        if not uri.startswith("/") or "\0" in uri or {".", ".."} & set(uri.split("/")):
            return None
        for name in self._names:
            if (path := Path(uri)).is_relative_to(name) and path != name:
                return path.relative_to(name).as_posix()
        return None

    @contextlib.contextmanager
    def open(self, path: str, uri: str) -> Iterator[BinaryIO]:
        """Opens from folder to folder, following no link: a link may be changed after it was looked at."""
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            *above, last = path.split("/")
            for part in above:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = inner
            file = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise Outside(f"{uri[:200]} leads through a link.", "Name the file itself.") from None
            raise Missing(f"{uri[:200]} cannot be read: {error.strerror}.", "Check the URI.") from None
        finally:
            os.close(folder)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise Outside(f"{uri[:200]} is no plain file.", "Name a file.")
        with os.fdopen(file, "rb") as stream:
            yield stream

    def exists(self, path: str) -> bool:
        """Whether there is a plain file."""
        return (self._root / path).is_file()

    def put(self, path: str, source: Path) -> None:
        """Writes beside it, then renames."""
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".part", delete=False)
        try:
            with scratch, source.open("rb") as stream:
                shutil.copyfileobj(stream, scratch, CHUNK)
                scratch.flush()
                os.fsync(scratch.fileno())
            Path(scratch.name).replace(target)
        except BaseException:
            Path(scratch.name).unlink(missing_ok=True)
            raise


class _Bucket:
    """A bucket of Google Cloud Storage, or what begins with a prefix in it; an object appears whole or not at all."""

    def __init__(self, root: str) -> None:
        self._name, _, prefix = root.removeprefix("gs://").partition("/")
        self._prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        if not self._name:
            raise LakeError(f"{root} is no root.", "Give gs://bucket or gs://bucket/prefix.")

    def path(self, uri: str) -> str | None:
        """The name of the object that a URI names, if it is below the prefix."""
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        below = uri.startswith("gs://") and bucket == self._name and name.startswith(self._prefix)
        return name if below and name != self._prefix else None

    @contextlib.contextmanager
    def open(self, path: str, uri: str) -> Iterator[BinaryIO]:
        """The object as it is when it is opened."""
        with self._answers():
            if (blob := self._bucket.get_blob(path)) is None:
                raise Missing(f"{uri[:200]} is not there.", "Check the URI.")
            with blob.open("rb", chunk_size=8 << 20, if_generation_match=blob.generation) as stream:
                yield cast(BinaryIO, stream)

    def exists(self, path: str) -> bool:
        """Whether there is such an object."""
        with self._answers():
            return bool(self._bucket.blob(path).exists())

    def put(self, path: str, source: Path) -> None:
        """One upload."""
        with self._answers():
            self._bucket.blob(path).upload_from_filename(str(source), content_type="application/octet-stream")

    @contextlib.contextmanager
    def _answers(self) -> Iterator[None]:
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError
        from requests import RequestException

        try:
            yield
        except (GoogleAPICallError, GoogleAuthError, RequestException) as error:
            message = f"the bucket gs://{self._name} cannot be used: {str(error)[:200]}."
            raise Unreachable(message, "Check its name and what this service account may do there.") from None

    @property
    def _bucket(self) -> Any:
        return _client().bucket(self._name)


@functools.cache
def _client() -> Any:
    from google.cloud import storage

    return storage.Client()


def copy(source: IO[bytes], target: IO[bytes], most: int | None = None) -> tuple[str, int]:
    """Copies a stream: SHA-256 and size of what was copied, which stops one byte past `most`, if that is given."""
    digest, size = hashlib.sha256(), 0
    while most is None or size <= most:
        chunk = source.read(CHUNK if most is None else min(CHUNK, most + 1 - size))
        if not chunk:
            break
        size += len(chunk)
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest(), size
