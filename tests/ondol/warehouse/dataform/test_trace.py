"""From a figure to its cells: for each shape of SQL, exactly the cells that the figure was made of.

The sheets: sales has columns A date, B store, C amount from row 5; stores has A code, B name.
"""

from __future__ import annotations

import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from ondol.errors import FatalError
from ondol.warehouse.dataform.run import run_project
from ondol.warehouse.duckdb import DuckDbWarehouse

HERE = Path(__file__).parents[1]
MODELS = {
    "daily": "SELECT sale_date, store_code, SUM(amount) AS amount, COUNT(*) AS n, MAX(amount) AS top,"
    " COUNTIF(amount > 150) AS large, ROUND(SUM(amount) / 1000, 1) AS thousands, 'won' AS unit"
    " FROM ${ref('sales')} GROUP BY sale_date, store_code",
    "filtered": "SELECT store_code, SUM(amount) AS amount FROM ${ref('sales')}"
    " WHERE store_code IN (SELECT store_code FROM ${ref('stores')}) AND amount < 300 GROUP BY store_code",
    "monthly": "SELECT DATE_TRUNC(sale_date, MONTH) AS month, SUM(amount) AS amount FROM ${ref('daily')} GROUP BY month"
    " HAVING amount > 0",
    "through_a_view": "SELECT store_code, AVG(amount) AS mean FROM ${ref('seen')} GROUP BY 1",
    "seen": "SELECT * FROM ${ref('sales')}",
    "joined": "SELECT d.sale_date, d.store_code, s.store_name, d.amount, COALESCE(s.store_name, d.store_code) AS label"
    " FROM ${ref('daily')} AS d LEFT JOIN ${ref('stores')} AS s USING (store_code)",
    "crosstab": "SELECT store_code, SUM(IF(sale_date = DATE '2026-01-05', amount, 0)) AS fifth,"
    " SUM(CASE WHEN EXTRACT(DAY FROM sale_date) = 6 THEN amount END) AS sixth FROM ${ref('sales')} GROUP BY store_code",
    "with_ctes": "WITH a AS (SELECT * FROM ${ref('sales')}),"
    " b AS (SELECT store_code, SUM(amount) AS total FROM a GROUP BY 1)"
    " SELECT b.store_code, b.total, b.total / SUM(b.total) OVER () AS share FROM b",
    "stacked": "SELECT 'sale' AS kind, store_code, amount FROM ${ref('sales')} UNION ALL"
    " SELECT 'total', store_code, SUM(amount) FROM ${ref('sales')} GROUP BY store_code",
    "sets": "SELECT store_code FROM ${ref('sales')} UNION DISTINCT SELECT store_code FROM ${ref('stores')}",
    "distinct_codes": "SELECT DISTINCT store_code FROM ${ref('sales')}",
    "running": "SELECT sale_date, store_code, amount,"
    " SUM(amount) OVER (PARTITION BY store_code ORDER BY sale_date) AS so_far,"
    " LAG(amount) OVER (PARTITION BY store_code ORDER BY sale_date) AS before,"
    " SUM(amount) OVER w AS around FROM ${ref('daily')}"
    " WINDOW w AS (PARTITION BY store_code ORDER BY sale_date ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "newest": "SELECT * FROM ${ref('daily')} WHERE TRUE"
    " QUALIFY ROW_NUMBER() OVER (PARTITION BY store_code ORDER BY sale_date DESC) = 1",
    "last_amount": "SELECT store_code, ARRAY_AGG(amount ORDER BY sale_date DESC LIMIT 1)[OFFSET(0)] AS amount,"
    " MAX_BY(store_code, sale_date) AS code FROM ${ref('daily')} GROUP BY store_code",
    "unpivoted": "SELECT d.store_code, m.what, m.value FROM ${ref('daily')} AS d,"
    " UNNEST([STRUCT('sum' AS what, d.amount AS value), STRUCT('top', d.top)]) AS m",
    "looked_up": "SELECT d.store_code, (SELECT MAX(s.store_name) FROM ${ref('stores')} AS s"
    " WHERE s.store_code = d.store_code) AS name FROM ${ref('daily')} AS d",
    "nested": "SELECT x.month, x.amount * 2 AS twice FROM (SELECT month, amount FROM ${ref('monthly')}) AS x",
    "rolled": "SELECT store_code, SUM(amount) AS amount FROM ${ref('sales')} GROUP BY ROLLUP(store_code)",
    "difference": "SELECT store_code FROM ${ref('sales')} EXCEPT DISTINCT SELECT store_code FROM ${ref('stores')}",
    "pivoted": "SELECT * FROM (SELECT store_code, amount FROM ${ref('sales')})"
    " PIVOT(SUM(amount) FOR store_code IN ('001'))",
}
D5, D6 = "2026-01-05", "2026-01-06"
SALES = {5: [("001", 100), ("001", 200), ("002", 300)], 6: [("001", 50), ("003", 7)]}

