"""Other tools' reading of messy tables, as facts: run by bench_peers.py in an environment of their own.

    python peers.py TOOL FILE ...     prints, a line each: {"file", "facts" or "error", "seconds"}

Each tool is asked for the cells of every sheet, in the way its manual shows. What it does not do is done for it, for
all in the same way and by simple means: the first row with two texts or more is the header, the leading text columns
are the row labels, filled down, a unit in brackets is a unit, rows named 합계 or Total are subtotals.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Cells = dict[tuple[int, int], Any]
Sheets = Iterator[tuple[str, Cells]]
UNIT = re.compile(r"[(\[（]([^)\]）]+)[)\]）]\s*$")
TOTAL = re.compile(r"\s*(총?\s*합?\s*계|소\s*계|총\s*계|(sub|grand )?total|小計|合計|計)\s*$", re.I)
NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?")


def openpyxl_cells(path: Path) -> Sheets:
    """openpyxl, read-only."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    for sheet in book:
        yield sheet.title, _of_rows(sheet.iter_rows(values_only=True))


def pandas_cells(path: Path) -> Sheets:
    """pandas: read_excel, read_csv and read_html without a header of its own guess."""
    import pandas as pd

    if path.suffix == ".html":
        frames = {path.stem: pd.concat(pd.read_html(path, header=None), ignore_index=True)}
    elif path.suffix in (".csv", ".tsv"):
        names = list(range(max(len(line.split(",")) for line in path.read_text("utf-8").splitlines())))
        frames = {path.stem: pd.read_csv(path, header=None, names=names, thousands=",", skip_blank_lines=False)}
    else:
        frames = pd.read_excel(path, sheet_name=None, header=None)
    for name, frame in frames.items():
        yield name, _of_rows(frame.astype(object).where(frame.notna(), None).itertuples(index=False))


def polars_cells(path: Path) -> Sheets:
    """polars with fastexcel."""
    import fastexcel
    import polars as pl

    if path.suffix == ".csv":
        frame = pl.read_csv(path, has_header=False, truncate_ragged_lines=True, infer_schema=False)
        yield path.stem, _of_rows(frame.iter_rows())
        return
    book = fastexcel.read_excel(path)
    for name in book.sheet_names:
        sheet = book.load_sheet(name, header_row=None, skip_rows=0)
        yield name, _of_rows(sheet.to_polars().iter_rows())


def markitdown_cells(path: Path) -> Sheets:
    """markitdown: its Markdown tables, one after the other under the name of their sheet."""
    from markitdown import MarkItDown

    name, rows, sheets = path.stem, list[list[Any]](), dict[str, list[list[Any]]]()
    for line in MarkItDown().convert(path).text_content.splitlines():
        if line.startswith("## "):
            name, rows = line[3:].strip(), []
        elif line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            row = [text.strip() for text in line.strip("|").split("|")]
            rows.append([None if text in ("NaN", "") or text.startswith("Unnamed: ") else text for text in row])
        sheets[name] = rows
    for sheet, lines in sheets.items():
        yield sheet, _of_rows(lines)


def docling_cells(path: Path) -> Sheets:
    """docling: the tables of each page, where their box says that they are."""
    from docling.document_converter import DocumentConverter

    document = DocumentConverter().convert(path).document
    names = [group.name for group in document.groups if group.label == "sheet"]
    sheets: dict[str, Cells] = {}
    for table in document.tables:
        box = table.prov[0].bbox if table.prov else None
        name = names[table.prov[0].page_no - 1] if table.prov and names else path.stem
        top, left = (int(box.t), int(box.l)) if box else (0, 0)
        cells = sheets.setdefault(name, {})
        for cell in table.data.table_cells:
            cells[top + cell.start_row_offset_idx, left + cell.start_col_offset_idx] = cell.text or None
    yield from sheets.items()


