"""A relay in front of a server, which can refuse connections: the one fault that a server can't show by itself."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit

BLOCK = 65536


class Gate:
    """Passes connections on to `target` as bytes, from construction until `close`."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._entrance = _bound(0)
        self._port: int = self._entrance.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.admit()

    def admit(self) -> None:
        """Takes connections from now on."""
        self._entrance.listen(64)
        threading.Thread(target=self._accept, args=(self._entrance,), daemon=True).start()

    def refuse(self) -> None:
        """Ends all connections, and refuses new ones."""
        self.close()
        # Bound, so that nobody else gets the port; connections to a socket that does not listen are refused.
        self._entrance = _bound(self._port)

    def close(self) -> None:
        # Only a shutdown wakes the thread that accepts.
        with contextlib.suppress(OSError):
            self._entrance.shutdown(socket.SHUT_RDWR)
        self._entrance.close()
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, entrance: socket.socket) -> None:
        while True:
            try:
                near = entrance.accept()[0]
            except OSError:
                return
            far = socket.create_connection(self._target)
            with self._guard:
                self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(BLOCK):
                target.sendall(block)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._guard:
            self._open.discard(source)
        source.close()


def _bound(port: int) -> socket.socket:
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(("127.0.0.1", port))
    return found
