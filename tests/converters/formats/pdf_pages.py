"""Small PDFs for tests and benchmarks, written object by object, so that every operator in them is known.

Coordinates are in points from the top left corner. Korean needs no font file: the font is one of those that readers
have, or replace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
TURNS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0), 45: (0.71, 0.71, -0.71, 0.71)}
PRIVATE = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode {cmap} 0 R >>"
CMAP = (
    "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /P def /CMapType 2 def\n"
    "1 begincodespacerange <00> <FF> endcodespacerange\n1 beginbfchar <41> <E123> endbfchar\n"
    "endcmap end end"
)


def width(text: str, size: float = 10) -> float:
    """How wide a text is printed: letters of ASCII are half as wide as others."""
    return sum(0.5 if c.isascii() else 1.0 for c in text) * size


@dataclass
class Sheet:
    """A page: what is drawn on it, and other entries of its dictionary."""

    width: float = 595
    height: float = 842
    entries: str = ""
    content: list[str] = field(default_factory=list)

    def text(
        self, x: float, y: float, text: str, size: float = 10, *, turn: int = 0, spacing: float = 0, font: str = "F1"
    ) -> Sheet:
        """Text from x on, its base line at y, turned counter-clockwise, with extra space between letters."""
        code = text.encode("utf-16-be").hex() if font == "F1" else text.encode("latin-1").hex()
        matrix = " ".join(map(str, TURNS[turn]))
        self.content.append(
            f"BT /{font} {size} Tf {spacing} Tc {matrix} {x:.2f} {self.height - y:.2f} Tm <{code}> Tj ET"
        )
        return self

    def right(self, x: float, y: float, text: str, size: float = 10) -> Sheet:
        """Text up to x."""
        return self.text(x - width(text, size), y, text, size)

    def line(self, x0: float, y0: float, x1: float, y1: float) -> Sheet:
        """A stroke."""
        self.content.append(f"{x0:.2f} {self.height - y0:.2f} m {x1:.2f} {self.height - y1:.2f} l S")
        return self

    def bar(self, x: float, y: float, wide: float, high: float) -> Sheet:
        """A filled rectangle, by its top left corner."""
        self.content.append(f"{x:.2f} {self.height - y - high:.2f} {wide:.2f} {high:.2f} re f")
        return self

    def rules(self, xs: Sequence[float], ys: Sequence[float]) -> Sheet:
        """A full lattice."""
        for x in xs:
            self.line(x, ys[0], x, ys[-1])
        for y in ys:
            self.line(xs[0], y, xs[-1], y)
        return self

    def table(self, xs: Sequence[float], top: float, rows: Sequence[Sequence[str]], high: float = 18) -> Sheet:
        """Rows of texts between edges: the first to the left, the others to the right; "" leaves a cell blank."""
        for number, row in enumerate(rows):
            y = top + number * high + high * 0.7
            for column, (text, (left, right)) in enumerate(zip(row, pairwise(xs), strict=True)):
                if text and column == 0:
                    self.text(left + 3, y, text)
                elif text:
                    self.right(right - 3, y, text)
        return self

    def ruled(self, xs: Sequence[float], top: float, rows: Sequence[Sequence[str]], high: float = 18) -> Sheet:
        """The same with all rules."""
        self.rules(xs, [top + i * high for i in range(len(rows) + 1)])
        return self.table(xs, top, rows, high)


def pdf(*sheets: Sheet, forms: dict[str, tuple[str, str]] | None = None, password: str | None = None) -> bytes:
    """The bytes of a PDF.

    Args:
        forms: form objects by name: their content, and other entries of their dictionary ("@name" refers to one).
        password: encrypts it (RC4, 40 bits).
    """
    forms = forms or {}
    pages = range(8, 8 + 2 * len(sheets), 2)
    names = {name: 8 + 2 * len(sheets) + i for i, name in enumerate(forms)}
    resources = "/Resources << /Font << /F1 3 0 R /F2 6 0 R >> /XObject << {} >> >>".format(
        " ".join(f"/{name} {number} 0 R" for name, number in names.items())
    )
    objects: dict[int, tuple[str, bytes | None]] = {
        1: ("<< /Type /Catalog /Pages 2 0 R >>", None),
        2: (f"<< /Type /Pages /Count {len(sheets)} /Kids [{' '.join(f'{n} 0 R' for n in pages)}] >>", None),
        3: (
            "<< /Type /Font /Subtype /Type0 /BaseFont /HYSMyeongJo-Medium-UniKS-UCS2-H /Encoding /UniKS-UCS2-H "
            "/DescendantFonts [4 0 R] >>",
            None,
        ),
        4: (
            "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HYSMyeongJo-Medium /DW 1000 /W [1 95 500] "
            "/CIDSystemInfo 7 0 R /FontDescriptor 5 0 R >>",
            None,
        ),
        5: (
            "<< /Type /FontDescriptor /FontName /HYSMyeongJo-Medium /Flags 6 /FontBBox [0 -120 1000 880] "
            "/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 60 >>",
            None,
        ),
        6: (PRIVATE.format(cmap=8 + 2 * len(sheets) + len(forms)), None),
        7: ("<< /Registry (Adobe) /Ordering (Korea1) /Supplement 1 >>", None),
        8 + 2 * len(sheets) + len(forms): ("<<", CMAP.encode()),
    }
    for number, sheet in zip(pages, sheets, strict=True):
        head = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {sheet.width} {sheet.height}] {resources} {sheet.entries}"
        objects[number] = (f"{head} /Contents {number + 1} 0 R >>", None)
        objects[number + 1] = ("<<", "\n".join(sheet.content).encode())
    for name, (content, entries) in forms.items():
        head = f"<< /Type /XObject /Subtype /Form /BBox [0 0 20000 20000] {entries} {resources}"
        objects[names[name]] = (head, content.encode())
    return _written(objects, password)


def _written(objects: dict[int, tuple[str, bytes | None]], password: str | None) -> bytes:
    key = _key(password) if password else b""
    trailer = f"/Size {len(objects) + 1} /Root 1 0 R"
    if password:
        owner = _rc4(hashlib.md5(_padded(password)).digest()[:5], _padded(password))
        user = _rc4(key, PADDING)
        trailer += (
            f" /ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{owner.hex()}> /U <{user.hex()}> >>"
        )
    out = bytearray(b"%PDF-1.4\n")
    places = {}
    for number, (head, stream) in sorted(objects.items()):
        places[number] = len(out)
        out += f"{number} 0 obj\n{head}".encode()
        if stream is not None:
            if password:
                salted = key + number.to_bytes(3, "little") + b"\0\0"
                stream = _rc4(hashlib.md5(salted).digest()[:10], stream)
            out += b" /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream)
        out += b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for number in sorted(places):
        out += b"%010d 00000 n \n" % places[number]
    out += f"trailer\n<< {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def _padded(password: str) -> bytes:
    return (password.encode("latin-1") + PADDING)[:32]


def _key(password: str) -> bytes:
    owner = _rc4(hashlib.md5(_padded(password)).digest()[:5], _padded(password))
    return hashlib.md5(_padded(password) + owner + (-4 & 0xFFFFFFFF).to_bytes(4, "little") + b"\0").digest()[:5]


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
