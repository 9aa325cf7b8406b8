"""What is encrypted for a person's key, or signed: S/MIME (CMS), PGP and rights-protected mail.

No key is at hand for the encrypted kinds. What is only signed is read through.
Source: RFC 5652 (CMS), sections 3 to 5; X.690 (BER), section 8.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from converters.document import Document
from converters.errors import Broken, NeedsPassword
from converters.formats import container
from converters.formats.container import Member
from converters.formats.meter import Budget
from converters.grid import Grid
from converters.options import Options

SIGNED = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
DATA = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
OCTETS, PARTS_OF_OCTETS = 0x04, 0x24


def read(document: Document, options: Options) -> Iterator[Grid]:
    """The sheets of what was signed.

    Raises:
        NeedsPassword: it is encrypted.
        OverLimit: nested too deeply.
    """
    if SIGNED not in document.head[:64]:
        raise needs_key(document.name)
    return container.read(document, options, _members)


def needs_key(name: str) -> NeedsPassword:
    """What is to be said of content that only its receiver's key opens."""
    return NeedsPassword(
        f"{name} is encrypted for its receiver's key (S/MIME, PGP or rights protection).",
        "Open it in the receiver's mail program and save it without encryption, or ask the sender to send it so.",
    )


def _members(document: Document, options: Options, budget: Budget) -> Iterator[Member]:
    yield Member(("signed content",), partial(_content, document))


def _content(document: Document) -> bytes:
    """The octets of the encapsulated content, which come in one piece or in several."""
    data = document.content
    try:
        at = data.index(DATA) + len(DATA)
        _, _, at = _header(data, at)
        tag, length, at = _header(data, at)
        if tag == OCTETS:
            return data[at : at + length]
        parts = []
        while tag == PARTS_OF_OCTETS and data[at] == OCTETS:
            _, length, at = _header(data, at)
            parts.append(data[at : at + length])
            at += length
        return b"".join(parts)
    except (IndexError, ValueError) as error:
        raise Broken(f"{document.name} is signed, and damaged.", "Ask the sender to send it again.") from error


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """The tag of the element there, its length (0 if it is not stated), and where its content begins."""
    tag, length, start = data[at], data[at + 1], at + 2
    if length <= 0x80:
        return tag, length & 0x7F, start
    digits = length & 0x7F
    return tag, int.from_bytes(data[start : start + digits], "big"), start + digits
