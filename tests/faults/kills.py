"""Deaths: a removal that is stopped while one of its steps is held still, then another of the same picture."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from helpers.holding import Held
from helpers.waiting import PATIENCE, wait_for
from layerlift.offline import Fault

from .invariants import violations
from .world import Host, World

STEPS = ("declare", "upload", "run", "poll", "download", "delete")
FREE_STEPS = ("declare", "upload")
WAYS = {
    "kill": "the worker is killed",
    "host": "the host is killed, and its worker is alone",
    "leave": "the host closes its worker's input",
    "cancel": "the user cancels, and tries again",
    "cancel_leave": "the user cancels and quits the host",
    "terminate": "the session ends, and with it the worker",
    "command": "the command is killed",
    "interrupt": "the user presses Ctrl+C",
    "terminate_command": "the session ends, and with it the command",
    "hangup_command": "the user closes the terminal",
}
SIGNALS = {
    "command": signal.SIGKILL,
    "interrupt": signal.SIGINT,
    "terminate_command": signal.SIGTERM,
    "hangup_command": signal.SIGHUP,
}
FOREVER = 600.0
RUN_SECONDS = 0.3


class Dead(NamedTuple):
    """How a death ended: what was told, whether the picture came at last, tasks that were started until the death and
    in all, uploads, what did not hold."""

    told: list[str]
    delivered: bool
    started: tuple[int, int]
    uploads: int
    broken: list[str]


class Death(NamedTuple):
    """A way to die, and the step that has just reached the service."""

    way: str
    step: str
    axis: str = "deaths"

    def __str__(self) -> str:
        return f"{self.way}-{self.step}"

    def run(self, folder: Path) -> Dead:
        # A step that is free is held for ever: what stops there has to stop at once.
        engine, until = Held(), None if self.step in FREE_STEPS else threading.Event()
        holds = (Fault(self.step, "hang", seconds=FOREVER, until=until),) if self.step != "poll" else ()
        if self.step != "poll":
            engine.released.set()

        with World(folder, engine=engine, run_seconds=RUN_SECONDS, poll_within_seconds=30.0, faults=holds) as world:

            def let_go() -> None:
                engine.released.set()
                if until is not None:
                    until.set()
                if self.step == "run":
                    # Of a task whose answer was not heard the unit history alone can tell, once it is charged.
                    wait_for(lambda: world.twin.charged)

            if self.way in SIGNALS:
                return self._of_command(world, let_go)
            host = world.host(apart=self.way == "host")
            host.job(0)
            wait_for(lambda: world.twin.calls(self.step))
            told = self._stop(host)
            let_go()
            started = len(world.twin.calls("run"))
            if self.way != "cancel":
                host = world.host()
            host.job(0)
            told.append(host.came(0, host.end_of(0)))
            host.leave()
            host.wait_for_silence()
            return self._dead(world, told, told[-1] == "", started)

    def _stop(self, host: Host) -> list[str]:
        told = []
        if self.way in ("cancel", "cancel_leave"):
            host.cancel(0)
            told.append(host.came(0, host.end_of(0)))
        if self.way in ("kill", "host"):
            host.kill()
        if self.way == "terminate":
            host.process.send_signal(signal.SIGTERM)
        if self.way in ("leave", "cancel_leave"):
            host.leave()
        if self.way != "cancel":
            host.wait_for_silence()
        return told

    def _of_command(self, world: World, let_go: Callable[[], None]) -> Dead:
        command = ("remove", world.photo(0), "--engine", "youcam", "--yes")
        first = world.command(*command)
        wait_for(lambda: world.twin.calls(self.step))
        first.send_signal(SIGNALS[self.way])
        let_go()
        told = [first.communicate(timeout=PATIENCE)[1]]
        partial = world.cut_out(0).exists() and not world.has(0)
        started = len(world.twin.calls("run"))
        told.append(world.command(*command).communicate(timeout=PATIENCE)[1])
        dead = self._dead(world, told, world.has(0), started)
        return dead._replace(broken=[*dead.broken, *["the cut-out was written by half"] * partial])

    def _dead(self, world: World, told: list[str], delivered: bool, started: int) -> Dead:
        broken = violations(world, [0], [0] if delivered else [])
        return Dead(told, delivered, (started, len(world.twin.calls("run"))), len(world.twin.calls("upload")), broken)


DEATHS = [Death(way, step) for way in WAYS for step in STEPS]
