"""What was paid for is never lost, and never paid for twice: every removal, written down step by step.

A step that can cost money is on the disk before it begins, and every answer is before the next step begins. So
whoever comes next - the same layer once more, another process, another host - goes on from the step that was reached.
One holder at a time works on a picture: its claim is a lock on a file, which the system frees when a process dies.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import errors
from ..imaging.tiles import fits
from . import database, locks, trace
from .cache import Cache
from .database import Database
from .entries import IN_DOUBT, REMOVAL, Entry, Result, Step
from .records import FILE_SECONDS, Record
from .trace import Start, Trace

KEPT_SECONDS = 90 * 86400.0
"""How long a removal that has ended is remembered after its alpha has gone."""

UNUSABLE_FILES = 5
"""How many results that can't be used are kept, for reports."""
_UNUSABLE = re.compile(r"[0-9a-f]{16}\.bin")

_ENDED = ("new", "uploaded", "kept", "deleted", "lost")


_RUN_SECONDS = 300.0
"""After so long a task that was started is written down with its name, or never is."""
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class _Busy(Exception):
    """Another holder has the claim."""


def _no_wait(seconds: float) -> None:
    raise _Busy


class Counts(NamedTuple):
    """How many removals somebody works on, how many have a result that can be fetched, how many may have been charged
    in vain; how many results are kept, and their bytes."""

    running: int = 0
    ready: int = 0
    in_doubt: int = 0
    kept: int = 0
    bytes: int = 0


