"""How fast files are read and understood, beside the fastest readers at hand; and what reading takes of memory.

    python tests/benchmarks/bench_convert.py [--rows 100000] [--json]

Processor seconds, the best of three times in a process of its own (so imports and the first file of a kind are left
out; openpyxl runs once); ratios are against the peer in the same run. Batches are wall seconds.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CSV_BYTES = 20_000_000
TIMES = 3


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the workbook, of 20 columns")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = dict(_measured(Path(folder), options.rows))
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for name, (figure, unit, wanted) in found.items():
        print(f"{name:52}{figure:>9.2f} {unit:4}{wanted}")


def _measured(folder: Path, rows: int) -> Iterator[tuple[str, tuple[float, str, str]]]:
    book, small, text, tiny = folder / "b.xlsx", folder / "s.xlsx", folder / "t.csv", folder / "u.csv"
    print("writing the files …", file=sys.stderr)
    write_workbook(book, rows)
    write_workbook(small, 200)
    write_text(text, CSV_BYTES)
    write_text(tiny, 20_000)
    plain, _ = alone(stream, book, small)
    yield f"xlsx {rows:,} × 20: the plain reader", (plain, "s", "")
    for name, way, wanted in (
        ("openpyxl, read-only", openpyxl_rows, "10 or more for us to be ahead of"),
        ("our grid, with formats", grid, "at most 1.2"),
        ("convert: understood", understood, "at most 2.5"),
        ("convert, and its tables as Arrow", arrow_tables, ""),
    ):
        seconds, _ = alone(way, book, small)
        yield f"  {name}", (seconds / plain, "×", wanted)
    yield "  memory of our grid beyond what is kept", (alone(grid, book, small)[1], "MB", "under 64")
    plain, _ = alone(arrow_csv, text, tiny)
    yield "csv 20 MB CP949: decode + pyarrow", (plain, "s", "")
    yield "  the csv understood", (alone(understood, text, tiny)[0] / plain, "×", "at most 2")
    yield "8 workbooks, 2 workers beside 1", (batches(small.with_name("m.xlsx"), rows // 10), "×", "towards 2")


def alone(way: Callable[[Path], Any], path: Path, warm: Path) -> tuple[float, float]:
    """Processor seconds, and megabytes of peak memory beyond what the result holds, in a process of its own."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_alone, args=(way, path, warm, there))
    process.start()
    there.close()
    found: tuple[float, float] = here.recv()
    process.join()
    return found


def _alone(way: Callable[[Path], Any], path: Path, warm: Path, answer: Any) -> None:
    way(warm)
    kept, seconds = None, float("inf")
    for _ in range(1 if way is openpyxl_rows else TIMES):
        kept = None
        start = time.process_time()
        kept = way(path)
        seconds = min(seconds, time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    now = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    answer.send((seconds, peak - now))
    del kept


def stream(path: Path) -> int:
    """The fastest public reader: rows of values, kept nowhere."""
    from python_calamine_plus import CalamineWorkbook

    return sum(len(row) for row in CalamineWorkbook.from_path(str(path)).stream_sheet_by_index(0))


def openpyxl_rows(path: Path) -> int:
    """openpyxl's own fastest way."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    return sum(len(row) for row in book.worksheets[0].iter_rows(values_only=True))


def grid(path: Path) -> Any:
    """What understanding reads: every sheet with values, formats, merges."""
    from converters.api import grids_of
    from converters.document import Document
    from converters.options import DEFAULTS

    return list(grids_of(Document.of(path), DEFAULTS))


def understood(path: Path) -> Any:
    """The whole conversion."""
    from converters import convert

    conversion = convert(path)
    assert conversion.tables, conversion.problems
    return conversion


def arrow_tables(path: Path) -> Any:
    """The whole conversion, in Arrow."""
    from converters.tables.arrow import to_arrow

    return [to_arrow(table) for table in understood(path).tables]


def arrow_csv(path: Path) -> Any:
    """Decode, then pyarrow."""
    import io

    from pyarrow import csv

    return csv.read_csv(io.BytesIO(path.read_bytes().decode("cp949").encode()))


def batches(path: Path, rows: int) -> float:
    """How many times faster two workers convert eight workbooks than one."""
    from converters.sandbox import convert_many

    write_workbook(path, rows)
    took = []
    for workers in (1, 1, 2):  # the first warms the worker
        start = time.perf_counter()
        assert all(c.tables for c in convert_many([(path, None)] * 8, workers=workers))
        took.append(time.perf_counter() - start)
    return took[1] / took[2]


def write_workbook(path: Path, rows: int) -> None:
    """Integers, decimals, dates and Korean texts in 20 columns below a title and a unit note."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("매출")
    dice = random.Random(1)
    sheet.append(["2026년 매출 내역"])
    sheet.append([None] * 19 + ["(단위: 천원)"])
    sheet.append(
        ["전표번호", "일자", "지점", "품목", *(f"{n}월 {what}" for n in range(1, 9) for what in ("수량", "금액"))]
    )
    for number in range(rows):
        day = dt.date(2026, 1, 1) + dt.timedelta(dice.randrange(365))
        figures = [f for _ in range(8) for f in (dice.randrange(1000), round(dice.random() * 1e5, 1))]
        sheet.append([number, day, f"지점{dice.randrange(400)}", f"상품 {dice.randrange(50_000)}", *figures])
    book.save(path)


def write_text(path: Path, size: int) -> None:
    """CP949 with a date, texts and figures, all lines alike."""
    dice = random.Random(1)
    lines, written = ["일자,지점,상품,수량,금액,비고"], 0
    while written < size:
        day = f"2026-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"
        note = "정상" if dice.random() < 0.9 else ""
        shop, goods, count, sum_ = (dice.randrange(n) for n in (400, 50_000, 100, 10_000_000))
        lines.append(f"{day},지점{shop},상품 {goods},{count},{sum_},{note}")
        written += len(lines[-1]) + 6
    path.write_bytes("\r\n".join(lines).encode("cp949"))


if __name__ == "__main__":
    main()
