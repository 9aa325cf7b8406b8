"""Source `folder`: files in a folder or a mounted volume, or in one sub-folder for each date of arrival.

Names that old zip tools, FTP or Samba wrote in CP949 are read as such. Links that lead out of the folder, broken links
and things that are no files are never opened; they are offered, so that crawl tells of them in quarantine.
"""

from __future__ import annotations

import datetime as dt
import os
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ondol.config.sources.folder import FolderSource
from ondol.errors import NotAllowed, Rejected, SourceDown
from ondol.faults import point
from ondol.interval import Interval
from ondol.sources.base import Access, Collected, Connector, Cursor, Found, Gone, Later
from ondol.sources.globs import matcher


class FolderConnector(Connector[FolderSource]):
    """Lists a local folder."""

    def __init__(self, source: FolderSource, access: Access) -> None:
        super().__init__(source, access)
        fixed, _, self._rest = source.path.partition("{date}")
        self.by_interval = "{date}" in source.path
        self.tidies = source.archive is not None
        self._head = access.home / fixed
        self._base = self._head if not self.by_interval or fixed.endswith("/") else self._head.parent
        self._archive = self._base / source.archive if source.archive else None
        self._listed = time.time()

    def list(self, interval: Interval, cursor: str) -> Iterator[Found | Cursor]:
        """See Connector; sorted by location."""
        try:
            with os.scandir(self._base):
                pass
        except PermissionError:
            raise NotAllowed(
                f"{self.name()}: the folder {self._base} may not be read: give the platform's user the right to"
            ) from None
        except OSError as error:
            raise SourceDown(
                f"{self.name()}: the folder {self._base} is not there ({error.strerror}). "
                "Is it mounted, and is 'path' right?"
            ) from None
        self._listed = time.time()
        if not self.by_interval:
            yield from self._files(self._base, None)
            return
        for date in interval.dates:
            folder = Path(
                f"{self._head}/{date}{self._rest}" if self._head == self._base else f"{self._head}{date}{self._rest}"
            )
            if folder.is_dir():
                yield from self._files(folder, dt.datetime.combine(date, dt.time(), self.access.zone))

    @contextmanager
    def open(self, found: Found) -> Iterator[BinaryIO]:
        """See Connector."""
        path = self._path(found)
        if odd := self._odd(path):
            raise Rejected(
                f"{found.location} in {self.name()} is {odd}.",
                "Put the file itself into the folder, or take this away.",
            )
        try:
            self._wait_until_still(path, found)
            file = open(path, "rb", opener=_at_once)
        except FileNotFoundError:
            raise Gone(f"{found.location} in {self.name()} has gone since it was listed") from None
        except OSError as error:
            raise Rejected(
                f"{found.location} in {self.name()} cannot be read: {error.strerror}.",
                "Give the platform's user the right to read it; the next run tries again.",
            ) from error
        with file:
            self._check_same(_version(os.fstat(file.fileno())), found)  # what was put in its place is not read at all
            yield file
            self._check_same(_version(os.fstat(file.fileno())), found)

    def after_commit(self, collected: Sequence[Collected]) -> None:
        """Move each file to the archive, unless another has come in its place."""
        assert self._archive
        for file in collected:
            path = self._path(file.found)
            if not file.sha256 or self._odd(path) or self._version_now(path) != file.found.version:
                continue
            target = self._archive / (file.found.handle or file.found.location)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                target = target.with_name(f"{target.stem}.{file.sha256[:8]}{target.suffix}")
            point("archive:before")
            path.rename(target)
            if self._version_now(target) != file.found.version and not path.exists():
                target.rename(path)  # it was replaced in between: the next run takes it
            point("archive:after")

    def _path(self, found: Found) -> Path:
        return self._base / (found.handle or found.location)

    def _files(self, folder: Path, arrived: dt.datetime | None) -> Iterator[Found]:
        now, fits = self.access.now(), matcher(self.source.pattern)
        start, base = len(f"{folder}/"), len(f"{self._base}/")
        for path, entry in sorted(self._walk(str(folder))):
            if not fits(path[start:]):
                continue
            try:
                status = _status(entry)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise NotAllowed(
                    f"{self.name()}: {readable(path[base:])[:200]} cannot be looked at ({error.strerror}): "
                    "take it away, or give it a shorter path"
                ) from None
            handle = path[base:]
            yield Found(
                name=unicodedata.normalize("NFC", readable(entry.name)),
                location=readable(handle),
                arrived=arrived or min(now, dt.datetime.fromtimestamp(status.st_mtime, self.access.zone)),
                size=status.st_size,
                handle=handle,
                version=_version(status),
            )

    def _walk(self, folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Everything below a folder but folders; one that may not be read is there itself, to be told of."""
        below: list[tuple[str, os.DirEntry[str] | None]] = [(folder, None)]
        while below:
            path, itself = below.pop()
            try:
                with os.scandir(path) as entries:
                    here = [*entries]
            except OSError:  # no right, gone, or a path longer than the system takes
                if itself is None:
                    raise
                yield path, itself
                continue
            for entry in here:
                if not entry.is_dir(follow_symlinks=False):
                    yield entry.path, entry
                elif entry.path != str(self._archive):
                    below.append((entry.path, entry))

    def _wait_until_still(self, path: Path, found: Found) -> None:
        """Wait until the file has not changed for a while; a clock that is ahead makes no wait longer."""
        changed = min(path.stat().st_mtime, self._listed)
        time.sleep(max(0.0, changed + self.source.settle_seconds - time.time()))
        self._check_same(_version(path.stat()), found)

    def _check_same(self, version: str, found: Found) -> None:
        if version != found.version:
            raise Later(f"{found.location} in {self.name()} is still being written: the next run takes it")

    def _odd(self, path: Path) -> str:
        """Why a path is not opened; empty for a file of this folder, or one that has gone."""
        if path.is_symlink() and not path.exists():
            return "a link to nothing"
        if not path.resolve().is_relative_to(self._base.resolve()):
            return "a link that leads out of the folder"
        if path.is_dir():
            return "a folder that may not be read"
        return "" if path.is_file() or not path.exists() else "not a file"

    @staticmethod
    def _version_now(path: Path) -> str:
        """The version that is there; empty for none."""
        try:
            return _version(path.stat())
        except FileNotFoundError:
            return ""


def _status(entry: os.DirEntry[str]) -> os.stat_result:
    """Of a link to a file, the file's; of a link to nothing, its own."""
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)


def _at_once(path: str, flags: int) -> int:
    """Opens without waiting for who may write into a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def _version(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"


def readable(name: str) -> str:
    """A name of the file system as Unicode: bytes that are not UTF-8 are read as CP949, else escaped."""
    raw = os.fsencode(name)
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")
