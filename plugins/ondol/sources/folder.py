"""Source `folder`: files in a folder, or in one sub-folder for each date of arrival."""

from __future__ import annotations

import datetime as dt
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
    """Lists a local folder; links that lead out of it are not followed."""

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
        path = self._base / found.location
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
        base = self._base.resolve()
        for path in sorted(folder.glob(self.source.pattern)):
            if not path.is_file() or not path.resolve().is_relative_to(base):
                continue
            status = path.stat()
            yield Found(
                name=unicodedata.normalize("NFC", path.name),
                location=path.relative_to(self._base).as_posix(),
                arrived=arrived or dt.datetime.fromtimestamp(status.st_mtime, self.zone),
                size=status.st_size,
            )
