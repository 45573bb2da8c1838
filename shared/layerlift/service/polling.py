"""When to look at a running task.

The service gives a task up that is not polled within its polling interval, and charges for it all the same. So polls
come early and often at first, stay well within the interval whether the one before was answered or not, and go on
through every failure that is not the service's own last word.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

from .. import errors
from .answers import Task, TaskState
from .service import Service

DEADLINE_SECONDS = 600.0
DEFAULT_INTERVAL_SECONDS = 2.0
FIRST_DELAYS = (0.25, 0.25, 0.3, 0.4, 0.6, 0.8)
SAFETY = 0.75
LATEST = 0.9
"""Of the interval, up to where a poll may wait for room in the limit."""
REPLY_SECONDS = 10.0
REPEAT_SECONDS = 0.25
_MISSING_LOOKS = 4
"""Polls in a row after which a success that names no result is the service's last word."""
_SCOUTS = 32
"""One task of so many is looked at early, to see whether tasks have become shorter."""
_EARLY = 0.7
_SCOUT_DELAYS = (0.45, 0.7, 0.8, 1.1)
_SPARE = 1.1
"""How much longer than those before it a task may take and still be looked at but once."""
_LATE_SECONDS = (0.3, 0.5)
"""Between the polls of a task that takes longer than expected."""


def wait(
    service: Service,
    task: Task,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    deadline: float = DEADLINE_SECONDS,
    waiting: Callable[[float], None] | None = None,
) -> TaskState:
    """Polls until the task has ended, and returns its last state (success or error).

    Args:
        sleep: waits for that many seconds between an answer and the next poll, and may raise `Cancelled`.
        clock: seconds, never going back.
        deadline: seconds after which the task is given up.
        waiting: is called with the seconds since the start before every poll, and may raise `Cancelled`.

    Raises:
        MayBeCharged: the deadline passed (``deadline``).
        AuthError, ServiceError: the service's last word, such as ``InvalidTaskId``.
    """
    schedule = _Schedule(task, (0.0, *FIRST_DELAYS), clock(), deadline)
    looks = _Looks(service, task.task_id)
    while True:
        now = clock()
        if waiting is not None:
            waiting(now - schedule.started)
        schedule.begin_poll(now)
        looks.start(schedule.spare)
        while (left := schedule.due - clock()) > 0:
            if not looks.open:
                sleep(left)
                continue
            found = looks.answer(left)
            if found is not None:
                if (state := schedule.take(found, clock())) is not None:
                    return state
                service.learn_gap(schedule.gap)


class _Schedule:
    """When a task is to be polled, by what came of the polls before.

    `delays` are seconds: of the first poll after the start, then from poll to poll. Where one is longer than the
    service's interval allows, polls are put in; after the last one there is one an interval.
    """

    def __init__(self, task: Task, delays: Iterable[float], now: float, deadline: float) -> None:
        self.started = self._polled = self._reached = now
        self.polls = 0
        self.running = 0.0
        """Seconds after the start at which it was last seen to run."""
        self._interval = task.polling_interval
        self.supposed = DEFAULT_INTERVAL_SECONDS
        """The interval that counts until the service tells the task's own."""
        self._deadline = deadline
        self._delays = iter(delays)
        self._delay = next(self._delays)
        self._failures = 0

    @property
    def gap(self) -> float:
        """The longest time in seconds from poll to poll."""
        return (self._interval or self.supposed) * SAFETY

    @property
    def spare(self) -> float:
        """For how many seconds the poll that has begun may wait, by the last one that was answered."""
        return max(0.0, self._reached + (self._interval or self.supposed) * LATEST - self._polled)

    @property
    def due(self) -> float:
        """When the next poll is to be."""
        return self._polled + min(self._delay, self.gap)

    def begin_poll(self, now: float) -> None:
        """A poll begins. Raises `MayBeCharged` after the deadline."""
        if now - self.started > self._deadline:
            raise errors.make("deadline")
        self.polls += 1
        left = self._delay - self.gap
        self._polled, self._delay = now, left if left > 0 else next(self._delays, self.gap)

    def take(self, found: TaskState | errors.LayerliftError, now: float) -> TaskState | None:
        """A poll's answer or failure; returns the task's last state. Raises the service's last word."""
        if isinstance(found, TaskState):
            if found.status != "running":
                return found
            self._reached = self._polled
            self.running = self._polled - self.started
            self._interval = found.polling_interval or self._interval
            self._failures = 0
        else:
            self._failures += 1
            if not _is_passing(found) or (found.code == "result_missing" and self._failures >= _MISSING_LOOKS):
                raise found
            self._delay = min(self._delay, now - self._polled + _pause(self.gap, self._failures))
        return None


