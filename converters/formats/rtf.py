"""Rich text: its tables, the paragraphs around them, and the HTML that Outlook hides in it.

Source: Microsoft, "Rich Text Format Specification 1.9.1"; MS-OXRTFCP (compression); MS-OXRTFEX (encapsulated HTML).
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from converters.document import Document
from converters.errors import Broken, OverLimit
from converters.formats import html
from converters.formats.meter import Meter
from converters.grid import Grid
from converters.model import Scalar
from converters.options import Options

TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,9})? ?|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<symbol>[^a-zA-Z])"
    rb"|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\"
)
MAX_GROUPS = 1000
REMEDY = "Save it anew in the program that it is from."
HIDDEN = {"fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "footer", "pntext", "object", "themedata"}
"""Groups whose text is none of the document's."""

ENDS = {"cell": "cell", "nestcell": "cell", "row": "row", "nestrow": "row"}
SPOKEN = {
    "par": "\n", "line": "\n", "tab": "\t", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’",
    "ldblquote": "“", "rdblquote": "”", "emspace": "\u2003", "enspace": "\u2002",
}  # fmt: skip
SYMBOLS = {"~": "\xa0", "_": "-", "\\": "\\", "{": "{", "}": "}", "\n": "\n", "\r": "\n"}
CHARSETS = {
    128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "big5", 161: "cp1253", 162: "cp1254",
    177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 0: "cp1252",
}  # fmt: skip

PRIMER = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What the compression's dictionary holds before the first byte (MS-OXRTFCP 2.1.2.1)."""


def read(document: Document, options: Options) -> Iterator[Grid]:
    """One grid of all paragraphs and table rows, or those of the HTML in it.

    Raises:
        OverLimit: too many cells, or groups inside of each other.
    """
    data = document.content
    if page := encapsulated(data):
        yield from html.read(replace(document, path=None, data=page.encode("utf-8", "replace")), options)
        return
    grid = Grid(document.stem, textual=True)
    meter = Meter(document.name, options.limits)
    for row, values in enumerate(_rows(data)):
        if options.max_rows and row >= options.max_rows:
            break
        meter.row(len(values) - values.count(None), len(values))
        if any(value is not None for value in values):
            grid.rows[row] = values
    yield grid


def encapsulated(data: bytes) -> str:
    """The HTML that the rich text was made from and carries along; "" if it was not."""
    if rb"\fromhtml" not in data[:4096]:
        return ""
    return _joined("\n" if kind == "end" else text for kind, text in _Speaker(data).pieces())


def decompressed(data: bytes) -> bytes:
    """The rich text of a mail's compressed body.

    Raises:
        Broken: it is none.
    """
    try:
        size, wanted, magic = struct.unpack_from("<II4s", data)
    except struct.error as error:
        raise Broken("The rich text of the mail is cut off.", "Ask the sender to send it again.") from error
    if magic == b"MELA":
        return data[16 : 16 + wanted]
    if magic != b"LZFu":
        raise Broken("The rich text of the mail is of no known compression.", "Ask the sender to send it again.")
    window = bytearray(4096)
    window[: len(PRIMER)] = PRIMER
    at, out, put = 16, bytearray(), len(PRIMER)
    end = min(len(data), size + 4)
    while at < end:
        flags = data[at]
        at += 1
        for bit in range(8):
            if at + (flags >> bit & 1) >= end:
                return bytes(out[:wanted])
            if not flags >> bit & 1:
                out.append(data[at])
                window[put] = data[at]
                put = (put + 1) & 4095
                at += 1
                continue
            offset, length = data[at] << 4 | data[at + 1] >> 4, (data[at + 1] & 15) + 2
            at += 2
            if offset == put:
                return bytes(out[:wanted])
            for step in range(length):
                byte = window[(offset + step) & 4095]
                out.append(byte)
                window[put] = byte
                put = (put + 1) & 4095
    return bytes(out[:wanted])


@dataclass
class _Group:
    """What holds between two braces: how its bytes are read, and whether and as what its text counts."""

    codec: str = "cp1252"
    hidden: bool = False
    fonts: bool = False
    tag: bool = False
    silent: bool = False
    in_table: bool = False
    after_unicode: int = 1


