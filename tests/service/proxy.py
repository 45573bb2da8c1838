"""A proxy on the way to a service, which nothing must pass before the user has agreed."""

from __future__ import annotations

import socket
import threading


class Proxy:
    """A proxy that counts who comes by, and lets nobody through; a user whose way to a service it is."""

    def __init__(self) -> None:
        self.seen = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.environ = {"HTTPS_PROXY": url, "https_proxy": url, "NO_PROXY": "", "no_proxy": ""}
        self.environ |= {"YOUCAM_API_URL": "https://service.example", "YOUCAM_API_KEY": "sk-0123456789"}
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.seen += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
