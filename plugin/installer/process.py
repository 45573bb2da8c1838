"""Commands that the installer runs, and the one error that a person gets to see."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import Mapping, NamedTuple, Sequence

from ..common.language import _


class Problem(Exception):
    """Something that only a person can mend; its text says what happened and what to do."""


class Outcome(NamedTuple):
    """How a command ended: its exit status (None: it had to be stopped) and all that it printed."""

    status: int | None
    output: str


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def run(command: Sequence[str], timeout: float, variables: Mapping[str, str] | None = None) -> Outcome:
    """Run a command without input; after `timeout` seconds stop it with all its children.

    It gets these variables and no others, where they are named.

    Raises Problem when the command can't be started.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=variables,
            start_new_session=sys.platform != "win32",
        )
    except OSError as error:
        raise Problem(_("{program} could not be started: {error}").format(program=command[0], error=error)) from error
    try:
        output = process.communicate(timeout=timeout)[0]
    except subprocess.TimeoutExpired:
        _stop(process)
        return Outcome(None, process.communicate()[0])
    except BaseException:
        _stop(process)
        process.wait()
        raise
    return Outcome(process.returncode, output)


def last_lines(text: str, count: int = 8) -> str:
    """What a command complained of at its end, indented, for an error message: its ERROR lines, else its last ones."""
    lines = [line for line in text.splitlines() if line.strip()]
    complaints = [line for line in lines if line.startswith("ERROR")]
    return "\n".join("    " + line for line in (complaints or lines)[-count:])


def _stop(process: subprocess.Popen[str]) -> None:
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
