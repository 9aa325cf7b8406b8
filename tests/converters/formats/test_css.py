"""What styles say of a cell."""

from __future__ import annotations

import pytest

from converters.formats import css
from converters.grid import PLAIN


@pytest.mark.parametrize(
    ("declarations", "number_format"),
    [
        ('mso-number-format:"\\@"', "@"),
        ("mso-number-format:'\\@';color:red", "@"),
        ("color:red; mso-number-format : \\@", "@"),
        ('mso-number-format:"\\#\\,\\#\\#0\\0022원\\0022"', '#,##0"원"'),
        ("mso-number-format:Percent", "0.00%"),
        ("mso-number-format:General", "General"),
        ("mso-number-format:", "General"),
        ("color:red", "General"),
    ],
)
def test_number_formats_are_those_that_excel_escapes(declarations: str, number_format: str) -> None:
    assert css.look(declarations).number_format == number_format


@pytest.mark.parametrize(
    ("declarations", "indent"), [("padding-left:24px", 3), ("text-indent: 2em", 2), ("padding:9px", 0)]
)
def test_padding_indents(declarations: str, indent: int) -> None:
    assert css.look(declarations).indent == indent


def test_classes_are_found_under_the_selectors_that_name_only_them() -> None:
    known = css.classes("<!-- td {a:b} .x, td.y-1 {display:none} .x td {c:d} #z{e:f} /* .y {k:l} */ .x{g:h} -->")
    assert {name: text.strip(";") for name, text in known.items()} == {"x": "display:none;g:h", "y-1": "display:none"}
    assert css.declared({"class": "q x", "style": "i:j"}, known) == "i:j;;display:none;g:h"


@pytest.mark.parametrize(
    ("attributes", "hidden"),
    [
        ({"hidden": ""}, True),
        ({"style": "display:none"}, True),
        ({"style": "a:b;visibility: hidden"}, True),
        ({"style": "mso-hide:all"}, True),
        ({"style": "display:block"}, False),
        ({}, False),
    ],
)
def test_hidden_is_what_nobody_sees(attributes: dict[str, str], hidden: bool) -> None:
    assert css.is_hidden(attributes, css.declared(attributes, {})) is hidden


def test_what_changes_nothing_is_plain() -> None:
    assert css.look("color:red") is PLAIN
