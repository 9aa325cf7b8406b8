"""A tenant's YAML as the API reads it, and replaces it: whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ondol.api.problems import Refused, wrong_file
from ondol.config.document import Document, read
from ondol.config.edit import Kind, find
from ondol.config.loader import load_tenant
from ondol.config.tenant import Tenant
from ondol.errors import ConfigError
from ondol.faults import point


@dataclass(frozen=True, slots=True)
class File:
    """One right file: its bytes, its content as written, and the tenant that it makes."""

    path: Path
    body: bytes
    document: Document
    tenant: Tenant

    @property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.body).hexdigest()

    def entry(self, kind: Kind, name: str) -> dict[str, Any] | None:
        """The source or item of that id as written; None if there is none."""
        number = find(self.document, kind, name)
        return None if number is None else self.document.data[kind][number]

    def replaced(self, body: bytes, *, status: int, title: str) -> File:
        """The file as it would be with that content.

        Raises:
            Refused: the loader finds something wrong with it; the lines are those of the file as it would be.
        """
        try:
            return File(self.path, body, read(self.path, body), load_tenant(self.path, body))
        except ConfigError as error:
            detail = "With this the tenant's file would be wrong; nothing was changed."
            raise wrong_file(error, status=status, title=title, detail=detail) from None

    def write(self, body: bytes) -> None:
        """Put that content in the place of this, at once; a reader sees the one or the other.

        Raises:
            Refused: somebody else has changed the file meanwhile, or it cannot be written here.
        """
        target = self.path.resolve()
        part = target.with_name(f".{target.name}.new")
        try:
            with part.open("wb") as file:
                part.chmod(target.stat().st_mode & 0o777)
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            point("config:written")
            if target.read_bytes() != self.body:
                part.unlink()
                raise Refused(412, "Changed meanwhile", f"{self.path.name} was changed by somebody else just now.",
                              "Read it again and repeat the change.")  # fmt: skip
            part.replace(target)
            with _opened(target.parent) as folder:
                os.fsync(folder)
        except OSError as error:
            raise Refused(
                503, "Read-only", f"{self.path.name} cannot be written: {error.strerror}.",
                "Let the service write to the folder of the tenants' files, or change the file where it is kept.",
            ) from None  # fmt: skip


def open_file(path: Path) -> File:
    """The tenant's file.

    Raises:
        Refused: 409, what is wrong with it has to be mended by hand.
    """
    try:
        body = path.read_bytes()
        return File(path, body, read(path, body), load_tenant(path, body))
    except ConfigError as error:
        detail = "The tenant's file is wrong, so that it can neither be shown nor changed here."
        raise wrong_file(error, status=409, title="The tenant's file is wrong", detail=detail) from None
    except OSError as error:
        raise Refused(503, "Cannot be read", f"The tenant's file cannot be read: {error.strerror}.",
                      "Try again; if it stays, the platform's operator has to look.") from None  # fmt: skip


def etag(resource: Mapping[str, Any]) -> str:
    """The strong ETag of what a GET gives."""
    text = json.dumps(resource, sort_keys=True, ensure_ascii=False, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
