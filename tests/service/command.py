"""The command as a user meets it: processes that end, terminals that show, and pictures for both."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
from pathlib import Path
from typing import Any, NamedTuple

from helpers.programs import LAYERLIFT, Program
from helpers.waiting import PATIENCE
from layerlift.twin import Twin
from PIL import Image

COLUMNS = 60


class Result(NamedTuple):
    status: int
    output: str
    errors: str

    @property
    def pictures(self) -> list[dict[str, Any]]:
        """What --json told, by picture."""
        return [json.loads(line) for line in self.output.splitlines()]


def key_of(twin: Twin) -> dict[str, str]:
    return {"YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key}


def layerlift(environ: dict[str, str], *arguments: Any, text: str = "", limit: int = 0) -> Result:
    """Runs the command to its end; `limit` is the largest file that it can write."""

    return end_of(begin(environ, *arguments, limit=limit), text)


def from_a_shell(environ: dict[str, str], *arguments: object) -> Result:
    """Runs the command to its end as a shell starts it: Python and all imports are part of it."""
    command = [LAYERLIFT, *map(str, arguments)]
    done = subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


def begin(environ: dict[str, str], *arguments: object, **options: Any) -> Program:
    """The command as it starts."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return Program("layerlift", *arguments, env=environ, text=True, **{**pipes, **options})


def end_of(process: Program, text: str = "") -> Result:
    """What the command printed and ended with, after it was told `text`."""
    output, errors = process.communicate(text, PATIENCE)
    assert "Traceback" not in errors, errors
    return Result(process.wait(), output, errors)


def read_until(process: Program, words: str) -> str:
    """The lines of the command's errors to that with these words."""
    assert process.stderr
    said = ""
    while words not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    return said


def half_black(width: int = 64, height: int = 32) -> Image.Image:
    """The left half is the subject."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("black", (0, 0, width // 2, height))
    return image


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def bars(text: str) -> list[str]:
    """The lines of progress among what a terminal got: those that others have been drawn over."""
    return [line for line in re.findall(r"\r\x1b\[K([^\r\n]*)(?=\r\x1b)", text) if line]


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, environ: dict[str, str], *arguments: Any) -> None:
        self._controller, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        variables = {**environ, "TERM": "xterm", "COLUMNS": ""}
        self.process = Program(
            "layerlift", *arguments, env=variables, stdin=inner, stdout=inner, stderr=inner, terminal=True
        )
        os.close(inner)
        self.text = self._typed = ""

    def read(self) -> bool:
        """Takes what is there; False at the end."""
        if not select.select([self._controller], [], [], PATIENCE / 6)[0]:
            # As people do: Python misses a Ctrl+C that comes when it is about to wait for a line.
            if self._typed == "\x03":
                self.type("\x03")
            assert select.select([self._controller], [], [], PATIENCE)[0], self.text
        try:
            data = os.read(self._controller, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def until(self, words: str) -> None:
        while words not in self.text:
            assert self.read(), self.text

    def type(self, text: str) -> None:
        self._typed = text
        os.write(self._controller, text.encode())

    def end(self) -> int:
        """Reads to the end; the exit status."""
        while self.read():
            pass
        return self.process.wait(PATIENCE)

    def hang_up(self) -> None:
        """The terminal is closed, as its window is."""
        os.close(self._controller)
        self._controller = -1

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self._controller >= 0:
            self.hang_up()
