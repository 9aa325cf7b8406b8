"""Where a tenant's own editors may let files be collected from.

Whoever writes the YAML by hand may name any place. Through the API a tenant's editor writes it, who must not reach
another tenant's files or this machine's by naming them: a folder or a bucket lies below one that ONDOL_API_FOLDERS
gives it, and a kind of source that names neither is for the YAML alone.
"""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from ondol.api.problems import Refused
from ondol.config.edit import Kind
from ondol.config.sources.all import Source
from ondol.config.tenant import Tenant
from ondol.settings import settings


def check_place(tenant: Tenant, kind: Kind, name: str, before: Tenant) -> None:
    """Refuse a source in a place that is not the tenant's own; one that was there already may stay.

    Raises:
        Refused: 403, with what is allowed.
    """
    if kind != "sources":
        return
    source = next(source for source in tenant.sources if source.id == name)
    place = _place(source)
    if place and any(source.type == known.type and place == _place(known) for known in before.sources):
        return
    if not place:
        raise Refused(
            403,
            "Not for the API",
            f"Where a source of type {source.type} connects to is for whoever writes the tenant's YAML to say.",
            f"Ask the platform's operator to put it into {tenant.tenant}.yaml.",
        )
    roots = [root.replace("{tenant}", tenant.tenant) for root in settings().api_folders]
    if not any(_is_below(place, root) for root in roots):
        raise Refused(
            403,
            "Not the tenant's place",
            f"'{place[:200]}' of the {source.type} is no place of {tenant.tenant} that the API may name.",
            f"Name a folder or bucket below {' or '.join(roots)}; the platform's operator sets ONDOL_API_FOLDERS.",
        )


def _place(source: Source) -> str:
    """The folder or bucket that it collects from; empty where its kind has none."""
    place: str = getattr(source, "path", "") if source.type == "folder" else getattr(source, "bucket", "")
    return place


def _is_below(path: str, root: str) -> bool:
    parts = PurePosixPath(os.path.normpath(path)).parts
    wanted = PurePosixPath(os.path.normpath(root)).parts
    return parts[: len(wanted)] == wanted and ".." not in parts
