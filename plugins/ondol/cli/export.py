"""Tables of a conversion as JSON, CSV and Parquet files."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ondol.cli.output import plain
from ondol.errors import FatalError

if TYPE_CHECKING:
    from converters.model import Column, Conversion, Table


def document(conversion: Conversion) -> dict[str, Any]:
    """A conversion as one JSON-ready document."""
    return {
        "name": conversion.name,
        "sha256": conversion.sha256,
        "format": conversion.format,
        "state": conversion.state,
        "problems": [asdict(problem) for problem in conversion.problems],
        "tables": [table_document(table) for table in conversion.tables],
    }


def table_document(table: Table) -> dict[str, Any]:
    """A table as JSON has it: its columns, its rows with their 1-based numbers in the sheet, and texts of odd cells."""
    from converters.model import address, letters
    from ondol.cli.convert import area

    columns = [
        {
            "column": None if c.derived else letters(c.index),
            "path": c.path,
            "type": c.type,
            "unit": c.unit,
            "role": c.role,
            "subtotal": c.subtotal,
        }
        for c in table.columns
    ]
    rows = [
        {"row": row + 1, "subtotal": total, "values": [plain(c.values[position]) for c in table.columns]}
        for position, (row, total) in enumerate(zip(table.rows, table.row_subtotal, strict=True))
    ]
    cells = {
        kind: {address(*place): text for place, text in sorted(texts.items())}
        for kind, texts in (("errors", table.errors), ("nulls", table.nulls), ("captions", table.captions))
    }
    place = {"container": table.container, "sheet": table.sheet, "index": table.index, "area": area(table)}
    return {**place, "title": table.title, "notes": table.notes, "columns": columns, "rows": rows, **cells}


def export(conversion: Conversion, to: str, folder: Path) -> Iterator[Path]:
    """Write each table as <file>.<number>.<format> into the folder; the paths, as they are written.

    Raises:
        FatalError: a file of that name is there: nothing is overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[/\\\x00-\x1f]", "_", Path(conversion.name).stem) or "table"
    for table in conversion.tables:
        path = folder / f"{stem}.{table.index + 1}.{to}"
        if path.exists():
            raise FatalError(f"{path} is there already: remove it, or give another folder with --out")
        {"csv": _csv, "json": _json, "parquet": _parquet}[to](table, path)
        yield path


def names(table: Table) -> list[str]:
    """The name of each column in a flat file: its header path, made unique by its letters where need be."""
    from converters.model import letters

    found: list[str] = []
    for column in table.columns:
        name = "/".join(column.path) or letters(column.index)
        found.append(name if name not in found else f"{name} {letters(column.index)}")
    return found


def _json(table: Table, path: Path) -> None:
    path.write_text(json.dumps(table_document(table), ensure_ascii=False, indent=1) + "\n")


def _csv(table: Table, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([_harmless(name) for name in names(table)])
        for position in range(len(table.rows)):
            writer.writerow([_harmless(plain(column.values[position])) for column in table.columns])


def _harmless(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front.

    Source: OWASP, CSV Injection.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value


def _parquet(table: Table, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [_array(column) for column in table.columns]
    pq.write_table(pa.Table.from_arrays(arrays, names=names(table)), path)


def _array(column: Column) -> Any:
    import datetime as dt
    from decimal import Decimal

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
