"""BigQuery's SQL as the models say it, into DuckDB's, with the same results or not at all.

sqlglot translates; where DuckDB would run the translation and answer differently, the tree is rewritten first, and what
has no equal, or would give other results when run again, is refused by name. The golden tests hold both lists.

Source: BigQuery's "GoogleSQL functions and operators", DuckDB's "Functions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# This module is imported by functions only, so that nobody pays for sqlglot who runs no SQL.
import sqlglot  # noqa: TID253
from sqlglot import exp  # noqa: TID253

from ondol.errors import FatalError

MACROS = """
    CREATE OR REPLACE MACRO _ondol.settled(a, b, q) AS q + CASE
        WHEN 2 * (a - q * b) >= b * 0.000000001 THEN 0.000000001
        WHEN 2 * (a - q * b) < -b * 0.000000001 THEN -0.000000001 ELSE 0 END;
    CREATE OR REPLACE MACRO _ondol.nearer(a, b, q) AS
        q + cast_to_type(CAST(a - q * b AS DOUBLE) / CAST(b AS DOUBLE), a);
    CREATE OR REPLACE MACRO _ondol.quotient(a, b) AS _ondol.settled(a, b,
        _ondol.nearer(a, b, cast_to_type(CAST(a AS DOUBLE) / CAST(b AS DOUBLE), a)));
    CREATE OR REPLACE MACRO _ondol.divided(a, b, wanted) AS CASE
        WHEN a IS NULL OR b IS NULL THEN NULL
        WHEN b = 0 THEN error('division by zero')
        WHEN typeof(wanted) = 'DOUBLE' THEN cast_to_type(a / b, wanted)
        ELSE cast_to_type(
            _ondol.quotient(cast_to_type(abs(a), wanted), cast_to_type(abs(b), wanted))
                * CASE WHEN (a < 0) = (b < 0) THEN 1 ELSE -1 END,
            wanted) END;
    CREATE OR REPLACE MACRO _ondol.divide(a, b) AS
        _ondol.divided(a, b, round(list_median([coalesce(a, b)]) * 0.000000001, 9));
    CREATE OR REPLACE MACRO _ondol.product(x) AS cast_to_type(x, round(x, 9));
    CREATE OR REPLACE MACRO _ondol.int64(x) AS CASE
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(TRY_CAST(x AS DOUBLE)) AS BIGINT)
        ELSE CAST(x AS BIGINT) END;
    CREATE OR REPLACE MACRO _ondol.text(x) AS CASE
        WHEN typeof(x) LIKE 'DECIMAL%' AND CAST(x AS VARCHAR) LIKE '%.%' THEN rtrim(rtrim(CAST(x AS VARCHAR), '0'), '.')
        WHEN typeof(x) = 'DOUBLE' THEN regexp_replace(CAST(x AS VARCHAR), '\\.0$', '')
        ELSE CAST(x AS VARCHAR) END;
"""
"""What BigQuery does and DuckDB has no function for.

