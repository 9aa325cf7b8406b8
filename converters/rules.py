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

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

ColumnKind = Literal["text", "integer", "number", "decimal", "date", "month", "bool"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""A canonical column name: it becomes a column of the warehouse and of PostgreSQL as it is."""


class Strict(BaseModel):
    """Unknown keys are errors; a loaded model never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class TablePick(Strict):
    """Which tables of a file the rule speaks of; all that is given must fit. Texts are globs, white space ignored.

    Args:
        sheet: the sheet's name.
        title: the title over the table.
        header: header texts that must all be there.
    """

    sheet: str | None = None
    title: str | None = None
    header: tuple[str, ...] = ()


class ColumnRule(Strict):
    """One canonical column: where its values come from, its type, and what must hold of each value.

    Args:
        source: (`from` in YAML) a header text, or several that may stand for it; "1월/계획" names a header path, a
            glob ("금액*") is allowed, white space and a unit in brackets are ignored. `period` takes the item's
            period, `file` the file's name, `sheet` the sheet's name, `title` the table's title.
        constant: a fixed value instead of `from`.
        type: what the values are; a value that is not of it breaks the contract.
        unit: the unit wanted; a file in another unit of the same kind is scaled (천원 → 원), in any other is refused.
        codes: written value → entity code; a value that is missing here breaks the contract.
        required: no empty value.
        allowed: the only values that there may be.
        min / max: the least and the greatest value that there may be, after scaling.
        pattern: a regular expression that each value must fit.
        description: for people.
    """

    source: str | tuple[str, ...] | None = Field(default=None, alias="from")
    constant: str | int | Decimal | None = None
    type: ColumnKind = "text"
    unit: str | None = None
    codes: dict[str, str] | None = None
    required: bool = False
    allowed: tuple[str, ...] | None = None
    min: Decimal | None = None
    max: Decimal | None = None
    pattern: str | None = None
    description: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnRule:
        if (self.source is None) == (self.constant is None):
            raise ValueError("give either 'from' (a header text) or 'constant' (a fixed value)")
        return self

    @model_validator(mode="after")
    def _limits_can_be_met(self) -> ColumnRule:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}: no value can satisfy both")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"pattern {self.pattern!r} is no regular expression: {error}") from None
        return self


class Unpivot(Strict):
    """Header texts that are values: each becomes a row.

    Args:
        over: a glob for the header texts that are values ("*월"), at any level of the header path.
        into: the canonical column that takes them.
        type: its type; `month` and `date` are completed with the item's period ("5월" → 2026-05-01).
        value: the canonical column of the body when nothing else is left of the header path; with a two-level header
            ("1월/계획") leave it out and let the columns' `from` name what is left ("계획").
        value_type / unit / min / max: as for a column, for `value`.
    """

    over: str
    into: Name
    type: ColumnKind = "text"
    value: Name | None = None
    value_type: ColumnKind = "decimal"
    unit: str | None = None
    min: Decimal | None = None
    max: Decimal | None = None


class TagRule(Strict):
    """How an item's tables become one tidy table.

    Args:
        table: which tables of the file; all of them if empty.
        columns: the canonical columns, in the order of the tidy table.
        unpivot: header texts that are values, such as 1월..12월.
        subtotals: `check` drops what sums up other cells after proving that it does, `drop` without proof, `keep` none.
        unique: the columns that no two rows of a file may share.
        extra_columns: what becomes of columns that no rule names: `ignore` leaves them out, `refuse` the file.
    """

    table: TablePick = TablePick()
    columns: dict[Name, ColumnRule]
    unpivot: Unpivot | None = None
    subtotals: Literal["check", "drop", "keep"] = "check"
    unique: tuple[Name, ...] = ()
    extra_columns: Literal["ignore", "refuse"] = "ignore"

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