def exists(folder: Path) -> bool:
    """Whether there is a journal, or what is left of one."""
    return any((folder / name).exists() for name in (database.NAME, trace.NAME))


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
        self,
        picture: str,
        engine: str,
        account: str,
        size: tuple[int, int],
        sleep: Callable[[float], None],
        task: str = REMOVAL,
        fields: str = "",
    ) -> Iterator[Record]:
        """The removal of a picture (a `digest`), for this holder alone; waits by `sleep` while another has it.

        Args:
            account: who pays where it is started.
            size: width and height of the upload.
            task, fields: as `Entry` has them.
        """
        with self._lock_claim(picture, sleep) as lock:
            with self._database.writing() as writing:
                writing.execute(
                    "INSERT OR IGNORE INTO removals"
                    " (picture, engine, account, width, height, state, created, task, fields)"
                    " VALUES (?, ?, ?, ?, ?, 'new', ?, ?, ?)",
                    (picture, engine, account, *size, self.clock(), task, fields),
                )
            entry = self._restore_task(self._entries("WHERE picture = ?", picture)[0])
            with closing(Record(self, entry, lock, account)) as record:
                yield record

    @contextmanager
    def claim_again(self, entry: Entry, sleep: Callable[[float], None]) -> Iterator[Record]:
        """A removal that is known, for this holder alone. It is read anew: another may have gone on with it."""
        with self._lock_claim(entry.picture, sleep) as lock:
            found = self._entries("WHERE id = ?", entry.id)
            with closing(Record(self, self._restore_task(found[0] if found else entry), lock, entry.account)) as record:
                yield record

    def add_alias(self, picture: str, entry: Entry) -> None:
        """Remembers another digest that leads to the same removal."""
        with self._database.writing() as writing:
            writing.execute("INSERT OR REPLACE INTO pictures VALUES (?, ?)", (picture, entry.id))

    def find_alias(self, picture: str) -> Entry | None:
        """The removal to which that other digest leads."""
        found = self._entries("WHERE id = (SELECT removal FROM pictures WHERE picture = ?)", picture)
        return found[0] if found else None

    def find_result(self, dst_id: str) -> Entry | None:
        """The run whose result the service has named so."""
        found = self._entries("WHERE dst_id = ?", dst_id)
        return found[-1] if found else None

    def entries(self) -> list[Entry]:
        """All removals, oldest first."""
        return self._entries("")

    def count(self) -> Counts:
        """What there is of each kind at this moment."""
        entries = self.entries()
        left = [entry for entry in entries if not self.is_claimed(entry)]
        ready = sum(self.can_fetch(entry) for entry in left)
        in_doubt = sum(entry.state in IN_DOUBT for entry in left)
        return Counts(len(entries) - len(left), ready, in_doubt, self.cache.count(), self.cache.size())

    def can_fetch(self, entry: Entry) -> bool:
        """Whether its task was started within the last day, and its result can still come. Older tasks are no longer
        known to the service."""
        is_recent = self.clock() - (entry.run_time or entry.created) < FILE_SECONDS
        return is_recent and entry.state in ("running", "done")

    def unfinished(self, account: str) -> list[Entry]:
        """The account's removals of the last day for which something may have been paid, and whose alpha has not come
        back. Older ones are no longer known to the service."""
        recent = self._entries("WHERE account = ? AND run_time > ?", account, self.clock() - FILE_SECONDS)
        return [entry for entry in recent if entry.state not in _ENDED]

    def undeleted(self, account: str) -> list[Entry]:
        """The account's removals of the last day whose alpha is here, and whose files the service still has."""
        recent = self._entries("WHERE account = ? AND run_time > ?", account, self.clock() - FILE_SECONDS)
        return [entry for entry in recent if entry.state == "kept" and not entry.keep]

    def mark_deleted(self, entry: Entry) -> None:
        """The service has deleted the files of a removal whose alpha is here."""
        with self._database.writing() as writing:
            found = "UPDATE removals SET state = 'deleted', file_id = NULL WHERE id = ? AND state = 'kept'"
            if writing.execute(found, (entry.id,)).rowcount:
                writing.execute("INSERT INTO steps VALUES (?, ?, 'deleted', NULL)", (entry.id, self.clock()))

    def steps(self, entry: Entry) -> list[Step]:
        """What was written down of a removal, oldest first."""
        rows = self._database.read(
            "SELECT time, step, request_id FROM steps WHERE removal = ? ORDER BY rowid", (entry.id,)
        )
        return [Step(*row) for row in rows]

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

    def result(self, entry: Entry) -> Result | None:
        """What came back for a run of any task: an alpha, or the files of pictures; None where it is not kept."""
        return self.alpha(entry) if entry.task == REMOVAL else self.cache.get_pictures(entry.picture)

    def keep(self, name: str, result: Result) -> bool:
        """Keeps a result under a `digest`; a disk that can't take it is told in the log alone."""
        try:
            if isinstance(result, list):
                self.cache.put_pictures(name, result)
            else:
                self.cache.put(name, result)
        except OSError as error:
            _log.warning("A result could not be kept: %s", error.strerror)
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
            with contextlib.suppress(_Busy), self._lock_claim(entry.picture, _no_wait):
                (now,) = self._entries("WHERE id = ?", entry.id)
                if not self.can_fetch(now) and (in_doubt or now.state not in IN_DOUBT):
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
            self.trace.add_start(start)
        except OSError as error:
            raise errors.make("disk", f"{self.trace.path} ({error.strerror})") from error

    def _restore_task(self, entry: Entry) -> Entry:
        """The entry with the task of a start that was named to a process which died before the database knew."""
        if entry.state not in ("starting", "unknown"):
            return entry
        start = self.trace.starts().get(entry.picture)
        if start is None or start.task_id is None or start.time != entry.run_time:
            return entry
        return self.write(entry.id, "running", self.clock(), None, {"state": "running", "task_id": start.task_id})

    def _lock_claim(self, picture: str, sleep: Callable[[float], None]) -> locks.Lock:
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
        self._forget([entry for entry in old if entry.state in _ENDED and not self.cache.has(entry.picture)])

    def _forget(self, entries: list[Entry]) -> None:
        if not entries:
            return
        for entry in entries:
            if entry.state not in ("new", "kept", "deleted"):
                with contextlib.suppress(OSError):
                    self.trace.add_end(entry.picture)
        with self._database.writing() as writing:
            for entry in entries:
                writing.execute("DELETE FROM removals WHERE id = ?", (entry.id,))
                writing.execute("DELETE FROM steps WHERE removal = ?", (entry.id,))
                writing.execute("DELETE FROM pictures WHERE removal = ?", (entry.id,))
