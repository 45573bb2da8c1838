"""Starts the worker and talks to it by threads, for a host that may wait; Krita's own event loop does without."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from queue import Empty, Queue
from typing import Any, Callable, Dict

from . import installed, protocol, stages

ALONE_SECONDS = 0.5
_BATCH, _QUESTION = "batch", "1"

Progress = Callable[[str, float], None]
News = Callable[[Dict[str, Any]], None]


def _on_bar(progress: Progress) -> News:
    """What passes messages of progress on, as a line for the user and the fraction of the whole."""
    return lambda message: progress(stages.caption(message), stages.overall(message))


def _result(message: dict[str, Any], news: News | None, ways: dict[str, str]) -> dict[str, Any] | None:
    """The message where it is the last one of its question; progress is passed on. Raises WorkerError for an error."""
    if message.get("type") == "progress" and news is not None:
        news(message)
    elif message.get("type") == "error":
        raise protocol.refusal(message, ways)
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
                installed.command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=installed.environment(dict(os.environ)),
                **options,
            )
        except OSError as error:
            raise protocol.not_started(error) from None
        self._messages: Queue[dict[str, Any] | None] = Queue()
        self._early: deque[dict[str, Any]] = deque()
        self._complaints: list[str] = []
        self.folder, self.may_cost = "", False
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._read_messages, self._read_complaints)
        ]
        for thread in self._threads:
            thread.start()
        try:
            self.folder = protocol.folder_of(self._next(protocol.HELLO_SECONDS))
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
            progress: is called with a line for the user and the fraction of the whole, several times a second.

        Raises:
            WorkerError: what the worker says, or that it died.
        """
        return self._ask("job", job, _on_bar(progress))

    def cut(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Returns the result message: the file of the pixels with their own alpha times the other.

        Args:
            job: pixels and alpha (files in `folder`), width, height, channels, `depth` of the samples, and `clean`
                where edges get the subject's own colours.
            progress: as `remove` has it.
        """
        return self._ask("cut", job, _on_bar(progress))

    def plan(self, pictures: list[dict[str, Any]], engine: str, progress: Progress) -> dict[str, Any]:
        """Returns what a batch would cost: places of what is `paid` for, at most so many `units`, `balance`, `engine`.

        Args:
            pictures: of each its `name`, and pixels, width, height and channels as `remove` has them.
        """
        return self._ask("plan", {"pictures": pictures, "engine": engine}, _on_bar(progress))

    def batch(
        self,
        pictures: list[dict[str, Any]],
        choice: dict[str, Any],
        progress: Progress,
        ended: Callable[[dict[str, Any]], None],
    ) -> dict[str, Any]:
        """Removes the background of many pictures side by side; returns how many are done, free and failed, and units.

        Args:
            pictures: as `plan` has them.
            choice: `engine`, which engine was `chosen` where that has come to this one, `again`, and `agreed`: whether
                the user agrees to these uploads.
            ended: is given each picture's message as it comes, and may ask this worker for more.
        """
        self._send(protocol.line("batch", _BATCH, dict(choice, pictures=pictures)))
        while True:
            message = self._early.popleft() if self._early else self._next(protocol.SILENCE_SECONDS)
            if message.get("type") == "ended":
                ended(message)
            elif (result := _result(message, _on_bar(progress), self._ways)) is not None:
                return result

    def settings(self) -> dict[str, Any]:
        """What is kept of the account: `key`, `key_place`, `key_error`, `agreed`, `host`."""
        return self._ask("settings", {})

    def set_key(self, key: str | None) -> dict[str, Any]:
        """Keeps an API key, or with None forgets the one that is kept; returns what `settings` does then."""
        return self._ask("key", {"key": key})

    def balance(self, engine: str, key: str = "", patience: float | None = None) -> dict[str, Any]:
        """Tests an engine, with a key that is not kept where one is given; returns `engine`, `units` and `host`.

        Args:
            patience: the seconds after which it counts as silent, where others than usual.
        """
        return self._ask("balance", dict({"key": key} if key else {}, engine=engine), patience=patience)

    def jobs(self, kind: str = "jobs") -> dict[str, Any]:
        """What was paid for, after all is done that "fetch" or "clear" mean where `kind` is one of them."""
        return self._ask(kind, {})

    def models(self, kind: str = "models", name: str = "", news: News | None = None) -> dict[str, Any]:
        """The offline models, after what is done to the one of this name where `kind` is "fetch_model", "use_model" or
        "forget_model".

        Args:
            news: is given each message of progress.
        """
        return self._ask(kind, {"name": name} if name else {}, news)

    def tasks(self) -> dict[str, Any]:
        """The service's other `tasks`, with what they cost, the `balance`, the `host`, and whether the user has
        `agreed`."""
        return self._ask("tasks", {})

    def templates(self, task: str) -> list[dict[str, str]]:
        """The templates of a task: `id`, `title`, and the `picture`, a file in `folder`, or ""."""
        found: list[dict[str, str]] = self._ask("templates", {"task": task})["templates"]
        return found

    def run_task(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Runs a task on a layer; returns its result message, whose `layers` are files of 8-bit sRGB with alpha.

        Args:
            job: `task`, `fields`, pixels (a file in `folder`), width, height, channels, and what the protocol has else.
            progress: as `remove` has it.
        """
        return self._ask("task", job, _on_bar(progress))

    def cancel(self) -> None:
        """Has the question that is being asked end soon, with an error or its result; from any thread."""
        self._send(protocol.line("cancel", _QUESTION, {}))

    def has_agreed(self) -> bool:
        """Whether the user agrees to uploads."""
        return bool(self._ask("consent", {})["agreed"])

    def agree(self, agreed: bool) -> str:
        """Remembers whether the user agrees to uploads; returns the host that they go to."""
        return str(self._ask("agree", {"agreed": agreed})["host"])

    def _ask(
        self,
        kind: str,
        fields: dict[str, Any],
        news: News | None = None,
        patience: float | None = None,
    ) -> dict[str, Any]:
        self._send(protocol.line(kind, _QUESTION, fields))
        while True:
            message = self._next(patience or protocol.SILENCE_SECONDS)
            self.may_cost |= stages.is_at_service(message)
            if message.get("id") == _BATCH:
                self._early.append(message)
            elif (result := _result(message, news, self._ways)) is not None:
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
            thread.join(protocol.END_SECONDS)
        if any(thread.is_alive() for thread in self._threads):
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ALONE_SECONDS)
        for thread in self._threads:
            thread.join(protocol.END_SECONDS)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _send(self, message: bytes) -> None:
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(message)
            self._process.stdin.flush()
        except (OSError, ValueError):  # its pipe is broken, or was closed
            raise self._died() from None

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            message = self._messages.get(timeout=seconds)
        except Empty:
            raise protocol.silent() from None
        if message is None:
            raise self._died()
        return message

    def _died(self) -> protocol.WorkerError:
        self._threads[1].join(protocol.END_SECONDS)
        return protocol.died(self._complaints, bool(self.folder))

    def _read_messages(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            message = protocol.parsed(text)
            if message is not None:
                self._messages.put(message)
        self._messages.put(None)

    def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        for text in self._process.stderr:
            complaint = text.decode("utf-8", "replace").strip()
            if complaint:
                self._complaints.append(complaint)
                del self._complaints[:-20]
