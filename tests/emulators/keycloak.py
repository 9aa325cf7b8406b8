"""keycloak-mockup on a free port of this machine: discovery, keys, log-in with a code. It needs Python 3.13.

The lock is written by

    uv pip compile --universal --generate-hashes --no-emit-index-url -p 3.13 keycloak.in -o keycloak.txt
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.emulators.environment import free_port, install, wait

REALM, CLIENT, PASSWORD = "ondol", "ondol-api", "on-dol"


@dataclass(frozen=True, slots=True)
class Keycloak:
    """A running realm."""

    port: int

    @property
    def issuer(self) -> str:
        """As its tokens say it."""
        return f"http://127.0.0.1:{self.port}/realms/{REALM}"

    def token(self, user: str) -> str:
        """The access token of a user who logs in as a browser does: form, code, token."""
        back = "http://127.0.0.1/back"
        oidc = f"{self.issuer}/protocol/openid-connect"
        form = {"username": user, "password": PASSWORD, "redirect_uri": back, "client_id": CLIENT, "scope": "openid"}
        sent = httpx.post(f"{oidc}/auth", data=form)
        code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "client_id": CLIENT}
        token: str = httpx.post(f"{oidc}/token", data=grant).raise_for_status().json()["access_token"]
        return token


@contextmanager
def serve(folder: Path, roles: Mapping[str, list[str]], port: int = 0) -> Iterator[Keycloak]:
    """Start a realm with a new key, wait until it answers, and end it.

    Args:
        roles: the realm roles of each user; the name is also the e-mail address before @example.com.

    Raises:
        Unavailable: there is no Python 3.13, or a package cannot be had.
    """
    home = install("keycloak")
    keycloak = Keycloak(port or free_port())
    users = [
        {"username": name, "password": PASSWORD, "email": f"{name}@example.com", "realm_roles": list(given)}
        for name, given in roles.items()
    ]
    configuration = folder / "keycloak.json"
    base = f"http://127.0.0.1:{keycloak.port}"
    configuration.write_text(json.dumps({"realm": REALM, "client_id": CLIENT, "base_url": base, "users": users}))
    command = [str(home / "venv/bin/keycloak-mockup"), "--config", str(configuration), "--host", "127.0.0.1"]
    log = folder / "keycloak.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "--port", str(keycloak.port)], stdout=output, stderr=output)
    try:
        wait(keycloak.port, process, log)
        yield keycloak
    finally:
        process.terminate()
        process.wait(10)
