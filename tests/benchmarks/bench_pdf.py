"""How fast the tables of a ruled Korean PDF are read, beside a plain pass of PDFium over its characters.

    python tests/benchmarks/bench_pdf.py [--pages 300] [--json]

The plain pass asks PDFium for the code and the box of every character and does nothing with them. All run in one
process, one after the other; times are CPU seconds, the best of three.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

from converters import convert
from converters.document import Document
from converters.formats.pdf.reader import read
from converters.options import DEFAULTS

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.converters.formats.pdf_pages import Sheet, pdf

ROWS, WANTED = 40, 4.0
EDGES = [40 + 64 * i for i in range(9)]
HEADER = ["지점", "품목 구분", "1월 매출액", "2월 매출액", "3월 매출액", "합계", "전년 동기", "증감"]


def written(pages: int, path: Path) -> Path:
    """A table of 40 rows by 8 columns on each page, with title, unit note, repeated header and page number."""
    sheets = []
    for page in range(pages):
        rows = [HEADER]
        for row in range(page * ROWS, page * ROWS + ROWS):
            figures = [(row * 7919 + column * 104729) % 9_999_999 for column in range(6)]
            rows.append(["서울 강남점", f"제품 {row}호", *(f"{figure:,}" for figure in figures)])
        sheet = Sheet().text(40, 30, "지점별 매출 현황", 14).right(552, 46, "(단위: 천원)")
        sheets.append(sheet.ruled(EDGES, 50, rows).text(285, 825, f"- {page + 1} -"))
    path.write_bytes(pdf(*sheets))
    return path


def plain(path: Path) -> int:
    """Code and box of every character, and nothing else; gives how many there are."""
    total = 0
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    document = pypdfium2.PdfDocument(path)
    for page in document:
        text_page = page.get_textpage()
        count = text_page.count_chars()
        for i in range(count):
            pdfium.FPDFText_GetUnicode(text_page, i)
            pdfium.FPDFText_GetCharBox(text_page, i, left, right, bottom, top)
        total += count
        text_page.close()
        page.close()
    document.close()
    return total


def reading(path: Path) -> int:
    """The grid of all pages; gives the cells."""
    [grid] = read(Document.of(path), DEFAULTS)
    return sum(value is not None for row in grid.rows.values() for value in row)


def converting(path: Path) -> int:
    """The tables, understood; gives the rows."""
    [table] = convert(path).tables
    return len(table.rows)


def cpu(work: Callable[[Path], int], path: Path) -> tuple[float, int]:
    """The least CPU seconds of three runs, and what the work gave."""
    best, given = float("inf"), 0
    for _ in range(3):
        start = time.process_time()
        given = work(path)
        best = min(best, time.process_time() - start)
    return best, given


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = written(args.pages, Path(folder) / "ruled.pdf")
        (base, characters), (read_in, cells), (converted_in, rows) = (
            cpu(w, path) for w in (plain, reading, converting)
        )
    figures = {
        "pages": args.pages,
        "characters": characters,
        "cells": cells,
        "rows": rows,
        "plain_seconds": round(base, 2),
        "reading_seconds": round(read_in, 2),
        "convert_seconds": round(converted_in, 2),
        "reading_ratio": round(read_in / base, 2),
        "convert_ratio": round(converted_in / base, 2),
    }
    if args.json:
        print(json.dumps(figures))
        return
    print(f"{args.pages} pages, {characters:,} characters, {cells:,} cells, {rows:,} rows")
    print(f"plain pass      {base:6.2f} CPU s")
    print(f"reading grids   {read_in:6.2f} CPU s   {read_in / base:.2f} ×")
    print(f"convert         {converted_in:6.2f} CPU s   {converted_in / base:.2f} ×")
    print(f"wanted: reading within {WANTED} × the plain pass: {'yes' if read_in <= WANTED * base else 'NO'}")


if __name__ == "__main__":
    main()
