"""Whatever dies, and whenever: what was started is finished, by the same process or by the next."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.holding import Held
from helpers.waiting import PATIENCE, wait_for
from layerlift.twin import luma_key

from .invariants import violations
from .kills import DEATHS, FREE_STEPS, STOPS, Dead, Death, stopped
from .world import World


@pytest.mark.parametrize("cell", DEATHS, ids=str)
def test_whatever_dies_the_picture_is_paid_once_and_delivered(outcome_of: Callable[[Death], Dead], cell: Death) -> None:
    found = outcome_of(cell)
    assert found.broken == []
    assert found.delivered, found.told
    assert found.started[1] == 1
    if cell.step in ("poll", "download", "delete"):
        assert found.uploads == 1, "a task that is known needs no other upload"
    if cell.way in STOPS:
        assert found.uploads == 1
    elif cell.step in FREE_STEPS:
        assert found.started[0] == 0, "the task was started after the user had stopped"
    if cell.way in ("cancel", "cancel_leave") and cell.step != "delete":
        assert found.told[0] == "cancelled"


def resume_by_command(world: World) -> None:
    command = world.command("jobs", "resume")
    told = command.communicate(timeout=PATIENCE)[1]
    assert command.returncode == 0, told


def resume_by_worker(world: World) -> None:
    host = world.host()
    wait_for(lambda: world.twin.calls("delete"))
    host.leave()
    host.wait_for_silence()


@pytest.mark.parametrize("resume", [resume_by_command, resume_by_worker])
def test_what_a_killed_worker_has_left_is_finished_without_its_picture(
    tmp_path: Path, resume: Callable[[World], None]
) -> None:
    engine = Held()
    with World(tmp_path, engine=engine, poll_within_seconds=30.0) as world:
        host = world.host()
        host.job(0)
        wait_for(lambda: world.twin.calls("poll"))
        host.kill()
        engine.released.set()
        resume(world)
        before = len(world.twin.requests)
        command = world.command("remove", world.photo(0), "--engine", "youcam", "--yes")
        told = command.communicate(timeout=PATIENCE)[1]
        assert world.has(0), told
        assert [call.step for call in world.twin.requests[before:]] == []
        world.sweep()
        assert violations(world, [0], [0]) == []


def test_a_command_that_was_stopped_for_too_long_tells_what_became_of_its_task(tmp_path: Path) -> None:
    """As by Ctrl+Z, or where the computer sleeps: for longer than the service waits for a poll."""
    engine = Held()
    with World(tmp_path, engine=engine, poll_within_seconds=30.0) as world:
        command = world.command("remove", world.photo(0), "--engine", "youcam", "--yes")
        wait_for(lambda: world.twin.calls("poll"))
        command.send_signal(signal.SIGSTOP)
        engine.released.set()
        wait_for(lambda: stopped(command.pid))
        world.twin.later.move(90.0)
        command.send_signal(signal.SIGCONT)
        told = command.communicate(timeout=PATIENCE)[1]
        assert not world.has(0), told
        again = world.command("remove", world.photo(0), "--engine", "youcam", "--yes", "--overwrite")
        also = again.communicate(timeout=PATIENCE)[1]
        assert "charged" in told and "charged" in also
        assert (len(world.twin.calls("run")), world.has(0)) == (1, False)


class HeldAfter(Held):
    """One that ends the first few tasks at once."""

    def __init__(self, few: int) -> None:
        super().__init__()
        self._few = iter(range(few))

    def __call__(self, picture: bytes) -> bytes:
        return luma_key(picture) if next(self._few, None) is not None else super().__call__(picture)


def test_a_batch_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """Nothing is amid its start when it is killed, where it would be in doubt (`DEATHS` has that)."""
    pictures, started, done = range(40), range(10), 4
    engine = HeldAfter(done)
    with World(tmp_path, engine=engine, poll_within_seconds=30.0) as world:
        for number in started:
            world.photo(number)
        command = ("remove", world.photos, "--engine", "youcam", "--yes")
        first = world.command(*command)
        wait_for(lambda: len({call.path for call in world.twin.calls("poll")}) == len(started))
        wait_for(lambda: sum(map(world.has, started)) == done)
        first.kill()
        first.communicate()
        engine.released.set()
        for number in pictures[len(started) :]:
            world.photo(number)
        last = world.command(*command)
        told = last.communicate(timeout=PATIENCE)[1]
        assert last.returncode == 0, told
        assert all(map(world.has, pictures))
        assert len(world.twin.calls("run")) == len(pictures)
        assert violations(world, pictures, pictures) == []
