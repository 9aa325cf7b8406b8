"""The errors of the converter, each with the state that it gives a file.

    ConverterError
    ├── NeedsPassword     encrypted, and no given password opens it
    ├── Unsupported       sound, but of a format that is not read
    ├── Broken            damaged, or not what it says it is
    ├── OverLimit         larger than a limit allows: a bomb, or an honest giant
    └── ContractBroken    read well, but not what the tag rule of its item promises

`convert` never lets one out: it turns each into a state and a problem of the Conversion.
"""

from __future__ import annotations

from typing import ClassVar

from converters.model import Problem, State


class ConverterError(Exception):
    """A file that gives no tables.

    Args:
        message: where, what was got, what is allowed.
        remedy: what the operator or the sender can do.
        where: the sheet or the place in the file, if it is known.
    """

    state: ClassVar[State] = "quarantined"
    code: ClassVar[str] = "unreadable"

    def __init__(self, message: str, remedy: str, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.where = where

    def problem(self) -> Problem:
        """The same as data."""
        return Problem(self.code, self.message, self.remedy, self.where)


class NeedsPassword(ConverterError):
    """The content is encrypted."""

    state = "needs_password"
    code = "needs_password"


class Unsupported(ConverterError):
    """The content is of a format that has no reader."""

    state = "unsupported"
    code = "unsupported_format"


class Broken(ConverterError):
    """The content is damaged, empty, or not what it says it is."""

    code = "broken_file"


class OverLimit(ConverterError):
    """The content is larger than a limit allows."""

    code = "over_limit"


class ContractBroken(ConverterError):
    """The tables of a file do not keep what the tag rule of its item promises.

    Args:
        reason: one line for a person: what is wrong, where.
        remedy: what the operator or the sender can do.
        evidence: JSON-ready details, such as the offending cells.
    """

    code = "contract_broken"

    def __init__(self, reason: str, remedy: str, evidence: dict[str, object] | None = None) -> None:
        super().__init__(reason, remedy)
        self.reason = reason
        self.evidence = evidence or {}
