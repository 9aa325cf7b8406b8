"""The public keys of an issuer: fetched when first needed, kept for an hour, fetched again for a key that is new.

A token with a made-up key id costs the issuer nothing: such fetches are at least half a minute apart. An issuer that is
away for a while changes nothing: keys that are known go on to be used for a day.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from ondol.api.problems import Refused

FRESH_SECONDS = 3600.0
STALE_SECONDS = 86_400.0
APART_SECONDS = 30.0
MAX_BYTES = 1_000_000


class Keys:
    """The keys of one issuer.

    Args:
        issuer: its address, whose OpenID Connect discovery names the address of the keys.
        jwks: that address, if discovery is not to be asked.
    """

    def __init__(self, issuer: str, jwks: str | None = None) -> None:
        self._issuer = issuer
        self._jwks = jwks
        self._keys: dict[str, Any] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = threading.Lock()

    def key(self, kid: str) -> Any:
        """The key of that id (a PyJWK); None if the issuer has none.

        Raises:
            Refused: 503, no keys could be had.
        """
        now = time.monotonic()
        if kid in self._keys and now - self._fetched < FRESH_SECONDS:
            return self._keys[kid]
        with self._lock:
            now = time.monotonic()
            stale = kid not in self._keys or now - self._fetched >= FRESH_SECONDS
            if stale and now - self._tried >= APART_SECONDS:
                self._tried = now
                self._fetch()
            if now - self._fetched >= STALE_SECONDS:
                raise Refused(
                    503,
                    "No keys",
                    f"The keys of {self._issuer} cannot be fetched, so no token of it can be checked.",
                    "Try again after Retry-After seconds; the platform's operator finds the reason in the log.",
                    headers={"Retry-After": str(int(APART_SECONDS))},
                )
            return self._keys.get(kid)

    def _fetch(self) -> None:
        import logging

        import httpx

        try:
            self._keys = self._asked()
            self._fetched = time.monotonic()
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            logging.getLogger(__name__).warning("keys of %s cannot be fetched: %s", self._issuer, error)

    def _asked(self) -> dict[str, Any]:
        import httpx
        import jwt

        with httpx.Client(timeout=5, follow_redirects=False) as client:
            address = self._jwks
            if address is None:
                told = _json(client, self._issuer.rstrip("/") + "/.well-known/openid-configuration")
                if told["issuer"] != self._issuer:
                    raise ValueError(f"its discovery names another issuer, {str(told['issuer'])[:200]}")
                address = _safe(str(told["jwks_uri"]))
            found = _json(client, address)
        keys = {}
        for key in found["keys"]:
            if key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC", "OKP") and "kid" in key:
                try:
                    keys[str(key["kid"])] = jwt.PyJWK(key)
                except jwt.PyJWTError:
                    continue  # a key of a kind that is not known here: the others count
        return keys


def _safe(address: str) -> str:
    from urllib.parse import urlsplit

    from ondol.api.access import is_loopback

    parts = urlsplit(address)
    if parts.scheme == "https" or is_loopback(parts.hostname or ""):
        return address
    raise ValueError(f"its keys are at {address[:200]}, which is not https://")


def _json(client: Any, address: str) -> Any:
    with client.stream("GET", address) as response:
        if response.status_code != 200:
            raise ValueError(f"{address} answers {response.status_code}")
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError(f"{address} answers with more than {MAX_BYTES:,} bytes")
    return json.loads(body)
