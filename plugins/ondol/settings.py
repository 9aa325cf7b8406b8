"""Where this installation keeps its things, from the environment alone.

| variable | meaning | default |
| --- | --- | --- |
| ONDOL_PROFILE | which backends: `local` | local |
| ONDOL_HOME | the folder of lake, warehouse and embedded PostgreSQL | .ondol beside the project |
| ONDOL_TENANTS | the folder of the tenants' YAML | tenants/ of the project |
| ONDOL_DATABASE | PostgreSQL of the ledger, a libpq URI | the embedded server |
| ONDOL_CONVERTER | what converts: `local` (worker processes), `job`, or the URL of a converter's service | local |
| ONDOL_WORKERS | files that convert has in hand at once | one a core |
| ONDOL_SERVING | PostgreSQL of the marts, a libpq URI | the embedded server |
"""

from __future__ import annotations

import os
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
        workers=_workers(env("ONDOL_WORKERS")),
    )


def _converter(text: str | None) -> str:
    from ondol.errors import FatalError

    if text and text not in ("local", "job") and not text.startswith(("http://", "https://")):
        raise FatalError(f"ONDOL_CONVERTER is {text!r}: give local, job, or the http:// or https:// URL of a service")
    return text or "local"


def _workers(text: str | None) -> int:
    from ondol.errors import FatalError

    if not text:
        return os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise FatalError(f"ONDOL_WORKERS is {text!r}: give a number from 1 on, or leave it out")
    return int(text)
