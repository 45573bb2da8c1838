"""One removal in the journal while somebody works on it: each step that it takes is written down."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from .. import errors
from ..imaging.makers import Maker
from . import locks
from .entries import Entry, Result
from .trace import Start, Trace

FILE_SECONDS = 23 * 3600.0
"""How long a file id is used again. The service promises 24 hours."""
_KNOWN = ("running", "refused", "done", "kept")
_DISK_SECONDS = 0.2
"""How long a step waits to be written down before the polls go on: well within any polling interval."""

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Book(Protocol):
    """What a record asks of the journal that it is in."""

    clock: Callable[[], float]
    trace: Trace

    def write(self, removal: int, step: str, time: float, request_id: str | None, fields: dict[str, object]) -> Entry:
        """Puts a step on the disk."""

    def trace_start(self, start: Start) -> None:
        """Puts a start into the trace beside the journal."""

    def learn_owners(self) -> None:
        """Reads whose tasks are known."""

    def owner(self, task_id: str, picture: str) -> str:
        """The picture that a task was first named for."""

    def result(self, entry: Entry) -> Result | None:
        """What came back for a run."""

    def keep(self, name: str, result: Result) -> bool:
        """Keeps a result, if it can."""

    def keep_unusable(self, entry: Entry, data: bytes) -> Path | None:
        """Keeps a result that can't be used."""


class Record:
    """One removal while it is claimed: nobody else works on it.

    `uploaded` and `starting` come before anything is paid: they are on the disk when they return, and raise where they
    can't be. What comes later is paid for, and goes on where it can't be written; a disk or a process that keeps it
    waiting for long is left to it, and the polls go on beside.
    """

    maker: Maker | None = None
    """The offline model that made the result."""
    address: str | None = None
    """Where the service has the result, for hours; None where it was not asked now."""

    def __init__(self, journal: Book, entry: Entry, lock: locks.Lock, account: str) -> None:
        self._journal = journal
        self._account = account
        self._lock = lock
        self._guard = threading.Lock()
        self._released = False
        self._writer = ThreadPoolExecutor(1)
        self.entry = entry

    def release(self) -> None:
        """Gives the claim up before the end of its block; what would be written down after that raises `Cancelled`."""
        with self._guard:
            self._released = True
            self._lock.release()

    def abandon(self) -> None:
        """Nobody waits for the task any more, which costs nothing."""

    def wait(self) -> None:
        """Waits until all so far is written down."""
        self._writer.submit(int).result()

    def close(self) -> None:
        """Waits until all is written down; nothing can be written after that."""
        self._writer.shutdown()

    @property
    def file_id(self) -> str | None:
        """The uploaded file, None where there is none that the service still has."""
        entry = self.entry
        fresh = entry.file_time is not None and 0 <= self._journal.clock() - entry.file_time < FILE_SECONDS
        return entry.file_id if fresh else None

    @property
    def task_id(self) -> str | None:
        """The task whose result can still be had, None where there is none."""
        return self.entry.task_id if self.entry.state in _KNOWN else None

    def mark_uploaded(self, file_id: str | None) -> None:
        """The service has the file; None: it no longer has it."""
        state = "uploaded" if file_id else "new"
        self._write("uploaded", None, state=state, file_id=file_id, file_time=self._journal.clock())

    def mark_starting(self) -> None:
        """The run call comes next."""
        self._submit(self._journal.learn_owners).result()
        entry, time = self.entry, self._journal.clock()
        start = Start(entry.picture, entry.engine, self._account, entry.width, entry.height, time, task=entry.task)
        self._submit(lambda: self._journal.trace_start(start)).result()
        self._write("starting", None, state="starting", task_id=None, account=self._account, run_time=time)

    def owns(self, task_id: str) -> bool:
        """Whether a task that the service names for this removal's start is no other picture's."""
        return self._journal.owner(task_id, self.entry.picture) == self.entry.picture

    def mark_free(self, reason: str, request_id: str | None) -> None:
        """Nothing is to be had from what was started, and nothing was charged for it: the next task is a new one."""
        self._note(f"free: {reason}", request_id, self._ended, state="uploaded", task_id=None)

    def mark_unknown(self, request_id: str | None) -> None:
        """Nobody can say whether the run call was heard."""
        self._note("unknown", request_id, state="unknown")

    def mark_running(self, task_id: str, request_id: str | None) -> None:
        """The task is known."""
        picture = self.entry.picture
        self._note(
            "running", request_id, lambda trace: trace.add_task(picture, task_id), state="running", task_id=task_id
        )

    def mark_refused(self, request_id: str | None) -> None:
        """The service refuses to tell what became of the task, and the user hears of it now."""
        self._note("refused", request_id, state="refused")

    def mark_done(self, dst_id: str | None, units: float, request_id: str | None) -> None:
        """The task has succeeded, and was charged."""
        self._note("done", request_id, state="done", dst_id=dst_id, units=units)

    def mark_keep(self) -> None:
        """The service is to keep its copies."""
        self._note("keep", None, keep=1)

    def mark_lost(self, code: str, request_id: str | None) -> None:
        """The service has forgotten the task, and the user hears of it now."""
        self._note(f"lost: {code}", request_id, state="lost")

    def result(self) -> Result | None:
        """What came back, an alpha at most at the upload's size; None where it is not kept."""
        return self._journal.result(self.entry)

    def keep(self, result: Result) -> None:
        """Keeps what came back."""
        if self._journal.keep(self.entry.picture, result):
            self._note("kept", None, self._ended, state="kept")

    def keep_unusable(self, data: bytes) -> Path | None:
        """Keeps what came in place of a result, for a report; returns where, None where that is not possible."""
        return self._journal.keep_unusable(self.entry, data) if data else None

    def _ended(self, trace: Trace) -> None:
        trace.add_end(self.entry.picture)

    def _note(
        self, step: str, request_id: str | None, traced: Callable[[Trace], None] | None = None, **fields: Any
    ) -> None:
        self.entry = replace(self.entry, **fields)
        removal, task_id, time = self.entry.id, self.entry.task_id, self._journal.clock()

        def write() -> None:
            if traced is not None:
                # Before the database, which may be locked for long.
                with contextlib.suppress(OSError):
                    traced(self._journal.trace)
            try:
                self._journal.write(removal, step, time, request_id, fields)
            except errors.SetupError as error:
                _log.warning("The step '%s' of task %s was not written down: %s", step, task_id, error.message)

        futures.wait([self._submit(write)], _DISK_SECONDS)

    def _write(self, step: str, request_id: str | None, **fields: Any) -> None:
        removal, time = self.entry.id, self._journal.clock()
        self.entry = self._submit(lambda: self._journal.write(removal, step, time, request_id, fields)).result()

    def _submit(self, write: Callable[[], _T]) -> Future[_T]:
        with self._guard:
            if self._released:
                raise errors.make("cancelled")
            return self._writer.submit(write)


