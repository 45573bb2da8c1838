"""Starts the worker and talks to it: the same file in every plug-in.

The host's process runs this on whatever Python the host has, so it needs the standard library alone. The worker runs
in Layerlift's own environment; the installer writes where that is into ``worker.json`` beside this file. The messages
are documented in ``shared/docs/worker-protocol.md``.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Callable

PROTOCOL = 1
_BATCH = "batch"
HELLO_SECONDS = 60.0
SILENCE_SECONDS = 90.0
END_SECONDS = 5.0
ALONE_SECONDS = 0.5

# What a host sets for its own Python and libraries; the worker's Python must not see it.
_HOST_VARIABLES = ("PYTHON", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_", "GI_TYPELIB_PATH", "QT_", "VIRTUAL_ENV")
_KEYRING_VARIABLES = "PYTHON_KEYRING_"
"""Not the host's, though they begin so: they say where the user keeps the API key."""
_REINSTALL = "Run 'python3 install.py' again."
_STAGES = {
    "export": "Reading the layer",
    "prepare": "Preparing the picture",
    "upload": "Uploading",
    "waiting": "Waiting for the cut-out",
    "download": "Fetching the cut-out",
    "refine": "Refining edges",
    "copy": "Copying the layer",
    "clean": "Cleaning the edges",
    "edges": "Cleaning the edges",
    "insert": "Making the new layer",
    "batch": "Removing backgrounds",
}
_ENGINES = {"youcam": "YouCam", "offline": "offline engine, a quick draft"}
# Where each stage ends on one bar from 0 to 1. The host does "export", "copy", "edges" and "insert" itself.
_SHARES = {
    "export": 0.05,
    "prepare": 0.15,
    "upload": 0.3,
    "waiting": 0.65,
    "download": 0.7,
    "refine": 0.75,
    "copy": 0.8,
    "clean": 0.85,
    "edges": 0.9,
    "insert": 1.0,
}

Progress = Callable[[str, float], None]


class WorkerError(Exception):
    """A job that failed: `kind` says what the user can do next, the text is for the user."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class WorkerGone(WorkerError):
    """The worker has no more to say."""

    def __init__(self, text: str) -> None:
        super().__init__("retry", text)


def _written(name: str) -> str:
    """What the installer has written down under a name."""
    return str(json.loads(Path(__file__).with_name("worker.json").read_text(encoding="utf-8"))[name])


def command() -> list[str]:
    """The worker's command line.

    Raises:
        WorkerError: the installer has not been here, or its environment is gone.
    """
    try:
        python = _written("python")
    except (OSError, ValueError, KeyError, TypeError):
        raise WorkerError("reinstall", "Layerlift is not set up. " + _REINSTALL) from None
    try:
        found = Path(native(python)).exists()
    except (OSError, ValueError):
        found = False
    if not found:
        raise WorkerError("reinstall", "Layerlift's own Python is gone. " + _REINSTALL)
    return [python, "-I", "-m", "layerlift.worker"]


def version() -> str:
    """This plug-in's version, as the installer has written it down; "" where it has not been here."""
    try:
        return _written("version")
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def native(path: str) -> str:
    """A path as this Python's file functions take it: a Python inside a host may take file names for ASCII."""
    return os.fsdecode(path.encode("utf-8"))


def environment(host: dict[str, str]) -> dict[str, str]:
    """The host's environment without what the host set for itself."""
    return {
        name: value
        for name, value in host.items()
        if name.startswith(_KEYRING_VARIABLES) or not name.startswith(_HOST_VARIABLES)
    }


def caption(message: dict[str, Any]) -> str:
    """One line for the user, of a progress message."""
    text = _STAGES.get(str(message.get("stage")), "Working")
    engine = _ENGINES.get(str(message.get("engine")), "")
    details = ", ".join(part for part in (str(message.get("text") or ""), engine) if part)
    return f"{text} ({details})" if details else text


def overall(message: dict[str, Any]) -> float:
    """How much of the whole job is done, 0 to 1, of a progress message."""
    stages = list(_SHARES)
    stage, fraction = str(message.get("stage")), float(message.get("fraction") or 0.0)
    if stage not in _SHARES:
        return fraction if stage == "batch" else 0.0
    place = stages.index(stage)
    begin = _SHARES[stages[place - 1]] if place else 0.0
    return begin + (_SHARES[stage] - begin) * fraction


def parsed(line: bytes) -> dict[str, Any] | None:
    """A line from the worker as a message; None: it is none."""
    try:
        message = json.loads(line.decode("utf-8"))
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def folder_of(hello: dict[str, Any]) -> str:
    """Where pixels are written for the worker that said hello. Raises WorkerError where it speaks otherwise."""
    if hello.get("protocol") != PROTOCOL or "folder" not in hello:
        raise WorkerError("reinstall", "The plug-in and its worker are of different versions. " + _REINSTALL)
    return native(str(hello["folder"]))


def refusal(message: dict[str, Any], ways: dict[str, str]) -> WorkerError:
    """What an error message says, with the way out that this plug-in has for its kind, if any."""
    kind, request_id = str(message.get("kind")), message.get("request_id")
    parts = [str(message.get("message")), str(message.get("action")), ways.get(kind, "")]
    if request_id:
        parts.append(f"(request {request_id})")
    return WorkerError(kind, " ".join(part for part in parts if part))


def not_started(reason: object) -> WorkerError:
    """The system could not start the worker."""
    return WorkerError("reinstall", f"Layerlift's worker can't be started: {reason}. {_REINSTALL}")


