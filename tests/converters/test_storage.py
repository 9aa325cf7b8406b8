"""A conversion in a file comes back exactly, and the same conversion gives the same bytes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters import storage
from converters.model import Column, Conversion, Decision, Problem, Range, Scalar, Table
from converters.periods import Period

MIXED: list[Scalar] = [
    None,
    True,
    -7,
    2**70,
    0.1,
    float("inf"),
    Decimal("1.50"),
    "text \U0001f525",
    dt.date(2026, 1, 5),
    dt.datetime(2026, 1, 5, 13, 0, 1),
    dt.time(9, 30),
    "00123",
]


def conversion_of(*columns: list[Scalar]) -> Conversion:
    rows = len(columns[0])
    table = Table(
        sheet="시트",
        index=0,
        region=Range(1, 0, rows + 1, len(columns) - 1),
        columns=[
            Column(
                i,
                ("1월", f"열{i}"),
                "mixed",
                values,
                unit="천원" if i else None,
                role="label" if i else "value",
                period=Period(dt.date(2026, 1, 1), dt.date(2026, 1, 31), "to_date") if i else None,
            )
            for i, values in enumerate(columns)
        ],
        rows=list(range(2, rows + 2)),
        row_subtotal=[False] * rows,
        title="제목",
        notes=("(단위: 천원)", "※ 주"),
        container=("a.zip", "b.xlsx"),
        errors={(3, 1): "#DIV/0!"},
        cell_units={(3, 0): None, (2, 0): "EA"},
        nulls={(2, 1): "-"},
        captions={(4, 0): "합계"},
        decisions=[Decision("period", Range(1, 0, 2, 1), "2026-01", 0.95, "the title")],
        period=Period(dt.date(2026, 1, 31), dt.date(2026, 1, 31), "as_of"),
    )
    return Conversion("파일.xlsx", "ab" * 32, "xlsx", "partial", [table], [Problem("c", "m", "r", "w")])


def test_every_type_comes_back_as_it_was(tmp_path: Path) -> None:
    singles = [[None, value, value] for value in MIXED if value is not None]
    for columns in [[MIXED], *([single] for single in singles), [[1, 2, 3], ["a", None, "c"], [None] * 3]]:
        original = conversion_of(*columns)
        storage.save(original, tmp_path / "a")
        loaded = storage.load(tmp_path / "a")
        assert loaded == original
        for column, values in zip(loaded.tables[0].columns, columns, strict=True):
            assert list(map(type, column.values)) == list(map(type, values))


def test_the_same_conversion_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        storage.save(conversion_of(MIXED, MIXED), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_conversion_without_tables_comes_back(tmp_path: Path) -> None:
    original = Conversion("x", "", None, "unsupported", [], [Problem("code", "message", "remedy")])
    storage.save(original, tmp_path / "a")
    assert storage.load(tmp_path / "a") == original


def test_another_layout_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.save(conversion_of(MIXED), tmp_path / "a")
    monkeypatch.setattr(storage, "LAYOUT", 99)
    with pytest.raises(ValueError, match="convert the file again"):
        storage.load(tmp_path / "a")


@given(st.lists(st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), st.text(), st.booleans(), st.dates())))
def test_any_column_comes_back(values: list[Scalar]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        storage.save(conversion_of(values), Path(folder) / "a")
        loaded = storage.load(Path(folder) / "a").tables[0].columns[0].values
    assert loaded == values
    assert list(map(type, loaded)) == list(map(type, values))
