"""What each tool gets right on messy tables with known truth: Ondol beside others, in one run.

    python tests/benchmarks/bench_peers.py [--with-docling]

The tables are the case folders of tests/converters/cases and those of the folder that ONDOL_BENCH names, if it does.
The others are installed into an environment of their own (.ondol/peers; docling brings gigabytes, so it is asked for).
A truth cell counts when its header path, value, row path, unit and subtotal flag are all right; what a tool invents
counts against it. A tool that gives no addresses is matched by content.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
ENVIRONMENT = PROJECT / ".ondol" / "peers"
PEERS = {
    "openpyxl": ["openpyxl"],
    "pandas": ["pandas", "lxml", "openpyxl"],
    "polars": ["polars", "fastexcel"],
    "frictionless": ["frictionless[excel]"],
    "markitdown": ["markitdown[xlsx,xls]"],
    "docling": ["docling"],
}
Fact = dict[str, Any]
Truth = dict[Path, list[Fact]]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with-docling", action="store_true", help="also install and measure docling")
    options = parser.parse_args()
    sets = dict(_sets())
    tools = [tool for tool in PEERS if tool != "docling" or options.with_docling]
    python = _installed(tools)
    print(f"{'tool':14}" + "".join(f"{name:>16}{'s':>8}" for name in sets), flush=True)
    for tool in ["ondol", *tools]:
        line = f"{tool:14}"
        for truth in sets.values():
            right, cells, seconds = _scored(truth, _ondol(truth) if tool == "ondol" else _peer(python, tool, truth))
            line += f"{right / cells:>15.1%} {seconds:>8.2f}"
        print(line, flush=True)


def _sets() -> Iterator[tuple[str, Truth]]:
    cases = sorted((HERE.parent / "converters" / "cases").iterdir())
    yield "own cases", {next(case.glob("input.*")): _lines(case / "expected.jsonl") for case in cases if case.is_dir()}
    if folder := os.environ.get("ONDOL_BENCH"):
        truths = sorted(Path(folder).glob("*.truth.jsonl"))
        yield "bench tables", {_beside(truth): _lines(truth) for truth in truths}
    else:
        print("ONDOL_BENCH names no folder of tables with truth: only the own cases are scored", file=sys.stderr)


def _beside(truth: Path) -> Path:
    stem = truth.name.removesuffix(".truth.jsonl")
    return next(p for p in truth.parent.glob(f"{stem}.*") if not p.name.endswith(".truth.jsonl"))


def _lines(path: Path) -> list[Fact]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _installed(tools: list[str]) -> Path:
    """The Python of an environment that has the tools."""
    uv, python = Path(sys.executable).with_name("uv"), ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, ENVIRONMENT], check=True)
    wanted = sorted({package for tool in tools for package in PEERS[tool]})
    print(f"installing {', '.join(wanted)} into {ENVIRONMENT}", file=sys.stderr)
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *wanted], check=True)
    return python


def _ondol(truth: Truth) -> Iterator[dict[str, Any]]:
    import time

    from converters import convert
    from converters.facts import fact_line

    for path in truth:
        start = time.process_time()
        facts = [json.loads(fact_line(fact)) for table in convert(path).tables for fact in table.facts()]
        yield {"facts": facts, "seconds": time.process_time() - start}


def _peer(python: Path, tool: str, truth: Truth) -> Iterator[dict[str, Any]]:
    command = [python, HERE / "peers.py", tool, *truth]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=True)
    yield from (json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"file"'))


def _scored(truth: Truth, answers: Iterator[dict[str, Any]]) -> tuple[int, int, float]:
    """Cells right, cells in all (the invented ones too), processor seconds."""
    right = cells = 0
    seconds = 0.0
    for wanted, answer in zip(truth.values(), answers, strict=True):
        seconds += answer["seconds"]
        got = answer.get("facts", [])
        hits = max(_hits(wanted, got, ("sheet", "cell")), _hits(wanted, got, ("sheet",)))
        places = {(f["sheet"], f["cell"]) for f in wanted}
        extra = sum(f["role"] == "value" and (f["sheet"], f["cell"]) not in places for f in got)
        invented = min(extra, max(0, len(got) - len(wanted)))
        right += hits
        cells += len(wanted) + invented
    return right, cells, seconds


def _hits(wanted: list[Fact], got: list[Fact], place: tuple[str, ...]) -> int:
    free = {(f["sheet"], f["cell"]) for f in wanted if not f.get("score_row", True)}
    keys = (Counter(_key(f, place, (f["sheet"], f["cell"]) in free) for f in facts) for facts in (wanted, got))
    return (next(keys) & next(keys)).total()


def _key(fact: Fact, place: tuple[str, ...], any_row: bool) -> tuple[object, ...]:
    """What must be equal: white space and a unit in the header's brackets do not matter, nor the unit of a text."""
    from peers import UNIT

    value = fact["value"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = float(f"{value:.9g}")
    paths = [[UNIT.sub("", "".join(text.split())) or text for text in fact[side] or []] for side in ("column", "row")]
    unit = "".join((fact["unit"] or "").split()) if fact["type"] == "number" else None
    return (
        *(fact[p] for p in place),
        tuple(paths[0]),
        () if any_row else tuple(paths[1]),
        "".join(value.split()) if isinstance(value, str) else value,
        fact["type"],
        unit,
        fact["subtotal"],
    )


if __name__ == "__main__":
    main()
