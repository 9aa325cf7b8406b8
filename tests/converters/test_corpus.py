"""The shared corpus of hard files, if this machine has it: every file ends in a state with a reason one can act on."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from converters.model import Conversion
from converters.options import Limits, Options
from converters.sandbox import convert_many

FOLDER = os.environ.get("ONDOL_CORPUS", "")
FILES = sorted(p for p in Path(FOLDER).glob("*/*") if p.is_file()) if FOLDER else []
OPTIONS = Options(limits=Limits(wall_seconds=120, cpu_seconds=100))
FAULTS = {"converter_defect", "crashed", "killed"}
"""Codes of problems that are the converter's own and not the file's."""


@pytest.fixture(scope="module")
def conversions() -> list[Conversion]:
    """One of each file, from the sandbox."""
    return list(convert_many([(path, None) for path in FILES], options=OPTIONS))


pytestmark = pytest.mark.skipif(not FILES, reason="ONDOL_CORPUS names no folder of files: THE CORPUS IS NOT TRIED")


def test_no_file_crashes_hangs_or_defeats_the_converter(conversions: list[Conversion]) -> None:
    assert len(conversions) == len(FILES)
    faults = [f"{p.code} {p.message}" for c in conversions for p in c.problems if p.code in FAULTS]
    late = [
        p.message for c in conversions for p in c.problems if "wall_seconds" in p.message or "processor" in p.message
    ]
    assert not faults + late


def test_each_state_is_borne_out_by_what_the_conversion_holds(conversions: list[Conversion]) -> None:
    for c in conversions:
        about = f"{c.name}: {c.state}, {len(c.tables)} tables, {[p.code for p in c.problems]}"
        assert c.state in ("ok", "partial", "needs_password", "unsupported", "quarantined"), about
        assert bool(c.tables) == (c.state in ("ok", "partial")) or [p.code for p in c.problems] == ["no_table"], about
        assert c.state == "ok" or c.problems, about


def test_each_problem_names_the_file_or_the_place_and_a_remedy(conversions: list[Conversion]) -> None:
    for c in conversions:
        for problem in [*c.problems, *c.notices]:
            about = f"{c.name}: {problem}"
            assert c.name in problem.message or problem.where, about
            assert problem.remedy.endswith(".") and len(problem.remedy) > 10, about
            assert "Traceback" not in problem.message and "0x" not in problem.message, about
            assert len(problem.message) < 600, about


def test_most_sound_files_give_tables(conversions: list[Conversion]) -> None:
    states = Counter(c.state for c in conversions)
    assert states["ok"] + states["partial"] > 0.75 * len(conversions), states
