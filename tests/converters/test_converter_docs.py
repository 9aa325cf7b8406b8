"""docs/converter.md tells of every format, state, form and exit code that there is, and of no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from converters.answers import MEDIA
from converters.formats.registry import READERS
from converters.model import State

PAGE = (Path(__file__).parents[2] / "docs" / "converter.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The cells of the table that begins with this heading."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def test_every_state_is_explained() -> None:
    assert [row[0] for row in rows("state")] == list(get_args(State))


def test_every_form_of_the_service_is_told_with_its_media_type() -> None:
    assert {row[0]: row[1] for row in rows("`as`")} == MEDIA


@pytest.mark.parametrize("name", sorted(READERS))
def test_the_addresses_of_every_format_are_told(name: str) -> None:
    told = re.findall(r"\w+", " ".join(row[0] for row in rows("format")).lower())
    assert name in told
