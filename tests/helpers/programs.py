"""Our programs as processes of their own, which start in a few milliseconds.

A start takes half a second of processor time, nearly all of it for Python and its imports. So they are forked from a
process that has imported everything, see `fork_server`, and have all that a process has: signals, limits, terminal,
exit status. What the start itself does is not tested so: a test of that starts `COMMAND` or `WORKER` by `subprocess`.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

LAYERLIFT = str(Path(sys.executable).with_name("layerlift"))
WORKER = (sys.executable, "-I", "-m", "layerlift.worker")
AT_START = ("PYTHON", "LANG", "LC_", "LD_", "VIPS_", "OPENBLAS_", "OMP_")
"""Variables that are read where a process starts, so that a fork comes too late for another value."""


class Program:
    """One of our programs as it runs, with the methods that `subprocess.Popen` has.

    Args:
        name: "layerlift" or "worker".
        arguments: what its command line holds besides.
        env: all its variables.
        stdin, stdout, stderr, text, cwd: as `Popen` has them.
        session: whether it leads a session of its own.
        terminal: whether its input is the terminal that it is controlled by.
        limit: the largest file that it can write, in bytes; 0 for any.
    """

    stdin: IO[Any] | None = None
    stdout: IO[Any] | None = None
    stderr: IO[Any] | None = None

    def __init__(
        self,
        name: str,
        *arguments: object,
        env: Mapping[str, str],
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        text: bool = False,
        cwd: Path | None = None,
        session: bool = False,
        terminal: bool = False,
        limit: int = 0,
    ) -> None:
        for variable in {*env, *os.environ}:
            if variable.startswith(AT_START) and env.get(variable) != os.environ.get(variable):
                raise ValueError(f"{variable} is another here: start the program by subprocess")
        request = {
            "program": name,
            "arguments": [str(argument) for argument in arguments],
            "environ": dict(env),
            "folder": str(cwd or Path.cwd()),
            "session": session,
            "terminal": terminal,
            "limit": limit,
            "bound": False,
        }
        self.returncode: int | None = None
        self._guard = threading.Lock()
        with ExitStack() as theirs:
            files = []
            for number, (stream, wanted) in enumerate((("stdin", stdin), ("stdout", stdout), ("stderr", stderr))):
                if wanted == subprocess.PIPE:
                    near, far = reversed(os.pipe()) if number == 0 else os.pipe()
                    setattr(self, stream, _opened(near, "wb" if number == 0 else "rb", text))
                    theirs.callback(os.close, far)
                elif wanted == subprocess.DEVNULL:
                    far = os.open(os.devnull, os.O_RDWR)
                    theirs.callback(os.close, far)
                else:
                    far = number if wanted is None else wanted
                files.append(far)
            self._told, telling = os.pipe()
            theirs.callback(os.close, telling)
            _server().ask(request, [*files, telling])
        self.pid = int(self._next_line())

    def _next_line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self._told, 1)
            if not byte:
                raise RuntimeError("the server of our programs has ended")
            line += byte
        return line

    def poll(self) -> int | None:
        """The exit status, a signal's number below zero, or None where it has not ended."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end; the exit status. Raises subprocess.TimeoutExpired."""
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return status

    def _ended(self, timeout: float | None) -> int | None:
        with self._guard:
            if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
                self.returncode = int(self._next_line())
                os.close(self._told)
            return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless it has ended."""
        if self.poll() is None:
            # It may have ended before its status is told.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, text: Any = None, timeout: float | None = None) -> tuple[Any, Any]:
        """Sends text, closes its input, and reads all that it prints to its end. Raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        found: dict[IO[Any], Any] = {}

        def send(stream: IO[Any]) -> None:
            try:
                with stream:
                    stream.write(text or "")
            except BrokenPipeError:  # it does not read
                return

        def read(stream: IO[Any]) -> None:
            with stream:
                found[stream] = stream.read()

        work = [(send, self.stdin)] if self.stdin and not self.stdin.closed else []
        work += [(read, stream) for stream in (self.stdout, self.stderr) if stream]
        threads = [threading.Thread(target=call, args=(stream,), daemon=True) for call, stream in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        self.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        output, errors = (found[stream] if stream else None for stream in (self.stdout, self.stderr))
        return output, errors

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdout, self.stderr, self.stdin):
            if stream:
                stream.close()
        self.wait()


def _opened(file: int, mode: str, text: bool) -> IO[Any]:
    if not text:
        return os.fdopen(file, mode, -1 if mode == "rb" else 0)
    return os.fdopen(file, mode[:1], encoding="utf-8")


def forked_python(folder: Path) -> str:
    """A program that is put in the place of Layerlift's own Python, and has the worker forked; it is in the folder."""
    program = folder / "forked-python"
    asker = [sys.executable, "-I", "-S", str(Path(__file__).with_name("forked_worker.py")), str(_server().door)]
    program.write_text(f'#!/bin/sh\nexec {shlex.join(asker)} "$@"\n')
    program.chmod(0o755)
    return str(program)


class _Server:
    """The process that our programs are forked from."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._control, theirs = socket.socketpair()
        self._folder = tempfile.TemporaryDirectory(prefix="layerlift-forks-")
        self.door = Path(self._folder.name, "door")
        with theirs, socket.socket(socket.AF_UNIX) as door:
            # Whoever asks before the server has imported everything waits at the door.
            door.bind(str(self.door))
            door.listen(64)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "helpers.fork_server", str(theirs.fileno()), str(door.fileno())],
                pass_fds=[theirs.fileno(), door.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=Path(__file__).resolve().parents[1],
                # No threads of numpy's: forks would leave them behind.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        atexit.register(self._end)

    def ask(self, request: dict[str, Any], files: list[int]) -> None:
        message = json.dumps(request).encode()
        with self._guard:
            socket.send_fds(self._control, [struct.pack("=I", len(message))], files)
            self._control.sendall(message)

    def _end(self) -> None:
        self._control.close()
        self._process.wait()
        self._folder.cleanup()


_starting = threading.Lock()
_server_once = functools.cache(_Server)


def _server() -> _Server:
    with _starting:
        return _server_once()
