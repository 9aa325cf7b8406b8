"""Real places that files come from, for the conformance suite: each can be filled, broken and closed to us."""

from __future__ import annotations

import ctypes
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pytest

from tests.ondol.sources.sshd import Sshd


class Harness(Protocol):
    """One kind of source on a real server.

    Args:
        raw_names: whether names may be bytes that are no UTF-8.
        archives: whether it can tidy up into the folder `done`.
    """

    raw_names: ClassVar[bool]
    archives: ClassVar[bool]

    def source(self, **more: object) -> dict[str, Any]:
        """The source's YAML."""
        ...

    def put(self, name: str | bytes, body: bytes) -> None:
        """A file appears, whole and some time ago, or is replaced."""
        ...

    def grow(self, size: int) -> None:
        """A file of zeros, big.bin, appears."""
        ...

    def remove(self, name: str) -> None:
        """A file goes."""
        ...

    def names(self, folder: str = "") -> set[str]:
        """The files directly in a folder there."""
        ...

    def down(self) -> AbstractContextManager[None]:
        """While it lasts the source does not answer, or is not there."""
        ...

    def closed(self) -> AbstractContextManager[None]:
        """While it lasts the source refuses us."""
        ...


@contextmanager
def without_roots_rights() -> Iterator[None]:
    """While it lasts, file permissions hold for this thread, and those that it starts, even if it is root's."""
    if os.geteuid():
        yield
        return
    library = ctypes.CDLL(None, use_errno=True)
    header, before = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert library.capget(header, before) == 0, os.strerror(ctypes.get_errno())
    less = (ctypes.c_uint32 * 6)(*before)
    less[0] &= ~(1 << 1 | 1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert library.capset(header, less) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        library.capset(header, before)


class FolderHarness:
    """A folder of this machine."""

    raw_names: ClassVar[bool] = True
    archives: ClassVar[bool] = True

    def __init__(self, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        self._postgres_home: Path = request.getfixturevalue("postgres_home")
        self.root = tmp_path / "drop"
        self.root.mkdir()
        self._ago = time.time() - 1000

    def source(self, **more: object) -> dict[str, Any]:
        return {"id": "place", "type": "folder", "path": str(self.root), **more}

    def put(self, name: str | bytes, body: bytes) -> None:
        path = Path(os.fsdecode(os.fsencode(self.root) + b"/" + os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self._ago += 10
        os.utime(path, (self._ago, self._ago))

    def grow(self, size: int) -> None:
        self.put("big.bin", b"")
        os.truncate(self.root / "big.bin", size)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def names(self, folder: str = "") -> set[str]:
        return {path.name for path in (self.root / folder).iterdir() if path.is_file()}

    @contextmanager
    def down(self) -> Iterator[None]:
        away = self.root.with_name("away")
        self.root.rename(away)
        yield
        away.rename(self.root)

    @contextmanager
    def closed(self) -> Iterator[None]:
        postgres = self._postgres_home / "pg"
        rights = postgres.stat().st_mode
        postgres.chmod(0o711)  # its socket is in there, and the folder another user's
        self.root.chmod(0)
        with without_roots_rights():
            yield
        self.root.chmod(0o755)
        postgres.chmod(rights)


class GcsHarness:
    """A bucket on a server that speaks Cloud Storage's protocol."""

    raw_names: ClassVar[bool] = False
    archives: ClassVar[bool] = False

    def __init__(self, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        from ondol.lake import gcs

        self._patch = pytest.MonkeyPatch()
        request.addfinalizer(self._patch.undo)
        self._patch.setenv("STORAGE_EMULATOR_HOST", request.getfixturevalue("gcs_server"))
        gcs.client.cache_clear()
        self._prefix = uuid.uuid4().hex
        self._bucket = gcs.client().bucket("lake")

    def source(self, **more: object) -> dict[str, Any]:
        return {"id": "place", "type": "gcs", "bucket": f"gs://lake/{self._prefix}", **more}

    def put(self, name: str | bytes, body: bytes) -> None:
        assert isinstance(name, str)
        self._bucket.blob(f"{self._prefix}/{name}").upload_from_string(body)

    def grow(self, size: int) -> None:
        self.put("big.bin", bytes(size))

    def remove(self, name: str) -> None:
        self._bucket.blob(f"{self._prefix}/{name}").delete()

    def names(self, folder: str = "") -> set[str]:
        head = f"{self._prefix}/{folder}"
        return {b.name.removeprefix(head) for b in self._bucket.client.list_blobs("lake", prefix=head)}

    @contextmanager
    def down(self) -> Iterator[None]:
        from google.cloud.storage.retry import DEFAULT_RETRY

        from ondol.lake import gcs
        from ondol.sources import gcs as source

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
            patch.setattr(source, "retry", lambda: DEFAULT_RETRY.with_timeout(0.5))
            gcs.client.cache_clear()
            yield
        gcs.client.cache_clear()

    @contextmanager
    def closed(self) -> Iterator[None]:
        self._prefix, before = "x", self._prefix
        bucket, self.source = self.source, lambda **more: {**bucket(**more), "bucket": "gs://no-such-bucket"}  # type: ignore[method-assign]
        yield
        self._prefix, self.source = before, bucket  # type: ignore[method-assign]


class SftpHarness(FolderHarness):
    """A folder of this machine behind a real SSH server."""

    def __init__(self, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        super().__init__(request, tmp_path)
        self.server: Sshd = request.getfixturevalue("sshd")
        self._patch = pytest.MonkeyPatch()
        request.addfinalizer(self._patch.undo)
        self._patch.setenv("ONDOL_SECRET_HANBIT__CLIENT_KEY", self.server.private("client"))

    def source(self, **more: object) -> dict[str, Any]:
        server = {"host": "127.0.0.1", "port": self.server.port, "user": self.server.user, "key": "client-key",
                  "host_keys": [self.server.public("host")]}  # fmt: skip
        return {"id": "place", "type": "sftp", "server": server, "path": str(self.root), **more}

    @contextmanager
    def down(self) -> Iterator[None]:
        self.server.stop()
        yield
        self.server.start()

    @contextmanager
    def closed(self) -> Iterator[None]:
        self.server.keep_out()
        yield
        self.server.let_in()


HARNESSES: dict[str, type[FolderHarness] | type[GcsHarness]] = {
    "folder": FolderHarness,
    "gcs": GcsHarness,
    "sftp": SftpHarness,
}
