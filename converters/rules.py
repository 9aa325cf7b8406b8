"""Tag rules and the contract of an item: what its columns mean and what must hold.

A rule is data that an operator edits in a tenant's YAML (`items[].tag`):

    tag:
      table: {header: [지점코드, 금액]}          # which tables of the file: their headers, sheet or title
      columns:
        sale_date:  {from: 일자, type: date, required: true}
        store_code: {from: 지점코드, type: text, required: true}
        amount:     {from: 금액, type: decimal, unit: 원, min: 0}   # a file in 천원 is scaled to 원
      subtotals: check                            # drop them, after proving that they are the sums they say
      unique: [sale_date, store_code]

A crosstab 1월..12월 becomes long with `unpivot`:

      unpivot: {over: "*월", into: month, type: month, value: amount}
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from converters.casting import caster
from converters.periods import Span

ColumnKind = Literal["text", "integer", "number", "decimal", "date", "month", "bool"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""A canonical column name: it becomes a column of the warehouse and of PostgreSQL as it is."""
QUANTITIES = ("integer", "number", "decimal")
ABOUT_FILE = ("period", "file", "sheet", "title")
"""What `from` may name besides a header text."""


class Strict(BaseModel):
    """Unknown keys are errors; a loaded model never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class TablePick(Strict):
    """Which tables of a file the rule speaks of; all that is given must fit. Texts are globs, white space ignored.

    Args:
        sheet: the sheet's name: "매출*".
        title: the title over the table: "*매출일보*".
        header: header texts that must all be there, written as in `from`. A table that has them and yet lacks a column
            of the rule breaks the contract; other tables are left out.
    """

    sheet: str | None = None
    title: str | None = None
    header: tuple[str, ...] = ()


class ColumnRule(Strict):
    """One canonical column: where its values come from, its type, and what must hold of each value.

    Args:
        source: (`from` in YAML) a header text, or several that may stand for it, of which the first that is there
            counts. "1월/계획" names a header path, "/금액" a header with none over it; * and ? make a glob ("금액*").
            White space, case and a unit in brackets are ignored. Four words are no headers: `period` takes the first
            day of the item's period, `file` the file's name, `sheet` the sheet's name, `title` the table's title.
        constant: a fixed value instead of `from`.
        type: what the values are; a value that is not of it breaks the contract.
        optional: the header may be missing, then the column is empty. Without it, every header must be there.
        unit: the unit wanted; a file in another unit of the same kind is scaled (천원 → 원), in any other is refused.
        assume_unit: the unit of a file that states none; without it, such a file counts as being in `unit`.
        additive: false for a column whose totals are no sums, such as a stock at the day's end. Rates, prices and
            averages are known by their headers.
        codes: written value → entity code; a value that is missing here breaks the contract.
        required: no empty value.
        allowed: the only values that there may be.
        min / max: the least and the greatest value that there may be, after scaling; a date for a date or month.
        pattern: a regular expression that each whole value must fit.
        description: for people.
    """

    source: str | tuple[str, ...] | None = Field(default=None, alias="from")
    constant: str | int | Decimal | None = None
    type: ColumnKind = "text"
    optional: bool = False
    unit: str | None = None
    assume_unit: str | None = None
    additive: bool = True
    codes: dict[str, str] | None = None
    required: bool = False
    allowed: tuple[str, ...] | None = None
    min: Decimal | dt.date | None = None
    max: Decimal | dt.date | None = None
    pattern: str | None = None
    description: str | None = None

    @property
    def headers(self) -> tuple[str, ...]:
        """The header texts that may stand for the column; none if it does not come from a header."""
        if self.source is None or self.source in ABOUT_FILE:
            return ()
        return (self.source,) if isinstance(self.source, str) else self.source

    @property
    def is_measure(self) -> bool:
        """The values are quantities: they have a unit and can add up."""
        return self.type in QUANTITIES

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnRule:
        if (self.source is None) == (self.constant is None):
            raise ValueError("give either 'from' (a header text) or 'constant' (a fixed value)")
        if self.source == ():
            raise ValueError("'from' is an empty list: name at least one header text")
        return self

    @model_validator(mode="after")
    def _keys_agree(self) -> ColumnRule:
        if self.unit is not None and not self.is_measure:
            raise ValueError(f"'unit' is for type integer, number or decimal, but the type is '{self.type}'")
        wanted, said = (dt.date, "a date") if self.type in ("date", "month") else (Decimal, "a number")
        for key in ("min", "max"):
            if (limit := getattr(self, key)) is None:
                continue
            if wanted is Decimal and not self.is_measure:
                raise ValueError(f"'{key}' is for numbers, dates and months, but the type is '{self.type}'")
            if not isinstance(limit, wanted):
                raise ValueError(f"'{key}' of type '{self.type}' is {limit}: give {said}")
        if self.assume_unit and not self.unit:
            raise ValueError("'assume_unit' needs 'unit': what the values are scaled to")
        if self.optional and (self.required or not self.headers):
            raise ValueError("'optional' is for a header that may be missing: without 'required', and with 'from'")
        return self

    @model_validator(mode="after")
    def _limits_can_be_met(self) -> ColumnRule:
        if self.min is not None and self.max is not None and self.min > self.max:  # type: ignore[operator]
            raise ValueError(f"min {self.min} is more than max {self.max}: no value can satisfy both")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"pattern {self.pattern!r} is no regular expression: {error}") from None
        if self.constant is not None:
            try:
                caster(self.type, Span(dt.date(2000, 1, 1), dt.date(2000, 1, 31)))(self.constant)
            except ValueError as error:
                raise ValueError(f"constant {str(self.constant)!r} is no {self.type}: give {error}") from None
        return self


class Unpivot(Strict):
    """Header texts that are values: each becomes a row.

    An empty cell makes no row. Headers that sum up others (합계, 1분기 계) are left out, unless `subtotals` is `keep`.

    Args:
        over: a glob for the header texts that are values ("*월"), or several, at any level of the header path; a header
            that a column's `from` names is none of them.
        into: the canonical column that takes them.
        type: its type; `month` and `date` are completed with the item's period ("5월" → 2026-05-01), or with a year
            over them in the header ("2025년/12월").
        value: the canonical column of the body when nothing else is left of the header path; with a two-level header
            ("1월/계획") leave it out and let the columns' `from` name what is left ("계획").
        value_type / unit / assume_unit / min / max: as for a column, for `value`.
    """

    over: str | tuple[str, ...]
    into: Name
    type: ColumnKind = "text"
    value: Name | None = None
    value_type: ColumnKind = "decimal"
    unit: str | None = None
    assume_unit: str | None = None
    min: Decimal | None = None
    max: Decimal | None = None

    @property
    def globs(self) -> tuple[str, ...]:
        """The globs of `over`."""
        return (self.over,) if isinstance(self.over, str) else self.over

    @property
    def value_rule(self) -> ColumnRule:
        """What must hold of `value`, as a column's rule."""
        return ColumnRule(
            source=self.globs,
            type=self.value_type,
            unit=self.unit,
            assume_unit=self.assume_unit,
            min=self.min,
            max=self.max,
        )

    @model_validator(mode="after")
    def _keys_agree(self) -> Unpivot:
        _ = self.value_rule
        if self.value is None and any(v is not None for v in (self.unit, self.assume_unit, self.min, self.max)):
            raise ValueError("unit, assume_unit, min and max speak of 'value', which is missing")
        return self


