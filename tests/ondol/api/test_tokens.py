"""Tokens of a real log-in (keycloak-mockup), and forged ones of an issuer that this test is itself."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi.testclient import TestClient
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from ondol.api import keys
from ondol.api.access import Access, Issuer, load_access
from ondol.api.app import create_app
from ondol.api.collecting import InService
from ondol.api.problems import Refused
from ondol.api.tokens import Tokens
from ondol.errors import ConfigError
from tests.emulators import keycloak
from tests.emulators.environment import Unavailable, free_port


class OwnIssuer:
    """Discovery and keys over HTTP, and tokens as one likes them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.rsa = {"a": rsa.generate_private_key(65537, 2048)}
        self.ec = ec.generate_private_key(ec.SECP256R1())
        own = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                own.asked.append(self.path)
                body = json.dumps(own.told() if "openid" in self.path else {"keys": own.keys()}).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self) -> dict[str, Any]:
        return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}

    def keys(self) -> list[dict[str, Any]]:
        found = [{**json.loads(RSAAlgorithm.to_jwk(k.public_key())), "kid": n} for n, k in self.rsa.items()]
        return [*found, {**json.loads(ECAlgorithm.to_jwk(self.ec.public_key())), "kid": "ec"}]

    def token(self, key: Any = None, kid: str = "a", algorithm: str = "RS256", **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": self.url, "aud": "api", "sub": "kim", "iat": now, "exp": now + 60} | claims
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, key or self.rsa["a"], algorithm, {"kid": kid})


@pytest.fixture
def issuer() -> Iterator[OwnIssuer]:
    own = OwnIssuer()
    yield own
    own.server.shutdown()
    own.server.server_close()


@pytest.fixture
def tokens(issuer: OwnIssuer) -> Tokens:
    return Tokens(Access(issuers=(Issuer(issuer=issuer.url, audience=("api",), claim="roles", leeway=5),)))


def refusal(tokens: Tokens, token: str) -> str:
    with pytest.raises(Refused) as refused:
        tokens.principal(f"Bearer {token}")
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    return refused.value.detail


def test_who_logs_in_at_keycloak_has_the_roles_that_it_gives(tenants: Path, tmp_path: Path) -> None:
    try:
        with keycloak.serve(tmp_path, {"kim": ["hanbit:editor", "offline_access"], "lee": ["*:viewer"]}) as realm:
            access = Access(issuers=(Issuer(issuer=realm.issuer, audience=(keycloak.CLIENT,),
                                            claim="realm_access.roles"),))  # fmt: skip
            with TestClient(create_app(Tokens(access).caller, InService())) as client:
                kim, lee = ({"Authorization": f"Bearer {realm.token(name)}"} for name in ("kim", "lee"))
                assert [t["tenant"] for t in client.get("/v1/tenants", headers=kim).json()["results"]] == ["hanbit"]
                assert len(client.get("/v1/tenants", headers=lee).json()["results"]) == 2
                assert client.get("/v1/tenants/saeum/items", headers=kim).status_code == 404
                assert client.post("/v1/tenants/hanbit/sources/share/pause", headers=lee).status_code == 403
                nobody = client.get("/v1/tenants")
                assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
                assert nobody.headers["content-type"] == "application/problem+json"
    except Unavailable as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))


def test_a_key_that_keycloak_rotates_in_is_fetched_when_it_is_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "APART_SECONDS", 0.0)
    port = free_port()
    try:
        with keycloak.serve(tmp_path, {"kim": ["hanbit:editor"]}, port) as realm:
            tokens = Tokens(Access(issuers=(Issuer(issuer=realm.issuer, audience=(keycloak.CLIENT,),
                                                   claim="realm_access.roles"),)))  # fmt: skip
            old = realm.token("kim")
            assert tokens.principal(f"Bearer {old}").role("hanbit") == "editor"
        assert tokens.principal(f"Bearer {old}").role("hanbit") == "editor", "an issuer that is away changes nothing"
        with keycloak.serve(tmp_path, {"kim": ["hanbit:viewer"]}, port) as realm:
            assert tokens.principal(f"Bearer {realm.token('kim')}").role("hanbit") == "viewer"
            assert "does not have" in refusal(tokens, old)
    except Unavailable as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))


def test_a_sound_token_is_taken_whichever_of_the_allowed_signatures_it_has(tokens: Tokens, issuer: OwnIssuer) -> None:
    for token in (issuer.token(roles=["hanbit:viewer"]), issuer.token(issuer.ec, "ec", "ES256", roles="hanbit:viewer")):
        assert dict(tokens.principal(f"bearer {token}").roles) == {"hanbit": "viewer"}


