"""A server that is reached by SSH: who it must be, and as whom we come."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from converters.rules import Strict
from ondol.config.fields import Fault, SecretName, Wrong

KEY_TYPES = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
)  # fmt: skip


class SshServer(Strict):
    """An SSH server.

    Args:
        host: its name or address.
        port: its port.
        user: the account there.
        host_keys: its public keys, as `ssh-keyscan -t ed25519 <host>` prints them without the name; another is refused.
        host_cas: public keys of the CAs that sign its host certificate, instead of its own keys or besides them.
        password: the name of the secret that is the account's password.
        key: the name of the secret that is our private key in OpenSSH's or PEM format.
        passphrase: the name of the secret that opens the key, if it is locked.
        certificate: the name of the secret that is the CA's certificate for the key, renewed by whoever signs it.
        ca: the name of the secret that is the private key of the SSH CA: each connection makes a key of its own and
            signs it a certificate of five minutes, and no lasting key exists.
    """

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=22, gt=0, lt=65536)
    user: str = Field(min_length=1, max_length=64)
    host_keys: tuple[str, ...] = ()
    host_cas: tuple[str, ...] = ()
    password: SecretName | None = None
    key: SecretName | None = None
    passphrase: SecretName | None = None
    certificate: SecretName | None = None
    ca: SecretName | None = None

    @field_validator("host_keys", "host_cas")
    @classmethod
    def _are_public_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for number, line in enumerate(value):
            words = line.split()
            if len(words) < 2 or words[0] not in KEY_TYPES or not words[1].startswith("AAAA"):
                raise Wrong(Fault(allowed="a public key such as 'ssh-ed25519 AAAA…'", at=(number,)))
        return value

    @model_validator(mode="after")
    def _knows_and_is_known(self) -> SshServer:
        if not self.host_keys and not self.host_cas:
            raise Wrong(Fault("give 'host_keys' (or 'host_cas'): without, anybody could stand in for the server"))
        ways = [name for name in ("password", "key", "ca") if getattr(self, name)]
        if len(ways) != 1:
            raise Wrong(Fault(f"give one of 'password', 'key' and 'ca', not {' and '.join(ways) or 'none'}"))
        if not self.key and (self.passphrase or self.certificate):
            raise Wrong(Fault("'passphrase' and 'certificate' go with 'key'"))
        return self
