"""A TCP port that leads to a server's Unix socket until it is cut, as a network is."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

Cut = Callable[[bytes, int], str]
"""What becomes of a piece that the client sends, given how many bytes it sent before.

"" passes it on, "before" cuts the connection in its place, "after" once it is passed on.
"""


@contextmanager
def proxied(uri: str, cut: Cut) -> Iterator[str]:
    """The URI of the same database by way of a TCP port on which connections are cut."""
    place = Path(parse_qs(urlsplit(uri).query)["host"][0]) / ".s.PGSQL.5432"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, str(place), cut), daemon=True).start()
        yield f"postgresql://postgres@127.0.0.1:{listener.getsockname()[1]}{urlsplit(uri).path}"
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, place: str, cut: Cut) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(place)
            threading.Thread(target=_answers, args=(server, client), daemon=True).start()
            threading.Thread(target=_asks, args=(client, server, cut), daemon=True).start()


def _answers(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError), server:
        while data := server.recv(65_536):
            client.sendall(data)


def _asks(client: socket.socket, server: socket.socket, cut: Cut) -> None:
    seen = 0
    with contextlib.suppress(OSError), client:
        while data := client.recv(65_536):
            if (when := cut(data, seen)) != "before":
                server.sendall(data)
            if when:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no farewell
                break
            seen += len(data)
    with contextlib.suppress(OSError):
        server.shutdown(socket.SHUT_WR)
