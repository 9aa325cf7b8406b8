"""Archives and OLE files written by hand, so that a test can say exactly what is in them, and lie."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

TABLE = "지점,매출\n강남,10\n서초,20\n"
CSV = TABLE.encode()


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip as the standard library writes it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return target.getvalue()


@dataclass(frozen=True)
class Entry:
    """A member of a zip with every field in the test's hands."""

    name: bytes
    data: bytes = CSV
    flags: int = 0
    attributes: int = 0
    system: int = 0
    size: int | None = None
    method: int = zipfile.ZIP_DEFLATED


def raw_zip(*entries: Entry) -> bytes:
    """A zip of such members (PKWARE APPNOTE 4.3)."""
    out, directory = bytearray(), bytearray()
    for e in entries:
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(e.data) + packer.flush() if e.method == zipfile.ZIP_DEFLATED else e.data
        size = len(e.data) if e.size is None else e.size
        common = struct.pack(
            "<5H3I2H", 20, e.flags, e.method, 0, 0x21, zlib.crc32(e.data), len(packed), size, len(e.name), 0
        )
        directory += struct.pack("<IH", 0x02014B50, 20 | e.system << 8) + common
        directory += struct.pack("<3H2I", 0, 0, 0, e.attributes, len(out)) + e.name
        out += struct.pack("<I", 0x04034B50) + common + e.name + packed
    end = struct.pack("<I4H2IH", 0x06054B50, 0, 0, len(entries), len(entries), len(directory), len(out), 0)
    return bytes(out + directory + end)


def zipcrypto(name: bytes, password: bytes, data: bytes = CSV) -> bytes:
    """A zip of one stored member, encrypted the old way (PKWARE APPNOTE 6.1)."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def crc(value: int, byte: int) -> int:
        return ~zlib.crc32(bytes([byte]), value ^ 0xFFFFFFFF) & 0xFFFFFFFF

    def update(byte: int) -> None:
        keys[0] = crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = crc(keys[2], keys[1] >> 24)

    def sealed(byte: int) -> int:
        mixed = (keys[2] | 2) & 0xFFFF
        update(byte)
        return byte ^ ((mixed * (mixed ^ 1)) >> 8 & 0xFF)

    for byte in password:
        update(byte)
    check = zlib.crc32(data) >> 24
    packed = bytes(sealed(byte) for byte in bytes(11) + bytes([check]) + data)
    common = struct.pack(
        "<5H3I2H", 20, 1, zipfile.ZIP_STORED, 0, 0x21, zlib.crc32(data), len(packed), len(data), len(name), 0
    )
    local = struct.pack("<I", 0x04034B50) + common + name + packed
    directory = struct.pack("<IH", 0x02014B50, 20) + common + struct.pack("<3H2I", 0, 0, 0, 0, 0) + name
    return local + directory + struct.pack("<I4H2IH", 0x06054B50, 0, 0, 1, 1, len(directory), len(local), 0)


Tree = dict[str, "bytes | Tree"]


NONE, LAST, TABLE_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


class _Sectors:
    """Streams in sectors of one size, with the table that chains them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.data = bytearray()
        self.chain: list[int] = []

    def store(self, data: bytes) -> int:
        start, count = len(self.chain), max(1, -(-len(data) // self.size))
        self.data += data.ljust(count * self.size, b"\0")
        self.chain += [*range(start + 1, start + count), LAST]
        return start


def compound(tree: Tree) -> bytes:
    """An OLE file of storages (dicts) and streams (MS-CFB 2)."""
    entries: list[bytes] = []
    large, small = _Sectors(512), _Sectors(64)

    def entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
        coded = name.encode("utf-16-le")
        links = struct.pack("<HBB3I", len(coded) + 2, kind, 1, NONE, right, child)
        return coded.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", start, size)

    def place(children: Tree) -> int:
        numbers = range(len(entries), len(entries) + len(children))
        entries.extend(b"" for _ in children)
        for at, (name, content) in zip(numbers, children.items(), strict=True):
            right = at + 1 if at + 1 in numbers else NONE
            if isinstance(content, bytes):
                start = (small if len(content) < 4096 else large).store(content)
                entries[at] = entry(name, 2, right, NONE, start, len(content))
            else:
                entries[at] = entry(name, 1, right, place(content), 0, 0)
        return numbers[0] if numbers else NONE

    entries.append(b"")
    first = place(tree)
    entries[0] = entry("Root Entry", 5, NONE, first, large.store(bytes(small.data)), len(small.data))
    directory = large.store(b"".join(entries))
    chains = large.store(struct.pack(f"<{len(small.chain)}I", *small.chain).ljust(512, b"\xff"))
    count = -(-(len(large.chain) + 1) // 127)
    places = [*range(len(large.chain), len(large.chain) + count), *[NONE] * (109 - count)]
    table = [*large.chain, *[TABLE_SECTOR] * count]
    table += [NONE] * (count * 128 - len(table))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, count, directory, 0, 4096, chains, -(-len(small.chain) // 128), LAST, 0)
    return head + struct.pack("<109I", *places) + bytes(large.data) + struct.pack(f"<{len(table)}I", *table)


def outlook(
    texts: dict[int, str], *, attachments: tuple[Tree, ...] = (), codepage: int = 0, head: int = 32, **more: bytes
) -> Tree:
    """A mail's storage for `compound`.

    Args:
        texts: properties by number; in UTF-16, or in bytes of the codepage if one is given.
        head: 24 for a mail that is attached.
        more: streams by name without prefix ("10130102").
    """
    fixed = struct.pack("<HHIQ", 3, 0x3FFD, 6, codepage) if codepage else b""
    tree: Tree = {"__properties_version1.0": bytes(head) + fixed}
    for number, text in texts.items():
        coded = text.encode(f"cp{codepage}") if codepage else text.encode("utf-16-le")
        tree[f"__substg1.0_{number:04X}{'001E' if codepage else '001F'}"] = coded
    tree |= {f"__substg1.0_{name.strip('_')}": data for name, data in more.items()}
    for number, attachment in enumerate(attachments):
        tree[f"__attach_version1.0_#{number:08X}"] = {"__properties_version1.0": bytes(8), **attachment}
    return tree


def attached(name: str, data: bytes) -> Tree:
    """An attachment's storage for `outlook`."""
    return {"__substg1.0_3707001F": name.encode("utf-16-le"), "__substg1.0_37010102": data}