def test_each_way_to_forge_or_misuse_a_token_is_refused(tokens: Tokens, issuer: OwnIssuer) -> None:
    now = int(time.time())
    other = rsa.generate_private_key(65537, 2048)
    public = issuer.keys()[0]
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()  # noqa: E731
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    unsigned = f"{part({'alg': 'none', 'kid': 'a'})}.{part(claims)}."
    by_public_key = jwt.encode(claims, str(public["n"]), "HS256", {"kid": "a"})
    assert "expired" in refusal(tokens, issuer.token(exp=now - 6))
    assert "audience" in refusal(tokens, issuer.token(aud="another"))
    assert "not trusted" in refusal(tokens, issuer.token(iss="https://evil.example.com"))
    assert "not trusted" in refusal(tokens, issuer.token(iss=None))
    assert "not valid" in refusal(tokens, issuer.token(other))
    assert "not valid" in refusal(tokens, issuer.token(nbf=now + 60))
    assert "not valid" in refusal(tokens, issuer.token(exp=None))
    assert "not valid" in refusal(tokens, issuer.token(sub=None))
    assert "not valid" in refusal(tokens, issuer.token(issuer.rsa["a"], "ec"))
    assert "kind" in refusal(tokens, unsigned)
    assert "kind" in refusal(tokens, by_public_key)
    assert "kind" in refusal(tokens, issuer.token(algorithm="RS512"))
    assert "too long" in refusal(tokens, "a" * 20_000)
    for odd in ("x", "a.b.c", "....", "\u00e4.\u00e4.\u00e4"):
        assert "not valid" in refusal(tokens, odd)


def test_clocks_may_differ_by_the_leeway(tokens: Tokens, issuer: OwnIssuer) -> None:
    now = int(time.time())
    tokens.principal(f"Bearer {issuer.token(exp=now - 2, nbf=now + 3)}")


def test_made_up_key_ids_cost_the_issuer_one_request_in_half_a_minute(tokens: Tokens, issuer: OwnIssuer) -> None:
    for number in range(20):
        assert "does not have" in refusal(tokens, issuer.token(kid=f"made-up-{number}"))
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


def test_discovery_that_names_another_issuer_is_not_believed(tokens: Tokens, issuer: OwnIssuer) -> None:
    issuer.told = lambda: {"issuer": "https://other", "jwks_uri": f"{issuer.url}/keys"}  # type: ignore[method-assign]
    with pytest.raises(Refused) as refused:
        tokens.principal(f"Bearer {issuer.token()}")
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "30"})


def test_googles_id_tokens_have_the_roles_of_a_verified_address(issuer: OwnIssuer) -> None:
    google = Issuer(issuer="https://accounts.google.com", audience=("https://ondol.example.com",),
                    people={"Kim@example.com": ("hanbit:editor",)}, jwks=f"{issuer.url}/keys")  # fmt: skip
    tokens = Tokens(Access(issuers=(google,)))
    said = {"aud": "https://ondol.example.com", "email": "kim@example.com", "email_verified": True}
    for name in ("https://accounts.google.com", "accounts.google.com"):
        caller = tokens.principal(f"Bearer {issuer.token(iss=name, **said)}")
        assert dict(caller.roles) == {"hanbit": "editor"}
        assert caller.who.startswith("kim@example.com (")
    unverified = tokens.principal(f"Bearer {issuer.token(iss=google.issuer, **said | {'email_verified': 'true'})}")
    assert dict(unverified.roles) == {}


def test_the_access_file_is_checked_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "access.yaml"
    path.write_text("issuers:\n  - issuer: http://sso.example.com\n    audience: [a]\n    leway: 3\n"
                    "    people: {kim@example.com: [hanbit:admin]}\n")  # fmt: skip
    with pytest.raises(ConfigError) as error:
        load_access(path)
    said = str(error.value)
    assert ":2: issuers.0.issuer: give an https:// address" in said
    assert ":4: issuers.0.leway" in said
    assert ":5: issuers.0.people: kim@example.com: write each role as tenant:role" in said


def test_a_role_is_read_as_the_settings_say(issuer: OwnIssuer) -> None:
    own = Issuer(issuer=issuer.url, audience=("api",), claim="https://ondol/roles", role="ondol_{tenant}_{role}")
    claims = {"sub": "kim", "https://ondol/roles": ["ondol_hanbit_operator", "ondol_hanbit_viewer", "ondol_x", 3]}
    assert dict(own.principal(claims).roles) == {"hanbit": "operator"}