Division by zero fails; two NUMERICs, or one and an INT64, have a quotient and an average that are NUMERIC, rounded half
away from zero at the ninth decimal, and so is each product of a chain; of other numbers the quotient is FLOAT64.
`wanted` has that type: a median is no INT64, and `cast_to_type` looks at its type and at no value. `quotient` divides
in floating point and settles the last digits exactly. Casts round half away from zero and write numbers without
trailing zeros.
"""

NUMERIC = "DECIMAL(38, 9)"
UNREPEATABLE = "gives another result when run again; take the value from the data"
SCRIPTING = "is scripting; a model is one query, and an operation plain statements"

REFUSED: dict[type[exp.Expr], str] = {
    exp.CurrentDate: UNREPEATABLE,
    exp.CurrentTimestamp: UNREPEATABLE,
    exp.CurrentDatetime: UNREPEATABLE,
    exp.CurrentTime: UNREPEATABLE,
    exp.Rand: UNREPEATABLE,
    exp.Uuid: UNREPEATABLE,
    exp.SessionUser: UNREPEATABLE,
    exp.TableSample: UNREPEATABLE,
    exp.ApproxQuantiles: "is approximate; use PERCENTILE_CONT(…) OVER ()",
    exp.FarmFingerprint: "has no equal in DuckDB; use TO_HEX(MD5(…))",
    exp.Version: "reads a table's past, which DuckDB does not keep",
}
STATEMENTS = (exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.TruncateTable)


class Refused(FatalError):
    """A statement that cannot be run; `near` are texts that stand where the cause is."""

    def __init__(self, message: str, *near: str) -> None:
        super().__init__(message)
        self.near = near


def query(sql: str, database: str) -> str:
    """One SELECT, in DuckDB's SQL.

    Args:
        sql: in BigQuery's SQL, as Dataform compiled it.
        database: the project that the names in it may have in front.

    Raises:
        Refused: it is no query, or says what DuckDB cannot do alike.
    """
    return generate(tree(sql, database))


def tree(sql: str, database: str) -> exp.Query:
    """The rewritten tree of one SELECT, ready for `generate`."""
    parsed = _parse(sql)
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        raise Refused("a model must be one SELECT; put other statements into pre_operations or an operation", sql)
    _rewrite(parsed[0], database)
    return parsed[0]


def statements(sql: str, database: str) -> Iterator[str]:
    """Each statement of an operation, in DuckDB's SQL; transactions and scripting are refused."""
    for statement in _parse(sql):
        if not isinstance(statement, STATEMENTS):
            raise Refused(f"{_said(statement)} {SCRIPTING}", statement.sql("bigquery"))
        _rewrite(statement, database)
        yield generate(statement)


