"""Conversions for other programs: as a JSON document, as lines of facts, and each table as CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from converters.facts import fact_lines
from converters.model import Column, Conversion, Table, address, letters
from converters.periods import Period

Writer = Callable[[Conversion, IO[bytes]], None]


def document(conversion: Conversion, *, rows: bool = True) -> dict[str, Any]:
    """A conversion as one JSON-ready document; without the rows of its tables where those are elsewhere."""
    return {
        "name": conversion.name,
        "sha256": conversion.sha256,
        "format": conversion.format,
        "state": conversion.state,
        "problems": [asdict(problem) for problem in conversion.problems],
        "notices": [asdict(notice) for notice in conversion.notices],
        "tables": [table_document(table, rows=rows) for table in conversion.tables],
    }


def table_document(table: Table, *, rows: bool = True) -> dict[str, Any]:
    """A table as JSON has it: its columns, its rows with their 1-based numbers in the sheet, and texts of odd cells.

    A row on another page than the table's sheet says its `sheet`; the address of a cell there begins with it
    ("page 3!B7").
    """
    columns = [
        {
            "column": None if c.derived else letters(c.index),
            "path": c.path,
            "type": c.type,
            "unit": c.unit,
            "role": c.role,
            "subtotal": c.subtotal,
            "sums": [letters(index) for index in c.sums],
            "period": _period(c.period),
        }
        for c in table.columns
    ]
    cells = {
        kind: {_cell(table, *place): text for place, text in sorted(texts.items())}
        for kind, texts in (
            ("errors", table.errors),
            ("nulls", table.nulls),
            ("captions", table.captions),
            ("cell_units", table.cell_units),
        )
    }
    place = {"container": table.container, "sheet": table.sheet, "index": table.index, "area": area(table)}
    about = {"title": table.title, "notes": table.notes, "period": _period(table.period)}
    body = {"rows": [_row(table, position) for position in range(len(table.rows))]} if rows else {}
    return {**place, **about, "columns": columns, **body, **cells}


def _row(table: Table, position: int) -> dict[str, Any]:
    row = table.rows[position]
    return {
        **_place(table, row),
        "subtotal": table.row_subtotal[position],
        "sums": [_place(table, summed)["row"] for summed in table.sums.get(row, ())],
        "values": [plain(column.values[position]) for column in table.columns],
    }


def area(table: Table) -> str:
    """Where the table is, as a spreadsheet says it: A4:F20; on other pages than its sheet: page 3!A4:page 4!F20."""
    region = table.region
    first, last = _cell(table, region.top, region.left), _cell(table, region.bottom, region.right)
    sheet, mark, at = last.rpartition("!")
    return f"{first}:{at if first.startswith(sheet + mark) else last}"


def plain(value: object) -> str | int | float | bool | None:
    """A value as JSON and CSV have it: decimals as numbers where that loses nothing, all that is neither as text."""
    if isinstance(value, Decimal):
        if value.is_finite() and value == value.to_integral_value():
            return int(value)
        near = float(value)
        value = near if Decimal(repr(near)) == value else str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def export(conversion: Conversion, to: str, folder: Path) -> Iterator[Path]:
    """Write each table as <file>.<number>.<format> into the folder; the paths, as they are written.

    In csv and parquet a column `subtotal` is added where rows sum up others; parquet has each column's unit in its
    metadata.

    Args:
        to: csv, json or parquet.

    Raises:
        FileExistsError: a file of that name is there: nothing is overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[/\\\x00-\x1f]", "_", Path(conversion.name).stem) or "table"
    for table in conversion.tables:
        path = folder / f"{stem}.{table.index + 1}.{to}"
        if path.exists():
            raise FileExistsError(path)
        {"csv": _csv, "json": _json, "parquet": _parquet}[to](table, path)
        yield path


def names(table: Table) -> list[str]:
    """The name of each column in a flat file: its header path, made unique by its letters where need be."""
    found: list[str] = []
    for column in table.columns:
        name = "/".join(column.path) or letters(column.index)
        found.append(name if name not in found else f"{name} {letters(column.index)}")
    return found


def _place(table: Table, row: int) -> dict[str, Any]:
    sheet, at = table.place(row)
    return {"row": at + 1} if sheet == table.sheet else {"sheet": sheet, "row": at + 1}


