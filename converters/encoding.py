"""The encoding of a text: BOM, then NUL parity, then strict UTF-8, then chardet; EUC-KR is always read as CP949."""

from __future__ import annotations

import codecs
import re

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDER = {
    "euc-kr": "cp949",
    "euc_kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "uhc": "cp949",
    "windows-949": "cp949",
    "ms949": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "ascii": "cp949",
}
"""What senders call an encoding → the superset that their programs really write."""

SAMPLE = 1 << 18
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def decode(data: bytes, declared: str | None = None) -> str:
    """The text of the bytes; what no encoding explains becomes U+FFFD.

    Args:
        declared: the encoding that the file itself states (an HTML meta tag), believed if it fits.
    """
    name = sniff(data, declared)
    try:
        return data.decode(name)
    except (UnicodeError, LookupError):
        return data.decode(name if _known(name) else "utf-8", errors="replace")


def sniff(data: bytes, declared: str | None = None) -> str:
    """The name of the Python codec that reads the bytes."""
    for bom, name in BOMS:
        if data.startswith(bom):
            return name
    if parity := _nul_parity(data[:4096]):
        return parity
    if _decodes(data, "utf-8") or _is_damaged_utf8(data[:SAMPLE]):
        return "utf-8"
    stated = widest(declared) if declared else None
    if stated and _known(stated) and _decodes(data, stated):
        return stated
    return _guess(data)


def widest(name: str) -> str:
    """The superset that is really meant: EUC-KR → cp949."""
    return WIDER.get(name.strip().strip("\"'").lower(), name.strip().strip("\"'").lower())


def decode_head(head: bytes) -> str | None:
    """The text of a file's first bytes, or None if they are no text."""
    if not head:
        return None
    name = sniff(_whole_lines(head))
    text = head.decode(name, errors="replace")
    odd = len(CONTROL.findall(text)) + text.count("\ufffd")
    return text if odd <= len(text) * 0.01 + 3 else None


def _guess(data: bytes) -> str:
    import chardet

    sample = _whole_lines(data[:SAMPLE])
    found = chardet.detect(sample).get("encoding")
    name = widest(found) if found else "cp949"
    for candidate in (name, "cp949", "cp932", "gb18030"):
        if _known(candidate) and _decodes(data, candidate):
            return candidate
    return name if _known(name) else "cp949"


def _is_damaged_utf8(sample: bytes) -> bool:
    """UTF-8 but for a few bytes: text of another encoding hardly ever makes valid sequences."""
    text = _whole_lines(sample).decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    return sum(not c.isascii() for c in text) - broken >= 2 * broken > 0


def _whole_lines(sample: bytes) -> bytes:
    end = sample.rfind(b"\n")
    return sample[: end + 1] if end > 0 else sample


def _nul_parity(head: bytes) -> str | None:
    pairs = len(head) // 2
    if pairs < 2:
        return None
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if odd > pairs * 0.3 and even < odd * 0.1:
        return "utf-16-le"
    if even > pairs * 0.3 and odd < even * 0.1:
        return "utf-16-be"
    return None


def _decodes(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except UnicodeDecodeError as error:
        return error.start >= len(data) - 4 and error.reason.startswith(("unexpected end", "incomplete", "truncated"))
    except UnicodeError:
        return False
    return True


def _known(name: str) -> bool:
    """Whether it names a codec of texts: files also state ones like "hex", and names that are none."""
    try:
        "a".encode(name)
    except (LookupError, ValueError):
        return False
    return True
