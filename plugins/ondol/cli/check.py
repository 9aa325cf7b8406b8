"""`ondol check`: every problem of every tenant's YAML, before Airflow sees it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ondol.cli.output import AsJson, emit, say

if TYPE_CHECKING:
    from ondol.config.loader import Loaded
    from ondol.config.tenant import Tenant
    from ondol.errors import Problem


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders; the tenants' folder if none.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check tenants' YAML.

    Each problem comes with its file, line, field, what is allowed and the nearest right word.

    Exit code 0 if all are right, 1 if one is not.
    """
    from dataclasses import asdict

    from ondol.settings import settings

    loaded = [entry for path in paths or [settings().tenants] for entry in _load(path)]
    problems = [problem for entry in loaded for problem in _problems(entry)]
    broken = len({p.file for p in problems})
    if as_json:
        emit({"ok": not problems, "tenants": [e.id for e in loaded], "problems": [asdict(p) for p in problems]})
    else:
        for problem in problems:
            say(str(problem))
        if not loaded:
            say("there is no tenant yet: 'ondol tenant new NAME --from FILE…' writes the first")
        else:
            say(f"{len(loaded)} tenant{'s' * (len(loaded) != 1)}, {f'{broken} broken' if broken else 'all right'}")
    raise typer.Exit(1 if problems else 0)


def _load(path: Path) -> list[Loaded]:
    from ondol.config.loader import Loaded, load_all, load_tenant
    from ondol.errors import ConfigError, Problem
    from ondol.settings import settings

    if path.is_dir():
        return load_all(path)
    if not path.exists() and not path.suffix and path.name == str(path):
        path = settings().tenants / f"{path}.yaml"
    try:
        if not path.exists():
            raise ConfigError(
                problems=[Problem(str(path), 1, "", "it cannot be read: there is no such file or folder")]
            )
        return [Loaded(path, load_tenant(path))]
    except ConfigError as error:
        return [Loaded(path, error=error)]


def _problems(entry: Loaded) -> list[Problem]:
    """What is wrong in the file, or, if nothing is, between it and the Dataform project beside it."""
    if entry.error:
        return list(entry.error.problems)
    definitions = entry.path.parent / "dataform" / "definitions"
    if not entry.tenant or not entry.tenant.transform or not definitions.is_dir():
        return []
    from ondol.config.document import read
    from ondol.config.names import nearest
    from ondol.config.problems import line_of_key
    from ondol.errors import Problem

    models, there = entry.tenant.transform.models, sorted(p.name for p in definitions.iterdir() if p.is_dir())
    document = read(entry.path)
    line, field = line_of_key(document, "transform", "models"), "transform.models"
    if models in there:
        return [Problem(document.file, line, field, message, models) for message in _models(entry.tenant, definitions)]
    allowed = f"a folder of {definitions.name}: {', '.join(there)}"
    return [Problem(document.file, line, field, f"{field} is {models!r}", models, allowed, nearest(models, there))]


def _models(tenant: Tenant, definitions: Path) -> list[str]:
    """What is wrong with the tenant's models: they are compiled, and run on empty tables."""
    from ondol.errors import FatalError
    from ondol.settings import settings
    from ondol.stages.transform import schemas
    from ondol.warehouse.dataform.run import check_project

    assert tenant.transform
    marts = [sync.table for sync in tenant.sync]
    cache = settings().home / "dataform"
    try:
        return check_project(definitions.parent, tenant.transform, tenant.tenant, schemas(tenant), cache, marts)
    except FatalError as error:
        return [str(error)]
