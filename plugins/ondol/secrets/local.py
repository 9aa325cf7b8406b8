"""Secrets of one machine: in the environment, or in files that only their owner can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ondol.errors import FatalError


class LocalSecrets:
    """ONDOL_SECRET_<TENANT>__<NAME> in the environment, else the file <home>/secrets/<tenant>/<name> of mode 600.

    Names have no underscore and so no two underscores in a row: two tenants never share a variable.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "secrets"

    def get(self, tenant: str, name: str) -> str | None:
        """See Secrets."""
        variable, path = _variable(tenant, name), self._path(tenant, name)
        if value := os.environ.get(variable):
            return _one_line(value, variable)
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FatalError(f"the secret {path} cannot be read: {error.strerror}. Make it a file of its own") from None
        mode = os.fstat(file).st_mode
        if not stat.S_ISREG(mode) or mode & 0o077:
            os.close(file)
            raise FatalError(f"the secret {path} may be read by others ({stat.filemode(mode)}): chmod 600 {path}")
        with os.fdopen(file, encoding="utf-8") as stream:
            return _one_line(stream.read(), str(path)) or None

    def how(self, tenant: str, name: str) -> str:
        """See Secrets."""
        return f"set {_variable(tenant, name)}, or write it to {self._path(tenant, name)} with mode 600"

    def _path(self, tenant: str, name: str) -> Path:
        return self._folder / tenant / name


def _variable(tenant: str, name: str) -> str:
    return f"ONDOL_SECRET_{tenant}__{name.replace('-', '_')}".upper()


def _one_line(value: str, where: str) -> str:
    value = value.removesuffix("\n").removesuffix("\r")
    if "\n" in value and not value.startswith("-----BEGIN "):
        raise FatalError(f"the secret {where} has several lines: write one secret, and nothing else, there")
    return value
