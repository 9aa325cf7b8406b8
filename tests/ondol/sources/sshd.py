"""A real OpenSSH server on loopback: keys, certificates, SFTP and tunnels."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

SERVER = shutil.which("sshd", path=f"/usr/sbin:/usr/local/sbin:{os.environ.get('PATH', '')}")


class Sshd:
    """A server with its folder of keys: client, other, ca and the host's own, each with its .pub."""

    def __init__(self, folder: Path, *, only_port: int | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in ("host", "client", "other", "ca"):
            keygen("-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.user = getpass.getuser()
        self.let_in()
        (folder / "principals").write_text(f"{self.user}\n")
        self.options = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": folder / "host",
            "PidFile": folder / "pid",
            "UsePAM": "no",
            "StrictModes": "no",
            "PermitRootLogin": "yes",
            "PasswordAuthentication": "no",
            "AuthorizedKeysFile": folder / "authorized",
            "TrustedUserCAKeys": folder / "ca.pub",
            "AuthorizedPrincipalsFile": folder / "principals",
            "AllowTcpForwarding": "yes" if only_port else "no",
            "PermitOpen": f"127.0.0.1:{only_port}" if only_port else "none",
            "Subsystem": "sftp internal-sftp",
        }
        self.start()

    def public(self, name: str) -> str:
        """A public key without its comment."""
        return " ".join((self.folder / f"{name}.pub").read_text().split()[:2])

    def private(self, name: str) -> str:
        return (self.folder / name).read_text()

    def let_in(self, *names: str) -> None:
        """Know these keys, or the client's, and no others."""
        keys = "\n".join(self.public(name) for name in names or ("client",))
        (self.folder / "authorized").write_text(keys + "\n")

    def keep_out(self) -> None:
        (self.folder / "authorized").write_text("")

    def start(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        (self.folder / "config").write_text("".join(f"{k} {v}\n" for k, v in self.options.items()))
        assert SERVER
        command = [SERVER, "-D", "-f", str(self.folder / "config"), "-E", str(self.folder / "log")]
        self.process = subprocess.Popen(command, start_new_session=True)
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """End it with all its sessions."""
        self.signal(signal.SIGKILL)
        self.process.wait(10)

    def signal(self, number: int) -> None:
        """Send it, and its sessions, which are groups of their own, a signal."""
        for pid in [*_children(self.process.pid), self.process.pid]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def cut(self) -> None:
        """End its sessions, as a line that breaks does."""
        for pid in _children(self.process.pid):
            os.kill(pid, signal.SIGKILL)


def keygen(*options: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *options], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    direct = [int(word) for word in text.split()]
    return [below for child in direct for below in (*_children(child), child)]
