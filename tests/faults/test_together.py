"""Several processes of one user at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from helpers.holding import Held
from helpers.programs import Program
from helpers.waiting import PATIENCE, wait_for
from layerlift import errors
from layerlift.twin import Fault
from PIL import Image

from .invariants import violations
from .world import ALIKE, World, alpha

SHARED = range(15)
FIRST, SECOND = [*SHARED, *range(15, 30)], [*SHARED, *range(30, 45)]
RATE = (100, 20.0)


def remove(world: World, numbers: list[int], folder: Path, **changes: str) -> Program:
    photos = [world.photo(number) for number in numbers]
    return world.command("remove", *photos, "--engine", "youcam", "--yes", "--output-dir", folder, **changes)


def delivered(folder: Path, numbers: list[int]) -> list[int]:
    found = []
    for number in numbers:
        path = folder / f"{number}-cutout.png"
        if path.exists() and Image.open(path).getchannel("A").tobytes() == alpha(number):
            found.append(number)
    return found


def test_two_commands_with_the_same_picture_share_one_task(tmp_path: Path) -> None:
    with World(tmp_path, run_seconds=1.0) as world:
        folders = [tmp_path / name for name in ("one", "two")]
        commands = [remove(world, [0], folder) for folder in folders]
        told = [command.communicate(timeout=PATIENCE)[1] for command in commands]
        assert [delivered(folder, [0]) for folder in folders] == [[0], [0]], told
        assert len(world.twin.calls("run")) == 1
        assert violations(world, [0], [0]) == []


def test_two_workers_with_the_same_picture_share_one_task(tmp_path: Path) -> None:
    with World(tmp_path, run_seconds=1.0) as world:
        hosts = [world.host(), world.host()]
        for host in hosts:
            host.job(0)
        for host in hosts:
            assert host.came(0, host.end_of(0)) == ""
        assert len(world.twin.calls("run")) == 1
        for host in hosts:
            host.leave()
            host.wait_for_silence()
        assert violations(world, [0], [0]) == []


def test_who_waits_for_a_picture_takes_it_over_from_a_process_that_is_killed(tmp_path: Path) -> None:
    engine = Held()
    with World(tmp_path, engine=engine, poll_within_seconds=30.0) as world:
        first, second = world.host(), world.host()
        first.job(0)
        wait_for(lambda: world.twin.calls("poll"))
        second.job(0)
        while second.next().get("stage") != "prepare":
            continue
        first.kill()
        engine.released.set()
        assert second.came(0, second.end_of(0)) == ""
        second.leave()
        second.wait_for_silence()
        world.sweep()
        assert (len(world.twin.calls("upload")), len(world.twin.calls("run"))) == (1, 1)
        assert violations(world, [0], [0]) == []


def test_two_processes_keep_one_budget_and_pay_shared_pictures_once(tmp_path: Path) -> None:
    with World(tmp_path, rate=RATE, per_second=10**6) as world:
        rate = f"{RATE[0]}/{RATE[1]:g}"
        work = [(numbers, tmp_path / name) for numbers, name in ((FIRST, "one"), (SECOND, "two"))]
        commands = [remove(world, numbers, folder, LAYERLIFT_RATE=rate) for numbers, folder in work]
        told = [command.communicate(timeout=4 * PATIENCE)[1] for command in commands]
        assert [delivered(folder, numbers) for numbers, folder in work] == [FIRST, SECOND], told
        assert [call.step for call in world.twin.requests if call.status == 429] == []
        assert len(world.twin.calls("run")) == len({*FIRST, *SECOND})
        assert violations(world, {*FIRST, *SECOND}, {*FIRST, *SECOND}) == []


def test_pictures_that_look_alike_never_get_each_others_result(tmp_path: Path) -> None:
    pair = (0, ALIKE)
    with World(tmp_path, run_seconds=0.3, faults=(Fault("run", "reset_after", times=2),)) as world:
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda number: world.remove(number, PATIENCE), pair))
        assert all(error is None or isinstance(error, errors.MayBeCharged) for error in found), found
        came = [number for number, error in zip(pair, found, strict=True) if error is None]
        assert violations(world, pair, came, [number for number in pair if number not in came]) == []
