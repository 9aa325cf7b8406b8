"""Source `sftp`: a folder on an SSH server. A transfer that breaks off goes on where it was, on a new connection."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import posixpath
import stat
import threading
import time
import unicodedata
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Self, TypeAlias, TypeVar, cast

from ondol.config.sources.sftp import SftpSource
from ondol.errors import NotAllowed, Rejected, SourceDown
from ondol.faults import point
from ondol.interval import Interval
from ondol.sources.base import Access, Collected, Connector, Cursor, Found, Gone, Later
from ondol.sources.folder import readable
from ondol.sources.globs import matcher
from ondol.sources.ssh import Loop, connect, telling

if TYPE_CHECKING:
    import asyncssh
    from _typeshed import WriteableBuffer

SMALL = 1 << 20
"""A file up to this many bytes is read by one piece of work; of larger ones, a piece of this size at a time."""
TRIES = 3
"""How often a piece of work is tried: each time on a new connection."""
AGAIN = 10
"""Seconds to wait at most for a new connection in place of one that broke."""
LISTING = 20
"""How many times as long as one request a listing may take."""

T = TypeVar("T")
Listing: TypeAlias = "list[tuple[bytes, asyncssh.SFTPAttrs]]"


class SftpConnector(Connector[SftpSource]):
    """Lists a folder on a server, over one connection that several threads share."""

    lanes: ClassVar[int] = 8

    def __init__(self, source: SftpSource, access: Access) -> None:
        super().__init__(source, access)
        self.tidies = source.archive is not None
        self._where = f"{self.name()}: {source.server.user}@{source.server.host}:{source.server.port}"
        self._root = _bytes(source.path.rstrip("/") or "/")
        self._lock = threading.Lock()
        self.connected = 0
        self._listed = time.time()
        self._loop: Loop
        self._hops: list[asyncssh.SSHClientConnection] = []
        self.sftp: asyncssh.SFTPClient

    def __enter__(self) -> Self:
        """See Connector."""
        self._loop = Loop()
        try:
            self._loop.run(self._connect())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """See Connector."""
        self._loop.run(self._part())
        self._loop.close()

    def list(self, interval: Interval, cursor: str) -> Iterator[Found | Cursor]:
        """See Connector; sorted by location."""
        self._listed = time.time()
        fits, now = matcher(self.source.pattern), self.access.now()
        archive = self.path(self.source.archive) if self.source.archive else None
        listed = sorted(self._folder(partial(self._walk, self._root, archive), LISTING), key=itemgetter(0))
        for path, attributes in listed:
            handle = path[len(self._root) + 1 :]
            location = readable(_text(handle))
            if not fits(location):
                continue
            arrived = dt.datetime.fromtimestamp(attributes.mtime or 0, self.access.zone)
            yield Found(
                name=unicodedata.normalize("NFC", posixpath.basename(location)),
                location=location,
                arrived=min(now, arrived),
                size=attributes.size,
                handle=_text(handle),
                version=_version(attributes),
            )

    @contextmanager
    def open(self, found: Found) -> Iterator[BinaryIO]:
        """See Connector."""
        age = time.time() - min(self._listed, float(found.version.rpartition("-")[2] or 0))
        time.sleep(max(0.0, self.source.settle_seconds - age))
        reading = _Reading(self, found)
        if found.size is not None and found.size <= SMALL:
            body, version = self._file(found, reading.whole)
            yield io.BytesIO(body)
        else:
            yield cast(BinaryIO, io.BufferedReader(reading, SMALL))
            version = self._file(found, reading.end)
        if version != found.version:
            raise Later(f"{found.location} in {self.name()} is still being written: the next run takes it")

    def after_commit(self, collected: Sequence[Collected]) -> None:
        """Move each file to the archive, unless another has come in its place."""
        for file in collected:
            if file.sha256:
                self._folder(partial(self._archive, file))

    async def _archive(self, file: Collected) -> None:
        assert self.source.archive
        path = self.path(file.found.handle or file.found.location)
        if await self._version(path) != file.found.version:
            return
        target = self.path(f"{self.source.archive}/{file.found.handle or file.found.location}")
        await self.sftp.makedirs(posixpath.dirname(target), exist_ok=True)
        if await self.sftp.exists(target):
            stem, ending = posixpath.splitext(target)
            target = stem + f".{file.sha256[:8]}".encode() + ending
        point("archive:before")
        await self.sftp.rename(path, target)
        if await self._version(target) != file.found.version and not await self.sftp.exists(path):
            await self.sftp.rename(target, path)  # it was replaced in between: the next run takes it
        point("archive:after")

    async def _walk(self, folder: bytes, archive: bytes | None) -> Listing:
        """Everything below a folder but folders; a link to a file is the file."""
        found: Listing = []
        below = [folder]
        while below:
            folder = below.pop()
            self.access.pace.wait()
            async for entry in self.sftp.scandir(folder):
                name = cast(bytes, entry.filename)
                path = posixpath.join(folder, name)
                if name in (b".", b"..") or path == archive:
                    continue
                mode = entry.attrs.permissions or 0
                if stat.S_ISDIR(mode):
                    below.append(path)
                else:
                    known = await self._followed(path) if stat.S_ISLNK(mode) else None
                    found.append((path, known or entry.attrs))
        return found

    async def _followed(self, path: bytes) -> asyncssh.SFTPAttrs | None:
        import asyncssh

        with suppress(asyncssh.SFTPError):
            return await self.sftp.stat(path)
        return None

    async def _version(self, path: bytes) -> str:
        """The version that is there; empty for none."""
        attributes = await self._followed(path)
        return _version(attributes) if attributes else ""

    def _file(self, found: Found, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Work on one file: what is wrong with it hinders no other."""
        import asyncssh

        try:
            return self._do(work)
        except asyncssh.SFTPNoSuchFile:
            raise Gone(f"{found.location} in {self.name()} has gone since it was listed") from None
        except asyncssh.SFTPError as error:
            raise Rejected(
                f"{found.location} in {self.name()} cannot be read: {error.reason}.",
                f"Give {self.source.server.user} the right to read it, or take it away; the next run tries again.",
            ) from None

    def _folder(self, work: Callable[[], Coroutine[Any, Any, T]], patience: float = 1) -> T:
        """Work on the source's folder: what is wrong with it concerns all files."""
        import asyncssh

        try:
            return self._do(work, patience)
        except asyncssh.SFTPPermissionDenied as error:
            raise NotAllowed(f"{self._where} does not let us use the folder {self.source.path}") from error
        except asyncssh.SFTPError as error:
            raise SourceDown(
                f"{self._where}: {self.source.path} is not to be had ({error.reason}): is 'path' right?"
            ) from error

    def _do(self, work: Callable[[], Coroutine[Any, Any, T]], patience: float = 1) -> T:
        """Do something on the connection; if that breaks, on a new one. SFTPError passes."""
        for tried in range(TRIES):
            connected = self.connected
            try:
                with telling(self._where):
                    return self._loop.run(asyncio.wait_for(work(), patience * self.source.timeout_seconds))
            except SourceDown:
                if tried == TRIES - 1:
                    raise
                self._reconnect(connected)
        raise AssertionError("unreachable")

    def _reconnect(self, seen: int) -> None:
        """Connect anew, unless another thread has done so since."""
        with self._lock:
            if self.connected == seen:
                self._loop.run(self._part())
                self._loop.run(self._connect())

    async def _connect(self) -> None:
        import asyncssh

        seconds = self.source.timeout_seconds if not self.connected else min(AGAIN, self.source.timeout_seconds)
        for server in (s for s in (self.source.jump, self.source.server) if s):
            tunnel = self._hops[-1] if self._hops else None
            self._hops.append(
                await connect(
                    server,
                    self.access.secret,
                    keepalive=self.source.keepalive_seconds,
                    timeout=seconds,
                    tunnel=tunnel,
                    name=self.name(),
                )
            )
        try:
            with telling(self._where):
                self.sftp = await asyncio.wait_for(self._hops[-1].start_sftp_client(path_encoding=None), seconds)
        except asyncssh.SFTPError as error:
            raise NotAllowed(f"{self._where} offers no SFTP ({error.reason})") from error
        self.connected += 1

    async def _part(self) -> None:
        while self._hops:
            hop = self._hops.pop()
            hop.abort()
            with suppress(TimeoutError):
                await asyncio.wait_for(hop.wait_closed(), 1)

    def path(self, below: str) -> bytes:
        """The path there of what is below the source's folder."""
        return posixpath.join(self._root, _bytes(below))


