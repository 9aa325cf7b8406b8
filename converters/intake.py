"""What a request to the service brings: the file, streamed to disk, with its name and passwords.

The file comes as the body itself, as part `file` of a form, or as the URI of an object in the lake; never more than
the limit is written to disk, and never the whole of it held in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from anyio import to_thread
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from converters import lakes
from converters.lakes import Lakes

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

UNNAMED = "input"
FORM_BYTES = 1 << 16
"""What a request may bring besides the file."""

NAME_CHARACTERS = 1000


class Refused(Exception):
    """A request that is answered with an error: RFC 9457 (Problem Details for HTTP APIs).

    Args:
        title: the kind of error, the same for all of its kind.
        detail: what is wrong with this request.
        remedy: what to do about it.
        headers: more headers of the answer, "_" for "-".
    """

    def __init__(self, status: int, title: str, detail: str, remedy: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.remedy = remedy
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True)
class Intake:
    """One file that is to be converted."""

    path: Path
    name: str
    sha256: str
    size: int
    passwords: tuple[str, ...] = field(default=(), repr=False)


class LakeFile(BaseModel):
    """A file that the service fetches itself.

    Args:
        uri: file:///… or gs://bucket/…, below one of the service's roots.
        name: the file's name as its sender knows it; the URI's last part if it is left out.
        passwords: tried in turn if the file is encrypted; neither kept nor logged.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"uri": "gs://lake/hanbit/raw/ab/ab12", "name": "매출_20260105.xlsx"}]},
    )

    uri: str = Field(min_length=1, max_length=4000)
    name: str | None = Field(default=None, min_length=1, max_length=NAME_CHARACTERS)
    passwords: list[str] = Field(default=[], max_length=100)