def frictionless_cells(path: Path) -> Sheets:
    """frictionless: the cells of each sheet."""
    from frictionless import Dialect, Resource, formats

    if path.suffix != ".xlsx":
        yield path.stem, _of_rows(Resource(path.name, basepath=str(path.parent)).read_cells())
        return
    import openpyxl

    for number, name in enumerate(openpyxl.load_workbook(path, read_only=True).sheetnames, 1):
        dialect = Dialect(controls=[formats.ExcelControl(sheet=number)])
        yield name, _of_rows(Resource(path.name, basepath=str(path.parent), dialect=dialect).read_cells())


TOOLS: dict[str, Callable[[Path], Sheets]] = {
    "openpyxl": openpyxl_cells,
    "pandas": pandas_cells,
    "polars": polars_cells,
    "frictionless": frictionless_cells,
    "markitdown": markitdown_cells,
    "docling": docling_cells,
}


def _of_rows(rows: Any) -> Cells:
    return {
        (r, c): value for r, row in enumerate(rows) for c, value in enumerate(row) if value is not None and value != ""
    }


def facts(name: str, cells: Cells) -> Iterator[dict[str, Any]]:
    """The facts of one sheet by simple means, the same for every tool."""
    rows: dict[int, dict[int, Any]] = {}
    for (row, column), value in sorted(cells.items()):
        rows.setdefault(row, {})[column] = _number(value)
    head = next((r for r, row in rows.items() if sum(isinstance(v, str) for v in row.values()) > 1), None)
    if head is None:
        return
    header = {c: str(v) for c, v in rows[head].items()}
    body = {r: row for r, row in rows.items() if r > head}
    labels = []
    for column in sorted(header):
        if any(not isinstance(row[column], str) for row in body.values() if column in row):
            break
        labels.append(column)
    labels = labels if len(labels) < len(header) else []
    above: dict[int, str] = {}
    for row, values in body.items():
        above |= {c: str(values[c]) for c in labels if c in values}
        path = [str(values.get(c) or (above.get(c) if c != labels[-1] else "")) for c in labels]
        total = any(isinstance(v, str) and TOTAL.match(v) for v in values.values())
        for column, value in values.items():
            if column in header:
                yield _fact(name, row, column, header[column], value, [p for p in path if p], total, column in labels)


def _fact(
    sheet: str, row: int, column: int, head: str, value: Any, path: list[str], total: bool, label: bool
) -> dict[str, Any]:
    unit = UNIT.search(head)
    kind = {bool: "bool", int: "number", float: "number", str: "text"}.get(type(value), "date")
    return {
        "sheet": sheet,
        "cell": f"{_letters(column)}{row + 1}",
        "column": [head],
        "row": [] if label else path,
        "value": str(value)[:10] if isinstance(value, dt.date) else value,
        "type": kind,
        "unit": unit[1] if unit and not label else None,
        "subtotal": total,
        "role": "label" if label else "value",
    }


def _number(value: Any) -> Any:
    """A text that is nothing but a number is one; codes keep their zeros."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, str) and NUMBER.fullmatch(value) and not re.match(r"0\d", value):
        return float(value.replace(",", ""))
    return value


def _letters(column: int) -> str:
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def under_its_true_name(path: Path, folder: Path) -> Path:
    """A copy that says what it is: HTML as .html, text in UTF-8, which some tools ask for."""
    data = path.read_bytes()
    if data.startswith(b"PK"):
        return path
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp949", "cp932", "latin-1"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    suffix = ".html" if re.search(r"<table|<html", text[:4000], re.I) else path.suffix
    copy = folder / f"{path.stem}{suffix}"
    copy.write_text(re.sub(r"charset=[\"']?[\w-]+", "charset=utf-8", text), "utf-8")
    return copy


def main() -> None:
    """See the module."""
    warnings.simplefilter("ignore")
    tool = TOOLS[sys.argv[1]]
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[2:]:
            path = under_its_true_name(Path(name), Path(folder))
            start = time.process_time()
            said: dict[str, Any] = {"file": name}
            try:
                said["facts"] = [fact for sheet, cells in tool(path) for fact in facts(sheet, cells)]
            except Exception as error:  # whatever a tool raises is its answer for this file
                said["error"] = f"{type(error).__name__}: {error}"[:200]
            said["seconds"] = time.process_time() - start
            print(json.dumps(said, default=str, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