CASES = [
    ("daily", {"sale_date": D5, "store_code": "001"}, "amount", "05:C5 05:C6"),
    ("daily", {"sale_date": D5, "store_code": "001"}, "thousands", "05:C5 05:C6"),
    ("daily", {"sale_date": D5, "store_code": "001"}, "top", "05:C6"),
    ("daily", {"sale_date": D5, "store_code": "001"}, "large", "05:C6"),
    ("daily", {"sale_date": D5, "store_code": "001"}, "store_code", "05:B5 05:B6"),
    ("daily", {"sale_date": D5, "store_code": "001"}, "unit", ""),
    ("filtered", {"store_code": "001"}, "amount", "05:C5 05:C6 06:C5"),
    ("monthly", {"month": "2026-01-01"}, "amount", "05:C5 05:C6 05:C7 06:C5 06:C6"),
    ("through_a_view", {"store_code": "001"}, "mean", "05:C5 05:C6 06:C5"),
    ("joined", {"sale_date": D5, "store_code": "002"}, "amount", "05:C7"),
    ("joined", {"sale_date": D5, "store_code": "002"}, "store_name", "01:B6"),
    ("joined", {"sale_date": D6, "store_code": "003"}, "label", "06:B6"),
    ("joined", {"sale_date": D5, "store_code": "002"}, "label", "01:B6"),
    ("crosstab", {"store_code": "001"}, "fifth", "05:C5 05:C6"),
    ("crosstab", {"store_code": "001"}, "sixth", "06:C5"),
    ("with_ctes", {"store_code": "002"}, "total", "05:C7"),
    ("with_ctes", {"store_code": "002"}, "share", "05:C5 05:C6 05:C7 06:C5 06:C6"),
    ("stacked", {"kind": "total", "store_code": "001"}, "amount", "05:C5 05:C6 06:C5"),
    ("stacked", {"kind": "sale", "amount": 50}, "amount", "06:C5"),
    ("sets", {"store_code": "002"}, "store_code", "01:A6 05:B7"),
    ("distinct_codes", {"store_code": "001"}, "store_code", "05:B5 05:B6 06:B5"),
    ("running", {"sale_date": D6, "store_code": "001"}, "so_far", "05:C5 05:C6 06:C5"),
    ("running", {"sale_date": D5, "store_code": "001"}, "so_far", "05:C5 05:C6"),
    ("running", {"sale_date": D6, "store_code": "001"}, "before", "05:C5 05:C6"),
    ("running", {"sale_date": D5, "store_code": "001"}, "around", "05:C5 05:C6"),
    ("newest", {"store_code": "001"}, "amount", "06:C5"),
    ("last_amount", {"store_code": "001"}, "amount", "06:C5"),
    ("last_amount", {"store_code": "001"}, "code", "06:B5"),
    ("unpivoted", {"store_code": "002", "what": "sum"}, "value", "05:C7"),
    ("unpivoted", {"store_code": "001", "what": "top", "value": 200}, "value", "05:C6"),
    ("looked_up", {"store_code": "002"}, "name", "01:B6"),
    ("nested", {"month": "2026-01-01"}, "twice", "05:C5 05:C6 05:C7 06:C5 06:C6"),
    ("rolled", {"store_code": None}, "amount", "05:C5 05:C6 05:C7 06:C5 06:C6"),
    ("rolled", {"store_code": "002"}, "amount", "05:C7"),
    ("sales", {"store_code": "002"}, "amount", "05:C7"),
    ("sales", {"store_code": "003"}, None, "06:A6 06:B6 06:C6"),
]


@pytest.fixture(scope="module")
def traced(tmp_path_factory, compiler):
    """A warehouse with all the models, run."""
    folder = tmp_path_factory.mktemp("trace")
    project = folder / "tenants" / "dataform"
    shutil.copytree(HERE / "project", project)
    (project / "node_modules").symlink_to(compiler)
    shutil.rmtree(project / "definitions" / "shop")
    shapes = project / "definitions" / "shapes"
    shapes.mkdir()
    (shapes / "sources.js").write_text("['sales', 'stores'].forEach((name) => declare({ schema: 'hanbit', name }));")
    for name, sql in MODELS.items():
        kind = "view" if name == "seen" else "table"
        (shapes / f"{name}.sqlx").write_text(f'config {{ type: "{kind}" }}\n{sql}\n')
    return DuckDbWarehouse(folder / "home", "hanbit", project=project)