class Changes(Strict):
    """What becomes of a file whose columns are others than the rule's.

    Args:
        new_column: a column that no rule names: `freeze` leaves it out, which the ledger notes; `evolve` loads it, as
            text, into a column called extra_ and its header; `quarantine` refuses the file.
        wider_type: values of an integer column that are no whole numbers: `evolve` makes the column decimal, also in
            the warehouse; `quarantine` refuses the file, with the cells.
        missing_column: a header that is missing: `evolve` leaves the column empty, unless it is required or more than
            half of the headers are missing; `quarantine` refuses the file.
    """

    new_column: Literal["freeze", "evolve", "quarantine"] = "freeze"
    wider_type: Literal["quarantine", "evolve"] = "quarantine"
    missing_column: Literal["quarantine", "evolve"] = "quarantine"


class TagRule(Strict):
    """How an item's tables become one tidy table.

    Args:
        table: which tables of the file; all that have the columns' headers if empty.
        columns: the canonical columns, in the order of the tidy table.
        unpivot: header texts that are values, such as 1월..12월.
        subtotals: `check` drops the rows and columns that sum up others after proving that they do, and refuses a file
            with a false total; `drop` asks for no proof; `keep` drops none.
        unique: the columns that no two rows of a file may share.
        changes: what becomes of a file whose columns are others than these.
    """

    table: TablePick = TablePick()
    columns: dict[Name, ColumnRule]
    unpivot: Unpivot | None = None
    subtotals: Literal["check", "drop", "keep"] = "check"
    unique: tuple[Name, ...] = ()
    changes: Changes = Changes()

    @model_validator(mode="after")
    def _names_agree(self) -> TagRule:
        names = set(self.columns)
        if self.unpivot:
            added = {self.unpivot.into} | ({self.unpivot.value} if self.unpivot.value else set())
            if both := sorted(added & names):
                raise ValueError(f"unpivot makes {both}, which columns define too: keep one")
            names |= added
        if unknown := sorted(set(self.unique) - names):
            raise ValueError(f"unique names {unknown}, but the columns are {sorted(names)}")
        return self

    def kinds(self) -> dict[str, ColumnKind]:
        """The canonical columns and their types, in the order that the tidy table has them."""
        kinds: dict[str, ColumnKind] = {name: rule.type for name, rule in self.columns.items()}
        if self.unpivot:
            kinds[self.unpivot.into] = self.unpivot.type
            if self.unpivot.value:
                kinds[self.unpivot.value] = self.unpivot.value_type
        return kinds

    def extended(self, columns: dict[str, ColumnRule]) -> TagRule:
        """The rule of one file, which has these columns too."""
        return self.model_copy(update={"columns": {**self.columns, **columns}})

    def widened(self, names: set[str]) -> TagRule:
        """The rule of one file in which these columns are decimal."""
        wide = {n: r.model_copy(update={"type": "decimal"}) if n in names else r for n, r in self.columns.items()}
        unpivot = self.unpivot
        if unpivot and unpivot.value in names:
            unpivot = unpivot.model_copy(update={"value_type": "decimal"})
        return self.model_copy(update={"columns": wide, "unpivot": unpivot})

    def rule_of(self, name: str) -> ColumnRule | None:
        """What must hold of a canonical column; None for the one that takes header texts."""
        if self.unpivot and name == self.unpivot.value:
            return self.unpivot.value_rule
        return self.columns.get(name)
