"""When to look at a running task.

The service gives a task up that is not polled within its polling interval, and charges for it all the same. So polls
come early and often at first, stay well within the interval, and go on through every failure that is not the service's
own last word.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from . import errors
from .answers import Task, TaskState
from .service import Service

DEADLINE_SECONDS = 600.0
DEFAULT_INTERVAL_SECONDS = 2.0
FIRST_DELAYS = (0.25, 0.25, 0.3, 0.4, 0.6, 0.8)
SAFETY = 0.75
_REPLY_SECONDS = (1.0, 10.0)


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
        sleep: waits for that many seconds, and may raise `Cancelled`.
        clock: seconds, never going back.
        deadline: seconds after which the task is given up.
        waiting: is told the seconds since the start before every poll.

    Raises:
        MayBeCharged: the deadline passed (``deadline``).
        AuthError, ServiceError: the service's last word, such as ``InvalidTaskId``.
    """
    started = clock()
    interval = task.polling_interval or DEFAULT_INTERVAL_SECONDS
    delays = iter(FIRST_DELAYS)
    silent = 0
    while True:
        polled = clock()
        if waiting is not None:
            waiting(polled - started)
        if polled - started > deadline:
            raise errors.make("deadline")
        try:
            state = service.poll(task.task_id, seconds=_reply_seconds(interval, silent))
        except errors.LayerliftError as error:
            if not _passing(error):
                raise
            silent += 1
        else:
            if state.status != "running":
                return state
            interval = state.polling_interval or interval
            silent = 0
        delay = min(next(delays, interval), interval * SAFETY)
        sleep(max(0.0, polled + delay - clock()))


def _reply_seconds(interval: float, silent: int) -> float:
    """How long to wait for one answer: within the interval, so that a lost poll is repeated on time, and longer after
    each silence, so that a slow service is heard in the end."""
    shortest, longest = _REPLY_SECONDS
    return min(longest, max(shortest, interval * SAFETY) * 1.5**silent)


def _passing(error: errors.LayerliftError) -> bool:
    """Whether polling goes on: the service has not said its last word on the task."""
    return error.retry or error.code in ("bad_answer", "tls")