def silent() -> WorkerError:
    """The worker has said nothing for too long."""
    return WorkerGone("Layerlift's worker does not answer. Try again.")


def died(complaints: list[str]) -> WorkerError:
    """The worker ended before it answered; the complaints are the lines that it left on standard error."""
    last = complaints[-1] if complaints else "it left no message"
    return WorkerGone(f"Layerlift's worker ended unexpectedly: {last.rstrip('.')}. {_REINSTALL}")


def step(stage: str, fraction: float) -> tuple[str, float]:
    """The line for the user and the fraction of the whole job, in one of the host's own stages."""
    message = {"stage": stage, "fraction": fraction}
    return caption(message), overall(message)


def _result(message: dict[str, Any], progress: Progress | None, ways: dict[str, str]) -> dict[str, Any] | None:
    """The message where it is the last one of its question; progress is passed on. Raises WorkerError for an error."""
    if message.get("type") == "progress" and progress is not None:
        progress(caption(message), overall(message))
    elif message.get("type") == "error":
        raise refusal(message, ways)
    return message if message.get("type") == "result" else None


class Worker:
    """A running worker. Use it in a `with` block: at its end the worker ends too, and removes its folder.

    `folder` is where pixels are written for it; `may_cost` whether a removal has begun that the service charges for.

    Args:
        ways: for kinds of errors, the ways out that the plug-in has.
    """

    def __init__(self, ways: dict[str, str]) -> None:
        self._ways = ways
        options: dict[str, Any] = {"creationflags": 0x08000000} if sys.platform == "win32" else {}
        try:
            self._process = subprocess.Popen(
                command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(dict(os.environ)),
                **options,
            )
        except OSError as error:
            raise not_started(error) from None
        self._messages: Queue[dict[str, Any] | None] = Queue()
        self._early: deque[dict[str, Any]] = deque()
        self._complaints: list[str] = []
        self.may_cost = False
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._read_messages, self._read_complaints)
        ]
        for thread in self._threads:
            thread.start()
        try:
            self.folder = folder_of(self._next(HELLO_SECONDS))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def remove(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Does one job and returns its result message.

        Args:
            job: pixels (a file in `folder`), width, height, channels, engine, and `again` to pay again where an earlier
                start may have been charged in vain.
            progress: is told a line for the user and the fraction of the whole, several times a second.

        Raises:
            WorkerError: what the worker says, or that it died.
        """
        return self._ask("job", job, progress)

    def clean(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Returns the result message: where the subject's own colours differ, and the file of the pixels there.

        Args:
            job: pixels and alpha (files in `folder`), width, height, channels, and `depth` of the samples.
            progress: as `remove` has it.
        """
        return self._ask("clean", job, progress)

    def plan(self, pictures: list[dict[str, Any]], engine: str, progress: Progress) -> dict[str, Any]:
        """Returns what a batch would cost: places of what is `paid` for, at most so many `units`, `balance`, `engine`.

        Args:
            pictures: of each its `name`, and pixels, width, height and channels as `remove` has them.
        """
        return self._ask("plan", {"pictures": pictures, "engine": engine}, progress)

    def batch(
        self,
        pictures: list[dict[str, Any]],
        engine: str,
        again: bool,
        progress: Progress,
        ended: Callable[[dict[str, Any]], None],
    ) -> dict[str, Any]:
        """Removes the background of many pictures side by side; returns how many are done, free and failed, and units.

        Args:
            pictures: as `plan` has them.
            ended: is given each picture's message as it comes, and may ask this worker for more.
        """
        self._send({"type": "batch", "id": _BATCH, "pictures": pictures, "engine": engine, "again": again})
        while True:
            message = self._early.popleft() if self._early else self._next(SILENCE_SECONDS)
            if message.get("type") == "ended":
                ended(message)
            elif (result := _result(message, progress, self._ways)) is not None:
                return result

    def has_agreed(self) -> bool:
        """Whether the user agrees to uploads."""
        return bool(self._ask("consent", {})["agreed"])

    def agree(self, agreed: bool) -> str:
        """Remembers whether the user agrees to uploads; returns the host that they go to."""
        return str(self._ask("agree", {"agreed": agreed})["host"])

    def _ask(self, kind: str, fields: dict[str, Any], progress: Progress | None = None) -> dict[str, Any]:
        self._send(dict(fields, type=kind, id="1"))
        while True:
            message = self._next(SILENCE_SECONDS)
            self.may_cost |= message.get("engine") == "youcam" and message.get("stage") == "waiting"
            if message.get("id") == _BATCH:
                self._early.append(message)
            elif (result := _result(message, progress, self._ways)) is not None:
                return result

    def close(self) -> None:
        """Ends the worker: the end of its input is its sign to clean up. One that has paid work to finish lets go of
        its pipes, and goes on alone."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except OSError:
            pass
        for thread in self._threads:
            thread.join(END_SECONDS)
        if any(thread.is_alive() for thread in self._threads):
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ALONE_SECONDS)
        for thread in self._threads:
            thread.join(END_SECONDS)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._died() from None

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            message = self._messages.get(timeout=seconds)
        except Empty:
            raise silent() from None
        if message is None:
            raise self._died()
        return message

    def _died(self) -> WorkerError:
        self._threads[1].join(END_SECONDS)
        return died(self._complaints)

    def _read_messages(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = parsed(line)
            if message is not None:
                self._messages.put(message)
        self._messages.put(None)

    def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            text = line.decode("utf-8", "replace").strip()
            if text:
                self._complaints.append(text)
                del self._complaints[:-20]
