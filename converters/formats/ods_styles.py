"""The styles of an OpenDocument spreadsheet: number formats as Excel writes them, and what a reader sees.

Source: OASIS OpenDocument 1.3 part 3, 16 (styles), 16.29 (data styles), 20 (formatting attributes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from converters.grid import PLAIN, Look

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TABLE, TEXT = f"{_OASIS}office:1.0}}", f"{_OASIS}table:1.0}}", f"{_OASIS}text:1.0}}"
STYLE, NUMBER, FO = f"{_OASIS}style:1.0}}", f"{_OASIS}datastyle:1.0}}", f"{_OASIS}xsl-fo-compatible:1.0}}"
CELL_STYLE = f"{STYLE}style"
DATA_STYLES = tuple(f"{NUMBER}{kind}-style" for kind in "number currency percentage date time boolean text".split())

_LEVEL_CM = 0.353
_PER_CM = {"cm": 1.0, "mm": 10.0, "in": 1 / 2.54, "pt": 72 / 2.54, "pc": 6 / 2.54, "px": 96 / 2.54}
_PLAIN_TEXT = re.compile(r"[-/:.,() ]+")
_CLOCK = {"year": "y", "day": "d", "hours": "h", "minutes": "m"}


@dataclass
class Styles:
    """What the styles read so far mean, by name.

    Args:
        formats: number formats of data styles.
        looks: of cell styles; the default one is under "".
        hidden: the styles of tables that do not show.
    """

    formats: dict[str, str] = field(default_factory=dict)
    looks: dict[str, Look] = field(default_factory=lambda: {"": PLAIN})
    hidden: set[str] = field(default_factory=set)

    def take(self, element: Any) -> None:
        """Reads one style."""
        name = element.get(f"{STYLE}name") or ""
        if element.tag in DATA_STYLES:
            self.formats[name] = self._number_format(element)
        elif element.get(f"{STYLE}family") == "table-cell":
            self.looks[name] = self._look(element)
        elif any(p.get(f"{TABLE}display") == "false" for p in element.iterchildren(f"{STYLE}table-properties")):
            self.hidden.add(name)

    def _look(self, element: Any) -> Look:
        look = self.looks.get(element.get(f"{STYLE}parent-style-name") or "", PLAIN)
        stated = self.formats.get(element.get(f"{STYLE}data-style-name") or "")
        if stated is not None:
            look = replace(look, number_format=stated)
        for properties in element:
            if properties.tag == f"{STYLE}table-cell-properties":
                look = _with_cell_properties(look, properties)
            elif properties.tag == f"{STYLE}text-properties":
                weight = properties.get(f"{FO}font-weight")
                look = replace(look, bold=_is_bold(weight)) if weight else look
            elif properties.tag == f"{STYLE}paragraph-properties":
                look = replace(look, indent=_indent(properties.get(f"{FO}margin-left")) or look.indent)
        return look

    def _number_format(self, element: Any) -> str:
        own = "".join(_token(part, element) for part in element)
        if element.tag == f"{NUMBER}time-style" and element.get(f"{NUMBER}truncate-on-overflow") == "false":
            own = re.sub(r"h+|m+|s+", lambda unit: f"[{unit[0]}]", own, count=1)
        positive, negative = None, None
        for condition in element.iterchildren(f"{STYLE}map"):
            applied = self.formats.get(condition.get(f"{STYLE}apply-style-name") or "")
            if (condition.get(f"{STYLE}condition") or "").startswith("value()>"):
                positive = applied
            else:
                negative = applied
        sections = [section for section in (positive, negative, own) if section]
        return ";".join(sections) or "General"


def _with_cell_properties(look: Look, properties: Any) -> Look:
    color = properties.get(f"{FO}background-color")
    if color is not None:
        look = replace(look, filled=color != "transparent")
    borders = [v for k, v in properties.attrib.items() if k.startswith(f"{FO}border")]
    return replace(look, border=any(v != "none" for v in borders)) if borders else look


def _is_bold(weight: str) -> bool:
    return weight == "bold" or (weight.isdigit() and int(weight) >= 600)


def _indent(length: str | None) -> int:
    """Levels of indentation; one is as wide as spreadsheet programs make it."""
    found = re.fullmatch(r"(\d{1,4}(?:\.\d+)?)(cm|mm|in|pt|pc|px)", length or "")
    return round(float(found[1]) / _PER_CM[found[2]] / _LEVEL_CM) if found else 0


def _token(part: Any, style: Any) -> str:
    """The piece of a number format that one part of a data style says."""
    kind: str = part.tag.removeprefix(NUMBER) if isinstance(part.tag, str) else ""
    long: bool = part.get(f"{NUMBER}style") == "long"
    if kind == "number":
        return _digits(part)
    if kind in ("text", "currency-symbol"):
        return _literal(part.text or "", kind, percent=style.tag == f"{NUMBER}percentage-style")
    if kind in _CLOCK:
        return _CLOCK[kind] * ((1 + long) * (2 if kind == "year" else 1))
    if kind == "month":
        textual: bool = part.get(f"{NUMBER}textual") == "true"
        return "m" * (1 + long + 2 * textual)
    if kind == "seconds":
        places = _count(part, "decimal-places")
        return "s" * (1 + long) + ("." + "0" * places if places else "")
    return {
        "day-of-week": "dddd" if long else "ddd",
        "am-pm": "AM/PM",
        "scientific-number": "0.00E+00",
        "fraction": "# ?/?",
        "text-content": "@",
    }.get(kind, "")


def _digits(part: Any) -> str:
    whole, places = _count(part, "min-integer-digits"), part.get(f"{NUMBER}decimal-places")
    grouped = part.get(f"{NUMBER}grouping") == "true"
    if places is None and not grouped and whole <= 1:
        return "General"
    text = "#,##" + ("0" if whole else "#") if grouped else "0" * whole or "#"
    factor = part.get(f"{NUMBER}display-factor") or "1"
    thousands = "," * (factor.count("0") // 3) if re.fullmatch(r"10+", factor) else ""
    return text + ("." + "0" * _count(part, "decimal-places") if _count(part, "decimal-places") else "") + thousands


def _count(part: Any, name: str) -> int:
    text = part.get(NUMBER + name) or "0"
    return min(int(text), 30) if re.fullmatch(r"\d{1,9}", text) else 0


def _literal(text: str, kind: str, *, percent: bool) -> str:
    if kind == "currency-symbol":
        return f"[${text}]"
    if percent and text.strip() == "%":
        return text
    return text if _PLAIN_TEXT.fullmatch(text) or not text else '"' + text.replace('"', "'") + '"'
