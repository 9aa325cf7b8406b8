"""The shared strings of a workbook, as readers of the sheet see them. Source: ECMA-376 part 1, 18.4.9 (sst)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from converters import arrays
from converters.formats.scan import KEPT, TEXT, NotPlain

_ITEM = re.compile(rb"<si>(?:<t>([^<&\r]*)</t></si>|(.*?)</si>)|<si/>", re.S)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_WHITE = " \t\r\n"


def shared_strings(xml: bytes) -> pa.Array[Any]:
    """The texts by their number.

    Raises:
        NotPlain: the part is of another form.
    """
    texts: list[str] = []
    try:
        for item in _ITEM.finditer(xml):
            texts.append(_plain(item[1]) if item[1] is not None else item_text(_parsed(item[2] or b"")))
    except UnicodeDecodeError as error:
        raise NotPlain(f"shared strings: {error}") from error
    if len(texts) != xml.count(b"<si") or (xml and not texts and b"<sst" not in xml):
        raise NotPlain("shared strings of another form")
    return arrays.of_list(texts, pa.string())


def any_strings(xml: bytes) -> list[str]:
    """As shared_strings, of any form.

    Raises:
        SyntaxError: the XML is damaged.
    """
    from lxml import etree

    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    return [item_text(item) for item in root.iter("{*}si")]


def _plain(text: bytes) -> str:
    return _unescaped(text.decode().strip(_WHITE))


def inline_texts(texts: Sequence[str], kind: int) -> list[str]:
    """What texts within a sheet say.

    Args:
        texts: as the XML has them.
        kind: TEXT, INLINE or KEPT: whether they are results of formulas, and whether white space at their ends counts.

    Raises:
        NotPlain: one is of another form.
    """
    joined = "</t><t>".join(texts)
    if "\r" in joined:
        raise NotPlain("a line break of another kind")
    said = [t.text or "" for t in _parsed(f"<t>{joined}</t>".encode())] if "&" in joined else list(texts)
    if kind == TEXT:
        return said
    plain = [_unescaped(text) for text in said] if "_x" in joined else said
    return plain if kind == KEPT else [text.strip(_WHITE) for text in plain]


def _parsed(xml: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(b"<si>" + xml + b"</si>", parser)
    except SyntaxError as error:
        raise NotPlain(str(error)) from error


def item_text(item: Any) -> str:
    """The texts of the runs of an <si> or <is> element, without the phonetic ones."""
    found = [*item.findall("{*}t"), *item.findall("{*}r/{*}t")]
    return "".join(_kept(t.text or "", t.get("{http://www.w3.org/XML/1998/namespace}space")) for t in found)


def _kept(text: str, space: str | None) -> str:
    """White space at the ends counts only where the file says so."""
    return _unescaped(text if space == "preserve" else text.strip(_WHITE))


def _unescaped(text: str) -> str:
    """Characters that XML cannot have are written as _x000D_, and such a text itself with _x005F_ before it."""
    return _ESCAPE.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return found[0] if 0xD800 <= number < 0xE000 else chr(number)