async def receive(request: Request, name: str | None, folder: Path, reachable: Lakes, most: int) -> Intake:
    """The file that a request brings, in the folder.

    Args:
        name: the file's name, if the query gives one: it goes before all others.
        reachable: what a URI may name.
        most: the greatest size of a file, in bytes.

    Raises:
        Refused: it brings none, or one that is too large, or what cannot be understood.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "Encoded body", "The body has a Content-Encoding.", "Send the file as it is.")
    if not {"content-length", "transfer-encoding"} & set(request.headers):
        raise Refused(400, "No body", "The request has no body.", "Send a file, also an empty one, with its length.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most + FORM_BYTES:
        raise _too_large(most)
    if kind == "application/json":
        return await _from_lake(request, name, folder, reachable, most)
    sink = _Sink(folder / "file", most)
    try:
        if kind == "multipart/form-data":
            return await _from_form(request, name, sink)
        return await _from_body(request, name, sink)
    finally:
        sink.close()


class _Sink:
    """The file on disk, as its bytes come in."""

    def __init__(self, path: Path, most: int) -> None:
        self.path = path
        self._most = most
        self._size = 0
        self._digest = hashlib.sha256()
        self._file = path.open("wb")

    def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._most:
            raise _too_large(self._most)
        self._digest.update(data)
        self._file.write(data)

    def close(self) -> None:
        self._file.close()

    def intake(self, name: str, passwords: list[str]) -> Intake:
        self.close()
        return Intake(self.path, name, self._digest.hexdigest(), self._size, tuple(passwords))


async def _from_body(request: Request, name: str | None, sink: _Sink) -> Intake:
    async for chunk in request.stream():
        sink.write(chunk)
    return sink.intake(name or UNNAMED, _header_passwords(request))


async def _from_form(request: Request, name: str | None, sink: _Sink) -> Intake:
    _, parameters = parse_options_header(request.headers["content-type"])
    form = _Form(sink)
    try:
        parser = MultipartParser(parameters.get(b"boundary", b""), form.callbacks())
        async for chunk in request.stream():
            parser.write(chunk)
    except FormParserError as error:
        raise _no_form(f"The form cannot be read: {error}.") from None
    if not form.ended or form.name is None:
        raise _no_form("The form is cut off." if not form.ended else "The form has no part 'file' with a file name.")
    name = name or form.texts.get("name", [form.name])[-1][:NAME_CHARACTERS] or UNNAMED
    return sink.intake(name, [*form.texts.get("password", []), *_header_passwords(request)])


class _Form:
    """Takes a form apart as its bytes come in: `file` goes to the sink, `name` and `password` are texts."""

    def __init__(self, sink: _Sink) -> None:
        self.texts: dict[str, list[str]] = {}
        self.name: str | None = None
        self.ended = False
        self._sink = sink
        self._room = FORM_BYTES
        self._headers: dict[bytes, bytes] = {}
        self._header = [b"", b""]
        self._field = ""
        self._text: bytearray | None = None

    def callbacks(self) -> MultipartCallbacks:
        """As MultipartParser wants them."""
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": lambda data, start, end: self._add(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._add(1, data[start:end]),
            "on_header_end": self._header_ends,
            "on_headers_finished": self._part_begins,
            "on_part_data": lambda data, start, end: self._data(data[start:end]),
            "on_part_end": self._part_ends,
            "on_end": self._end,
        }

    def _add(self, which: int, data: bytes) -> None:
        self._spend(data)
        self._header[which] += data

    def _header_ends(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]
        self._header = [b"", b""]

    def _part_begins(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._field = _text(options.get(b"name", b""))
        self._text = None if self._field == "file" else bytearray()
        if self._field not in ("file", "name", "password"):
            raise _no_form(f"The form has a part {self._field[:40]!r}.")
        if self._field == "file":
            if self.name is not None:
                raise _no_form("The form has more than one file.")
            self.name = _text(options.get(b"filename", b""))

    def _data(self, data: bytes) -> None:
        if self._text is None:
            self._sink.write(data)
            return
        self._spend(data)
        self._text += data

    def _part_ends(self) -> None:
        if self._text is not None:
            self.texts.setdefault(self._field, []).append(_text(bytes(self._text)))

    def _end(self) -> None:
        self.ended = True

    def _spend(self, data: bytes) -> None:
        self._room -= len(data)
        if self._room < 0:
            raise _no_form(f"The form has more than {FORM_BYTES:,} bytes besides the file.")


async def _from_lake(request: Request, name: str | None, folder: Path, reachable: Lakes, most: int) -> Intake:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise Refused(413, "Too large", f"The JSON has more than {FORM_BYTES:,} bytes.", "Send one URI.")
    try:
        asked = LakeFile.model_validate_json(body)
    except ValidationError as error:
        raise Refused(400, "Wrong request", wrong(error.errors()), "Send a JSON object with a 'uri'.") from None
    name = name or asked.name or unquote(asked.uri.rpartition("/")[2]) or UNNAMED
    passwords = (*asked.passwords, *_header_passwords(request))
    return await to_thread.run_sync(_fetch, asked.uri, folder / "file", name, passwords, reachable, most)


def _fetch(uri: str, path: Path, name: str, passwords: tuple[str, ...], reachable: Lakes, most: int) -> Intake:
    try:
        with reachable.open(uri) as source, path.open("wb") as target:
            sha256, size = lakes.copy(source, target, most)
    except lakes.LakeError as error:
        status, title = _LAKE_ERRORS[type(error)]
        raise Refused(status, title, error.message, error.remedy) from None
    if size > most:
        raise _too_large(most)
    return Intake(path, name, sha256, size, passwords)


_LAKE_ERRORS: dict[type[lakes.LakeError], tuple[int, str]] = {
    lakes.Outside: (403, "Out of reach"),
    lakes.Missing: (404, "No such file"),
    lakes.Unreachable: (502, "Lake out of reach"),
}


def wrong(errors: Sequence[Any]) -> str:
    """What pydantic found, without the values, which may be passwords."""
    parts = [f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in errors]
    return "; ".join(parts[:5]) + "."


def _header_passwords(request: Request) -> list[str]:
    return [unquote(value) for value in request.headers.getlist("converter-password")]


def _text(data: bytes) -> str:
    """Of a form: UTF-8, or CP949 from an old Korean page."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp949", "replace")


def _too_large(most: int) -> Refused:
    return Refused(413, "Too large", f"The file has more than {most:,} bytes.", "Ask the sender to split it.")


def _no_form(detail: str) -> Refused:
    return Refused(400, "Wrong form", detail, "Send one part 'file', and if need be 'name' and 'password' parts.")
