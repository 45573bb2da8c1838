"""Random misfortune: a user's pictures meet faults and deaths by a plan that a seed makes."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

import matrix
from invariants import violations
from layerlift import errors
from layerlift.offline import Fault
from world import Host, World

PICTURES = range(20)
FAULTS = (4, 16)
DEATHS = (1, 4)
REQUESTS_BETWEEN_DEATHS = (1, 60)
WAYS = ("kill", "host", "leave", "cancel")
LOST = ("InvalidTaskId", "TaskTimeout")
STEPS = ("declare", "upload", "run", "poll", "download", "delete", "history")
HANG_SECONDS = 1.0
RUN_SECONDS = 0.1


@dataclass(frozen=True)
class Ended:
    """How a schedule ended: what the user was told of each picture that never came, how many of these the plan
    explains, and what did not hold."""

    told: dict[int, str]
    explained: int
    broken: list[str]


class Schedule(NamedTuple):
    """A seed, and all that follows from it."""

    seed: int

    def __str__(self) -> str:
        return f"seed-{self.seed}"

    def run(self, folder: Path) -> Ended:
        random = Random(self.seed)
        faults = [_fault(random) for _ in range(random.randint(*FAULTS))]
        deaths = [
            (random.choice(WAYS), random.randint(*REQUESTS_BETWEEN_DEATHS)) for _ in range(random.randint(*DEATHS))
        ]
        explained = len(deaths) + sum(fault.times for fault in faults if fault.step == "run" or fault.kind == "expired")
        with World(folder, run_seconds=RUN_SECONDS, poll_within_seconds=60.0) as world:
            for fault in faults:
                world.twin.inject(fault)
            pending = list(PICTURES)
            for way, requests in deaths:
                told = _round(world, pending, way, requests)
                pending = [number for number in pending if told[number]]
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


def _round(world: World, numbers: Iterable[int], way: str = "", requests: int = 0) -> dict[int, str]:
    """Asks a new worker for the pictures, which dies after so many requests; the code that each ended with, "" where
    it came."""
    host = world.host(apart=way == "host")
    for number in numbers:
        host.job(number)
    over = threading.Event()
    start = len(world.twin.requests)
    current = [next(iter(numbers), 0)]

    def die() -> None:
        while not over.wait(0.005):
            if len(world.twin.requests) - start >= requests:
                _end(host, way, current[0])
                return

    threading.Thread(target=die, daemon=True).start() if way else None
    told = {}
    for number in numbers:
        current[0] = number
        message = host.end_of(number)
        other = "wrong" if message.get("type") == "result" else "gone"
        told[number] = "" if host.delivered(number, message) else message.get("code", other)
    over.set()
    host.leave()
    host.wait_for_end()
    return told


def _end(host: Host, way: str, number: int) -> None:
    if way == "cancel":
        host.cancel(number)
    elif way == "leave":
        host.leave()
    else:
        host.kill()


def _is_excuse(code: str) -> bool:
    return code in LOST or isinstance(errors.make(code), errors.MayBeCharged)