class Poller:
    """Polls many tasks from one thread, each when it is due, and as seldom as the law allows.

    How long a task runs is learned from those before it, as is the service's interval: the next one is polled when it
    should have ended. Until that is known, the first task is looked at as often as a single one, and the others at the
    interval. One that takes longer is looked at again soon, unless other requests wait for room in the limit.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._changed = threading.Condition()
        self._watched: dict[_Schedule, tuple[str, Future[TaskState]]] = {}
        self._expected: float | None = None
        self._interval = DEFAULT_INTERVAL_SECONDS
        self._heard = False
        self._number = 0
        self._serving = False

    def watch(self, task: Task) -> Future[TaskState]:
        """Polls the task until it has ended; returns its last state, or the errors of `wait`."""
        end: Future[TaskState] = Future()
        with self._changed:
            schedule = _Schedule(task, self._delays(first=not self._watched), time.monotonic(), DEADLINE_SECONDS)
            schedule.supposed = self._interval
            self._watched[schedule] = task.task_id, end
            self._number += 1
            self._changed.notify()
            if not self._serving:
                self._serving = True
                threading.Thread(target=self._serve, daemon=True).start()
        return end

    def _delays(self, *, first: bool) -> Iterator[float]:
        if not self._heard:
            yield FIRST_DELAYS[0]
        if self._expected is None:
            yield from _SCOUT_DELAYS if first else (DEADLINE_SECONDS,)
        elif self._number % _SCOUTS:
            yield self._expected
        else:
            yield self._expected * _EARLY
            yield self._expected * (1 - _EARLY)
        for delay in _LATE_SECONDS:
            if not self._service.waiting:
                yield delay
        yield DEADLINE_SECONDS

    def _serve(self) -> None:
        with self._changed:
            while self._watched:
                now = time.monotonic()
                for schedule in [schedule for schedule in self._watched if schedule.due <= now]:
                    self._poll(schedule, now)
                soonest = min((schedule.due for schedule in self._watched), default=now)
                self._changed.wait(max(0.0, soonest - time.monotonic()))
            self._serving = False

    def _poll(self, schedule: _Schedule, now: float) -> None:
        task_id, end = self._watched[schedule]
        try:
            schedule.begin_poll(now)
        except errors.LayerliftError as error:
            del self._watched[schedule]
            end.set_exception(error)
            return
        self._plan(schedule.polls, schedule.gap)
        arguments = (schedule, task_id, end, now, schedule.spare)
        threading.Thread(target=self._look, args=arguments, daemon=True).start()

    def _plan(self, polls: int, gap: float) -> None:
        """Has the limit keep room for as many polls as a task should take, or one has taken."""
        if self._expected is not None:
            self._service.expect(max(polls, math.ceil(self._expected / gap)), min(self._expected, gap))

    def _look(self, schedule: _Schedule, task_id: str, end: Future[TaskState], polled: float, spare: float) -> None:
        found: TaskState | errors.LayerliftError
        try:
            found = self._service.poll(task_id, seconds=REPLY_SECONDS, spare=spare)
        except errors.LayerliftError as error:
            found = error
        with self._changed:
            if schedule not in self._watched:
                return
            if isinstance(found, TaskState):
                self._interval, self._heard = found.polling_interval or self._interval, True
                for other in self._watched:
                    other.supposed = self._interval
                self._service.learn_gap(self._interval * SAFETY)
            try:
                state = schedule.take(found, time.monotonic())
            except errors.LayerliftError as error:
                del self._watched[schedule]
                end.set_exception(error)
            else:
                if state is not None:
                    del self._watched[schedule]
                    if state.status == "success":
                        self._learn(schedule, polled - schedule.started)
                    end.set_result(state)
            self._changed.notify()

    def _learn(self, schedule: _Schedule, took: float) -> None:
        """A task took at most so many seconds, and more than at the poll before."""
        if self._expected is None or took * _SPARE < self._expected:
            self._expected = took * _SPARE
        elif schedule.running >= self._expected:
            self._expected += (took - self._expected) / 4
        self._plan(1, schedule.gap)


def _pause(gap: float, failures: int) -> float:
    """Until the next poll after so many that failed: at first short, so that one more still comes in time."""
    return float(min(REPEAT_SECONDS, gap / 12) * 2 ** min(failures - 1, 8))


class _Looks:
    """Polls in threads of their own: one that is slow to be answered must not keep the next one from its time."""

    def __init__(self, service: Service, task_id: str) -> None:
        self._service = service
        self._task_id = task_id
        self._answers: queue.SimpleQueue[TaskState | errors.LayerliftError] = queue.SimpleQueue()
        self.open = 0
        """How many are not yet answered."""

    def start(self, spare: float) -> None:
        """Begins one, which may wait for `spare` seconds for room in the limit."""
        self.open += 1
        threading.Thread(target=self._look, args=(spare,), daemon=True).start()

    def _look(self, spare: float) -> None:
        try:
            self._answers.put(self._service.poll(self._task_id, seconds=REPLY_SECONDS, spare=spare))
        except errors.LayerliftError as error:
            self._answers.put(error)

    def answer(self, seconds: float) -> TaskState | errors.LayerliftError | None:
        """The next answer or failure, None where there is none in that time."""
        try:
            found = self._answers.get(timeout=seconds)
        except queue.Empty:
            return None
        self.open -= 1
        return found


def _is_passing(error: errors.LayerliftError) -> bool:
    """Whether polling goes on: the service has not said its last word on the task."""
    return error.retry or error.code in ("bad_answer", "tls")
