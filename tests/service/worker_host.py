"""The worker as a host sees it: a process, its lines, its folder; or in this process, where a test mends its parts."""

from __future__ import annotations

import io
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from layerlift import worker
from layerlift.engines import Engines
from layerlift.offline import Twin
from layerlift.settings import Settings

WIDTH, HEIGHT = 96, 32
PATIENCE = 30.0


class Host:
    """A process that speaks the worker's lines, and what it said."""

    def __init__(self, environ: dict[str, str], *command: str, **options: Any) -> None:
        self.process = subprocess.Popen(
            command or (sys.executable, "-m", "layerlift.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            **options,
        )
        self.errors = ""
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._threads = [threading.Thread(target=work) for work in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()
        self.hello = self.next()
        self.folder = Path(self.hello.get("folder", "."))

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"{}")

    def _read_errors(self) -> None:
        assert self.process.stderr
        self.errors = self.process.stderr.read().decode()

    def next(self) -> dict[str, Any]:
        """The next message; empty where there are no more."""
        message: dict[str, Any] = json.loads(self._lines.get(timeout=PATIENCE))
        return message

    def write(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, **message: Any) -> None:
        self.write(json.dumps(message).encode())

    def job(self, name: str = "1", pixels: bytes | None = None, **changes: Any) -> None:
        """Writes the pixels and asks for their alpha."""
        data = steps().tobytes() if pixels is None else pixels
        (self.folder / f"{name}.raw").write_bytes(data)
        fields = {"pixels": f"{name}.raw", "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto"}
        self.send(type="job", id=name, **(fields | changes))

    def until_end(self, name: str = "1") -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The progress of a job, and its result or error."""
        progress = []
        while True:
            message = self.next()
            assert message.get("id") == name, message
            if message["type"] != "progress":
                return progress, message
            progress.append(message)

    def end(self) -> int:
        """Closes the worker's input; its exit status."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            try:
                stream.close()
            except BrokenPipeError:
                continue


def steps() -> Any:
    """Gray steps, each a flat area, whose alpha is known: 255 minus the gray."""
    columns = np.repeat(np.arange(0, 256, 51, dtype=np.uint8), WIDTH // 6)
    return np.broadcast_to(columns[None, :, None], (HEIGHT, WIDTH, 3))


def expected() -> bytes:
    return bytes((255 - steps()[:, :, 0]).tobytes())


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def said(
    lines: list[str], folder: Path, twin: Twin | None = None, until: Callable[[], object] | None = None
) -> list[dict[str, Any]]:
    """What a worker in this process says to some lines; its input ends when all are answered, or after `until`."""
    answered = threading.Semaphore(0)

    def all_are_answered() -> None:
        for _ in lines:
            assert answered.acquire(timeout=PATIENCE)

    class Out(io.StringIO):
        def write(self, text: str) -> int:
            if json.loads(text)["type"] in ("result", "error"):
                answered.release()
            return super().write(text)

    class In(io.StringIO):
        def __iter__(self) -> Iterator[str]:
            yield from lines
            (until or all_are_answered)()

    account = {"YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key} if twin else {}
    settings = Settings({"LAYERLIFT_HOME": str(folder / "home"), **account})
    out = Out()
    worker.Worker(In(), out, folder, lambda: Engines(settings)).serve(lambda: None)
    return [json.loads(line) for line in out.getvalue().splitlines()]


class Proxy:
    """A proxy that counts who comes by, and lets nobody through; a user whose way to a service it is."""

    def __init__(self) -> None:
        self.seen = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        account = {"YOUCAM_API_URL": "https://service.example", "YOUCAM_API_KEY": "sk-0123456789"}
        self.environ = {**account, "HTTPS_PROXY": url, "https_proxy": url, "NO_PROXY": "", "no_proxy": ""}
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.seen += 1
            connection.close()
