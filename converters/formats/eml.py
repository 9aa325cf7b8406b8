"""eml: mails as they are sent: the tables in their body, the files and the mails attached to them.

The standard library parses the structure under its oldest policy, from text of one character a byte: thus header
fields in raw CP949 keep their bytes, and none of the newer policy's checks can fail on malformed ones; fields are
decoded here.
Source: RFC 5322, 2045 to 2047, 2231, 1847 (signed and encrypted parts).
"""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from functools import partial
from itertools import groupby
from typing import TypeAlias

from converters.document import Document
from converters.encoding import decode, sniff
from converters.errors import Broken, Unsupported
from converters.formats import container
from converters.formats.container import Member, decoded_names
from converters.formats.mail import BODY, PGP_MESSAGE, attachment_name, bodies, decoded, told
from converters.formats.meter import Budget
from converters.formats.sealed import needs_key
from converters.grid import Grid
from converters.options import Options

Part: TypeAlias = "Message[str, str]"

ENCODED_WORD = re.compile(r"=\?([\w.:+-]+)(?:\*[\w-]*)?\?([bBqQ])\?([^?]*)(?:\?=|$)(?:\s+(?==\?))?")
BASE64 = re.compile(rb"[A-Za-z0-9+/\s]++={0,2}")
BLANK_LINE = re.compile(rb"\n[ \t]*+\r?\n")
CARD = "a card or a calendar entry"
PASSED_OVER = {
    "application/pkcs7-signature": "a signature",
    "application/x-pkcs7-signature": "a signature",
    "application/pgp-signature": "a signature",
    "application/pgp-keys": "a key",
    "message/delivery-status": "a delivery report",
    "message/disposition-notification": "a delivery report",
    "text/rfc822-headers": "a delivery report",
    "text/calendar": CARD,
    "text/vcard": CARD,
    "text/x-vcard": CARD,
}
"""Types of parts that mail programs add and that hold no table."""


def read(document: Document, options: Options) -> Iterator[Grid]:
    """The sheets of the body and of everything attached.

    Raises:
        OverLimit: nested too deeply.
    """
    return container.read(document, options, _members)


def _members(document: Document, options: Options, budget: Budget) -> Iterator[Member | Grid]:
    data = document.content
    if sniff(data[:80]).startswith("utf-16"):  # saved from an editor; further on, a file may be attached as it is
        data = decode(data).encode()
    mail = Parser().parsestr(data.decode("latin-1").lstrip("ï»¿ \t\r\n"))
    return _mail(mail, (), len(document.container or (document.name,)), options)


def _mail(mail: Part, path: tuple[str, ...], above: int, options: Options) -> Iterator[Member | Grid]:
    """What one mail holds: its body first, then what is attached, in the order of the file.

    Args:
        path: of this mail, below the document.
        above: how many containers the document is in, itself included.
    """
    yield told(path, *(field_text(str(mail.get(field, ""))) for field in ("subject", "from", "date")))
    parts = list(_leaves(mail))
    texts = [(p.get_content_subtype(), _text(p)) for p in parts if _is_body(p)]
    yield from bodies(path, [t for kind, t in texts if kind == "html"], [t for kind, t in texts if kind == "plain"])
    if any(PGP_MESSAGE in text for _, text in texts):
        yield Member((*path, BODY), _sealed)
    for number, part in enumerate((p for p in parts if not _is_body(p)), 1):
        inner = (*path, attachment_name(_file_name(part), number))
        if part.get_content_type() == "message/rfc822":
            yield from _attached_mail(part, inner, above, options)
        else:
            yield Member(inner, partial(_content, part, inner[-1]), _passed_over(part))


def _attached_mail(part: Part, path: tuple[str, ...], above: int, options: Options) -> Iterator[Member | Grid]:
    mail = part.get_payload(0)
    assert isinstance(mail, Message), "the parser opens every attached mail"
    if (encoding := _encoding(part)) in ("base64", "quoted-printable"):  # against the rules, so that it was not opened
        yield Member(path, partial(_unencoded, str(mail.get_payload()), encoding, binary=True))
    elif above + len(path) > options.limits.max_nesting:
        yield Member((*path, BODY), partial(_content, mail, BODY))
    else:
        yield from _mail(mail, path, above, options)


