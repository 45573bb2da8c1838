"""Deaths: a removal that is stopped while one of its steps is held still, then another of the same picture."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from helpers.holding import Held
from helpers.programs import Program
from helpers.waiting import PATIENCE, wait_for
from layerlift.twin import Fault

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
    "interrupt": "the user presses Ctrl+C in the host's terminal, and the host ends",
    "hang up": "the host's terminal is closed, and the host ends",
    "stop": "the worker is stopped, as where the computer sleeps, and goes on",
    "command": "the command is killed",
    "interrupt_command": "the user presses Ctrl+C",
    "quit_command": "the user presses Ctrl+\\",
    "terminate_command": "the session ends, and with it the command",
    "hangup_command": "the user closes the terminal",
    "stop_command": "the command is stopped, as where the computer sleeps, and goes on",
}
SIGNALS = {
    "command": signal.SIGKILL,
    "interrupt_command": signal.SIGINT,
    "quit_command": signal.SIGQUIT,
    "terminate_command": signal.SIGTERM,
    "hangup_command": signal.SIGHUP,
    "stop_command": signal.SIGSTOP,
    "terminate": signal.SIGTERM,
    "interrupt": signal.SIGINT,
    "hang up": signal.SIGHUP,
    "stop": signal.SIGSTOP,
}
STOPS = ("stop", "stop_command")
AWAY_SECONDS = 20.0
"""For so long what is stopped is away: less than the service waits for a poll."""
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
        is_free = self.step in FREE_STEPS and self.way not in STOPS
        engine, until = Held(), None if is_free else threading.Event()
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

            if self.way.endswith("command"):
                return self._of_command(world, let_go)
            host = world.host(apart=self.way == "host")
            host.job(0)
            wait_for(lambda: world.twin.calls(self.step))
            told = self._stop(world, host)
            let_go()
            if self.way == "stop":
                host.process.send_signal(signal.SIGCONT)
                told.append(host.came(0, host.end_of(0)))
                assert told == [""], "what had been stopped did not go on"
            started = len(world.twin.calls("run"))
            if self.way not in ("cancel", "stop"):
                host = world.host()
            host.job(0)
            told.append(host.came(0, host.end_of(0)))
            host.leave()
            host.wait_for_silence()
            return self._dead(world, told, told[-1] == "", started)

    def _stop(self, world: World, host: Host) -> list[str]:
        told = []
        if self.way == "stop":
            _away(world, host.process)
            return told
        if self.way in ("cancel", "cancel_leave"):
            host.cancel(0)
            told.append(host.came(0, host.end_of(0)))
        if self.way in ("kill", "host"):
            host.kill()
        if self.way in SIGNALS:
            host.process.send_signal(SIGNALS[self.way])
        if self.way in ("leave", "cancel_leave", "interrupt", "hang up"):
            host.leave()
        if self.way != "cancel":
            host.wait_for_silence()
        return told

    def _of_command(self, world: World, let_go: Callable[[], None]) -> Dead:
        command = ("remove", world.photo(0), "--engine", "youcam", "--yes")
        first = world.command(*command)
        wait_for(lambda: world.twin.calls(self.step))
        if self.way in STOPS:
            _away(world, first)
        else:
            first.send_signal(SIGNALS[self.way])
        let_go()
        first.send_signal(signal.SIGCONT)
        told = [first.communicate(timeout=PATIENCE)[1]]
        gave_up = self.way in STOPS and not world.has(0)
        partial = world.cut_out(0).exists() and not world.has(0)
        started = len(world.twin.calls("run"))
        told.append(world.command(*command).communicate(timeout=PATIENCE)[1])
        dead = self._dead(world, told, world.has(0), started)
        return dead._replace(
            broken=[
                *dead.broken,
                *["the cut-out was written by half"] * partial,
                *["what had been stopped did not go on"] * gave_up,
            ]
        )

    def _dead(self, world: World, told: list[str], delivered: bool, started: int) -> Dead:
        broken = violations(world, [0], [0] if delivered else [])
        return Dead(told, delivered, (started, len(world.twin.calls("run"))), len(world.twin.calls("upload")), broken)


def _away(world: World, process: Program) -> None:
    """Stops a process, for which time then passes."""
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: stopped(process.pid))
    world.twin.later.move(AWAY_SECONDS)


def stopped(process: int) -> bool:
    """Whether a process does nothing until it is continued."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "T"


DEATHS = [Death(way, step) for way in WAYS for step in STEPS]
