"""Bearer tokens: OpenID Connect access tokens and Google's ID tokens, each proved by a key of its issuer."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from ondol.api.access import GOOGLE, Access, Issuer, Principal
from ondol.api.keys import Keys
from ondol.api.problems import Refused

MAX_CHARACTERS = 16_384
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]


class Tokens:
    """Proves the tokens of the issuers that are trusted."""

    def __init__(self, access: Access) -> None:
        self._issuers = {issuer.issuer: (issuer, Keys(issuer.issuer, issuer.jwks)) for issuer in access.issuers}

    def caller(self, request: Request) -> Principal:
        """The caller that a request's token names; see `principal`."""
        return self.principal(request.headers.get("authorization"))

    def principal(self, authorization: str | None) -> Principal:
        """The caller that an Authorization header names.

        Raises:
            Refused: 401; or 503, its issuer's keys cannot be had.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthorized("There is no bearer token.", error="")
        issuer, claims = self._verified(token.strip())
        return issuer.principal(claims)

    def _verified(self, token: str) -> tuple[Issuer, dict[str, Any]]:
        import jwt

        if len(token) > MAX_CHARACTERS:
            raise unauthorized("The token is too long.")
        try:
            header = jwt.get_unverified_header(token)
            said = jwt.decode(token, options={"verify_signature": False}).get("iss")
            issuer, keys = self._issuers[GOOGLE if said == "accounts.google.com" else str(said)]
            if header.get("alg") not in issuer.algorithms:
                raise unauthorized("The token's signature is of a kind that is not taken.")
            key = keys.key(str(header.get("kid")))
            if key is None:
                raise unauthorized("The token is signed by a key that its issuer does not have.")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(issuer.algorithms),
                audience=list(issuer.audience),
                leeway=issuer.leeway,
                options={"require": _REQUIRED},
            )
        except (KeyError, TypeError):
            raise unauthorized("The token is of an issuer that is not trusted here.") from None
        except jwt.ExpiredSignatureError:
            raise unauthorized("The token has expired.") from None
        except jwt.InvalidAudienceError:
            raise unauthorized("The token is for another audience.") from None
        except (jwt.PyJWTError, ValueError) as error:
            raise unauthorized(f"The token is not valid ({type(error).__name__}).") from None
        return issuer, claims


def unauthorized(detail: str, error: str = "invalid_token") -> Refused:
    """401, as RFC 6750, section 3, has it."""
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    remedy = "Send 'Authorization: Bearer <token>' with a fresh token of an issuer that is trusted here."
    return Refused(401, "Who are you?", detail, remedy, headers={"WWW-Authenticate": challenge})
