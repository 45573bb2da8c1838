"""Rows of three tasks that meet a fault, or whose command is killed, at any link, and then go on."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import NamedTuple

from helpers.waiting import PATIENCE, wait_for
from layerlift import errors
from layerlift.imaging.pictures import Picture
from layerlift.removal import running
from layerlift.removal.running import Request
from layerlift.service import tasks
from layerlift.twin import Fault

from .matrix import ANSWER_SECONDS, HANG_ANSWER_SECONDS, KINDS, ONLY_AT, POLLS, RUN_SECONDS, is_in_doubt
from .world import World, picture

ROW = [
    Request(tasks.find(slug), fields, 1.0)
    for slug, fields in (("sod", {}), ("enhance", {"scale": 1}), ("lighting", {}))
]
COMMAND = ("run", "sod", "--then", "enhance:scale=1", "--then", "lighting", "--yes", "--json", "--overwrite")
STEPS = ("run", "poll", "download", "delete")
FORMS = frozenset({"dst_id_in_data"})
FOREVER = 600.0


class Outcome(NamedTuple):
    """How a row ended: what was told, units charged, uploads, and whether all three results came at last."""

    told: list[BaseException]
    charged: float
    uploads: int
    complete: bool
    late: int


class Link(NamedTuple):
    """A fault at a step of one of the three."""

    number: int
    step: str
    kind: str
    axis: str = "rows"

    def __str__(self) -> str:
        return f"{self.number}-{self.step}-{self.kind}"

    @property
    def is_lost(self) -> bool:
        """Whether a task is lost by this that was charged, and that the user has to pay again."""
        return (self.step, self.kind) == ("poll", "expired")

    @property
    def in_doubt(self) -> bool:
        """Whether the user has to say that a task may be paid again."""
        return is_in_doubt(self.step, self.kind)

    def run(self, folder: Path) -> Outcome:
        """A row that meets the fault, one that goes on, and one whose user pays again."""
        with World(folder, forms=FORMS, run_seconds=RUN_SECONDS) as world:
            self._break(world)
            seconds = HANG_ANSWER_SECONDS if self.kind == "hang" else ANSWER_SECONDS
            told = [_run(world, seconds)]
            world.twin.mend()
            told.append(_run(world, ANSWER_SECONDS))
            if told[-1] is not None and self.in_doubt:
                told.append(_run(world, ANSWER_SECONDS, again=True))
            complete, said = told[-1] is None, [error for error in told if error is not None]
            return Outcome(said, world.twin.charged, len(world.twin.calls("upload")), complete, world.twin.late_polls)

    def _break(self, world: World) -> None:
        times = POLLS if self.step == "poll" and self.kind != "expired" else 1
        fault = Fault(self.step, self.kind, times=times, seconds=FOREVER)
        if self.step == "run":
            world.twin.inject(Fault("run", self.kind, after=self.number, seconds=FOREVER))
        elif self.step == "delete":
            world.twin.inject(fault)
        elif self.kind == "expired" and self.step == "poll":
            # It has to be charged by then.
            world.twin.before_expiry(lambda: wait_for(lambda: world.twin.charged > self.number))
            self._inject_later(world, fault)
        else:
            self._inject_later(world, fault)

    def _inject_later(self, world: World, fault: Fault) -> None:
        """The fault is there as soon as this task is known, which takes a while to end."""

        def inject() -> None:
            wait_for(lambda: len(world.twin.calls("run")) > self.number)
            world.twin.inject(fault)

        threading.Thread(target=inject, daemon=True).start()


def _run(world: World, seconds: float, *, again: bool = False) -> BaseException | None:
    with world.engine(seconds) as (engine, cancel):
        try:
            results = running.run(Picture(picture(0)), ROW, engine, lambda *_: None, cancel, again=again)
        except errors.LayerliftError as error:
            return error
        return results[-1].error or (None if len(results) == len(ROW) else AssertionError("it is not complete"))


LINKS = [
    Link(number, step, kind)
    for number in range(len(ROW))
    for step in STEPS
    for kind in (KINDS if number == 1 else ("reset_after", "503"))
    if kind != "refused" and step in ONLY_AT.get(kind, STEPS) and (number == 1 or step != "delete")
]


class Killed(NamedTuple):
    """The command is killed while a step of one of the three has just reached the service."""

    number: int
    step: str
    axis: str = "killed rows"

    def __str__(self) -> str:
        return f"{self.number}-{self.step}"

    def run(self, folder: Path) -> Outcome:
        until = threading.Event()
        with World(folder, forms=FORMS, run_seconds=RUN_SECONDS, poll_within_seconds=30.0) as world:
            photo = world.photo(0)
            fault = Fault(self.step, "hang", after=self._before, seconds=FOREVER, until=until)
            world.twin.inject(fault)
            first = world.command(*COMMAND[:2], photo, *COMMAND[2:])
            wait_for(lambda: len(world.twin.calls(self.step)) > self._before)
            first.kill()
            first.communicate()
            until.set()
            if self.step == "run":
                # Of a task whose answer was not heard the unit history alone can tell, once it is charged.
                wait_for(lambda: world.twin.charged > self.number)
            last = world.command(*COMMAND[:2], photo, *COMMAND[2:])
            output, told = last.communicate(timeout=PATIENCE)
            end = json.loads(output)
            complete = end["error"] is None and [one["task"] for one in end["tasks"]] == [one.task.slug for one in ROW]
            uploads = len(world.twin.calls("upload"))
            return Outcome([AssertionError(told)], world.twin.charged, uploads, complete, world.twin.late_polls)

    @property
    def _before(self) -> int:
        """How many calls of the step come before this one's."""
        return self.number if self.step in ("run", "download") else 0


KILLS = [Killed(number, step) for number in range(len(ROW)) for step in ("run", "download")]
KILLS += [Killed(0, step) for step in ("declare", "upload", "delete")]
