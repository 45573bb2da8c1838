"""One HTTP/1.1 server on loopback: connections stay open, and an answer can be broken on purpose."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response

MAX_BODY = 16 * 1024 * 1024
"""More than the largest upload that the service takes."""
MAX_CONNECTIONS = 512
"""At once; each has a thread, and may hold a body."""
SHUTDOWN_POLL = 0.02
HELD_POLL = 0.01

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """How an answer goes out.

    Attributes:
        response: the answer; None: the connection is reset instead.
        seconds: how long it is held back.
        until: lets it go before.
        promised: Content-Length where it is not the body's; the connection closes after the body.
    """

    response: Response | None
    seconds: float = 0.0
    until: threading.Event | None = None
    promised: int | None = None


Application = Callable[[Request], Delivery]


class Listener:
    """Serves `application` on 127.0.0.1 from the start until `close`; port 0 takes a free one. `wall` gives the unix
    seconds that its answers are dated by."""

    def __init__(self, application: Application, port: int = 0, wall: Callable[[], float] = time.time) -> None:
        self._server = _Server(application, port, wall)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(SHUTDOWN_POLL,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        """Take no more connections and end those that are open."""
        self._server.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.drop_connections()


class _Server(ThreadedWSGIServer):
    def __init__(self, application: Application, port: int, wall: Callable[[], float]) -> None:
        self.application = application
        self.wall = wall
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        # werkzeug ends the process where it can't bind; bound here, that is an OSError
        with socket.create_server(("127.0.0.1", port), backlog=128) as bound:
            super().__init__("127.0.0.1", port, _no_wsgi, _Handler, fd=bound.fileno())

    def opened(self, connection: socket.socket) -> None:
        with self._guard:
            if self.closing.is_set() or len(self._connections) >= MAX_CONNECTIONS:
                raise ConnectionAbortedError("no more connections are taken")
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._guard:
            self._connections.discard(connection)

    def drop_connections(self) -> None:
        with self._guard:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is the client's affair and is not reported."""


def _no_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    raise NotImplementedError("requests are answered by the handler")


class _Handler(WSGIRequestHandler):
    """Answers by `Delivery`; werkzeug's own `run_wsgi` closes each connection; here bodies are always read in full."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.server.wall() if timestamp is None else timestamp)

    def run_wsgi(self) -> None:
        self.wfile.flush()  # "100 Continue"
        request = Request(self.make_environ())
        request.max_content_length = MAX_BODY
        try:
            request.get_data()
        except HTTPException as error:
            self.close_connection = True
            delivery = Delivery(Response(error.description or error.name, status=error.code))
        else:
            delivery = self._answer(request)
        if delivery.seconds and not self._held(delivery):
            self.close_connection = True
        elif delivery.response is None:
            self._reset()
        else:
            self._send(delivery.response, delivery.promised)

    def _held(self, delivery: Delivery) -> bool:
        """Holds the answer back; False where the server closes meanwhile."""
        if delivery.until is None:
            return not self.server.closing.wait(delivery.seconds)
        end = time.monotonic() + delivery.seconds
        while not delivery.until.is_set() and time.monotonic() < end:
            if self.server.closing.wait(HELD_POLL):
                return False
        return True

    def _answer(self, request: Request) -> Delivery:
        try:
            return self.server.application(request)
        except Exception:  # noqa: BLE001 - the connection has to be answered, whatever failed
            _log.exception("%s %s", request.method, request.path)
            return Delivery(Response("Internal Server Error", status=500))

    def _send(self, response: Response, promised: int | None) -> None:
        body = response.get_data()
        response.content_length = len(body) if promised is None else promised
        if promised is not None:
            self.close_connection = True
        if self.close_connection:
            response.headers["Connection"] = "close"
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _reset(self) -> None:
        # closing with a linger time of zero sends RST; detached, so that nothing sends FIN before
        self.close_connection = True
        self.server.closed(self.connection)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())

    def log(self, type: str, message: str, *args: Any) -> None:
        """Requests are recorded by the twin, not written."""
