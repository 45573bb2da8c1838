"""What was paid for is never lost, and never paid for twice: every removal, written down step by step.

A step that can cost money is on the disk before it begins, and every answer is before the next step begins. So
whoever comes next - the same layer once more, another process, another host - goes on from the step that was reached.
One holder at a time works on a picture: its claim is a lock on a file, which the system frees when a process dies.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import errors, locks
from .cache import Cache
from .database import Database
from .entries import IN_DOUBT, Entry, Step
from .tiles import fits
from .trace import Start, Trace

FILE_SECONDS = 23 * 3600.0
"""How long a file id is used again. The service promises 24 hours."""
KEPT_SECONDS = 90 * 86400.0
"""How long a removal that has ended is remembered after its alpha has gone."""

UNUSABLE_FILES = 5
"""How many results that can't be used are kept, for reports."""
_UNUSABLE = re.compile(r"[0-9a-f]{16}\.bin")

_KNOWN = ("running", "refused", "done", "kept")
_ENDED = ("new", "uploaded", "kept", "deleted", "lost")


_RUN_SECONDS = 300.0
"""After so long a task that was started is written down with its name, or never is."""
_DISK_SECONDS = 0.2
"""How long a step waits to be written down before the polls go on: well within any polling interval."""
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class _Busy(Exception):
    """Another holder has the claim."""


def _no_wait(seconds: float) -> None:
    raise _Busy


class Record:
    """One removal while it is claimed: nobody else works on it.

    `uploaded` and `starting` come before anything is paid: they are on the disk when they return, and raise where they
    can't be. What comes later is paid for, and goes on where it can't be written; a disk or a process that keeps it
    waiting for long is left to it, and the polls go on beside.
    """

    def __init__(self, journal: Journal, entry: Entry, lock: locks.Lock, account: str) -> None:
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

    def uploaded(self, file_id: str | None) -> None:
        """The service has the file; None: it no longer has it."""
        state = "uploaded" if file_id else "new"
        self._write("uploaded", None, state=state, file_id=file_id, file_time=self._journal.clock())

    def starting(self) -> None:
        """The run call comes next."""
        self._submit(self._journal.learn_owners).result()
        entry, time = self.entry, self._journal.clock()
        start = Start(entry.picture, entry.engine, self._account, entry.width, entry.height, time)
        self._submit(lambda: self._journal.trace_start(start)).result()
        self._write("starting", None, state="starting", task_id=None, account=self._account, run_time=time)

    def owns(self, task_id: str) -> bool:
        """Whether a task that the service names for this removal's start is no other picture's."""
        return self._journal.owner(task_id, self.entry.picture) == self.entry.picture

    def free(self, reason: str, request_id: str | None) -> None:
        """Nothing is to be had from what was started, and nothing was charged for it: the next task is a new one."""
        self._note(f"free: {reason}", request_id, self._ended, state="uploaded", task_id=None)

    def unknown(self, request_id: str | None) -> None:
        """Nobody can say whether the run call was heard."""
        self._note("unknown", request_id, state="unknown")

    def running(self, task_id: str, request_id: str | None) -> None:
        """The task is known."""
        picture = self.entry.picture
        self._note(
            "running", request_id, lambda trace: trace.running(picture, task_id), state="running", task_id=task_id
        )

    def refused(self, request_id: str | None) -> None:
        """The service refuses to tell what became of the task, and the user hears of it now."""
        self._note("refused", request_id, state="refused")

    def done(self, dst_id: str | None, units: float, request_id: str | None) -> None:
        """The task has succeeded, and was charged."""
        self._note("done", request_id, state="done", dst_id=dst_id, units=units)

    def lost(self, code: str, request_id: str | None) -> None:
        """The service has forgotten the task, and the user hears of it now."""
        self._note(f"lost: {code}", request_id, state="lost")

    def alpha(self) -> NDArray[np.uint8] | None:
        """The alpha that came back, at most at the upload's size, None where it is not kept."""
        return self._journal.alpha(self.entry)

    def keep(self, alpha: NDArray[np.uint8]) -> None:
        """Keeps the alpha that came back."""
        if self._journal.keep(self.entry.picture, alpha):
            self._note("kept", None, self._ended, state="kept")

    def keep_unusable(self, data: bytes) -> Path | None:
        """Keeps what came in place of a result, for a report; returns where, None where that is not possible."""
        return self._journal.keep_unusable(self.entry, data) if data else None

    def _ended(self, trace: Trace) -> None:
        trace.ended(self.entry.picture)

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
    """Stands in for a record where nothing can be charged."""

    def __init__(self, width: int, height: int) -> None:
        self.entry = Entry(0, "", "", "", width, height, "new", None, None, None, None, None, 0.0, 0.0)

    def release(self) -> None:
        pass

    @property
    def file_id(self) -> str | None:
        return self.entry.file_id

    def uploaded(self, file_id: str | None) -> None:
        self._write("uploaded", None, file_id=file_id)

    def starting(self) -> None:
        pass

    def owns(self, task_id: str) -> bool:
        return True

    def alpha(self) -> NDArray[np.uint8] | None:
        return None

    def keep(self, alpha: NDArray[np.uint8]) -> None:
        pass

    def keep_unusable(self, data: bytes) -> Path | None:
        return None

    def _note(
        self, step: str, request_id: str | None, traced: Callable[[Trace], None] | None = None, **fields: Any
    ) -> None:
        self.entry = replace(self.entry, **fields)

    _write = _note


