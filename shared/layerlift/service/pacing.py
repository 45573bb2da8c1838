"""The service's limits on requests, in minutes and in a second, kept by all processes of this user together.

They hold for the key and for the address, so one count in the shared database serves every host. Polls go first: a
task that is not polled in time is lost. So they are counted and waited for, and new work waits until there is room for
the polls of all tasks that run, at the time when they are due. A poll that would be one too many in a second waits as
long as it is still in time, by what this process knows without waiting for the disk. A request counts a little longer
than the service says, which counts them as they arrive.
"""

from __future__ import annotations

import bisect
import logging
import random
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import NamedTuple

from .. import errors
from ..store.database import Database

POLLS = 20
"""Requests that are kept free for each task that runs, where nobody knows better: those of half a minute."""
HEARD_SECONDS = 15.0
"""A task that nobody has polled for so long is not running any more."""
PER_SECOND = 5
"""Requests that the service takes in a second."""
GAP_SECONDS = 1.5
"""From poll to poll of a task, where nobody knows better."""
SHORTEST_SECONDS = 0.375
"""The same, where the service wants it most often: of its least interval, as `polling` has it."""
_LATE_POLLS = 1
"""Polls that are expected of a task that has had all that were."""
_JITTER_SECONDS = 0.1
_LOOK_SECONDS = 0.25
_LEAST_SECONDS = 0.01
_TRAVEL_SECONDS = 0.5
"""By how much one request may be longer on its way than another."""
_BURST_TRAVEL_SECONDS = 0.25
"""The same within a second, where more would cost speed, and a rare request too many is only repeated."""

_log = logging.getLogger(__name__)


