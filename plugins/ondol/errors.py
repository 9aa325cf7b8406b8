"""The errors that Ondol raises; each message says where, what was got, what is allowed, and the remedy.

    OndolError
    ├── FatalError        do not retry: the configuration, the code or the caller must change
    │   └── ConfigError   a tenant's YAML: file, line, field, value, what is allowed, the nearest right word
    ├── RetriableError    may work later: a source that is down, a database that restarts
    └── Rejected          this file, table or row only: it goes to quarantine and the others go on

The CLI prints the message alone (exit 1); an operator turns FatalError into Airflow's "fail without retry".
"""

from __future__ import annotations


class OndolError(Exception):
    """The root of all errors that Ondol itself raises."""


class FatalError(OndolError):
    """Trying again cannot help."""


class ConfigError(FatalError):
    """A tenant's YAML is wrong."""


class RetriableError(OndolError):
    """Trying again later may help."""


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
