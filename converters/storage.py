"""Conversions in files: exact, deterministic, and read without parsing.

A file is a row of Arrow IPC streams: one that is empty and describes the conversion in its metadata, then one for each
table, with the table's description in its metadata, the grid row and the subtotal flag of each row, and the columns.
Source: Apache Arrow, "Serialization and Interprocess Communication (IPC)".
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from converters.model import Column, Conversion, Decision, Page, Problem, Range, Scalar, State, Table, Values, View
from converters.packed import MIN_PACKED, Packed, array_of, row_numbers
from converters.periods import Period
from converters.runs import Run
from converters.tables.arrow import exact_type

KEY = b"ondol"
LAYOUT = 4
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a file says of its conversion before the first table.

    Args:
        name / sha256 / format / state / problems / notices: as in Conversion.
        tables: sheet and title of each table.
    """

    name: str
    sha256: str
    format: str | None
    state: State
    problems: tuple[Problem, ...]
    notices: tuple[Problem, ...]
    tables: tuple[tuple[str, str | None], ...]

    @property
    def usable(self) -> bool:
        """There are tables, and they may be used."""
        return self.state in ("ok", "partial") and bool(self.tables)


def save(conversion: Conversion, path: str | Path) -> None:
    """Writes a conversion to a file; the same conversion always gives the same bytes."""
    with pa.OSFile(str(path), "wb") as sink:
        _write(sink, pa.table({}), _conversion_data(conversion))
        for table in conversion.tables:
            _write(sink, _columns(table), _table_data(table))


def load(path: str | Path) -> Conversion:
    """Reads back exactly what save wrote.

    Raises:
        ValueError: the file is of another layout.
    """
    with pa.OSFile(str(path), "rb") as source:
        data = _head(source, path)
        conversion = Conversion(
            name=data["name"],
            sha256=data["sha256"],
            format=data["format"],
            state=data["state"],
            problems=[Problem(**problem) for problem in data["problems"]],
            notices=[Problem(**notice) for notice in data["notices"]],
            views=[_view(view) for view in data["views"]],
        )
        for _ in data["tables"]:
            columns, description = _read(source)
            conversion.tables.append(_table(columns, description))
    return conversion


def summary(path: str | Path) -> Summary:
    """What became of the file, without reading its tables, however large they are.

    Raises:
        ValueError: the file is of another layout, or none that save wrote.
    """
    with pa.OSFile(str(path), "rb") as source:
        data = _head(source, path)
    return Summary(
        name=data["name"],
        sha256=data["sha256"],
        format=data["format"],
        state=data["state"],
        problems=tuple(Problem(**problem) for problem in data["problems"]),
        notices=tuple(Problem(**notice) for notice in data["notices"]),
        tables=tuple((sheet, title) for sheet, title in data["tables"]),
    )


def _head(source: Any, path: str | Path) -> dict[str, Any]:
    try:
        _, data = _read(source)
    except (pa.ArrowInvalid, KeyError) as error:
        raise ValueError(f"{path} holds no conversion ({error}): delete it and convert the file again.") from None
    if data.get("layout") != LAYOUT:
        raise ValueError(f"{path} is no conversion of layout {LAYOUT}: delete it and convert the file again.")
    return data


def _write(sink: Any, table: pa.Table, data: dict[str, Any]) -> None:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    table = table.replace_schema_metadata({KEY: text})
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)


def _read(source: Any) -> tuple[pa.Table, dict[str, Any]]:
    table = pa.ipc.open_stream(source).read_all()
    data: dict[str, Any] = json.loads((table.schema.metadata or {})[KEY].decode("utf-8", "surrogatepass"))
    return table, data


def _conversion_data(conversion: Conversion) -> dict[str, Any]:
    return {
        "layout": LAYOUT,
        "name": conversion.name,
        "sha256": conversion.sha256,
        "format": conversion.format,
        "state": conversion.state,
        "problems": [asdict(problem) for problem in conversion.problems],
        "notices": [asdict(notice) for notice in conversion.notices],
        "views": [_view_data(view) for view in conversion.views],
        "tables": [[table.sheet, table.title] for table in conversion.tables],
    }


def _columns(table: Table) -> pa.Table:
    arrays = [pa.array(table.rows, pa.int32()), pa.array(table.row_subtotal, pa.bool_())]
    arrays += [_encoded(column.values) for column in table.columns]
    return pa.table(arrays, names=[str(i) for i in range(len(arrays))])


def _table_data(table: Table) -> dict[str, Any]:
    return {
        "sheet": table.sheet,
        "index": table.index,
        "title": table.title,
        "region": _range(table.region),
        "notes": table.notes,
        "container": table.container,
        "errors": _places(table.errors),
        "cell_units": _places(table.cell_units),
        "nulls": _places(table.nulls),
        "captions": _places(table.captions),
        "sums": sorted(table.sums.items()),
        "pages": _pages_data(table.pages),
        "decisions": _decisions_data(table.decisions),
        "period": _period_data(table.period),
        "columns": [
            {
                "index": c.index,
                "path": c.path,
                "type": c.type,
                "unit": c.unit,
                "role": c.role,
                "subtotal": c.subtotal,
                "derived": c.derived,
                "sums": c.sums,
                "period": _period_data(c.period),
                "tagged": exact_type(c.values) is None,
            }
            for c in table.columns
        ],
    }