class _Reading(io.RawIOBase):
    """One file being read, from where it was if the connection broke.

    Args:
        connector: the connection, which may be another from one piece to the next.
    """

    def __init__(self, connector: SftpConnector, found: Found) -> None:
        self._connector, self._found = connector, found
        self._path = connector.path(found.handle or found.location)
        self._offset, self._of = 0, 0
        self._file: Any = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        piece = self._connector._file(self._found, partial(self._piece, len(view)))
        view[: len(piece)] = piece
        self._offset += len(piece)
        return len(piece)

    async def whole(self) -> tuple[bytes, str]:
        """A small file and its version after it was read."""
        body = await self._piece(SMALL + 1)
        return body, await self.end()

    async def end(self) -> str:
        """The version that there is at the end."""
        await self._opened()
        version = _version(await self._file.stat())
        await self._file.close()
        self._of = 0
        return version

    async def _piece(self, size: int) -> bytes:
        await self._opened()
        return cast(bytes, await self._file.read(size, self._offset))

    async def _opened(self) -> None:
        if self._of != self._connector.connected:
            self._file = await self._connector.sftp.open(self._path, "rb", encoding=None)
            self._of = self._connector.connected


def _version(attributes: asyncssh.SFTPAttrs) -> str:
    return f"{attributes.size}-{attributes.mtime}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
