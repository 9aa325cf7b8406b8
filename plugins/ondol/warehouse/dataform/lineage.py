"""A query that says, beside each value, which tidy values it was made of.

Each wanted column `c` gets a companion `_from_c`: a list of (t, c, r), the tidy table, its column and the row's id. The
companion follows the expression: of CASE only the branch that was taken, of an aggregate only the rows that counted, of
a window the same window. Conditions (WHERE, HAVING, ON, IN) choose rows but are no part of a value.

Source: B. Glavic, "Perm: provenance via query rewrite" (ICDE 2009), with the companions as lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

# This module is imported by functions only, so that nobody pays for sqlglot who traces nothing.
from sqlglot import exp  # noqa: TID253

from ondol.errors import FatalError

ROW = "*"
"""Stands for the row itself, where a value comes from no column of it: COUNT(*)."""
LIST = "STRUCT(t VARCHAR, c VARCHAR, r BIGINT)[]"

Wanted = dict[str, str]
"""Output column → the name of its companion; the order is that of the companions."""
Maybe = exp.Expr | None


class Untraceable(FatalError):
    """A construct that the rewrite does not know."""


@dataclass
class Needs:
    """The companions that are wanted of each mart; grows while the queries that read it are rewritten."""

    marts: frozenset[str]
    schema: str
    wanted: dict[str, set[str]] = field(default_factory=dict)


def companion(column: str) -> str:
    """The name of a column's companion."""
    return f"_from_{column}"


def annotate(query: exp.Query, wanted: Wanted, needs: Needs) -> exp.Query:
    """The query with companions; its columns must be qualified, as sqlglot's `qualify` leaves them.

    Args:
        needs: told which companions of which marts the result reads.

    Raises:
        Untraceable: naming the construct.
    """
    return _Rewrite(needs, []).query(query, wanted)


def marts_as_ctes(query: exp.Query, needs: Needs) -> exp.Query:
    """The query with each mart of which companions are wanted replaced by its common table expression."""
    for table in list(query.find_all(exp.Table)):
        if table.db == needs.schema and table.name in needs.wanted:
            table.replace(
                exp.Table(this=exp.to_identifier(mart_cte(table.name), quoted=True), alias=table.args["alias"])
            )
    return query


def mart_cte(mart: str) -> str:
    """The name of the common table expression that stands for a mart."""
    return f"mart {mart}"


