"""msg: mails as Outlook saves them: the tables in their body, the files and the mails attached to them.

Source: MS-OXMSG (storages and property streams), MS-OXPROPS (property ids), MS-OXCMSG 2.2.2.9 (attach methods).
"""

from __future__ import annotations

import datetime as dt
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from converters.document import Document
from converters.encoding import decode
from converters.errors import Broken, Unsupported
from converters.formats import container, rtf
from converters.formats.container import Member, is_image
from converters.formats.mail import BODY, attachment_name, bodies, told
from converters.formats.meter import Budget
from converters.grid import Grid
from converters.options import Options

SUBJECT, SENT, SENDER_NAME, SENDER_ADDRESS, SENDER_SMTP = 0x0037, 0x0039, 0x0C1A, 0x0C1F, 0x5D01
PLAIN, COMPRESSED_RTF, HTML = 0x1000, 0x1009, 0x1013
ATTACHED, DISPLAY_NAME, SHORT_NAME, LONG_NAME, CONTENT_ID = 0x3701, 0x3001, 0x3704, 0x3707, 0x3712
INTERNET_CODEPAGE, MESSAGE_CODEPAGE = 0x3FDE, 0x3FFD
UNICODE, BYTES, BINARY, STORAGE = 0x001F, 0x001E, 0x0102, 0x000D
PROPERTIES = "__properties_version1.0"
ATTACHMENT = "__attach_version1.0_#"
TOP, NESTED, FILED = 32, 24, 8
"""How many bytes precede the properties of the mail itself, of an attached mail, and of an attachment."""

DAMAGE = (OSError, ValueError, struct.error, LookupError, TypeError, AttributeError)
"""What the OLE library raises on a file that is not as it should be."""

EPOCH = dt.datetime(1601, 1, 1)


def read(document: Document, options: Options) -> Iterator[Grid]:
    """The sheets of the body and of everything attached.

    Raises:
        Broken, OverLimit: the mail as a whole cannot be read.
    """
    return container.read(document, options, _members)


def _members(document: Document, options: Options, budget: Budget) -> Iterator[Member | Grid]:
    from olefile import OleFileIO

    try:
        file = OleFileIO(io.BytesIO(document.content))
    except DAMAGE as error:
        raise _broken(document.name, error) from error
    return _mail(_Storage(file, document.name, (), TOP), (), len(document.container or (document.name,)), options)