class _Speaker:
    """Goes through rich text once and tells what it says: texts, and the ends of cells, rows and paragraphs."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.codec = "cp1252"
        self.fonts: dict[int, str] = {}
        self.font = 0
        self.group = _Group()
        self.outer: list[_Group] = []
        self.bytes = bytearray()
        self.starred = False
        self.passing = 0  # characters that stand in for a \\u, for readers that do not know it
        self.said: list[tuple[str, str]] = []

    def pieces(self) -> list[tuple[str, str]]:
        """("text", …) and ("end", "cell" | "row" | "par"), in order."""
        at = 0
        while token := TOKEN.match(self.data, at):
            at = token.end()
            if token["hex"] or token["text"]:
                self._characters(bytes.fromhex(token["hex"].decode()) if token["hex"] else token["text"])
                continue
            self._flush()
            if token["brace"]:
                self._brace(token["brace"])
            elif token["word"]:
                name, number = token["word"].decode(), int(token["number"] or 1)
                if name == "bin":
                    at += max(0, number)
                self._word(name, number)
            elif token["symbol"]:
                self._symbol(token["symbol"].decode("latin-1"))
        self._flush()
        return self.said

    def _characters(self, data: bytes) -> None:
        passed = min(self.passing, len(data))
        self.passing -= passed
        self.bytes += data[passed:]

    def _flush(self) -> None:
        if self.bytes:
            self._say("text", self.bytes.decode(self.group.codec, "replace"))
            self.bytes.clear()

    def _say(self, kind: str, text: str) -> None:
        if not self.group.hidden and (self.group.tag or not self.group.silent):
            self.said.append((kind, text))

    def _brace(self, brace: bytes) -> None:
        self.passing = 0
        if brace == b"{":
            if len(self.outer) >= MAX_GROUPS:
                raise OverLimit(f"More than {MAX_GROUPS:,} groups of rich text inside of each other.", REMEDY)
            self.outer.append(self.group)
            self.group = replace(self.group)
        elif self.outer:
            self.group = self.outer.pop()

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self.starred = True
        elif symbol in SYMBOLS:
            self._say("text", SYMBOLS[symbol])

    def _word(self, name: str, number: int) -> None:
        starred, self.starred = self.starred, False
        if starred and name == "htmltag":
            self.group.tag = True
        elif starred or name in HIDDEN:
            self.group.hidden, self.group.fonts = True, name == "fonttbl"
        elif name in ENDS:
            self._say("end", ENDS[name])
        elif name == "par" and not self.group.in_table:
            self._say("end", "par")
        elif name in SPOKEN:
            self._say("text", SPOKEN[name])
        elif name == "u":
            self._say("text", chr(number & 0xFFFF))
            self.passing = self.group.after_unicode
        else:
            self._set(name, number)

    def _set(self, name: str, number: int) -> None:
        if name == "f":
            self.font, self.group.codec = number, self.fonts.get(number, self.codec)
        elif name == "fcharset" and self.group.fonts:
            self.fonts[self.font] = CHARSETS.get(number, self.codec)
        elif name == "ansicpg":
            self.codec = self.group.codec = codepage(number)
        elif name == "htmlrtf":
            self.group.silent = number != 0
        elif name in ("intbl", "pard"):
            self.group.in_table = name == "intbl"
        elif name == "uc":
            self.group.after_unicode = number


def _rows(data: bytes) -> Iterator[list[Scalar]]:
    """The rows of tables, and each paragraph outside of them as a row of one cell."""
    cells: list[Scalar] = []
    texts: list[str] = []
    for kind, text in [*_Speaker(data).pieces(), ("end", "par")]:
        if kind == "text":
            texts.append(text)
            continue
        said = _joined(texts).strip(" \n\t") or None
        texts = []
        if text == "cell":
            cells.append(said)
        elif text == "row":
            yield cells
            cells = []
        else:
            yield [said]


def _joined(texts: Iterable[str]) -> str:
    """The pieces as one text; characters that came in two halves are whole again."""
    return "".join(texts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def codepage(number: int) -> str:
    """The codec of a Windows code page; that of Western Europe if it is none."""
    name = {65001: "utf-8", 20949: "cp949", 51949: "cp949", 936: "gb18030", 10000: "mac_roman"}.get(number)
    name = name or f"cp{number}"
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name