def _leaves(mail: Part) -> Iterator[Part]:
    """The parts that hold no others, in the order of the file; an attached mail and what is encrypted is one."""
    waiting = [mail]
    while waiting:
        part = waiting.pop()
        kind = part.get_content_type()
        if part.is_multipart() and kind != "multipart/encrypted" and not kind.startswith("message/"):
            waiting.extend(inner for inner in reversed(list(part.get_payload())) if isinstance(inner, Message))
        else:
            yield part


def _is_body(part: Part) -> bool:
    wanted = part.get_content_type() in ("text/plain", "text/html")
    return wanted and part.get_content_disposition() != "attachment" and not _file_name(part)


def _text(part: Part) -> str:
    charset = part.get_param("charset", "")
    data = _unencoded(str(part.get_payload()), _encoding(part), binary=False)
    return decoded(data, charset if isinstance(charset, str) else charset[2])


def _passed_over(part: Part) -> str:
    kind, disposition = part.get_content_type(), part.get_content_disposition()
    if kind.startswith("image/") and (disposition == "inline" or (disposition is None and "content-id" in part)):
        return "an inline image"
    return PASSED_OVER.get(kind, "")


def _content(part: Part, name: str) -> bytes:
    kind = part.get_content_type()
    if kind == "multipart/encrypted":
        raise needs_key(name)
    if kind.startswith("multipart/"):
        raise Broken(f"{name} has parts that cannot be told apart.", "It is cut off: ask the sender to send it again.")
    if part.is_multipart() or "uu" in _encoding(part):
        what = f"{kind} {_encoding(part)}".strip()
        raise Unsupported(f"{name} is attached as {what}, which is not read.", "Ask the sender for the file itself.")
    return _unencoded(str(part.get_payload()), _encoding(part), binary=not kind.startswith("text/"))


def _sealed() -> bytes:
    raise needs_key("The body of the mail")


def _encoding(part: Part) -> str:
    return str(part.get("content-transfer-encoding", "")).partition(";")[0].strip().lower()


def _unencoded(text: str, encoding: str, *, binary: bool) -> bytes:
    """The bytes of a part, unless its encoding is a lie: then as they are.

    Args:
        binary: it is no text, so that what looks like base64 from end to end is base64, stated or not.
    """
    raw = text.encode("latin-1", "replace")
    if encoding == "quoted-printable":
        return quopri.decodestring(raw)
    if encoding == "base64" or (binary and len(raw) > 100):
        whole = raw.strip()
        for run in (whole, BLANK_LINE.split(whole, 1)[0]):  # some servers add a line of their own below
            if BASE64.fullmatch(run):
                digits = b"".join(run.split()).rstrip(b"=")
                digits = digits[: len(digits) - (len(digits) % 4 == 1)]
                return base64.b64decode(digits + b"=" * (-len(digits) % 4))
    return raw


def _file_name(part: Part) -> str:
    """The name of an attachment in any of the ways that programs write it."""
    for field, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        values = [v for key, v in part.get_params([], header=field) if key.lower() == parameter]
        for value in sorted(values, key=lambda v: not isinstance(v, tuple)):  # the encoded form says more
            if isinstance(value, tuple):
                charset, _, text = value
                data = text.encode("latin-1", "replace")
                return decoded(data, charset) if charset else decoded_names([data])[0]
            if value:
                return field_text(value)
    return ""


def field_text(value: str) -> str:
    """The text of a header field, given as one character a byte: encoded words, raw bytes, and both in one.

    Words of the same charset are joined before they are decoded: programs break lines inside of characters.
    """
    value = re.sub(r"\r?\n(?=[ \t])", "", value)
    pieces: list[tuple[str, bytes]] = []
    at = 0
    for word in ENCODED_WORD.finditer(value):
        charset, kind, text = word.groups()
        data = text.encode("latin-1", "replace")
        pieces.append(("", value[at : word.start()].encode("latin-1", "replace")))
        pieces.append((charset.lower(), _unencoded_word(data, kind.lower())))
        at = word.end()
    pieces.append(("", value[at:].encode("latin-1", "replace")))
    told = ""
    for charset, group in groupby((piece for piece in pieces if piece[1]), key=lambda piece: piece[0]):
        data = b"".join(data for _, data in group)
        told += decoded(data, charset) if charset else decoded_names([data])[0]
    return told


def _unencoded_word(data: bytes, kind: str) -> bytes:
    if kind == "q":
        return quopri.decodestring(data, header=True)
    digits = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))
