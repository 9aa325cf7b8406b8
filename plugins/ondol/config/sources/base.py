"""What every kind of source says in a tenant's YAML. One module here is one kind, called as its `type` is."""

from __future__ import annotations

from pydantic import Field

from converters.rules import Strict
from ondol.config.fields import Fault, Id, Wrong


class SourceModel(Strict):
    """A place that files come from.

    Args:
        id: the source's name, which match.source and the ledger use.
        max_bytes: a larger file goes to quarantine.
    """

    id: Id
    max_bytes: int = Field(default=200_000_000, gt=0)


def check_inside(value: str) -> str:
    """Refuse a path that leads out of its place."""
    if ".." in value.split("/") or "\0" in value:
        raise Wrong(Fault(allowed="a path without '..'"))
    return value


def check_below(value: str) -> str:
    """Refuse what is no path below a folder."""
    if value.strip("/") in ("", ".") or value.startswith("/"):
        raise Wrong(Fault(allowed="a folder below 'path', such as 'done'"))
    return check_inside(value)


def check_glob(value: str) -> str:
    """Refuse what is no glob below a folder."""
    if value.startswith("/"):
        raise Wrong(Fault(allowed="a glob below the folder, such as '**/*' or '*.xlsx'"))
    return check_inside(value)
