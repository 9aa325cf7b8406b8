"""Where this installation keeps its things, from the environment alone.

| variable | meaning | default |
| --- | --- | --- |
| ONDOL_PROFILE | which backends: `local` or `gcp` | local |
| ONDOL_HOME | the folder of lake, warehouse and embedded PostgreSQL | .ondol beside the project |
| ONDOL_TENANTS | the folder of the tenants' YAML | tenants/ of the project |
| ONDOL_DATABASE | PostgreSQL of the ledger, a libpq URI | the embedded server |
| ONDOL_CONVERTER | what converts: `local` (worker processes), `job`, or the URL of a converter's service | local |
| ONDOL_WORKERS | files that convert has in hand at once | one a core |
| ONDOL_ACCESS | of the API: the file of issuers and roles, see docs/api.md | – |
| ONDOL_API_FOLDERS | of the API: folders and gs:// prefixes that a source may name, by spaces | inbox/{tenant} |
| ONDOL_SERVING | PostgreSQL of the marts, a libpq URI | the embedded server |
| ONDOL_LAKE | of `gcp`: the lake, gs://bucket or gs://bucket/prefix | – |
| ONDOL_BIGQUERY | of `gcp`: the warehouse, project/location, such as acme-data/asia-northeast3 | – |
| ONDOL_DATAFORM | of `gcp`: projects/P/locations/L/repositories/R[@branch] runs the models; without it Ondol does | – |
| ONDOL_BIGQUERY_BYTES | of `gcp`: a query that would be billed for more bytes is refused | 100 GB |
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Settings:
    """The installation's own configuration; never holds a tenant's data and never a secret in clear in repr."""

    profile: str
    home: Path
    tenants: Path
    database: str | None
    serving: str | None
    converter: str
    workers: int
    gcs: str | None = None
    bigquery: tuple[str, str] | None = None
    bigquery_bytes: int = 10**11
    access: Path | None = None
    api_folders: tuple[str, ...] = ("inbox/{tenant}",)
    dataform: tuple[str, str] | None = None

    def __repr__(self) -> str:
        """Leaves out the URIs: they may hold passwords."""
        return f"Settings(profile={self.profile!r}, home={str(self.home)!r}, tenants={str(self.tenants)!r})"


def settings() -> Settings:
    """The settings of this process, read anew at each call."""
    env = os.environ.get
    return Settings(
        profile=env("ONDOL_PROFILE") or "local",
        home=Path(env("ONDOL_HOME") or PROJECT / ".ondol").absolute(),
        tenants=Path(env("ONDOL_TENANTS") or PROJECT / "tenants").absolute(),
        database=env("ONDOL_DATABASE") or None,
        serving=env("ONDOL_SERVING") or None,
        converter=_converter(env("ONDOL_CONVERTER")),
        workers=_number("ONDOL_WORKERS", os.cpu_count() or 1),
        gcs=env("ONDOL_LAKE") or None,
        bigquery=_bigquery(env("ONDOL_BIGQUERY")),
        bigquery_bytes=_number("ONDOL_BIGQUERY_BYTES", 10**11),
        access=Path(env("ONDOL_ACCESS") or "").absolute() if env("ONDOL_ACCESS") else None,
        api_folders=tuple(env("ONDOL_API_FOLDERS", "").split()) or ("inbox/{tenant}",),
        dataform=_dataform(env("ONDOL_DATAFORM")),
    )


def _converter(text: str | None) -> str:
    from ondol.errors import FatalError

    if text and text not in ("local", "job") and not text.startswith(("http://", "https://")):
        raise FatalError(f"ONDOL_CONVERTER is {text!r}: give local, job, or the http:// or https:// URL of a service")
    return text or "local"


def _number(variable: str, default: int) -> int:
    from ondol.errors import FatalError

    text = os.environ.get(variable)
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise FatalError(f"{variable} is {text!r}: give a number from 1 on, or leave it out")
    return int(text)


def _bigquery(text: str | None) -> tuple[str, str] | None:
    from ondol.errors import FatalError

    if not text:
        return None
    project, _, location = text.partition("/")
    if not re.fullmatch(r"[a-z0-9.:-]+", project) or not re.fullmatch(r"[A-Za-z0-9-]+", location):
        raise FatalError(f"ONDOL_BIGQUERY is {text!r}: give project/location, such as acme-data/asia-northeast3")
    return project, location


def _dataform(text: str | None) -> tuple[str, str] | None:
    from ondol.errors import FatalError

    if not text:
        return None
    found = re.fullmatch(r"(projects/[^/@]+/locations/[^/@]+/repositories/[^/@]+)(?:@(.+))?", text)
    if not found:
        raise FatalError(f"ONDOL_DATAFORM is {text!r}: give projects/P/locations/L/repositories/R or …/R@branch")
    return found[1], found[2] or "main"
