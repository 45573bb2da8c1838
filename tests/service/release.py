"""A release address that models are downloaded from: a server that knows ranges, and goes wrong where it is told to."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from helpers.waiting import PATIENCE

from .wire import Server, reply, server

PAGE = b"<!DOCTYPE html><html><body>Log in to the network</body></html>"
BLOCK = 65536


class Release:
    """Files by their paths.

    `breaks` holds after how many bytes of its body an answer breaks off, one answer each; `hold` is waited for in the
    middle of each answer.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.breaks: list[int] = []
        self.hold: threading.Event | None = None
        self.half = threading.Event()
        """Half of an answer was sent."""
        self.override: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.server: Server
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return self.server.url

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        if self.override is not None:
            self.override(request)
            return
        data = self.files.get(request.path.lstrip("/"))
        if data is None:
            reply(b"Not Found", "text/plain", 404)(request)
            return
        begin = int(found[1]) if asked and (found := re.fullmatch(r"bytes=(\d+)-", asked)) else 0
        if begin >= len(data):
            reply(b"", "text/plain", 416)(request)
            return
        request.send_response(206 if asked else 200)
        if asked:
            request.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        request.send_header("Content-Length", str(len(data) - begin))
        request.send_header("Content-Type", "application/octet-stream")
        request.end_headers()
        self._send(request, data[begin:])

    def _send(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        end = self.breaks.pop(0) if self.breaks else len(body)
        request.wfile.write(body[: end // 2])
        request.wfile.flush()
        self.half.set()
        if self.hold is not None:
            assert self.hold.wait(PATIENCE)
        request.wfile.write(body[end // 2 : end])
        if end < len(body):
            request.close_connection = True


@contextmanager
def release(**files: bytes) -> Iterator[Release]:
    """A `Release` whose server ends with the block; names of files have their ".onnx" added."""
    found = Release({f"{name}.onnx": data for name, data in files.items()})
    with server(found.answer) as found.server:
        try:
            yield found
        finally:
            if found.hold is not None:
                found.hold.set()
