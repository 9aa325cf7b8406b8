"""Tenants from their files: one, or a whole folder of which no file can harm another."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from converters.model import CONVERTER_VERSION
from ondol.config.document import read, shown
from ondol.config.names import identifier
from ondol.config.tenant import Item, Tenant
from ondol.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file of the tenants' folder: its tenant, or why there is none."""

    path: Path
    tenant: Tenant | None = None
    error: ConfigError | None = None

    @property
    def id(self) -> str:
        """The tenant's id; of a broken file, a valid id made of its name."""
        return self.tenant.tenant if self.tenant else identifier(self.path.stem) or "unnamed"


def load_tenant(path: Path, body: bytes | None = None) -> Tenant:
    """The tenant of one file.

    Args:
        body: what the file is about to hold, instead of what it holds.

    Raises:
        ConfigError: with every problem of the file: its line, field and value, what is allowed, the nearest word.
    """
    file = shown(path)
    if path.suffix != ".yaml":
        message = f"the file's name ends in {path.suffix!r}: call it {path.stem}.yaml"
        raise ConfigError(problems=[Problem(file, 1, "", message)])
    document = read(path, body)
    try:
        tenant = Tenant.model_validate(document.data, by_alias=True, by_name=False)
    except ValidationError as error:
        from ondol.config.problems import explain

        raise ConfigError(problems=explain(error, document)) from None
    if tenant.tenant != path.stem:
        from ondol.config.problems import line_of_key

        message = f"tenant is {tenant.tenant!r}, but the file is called {path.name!r}: both must be the same"
        line = line_of_key(document, "tenant")
        raise ConfigError(problems=[Problem(file, line, "tenant", message, tenant.tenant, hint=path.stem)])
    return tenant


def load_all(folder: Path) -> list[Loaded]:
    """Every tenant of a folder, sorted by file name; a broken file is an entry with its error, never an exception.

    Files that begin with _ or . are not tenants' files.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml") and not p.name.startswith(("_", ".")))
    names = Counter(p.stem.casefold() for p in paths)
    return [_loaded(path, names[path.stem.casefold()] > 1) for path in paths]


def _loaded(path: Path, doubled: bool) -> Loaded:
    try:
        if doubled:
            message = (
                f"tenant {path.stem.casefold()!r} has another file, in other capitals or with another ending: keep one"
            )
            raise ConfigError(problems=[Problem(shown(path), 1, "tenant", message)])
        return Loaded(path, load_tenant(path))
    except ConfigError as error:
        return Loaded(path, error=error)


def find_tenant(folder: Path, tenant: str) -> Tenant:
    """The tenant of that id in a folder.

    Raises:
        ConfigError: there is none, with the nearest that there is; or its file is wrong.
    """
    return load_tenant(tenant_path(folder, tenant))


def tenant_path(folder: Path, tenant: str) -> Path:
    """The file of that tenant in a folder, right or wrong; ConfigError with the nearest one if there is none."""
    from ondol.config.names import nearest

    there = sorted(p.stem for p in folder.glob("[!_.]*.yaml"))
    if tenant in there:
        return folder / f"{tenant}.yaml"
    near = nearest(tenant[:80], there)
    hint = f" Did you mean {near!r}?" if near else ""
    known = ", ".join(there[:20]) or "none yet: 'ondol tenant new' writes one"
    raise ConfigError(f"there is no tenant {tenant[:80]!r} in {shown(folder)}. There is: {known}.{hint}")


def config_hash(tenant: Tenant) -> str:
    """12 hex digits that change whenever something in the resolved configuration does, defaults included."""
    return _hash(tenant.model_dump(mode="json"))


def rules_hash(item: Item) -> str:
    """12 hex digits of all that decides what a file of this item becomes: recognition, rules, table, the converter."""
    rules = item.model_dump(mode="json", include={"id", "match", "period", "grain", "table", "tag"})
    if item.load.mode != "replace":
        rules["load"] = item.load.shape
    return _hash({**rules, "converter": CONVERTER_VERSION})


def _hash(value: object) -> str:
    body = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()[:12]
