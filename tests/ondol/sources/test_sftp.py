"""What only SSH can do to us, on a real sshd."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ondol.config.sources.sftp import SftpSource
from ondol.errors import NotAllowed, SourceDown
from ondol.interval import Interval
from ondol.secrets.local import LocalSecrets
from ondol.sources.base import Access, Found
from ondol.sources.sftp import SftpConnector
from tests.ondol.sources.sshd import Sshd, keygen
from tests.ondol.sources.test_folder import DAY, SEOUL


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"a")
    os.utime(folder / "a.csv", (1e9, 1e9))
    return folder


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "home/secrets/hanbit"
    folder.mkdir(parents=True)
    return folder


def keep(secrets: Path, name: str, value: str) -> str:
    (secrets / name).write_text(value)
    (secrets / name).chmod(0o600)
    return name


def server(sshd: Sshd, **how: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": sshd.port, "user": sshd.user, "host_keys": [sshd.public("host")], **how}


def connector(drop: Path, at: dict[str, Any], **more: Any) -> SftpConnector:
    source = SftpSource.model_validate({"id": "bank", "type": "sftp", "server": at, "path": str(drop)} | more)
    home = drop.parent / "home"
    return SftpConnector(source, Access("hanbit", home, SEOUL, LocalSecrets(home)))


def listed(connector: SftpConnector, interval: Interval = DAY) -> list[Found]:
    return [found for found in connector.list(interval, "") if isinstance(found, Found)]


def test_a_changed_host_key_is_told_with_the_key_that_came(sshd: Sshd, drop: Path, secrets: Path) -> None:
    at = server(sshd, key=keep(secrets, "client-key", sshd.private("client")), host_keys=[sshd.public("other")])
    with pytest.raises(NotAllowed, match=r"another host key, ssh-ed25519 SHA256:.*'host_keys'"), connector(drop, at):
        pass


def test_a_key_that_the_server_does_not_know_is_told_and_never_shown(sshd: Sshd, drop: Path, secrets: Path) -> None:
    at = server(sshd, key=keep(secrets, "other-key", sshd.private("other")))
    with pytest.raises(NotAllowed, match="does not let us in") as told, connector(drop, at):
        pass
    assert "PRIVATE" not in str(told.value)


def test_a_missing_secret_is_told_with_how_to_put_it_there(sshd: Sshd, drop: Path, secrets: Path) -> None:
    with pytest.raises(NotAllowed, match="ONDOL_SECRET_HANBIT__NO_KEY"), connector(drop, server(sshd, key="no-key")):
        pass


def test_what_is_no_key_is_told_by_the_name_of_its_secret(sshd: Sshd, drop: Path, secrets: Path) -> None:
    at = server(sshd, key=keep(secrets, "bad-key", "hunter2"))
    with pytest.raises(NotAllowed, match="'bad-key' is no private key") as told, connector(drop, at):
        pass
    assert "hunter2" not in str(told.value)


def test_a_certificate_lets_in_until_it_expires(sshd: Sshd, drop: Path, secrets: Path) -> None:
    sshd.keep_out()
    key = keep(secrets, "client-key", sshd.private("client"))

    def certificate(validity: str) -> dict[str, Any]:
        folder = sshd.folder
        keygen("-s", str(folder / "ca"), "-I", "id", "-n", sshd.user, "-V", validity, str(folder / "client.pub"))
        return server(sshd, key=key, certificate=keep(secrets, "client-cert", (folder / "client-cert.pub").read_text()))

    with connector(drop, certificate("-1m:+1h")) as good:
        assert [f.name for f in listed(good)] == ["a.csv"]
    with pytest.raises(NotAllowed, match=r"certificate 'client-cert' expired at .* UTC"):
        connector(drop, certificate("-2h:-1h")).__enter__()


def test_the_key_of_a_ca_makes_a_certificate_for_each_connection(sshd: Sshd, drop: Path, secrets: Path) -> None:
    sshd.keep_out()
    with connector(drop, server(sshd, ca=keep(secrets, "ca-key", sshd.private("ca")))) as good:
        assert [f.name for f in listed(good)] == ["a.csv"]
    with pytest.raises(NotAllowed, match="does not let us in"):
        connector(drop, server(sshd, ca=keep(secrets, "ca-key", sshd.private("other")))).__enter__()


def test_a_jump_host_is_passed_and_one_that_does_not_reach_the_server_is_told(
    sshd: Sshd, drop: Path, secrets: Path, tmp_path: Path
) -> None:
    jump = Sshd(tmp_path / "jump", only_port=sshd.port)
    keys = keep(secrets, "client-key", sshd.private("client")), keep(secrets, "jump-key", jump.private("client"))
    through = server(jump, key=keys[1])
    try:
        with connector(drop, server(sshd, key=keys[0]), jump=through) as good:
            assert [f.name for f in listed(good)] == ["a.csv"]
        sshd.port += 1
        with pytest.raises(SourceDown, match="the jump host does not reach it, or may not"):
            connector(drop, server(sshd, key=keys[0]), jump=through).__enter__()
    finally:
        sshd.port -= 1
        jump.stop()


def test_a_transfer_that_breaks_goes_on_where_it_was(sshd: Sshd, drop: Path, secrets: Path) -> None:
    body = os.urandom(20_000_000)
    (drop / "big.bin").write_bytes(body)
    at = server(sshd, key=keep(secrets, "client-key", sshd.private("client")))
    with connector(drop, at, pattern="big.bin", settle_seconds=0) as good:
        [found] = listed(good)
        read = hashlib.sha256()
        with good.open(found) as stream:
            for number in range(100):
                if number in (3, 11):
                    sshd.cut()
                read.update(piece := stream.read(1_000_000))
                if not piece:
                    break
    assert read.digest() == hashlib.sha256(body).digest()


def test_a_frozen_peer_is_noticed_within_seconds(sshd: Sshd, drop: Path, secrets: Path) -> None:
    (drop / "big.bin").write_bytes(bytes(50_000_000))
    at = server(sshd, key=keep(secrets, "client-key", sshd.private("client")))
    with connector(drop, at, pattern="big.bin", settle_seconds=0, keepalive_seconds=0.5, timeout_seconds=2) as good:
        [found] = listed(good)
        with good.open(found) as stream:
            stream.read(1_000_000)
            sshd.signal(signal.SIGSTOP)
            began = time.monotonic()
            with pytest.raises(SourceDown, match="source 'bank'"):
                stream.read(49_000_000)
            assert time.monotonic() - began < 10
            sshd.signal(signal.SIGCONT)


def test_a_missing_folder_asks_for_the_path(sshd: Sshd, drop: Path, secrets: Path) -> None:
    at = server(sshd, key=keep(secrets, "client-key", sshd.private("client")))
    with connector(drop, at, path="nothing") as good, pytest.raises(SourceDown, match="is 'path' right"):
        listed(good)


def test_a_link_is_the_file_that_it_leads_to_and_one_to_nothing_is_refused(
    sshd: Sshd, drop: Path, secrets: Path
) -> None:
    from ondol.sources.base import Gone

    (drop / "b.csv").symlink_to(drop / "a.csv")
    (drop / "c.csv").symlink_to(drop / "nothing")
    at = server(sshd, key=keep(secrets, "client-key", sshd.private("client")))
    with connector(drop, at) as good:
        _, link, broken = listed(good)
        with good.open(link) as stream:
            assert stream.read() == b"a"
        with pytest.raises(Gone), good.open(broken):
            pass


def test_nothing_is_left_running_when_it_is_closed(sshd: Sshd, drop: Path, secrets: Path) -> None:
    before = threading.active_count()
    at = server(sshd, key=keep(secrets, "client-key", sshd.private("client")))
    with connector(drop, at) as good:
        listed(good)
    with pytest.raises(NotAllowed):
        connector(drop, server(sshd, key="no-key")).__enter__()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"host_keys": []}, "anybody could stand in"),
        ({"host_keys": ["not a key"]}, "a public key such as"),
        ({"password": "pass-word"}, "not password and key"),
        ({"key": None}, "not none"),
        ({"key": None, "password": "pw", "certificate": "c"}, "go with 'key'"),
    ],
)
def test_a_server_that_cannot_be_trusted_or_entered_is_refused_early(wrong: dict[str, Any], told: str) -> None:
    at = {"host": "h", "user": "u", "key": "k", "host_keys": ["ssh-ed25519 AAAA"], **wrong}
    with pytest.raises(ValidationError, match=told):
        SftpSource.model_validate({"id": "bank", "type": "sftp", "server": at})