def _table(columns: pa.Table, data: dict[str, Any]) -> Table:
    return Table(
        sheet=data["sheet"],
        index=data["index"],
        title=data["title"],
        region=Range(*data["region"]),
        rows=row_numbers(columns.column(0).to_pylist()),
        row_subtotal=columns.column(1).to_pylist(),
        columns=[_column(columns.column(i), c) for i, c in enumerate(data["columns"], 2)],
        notes=tuple(data["notes"]),
        container=tuple(data["container"]),
        errors=_by_place(data["errors"]),
        cell_units=_by_place(data["cell_units"]),
        nulls=_by_place(data["nulls"]),
        captions=_by_place(data["captions"]),
        sums={row: tuple(rows) for row, rows in data["sums"]},
        pages=_pages(data["pages"]),
        decisions=_decisions(data["decisions"]),
        period=_period(data["period"]),
    )


def _column(array: Any, data: dict[str, Any]) -> Column:
    values: Values
    if data["tagged"]:
        values = [_untagged(text) for text in array.to_pylist()]
    else:
        values = Packed([Run(array.combine_chunks())]) if len(array) >= MIN_PACKED else array.to_pylist()
    return Column(
        index=data["index"],
        path=tuple(data["path"]),
        type=data["type"],
        values=values,
        unit=data["unit"],
        role=data["role"],
        subtotal=data["subtotal"],
        derived=data["derived"],
        sums=tuple(data["sums"]),
        period=_period(data["period"]),
    )


def _view_data(view: View) -> dict[str, Any]:
    return {
        "sheet": view.sheet,
        "texts": list(view.texts.items()),
        "rows": view.rows,
        "merges": [_range(merge) for merge in view.merges],
        "container": view.container,
        "pages": _pages_data(view.pages),
        "hidden": view.hidden,
        "hidden_rows": view.hidden_rows,
        "hidden_columns": view.hidden_columns,
        "decisions": _decisions_data(view.decisions),
    }


def _view(data: dict[str, Any]) -> View:
    return View(
        sheet=data["sheet"],
        texts=dict(data["texts"]),
        rows=data["rows"],
        merges=[Range(*merge) for merge in data["merges"]],
        container=tuple(data["container"]),
        pages=_pages(data["pages"]),
        hidden=data["hidden"],
        hidden_rows=tuple(data["hidden_rows"]),
        hidden_columns=tuple(data["hidden_columns"]),
        decisions=_decisions(data["decisions"]),
    )


def _period_data(period: Period | None) -> list[str] | None:
    return [period.start.isoformat(), period.end.isoformat(), period.basis] if period else None


def _period(data: Sequence[Any] | None) -> Period | None:
    return Period(dt.date.fromisoformat(data[0]), dt.date.fromisoformat(data[1]), data[2]) if data else None


def _pages_data(pages: Sequence[Page]) -> list[list[Any]]:
    return [[p.first, p.sheet, p.row] for p in pages]


def _pages(data: Sequence[Sequence[Any]]) -> tuple[Page, ...]:
    return tuple(Page(*page) for page in data)


def _decisions_data(decisions: Sequence[Decision]) -> list[list[Any]]:
    return [[d.kind, _range(d.region), d.says, d.confidence, d.because] for d in decisions]


def _decisions(data: Sequence[Sequence[Any]]) -> list[Decision]:
    return [Decision(kind, Range(*region), *rest) for kind, region, *rest in data]


def _range(region: Range) -> list[int]:
    return [region.top, region.left, region.bottom, region.right]


def _places(by_place: dict[tuple[int, int], Any]) -> list[tuple[int, int, Any]]:
    return [(row, column, text) for (row, column), text in sorted(by_place.items(), key=lambda item: item[0])]


def _by_place(places: Iterable[Sequence[Any]]) -> dict[tuple[int, int], Any]:
    return {(row, column): text for row, column, text in places}


def _encoded(values: Sequence[Scalar]) -> Any:
    kind = exact_type(values)
    return array_of(values, kind) if kind is not None else pa.array([_tagged(v) for v in values], pa.string())


def _tagged(value: Scalar) -> str | None:
    """A value of a column of many types as a text: a letter for its type, then the value."""
    if value is None:
        return None
    for kind, letter, write in _TAGS:
        if type(value) is kind:
            return f"{letter}{write(value)}"
    raise TypeError(f"a cell holds a {type(value).__name__}, which is no Scalar")


def _untagged(text: str | None) -> Scalar:
    return None if text is None else _READ[text[0]](text[1:])


_TAGS: tuple[tuple[type, str, Any], ...] = (
    (str, "s", str),
    (int, "i", str),
    (float, "f", repr),
    (bool, "b", str),
    (Decimal, "n", str),
    (dt.datetime, "m", dt.datetime.isoformat),
    (dt.date, "d", dt.date.isoformat),
    (dt.time, "t", dt.time.isoformat),
)
_READ: dict[str, Any] = {
    "s": str,
    "i": int,
    "f": float,
    "b": lambda text: text == "True",
    "n": Decimal,
    "m": dt.datetime.fromisoformat,
    "d": dt.date.fromisoformat,
    "t": dt.time.fromisoformat,
}
