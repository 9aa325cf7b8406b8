"""How fast a tidy table of 2 million rows goes into DuckDB, beside DuckDB's own insert of the same Parquet.

    python tests/benchmarks/bench_load.py [--rows 2000000] [--repeat 3] [--json]

Each repetition takes turns and starts from an empty file; the figures are medians of wall and CPU seconds. The peer is
`INSERT INTO t SELECT * FROM read_parquet(…)` into a table of the same columns, committed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from converters.rules import TagRule
from converters.tidy import schema
from ondol.manifest import Period
from ondol.warehouse.base import Slot
from ondol.warehouse.duckdb import DuckDbWarehouse

RULE = TagRule.model_validate(
    {
        "columns": {
            "store_code": {"from": "점포코드"},
            "product_code": {"from": "상품코드"},
            "product": {"from": "상품명"},
            "receipt": {"from": "영수증", "type": "integer"},
            "quantity": {"from": "수량", "type": "integer"},
            "unit_price": {"from": "단가", "type": "decimal"},
            "amount": {"from": "금액", "type": "decimal"},
            "rate": {"from": "할인율", "type": "number"},
            "sold_on": {"from": "판매일", "type": "date"},
            "member": {"from": "회원", "type": "bool"},
            "note": {"from": "비고"},
            "channel": {"from": "채널"},
        }
    }
)
ROWS = """
    SELECT '0' || (i % 31) AS store_code, 'P' || (i % 5000) AS product_code, '상품 ' || (i % 5000) AS product,
        i AS receipt, i % 9 AS quantity, (i % 977)::DECIMAL(38, 9) AS unit_price,
        (i * 7 % 100000)::DECIMAL(38, 9) AS amount, i * 0.37::DOUBLE AS rate, DATE '2026-01-05' AS sold_on,
        i % 2 = 0 AS member, '비고 ' || (i * 31 % 100003) AS note,
        '매장' AS channel, 'pos' AS _item, DATE '2026-01-05' AS _period_start, DATE '2026-01-05' AS _period_end,
        '' AS _part, repeat('a', 64) AS _sha256, 'POS매출_20260105.csv' AS _file, 'POS매출_20260105' AS _sheet,
        (i + 2)::INTEGER AS _row, '{{"amount": "G' || (i + 2) || '", "store_code": "A' || (i + 2) || '"}}' AS _cells,
        'hanbit@2026-01-05' AS _run_key
    FROM range({rows}) AS numbers(i)
"""
DAY = Period(start=dt.date(2026, 1, 5), end=dt.date(2026, 1, 5))


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def ours(file: Path, home: Path) -> None:
    """Load the file as the first of its slot."""
    DuckDbWarehouse(home, "bench").load(
        "pos",
        schema(RULE),
        file,
        slot=Slot("pos", DAY),
        version=("1", "a", "a"),
        sha256="a" * 64,
        rules_hash="r",
        run_key="hanbit@2026-01-05",
    )


def again(file: Path, home: Path) -> None:
    """Load a correction of the same size: it replaces all rows."""
    DuckDbWarehouse(home, "bench").load(
        "pos",
        schema(RULE),
        file,
        slot=Slot("pos", DAY),
        version=("2", "b", "b"),
        sha256="b" * 64,
        rules_hash="r",
        run_key="hanbit@2026-01-05",
    )


def peer(file: Path, home: Path) -> None:
    """DuckDB's own insert into a table that is there."""
    home.mkdir()
    with duckdb.connect(home / "peer.duckdb", config={"threads": 2}) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT * FROM read_parquet('{file}') LIMIT 0")
        connection.execute(f"INSERT INTO t SELECT * FROM read_parquet('{file}')")


def measure(rows: int, repeat: int, folder: Path) -> dict[str, Any]:
    """Medians by way, and their ratios to the peer."""
    file = folder / "tidy.parquet"
    with duckdb.connect() as connection:
        table = connection.sql(ROWS.format(rows=rows)).to_arrow_table().cast(schema(RULE))
    pq.write_table(table, file, compression="zstd", row_group_size=100_000)
    del table
    taken: dict[str, list[tuple[float, float]]] = {"read_parquet insert": [], "load": [], "correction": []}
    for number in range(repeat):
        taken["read_parquet insert"].append(timed(lambda n=number: peer(file, folder / f"peer{n}")))  # type: ignore[misc]
        taken["load"].append(timed(lambda n=number: ours(file, folder / f"ours{n}")))  # type: ignore[misc]
        taken["correction"].append(timed(lambda n=number: again(file, folder / f"ours{n}")))  # type: ignore[misc]
    found = {way: [statistics.median(t[i] for t in times) for i in (0, 1)] for way, times in taken.items()}
    limit = found["read_parquet insert"]
    return {
        "rows": rows,
        "ways": {
            way: {"seconds": wall, "cpu_seconds": cpu, "wall_ratio": wall / limit[0], "cpu_ratio": cpu / limit[1]}
            for way, (wall, cpu) in found.items()
        },
    }


def main() -> None:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ondol-bench-") as folder:
        found = measure(options.rows, options.repeat, Path(folder))
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(f"{found['rows']:,} rows of 12 columns and their lineage")
    for way, figures in found["ways"].items():
        print(f"{way:22}{figures['seconds']:7.2f} s{figures['cpu_seconds']:8.2f} CPU s"
              f"{figures['wall_ratio']:7.2f}{figures['cpu_ratio']:7.2f} times the insert")  # fmt: skip


if __name__ == "__main__":
    main()
