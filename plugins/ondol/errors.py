"""The errors that Ondol raises; each message says where, what was got, what is allowed, and the remedy.

    OndolError
    ├── FatalError        do not retry: the configuration, the code or the caller must change
    │   ├── ConfigError   a tenant's YAML: file, line, field, value, what is allowed, the nearest right word
    │   └── NotAllowed    a source refuses us (credential, permission), or is not the one it was (host key)
    ├── RetriableError    may work later: a database that restarts
    │   └── SourceDown    a source does not answer, or is not there
    └── Rejected          this file, table or row only: it goes to quarantine and the others go on

The CLI prints the message alone (exit 1); an operator turns FatalError into Airflow's "fail without retry".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class OndolError(Exception):
    """The root of all errors that Ondol itself raises."""


class FatalError(OndolError):
    """Trying again cannot help."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a tenant's YAML; `str()` is its one line.

    Args:
        file / line: where; line 1 if it is about the file as a whole.
        field: which key ("items[2].due"); empty for the file as a whole.
        message: what is wrong, with what was got.
        got: the value as written, cut to a readable length.
        allowed: what would be right, in words.
        hint: the nearest right word.
    """

    file: str
    line: int
    field: str
    message: str
    got: str | None = None
    allowed: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        """As in: tenants/hanbit.yaml:14: items[2].due is '1 dya'. Allowed: a whole number and ….

        Then the hint, if there is one: Did you mean '1 day'?
        """
        allowed = f" Allowed: {self.allowed}." if self.allowed else ""
        hint = f" Did you mean {self.hint!r}?" if self.hint else ""
        return f"{self.file}:{self.line}: {self.message.rstrip('.')}.{allowed}{hint}"


class ConfigError(FatalError):
    """A tenant's YAML is wrong: the message has one line for each of its problems."""

    def __init__(self, message: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message or "\n".join(map(str, problems)))
        self.problems = tuple(problems)


class NotAllowed(FatalError):
    """A source refuses us, or is not what it was; the message says what to change."""


class RetriableError(OndolError):
    """Trying again later may help."""


class SourceDown(RetriableError):
    """A source does not answer, or is not there; the message says what to check."""


class Rejected(OndolError):
    """One file, table or row is refused.

    Args:
        reason: one line for a person: what is wrong, where.
        remedy: what the operator or the customer can do about it.
        evidence: JSON-ready details, such as the offending cells.
    """

    def __init__(self, reason: str, remedy: str, evidence: dict[str, object] | None = None) -> None:
        super().__init__(f"{reason} Remedy: {remedy}")
        self.reason = reason
        self.remedy = remedy
        self.evidence = evidence or {}
