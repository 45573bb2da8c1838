"""Random misfortune: a user's pictures meet faults and deaths by a plan that a seed makes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

from layerlift import errors
from layerlift.store import database
from layerlift.twin import Fault

from . import matrix
from .invariants import violations
from .world import Host, World

PICTURES = range(20)
FAULTS = (4, 16)
ENDS = (1, 4)
REQUESTS = (1, 60)
PAUSE_SECONDS = 0.05
SIDE_BY_SIDE = 0.3
"""How often another host, which lives on, works on the same pictures from the last to the first."""
WAYS = ("kill", "host", "leave", "cancel", "terminate", "hang up")
LOST = ("InvalidTaskId", "TaskTimeout")
SIGNALS = {"terminate": signal.SIGTERM, "hang up": signal.SIGHUP}
STEPS = ("declare", "upload", "run", "poll", "download", "delete", "history")
HANG_SECONDS = 1.0
RUN_SECONDS = 0.1
AHEAD = (0.0, -3600.0, -180.0, 180.0, 2 * 86400.0)
"""By how many seconds the service's clock is ahead of the user's."""
HISTORIES = ("", "history_oldest_first", "history_in_seconds", "history_without_targets", "history_with_odd_ids")
"""Forms of the unit history."""
LOCKS = (0, 3)
"""How often another program holds the lock of the journal."""
LOCKED_SECONDS = (0.1, 1.0)
"""For how long it does, and for how long not."""


@dataclass(frozen=True)
class Ended:
    """How a schedule ended: what the user was told of each picture that never came, how many of these the plan
    explains, and what did not hold."""

    told: dict[int, str]
    explained: int
    broken: list[str]


class End(NamedTuple):
    """How a worker's time ends, and when: `pause` seconds after so many requests."""

    way: str
    requests: int
    pause: float

    def come(self, host: Host, number: int) -> None:
        """Comes to a host whose worker is at that picture."""
        if self.way == "cancel":
            host.cancel(number)
        elif self.way == "leave":
            host.leave()
        elif self.way in SIGNALS:
            host.process.send_signal(SIGNALS[self.way])
        else:
            host.kill()


class Schedule(NamedTuple):
    """A seed, and all that follows from it."""

    seed: int
    axis: str = "schedules"

    def __str__(self) -> str:
        return f"seed-{self.seed}"

    def run(self, folder: Path) -> Ended:
        random = Random(self.seed)
        faults = [_fault(random) for _ in range(random.randint(*FAULTS))]
        ends = [_end(random) for _ in range(random.randint(*ENDS))]
        explained = len(ends) + sum(fault.times for fault in faults if fault.step == "run" or fault.kind == "expired")
        ahead, form = random.choice(AHEAD), random.choice(HISTORIES)
        locks = [random.uniform(*LOCKED_SECONDS) for _ in range(2 * random.randint(*LOCKS))]
        with ExitStack() as stack:
            forms = frozenset([form] if form else [])
            options = {"run_seconds": RUN_SECONDS, "poll_within_seconds": 60.0, "ahead": ahead, "forms": forms}
            world = stack.enter_context(World(folder, **options))
            stack.enter_context(_locks(world, locks))
            for fault in faults:
                world.twin.inject(fault)
            pending = list(PICTURES)
            for end in ends:
                if random.random() < SIDE_BY_SIDE:
                    with ThreadPoolExecutor(1) as pool:
                        beside = pool.submit(_round, world, pending[::-1])
                        told = _round(world, pending, end)
                        also = beside.result()
                else:
                    told = also = _round(world, pending, end)
                pending = [number for number in pending if told[number] and also[number]]
            world.twin.mend()
            told = _round(world, PICTURES)
            told = {number: code for number, code in told.items() if code}
            delivered = [number for number in PICTURES if number not in told]
            excused = [number for number, code in told.items() if _is_excuse(code)]
            return Ended(told, explained, violations(world, PICTURES, delivered, excused))


def _fault(random: Random) -> Fault:
    while True:
        step, kind = random.choice(STEPS), random.choice([kind for kind in matrix.KINDS if kind != "refused"])
        if step in matrix.ONLY_AT.get(kind, STEPS):
            times, after = random.randint(1, 3), random.randrange(2 * len(PICTURES))
            return Fault(step, kind, times=times, after=after, seconds=HANG_SECONDS)


def _end(random: Random) -> End:
    return End(random.choice(WAYS), random.randint(*REQUESTS), random.uniform(0, PAUSE_SECONDS))


def _round(world: World, numbers: Sequence[int], end: End | None = None) -> dict[int, str]:
    """Asks a new worker for the pictures until its end comes; the code that each ended with, "" where it came."""
    host = world.host(apart=end is not None and end.way == "host")
    for number in numbers:
        host.job(number)
    over = threading.Event()
    start = len(world.twin.requests)
    told: dict[int, str] = {}

    def watch(end: End) -> None:
        while not over.wait(0.005):
            if len(world.twin.requests) - start >= end.requests:
                over.wait(end.pause)
                end.come(host, numbers[min(len(told), len(numbers) - 1)])
                return

    if end is not None and numbers:
        threading.Thread(target=watch, args=(end,), daemon=True).start()
    for number in numbers:
        told[number] = host.came(number, host.end_of(number))
    over.set()
    host.leave()
    host.wait_for_silence()
    return told


@contextmanager
def _locks(world: World, seconds: Sequence[float]) -> Iterator[None]:
    """Another program holds the lock of the journal beside all that goes on, after these pauses and for so long."""

    def hold() -> None:
        for pause, held in zip(seconds[::2], seconds[1::2], strict=True):
            if over.wait(pause):
                return
            if (world.home / database.NAME).exists():
                with world.locked():
                    over.wait(held)

    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        try:
            yield
        finally:
            over.set()
        holding.result()


def _is_excuse(code: str) -> bool:
    return code in LOST or isinstance(errors.make(code), errors.MayBeCharged)
