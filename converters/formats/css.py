"""What the styles of a page say of a cell, as far as it changes what the cell is: Excel's number formats, hidden, bold.

Source: CSS 2.1 (declarations, escapes); Microsoft Office HTML and XML Reference (mso-number-format,
mso-char-indent-count).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from converters.grid import PLAIN, Look

NAMED = {
    "percent": "0.00%",
    "standard": "#,##0.00",
    "fixed": "0.00",
    "scientific": "0.00E+00",
    "short date": "yyyy-mm-dd",
    "medium date": "d-mmm-yy",
    "long date": "yyyy-mm-dd",
    "short time": "h:mm",
    "medium time": "h:mm AM/PM",
    "long time": "h:mm:ss",
    "general date": "yyyy-mm-dd h:mm",
    "text": "@",
}
"""Formats that Excel writes by name."""

_CLASS = re.compile(r"\w*\.([\w-]+)")
_FORMAT = re.compile(r"""mso-number-format\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^;"']*))""", re.I | re.S)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{4,6})\s?|(.))", re.I | re.S)
_HIDDEN = re.compile(r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all)", re.I)
_BOLD = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.I)
_INDENT = re.compile(r"mso-char-indent-count\s*:\s*(\d{1,2})", re.I)
_PADDING = re.compile(r"(?:padding-left|text-indent)\s*:\s*(\d{1,3})(?:\.\d+)?\s*(px|pt|em)", re.I)
_WIDTH = {"px": 8, "pt": 6, "em": 1}


def classes(css: str) -> dict[str, str]:
    """The declarations of each class, from the text of a style sheet."""
    found: dict[str, str] = {}
    first, *others = css.split("/*")
    css = first + "".join(part.partition("*/")[2] for part in others)
    for rule in css.replace("<!--", "").replace("-->", "").split("}"):
        selectors, brace, declarations = rule.rpartition("{")
        for selector in selectors.split(",") if brace else ():
            if name := _CLASS.fullmatch(selector.strip()):
                found[name[1]] = f"{found.get(name[1], '')};{declarations}"
    return found


def declared(attributes: Mapping[str, str], known: Mapping[str, str]) -> str:
    """All declarations that hold for an element: its own before those of its classes, as the first is taken."""
    own = attributes.get("style", "")
    named = [known[name] for name in attributes.get("class", "").split() if name in known]
    return ";".join([own, *named]) if named else own


def is_hidden(attributes: Mapping[str, str], declarations: str) -> bool:
    """A reader of the page does not see the element."""
    return "hidden" in attributes or (bool(declarations) and bool(_HIDDEN.search(declarations)))


@lru_cache(maxsize=1024)
def look(declarations: str, *, bold: bool = False) -> Look:
    """The look that declarations give."""
    indent = _INDENT.search(declarations) or _PADDING.search(declarations)
    level = int(indent[1]) // (_WIDTH[indent[2].lower()] if len(indent.groups()) > 1 else 1) if indent else 0
    found = Look(_number_format(declarations), bold or bool(_BOLD.search(declarations)), indent=level)
    return PLAIN if found == PLAIN else found


def _number_format(declarations: str) -> str:
    found = _FORMAT.search(declarations)
    if found is None:
        return "General"
    text = _ESCAPE.sub(_unescaped, next(part for part in found.groups() if part is not None)).strip()
    return NAMED.get(text.lower(), text) or "General"


def _unescaped(found: re.Match[str]) -> str:
    if not found[1]:
        return found[2]
    code = int(found[1], 16)
    return chr(code) if code < 0x110000 else ""
