"""When to look at a running task.

The service gives a task up that is not polled within its polling interval, and charges for it all the same. So polls
come early and often at first, stay well within the interval whether the one before was answered or not, and go on
through every failure that is not the service's own last word.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from . import errors
from .answers import Task, TaskState
from .service import Service

DEADLINE_SECONDS = 600.0
DEFAULT_INTERVAL_SECONDS = 2.0
FIRST_DELAYS = (0.25, 0.25, 0.3, 0.4, 0.6, 0.8)
SAFETY = 0.75
REPLY_SECONDS = 10.0
REPEAT_SECONDS = 0.25


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
        waiting: is told the seconds since the start before every poll, and may raise `Cancelled`.

    Raises:
        MayBeCharged: the deadline passed (``deadline``).
        AuthError, ServiceError: the service's last word, such as ``InvalidTaskId``.
    """
    started = clock()
    interval = task.polling_interval or DEFAULT_INTERVAL_SECONDS
    delays = iter(FIRST_DELAYS)
    looks = _Looks(service, task.task_id)
    failures = 0
    while True:
        polled = clock()
        if waiting is not None:
            waiting(polled - started)
        if polled - started > deadline:
            raise errors.make("deadline")
        looks.start()
        delay = next(delays, interval)
        while (left := polled + min(delay, interval * SAFETY) - clock()) > 0:
            if not looks.open:
                sleep(left)
                continue
            found = looks.answer(left)
            if isinstance(found, TaskState):
                if found.status != "running":
                    return found
                interval = found.polling_interval or interval
                failures = 0
            elif found is not None:
                if not _passing(found):
                    raise found
                failures += 1
                delay = min(delay, clock() - polled + _pause(interval, failures))


def _pause(interval: float, failures: int) -> float:
    """Until the next poll after so many that failed: at first short, so that one more still comes in time."""
    return float(min(REPEAT_SECONDS, interval / 16) * 2 ** min(failures - 1, 8))


class _Looks:
    """Polls in threads of their own: one that is slow to be answered must not keep the next one from its time."""

    def __init__(self, service: Service, task_id: str) -> None:
        self._service = service
        self._task_id = task_id
        self._answers: queue.SimpleQueue[TaskState | errors.LayerliftError] = queue.SimpleQueue()
        self.open = 0
        """How many are not yet answered."""

    def start(self) -> None:
        self.open += 1
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        try:
            self._answers.put(self._service.poll(self._task_id, seconds=REPLY_SECONDS))
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


def _passing(error: errors.LayerliftError) -> bool:
    """Whether polling goes on: the service has not said its last word on the task."""
    return error.retry or error.code in ("bad_answer", "tls")
