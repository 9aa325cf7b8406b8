"""What every lake can do: keep bytes under a path of one tenant, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol


class Lake(Protocol):
    """One tenant's part of the lake.

    A path is relative ("raw/ab/abc…"); a URI names the same object from anywhere. Every write is atomic: a reader sees
    the old object or the new one, and a killed writer leaves neither half an object nor a lock.
    """

    def put(self, path: str, body: bytes) -> str:
        """Write an object, replacing what is there; its URI."""
        ...

    def put_stream(self, source: BinaryIO, max_bytes: int) -> tuple[str, str, int]:
        """Store a raw file once under the SHA-256 of its bytes: (URI, sha256, size). ValueError past max_bytes."""
        ...

    def get(self, uri: str) -> bytes:
        """The object's bytes; FileNotFoundError naming the URI if there is none."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is an object of that path."""
        ...

    def uri(self, path: str) -> str:
        """The URI of a path, whether or not there is such an object."""
        ...

    def local(self, uri: str) -> Path:
        """A local file with the object's bytes, for readers that need one; not to be written."""
        ...

    def paths(self, prefix: str) -> Iterator[str]:
        """The paths that begin with the prefix, sorted."""
        ...


def raw_path(sha256: str) -> str:
    """Where a raw file of that content is kept, in any lake."""
    return f"raw/{sha256[:2]}/{sha256}"
