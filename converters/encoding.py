"""The encoding of a text: BOM, then NUL parity, then strict UTF-8, then chardet; EUC-KR is always read as CP949."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

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
KOREAN_SAMPLE = 1 << 15
_DOUBLE = re.compile(rb"[\x81-\xfe][\x41-\xfe]")
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def decode(data: bytes, declared: str | None = None) -> str:
    """The text of the bytes; what no encoding explains becomes U+FFFD.

    Args:
        declared: the encoding that the file itself states (an HTML meta tag), believed if it fits.
    """
    return _read(data, declared)[1]


def sniff(data: bytes, declared: str | None = None) -> str:
    """The name of the Python codec that reads the bytes."""
    return _read(data, declared)[0]


def _read(data: bytes, declared: str | None) -> tuple[str, str]:
    """The codec and what it makes of the bytes: they are decoded once, since a large text takes its time."""
    sure = next((name for bom, name in BOMS if data.startswith(bom)), None) or _nul_parity(data[:4096])
    if sure is None and (text := _decoded(data, "utf-8")) is not None:
        return "utf-8", text
    if sure is None and _is_damaged_utf8(data[:SAMPLE]):
        sure = "utf-8"
    if sure is not None:
        return sure, data.decode(sure, errors="replace")
    stated = widest(declared) if declared else None
    if stated and _known(stated) and (text := _decoded(data, stated)) is not None:
        return stated, text
    likeliest = None
    for name in filter(_known, _guesses(data)):
        likeliest = likeliest or name
        if (text := _decoded(data, name)) is not None:
            return name, text
    assert likeliest
    return likeliest, data.decode(likeliest, errors="replace")


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


def _guesses(data: bytes) -> Iterator[str]:
    """Names of codecs, the likeliest first."""
    if _is_korean(data[:KOREAN_SAMPLE]):
        yield "cp949"
    import chardet

    found = chardet.detect(_whole_lines(data[:SAMPLE])).get("encoding")
    yield widest(found) if found else "cp949"
    yield from ("cp949", "cp932", "gb18030")


def _is_korean(sample: bytes) -> bool:
    """Nearly all characters beyond ASCII are Hangul syllables as EUC-KR has them: no other script looks like that."""
    pairs = _DOUBLE.findall(sample)
    syllables = sum(0xB0 <= lead <= 0xC8 and trail >= 0xA1 for lead, trail in pairs)
    return bool(syllables >= 100 and syllables * 10 >= len(pairs) * 9)


def _is_damaged_utf8(sample: bytes) -> bool:
    """UTF-8 but for a few bytes: text of another encoding hardly ever makes valid sequences."""
    text = _whole_lines(sample).decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    beyond_ascii = len(text) - len(text.encode("ascii", errors="ignore"))
    return beyond_ascii - broken >= 2 * broken > 0


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


def _decoded(data: bytes, name: str) -> str | None:
    """The text if the codec reads all of it, but for a character that the end cuts off."""
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        cut = error.start >= len(data) - 4 and error.reason.startswith(("unexpected end", "incomplete", "truncated"))
        return data.decode(name, errors="replace") if cut else None
    except UnicodeError:
        return None


def _known(name: str) -> bool:
    """Whether it names a codec of texts: files also state ones like "hex", and names that are none."""
    try:
        "a".encode(name)
    except (LookupError, ValueError):
        return False
    return True
