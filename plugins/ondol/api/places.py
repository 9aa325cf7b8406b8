"""Where a tenant's own editors may let files be collected from.

Whoever writes the YAML by hand may name any folder. Through the API a tenant's editor writes it, who must not reach
another tenant's files or this machine's by naming them: a folder lies below one that ONDOL_API_FOLDERS gives it.
"""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from ondol.api.problems import Refused
from ondol.config.edit import Kind
from ondol.config.tenant import Tenant
from ondol.settings import settings


def check_place(tenant: Tenant, kind: Kind, name: str, before: Tenant) -> None:
    """Refuse a source in a folder that is not the tenant's own; one that was there already may stay.

    Raises:
        Refused: 403, with what is allowed.
    """
    if kind != "sources":
        return
    source = next(source for source in tenant.sources if source.id == name)
    known = next((source for source in before.sources if source.id == name), None)
    path = getattr(source, "path", None)
    if source.type != "folder" or path is None or path == getattr(known, "path", None):
        return
    roots = [root.replace("{tenant}", tenant.tenant) for root in settings().api_folders]
    if not any(_is_below(path, root) for root in roots):
        raise Refused(
            403,
            "Not the tenant's folder",
            f"config.path is '{path[:200]}', which is not a folder of {tenant.tenant} that the API may name.",
            f"Name a folder below {' or '.join(roots)}; the platform's operator sets ONDOL_API_FOLDERS.",
        )


def _is_below(path: str, root: str) -> bool:
    parts = PurePosixPath(os.path.normpath(path)).parts
    wanted = PurePosixPath(os.path.normpath(root)).parts
    return parts[: len(wanted)] == wanted and ".." not in parts
