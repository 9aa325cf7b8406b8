"""zip archives: members in the order of the directory, names in CP949 too, ZipCrypto and AES with the passwords given.

Source: PKWARE APPNOTE.TXT 6.3; WinZip, "AES Encryption Information" (AE-1 and AE-2).
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import IO

from converters.document import Document
from converters.errors import Broken, NeedsPassword, Unsupported
from converters.formats import container
from converters.formats.container import Member, clean, decoded_names, must_be_inside
from converters.formats.meter import Budget
from converters.grid import Grid
from converters.options import Options

ENCRYPTED, UTF8 = 0x1, 0x800
AES = 99
READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The methods read: those whose output can be taken in bounded steps, and all that programs write unasked."""

METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
Opened = Callable[[bytes | None], AbstractContextManager[IO[bytes]]]
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, LookupError)


def read(document: Document, options: Options) -> Iterator[Grid]:
    """The sheets of all files in it.

    Raises:
        Broken, OverLimit: the archive as a whole cannot be read.
    """
    return container.read(document, options, _members)


def _members(document: Document, options: Options, budget: Budget) -> Iterator[Member]:
    try:
        with document.open() as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            if not members:
                raise Broken(f"{document.name} is an empty archive.", "Ask the sender to pack it anew.")
            for position, (member, name) in enumerate(zip(members, _names(members), strict=True)):
                if not clean(name).endswith("/"):
                    opened = partial(_open, document, archive, position)
                    yield Member((clean(name),), partial(_content, opened, member, name, options, budget))
    except DAMAGE as error:
        raise Broken(f"{document.name} is a damaged zip: {error}.", "Ask the sender to send it again.") from error


def _names(members: list[zipfile.ZipInfo]) -> list[str]:
    """The names as they were packed: in UTF-8 where the archive says so, else as the sender's system has it."""
    unstated = [m.orig_filename.encode("cp437") for m in members if not m.flag_bits & UTF8]
    decoded = iter(decoded_names(unstated))
    return [m.orig_filename if m.flag_bits & UTF8 else next(decoded) for m in members]


@contextmanager
def _open(document: Document, archive: zipfile.ZipFile, position: int, password: bytes | None) -> Iterator[IO[bytes]]:
    """A stream of a member: the standard library's, or pyzipper's where it is encrypted with AES."""
    member = archive.infolist()[position]
    if member.compress_type != AES:
        with archive.open(member, pwd=password) as stream:
            yield stream
        return
    import pyzipper

    try:
        with document.open() as file, pyzipper.AESZipFile(file) as strong:
            _must_be_readable(strong.infolist()[position].compress_type, member.filename)
            with strong.open(strong.infolist()[position], pwd=password) as stream:
                yield stream
    except pyzipper.BadZipFile as error:
        raise zipfile.BadZipFile(str(error)) from error


def _content(opened: Opened, member: zipfile.ZipInfo, name: str, options: Options, budget: Budget) -> bytes:
    """The bytes of a member.

    Raises:
        ConverterError: they are not to be had.
    """
    must_be_inside(name)
    kind = stat.S_IFMT(member.external_attr >> 16) if member.create_system == 3 else 0
    if kind not in (0, stat.S_IFREG):
        raise Broken(f"{clean(name)} is a link or a device and no file.", "Ask the sender to pack the file itself.")
    if member.compress_type != AES:
        _must_be_readable(member.compress_type, clean(name))
    budget.expect(clean(name), member.file_size)
    if member.flag_bits & ENCRYPTED:
        return _decrypted(opened, clean(name), options, budget)
    try:
        return _inflated(opened, None, budget)
    except DAMAGE as error:
        raise Broken(f"{clean(name)} is damaged: {error}.", "Ask the sender to send it again.") from error


def _must_be_readable(method: int, name: str) -> None:
    if method not in READ:
        called = METHODS.get(method, f"method {method}")
        raise Unsupported(f"{name} is packed with {called}.", "Ask the sender to pack it as an ordinary zip (deflate).")


def _decrypted(opened: Opened, name: str, options: Options, budget: Budget) -> bytes:
    for password in options.passwords:
        for codec in ("utf-8",) if password.isascii() else ("cp949", "utf-8"):
            try:
                return _inflated(opened, password.encode(codec, "replace"), budget)
            except DAMAGE:  # a wrong password mostly fails its check, else the content's
                continue
    tried = f"none of the {len(options.passwords)} passwords given opens it" if options.passwords else "none was given"
    raise NeedsPassword(
        f"{name} is encrypted with a password, and {tried}.",
        "Put its password into the tenant's secrets, or ask the sender for a copy without one.",
    )


def _inflated(opened: Opened, password: bytes | None, budget: Budget) -> bytes:
    with opened(password) as stream:
        return budget.read(stream)
