"""The service's limit on requests, kept by all processes of this user together.

The limit holds for the key and for the address, so one count in the shared database serves every host. Polls go first:
a task that is not polled in time is lost, so they are counted but never held back, and new work waits until there is
room for the polls of all tasks that run.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from . import errors
from .database import Database

POLLS = 20
"""Requests that are kept free for each task that runs: those of half a minute."""
HEARD_SECONDS = 15.0
"""A task that nobody has polled for so long is not running any more."""
_JITTER_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Pacer:
    """Counts requests, and lets new work wait.

    Args:
        database: where all processes count.
        requests, seconds: at most so many in that time.
        sleep: waits for that many seconds, and may raise `Cancelled`.
        clock: seconds since 1970.
        uniform: a random number in [a, b].
    """

    def __init__(
        self,
        database: Database,
        requests: int,
        seconds: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._database = database
        self._requests = requests
        self._seconds = seconds
        self._sleep = sleep
        self._clock = clock
        self._uniform = uniform
        self._polls = min(POLLS, requests // 2)

    def work(self) -> None:
        """Counts a request that may wait, after it has waited for its turn."""
        self._wait(None, 0)

    @contextmanager
    def task(self) -> Iterator[None]:
        """Counts the request that starts a task, after waiting until there is room for its polls too."""
        name = f"starting-{uuid.uuid4()}"
        self._wait(name, 1)
        try:
            yield
        finally:
            self.ended(name)

    def poll(self, task_id: str) -> None:
        """Counts a poll. It never waits and never fails: the task would be lost."""
        self._unfailing("INSERT INTO requests VALUES (?, ?)", self._clock(), task_id)

    def ended(self, task_id: str) -> None:
        """The task needs no more polls."""
        self._unfailing("UPDATE requests SET task = NULL WHERE task = ?", task_id)

    def limited(self, seconds: float) -> None:
        """The service has refused a request as one too many: for so long nobody begins anything."""
        self._unfailing("INSERT INTO pauses VALUES (?)", self._clock() + seconds)

    def _wait(self, task: str | None, new: int) -> None:
        while (seconds := self._admitted(task, new)) > 0:
            self._sleep(seconds + self._uniform(0, _JITTER_SECONDS) * min(1.0, seconds))

    def _admitted(self, task: str | None, new: int) -> float:
        """Nought where the request was counted, else the seconds after which to ask again."""
        now = self._clock()
        with self._database.writing() as writing:
            # Also what a clock that was set back has left in the future.
            writing.execute("DELETE FROM requests WHERE time <= ? OR time > ?", (now - self._seconds, now + 1))
            writing.execute("DELETE FROM pauses WHERE until <= ? OR until > ?", (now, now + self._seconds))
            (until,) = writing.execute("SELECT MAX(until) FROM pauses").fetchone()
            if until is not None:
                return float(until) - now
            count, oldest = writing.execute("SELECT COUNT(*), MIN(time) FROM requests").fetchone()
            (running,) = writing.execute(
                "SELECT COUNT(DISTINCT task) FROM requests WHERE time > ?", (now - HEARD_SECONDS,)
            ).fetchone()
            if count + self._polls * (running + new) + (1 - new) <= self._requests:
                writing.execute("INSERT INTO requests VALUES (?, ?)", (now, task))
                return 0.0
        return max(0.05, min(1.0, float(oldest) + self._seconds - now)) if count else 1.0

    def _unfailing(self, statement: str, *values: object) -> None:
        try:
            with self._database.writing() as writing:
                writing.execute(statement, values)
        except errors.LayerliftError as error:
            _log.warning("A request was not counted: %s", error.message)