@dataclass
class _Storage:
    """A mail or an attachment: its properties, each in a stream of its own unless it is of a few bytes.

    Args:
        file: the OLE file.
        name: for messages.
        at: the storage's path in the OLE file.
        head: how many bytes precede the properties.
        outer: the mail that an attachment belongs to.
    """

    file: Any
    name: str
    at: tuple[str, ...]
    head: int
    outer: _Storage | None = None

    def text(self, number: int) -> str:
        """A property that is a text; "" if there is none."""
        if (data := self._property(number, UNICODE)) is not None:
            return data.decode("utf-16-le", "replace").rstrip("\0")
        data = self._property(number, BYTES)
        return decode(data, self.codec).rstrip("\0") if data else ""

    def page(self) -> str:
        """The HTML body, which is bytes or a text."""
        data = self._property(HTML, BINARY)
        return decode(data, self.codec) if data else self.text(HTML)

    def binary(self, number: int) -> bytes | None:
        """A property that is bytes."""
        return self._property(number, BINARY)

    def mail(self, number: int, name: str) -> _Storage | None:
        """A property that is a mail."""
        at = (*self.at, f"__substg1.0_{number:04X}{STORAGE:04X}")
        return _Storage(self.file, name, at, NESTED) if self.file.exists([*at, PROPERTIES]) else None

    def attachments(self) -> list[_Storage]:
        """Its attachments, in the order of their numbers."""
        depth = len(self.at)
        found = {
            tuple(path[: depth + 1])
            for path in self.file.listdir()
            if tuple(path[:depth]) == self.at and path[depth].lower().startswith(ATTACHMENT)
        }
        return [_Storage(self.file, self.name, at, FILED, self) for at in sorted(found)]

    @cached_property
    def fixed(self) -> dict[int, int]:
        """The properties of a few bytes: as a number, by id."""
        data = (self._stream(PROPERTIES) or b"")[self.head :]
        entries = struct.iter_unpack("<HHIQ", data[: len(data) // 16 * 16])
        return {number: value for _, number, _, value in entries}

    @property
    def codec(self) -> str | None:
        """What texts in bytes are written in, if the mail says it."""
        stated = self.fixed.get(INTERNET_CODEPAGE) or self.fixed.get(MESSAGE_CODEPAGE)
        return rtf.codepage(stated & 0xFFFFFFFF) if stated else self.outer.codec if self.outer else None

    def _property(self, number: int, kind: int) -> bytes | None:
        return self._stream(f"__substg1.0_{number:04X}{kind:04X}")

    def _stream(self, name: str) -> bytes | None:
        try:
            path = [*self.at, name]
            data: bytes | None = self.file.openstream(path).read() if self.file.exists(path) else None
        except DAMAGE as error:
            raise _broken(self.name, error) from error
        return data


def _mail(mail: _Storage, path: tuple[str, ...], above: int, options: Options) -> Iterator[Member | Grid]:
    """What one mail holds: its body first, then what is attached.

    Args:
        path: of this mail, below the document.
        above: how many containers the document is in, itself included.
    """
    yield told(path, mail.text(SUBJECT), _sender(mail), _sent(mail))
    page, rich = mail.page(), b""
    if not page and (packed := mail.binary(COMPRESSED_RTF)):
        try:
            rich = rtf.decompressed(packed)
        except Broken as error:
            yield Grid("", container=path, problems=[error.problem()])
    if b"\\trowd" in rich or b"<table" in rich.lower():
        yield Member((*path, BODY), lambda: rich)
    else:
        yield from bodies(path, [page], [mail.text(PLAIN)])
    for number, attachment in enumerate(mail.attachments(), 1):
        name = attachment.text(LONG_NAME) or attachment.text(SHORT_NAME) or attachment.text(DISPLAY_NAME)
        inner = (*path, attachment_name(name, number))
        attached = attachment.mail(ATTACHED, inner[-1])
        if attached is None:
            shown = page or rich.decode("latin-1")
            yield Member(inner, partial(_content, attachment, inner[-1]), _passed_over(attachment, shown))
        elif above + len(inner) > options.limits.max_nesting:
            yield Member((*inner, BODY), bytes)
        else:
            yield from _mail(attached, inner, above, options)


def _sender(mail: _Storage) -> str:
    name, address = mail.text(SENDER_NAME), mail.text(SENDER_SMTP) or mail.text(SENDER_ADDRESS)
    return f"{name} <{address}>" if "@" in address and address != name else name


def _sent(mail: _Storage) -> str:
    try:
        return f"{EPOCH + dt.timedelta(microseconds=mail.fixed[SENT] // 10):%Y-%m-%d %H:%M} UTC"
    except (KeyError, OverflowError):
        return ""


def _passed_over(attachment: _Storage, shown: str) -> str:
    """An image is inline if the body shows it."""
    named = attachment.text(CONTENT_ID)
    inline = named and f"cid:{named}" in shown and is_image(attachment.binary(ATTACHED) or b"")
    return "an inline image" if inline else ""


def _content(attachment: _Storage, name: str) -> bytes:
    data = attachment.binary(ATTACHED)
    if data is None:
        raise Unsupported(
            f"{name} is a link or an object of another program, and no file.",
            "Ask the sender to attach the file itself.",
        )
    return data


def _broken(name: str, error: Exception) -> Broken:
    return Broken(f"{name} is a damaged Outlook mail: {error}.", "Ask the sender to send it again.")
