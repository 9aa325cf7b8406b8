"""Every case folder: the facts that a person reads in the file, no more and no less."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from converters import convert
from converters.facts import fact_line

CASES = sorted(p for p in (Path(__file__).parent / "cases").iterdir() if p.is_dir())
LOOSE = ("column", "row", "value")
EXACT = ("type", "subtotal", "role")


def normal(value: object) -> object:
    """As people compare: white space does not matter, nor do the last bits of a float."""
    if isinstance(value, list):
        return ["".join(text.split()) for text in value]
    if isinstance(value, float):
        return round(value, 9)
    return " ".join(value.split()) if isinstance(value, str) else value


def place_of(fact: dict) -> tuple[object, ...]:
    """The cell, with the file that it is in and its sheet."""
    return (*fact.get("container", ()), fact["sheet"], fact["cell"])


def differences(wanted: dict, got: dict) -> dict:
    """What differs between two facts, as got and wanted."""
    found = {key: (got[key], wanted[key]) for key in LOOSE if normal(got[key]) != normal(wanted[key])}
    found |= {key: (got[key], wanted[key]) for key in EXACT if got[key] != wanted[key]}
    if wanted["type"] == "number" and got["unit"] != wanted["unit"]:
        found["unit"] = (got["unit"], wanted["unit"])
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gives_the_facts_that_a_person_reads(case: Path) -> None:
    conversion = convert(next(case.glob("input.*")))
    assert conversion.state == "ok"
    got = {place_of(f): f for t in conversion.tables for f in map(json.loads, map(fact_line, t.facts()))}
    wanted = [json.loads(line) for line in (case / "expected.jsonl").read_text("utf-8").splitlines()]
    wrong = {}
    for fact in wanted:
        place = place_of(fact)
        found = got.pop(place, None)
        if wrong_here := {"missing": fact} if found is None else differences(fact, found):
            wrong[place] = wrong_here
    invented = [fact for fact in got.values() if fact["role"] == "value"]
    assert not wrong
    assert not invented


def test_each_case_says_why_it_is_one() -> None:
    assert len(CASES) >= 25
    for case in CASES:
        assert len((case / "why.md").read_text("utf-8")) > 40, case.name