class _Rewrite:
    """One query and what encloses it: `ctes` are the common table expressions in sight, by name."""

    def __init__(self, needs: Needs, ctes: list[dict[str, set[str]]]) -> None:
        self.needs = needs
        self.ctes = ctes
        self.derived: dict[int, set[str]] = {}

    def query(self, query: exp.Query, wanted: Wanted) -> exp.Query:
        with_ = query.args.get("with_")
        if with_ and with_.args.get("recursive"):
            raise Untraceable("WITH RECURSIVE cannot be traced")
        ctes = list(query.ctes)
        if with_:
            with_.pop()
        own: dict[str, set[str]] = {cte.alias: set() for cte in ctes}
        self.ctes.append(own)
        result = self._body(query, wanted)
        for cte in reversed(ctes):  # what a later one reads of an earlier one is known then
            cte.set("this", self.query(cte.this, {name: companion(name) for name in sorted(own[cte.alias])}))
        self.ctes.pop()
        if with_:
            result.set("with_", with_)
        return result

    def _body(self, query: exp.Query, wanted: Wanted) -> exp.Query:
        if isinstance(query, exp.Subquery):
            query.set("this", self.query(query.this, wanted))
            return query
        if isinstance(query, exp.Union):
            return self._union(query, wanted)
        if isinstance(query, exp.Select):
            return self._select(query, wanted)
        raise Untraceable(f"{query.key.upper()} cannot be traced")

    def _union(self, union: exp.Union, wanted: Wanted) -> exp.Query:
        names = [column.alias_or_name for column in union.left.selects]
        right = [column.alias_or_name for column in union.right.selects]
        by_position = {name: right[names.index(name)] if name != ROW else ROW for name in wanted}
        union.set("this", self.query(union.left, wanted))
        # Two left columns may stand over one right column, so companions are told apart by position, not by name.
        union.set("expression", self._renamed(union.right, by_position, wanted))
        return self._grouped(union, names, wanted) if union.args.get("distinct") else union

    def _renamed(self, query: exp.Query, by_position: dict[str, str], wanted: Wanted) -> exp.Query:
        names = [column.alias_or_name for column in query.selects]
        inner = self.query(query, {name: companion(name) for name in dict.fromkeys(by_position.values())})
        if not isinstance(inner, exp.Subquery):
            inner = inner.subquery()
        inner.set("alias", exp.TableAlias(this=exp.to_identifier("_right", quoted=True)))
        companions = [
            exp.alias_(_column(companion(by_position[name])), alias, quoted=True) for name, alias in wanted.items()
        ]
        return exp.select(*map(_column, names), *companions).from_(inner)

    def _grouped(self, query: exp.Query, names: list[str], wanted: Wanted) -> exp.Query:
        """Rows that are one after DISTINCT have the origins of all of them."""
        if query.args.get("limit"):
            raise Untraceable("DISTINCT with LIMIT cannot be traced")
        query.set("order", None)
        columns = [_column(name) for name in names]
        gathered = [exp.alias_(_gather(_column(alias)), alias, quoted=True) for alias in wanted.values()]
        inner = query.subquery(alias="_rows") if not isinstance(query, exp.Subquery) else query
        return exp.select(*columns, *gathered).from_(inner).group_by(*[column.copy() for column in columns])

    def _select(self, select: exp.Select, wanted: Wanted) -> exp.Query:
        names = [column.alias_or_name for column in select.selects]
        if unknown := [name for name in wanted if name != ROW and name not in names]:
            raise Untraceable(f"there is no column {unknown[0]!r}; the columns are {names}")
        scope = _Scope(self, select)
        added = [exp.alias_(scope.output(column), alias, quoted=True) for column, alias in wanted.items()]
        select.select(*added, append=True, copy=False)
        for source in reversed(scope.sources.values()):  # a lateral one reads those before it
            inner = source.this if isinstance(source, exp.Lateral) else source
            if isinstance(inner, exp.Subquery) and (names_ := self.derived.pop(id(source), None)):
                inner.set("this", self.query(inner.this, {name: companion(name) for name in sorted(names_)}))
        if not select.args.get("distinct"):
            return select
        select.set("distinct", None)
        return self._grouped(select, names, wanted)


