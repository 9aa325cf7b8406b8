"""python -m converters [--facts] FILE...: the tables of files, as a summary or as facts (a JSON object a line)."""

from __future__ import annotations

import argparse
import sys

from converters import convert
from converters.facts import fact_lines


def main(arguments: list[str] | None = None) -> int:
    """Prints the tables of each file; 1 if any gave none."""
    parser = argparse.ArgumentParser(prog="python -m converters", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--facts", action="store_true", help="one JSON object a body cell")
    chosen = parser.parse_args(arguments)
    failed = 0
    for file in chosen.files:
        conversion = convert(file)
        failed |= not conversion.tables
        if chosen.facts:
            sys.stdout.writelines(line + "\n" for line in fact_lines(conversion))
        else:
            print(f"{conversion.name}: {conversion.state} ({conversion.format})")
            for table in conversion.tables:
                print(f"  {table.sheet} #{table.index} {table.title or ''}: {len(table.columns)} x {len(table.rows)}")
        for problem in conversion.problems:
            print(f"{problem.code}: {problem.message} {problem.remedy}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
