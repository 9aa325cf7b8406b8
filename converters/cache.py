"""Results that are kept: the key of each has all in it that could change the result."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from converters import VERSION
from converters.lakes import Lakes
from converters.model import State
from converters.options import DEFAULTS, Options

SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}


def key(sha256: str, name: str, options: Options = DEFAULTS) -> str:
    """The path of one result: "<version>/<sha256>-<16 hex digits of the name and the options>"."""
    return keys(options)(sha256, name)


def keys(options: Options = DEFAULTS) -> Callable[[str, str], str]:
    """`key` for many files: a function of content and name. The passwords, slow to hash, are hashed once.

    The name counts because the sheet of a text file is called after it.
    """
    common = [asdict(options.limits), options.max_rows, options.explain, passwords_hash(options.passwords)]

    def key(sha256: str, name: str) -> str:
        digest = hashlib.sha256(json.dumps([name, *common]).encode()).hexdigest()
        return f"{VERSION}/{sha256}-{digest[:16]}"

    return key


def passwords_hash(passwords: Sequence[str]) -> str:
    """A set of passwords as 32 hex digits that tell none of them; empty for no passwords.

    It is keyed with the environment's CONVERTER_KEY, if there is one, and slow enough (about 50 ms) that a guess costs
    as much as one at the encrypted file itself. Source: RFC 7914 (scrypt).
    """
    if not passwords:
        return ""
    text = json.dumps(sorted(set(passwords))).encode()
    salt = b"ondol converter" + os.environ.get("CONVERTER_KEY", "").encode()
    return hashlib.scrypt(text, salt=salt, dklen=16, **SCRYPT).hex()


def lasting(state: State) -> bool:
    """Whether a result that is kept may be used again.

    A quarantined file is converted anew: it may have been a process that died, a full memory or a slow hour.
    """
    return state != "quarantined"


class Cache:
    """Results below a URI of the lake, a folder or a gs:// prefix, each at its key; the URI's owner deletes old ones.

    Raises:
        LakeError: in all methods, where the lake fails.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri.rstrip("/")
        self._lakes = Lakes([uri])

    def uri(self, key: str, form: str = "") -> str:
        """Where a result is or would be, in the form of storage.py or one of export.FORMS."""
        return f"{self._uri}/{key}.{form}" if form else f"{self._uri}/{key}"

    def fetch(self, key: str, result: Path, form: str = "") -> bool:
        """Copies a result to a file, if it is there and may be used again; a form of it beside that file."""
        from converters.export import form_path
        from converters.storage import summary

        for uri, path in ((self.uri(key), result), (self.uri(key, form), form_path(result, form)))[: 1 + bool(form)]:
            if not self._lakes.exists(uri):
                return False
            with self._lakes.open(uri) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        return lasting(summary(result).state)

    def put(self, key: str, result: Path, form: str = "") -> None:
        """Keeps a result, and beside it a form of it."""
        from converters.export import form_path

        if form:
            self._lakes.put(self.uri(key, form), form_path(result, form))
        self._lakes.put(self.uri(key), result)