class Pacer:
    """Counts requests, and lets new work wait.

    Args:
        database: where all processes count.
        requests, seconds: at most so many in that time.
        per_second: at most so many in a second besides, unless `seconds` is no more than one.
        hold: waits for that many seconds, whatever anybody wishes: for polls.
        clock: seconds since 1970.
        uniform: a random number in [a, b].
    """

    def __init__(
        self,
        database: Database,
        requests: int,
        seconds: float,
        *,
        per_second: int = PER_SECOND,
        hold: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._database = database
        self._requests = requests
        self._seconds = seconds + min(_TRAVEL_SECONDS, seconds / 40)
        self._per_second, self._second = per_second, 1.0 + _BURST_TRAVEL_SECONDS
        if seconds <= 1.0:
            self._per_second, self._second = requests, self._seconds
        self._written: list[float] = []
        """When the last requests of all processes were, as far as they were in the database when it was last seen."""
        self._unwritten: list[float] = []
        """When the polls of this process were that are on their way there."""
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self.waiting = 0
        """How many requests of this process wait for room."""
        self._hold = hold
        self._gap: float | None = None
        self._mine: dict[str, float] = {}
        """The tasks that this process has started, and when it asked for each the last time."""
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

    def learn_gap(self, gap: float) -> None:
        """The service has said how often it wants tasks to be polled: that many seconds are from one poll to the next.
        Before, so few are started here that it may want it most often."""
        self._gap = gap

    def work(self, sleep: Callable[[float], None]) -> None:
        """Counts a request that may wait, after it has waited for its turn by `sleep`, which may raise `Cancelled`."""
        self._wait(None, 0, sleep)

    @contextmanager
    def task(self, sleep: Callable[[float], None]) -> Iterator[Callable[[str], None]]:
        """Counts the request that starts a task, after waiting until there is room for its polls too.

        What it gives is to be told the id of the task that was started: from then on it runs.
        """
        name = f"starting-{uuid.uuid4()}"
        self._wait(name, 1, sleep)

        def started(task_id: str) -> None:
            self._mine[task_id] = self._clock()
            self._write_in_turn("UPDATE requests SET task = ? WHERE task = ?", task_id, name)

        try:
            yield started
        finally:
            self.forget(name)

    def poll(self, task_id: str, spare: float = 0.0) -> None:
        """Counts a poll, after waiting for room in this second, but for no longer than `spare` seconds. It waits for
        nothing else, not for the disk either, and never fails: the task would be lost."""
        latest = self._clock() + spare
        while (seconds := self._count_poll(task_id, latest)) > 0:
            self._hold(seconds)

    def forget(self, task_id: str) -> None:
        """The task needs no more polls."""
        self._mine.pop(task_id, None)
        self._write_in_turn("UPDATE requests SET task = NULL WHERE task = ?", task_id)

    def pause(self, seconds: float) -> None:
        """The service has refused a request as one too many: for so long nobody begins anything."""
        self._write_in_turn("INSERT INTO pauses VALUES (?)", self._clock() + seconds)

    def _wait(self, task: str | None, new: int, sleep: Callable[[float], None]) -> None:
        with self._counting:
            self.waiting += 1
        try:
            with self._turn:
                while (seconds := self._admit(task, new)) > 0:
                    sleep(seconds + self._uniform(0, _JITTER_SECONDS))
        finally:
            with self._counting:
                self.waiting -= 1

    def _count_poll(self, task_id: str, latest: float) -> float:
        """Nought where the poll was counted, else the seconds after which to ask again."""
        with self._counting:
            now = self._clock()
            self._unwritten = [time for time in self._unwritten if now - self._second < time <= now + 1]
            known = sorted(self._unwritten + [time for time in self._written if now - self._second < time <= now + 1])
            if now < latest and len(known) >= self._per_second:
                return max(_LEAST_SECONDS, min(known[-self._per_second] + self._second, latest) - now)
            self._unwritten.append(now)
            if task_id in self._mine:
                self._mine[task_id] = now
        self._write_in_turn("INSERT INTO requests VALUES (?, ?)", now, task_id, poll=now)
        return 0.0

    def _admit(self, task: str | None, new: int) -> float:
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
            running = [
                _Running(*row)
                for row in writing.execute(
                    "SELECT MIN(time), MAX(time), COUNT(*) FROM requests WHERE task IS NOT NULL GROUP BY task"
                    " HAVING MAX(time) > ?",
                    (now - HEARD_SECONDS,),
                )
            ]
            tasks = [*running, *[_Running(now, now, 1)] * new]
            in_time = self._has_room(now, times, tasks)
            if in_time and self._has_room_now(now, times, tasks, starts=new > 0):
                writing.execute("INSERT INTO requests VALUES (?, ?)", (now, task))
                with self._counting:
                    self._see(writing)
                    if task is not None:
                        self._mine[task] = now
                return 0.0
        if in_time:
            soonest = min((time for time in times if time > now - self._second), default=now) + self._second - now
        else:
            soonest = times[0] + self._seconds - now if times else _LOOK_SECONDS
        # Room also comes by tasks that end.
        return max(_LEAST_SECONDS, min(soonest, _LOOK_SECONDS) if running else soonest)

    def _has_room(self, now: float, times: list[float], running: list[_Running]) -> bool:
        """Whether one more request fits now, and all polls of the tasks that run when they are due.

        Args:
            times: when the requests that count were, oldest first.
        """
        due = [
            max(now, task.first + self._until_polls)
            for task in running
            for _ in range(max(self._polls + 1 - task.requests, _LATE_POLLS))
        ]
        return _fits(now, times, due, self._requests, self._seconds)

    def _has_room_now(self, now: float, times: list[float], running: list[_Running], *, starts: bool) -> bool:
        """The same for the limit in a second, and whether the polls leave some of each second to others where one more
        task starts."""
        gap = self._gap or GAP_SECONDS
        polls = len(running) * self._second / gap
        if self._gap is None:
            mine = sum(asked > now - HEARD_SECONDS for asked in list(self._mine.values()))
            polls = max(polls, (mine + 1) * self._second / SHORTEST_SECONDS)
        if starts and len(running) > 1 and polls > self._per_second - 1:
            return False
        due = []
        for task in running:
            poll = max(now, task.first + self._until_polls if task.requests == 1 else task.last + gap)
            while poll <= now + self._second:
                due.append(poll)
                poll += gap
        # All but one place at most, or nothing would ever begin.
        return _fits(now, times, sorted(due)[: self._per_second - 1], self._per_second, self._second)

    def _see(self, writing: sqlite3.Connection) -> None:
        """Notes the last requests of all processes, for polls."""
        recent = writing.execute("SELECT time FROM requests WHERE time > ?", (self._clock() - self._second,))
        self._written = [time for (time,) in recent]

    def _write_in_turn(self, statement: str, *values: object, poll: float | None = None) -> None:
        def write() -> None:
            try:
                with self._database.writing() as writing:
                    writing.execute(statement, values)
                    with self._counting:
                        self._see(writing)
                        if poll in self._unwritten:
                            self._unwritten.remove(poll)
            except errors.LayerliftError as error:
                _log.warning("A request was not counted: %s", error.message)

        # At the end of the program no thread is begun any more, while others may still poll.
        with suppress(RuntimeError):
            self._writer.submit(write)


class _Running(NamedTuple):
    """A task that runs: when its first and its last request were, and how many it has had."""

    first: float
    last: float
    requests: int


def _fits(now: float, times: list[float], due: list[float], requests: int, seconds: float) -> bool:
    """Whether one more request fits now, and those that are due when they are.

    Args:
        times: when the requests that count were, oldest first.
        requests, seconds: at most so many in that time.
    """
    return all(
        len(times) - bisect.bisect(times, time - seconds) + 1 + polls <= requests
        for polls, time in enumerate([now, *sorted(due)])
    )