class Journal:
    """The removals of one user, shared by all processes.

    Args:
        folder: where the state is.
        clock: seconds since 1970.
        cache: where the alphas are.

    All methods may raise what `Database` raises.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time, cache: Cache | None = None) -> None:
        self.clock = clock
        self.cache = cache or Cache(folder / "results")
        self.trace = Trace(folder)
        self._owners: dict[str, str] = {}
        self._learned = 0.0
        self._claims = folder / "claims"
        self._unusable = folder / "unusable"
        self._database = Database(folder, synced=True)
        self._forget_old()

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def claim(
        self, picture: str, engine: str, account: str, size: tuple[int, int], sleep: Callable[[float], None]
    ) -> Iterator[Record]:
        """The removal of a picture (a `digest`), for this holder alone; waits by `sleep` while another has it.

        Args:
            account: who pays where it is started.
            size: width and height of the upload.
        """
        with self._claimed(picture, sleep) as lock:
            with self._database.writing() as writing:
                writing.execute(
                    "INSERT OR IGNORE INTO removals (picture, engine, account, width, height, state, created)"
                    " VALUES (?, ?, ?, ?, ?, 'new', ?)",
                    (picture, engine, account, *size, self.clock()),
                )
            entry = self._traced(self._entries("WHERE picture = ?", picture)[0])
            with closing(Record(self, entry, lock, account)) as record:
                yield record

    @contextmanager
    def claim_again(self, entry: Entry, sleep: Callable[[float], None]) -> Iterator[Record]:
        """A removal that is known, for this holder alone. It is read anew: another may have gone on with it."""
        with self._claimed(entry.picture, sleep) as lock:
            found = self._entries("WHERE id = ?", entry.id)
            with closing(Record(self, self._traced(found[0] if found else entry), lock, entry.account)) as record:
                yield record

    def also(self, picture: str, entry: Entry) -> None:
        """Remembers another digest that leads to the same removal."""
        with self._database.writing() as writing:
            writing.execute("INSERT OR REPLACE INTO pictures VALUES (?, ?)", (picture, entry.id))

    def known_as(self, picture: str) -> Entry | None:
        """The removal to which that other digest leads."""
        found = self._entries("WHERE id = (SELECT removal FROM pictures WHERE picture = ?)", picture)
        return found[0] if found else None

    def entries(self) -> list[Entry]:
        """All removals, oldest first."""
        return self._entries("")

    def unfinished(self, account: str) -> list[Entry]:
        """The account's removals of the last day for which something may have been paid, and whose alpha has not come
        back. Older ones are no longer known to the service."""
        recent = self._entries("WHERE account = ? AND run_time > ?", account, self.clock() - FILE_SECONDS)
        return [entry for entry in recent if entry.state not in _ENDED]

    def undeleted(self, account: str) -> list[Entry]:
        """The account's removals of the last day whose alpha is here, and whose files the service still has."""
        recent = self._entries("WHERE account = ? AND run_time > ?", account, self.clock() - FILE_SECONDS)
        return [entry for entry in recent if entry.state == "kept"]

    def deleted(self, entry: Entry) -> None:
        """The service has deleted the files of a removal whose alpha is here."""
        with self._database.writing() as writing:
            found = "UPDATE removals SET state = 'deleted', file_id = NULL WHERE id = ? AND state = 'kept'"
            if writing.execute(found, (entry.id,)).rowcount:
                writing.execute("INSERT INTO steps VALUES (?, ?, 'deleted', NULL)", (entry.id, self.clock()))

    def steps(self, entry: Entry) -> list[Step]:
        """What was written down of a removal, oldest first."""
        found = "SELECT time, step, request_id FROM steps WHERE removal = ? ORDER BY rowid"
        return [Step(*row) for row in self._database.read(found, (entry.id,))]

    def is_claimed(self, entry: Entry) -> bool:
        """Whether somebody works on it at this moment."""
        return locks.is_held(self._claims / entry.picture)

    def task_ids(self) -> set[str]:
        """All tasks that are known."""
        return {entry.task_id for entry in self.entries() if entry.task_id}

    def learn_owners(self) -> None:
        """Reads whose tasks were started since the last time: `owner` waits for no disk, as polls are due when it is
        asked."""
        since, self._learned = self._learned - _RUN_SECONDS, self.clock()
        for entry in self._entries("WHERE task_id IS NOT NULL AND (run_time IS NULL OR run_time > ?)", since):
            if entry.task_id:
                self._owners[entry.task_id] = entry.picture

    def owner(self, task_id: str, picture: str) -> str:
        """The picture that a task was first named for: this one, where it was named for none."""
        return self._owners.setdefault(task_id, picture)

    def alpha(self, entry: Entry) -> NDArray[np.uint8] | None:
        """The alpha that came back for a removal, at most at the upload's size, None where it is not kept. Its name
        says whose it is, so that it also serves where the record of it was lost."""
        found = self.cache.get(entry.picture)
        return found if found is not None and fits(found.shape[::-1], (entry.width, entry.height)) else None

    def keep(self, name: str, alpha: NDArray[np.uint8]) -> bool:
        """Keeps an alpha under a `digest`; a disk that can't take it is told in the log alone."""
        try:
            self.cache.put(name, alpha)
        except OSError as error:
            _log.warning("An alpha could not be kept: %s", error.strerror)
            return False
        return True

    def keep_unusable(self, entry: Entry, data: bytes) -> Path | None:
        """Keeps bytes that came for a removal and can't be used; of all such the last few."""
        path = self._unusable / f"{entry.picture[:16]}.bin"
        try:
            self._unusable.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(data)
            kept = [file for file in self._unusable.iterdir() if _UNUSABLE.fullmatch(file.name)]
            for old in sorted(kept, key=lambda file: file.stat().st_mtime)[:-UNUSABLE_FILES]:
                old.unlink()
        except OSError as error:
            _log.warning("A result that can't be used could not be kept: %s", error.strerror)
            return None
        return path

    def clear(self, *, in_doubt: bool = False) -> tuple[int, int]:
        """Forgets all removals but those that are worked on or in doubt, or whose task was started within the last day
        and may still run, and all alphas; returns how many of each.

        Args:
            in_doubt: whether those in doubt are forgotten too: the same pictures are then started, and paid, anew.
        """
        gone = 0
        for entry in self.entries():
            with contextlib.suppress(_Busy), self._claimed(entry.picture, _no_wait):
                (now,) = self._entries("WHERE id = ?", entry.id)
                is_recent = self.clock() - (now.run_time or now.created) < FILE_SECONDS
                runs = now.state in ("running", "done") and is_recent
                if not runs and (in_doubt or now.state not in IN_DOUBT):
                    self._forget([entry])
                    gone += 1
        return gone, self.cache.clear()

    def write(self, removal: int, step: str, time: float, request_id: str | None, fields: dict[str, object]) -> Entry:
        """Writes a step and what it changes; returns the removal as it is then."""
        with self._database.writing() as writing:
            if fields:
                changes = ", ".join(f"{name} = ?" for name in fields)
                writing.execute(f"UPDATE removals SET {changes} WHERE id = ?", (*fields.values(), removal))
            writing.execute("INSERT INTO steps VALUES (?, ?, ?, ?)", (removal, time, step, request_id))
        return self._entries("WHERE id = ?", removal)[0]

    def trace_start(self, start: Start) -> None:
        """Writes down that a run call comes next, for where the database is lost."""
        try:
            self.trace.started(start)
        except OSError as error:
            raise errors.make("disk", f"{self.trace.path} ({error.strerror})") from error

    def _traced(self, entry: Entry) -> Entry:
        """The entry with the task of a start that was named to a process which died before the database knew."""
        if entry.state not in ("starting", "unknown"):
            return entry
        start = self.trace.starts().get(entry.picture)
        if start is None or start.task_id is None or start.time != entry.run_time:
            return entry
        return self.write(entry.id, "running", self.clock(), None, {"state": "running", "task_id": start.task_id})

    def _claimed(self, picture: str, sleep: Callable[[float], None]) -> locks.Lock:
        try:
            self._claims.mkdir(mode=0o700, parents=True, exist_ok=True)
            return locks.Lock(self._claims / picture, sleep)
        except OSError as error:
            raise errors.make("disk", f"{self._claims} ({error.strerror})") from error

    def _entries(self, where: str, *values: object) -> list[Entry]:
        found = f"SELECT {', '.join(Entry.__dataclass_fields__)} FROM removals {where} ORDER BY id"
        return [Entry(*row) for row in self._database.read(found, values)]

    def _forget_old(self) -> None:
        old = self._entries("WHERE created < ?", self.clock() - KEPT_SECONDS)
        self._forget([entry for entry in old if entry.state in _ENDED and not self.cache.path(entry.picture).exists()])

    def _forget(self, entries: list[Entry]) -> None:
        if not entries:
            return
        for entry in entries:
            if entry.state not in ("new", "kept", "deleted"):
                with contextlib.suppress(OSError):
                    self.trace.ended(entry.picture)
        with self._database.writing() as writing:
            for entry in entries:
                writing.execute("DELETE FROM removals WHERE id = ?", (entry.id,))
                writing.execute("DELETE FROM steps WHERE removal = ?", (entry.id,))
                writing.execute("DELETE FROM pictures WHERE removal = ?", (entry.id,))
