"""The shared strings of a workbook, as readers of the sheet see them. Source: ECMA-376 part 1, 18.4.9 (sst)."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from converters import arrays
from converters.formats.scan import KEPT, TEXT, NotPlain

_ITEM = re.compile(rb"<si>(?:<t>([^<&\r]*)</t></si>|(.*?)</si>)|<si/>", re.S)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ENTITY = re.compile(r"&(#x[0-9A-Fa-f]{1,6}|#[0-9]{1,7}|\w*);?")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_WHITE = " \t\r\n"


def shared_strings(xml: bytes) -> pa.Array[Any]:
    """The texts by their number.

    Raises:
        NotPlain: the part is of another form.
    """
    texts: list[str] = []
    try:
        for item in _ITEM.finditer(xml):
            texts.append(_plain(item[1]) if item[1] is not None else _text_in(item[2] or b""))
    except (UnicodeDecodeError, SyntaxError) as error:
        raise NotPlain(f"shared strings: {error}") from error
    if len(texts) != xml.count(b"<si") or (xml and not texts and b"<sst" not in xml):
        raise NotPlain("shared strings of another form")
    return arrays.of_list(texts, pa.string())


def _plain(text: bytes) -> str:
    return _unescaped(text.decode().strip(_WHITE))


def inline_text(text: str, kind: int) -> str:
    """What a text within a sheet says.

    Args:
        kind: TEXT, INLINE or KEPT: whether it is a formula's, and whether white space at its ends counts.

    Raises:
        NotPlain: it is of another form.
    """
    if "\r" in text:
        raise NotPlain("a line break of another kind")
    text = _ENTITY.sub(_entity, text) if "&" in text else text
    if kind == TEXT:
        return text
    return _unescaped(text) if kind == KEPT else _unescaped(text).strip(_WHITE)


def _entity(found: re.Match[str]) -> str:
    name = found[1]
    if name.startswith("#"):
        return chr(int(name[2:], 16) if name[1] in "xX" else int(name[1:]))
    if name not in _ENTITIES:
        raise NotPlain(f"an entity {name}")
    return _ENTITIES[name]


def _text_in(xml: bytes) -> str:
    """The texts of an item's runs, without the phonetic ones."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    item = etree.fromstring(b"<si>" + xml + b"</si>", parser)
    found = [*item.findall("t"), *item.findall("r/t")]
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
