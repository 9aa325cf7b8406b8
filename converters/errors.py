"""The errors of the converter, each with the state that it gives a file.

    ConverterError
    ├── NeedsPassword     encrypted, and no given password opens it
    ├── Unsupported       sound, but of a format that is not read
    ├── Broken            damaged, or not what it says it is
    ├── OverLimit         larger than a limit allows: a bomb, or an honest giant
    │   └── Exhausted     the limit is of a file with all that is nested in it: nothing more of it is read
    ├── Defect            the converter itself failed
    └── ContractBroken    read well, but not what the tag rule of its item promises

`convert` never lets one out: it turns each into a state and a problem of the Conversion.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from converters.model import Problem, State

log = logging.getLogger(__name__)


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


class Exhausted(OverLimit):
    """A file and all that is nested in it cost more together than a limit allows."""


class Defect(ConverterError):
    """The converter itself failed."""

    code = "converter_defect"


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


def failure_of(name: str, error: Exception) -> ConverterError:
    """What an exception of any kind means for the file of that name."""
    if isinstance(error, ConverterError):
        return error
    if isinstance(error, MemoryError):
        return OverLimit(f"{name} needs more memory than it may have.", "Split the file.")
    if isinstance(error, RecursionError):
        return OverLimit(f"{name} is nested too deeply to be read.", "Save it anew in the program that it is from.")
    if isinstance(error, OSError):
        return ConverterError(f"{name}: {error.strerror or error}.", "Check that the file is still there.")
    log.error("converting failed file=%s", name, exc_info=error)
    return Defect(
        f"{name}: the converter failed ({type(error).__name__}: {str(error)[:200]}).",
        "The file itself may be sound: keep it and report it to the maintainers; meanwhile save it anew as xlsx.",
    )