class _Scope:
    """The companions of expressions in one SELECT."""

    def __init__(self, rewrite: _Rewrite, select: exp.Select) -> None:
        self.rewrite = rewrite
        self.select = select
        self.sources = _sources(select)
        if any(source.args.get("pivots") for source in self.sources.values()):
            raise Untraceable("PIVOT and UNPIVOT cannot be traced; say it with CASE, or UNNEST of STRUCTs")
        group = select.args.get("group")
        self.aggregates = bool(group) or any(_has_aggregate(column) for column in select.selects)

    def output(self, column: str) -> exp.Expr:
        """The companion of an output column, or of the row."""
        if column == ROW:
            origins = self._concat(self.of_source(alias, source, ROW) for alias, source in self.sources.items())
            return _or_empty(_gather(origins) if self.aggregates and origins else origins)
        expression = next(c for c in self.select.selects if c.alias_or_name == column).unalias()
        return _or_empty(self.of(expression, self.aggregates))

    def of(self, node: exp.Expr, grouped: bool = False) -> Maybe:
        """The companion of an expression; None if it comes from no tidy value.

        Args:
            grouped: it stands outside of the aggregates of an aggregating SELECT.
        """
        if grouped and not _has_aggregate(node) and not node.find(exp.Window):
            origins = self.of(node)
            return origins and _gather(origins)
        if isinstance(node, exp.Column):
            return self._of_column(node)
        if isinstance(node, exp.Window):
            return self._of_window(node, grouped)
        if isinstance(node, exp.AggFunc):
            return self._of_aggregate(node)
        if special := _SPECIAL.get(type(node)):
            return special(self, node, grouped)
        if isinstance(node, exp.Subquery):
            return self._of_scalar(node)
        return self._concat(self.of(child, grouped) for child in node.iter_expressions())

    def of_source(self, alias: str, source: exp.Expr, column: str) -> Maybe:
        """The companion of a column, or of the row, of one thing in FROM."""
        if isinstance(source, exp.Unnest):
            return self._concat(self.of(array) for array in source.expressions)
        if isinstance(source, exp.Table):
            needs = self.rewrite.needs
            if not source.db:
                cte = next((scope[source.name] for scope in reversed(self.rewrite.ctes) if source.name in scope), None)
                if cte is None:
                    raise Untraceable(f"{source.name} is no table that can be traced")
                cte.add(column)
            elif source.name in needs.marts and source.db == needs.schema:
                needs.wanted.setdefault(source.name, set()).add(column)
            else:
                return _tidy_value(source.name, alias, column)
        else:
            self.rewrite.derived.setdefault(id(source), set()).add(column)
        return _column(companion(column), alias)

    def _of_column(self, column: exp.Column) -> Maybe:
        select: exp.Expr | None = self.select
        while select is not None:  # a correlated column belongs to an enclosing SELECT
            sources = self.sources if select is self.select else _sources(select)
            if column.table in sources:
                return self.of_source(column.table, sources[column.table], column.name)
            select = select.find_ancestor(exp.Select)
        raise Untraceable(f"the column {column.sql('duckdb')} cannot be traced to a table")

    def _of_window(self, window: exp.Window, grouped: bool) -> Maybe:
        function = window.this
        modifier = function if isinstance(function, exp.IgnoreNulls | exp.RespectNulls) else None
        called = modifier.this if modifier else function
        if isinstance(called, exp.Lag | exp.Lead | exp.FirstValue | exp.LastValue | exp.NthValue):
            origins = self.of(called.this, grouped)
            if origins is None:
                return None
            moved = called.copy()
            moved.set("this", _case([(_is_not_null(called.this), origins)]))
            moved.set("default", None)
            return _over(window, type(modifier)(this=moved) if modifier else moved)
        if isinstance(called, exp.AggFunc) and (called.this or called.expressions):
            argument, counts = _argument(called)
            origins = self.output(ROW) if argument is None else self.of(argument, grouped)
            if origins is None:
                return None
            kept = _case([(counts, origins)]) if counts else origins
            return exp.Anonymous(
                this="FLATTEN", expressions=[_over(window, exp.Anonymous(this="LIST", expressions=[kept]))]
            )
        order = window.args.get("order")
        return self._concat(self.of(ordered.this, grouped) for ordered in (order.expressions if order else ()))

    def _of_aggregate(self, node: exp.AggFunc) -> Maybe:
        argument, counts = _argument(node)
        if argument is None:
            return self._concat(
                _gather(origins)
                for alias, source in self.sources.items()
                if (origins := self.of_source(alias, source, ROW)) is not None
            )
        origins = self.of(argument)
        if origins is None:
            return None
        if pick := _PICKS.get(type(node)):
            return exp.Anonymous(this=pick, expressions=[origins, (node.expression or argument).copy()])
        return _gather(origins, counts)

    def _of_case(self, case: exp.Expr, grouped: bool) -> Maybe:
        branches = [(branch.this, self.of(branch.args["true"], grouped)) for branch in case.args["ifs"]]
        default = case.args.get("default")
        return _case(branches, default and self.of(default, grouped), case.args.get("this"))

    def _of_if(self, node: exp.Expr, grouped: bool) -> Maybe:
        other = node.args.get("false")
        return _case([(node.this, self.of(node.args["true"], grouped))], other and self.of(other, grouped))

    def _of_coalesce(self, node: exp.Expr, grouped: bool) -> Maybe:
        return _case([(_is_not_null(value), self.of(value, grouped)) for value in (node.this, *node.expressions)])

    def _of_first(self, node: exp.Expr, grouped: bool) -> Maybe:
        """Of IN and NULLIF the value that is looked at."""
        return self.of(node.this, grouped)

    def _of_element(self, node: exp.Expr, grouped: bool) -> Maybe:
        """Of ARRAY_AGG(…)[i] the origins of that element."""
        taken = node.copy()
        original, aggregate = node.this.find(exp.ArrayAgg), taken.this.find(exp.ArrayAgg)
        if original is None or aggregate is None:
            return self._concat(self.of(child, grouped) for child in node.iter_expressions())
        value, _ = _argument(original)
        origins = self.of(value) if value is not None else None
        if value is None or origins is None:
            return None
        place = next(found for found in aggregate.walk() if found is not aggregate and found == value)
        place.replace(_case([(_is_not_null(value), origins)]) or exp.null())
        return taken

    def _of_scalar(self, subquery: exp.Subquery) -> Maybe:
        held = subquery.copy()
        held.parent = subquery.parent  # its correlated columns are looked up there
        inner = held.this
        name = inner.selects[0].alias_or_name
        annotated = self.rewrite.query(inner, {name: companion(name)})
        picked = exp.select(_column(companion(name))).from_(annotated.subquery(alias="_scalar"))
        return picked.subquery()

    def _concat(self, lists: Iterable[Maybe]) -> Maybe:
        found = [origins for origins in lists if origins is not None]
        if len(found) < 2:
            return found[0] if found else None
        return exp.Anonymous(this="LIST_CONCAT", expressions=found)


