"""Who may do what: the file that ONDOL_ACCESS names, and what its rules make of a token.

    issuers:
      - issuer: https://sso.example.com/realms/ondol
        audience: [ondol-api]
        claim: realm_access.roles          # a list of texts, each such as hanbit:editor
      - issuer: https://accounts.google.com
        audience: [https://ondol.example.com]
        people:                            # Google's ID tokens have no roles
          kim@example.com: ["hanbit:editor"]
          ops@acme-data.iam.gserviceaccount.com: ["*:operator"]

A role is of one tenant: viewer sees, operator also pauses, resumes, tests and collects, editor also changes the YAML.
`*` stands for all tenants. What is not a tenant's is not there: 404.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator

from converters.rules import Strict
from ondol.config.document import read
from ondol.errors import ConfigError, Problem

Role = Literal["viewer", "operator", "editor"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "editor")
GOOGLE = "https://accounts.google.com"
ALL = "*"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller.

    Args:
        who: as the audit names it.
        roles: the role in each tenant; that under `*` is the least in all.
    """

    who: str
    roles: Mapping[str, Role] = field(default_factory=dict)

    def role(self, tenant: str) -> Role | None:
        """The role in a tenant; None if the tenant is not the caller's to know."""
        found = [role for role in (self.roles.get(tenant), self.roles.get(ALL)) if role]
        return max(found, key=ROLES.index, default=None)

    def may(self, tenant: str, role: Role) -> bool:
        """Whether the caller has that role, or one that includes it."""
        mine = self.role(tenant)
        return mine is not None and ROLES.index(mine) >= ROLES.index(role)


class Issuer(Strict):
    """One issuer of tokens that is trusted.

    Args:
        issuer: its address, as `iss` says it.
        audience: what `aud` must name one of.
        algorithms: the signatures that are taken.
        leeway: seconds that clocks may differ by.
        claim: where a token has the roles, dots between the keys: a list of texts or one text.
        role: how such a text says tenant and role.
        people: roles by e-mail address, which the issuer must have verified; beside those of the claim.
        jwks: the address of the keys, where /.well-known/openid-configuration does not tell.
    """

    issuer: str
    audience: tuple[str, ...] = Field(min_length=1)
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"], ...] = ("RS256", "ES256")
    leeway: int = Field(default=30, ge=0, le=300)
    claim: str | None = None
    role: str = "{tenant}:{role}"
    people: dict[str, tuple[str, ...]] = Field(default={})
    jwks: str | None = None

    @field_validator("issuer", "jwks")
    @classmethod
    def _is_secret_on_the_way(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
                raise ValueError("give an https:// address (http:// only on the loopback address)")
        return value

    @field_validator("role")
    @classmethod
    def _names_both(cls, value: str) -> str:
        if value.count("{tenant}") != 1 or value.count("{role}") != 1:
            raise ValueError("give a text with {tenant} and {role} in it")
        return value

    @field_validator("people")
    @classmethod
    def _are_roles(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for person, texts in value.items():
            if len(granted(texts, "{tenant}:{role}")) < len(texts):
                raise ValueError(
                    f"{person}: write each role as tenant:role, with one of {', '.join(ROLES)}, once a tenant"
                )
        return value

    def principal(self, claims: Mapping[str, Any]) -> Principal:
        """The caller that a verified token names."""
        email = str(claims.get("email") or "").lower() if claims.get("email_verified") is True else ""
        roles = granted(_texts(claims, self.claim), self.role) if self.claim else {}
        by_person = {person.lower(): texts for person, texts in self.people.items()}
        for tenant, role in granted(by_person.get(email, ()) if email else (), "{tenant}:{role}").items():
            roles[tenant] = max(role, roles.get(tenant, role), key=ROLES.index)
        return Principal(f"{email or claims['sub']} ({self.issuer})"[:300], roles)


class Access(Strict):
    """The file.

    Args:
        issuers: the issuers of tokens that are trusted.
    """

    issuers: tuple[Issuer, ...] = Field(min_length=1)

    @field_validator("issuers")
    @classmethod
    def _differ(cls, value: tuple[Issuer, ...]) -> tuple[Issuer, ...]:
        if len({issuer.issuer for issuer in value}) < len(value):
            raise ValueError("an issuer is there twice")
        return value


def load_access(path: Path) -> Access:
    """The rules of a file.

    Raises:
        ConfigError: with what is wrong, and where.
    """
    document = read(path)
    try:
        return Access.model_validate(document.data)
    except ValidationError as error:
        from ondol.config.problems import line_of_key

        raise ConfigError(
            problems=[
                Problem(
                    document.file,
                    line_of_key(document, *e["loc"]),
                    ".".join(map(str, e["loc"])),
                    f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}",
                )
                for e in error.errors(include_url=False)
            ]
        ) from None


def granted(texts: Iterable[str], pattern: str) -> dict[str, Role]:
    """The highest role in each tenant that texts grant; a text that is no such role grants nothing."""
    tenant, role = r"(?P<tenant>[a-z][a-z0-9_]{1,39}|\*)", rf"(?P<role>{'|'.join(ROLES)})"
    form = re.escape(pattern).replace(r"\{tenant\}", tenant).replace(r"\{role\}", role)
    roles: dict[str, Role] = {}
    for text in texts:
        if found := re.fullmatch(form, text):
            named: Role = found["role"]  # type: ignore[assignment]
            roles[found["tenant"]] = max(named, roles.get(found["tenant"], named), key=ROLES.index)
    return roles


def _texts(claims: Mapping[str, Any], claim: str) -> list[str]:
    value: Any = claims if claim not in claims else {claim: claims[claim]}
    for key in [claim] if claim in claims else claim.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
