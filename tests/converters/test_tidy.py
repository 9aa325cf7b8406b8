from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from converters.tagging import tag
from converters.tidy import schema, write
from tests.converters.by_hand import ABOUT, conversion, rule, table

KINDS = """
columns:
  a: {from: A}
  b: {from: B, type: integer}
  c: {from: C, type: number}
  d: {from: D, type: decimal}
  e: {from: E, type: date}
  f: {from: F, type: bool}
unpivot: {over: "*월", into: month, type: month, value: amount}
"""


def test_the_schema_has_the_canonical_columns_in_the_rules_order_then_lineage():
    assert [(f.name, str(f.type)) for f in schema(rule(KINDS))] == [
        ("a", "string"),
        ("b", "int64"),
        ("c", "double"),
        ("d", "decimal128(38, 9)"),
        ("e", "date32[day]"),
        ("f", "bool"),
        ("month", "date32[day]"),
        ("amount", "decimal128(38, 9)"),
        ("_item", "string"),
        ("_period_start", "date32[day]"),
        ("_period_end", "date32[day]"),
        ("_part", "string"),
        ("_sha256", "string"),
        ("_file", "string"),
        ("_sheet", "string"),
        ("_row", "int32"),
        ("_cells", "string"),
        ("_run_key", "string"),
    ]


def tidy():
    found = table(["A", "B", "C", "D", "E", "F", "1월", "2월"], ["x", 1, 1.5, "1.5e3", "2026-01-05", "Y", 1, 2])
    return tag(conversion(found), rule(KINDS), ABOUT)


def test_the_tidy_table_has_exactly_that_schema():
    assert tidy().table.schema.equals(schema(rule(KINDS)))
    assert [c.num_chunks for c in tidy().table.columns] == [1] * 18


def test_the_same_table_is_the_same_parquet(tmp_path):
    for name in ("a", "b"):
        write(tidy(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert pq.read_table(tmp_path / "a").equals(tidy().table)
    assert pq.ParquetFile(tmp_path / "a").metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_table_without_rows_is_written_with_its_schema(tmp_path):
    empty = tag(conversion(table(["A", "B", "C", "D", "E", "F", "1월"])), rule(KINDS), ABOUT)
    write(empty, tmp_path / "a")
    read = pq.read_table(tmp_path / "a")
    assert (read.num_rows, read.schema.equals(schema(rule(KINDS)))) == (0, True)
    assert isinstance(read, pa.Table)