@pytest.fixture(scope="module")
def shapes(traced, loader, day):
    load = loader(traced, traced.project.parent)
    for number, rows in SALES.items():
        date = dt.date(2026, 1, number)
        load("sales", day(number), [(date, code, Decimal(amount)) for code, amount in rows])
    load("stores", day(1, "stores"), [("001", "강남점"), ("002", "서초점")])
    result = run_project(traced, "shapes", load.schemas)
    assert not result.failed, result.failed
    return traced


def cells(origins):
    """05:C6 is cell C6 of the file of January 5th."""
    return " ".join(sorted(f"{o.period.start:%d}:{o.cell}" for o in origins))


@pytest.mark.parametrize(("table", "key", "column", "expected"), CASES)
def test_a_figure_leads_to_exactly_its_cells(shapes, table, key, column, expected):
    assert cells(shapes.trace("shapes", table, key, column)) == expected


@pytest.mark.parametrize(
    "table", ["daily", "filtered", "monthly", "crosstab", "with_ctes", "joined", "rolled", "running"]
)
def test_the_values_at_a_sums_cells_add_up_to_it(shapes, table):
    """Whatever the rewrite does, the cells that it names must make the figure."""
    figure = {"crosstab": "fifth", "with_ctes": "total", "running": "so_far"}.get(table, "amount")
    keys = {"monthly": ["month"], "daily": ["sale_date", "store_code"], "joined": ["sale_date", "store_code"]}
    names = ["sale_date", "store_code"] if table == "running" else keys.get(table, ["store_code"])
    rows = shapes.query(f"SELECT * FROM hanbit.{table}")
    assert rows
    for row in rows:
        origins = shapes.trace("shapes", table, {name: row[name] for name in names}, figure)
        assert sum(o.value for o in origins) == row[figure]


def test_a_count_leads_to_the_rows_that_were_counted(shapes):
    origins = shapes.trace("shapes", "daily", {"sale_date": D5, "store_code": "001"}, "n")
    assert [(o.column, o.cell, o.row) for o in origins] == [("*", None, 5), ("*", None, 6)]


def test_without_a_column_the_whole_row_is_traced(shapes):
    origins = shapes.trace("shapes", "joined", {"sale_date": D5, "store_code": "002"}, None)
    assert cells(origins) == "01:B6 05:A7 05:B7 05:C7"


def test_an_origin_says_all_that_is_needed_to_open_the_cell(shapes):
    (origin,) = shapes.trace("shapes", "daily", {"sale_date": D5, "store_code": "002"}, "amount")
    assert (origin.table, origin.column, origin.value) == ("sales", "amount", Decimal(300))
    assert (origin.file, origin.sha256, origin.sheet, origin.cell, origin.row) == (
        "sales_daily 2026-01-05.xlsx",
        "aa",
        "Sheet1",
        "C7",
        7,
    )
    assert (origin.item, str(origin.period), origin.part, origin.run_key) == ("sales_daily", "2026-01-05", "", "run")


@pytest.mark.parametrize(
    ("table", "key", "column", "message"),
    [
        ("difference", {"store_code": "003"}, None, r"definitions/shapes/difference\.sqlx: EXCEPT cannot be traced"),
        ("pivoted", {"001": 350}, "001", r"definitions/shapes/pivoted\.sqlx: PIVOT and UNPIVOT cannot be traced"),
        ("daily", {"store_code": "404"}, "amount", "daily has no row where {'store_code': '404'}"),
        ("daily", {"shop": "001"}, "amount", "daily has no column 'shop'; it has"),
        ("daily", {"store_code": "001"}, "amout", "daily has no column 'amout'; it has"),
        ("daily", {}, "amount", "say which row of daily is meant"),
        ("dialy", {"store_code": "001"}, None, "no table 'dialy'; it has"),
    ],
)
def test_what_cannot_be_traced_is_said(shapes, table, key, column, message):
    with pytest.raises(FatalError, match=message):
        shapes.trace("shapes", table, key, column)


def test_a_hostile_key_is_only_a_value(shapes):
    with pytest.raises(FatalError, match="has no row where"):
        shapes.trace("shapes", "daily", {"store_code": "' OR 1=1 --"}, "amount")