_SPECIAL: Mapping[type[exp.Expr], Callable[[_Scope, exp.Expr, bool], Maybe]] = {
    exp.Case: _Scope._of_case,
    exp.If: _Scope._of_if,
    exp.Bracket: _Scope._of_element,
    exp.Coalesce: _Scope._of_coalesce,
    exp.In: _Scope._of_first,
    exp.Nullif: _Scope._of_first,
    exp.Exists: lambda scope, node, grouped: None,
    exp.Star: lambda scope, node, grouped: None,
}
_PICKS = {exp.Max: "ARG_MAX", exp.Min: "ARG_MIN", exp.ArgMax: "ARG_MAX", exp.ArgMin: "ARG_MIN"}
"""Aggregates that take one row's value."""


def _sources(select: exp.Expr) -> dict[str, exp.Expr]:
    """What stands in FROM, by alias."""
    from_ = select.args.get("from_")
    found = [from_.this] if from_ else []
    found += [join.this for join in select.args.get("joins") or ()]
    return {(source.alias_or_name or source.alias): source for source in found}


def _argument(node: exp.AggFunc) -> tuple[Maybe, Maybe]:
    """What an aggregate takes of each row, and when that row counts; (None, None) for COUNT(*)."""
    value = node.this
    while isinstance(value, exp.Distinct | exp.Order | exp.Limit | exp.HavingMax):
        value = value.expressions[0] if isinstance(value, exp.Distinct) else value.this
    if value is None or isinstance(value, exp.Star):
        return None, None
    return value, value.copy() if isinstance(node, exp.CountIf) else _is_not_null(value)


def _has_aggregate(node: exp.Expr) -> bool:
    """Whether an aggregate stands in it outside of subqueries that is not itself the window's function."""
    for found in node.walk(prune=lambda n: isinstance(n, exp.Query)):
        if isinstance(found, exp.AggFunc):
            above = found.parent
            while isinstance(above, exp.IgnoreNulls | exp.RespectNulls):
                above = above.parent
            if not (isinstance(above, exp.Window) and above.this.find(exp.AggFunc) is found):
                return True
    return False


def _tidy_value(table: str, alias: str, column: str) -> exp.Expr:
    entry = exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name), expression=value)
            for name, value in (
                ("t", exp.Literal.string(table)),
                ("c", exp.Literal.string(column)),
                ("r", _column("rowid", alias)),
            )
        ]
    )
    return exp.Array(expressions=[entry])


def _column(name: str, table: str | None = None) -> exp.Column:
    return exp.column(name, table=table, quoted=True)


def _gather(origins: exp.Expr, counts: Maybe = None) -> exp.Expr:
    """The origins of all rows of a group, or of those that count."""
    listed: exp.Expr = exp.Anonymous(this="LIST", expressions=[origins])
    if counts is not None:
        listed = exp.Filter(this=listed, expression=exp.Where(this=counts))
    return exp.Anonymous(this="FLATTEN", expressions=[listed])


def _over(window: exp.Window, function: exp.Expr) -> exp.Expr:
    copy = window.copy()
    copy.set("this", function)
    return copy


def _case(branches: list[tuple[exp.Expr, Maybe]], default: Maybe = None, operand: Maybe = None) -> Maybe:
    if default is None and all(origins is None for _, origins in branches):
        return None
    ifs = [exp.If(this=condition.copy(), true=origins or exp.null()) for condition, origins in branches]
    return exp.Case(this=operand.copy() if operand else None, ifs=ifs, default=default or exp.null())


def _is_not_null(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=exp.paren(value.copy()), expression=exp.null()))


def _or_empty(origins: Maybe) -> exp.Expr:
    return origins if origins is not None else exp.cast(exp.null(), LIST, dialect="duckdb")
