"""docs/tagging.md shows what happens: each rule is parsed, and run on the table over it to give the one below."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest

from converters.casting import caster
from converters.tagging import tag
from tests.converters.by_hand import ABOUT, conversion, rule, table

PAGE = (Path(__file__).parents[2] / "docs" / "tagging.md").read_text()
TABLE = r"((?:\|.*\|\n)+)"
RULES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = re.findall(rf"{TABLE}\n```yaml\n((?:(?!```).*\n)*)```\n\n(?:The tidy table:\n\n)?{TABLE}", PAGE)


def cells(text):
    rows = [[cell.strip() or None for cell in line.strip("|\n").split("|")] for line in text.splitlines()]
    return rows[0], rows[2:]


def value(text):
    if text is None or re.fullmatch(r"0\d+", text):
        return text
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return dt.datetime.fromisoformat(text)
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else text


def shown(scalar):
    return f"{scalar.normalize():f}" if isinstance(scalar, Decimal) else caster("text")(scalar)


def test_the_page_has_its_examples():
    assert len(RULES) == 9
    assert len(EXAMPLES) == 8


@pytest.mark.parametrize("text", RULES)
def test_each_rule_is_one(text):
    assert rule(text).columns


@pytest.mark.parametrize(("before", "text", "after"), EXAMPLES)
def test_each_example_gives_what_it_says(before, text, after):
    headers, rows = cells(before)
    units = {h: found[1] for h in headers if (found := re.search(r"\((.*)\)", h))}
    labels = sum(not isinstance(value(v), float) for v in rows[0])
    found = table(headers, *[[value(v) for v in row] for row in rows], units=units, labels=labels)
    tidy = tag(conversion(found), rule(text), ABOUT).table
    names, wanted = cells(after)
    assert [name for name in tidy.column_names if not name.startswith("_")] == names
    assert [[shown(v) for v in row.values()] for row in tidy.select(names).to_pylist()] == wanted