def generate(rewritten: exp.Expr) -> str:
    """DuckDB's SQL of a rewritten tree."""
    try:
        return rewritten.sql("duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
    except sqlglot.UnsupportedError as error:
        raise Refused(str(error)) from error


def _parse(sql: str) -> list[exp.Expr]:
    try:
        return [statement for statement in sqlglot.parse(sql, read="bigquery") if statement is not None]
    except sqlglot.ParseError as error:
        first = error.errors[0] if error.errors else {}
        line = sql.splitlines()[int(first.get("line") or 1) - 1 :][:1]
        raise Refused(f"{first.get('description') or error} at {first.get('highlight')!r}", *line) from error


def _rewrite(statement: exp.Expr, database: str) -> None:
    for node in reversed(list(statement.walk())):  # leaves first, so that a rewritten node holds rewritten ones
        if reason := REFUSED.get(type(node)):
            raise Refused(f"{_said(node)} {reason}", node.sql("bigquery"), _said(node))
        if isinstance(node, exp.Table):
            _check_table(node, database)
        elif rewrite := REWRITES.get(type(node)):
            if (new := rewrite(node)) is not node:
                node.replace(new)


def _check_table(table: exp.Table, database: str) -> None:
    near = (table.name, table.sql("bigquery"))
    if isinstance(table.this, exp.Func):
        raise Refused(f"the table function {table.this.sql('bigquery')} is BigQuery's own", *near)
    if table.catalog not in ("", database):
        raise Refused(f"{table.sql('bigquery')} is in another project than {database}: use ref()", *near)
    if "*" in table.name or table.db.lower() in ("_ondol", "information_schema"):
        raise Refused(f"{table.sql('bigquery')} is no table of the tenant: use ref()", *near)
    table.set("catalog", None)


def _said(node: exp.Expr) -> str:
    """How the refused thing is called in SQL: CURRENT_DATE, DECLARE."""
    return re.split(r"[\s(]", node.sql("bigquery"), maxsplit=1)[0] or type(node).__name__


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def _macro(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Dot(this=exp.to_identifier("_ondol"), expression=_call(name, *arguments))


def _as_date(node: exp.Expr) -> exp.Expr:
    """DuckDB makes a timestamp of a date that is truncated or moved."""
    return exp.cast(node.copy(), "DATE")


def _extract(node: exp.Extract) -> exp.Expr:
    part = node.this.name.upper() if isinstance(node.this, exp.Var) else node.this.sql("bigquery").upper()
    if part == "DAYOFWEEK":
        return exp.paren(exp.Add(this=node.copy(), expression=exp.Literal.number(1)))
    if part == "ISOWEEK":
        return exp.Extract(this=exp.var("WEEK"), expression=node.expression.copy())
    if part in ("WEEK", "WEEK(SUNDAY)", "WEEK(MONDAY)"):
        code = "%W" if "MONDAY" in part else "%U"
        return exp.cast(_call("STRFTIME", node.expression, exp.Literal.string(code)), "BIGINT", dialect="duckdb")
    if "(" in part:
        raise Refused(f"EXTRACT({part}) has no equal in DuckDB", part)
    return node


def _type(node: exp.DataType) -> exp.Expr:
    if node.this == exp.DType.BIGDECIMAL:
        raise Refused("BIGNUMERIC is wider than DuckDB's numbers; use NUMERIC", "BIGNUMERIC")
    if node.this == exp.DType.DECIMAL and not node.expressions:
        return exp.DataType.build(NUMERIC, dialect="duckdb")
    return node


def _cast(node: exp.Cast) -> exp.Expr:
    if node.args.get("format"):
        raise Refused("CAST … FORMAT has no equal in DuckDB; use FORMAT_DATE or PARSE_DATE", "FORMAT")
    macro = {exp.DType.BIGINT: "int64", exp.DType.TEXT: "text"}.get(node.to.this)
    if not macro:
        return node
    return _call("TRY", _macro(macro, node.this)) if isinstance(node, exp.TryCast) else _macro(macro, node.this)


def _divide(node: exp.Div) -> exp.Expr:
    return _macro("divide", node.this, node.expression)


def _safe_divide(node: exp.SafeDivide) -> exp.Expr:
    return _macro("divide", node.this, _call("NULLIF", node.expression, exp.Literal.number(0)))


def _average(node: exp.Avg) -> exp.Expr:
    """DuckDB's AVG is a floating-point number whatever it takes; over a window, see `_window`."""
    if isinstance(node.parent, exp.Window):
        return node
    return _macro("divide", exp.Sum(this=node.this.copy()), exp.Count(this=node.this.copy(), big_int=True))


def _window(node: exp.Window) -> exp.Expr:
    if not isinstance(average := node.this, exp.Avg):
        return node
    parts = [node.copy(), node.copy()]
    parts[0].set("this", exp.Sum(this=average.this.copy()))
    parts[1].set("this", exp.Count(this=average.this.copy(), big_int=True))
    return _macro("divide", *parts)


def _multiply(node: exp.Mul) -> exp.Expr:
    """DuckDB adds up the decimals of all factors, and has none left for the digits in front."""
    above = node.parent
    while isinstance(above, exp.Paren):
        above = above.parent
    return _macro("product", node) if isinstance(above, exp.Mul) else node


def _format(node: exp.Format) -> exp.Expr:
    pattern = node.this
    if not isinstance(pattern, exp.Literal) or re.sub(r"%([-+ 0#]*\d*(\.\d+)?[dsfeEgGxXo]|%)", "", pattern.name).count(
        "%"
    ):
        raise Refused("FORMAT may only use %d %s %f %e %g %x %o and %% here", "FORMAT")
    return _call("PRINTF", pattern, *node.expressions)


def _normalize(node: exp.Normalize) -> exp.Expr:
    form = node.args.get("form")
    if form and form.name.upper() != "NFC":
        raise Refused(f"NORMALIZE to {form.name} has no equal in DuckDB; NFC has", "NORMALIZE")
    return _call("NFC_NORMALIZE", node.this)


def _limited(node: exp.Expr) -> exp.Expr:
    """ARRAY_AGG(… LIMIT n): the first n of the whole array. IGNORE NULLS around it belongs to the aggregate."""
    aggregate = node.this if isinstance(node, exp.IgnoreNulls | exp.RespectNulls) else node
    if not isinstance(aggregate, exp.ArrayAgg) or not isinstance(limit := aggregate.this, exp.Limit):
        return node
    if node is aggregate and isinstance(node.parent, exp.IgnoreNulls | exp.RespectNulls):
        return node
    whole: exp.Expr = exp.ArrayAgg(this=limit.this.copy())
    if node is not aggregate:
        whole = type(node)(this=whole)
    return _call("LIST_SLICE", whole, exp.Literal.number(1), limit.expression)


def _string_agg(node: exp.GroupConcat) -> exp.Expr:
    if node.find(exp.Limit):
        raise Refused(
            "STRING_AGG … LIMIT has no equal in DuckDB; use ARRAY_TO_STRING(ARRAY_AGG(… LIMIT n), …)", "LIMIT"
        )
    return node


def _unnest(node: exp.Unnest) -> exp.Expr:
    """WITH OFFSET counts from 0, DuckDB's ordinality from 1; and the fields of listed structs are columns."""
    alias = node.args.get("alias")
    element = alias.columns[0].name if alias and alias.columns else "_element"
    array = node.expressions[0]
    offset = node.args.get("offset")
    if isinstance(array, exp.Array) and all(isinstance(struct, exp.Struct) for struct in array.expressions):
        rows, name = _struct_rows(array.expressions, offset), element
    elif offset:
        position = exp.Sub(
            this=_call("GENERATE_SUBSCRIPTS", array, exp.Literal.number(1)), expression=exp.Literal.number(1)
        )
        rows = exp.select(exp.alias_(_call("UNNEST", array), element), exp.alias_(position, offset.copy()))
        name = f"_{element}"
    else:
        return node
    if not isinstance(join := node.parent, exp.Join):
        return rows.subquery(alias=name)
    if join.side and not join.args.get("on"):
        join.set("on", exp.true())
    return exp.Lateral(this=rows.subquery(), alias=exp.TableAlias(this=exp.to_identifier(name)))


def _struct_rows(structs: list[exp.Expr], offset: exp.Identifier | None) -> exp.Query:
    """One SELECT a struct, so that each field is a column that can be named, counted and traced."""
    names = [
        field.name if isinstance(field, exp.PropertyEQ) else field.alias_or_name for field in structs[0].expressions
    ]
    if not all(names) or any(len(struct.expressions) != len(names) for struct in structs):
        raise Refused("UNNEST of structs needs the same fields in each, and names in the first", "STRUCT")
    selects = []
    for position, struct in enumerate(structs):
        values = [
            field.expression if isinstance(field, exp.PropertyEQ) else field.unalias() for field in struct.expressions
        ]
        columns = [exp.alias_(value.copy(), name) for value, name in zip(values, names, strict=True)]
        count = [exp.alias_(exp.Literal.number(position), offset.copy())] if offset else []
        selects.append(exp.select(*columns, *count))
    return exp.union(*selects, distinct=False) if len(selects) > 1 else selects[0]


def _insert(node: exp.Insert) -> exp.Expr:
    """MERGE … INSERT ROW: all columns of the source, in their order."""
    if isinstance(node.this, exp.Var) and node.this.name.upper() == "ROW":
        node.set("this", exp.Star())
    return node


def _dotted(node: exp.Dot | exp.NetFunc) -> exp.Expr:
    """A function of one of BigQuery's name spaces, such as NET.HOST; or the field of a struct."""
    if isinstance(node, exp.NetFunc) or isinstance(node.expression, exp.Func):
        raise Refused(f"the function {_said(node)} has no equal in DuckDB", _said(node))
    return node


def _timestamp_diff(node: exp.TimestampDiff) -> exp.Expr:
    """Whole units that have passed, not the boundaries that were crossed."""
    return _call("DATE_SUB", exp.Literal.string(node.text("unit")), node.expression, node.this)


REWRITES: dict[type[exp.Expr], Callable[..., exp.Expr]] = {
    exp.ApproxDistinct: lambda node: exp.Count(this=exp.Distinct(expressions=[node.this.copy()]), big_int=True),
    exp.ArrayAgg: _limited,
    exp.Avg: _average,
    exp.Cast: _cast,
    exp.DataType: _type,
    exp.DateAdd: _as_date,
    exp.DateFromUnixDate: _as_date,
    exp.DateSub: _as_date,
    exp.DateTrunc: _as_date,
    exp.Div: _divide,
    exp.Dot: _dotted,
    exp.Extract: _extract,
    exp.Format: _format,
    exp.GroupConcat: _string_agg,
    exp.IgnoreNulls: _limited,
    exp.Insert: _insert,
    exp.Mul: _multiply,
    exp.NetFunc: _dotted,
    exp.Normalize: _normalize,
    exp.RespectNulls: _limited,
    exp.SafeDivide: _safe_divide,
    exp.SafeFunc: lambda node: _call("TRY", node.this),
    exp.TimestampDiff: _timestamp_diff,
    exp.TryCast: _cast,
    exp.Unnest: _unnest,
    exp.Window: _window,
}
