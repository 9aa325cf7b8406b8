"""The contract of an item: what must hold of each value, and the report of the cells that break it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from converters.errors import ContractBroken
from converters.model import Scalar
from converters.rules import ColumnRule

LISTED = 20
"""How many offending cells the evidence lists; it always says how many there are."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One cell that breaks the contract.

    Args:
        cell: its address; None for a value that no cell holds, such as the file's name.
        column: the canonical column.
        value: as the file has it.
        allowed: what may stand there, as a phrase: "a whole number", "at least 0".
    """

    sheet: str
    cell: str | None
    column: str
    value: str
    allowed: str

    def __str__(self) -> str:
        """매출일보!G6 (amount) is 'x'; allowed is a number."""
        place = f"{self.sheet}!{self.cell}" if self.cell else self.sheet
        return f"{place} ({self.column}) is {self.value or 'empty'}; allowed is {self.allowed}"


def shown(value: Scalar) -> str:
    """A value as an error shows it: a text in quotes, cut to 100 characters; empty for none."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    return f"'{value[:100]}…'" if len(value) > 100 else f"'{value}'"


def offences(rule: ColumnRule, values: Sequence[Scalar]) -> Iterator[tuple[int, str]]:
    """The positions of the values that the rule does not allow, with what it allows; in order of the checks."""
    for allowed, holds in _checks(rule):
        yield from ((position, allowed) for position, value in enumerate(values) if not holds(value))


def refuse(breaches: Sequence[Breach]) -> ContractBroken:
    """The error that names the cells: the first in its reason, the first 20 and the count of all in its evidence."""
    count = len(breaches)
    more = f", and {count - 1} more cells break the contract" if count > 2 else ", and 1 more cell does" * (count - 1)
    return ContractBroken(
        f"{breaches[0]}{more}.",
        "Ask the sender for a corrected file, change the item's tag rule, or release the file if it is right as it is.",
        {"count": count, "cells": [asdict(breach) for breach in breaches[:LISTED]]},
    )


def _checks(rule: ColumnRule) -> Iterator[tuple[str, Callable[[Scalar], bool]]]:
    if rule.required:
        yield "any value but none (required)", lambda value: value is not None
    if rule.allowed is not None:
        words = frozenset(rule.allowed)
        yield f"one of {', '.join(rule.allowed)}", lambda value: value is None or str(value) in words
    if (least := rule.min) is not None:
        yield f"at least {least}", lambda value: value is None or _ordered(value) >= least
    if (most := rule.max) is not None:
        yield f"at most {most}", lambda value: value is None or _ordered(value) <= most
    if rule.pattern is not None:
        fits = re.compile(rule.pattern).fullmatch
        yield f"a text that fits {rule.pattern}", lambda value: value is None or fits(str(value)) is not None


def _ordered(value: Scalar) -> Any:
    """A number or a date, as the rule's type makes it."""
    assert isinstance(value, Decimal | int | float | dt.date)
    return value
