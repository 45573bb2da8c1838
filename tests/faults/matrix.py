"""The cells of the fault matrix, and what one of them is: a removal that meets a fault, then one that does not."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from helpers.waiting import wait_for
from layerlift import errors
from layerlift.twin import Fault

from .invariants import violations
from .world import World

STEPS = ("declare", "upload", "run", "poll", "download", "delete", "balance", "history")
KINDS = (
    "refused",
    "reset_before",
    "reset_after",
    "hang",
    "401",
    "404",
    "429",
    "500",
    "503",
    "html",
    "not_the_form",
    "truncated",
    "wrong_length",
    "bad_picture",
    "bomb",
    "other_size",
    "redirect",
    "expired",
)
ONLY_AT = {
    "bad_picture": ("download",),
    "bomb": ("download",),
    "other_size": ("download",),
    "expired": ("upload", "run", "poll", "download", "delete"),
}
POLLS = 3
"""How many polls a lasting fault meets: a task that can't be polled for long is lost whatever the client does."""
NEVER_HEARD = ("reset_before", "html", "401", "500", "503", "redirect")
"""Faults of the run call after which no task runs, and of which the client can't know that: it must not pay again
before its user says so."""
ANSWER_SECONDS = 30.0
LONG = 86400.0
"""Within so many seconds a task is polled where it is not the polls that a cell is about."""
HANG_ANSWER_SECONDS = 1.0
RUN_SECONDS = 0.3

BEFORE = {"upload": "declare", "run": "upload", "download": "poll", "delete": "download", "history": "run"}
"""The step after which a gate closes, so that the next one is refused."""


@dataclass(frozen=True)
class Found:
    """How a cell ended: what the user was told, and what did not hold, each as a sentence."""

    told: list[errors.LayerliftError]
    broken: list[str]


class Cell(NamedTuple):
    """One fault at one step, met once or for as long as the first removal goes on."""

    step: str
    kind: str
    lasting: bool
    axis: str = "faults"

    def __str__(self) -> str:
        return f"{self.step}-{self.kind}-{'lasting' if self.lasting else 'once'}"

    def run(self, folder: Path) -> Found:
        """A removal that meets the fault, another of the same picture without it, and one more where the user has
        to ask for it anew."""
        with World(folder, gated=self.kind == "refused", run_seconds=RUN_SECONDS) as world:
            seconds = HANG_ANSWER_SECONDS if self.kind == "hang" else ANSWER_SECONDS
            _break(world, self)
            first = _balance(world, seconds) if self.step == "balance" else world.remove(0, seconds)
            met = self.kind == "refused" or any(call.fault == self.kind for call in world.twin.calls(self.step))
            world.twin.mend()
            before = len(world.twin.requests)
            second = world.remove(0, ANSWER_SECONDS)
            told = [first, second]
            again = len(world.twin.requests) - before
            broken = [] if bool(second) == self.in_doubt else ["there is a doubt, and nobody is asked"]
            if second is not None and self.in_doubt:
                broken += [] if isinstance(second, errors.MayBeCharged) else ["the doubt is hidden"]
                second = world.remove(0, ANSWER_SECONDS, again=True)
            broken += violations(world, [0], [] if second else [0])
            if not met:
                broken.append("the fault was not met")
            if second is not None:
                broken.append(f"the picture never came: {second}")
            elif self.step in ("poll", "download", "delete") and len(world.twin.calls("upload")) > 1:
                broken.append("a task that is known needs no other upload")
            if not any(told) and self.step != "balance" and again:
                broken.append("what was delivered does not come from the cache")
            return Found([error for error in told if error], broken)

    @property
    def in_doubt(self) -> bool:
        """Whether the user has to say that the picture may be paid again."""
        return is_in_doubt(self.step, self.kind)


CELLS = [
    Cell(step, kind, lasting)
    for step in STEPS
    for kind in KINDS
    for lasting in (False, True)
    if step in ONLY_AT.get(kind, STEPS) and (lasting or kind != "refused")
]


def is_in_doubt(step: str, kind: str) -> bool:
    """Whether nobody can know what became of a start that meets a fault, or its task is lost."""
    return (step == "run" and kind in NEVER_HEARD) or (step, kind) == ("poll", "expired")


def _break(world: World, cell: Cell) -> None:
    if cell.step == "history":
        # It is asked where nobody knows whether the task was started.
        world.twin.inject(Fault("run", "reset_after"))
    if cell.kind != "refused":
        lasting = POLLS if cell.step == "poll" else 10**6
        world.twin.inject(Fault(cell.step, cell.kind, times=lasting if cell.lasting else 1, seconds=600.0))
    elif cell.step == "poll":
        # The connection that polls is open already; a redirect makes it connect anew.
        world.twin.inject(Fault("poll", "redirect", times=POLLS, location=_closed_address()))
    elif cell.step in ("declare", "balance"):
        world.twin.api_gate.refuse()
    else:
        before = BEFORE[cell.step]
        gate = world.twin.storage_gate if cell.step in ("upload", "download") else world.twin.api_gate
        closed = threading.Event()
        if before != "run":
            world.twin.inject(Fault(before, "hang", seconds=600.0, until=closed))

        def close() -> None:
            wait_for(lambda: world.twin.calls(before))
            gate.refuse()
            closed.set()

        threading.Thread(target=close, daemon=True).start()


def _closed_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def _balance(world: World, seconds: float) -> errors.LayerliftError | None:
    with world.engine(seconds) as (engine, cancel):
        try:
            assert engine.service.balance(sleep=cancel.sleep) == world.twin.options.units
        except errors.LayerliftError as error:
            return error
    return None