class Unrecorded(Record):
    """Stands in for a record where nothing can be charged.

    Args:
        abandon: hears of a task for which nobody waits any more, or whose result is here.
    """

    def __init__(self, width: int, height: int, abandon: Callable[[str], None]) -> None:
        self._abandon = abandon
        self._released = False
        self.entry = Entry(0, "", "", "", width, height, "new", None, None, None, None, None, 0.0, 0.0)

    def release(self) -> None:
        self.abandon()

    def abandon(self) -> None:
        self._released = True
        if self.entry.task_id is not None:
            self._abandon(self.entry.task_id)

    @property
    def file_id(self) -> str | None:
        return self.entry.file_id

    def mark_uploaded(self, file_id: str | None) -> None:
        self._write("uploaded", None, file_id=file_id)

    def mark_starting(self) -> None:
        pass

    def owns(self, task_id: str) -> bool:
        return True

    def result(self) -> Result | None:
        return None

    def keep(self, result: Result) -> None:
        """It is here: whoever has made it need not have it any more, nor its picture."""
        if self.entry.task_id is not None:
            self._abandon(self.entry.task_id)

    def keep_unusable(self, data: bytes) -> Path | None:
        return None

    def _note(
        self, step: str, request_id: str | None, traced: Callable[[Trace], None] | None = None, **fields: Any
    ) -> None:
        self.entry = replace(self.entry, **fields)
        if self._released and "task_id" in fields:
            # It was just being started.
            self.abandon()

    _write = _note
