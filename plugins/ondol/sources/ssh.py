"""SSH connections for threads: an event loop of their own, pinned host keys, short-lived certificates, a jump host.

Nothing of the machine's own SSH is used: no ~/.ssh, no agent, no known_hosts. What goes wrong is told by its cause.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ondol.config.sources.ssh import SshServer
from ondol.errors import NotAllowed, SourceDown

if TYPE_CHECKING:
    import asyncssh

log = logging.getLogger(__name__)
SIGNED_SECONDS = 300
"""How long a certificate holds that we sign; it is used at once."""
SKEW_SECONDS = 60
"""How far the server's clock may be behind ours."""

T = TypeVar("T")


class Loop:
    """An event loop in a thread of its own, which other threads give work to."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_leftover)
        self._thread = threading.Thread(target=self._loop.run_forever, name="ssh", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work there, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End it, and whatever is still under way."""
        self.run(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _leftover(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Requests under way when a connection broke fail each for itself; whoever waited for them has told it."""
    log.debug("%s: %s", context.get("message"), context.get("exception"))


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0.01)  # a socket is closed in a later turn of the loop


async def connect(
    server: SshServer,
    secret: Callable[[str], str],
    *,
    keepalive: float,
    timeout: float,
    tunnel: asyncssh.SSHClientConnection | None = None,
    name: str,
) -> asyncssh.SSHClientConnection:
    """A connection to a server, through a tunnel if there is one.

    Args:
        secret: reads a secret by its name.
        keepalive: seconds between signs of life; the connection is lost after three without an answer.
        timeout: seconds for the whole of it.
        name: whose connection it is, for messages.

    Raises:
        NotAllowed: with what to change.
        SourceDown: with what to check.
    """
    import asyncssh

    where = f"{name}: {server.user}@{server.host}:{server.port}"
    seen: list[str] = []

    class Client(asyncssh.SSHClient):
        """Notes the host key that is refused."""

        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            seen.append(f"{key.get_algorithm()} {key.get_fingerprint()}")
            return False

        def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            seen.append(f"a certificate of the CA {key.get_fingerprint()}")
            return False

    with telling(where, seen, tunnel is not None):
        pinned, cas = (
            [asyncssh.import_public_key(line) for line in lines] for lines in (server.host_keys, server.host_cas)
        )
        made, _ = await asyncio.wait_for(
            asyncssh.create_connection(
                Client,
                server.host,
                server.port,
                username=server.user,
                tunnel=tunnel or (),
                config=None,
                agent_path=None,
                gss_host=None,
                known_hosts=(pinned, cas, []),
                keepalive_interval=keepalive,
                keepalive_count_max=2,
                compression_algs=["none"],
                login_timeout=timeout,
                **_credentials(server, secret),
            ),
            timeout,
        )
    return made


def _credentials(server: SshServer, secret: Callable[[str], str]) -> dict[str, Any]:
    """The arguments that say who we are."""
    if server.password:
        return {"password": secret(server.password), "client_keys": None}
    if server.ca:
        return {"client_keys": [_signed(server, _key(secret(server.ca), server.ca))]}
    assert server.key
    passphrase = secret(server.passphrase) if server.passphrase else None
    key = _key(secret(server.key), server.key, passphrase)
    return {"client_keys": [(key, _certificate(server.certificate, secret)) if server.certificate else key]}


def _signed(server: SshServer, ca: asyncssh.SSHKey) -> Any:
    """A new key, and the CA's certificate that it is this user's for some minutes and for nothing but this."""
    import asyncssh

    key, now = asyncssh.generate_private_key("ssh-ed25519"), int(time.time())
    return key, ca.generate_user_certificate(
        key,
        f"ondol {server.user}@{server.host}",
        principals=[server.user],
        valid_after=now - SKEW_SECONDS,
        valid_before=now + SIGNED_SECONDS,
        permit_x11_forwarding=False,
        permit_agent_forwarding=False,
        permit_pty=False,
        permit_user_rc=False,
    )


def _key(text: str, name: str, passphrase: str | None = None) -> asyncssh.SSHKey:
    import asyncssh

    try:
        return asyncssh.import_private_key(text, passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise NotAllowed(f"the secret '{name}' is no private key that can be read: {error}") from None


def _certificate(name: str, secret: Callable[[str], str]) -> asyncssh.SSHCertificate:
    """A certificate that holds now."""
    import asyncssh

    try:
        found = asyncssh.import_certificate(secret(name))
    except asyncssh.KeyImportError as error:
        raise NotAllowed(f"the secret '{name}' is no SSH certificate: {error}") from None
    until = getattr(found, "_valid_before", None)
    if isinstance(until, int) and until < time.time():
        moment = dt.datetime.fromtimestamp(until, dt.UTC)
        raise NotAllowed(
            f"the certificate '{name}' expired at {moment:%Y-%m-%d %H:%M:%S} UTC: have the CA sign a new one"
        )
    return found


@contextmanager
def telling(where: str, seen: list[str] | None = None, tunnelled: bool = False) -> Iterator[None]:
    """Turns what asyncssh raises about a connection into what a stage knows.

    Args:
        where: user@host:port.
        seen: the host keys that were refused.
        tunnelled: whether it goes through a jump host.

    Raises:
        SFTPError: what SFTP itself refuses, on a sound connection, passes.
    """
    import asyncssh

    try:
        yield
    except asyncssh.HostKeyNotVerifiable as error:
        got = f"shows another host key, {seen[0]}" if seen else f"shows no host key that is trusted: {error.reason}"
        raise NotAllowed(
            f"{where} {got}: someone may stand in for it. If its owner confirms the change, put it into 'host_keys'"
        ) from error
    except asyncssh.PermissionDenied as error:
        raise NotAllowed(
            f"{where} does not let us in ({error.reason}): check the user, and that the server knows the key, "
            "its CA or the password"
        ) from error
    except asyncssh.KeyExchangeFailed as error:
        raise NotAllowed(f"{where} and we have no method in common ({error.reason}): update the server") from error
    except asyncssh.ChannelOpenError as error:
        what = "the jump host does not reach it, or may not" if tunnelled else "it refuses a channel"
        raise SourceDown(f"{where}: {what} ({error.reason})") from error
    except asyncssh.SFTPError as error:
        if not isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
            raise
        raise SourceDown(f"{where} has broken off ({error.reason}): is it up, and is the line sound?") from error
    except (OSError, TimeoutError, asyncssh.Error) as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        raise SourceDown(
            f"{where} does not answer ({why}): is it up, and do firewall and VPN let us through?"
        ) from error