def _period(period: Period | None) -> dict[str, str] | None:
    if period is None:
        return None
    return {"start": period.start.isoformat(), "end": period.end.isoformat(), "basis": period.basis}


def _cell(table: Table, row: int, column: int) -> str:
    sheet, at = table.place(row)
    return address(at, column) if sheet == table.sheet else f"{sheet}!{address(at, column)}"


def _write_document(conversion: Conversion, target: IO[bytes]) -> None:
    target.write(json.dumps(document(conversion), ensure_ascii=False).encode("utf-8", "replace"))


def _write_facts(conversion: Conversion, target: IO[bytes]) -> None:
    for line in fact_lines(conversion):
        target.write(line.encode("utf-8", "replace") + b"\n")


def _write_archive(conversion: Conversion, target: IO[bytes]) -> None:
    """A zip with the document without its rows, and a Parquet file for each table; the same bytes every time."""
    import io
    import zipfile

    about = document(conversion, rows=False)
    with zipfile.ZipFile(target, "w") as archive:
        for table, described in zip(conversion.tables, about["tables"], strict=True):
            described["file"] = f"{table.index + 1}.parquet"
            buffer = io.BytesIO()
            _parquet(table, buffer)
            archive.writestr(zipfile.ZipInfo(described["file"]), buffer.getvalue())
        text = json.dumps(about, ensure_ascii=False, indent=1).encode("utf-8", "replace")
        archive.writestr(zipfile.ZipInfo("conversion.json"), text)


FORMS: dict[str, tuple[str, Writer]] = {
    "json": ("application/json", _write_document),
    "facts": ("application/x-ndjson", _write_facts),
    "parquet": ("application/zip", _write_archive),
}
"""The forms that a whole conversion is handed out in, besides that of storage.py: media type and writer."""


def save(conversion: Conversion, result: Path, form: str = "") -> None:
    """Writes a result as storage.save does, and before it the same in one of FORMS; it is there whole or not at all."""
    from converters import storage

    if form:
        with form_path(result, form).open("wb") as target:
            FORMS[form][1](conversion, target)
    scratch = result.with_name(f"{result.name}.part")
    storage.save(conversion, scratch)
    scratch.rename(result)


def form_path(result: Path, form: str) -> Path:
    """Where a result is in that form, beside its own file."""
    return result.with_name(f"{result.name}.{form}")


def _json(table: Table, path: Path) -> None:
    path.write_text(json.dumps(table_document(table), ensure_ascii=False, indent=1) + "\n")


def _csv(table: Table, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        flag = _flag(table)
        writer.writerow([_harmless(name) for name in names(table)] + flag)
        for position, total in enumerate(table.row_subtotal):
            cells = [_harmless(plain(column.values[position])) for column in table.columns]
            writer.writerow(cells + [total] * len(flag))


def _flag(table: Table) -> list[str]:
    """The name of the column that tells subtotal rows from others, where there are any: nobody should sum both up."""
    return ["subtotal"] if any(table.row_subtotal) else []


def _harmless(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front.

    Source: OWASP, CSV Injection.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value


def _parquet(table: Table, target: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [_array(column) for column in table.columns]
    fields = [pa.field(name, array.type, metadata={"unit": column.unit} if column.unit else None)
              for name, array, column in zip(names(table), arrays, table.columns, strict=True)]  # fmt: skip
    for name in _flag(table):
        arrays.append(pa.array(table.row_subtotal, pa.bool_()))
        fields.append(pa.field(name, pa.bool_()))
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), target)


def _array(column: Column) -> Any:
    import pyarrow as pa

    kinds = {type(value) for value in column.values if value is not None}
    for wanted, arrow in (
        ({bool}, pa.bool_()), ({int}, pa.int64()), ({int, float}, pa.float64()), ({dt.date}, pa.date32()),
        ({int, float, Decimal}, pa.decimal128(38, 9)), ({dt.date, dt.datetime}, pa.timestamp("us")),
        ({dt.time}, pa.time64("us")),
    ):  # fmt: skip
        if kinds and kinds <= wanted:
            try:
                return pa.array(column.values, arrow)
            except (pa.ArrowException, OverflowError, TypeError):
                break
    return pa.array([None if v is None else str(plain(v)) for v in column.values], pa.string())
