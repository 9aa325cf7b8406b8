"""The lake as a folder: one sub-folder a tenant, every write a rename."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ondol.errors import FatalError
from ondol.faults import point
from ondol.lake.base import raw_path

CHUNK = 1 << 20


class LocalLake:
    """One tenant's folder `<root>/<tenant>`; URIs are file:// URIs inside it."""

    def __init__(self, root: Path, tenant: str) -> None:
        self.root = (root / tenant).resolve()

    def put(self, path: str, body: bytes) -> str:
        """See Lake."""
        target = self._target(path)
        with self._temporary() as temporary:
            temporary.write(body)
            self._publish(temporary, target)
        return target.as_uri()

    def put_stream(self, source: BinaryIO, max_bytes: int) -> tuple[str, str, int]:
        """See Lake."""
        digest, size = hashlib.sha256(), 0
        with self._temporary() as temporary:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > max_bytes:
                    Path(temporary.name).unlink()
                    raise ValueError(f"larger than {max_bytes:,} bytes")
                digest.update(chunk)
                temporary.write(chunk)
            target = self._target(raw_path(digest.hexdigest()))
            if target.exists():
                Path(temporary.name).unlink()
            else:
                self._publish(temporary, target)
        return target.as_uri(), digest.hexdigest(), size

    def get(self, uri: str) -> bytes:
        """See Lake."""
        return self.local(uri).read_bytes()

    def exists(self, path: str) -> bool:
        """See Lake."""
        return self._target(path).is_file()

    def uri(self, path: str) -> str:
        """See Lake."""
        return self._target(path).as_uri()

    def local(self, uri: str) -> Path:
        """See Lake."""
        path = Path.from_uri(uri) if hasattr(Path, "from_uri") else _from_uri(uri)
        if not path.resolve().is_relative_to(self.root):
            raise FatalError(
                f"{uri} is outside of this tenant's lake {self.root}: a stage may read its own tenant only"
            )
        if not path.is_file():
            raise FileNotFoundError(f"{uri} is not in the lake")
        return path

    def paths(self, prefix: str) -> Iterator[str]:
        """See Lake."""
        found = (p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file())
        yield from sorted(p for p in found if p.startswith(prefix) and not p.startswith("tmp/"))

    def _target(self, path: str) -> Path:
        target = (self.root / path).resolve()
        if not target.is_relative_to(self.root) or target == self.root:
            raise FatalError(f"{path!r} leaves this tenant's lake {self.root}")
        return target

    def _temporary(self) -> tempfile._TemporaryFileWrapper[bytes]:
        (self.root / "tmp").mkdir(parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=self.root / "tmp", delete=False)

    def _publish(self, temporary: tempfile._TemporaryFileWrapper[bytes], target: Path) -> None:
        temporary.flush()
        os.fsync(temporary.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        point(f"lake:{target.parent.name}:before")
        Path(temporary.name).replace(target)
        point(f"lake:{target.parent.name}:after")


def _from_uri(uri: str) -> Path:
    from urllib.parse import unquote, urlsplit

    return Path(unquote(urlsplit(uri).path))
