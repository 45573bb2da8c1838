"""A headless GIMP that answers one request after the other until it is ended: starting one is what costs time.

Its driver plug-in (gimpfu/driver.py) serves: for each request it calls a procedure, which GIMP runs in a plug-in
process of its own, and then it deletes what the request has left in GIMP.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .versions import Version
from .window import HostTimeout, door, end, mortal

START_SECONDS = 180.0
QUIT_SECONDS = 20.0
ADDRESS = "LAYERLIFT_DRIVER_ADDRESS"


@dataclass(frozen=True)
class Run:
    """What a headless GIMP wrote. Its exit status says nothing: 2.10's is 0 even after a failed batch."""

    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"{self.stdout}\n{self.stderr}"


class HostDied(AssertionError):
    """GIMP ended while a test waited for its answer."""


class Console:
    """A running GIMP without a window; it is started at once."""

    def __init__(self, version: Version, folder: Path, environment: dict[str, str]) -> None:
        self._logs = [folder / "console.stdout", folder / "console.stderr"]
        for log in self._logs:
            log.write_bytes(b"")
        command = version.command(
            version.console, "-i", *version.batch(version.call("python-fu-layerlift-driver-serve"))
        )
        with door() as opened, self._logs[0].open("ab") as out, self._logs[1].open("ab") as err:
            self._process = subprocess.Popen(
                mortal(*command), env={**environment, ADDRESS: opened.getsockname()}, stdin=subprocess.DEVNULL,
                stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
            self._line = self._patiently(opened, lambda: opened.accept()[0], START_SECONDS)
        self._read = b""

    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, request: dict[str, str], timeout: float) -> tuple[str, Run]:
        """Have a request done; what went wrong with it, or "", and what GIMP wrote meanwhile.

        It is ended where it does not answer in time.
        """
        begins = [log.stat().st_size for log in self._logs]
        self._line.settimeout(None)
        with suppress(OSError):  # no one reads it any longer, as the answer will show
            self._line.sendall(json.dumps(request).encode() + b"\n")
        while b"\n" not in self._read:
            more = self._patiently(self._line, lambda: self._line.recv(65536), timeout, begins)
            if not more:
                self._ended(begins)
            self._read += more
        answer, _, self._read = self._read.partition(b"\n")
        return str(json.loads(answer)), self._written(begins)

    def close(self) -> None:
        """Let it quit; it is ended where it does not."""
        self._line.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(QUIT_SECONDS)
        end(self._process)

    def _patiently(
        self, line: socket.socket, act: Callable[[], Any], timeout: float, begins: Sequence[int] = (0, 0)
    ) -> Any:
        """What `act` returns when there is something on the line."""
        deadline = time.monotonic() + timeout
        line.settimeout(0.5)
        while True:
            try:
                return act()
            except TimeoutError:
                if not self.alive():
                    self._ended(begins)
                if time.monotonic() > deadline:
                    end(self._process)
                    raise HostTimeout(f"GIMP did not answer in {timeout:.0f} s:\n{self._written(begins)}") from None
            except ConnectionError:
                self._ended(begins)

    def _ended(self, begins: Sequence[int]) -> NoReturn:
        end(self._process)
        raise HostDied(f"GIMP ended with status {self._process.wait()}:\n{self._written(begins)}") from None

    def _written(self, begins: Sequence[int]) -> Run:
        texts = []
        for log, begin in zip(self._logs, begins, strict=True):
            texts.append(log.read_bytes()[begin:].decode(errors="replace"))
        return Run(*texts)
