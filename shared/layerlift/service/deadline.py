"""A limit on the time of a whole exchange. Those of requests and urllib3 are from one byte to the next, so that one who
sends a byte now and then keeps them waiting for ever.

The connection of an exchange that takes too long is shut down, whatever it is doing: shaking hands, sending, or waiting
for headers or a body. What looks up names and connects has limits of its own.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class Deadline:
    """Ends what the thread's connections are doing in the `with` block after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._guard = threading.Lock()
        self._line: socket.socket | None = None
        self._timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), self._pass)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._before = _current.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _current.reset(self._before)
        self._watch(None)

    def watch(self, connected: socket.socket) -> None:
        """From now on the exchange uses this socket."""
        # A handle of its own: TLS takes a socket over, and http.client lets go of one while its answer is still read.
        self._watch(socket.fromfd(connected.fileno(), connected.family, connected.type))

    def _watch(self, line: socket.socket | None) -> None:
        with self._guard:
            before, self._line = self._line, line
            if before is not None:
                before.close()
            self._cut()

    def _pass(self) -> None:
        with self._guard:
            self.passed = True
            self._cut()

    def _cut(self) -> None:
        if self.passed and self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        _watch(connected)
        return connected

    def request(self, *arguments: Any, **more: Any) -> None:
        if self.sock is not None:
            _watch(self.sock)
        super().request(*arguments, **more)


def _watch(connected: socket.socket) -> None:
    if (deadline := _current.get()) is not None:
        deadline.watch(connected)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class Adapter(HTTPAdapter):
    """Makes connections that heed deadlines."""

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, **more)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **more: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **more)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager
