"""BigQuery's SQL on DuckDB: each statement gives what BigQuery's reference says, or is refused by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from ondol.warehouse.dataform import dialect

D = dt.date


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE SCHEMA _ondol; CREATE SCHEMA t;"
            "CREATE TABLE t.sales AS SELECT * FROM (VALUES (DATE '2026-01-05', 'A', 10::DECIMAL(38,9)),"
            " (DATE '2026-01-06', 'A', 5), (DATE '2026-01-06', 'B', NULL)) AS v(d, shop, amount);"
            "CREATE TABLE t.wide AS SELECT 'A' AS shop, 1::BIGINT AS jan, 2::BIGINT AS feb;"
        )
        connection.execute(dialect.MACROS)
        yield connection


GOLDEN = {
    "arrays count from 0": ("SELECT x, o FROM UNNEST(['a', 'b']) AS x WITH OFFSET AS o", [("a", 0), ("b", 1)]),
    "a left join keeps the row of an empty array": (
        "SELECT k, x, o FROM (SELECT 1 AS k, ['a'] AS a UNION ALL SELECT 2, CAST([] AS ARRAY<STRING>)) AS t"
        " LEFT JOIN UNNEST(t.a) AS x WITH OFFSET AS o",
        [(1, "a", 0), (2, None, None)],
    ),
    "columns become rows by UNNEST of structs": (
        "SELECT shop, m.month, n FROM `ondol.t.wide` AS w,"
        " UNNEST([STRUCT(1 AS month, w.jan AS n), STRUCT(2, w.feb)]) AS m ORDER BY n",
        [("A", 1, 1), ("A", 2, 2)],
    ),
    "structs with their position": (
        "SELECT n, o FROM `ondol.t.wide` CROSS JOIN UNNEST([STRUCT(jan AS n), STRUCT(feb AS n)]) WITH OFFSET AS o"
        " ORDER BY o",
        [(1, 0), (2, 1)],
    ),
    "Sunday is day 1": ("SELECT EXTRACT(DAYOFWEEK FROM DATE '2026-01-04')", [(1,)]),
    "weeks begin on Sunday, and days before the first are in week 0": (
        "SELECT EXTRACT(WEEK FROM DATE '2026-01-03'), EXTRACT(WEEK FROM DATE '2026-01-04'),"
        " EXTRACT(WEEK(MONDAY) FROM DATE '2026-01-04'), EXTRACT(ISOWEEK FROM DATE '2026-01-04')",
        [(0, 1, 0, 1)],
    ),
    "a truncated date is a date": (
        "SELECT DATE_TRUNC(DATE '2026-01-07', MONTH), DATE_TRUNC(DATE '2026-01-07', WEEK),"
        " DATE_TRUNC(DATE '2026-01-07', WEEK(MONDAY)), DATE_TRUNC(DATE '2026-01-07', ISOWEEK)",
        [(D(2026, 1, 1), D(2026, 1, 4), D(2026, 1, 5), D(2026, 1, 5))],
    ),
    "a moved date is a date": (
        "SELECT DATE_ADD(DATE '2026-01-31', INTERVAL 1 MONTH), DATE_SUB(DATE '2026-01-01', INTERVAL 1 DAY),"
        " DATE_FROM_UNIX_DATE(1)",
        [(D(2026, 2, 28), D(2025, 12, 31), D(1970, 1, 2))],
    ),
    "date differences count boundaries": (
        "SELECT DATE_DIFF(DATE '2026-01-05', DATE '2026-01-04', WEEK),"
        " DATE_DIFF(DATE '2026-01-05', DATE '2026-01-04', WEEK(MONDAY)),"
        " DATE_DIFF(DATE '2026-01-01', DATE '2025-12-31', YEAR)",
        [(0, 1, 1)],
    ),
    "timestamp differences count whole units": (
        "SELECT TIMESTAMP_DIFF(TIMESTAMP '2026-01-02 00:59:00+00', TIMESTAMP '2026-01-01 23:01:00+00', HOUR)",
        [(1,)],
    ),
    "NUMERIC has nine decimals": (
        "SELECT CAST('0.123456789' AS NUMERIC), NUMERIC '1.5', CAST('2.345' AS NUMERIC(10, 2))",
        [(Decimal("0.123456789"), Decimal("1.500000000"), Decimal("2.35"))],
    ),
    "casts to INT64 round half away from zero": (
        "SELECT CAST(CAST(2.5 AS FLOAT64) AS INT64), CAST(CAST(-2.5 AS FLOAT64) AS INT64), CAST('7' AS INT64),"
        " CAST(TRUE AS INT64), CAST(NUMERIC '2.5' AS INT64)",
        [(3, -3, 7, 1, 3)],
    ),
    "numbers are written without trailing zeros": (
        "SELECT CAST(NUMERIC '1.50' AS STRING), CAST(NUMERIC '100' AS STRING), CAST(CAST(1 AS FLOAT64) AS STRING),"
        " CAST(0.25 AS STRING), CAST(DATE '2026-01-05' AS STRING), CAST(TRUE AS STRING), CAST(-7 AS STRING)",
        [("1.5", "100", "1", "0.25", "2026-01-05", "true", "-7")],
    ),
    "SAFE gives NULL in place of an error": (
        "SELECT SAFE_CAST('x' AS INT64), SAFE_CAST('x' AS NUMERIC), SAFE_DIVIDE(1, 0), SAFE_DIVIDE(1, 4),"
        " SAFE.PARSE_DATE('%Y%m%d', 'x'), SAFE.PARSE_DATE('%Y%m%d', '20260105')",
        [(None, None, None, 0.25, None, D(2026, 1, 5))],
    ),
    "integers divide into fractions": (
        "SELECT 7 / 2, DIV(-7, 2), MOD(-7, 2), 1 / x FROM UNNEST([4]) AS x",
        [(3.5, -3, -1, 0.25)],
    ),
    "NUMERIC divides into NUMERIC, rounded half away from zero at the ninth decimal": (
        "SELECT NUMERIC '10' / 3, NUMERIC '-2' / NUMERIC '3', 1000000000 / NUMERIC '3', NUMERIC '-810.44769045' / 12,"
        " NUMERIC '0.000000001' / 2, ROUND(NUMERIC '7') / 3, NUMERIC '10000000000000000000' / 7",
        [
            tuple(
                map(
                    Decimal,
                    "3.333333333 -0.666666667 333333333.333333333 -67.537307538 0.000000001 2.333333333"
                    " 1428571428571428571.428571429".split(),
                )
            )
        ],
    ),
    "FLOAT64 wins over NUMERIC": (
        "SELECT NUMERIC '1.5' / CAST(2 AS FLOAT64), CAST(1e300 AS FLOAT64) / 2",
        [(0.75, 5e299)],
    ),
    "sums divide by counts as their types say": (
        "SELECT SUM(amount) / COUNT(amount), SUM(n) / COUNT(*), SUM(amount) / SUM(n), SAFE_DIVIDE(SUM(amount), 0)"
        " FROM (SELECT amount, 2 AS n FROM t.sales)",
        [(Decimal("7.5"), 2.0, Decimal("2.5"), None)],
    ),
    "an average is as exact as what it is of": (
        "SELECT AVG(x), AVG(DISTINCT x), AVG(n), AVG(NULL + n) FROM"
        " UNNEST([STRUCT(NUMERIC '1' AS x, 1 AS n), STRUCT(NUMERIC '1', 2), STRUCT(NUMERIC '2', 2)])",
        [(Decimal("1.333333333"), Decimal("1.5"), 5 / 3, None)],
    ),
    "an average over a window": (
        "SELECT AVG(amount) OVER (PARTITION BY shop ORDER BY d), AVG(amount) OVER w FROM t.sales"
        " WINDOW w AS (PARTITION BY shop) ORDER BY shop, d",
        [(Decimal(10), Decimal("7.5")), (Decimal("7.5"), Decimal("7.5")), (None, None)],
    ),
    "nothing divided by zero is nothing": ("SELECT CAST(NULL AS NUMERIC) / 0, SAFE_DIVIDE(NULL, 0)", [(None, None)]),
    "a chain of products keeps nine decimals": (
        "SELECT NUMERIC '1000000' * NUMERIC '1000000' * NUMERIC '1.1' * NUMERIC '2.5' * NUMERIC '0.5', 2 * 3 * 4,"
        " 0.5 * (2 * CAST(1 AS FLOAT64))",
        [(Decimal("1375000000000"), 24, 1.0)],
    ),
    "half is rounded away from zero": (
        "SELECT ROUND(2.5), ROUND(-2.5), ROUND(NUMERIC '1.005', 2)",
        [(3, -3, Decimal("1.01"))],
    ),
    "FORMAT is printf": ("SELECT FORMAT('%05d %s %.1f%%', 7, 'a', 2.25)", [("00007 a 2.2%",)]),
    "the newest value": (
        "SELECT shop, ARRAY_AGG(amount ORDER BY d DESC LIMIT 1)[OFFSET(0)] AS last"
        " FROM t.sales GROUP BY shop ORDER BY shop",
        [("A", Decimal(5)), ("B", None)],
    ),
    "the first two without NULL": (
        "SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x DESC LIMIT 2) FROM UNNEST([1, NULL, 3, 2]) AS x",
        [([3, 2],)],
    ),
    "distinct counts are exact": (
        "SELECT APPROX_COUNT_DISTINCT(n) FROM UNNEST(GENERATE_ARRAY(1, 5000)) AS n",
        [(5000,)],
    ),
    "NULL sorts first going up and last going down": (
        "SELECT ARRAY(SELECT x FROM UNNEST([2, NULL, 1]) AS x ORDER BY x),"
        " ARRAY(SELECT x FROM UNNEST([2, NULL, 1]) AS x ORDER BY x DESC)",
        [([None, 1, 2], [2, 1, None])],
    ),
    "one NULL makes the greatest NULL, and a concatenation": (
        "SELECT GREATEST(1, NULL), CONCAT('a', NULL), 'a' || NULL, LEAST(2, 1)",
        [(None, None, None, 1)],
    ),
    "texts are normalized": ("SELECT NORMALIZE('\u1112\u1161\u11ab'), NORMALIZE('a', NFC)", [("한", "a")]),
    "regular expressions replace all": (
        r"SELECT REGEXP_REPLACE('1,234,567', r',', ''), REGEXP_EXTRACT('A동 3호', r'(\d+)호'),"
        " REGEXP_CONTAINS('a', r'^b')",
        [("1234567", "3", False)],
    ),
    "texts are cut and joined": (
        "SELECT SUBSTR('한빛마트', 2, 2), LPAD('7', 3, '0'), SPLIT('a-b', '-')[SAFE_OFFSET(1)],"
        " STRING_AGG(x, '+' ORDER BY x) FROM UNNEST(['b', 'a']) AS x GROUP BY 1, 2, 3",
        [("빛마", "007", "b", "a+b")],
    ),
    "dates are read and written": (
        "SELECT PARSE_DATE('%Y년 %m월', '2026년 02월'), FORMAT_DATE('%Y-%m (%b)', DATE '2026-01-05'),"
        " LAST_DAY(DATE '2026-02-03')",
        [(D(2026, 2, 1), "2026-01 (Jan)", D(2026, 2, 28))],
    ),
    "windows and QUALIFY": (
        "SELECT d, SUM(amount) OVER (PARTITION BY shop ORDER BY d) AS so_far FROM t.sales WHERE TRUE"
        " QUALIFY ROW_NUMBER() OVER (PARTITION BY shop ORDER BY d DESC) = 1 ORDER BY so_far",
        [(D(2026, 1, 6), None), (D(2026, 1, 6), Decimal(15))],
    ),
    "an alias groups and filters": (
        "SELECT DATE_TRUNC(d, MONTH) AS month, SUM(amount) AS total FROM t.sales GROUP BY month HAVING total > 1",
        [(D(2026, 1, 1), Decimal(15))],
    ),
    "columns left out and replaced": (
        "SELECT * EXCEPT (d) REPLACE (amount * 2 AS amount) FROM t.sales WHERE amount = 10",
        [("A", Decimal(20))],
    ),
    "PIVOT": (
        "SELECT * FROM (SELECT shop, amount FROM t.sales) PIVOT(SUM(amount) FOR shop IN ('A', 'B'))",
        [(Decimal(15), None)],
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_a_query_gives_what_bigquery_gives(engine: duckdb.DuckDBPyConnection, case: str) -> None:
    sql, expected = GOLDEN[case]
    assert engine.execute(dialect.query(sql, "ondol")).fetchall() == expected


def test_division_by_zero_is_an_error(engine: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="division by zero"):
        engine.execute(dialect.query("SELECT 1 / x FROM UNNEST([0]) AS x", "ondol")).fetchall()


REFUSED = {
    "SELECT CURRENT_DATE('Asia/Seoul')": "CURRENT_DATE gives another result when run again",
    "SELECT CURRENT_TIMESTAMP()": "CURRENT_TIMESTAMP gives another result",
    "SELECT RAND()": "RAND gives another result",
    "SELECT GENERATE_UUID()": "GENERATE_UUID gives another result",
    "SELECT * FROM t.sales TABLESAMPLE SYSTEM (10 PERCENT)": "TABLESAMPLE gives another result",
    "SELECT FARM_FINGERPRINT('a')": r"FARM_FINGERPRINT has no equal.*MD5",
    "SELECT APPROX_QUANTILES(amount, 2) FROM t.sales": "APPROX_QUANTILES is approximate",
    "SELECT CAST(d AS STRING FORMAT 'YYYY') FROM t.sales": "use FORMAT_DATE",
    "SELECT CAST(1 AS BIGNUMERIC)": "use NUMERIC",
    "SELECT NORMALIZE('a', NFKD)": "NFKD has no equal",
    'SELECT FORMAT("%\'d", 1000)': "FORMAT may only use",
    "SELECT STRING_AGG(shop LIMIT 1) FROM t.sales": r"use ARRAY_TO_STRING\(ARRAY_AGG",
    "SELECT EXTRACT(WEEK(TUESDAY) FROM d) FROM t.sales": r"WEEK\(TUESDAY\)",
    "SELECT * FROM t.sales FOR SYSTEM_TIME AS OF TIMESTAMP '2026-01-01'": "past",
    "SELECT * FROM `elsewhere.t.sales`": "another project than ondol",
    "SELECT * FROM `ondol.t.sales_*`": "no table of the tenant",
    "SELECT * FROM `ondol._ondol.loads`": "no table of the tenant",
    "SELECT * FROM EXTERNAL_QUERY('a', 'b')": "table function",
    "SELECT NET.HOST('a')": "the function NET.HOST has no equal",
    "SELECT 1; SELECT 2": "must be one SELECT",
    "DROP TABLE t.sales": "must be one SELECT",
    "SELEC 1": "Invalid expression",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_has_no_equal_is_refused_by_name(sql: str) -> None:
    with pytest.raises(dialect.Refused, match=REFUSED[sql]):
        dialect.query(sql, "ondol")


@pytest.mark.parametrize("sql", ["DECLARE x INT64", "BEGIN TRANSACTION", "CALL a.b()", "COMMIT", "SET x = 1"])
def test_an_operation_holds_no_scripting(sql: str) -> None:
    with pytest.raises(dialect.Refused, match="is scripting"):
        list(dialect.statements(sql, "ondol"))


def test_an_operation_may_hold_several_statements() -> None:
    sql = "CREATE OR REPLACE TABLE `ondol.t.x` AS SELECT 1 AS a; DELETE FROM `ondol.t.x` WHERE a = 1"
    assert list(dialect.statements(sql, "ondol")) == [
        'CREATE OR REPLACE TABLE "t"."x" AS SELECT 1 AS a',
        'DELETE FROM "t"."x" WHERE a = 1',
    ]


def test_a_merge_inserts_whole_rows(engine: duckdb.DuckDBPyConnection) -> None:
    sql = (
        "CREATE OR REPLACE TABLE t.kept AS SELECT 'A' AS shop, 1 AS n;"
        "MERGE INTO t.kept AS k USING (SELECT 'A' AS shop, 5 AS n UNION ALL SELECT 'B', 7) AS s ON k.shop = s.shop"
        " WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT ROW"
    )
    for statement in dialect.statements(sql, "ondol"):
        engine.execute(statement)
    assert engine.execute("FROM t.kept ORDER BY shop").fetchall() == [("A", 5), ("B", 7)]
