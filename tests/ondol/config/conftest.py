from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

GOOD = """\
tenant: hanbit
name: 한빛마트
sources:
  - id: inbox
    type: folder
    path: inbox/hanbit/{date}
items:
  - id: store_sales
    match: {name: "매출_{yyyymmdd}*.csv"}
    table: store_sales
    tag:
      columns:
        sale_date: {from: period, type: date}
        store_code: {from: 지점코드, required: true}
        amount: {from: [금액, 매출액], type: decimal, unit: 원, min: 0}
      unique: [sale_date, store_code]
  - id: monthly_target
    match: {name: "목표_{yyyy}*.xlsx"}
    grain: year
    due: 2 weeks
    table: monthly_target
    tag:
      columns:
        store_code: {from: 지점코드, required: true}
      unpivot: {over: "*월", into: month, type: month, value: target}
transform: {models: retail}
sync:
  - {table: mart_store, key: [store_code]}
"""


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a tenant's file; its path."""

    def write(body: str | bytes, name: str = "hanbit.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(body.encode() if isinstance(body, str) else body)
        return path

    return write
