"""Source `folder`: files in a folder, or in one sub-folder for each date of arrival.

Names that old zip tools, FTP or Samba wrote in CP949 are read as such. Links that lead out of the folder, broken links
and things that are no files are never opened; they are offered, so that crawl tells of them in quarantine.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ondol.config.tenant import FolderSource
from ondol.errors import Rejected, RetriableError
from ondol.interval import Interval
from ondol.sources.base import Found


class FolderConnector:
    """Lists a local folder."""

    def __init__(self, source: FolderSource, *, home: Path, zone: ZoneInfo) -> None:
        self.source = source
        self.zone = zone
        fixed, _, self._rest = source.path.partition("{date}")
        self._dated = "{date}" in source.path
        self._head = home / fixed
        self._base = self._head if not self._dated or fixed.endswith("/") else self._head.parent

    def list(self, interval: Interval) -> Iterator[Found]:
        """See Connector."""
        if not self._base.is_dir():
            raise RetriableError(
                f"source '{self.source.id}': the folder {self._base} is not there. Is it mounted, and is 'path' right?"
            )
        if not self._dated:
            yield from (f for f in self._files(self._base, None) if f.arrived in interval)
            return
        for date in interval.dates:
            folder = Path(
                f"{self._head}/{date}{self._rest}" if self._head == self._base else f"{self._head}{date}{self._rest}"
            )
            if folder.is_dir():
                yield from self._files(folder, dt.datetime.combine(date, dt.time(), self.zone))

    @contextmanager
    def open(self, found: Found) -> Iterator[BinaryIO]:
        """See Connector."""
        path = self._base / (found.handle or found.location)
        if odd := self._odd(path):
            raise Rejected(
                f"{found.location} in source '{self.source.id}' is {odd}.",
                "Put the file itself into the folder, or take this away.",
            )
        try:
            file = path.open("rb")
        except OSError as error:
            raise Rejected(
                f"{found.location} in source '{self.source.id}' cannot be read: {error.strerror}.",
                "Give the platform's user the right to read it; the next run tries again.",
            ) from error
        with file:
            yield file

    def _files(self, folder: Path, arrived: dt.datetime | None) -> Iterator[Found]:
        for path in sorted(folder.glob(self.source.pattern)):
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                continue
            handle = path.relative_to(self._base).as_posix()
            yield Found(
                name=unicodedata.normalize("NFC", readable(path.name)),
                location=readable(handle),
                arrived=arrived or dt.datetime.fromtimestamp(status.st_mtime, self.zone),
                size=status.st_size,
                handle=handle,
            )

    def _odd(self, path: Path) -> str:
        """Why a path is not opened; empty for a file of this folder."""
        if path.is_symlink() and not path.exists():
            return "a link to nothing"
        if not path.resolve().is_relative_to(self._base.resolve()):
            return "a link that leads out of the folder"
        return "" if path.is_file() else "not a file"


def readable(name: str) -> str:
    """A name of the file system as Unicode: bytes that are not UTF-8 are read as CP949, else escaped."""
    raw = os.fsencode(name)
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")
