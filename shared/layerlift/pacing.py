"""The service's limit on requests, kept by all processes of this user together.

The limit holds for the key and for the address, so one count in the shared database serves every host. Polls go first:
a task that is not polled in time is lost, so they are counted but never held back, and new work waits until there is
room for the polls of all tasks that run, at the time when they are due. A request counts a little longer than the
service says, which counts them as they arrive.
"""

from __future__ import annotations

import bisect
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from . import errors
from .database import Database

POLLS = 20
"""Requests that are kept free for each task that runs, where nobody knows better: those of half a minute."""
HEARD_SECONDS = 15.0
"""A task that nobody has polled for so long is not running any more."""
_LATE_POLLS = 1
"""Polls that are expected of a task that has had all that were."""
_JITTER_SECONDS = 0.1
_LOOK_SECONDS = 0.25
_TRAVEL_SECONDS = 0.5
"""By how much one request may be longer on its way than another."""

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
        self._seconds = seconds + min(_TRAVEL_SECONDS, seconds / 40)
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self.waiting = 0
        """How many requests of this process wait for room."""
        self._sleep = sleep
        self._clock = clock
        self._uniform = uniform
        self._writer = ThreadPoolExecutor(1)
        self.expect(POLLS)

    def expect(self, polls: int, seconds: float = 0.0) -> None:
        """From now on room is kept for so many polls of each task, up to half of all requests.

        Args:
            seconds: after its start they come.
        """
        self._polls = min(polls, self._requests // 2)
        self._until_polls = seconds

    def work(self) -> None:
        """Counts a request that may wait, after it has waited for its turn."""
        self._wait(None, 0)

    @contextmanager
    def task(self) -> Iterator[Callable[[str], None]]:
        """Counts the request that starts a task, after waiting until there is room for its polls too.

        What it gives is to be told the id of the task that was started: from then on it runs.
        """
        name = f"starting-{uuid.uuid4()}"
        self._wait(name, 1)
        try:
            yield lambda task_id: self._unfailing("UPDATE requests SET task = ? WHERE task = ?", task_id, name)
        finally:
            self.ended(name)

    def poll(self, task_id: str) -> None:
        """Counts a poll. It waits for nothing, not for the disk either, and never fails: the task would be lost."""
        self._unfailing("INSERT INTO requests VALUES (?, ?)", self._clock(), task_id)

    def ended(self, task_id: str) -> None:
        """The task needs no more polls."""
        self._unfailing("UPDATE requests SET task = NULL WHERE task = ?", task_id)

    def limited(self, seconds: float) -> None:
        """The service has refused a request as one too many: for so long nobody begins anything."""
        self._unfailing("INSERT INTO pauses VALUES (?)", self._clock() + seconds)

    def _wait(self, task: str | None, new: int) -> None:
        with self._counting:
            self.waiting += 1
        try:
            with self._turn:
                while (seconds := self._admitted(task, new)) > 0:
                    self._sleep(seconds + self._uniform(0, _JITTER_SECONDS))
        finally:
            with self._counting:
                self.waiting -= 1

    def _admitted(self, task: str | None, new: int) -> float:
        """Nought where the request was counted, else the seconds after which to ask again."""
        # What goes on beside counts before.
        self._writer.submit(int).result()
        now = self._clock()
        with self._database.writing() as writing:
            # Also what a clock that was set back has left in the future.
            writing.execute("DELETE FROM requests WHERE time <= ? OR time > ?", (now - self._seconds, now + 1))
            writing.execute("DELETE FROM pauses WHERE until <= ? OR until > ?", (now, now + self._seconds))
            (until,) = writing.execute("SELECT MAX(until) FROM pauses").fetchone()
            if until is not None:
                return float(until) - now
            times = [time for (time,) in writing.execute("SELECT time FROM requests ORDER BY time")]
            running = writing.execute(
                "SELECT MIN(time), COUNT(*) FROM requests WHERE task IS NOT NULL GROUP BY task HAVING MAX(time) > ?",
                (now - HEARD_SECONDS,),
            ).fetchall()
            if self._has_room(now, times, [*running, *[(now, 1)] * new]):
                writing.execute("INSERT INTO requests VALUES (?, ?)", (now, task))
                return 0.0
        soonest = times[0] + self._seconds - now if times else _LOOK_SECONDS
        # Room also comes by tasks that end.
        return max(0.01, min(soonest, _LOOK_SECONDS) if running else soonest)

    def _has_room(self, now: float, times: list[float], running: list[tuple[float, int]]) -> bool:
        """Whether one more request fits now, and all polls of the tasks that run when they are due.

        Args:
            times: when the requests that count were, oldest first.
            running: of each task the time of its first request and how many it has had.
        """
        due = sorted(
            max(now, started + self._until_polls)
            for started, had in running
            for _ in range(max(self._polls + 1 - had, _LATE_POLLS))
        )
        return all(
            len(times) - bisect.bisect(times, time - self._seconds) + 1 + polls <= self._requests
            for polls, time in enumerate([now, *due])
        )

    def _unfailing(self, statement: str, *values: object) -> None:
        def write() -> None:
            try:
                with self._database.writing() as writing:
                    writing.execute(statement, values)
            except errors.LayerliftError as error:
                _log.warning("A request was not counted: %s", error.message)

        self._writer.submit(write)
