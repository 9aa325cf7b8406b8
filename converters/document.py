"""A document: the bytes of one file with its name, wherever they are."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from converters.formats.meter import Budget

HEAD = 1 << 16


@dataclass
class Document:
    """One file.

    Args:
        name: its name as the sender gave it; only messages and the sheet name of a text file use it.
        path: where its bytes are, unless `data` holds them.
        container: of a file inside archives or mails: the names from the outermost one down to its own; else empty.
        budget: of a file inside archives or mails: what the outermost one and all that is nested in it cost together.
    """

    name: str
    path: Path | None = None
    data: bytes | None = None
    container: tuple[str, ...] = ()
    budget: Budget | None = None

    @classmethod
    def of(cls, source: str | Path | bytes, name: str | None = None) -> Document:
        """A document of a path or of bytes."""
        if isinstance(source, bytes):
            return cls(name or "input", data=source)
        path = Path(source)
        return cls(name or path.name, path=path)

    @property
    def stem(self) -> str:
        """The name without folders and extension: the sheet name of a format without sheets."""
        return PurePath(self.name.replace("\\", "/")).stem or self.name

    @cached_property
    def size(self) -> int:
        """In bytes."""
        return len(self.data) if self.data is not None else self._path.stat().st_size

    @cached_property
    def head(self) -> bytes:
        """The first 64 kB."""
        with self.open() as stream:
            return stream.read(HEAD)

    @cached_property
    def content(self) -> bytes:
        """All bytes."""
        return self.data if self.data is not None else self._path.read_bytes()

    @cached_property
    def sha256(self) -> str:
        """Of the bytes, in hex."""
        with self.open() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def open(self) -> io.BufferedIOBase:
        """A new stream over the bytes."""
        return io.BytesIO(self.data) if self.data is not None else self._path.open("rb")

    @property
    def _path(self) -> Path:
        assert self.path is not None, "a document has a path or data"
        return self.path
