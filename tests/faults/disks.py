"""A disk that is locked, slow or full at one of the steps that are written down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from helpers.waiting import PATIENCE, wait_for
from layerlift import errors
from layerlift.store.journal import Journal
from layerlift.twin import Fault

from .invariants import violations
from .matrix import ANSWER_SECONDS, LONG, Found
from .world import World

STEPS = ("declare", "upload", "run", "poll", "download", "delete")
WRITES = ("uploaded", "trace", "starting", "running", "done", "alpha", "kept", "deleted")
"""What is written down, in that order; up to `starting` before the run call."""
BEFORE_CALL = ("uploaded", "trace", "starting")
STILL_SECONDS = 0.05
"""Whoever does not wait for the disk goes on in this time."""


class Write(NamedTuple):
    """One write of a removal, which takes longer than all that may go on beside it, or fails."""

    kind: str
    write: str
    axis: str = "disks"

    def __str__(self) -> str:
        return f"{self.kind}-{self.write}"

    def run(self, folder: Path) -> Found:
        with World(folder, poll_within_seconds=LONG, run_seconds=2.0) as world:
            broken: list[str] = []
            world.on_journal = lambda journal: self._harm(world, journal, broken)
            first = world.remove(0, ANSWER_SECONDS)
            started = len(world.twin.calls("run"))
            world.on_journal = lambda journal: None
            if self.kind == "full" and self.write in BEFORE_CALL:
                broken += [] if first is not None and first.code == "disk" else [f"a full disk is told as {first}"]
                broken += ["it was started, and that was not written down"] if started else []
            elif first is not None:
                broken.append(f"'{first.code}' where nothing but the disk was in the way")
            before = len(world.twin.requests)
            second = world.remove(0, ANSWER_SECONDS)
            if second is not None:
                broken.append(f"the picture never came: {second}")
            asked = {call.step for call in world.twin.requests[before:]}
            if first is None and asked - {"poll", "download", "delete"}:
                broken.append(f"what was paid for needed {', '.join(sorted(asked))} once more")
            broken += violations(world, [0], [0])
            return Found([error for error in (first, second) if error], broken)

    def _harm(self, world: World, journal: Journal, broken: list[str]) -> None:
        def held(write: Callable[..., Any], failure: Exception, *, is_step: bool = False) -> Callable[..., Any]:
            def harmed(*arguments: Any) -> Any:
                if is_step and arguments[1] != self.write:
                    return write(*arguments)
                if self.kind == "full":
                    raise failure
                self._wait(world, broken)
                return write(*arguments)

            return harmed

        disk = errors.make("disk", "no space left")
        if self.write == "trace":
            journal.trace.add_start = held(journal.trace.add_start, OSError(28, "no space left"))  # type: ignore[method-assign]
        elif self.write == "alpha":
            journal.cache.put = held(journal.cache.put, OSError(28, "no space left"))  # type: ignore[method-assign]
        elif self.write == "deleted":
            journal.mark_deleted = held(journal.mark_deleted, disk)  # type: ignore[method-assign]
        else:
            journal.write = held(journal.write, disk, is_step=True)  # type: ignore[method-assign]

    def _wait(self, world: World, broken: list[str]) -> None:
        """Returns when all that need not wait for the disk has gone on."""
        if self.write in ("running", "done"):
            wait_for(lambda: world.twin.delivered)
        elif self.write == "kept":
            wait_for(lambda: world.twin.calls("delete"))
        else:
            time.sleep(STILL_SECONDS)
        if self.write in BEFORE_CALL and world.twin.calls("run"):
            broken.append(f"the run call did not wait for '{self.write}'")
        if self.write == "alpha" and world.twin.calls("delete"):
            broken.append("the service's copy was deleted before the alpha was on the disk")


class Lock(NamedTuple):
    """Another program that has SQLite's lock from a step of the command's on."""

    step: str
    axis: str = "locks"

    def __str__(self) -> str:
        return f"locked-{self.step}"

    def run(self, folder: Path) -> Found:
        taken = threading.Event()
        hold = Fault(self.step, "hang", seconds=2 * PATIENCE, until=taken)
        with World(folder, faults=(hold,), run_seconds=0.5, poll_within_seconds=10.0) as world, ThreadPoolExecutor(
            1
        ) as pool:
            broken: list[str] = []
            locking = pool.submit(self._lock, world, taken, broken)
            command = world.command("remove", world.photo(0), "--engine", "youcam", "--yes")
            told = command.communicate(timeout=PATIENCE)[1]
            locking.result()
            if command.returncode or not world.has(0):
                broken.append(f"the picture never came: {told}")
            broken += violations(world, [0], [0])
            return Found([], broken)

    def _lock(self, world: World, taken: threading.Event, broken: list[str]) -> None:
        wait_for(lambda: world.twin.calls(self.step))
        with world.locked():
            taken.set()
            if self.step in ("declare", "upload", "delete"):
                time.sleep(STILL_SECONDS)
            else:
                wait_for(lambda: world.twin.delivered)
            if self.step in ("declare", "upload") and world.twin.calls("run"):
                broken.append("the run call did not wait for the lock")


DISKS = [*(Write(kind, write) for kind in ("slow", "full") for write in WRITES), *map(Lock, STEPS)]
