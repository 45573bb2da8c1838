"""The worker as a host sees it: a process, its lines, its folder."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .programs import Program
from .protocol import Session
from .waiting import PATIENCE


class Host:
    """A worker that has just been started, or another command in its place, and what it said; `session` holds all of
    that against the protocol."""

    def __init__(self, environ: Mapping[str, str], *command: str, **options: Any) -> None:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process: Any = (
            subprocess.Popen(command, env=environ, **pipes, **options)
            if command
            else Program("worker", env=environ, **pipes, **options)
        )
        self.errors = ""
        self.session = Session()
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()
        self.hello = self.next()
        self.folder = Path(self.hello.get("folder", "."))

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"{}")

    def _read_errors(self) -> None:
        self.errors = self.process.stderr.read().decode()

    def next(self) -> dict[str, Any]:
        """The next message; empty where there are no more."""
        message: dict[str, Any] = json.loads(self._lines.get(timeout=PATIENCE))
        if message:
            self.session.hears(message)
        else:
            self._lines.put(b"{}")
        return message

    def write(self, line: bytes) -> None:
        self.session.sends(line)
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, **message: Any) -> None:
        self.write(json.dumps(message).encode())

    def ask(self, name: str, pixels: bytes, width: int, height: int, **fields: Any) -> None:
        """Writes the pixels and asks for their alpha."""
        file = self.folder / f"{name}.raw"
        # A cancelled job of that name may still read its own: the worker maps the file, which must not become shorter.
        file.unlink(missing_ok=True)
        file.write_bytes(pixels)
        described = {"pixels": f"{name}.raw", "width": width, "height": height, "channels": 3, **fields}
        self.send(type="job", id=name, **described)

    def until_end(self, name: str = "1") -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The progress of a job, and its result or error."""
        progress: list[dict[str, Any]] = []
        while True:
            message = self.next()
            assert message.get("id") == name, message
            if message["type"] != "progress":
                return progress, message
            progress.append(message)

    def end(self) -> int:
        """Closes the worker's input; its exit status."""
        self.process.stdin.close()
        return int(self.process.wait(PATIENCE))

    def wait_for_silence(self) -> None:
        """Waits until nobody holds the worker's error stream any more, neither it nor a child."""
        self._threads[1].join(PATIENCE)
        assert not self._threads[1].is_alive(), "the worker did not end"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        for thread in self._threads:
            thread.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                stream.close()
