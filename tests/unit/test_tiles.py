"""Parts of pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layerlift.imaging.guided import Level
from layerlift.imaging.tiles import CELL, Box, Enlarging, Tiled, bicubic, bilinear, differing, grid, holding
from PIL import Image

SIZE = (3 * CELL - 11, 2 * CELL + 50)


def edge(width: int, height: int) -> np.ndarray:
    """A disk with a soft edge."""
    y, x = np.mgrid[:height, :width]
    radius = np.hypot(x - width / 2, y - height / 2)
    return np.rint(((min(width, height) / 3 - radius) / 6 + 0.5).clip(0, 1) * 255).astype(np.uint8)


def test_planes_kept_in_tiles_are_those_that_were_set_and_zero_elsewhere() -> None:
    random = np.random.default_rng(1)
    whole, tiled = np.zeros((2, SIZE[1], SIZE[0]), np.float32), Tiled(2)
    for number, cell in enumerate(grid(SIZE, CELL)):
        if number % 2:
            tile = Box(cell.left + 3, cell.top + number, cell.right - 2 * number, cell.bottom - 1)
            tiled[tile] = tile.of(whole)[:] = random.random((2, *tile.size[::-1]), np.float32)
    for box in (Box(0, 0, *SIZE), Box(90, 40, 200, 190), Box(5, 5, 6, 6), Box(96, 96, 192, 192)):
        assert np.array_equal(tiled.of(box), box.of(whole))


def test_parts_that_adjoin_do_so_at_any_size() -> None:
    seen = np.zeros((301, 1000), int)
    for box in grid(SIZE, 31):
        box.scaled(SIZE, (1000, 301)).of(seen)[:] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize(("x", "y"), [(0, 0), (7, 4), (19, 9), (0, 5), (10, 9)])
def test_what_differs_from_its_neighbours_is_found_with_them(x: int, y: int) -> None:
    plane = np.zeros((10, 20), np.uint8)
    plane[y, x] = 1
    assert differing(plane) == Box(x - 1, y - 1, x + 2, y + 2).clipped((20, 10))
    assert holding(plane > 0) == Box(x, y, x + 1, y + 1)


def test_of_a_straight_edge_only_the_two_sides_differ() -> None:
    plane = np.zeros((10, 20), np.uint8)
    plane[6:] = 255
    assert differing(plane) == Box(0, 5, 20, 7)


@pytest.mark.parametrize("size", [(601, 431), (138, 98), (277, 197)])
def test_an_alpha_is_resampled_only_where_it_changes_and_as_the_whole(size: tuple[int, int]) -> None:
    alpha = edge(*SIZE)
    kernel, reach = (Image.Resampling.BICUBIC, 2) if size > SIZE else (Image.Resampling.LANCZOS, 3)
    whole = np.asarray(Image.fromarray(alpha).resize(size, kernel)).astype(int)
    # at the same phase, arithmetic at another place may round to the other side
    differences = np.abs(whole - Level(alpha).resized(size, kernel, reach))
    assert differences.max() <= 1
    assert (differences > 0).mean() < 0.001


@pytest.mark.parametrize("kernel", [bicubic, bilinear])
@pytest.mark.parametrize("box", [Box(0, 0, 192, 100), Box(300, 250, 470, 340), Box(471, 395, 472, 396)])
def test_planes_are_enlarged_as_pillow_does_it(box: Box, kernel: Any) -> None:
    planes = np.random.default_rng(1).random((2, 90, 131), np.float32)
    theirs = getattr(Image.Resampling, kernel.__name__.upper())
    whole = np.stack([np.asarray(Image.fromarray(plane).resize((472, 396), theirs)) for plane in planes])
    part = Enlarging((131, 90), (472, 396), kernel).part(lambda smaller: smaller.of(planes), box)
    assert np.allclose(part, box.of(whole), atol=1e-5)


IN_A_NEW_PROCESS = """
import os, time
import numpy as np
from layerlift.imaging.tiles import Box, Enlarging, bicubic, grid

def others(field):
    tasks = [task for task in os.listdir("/proc/self/task") if int(task) != os.getpid()]
    lines = [line for task in tasks for line in open(f"/proc/self/task/{task}/status")]
    return [line.split()[1] for line in lines if line.startswith(field)]

np.ones((300, 300)) @ np.ones((300, 300))
assert others("State"), "a product of many has no threads"
while set(others("State")) != {"S"}:
    time.sleep(0.001)
before = others("voluntary_ctxt_switches")
for original in ((599, 399), (131, 90), (40, 20)):
    planes = np.ones((5, *original[::-1]), np.float32)
    larger = Enlarging(original, (600, 400), bicubic)
    for box in grid((600, 400), 192):
        larger.part(lambda part: part.of(planes), box)
assert others("voluntary_ctxt_switches") == before, "other threads have worked"
"""


@pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="Linux alone has /proc, and one core no threads"
)
def test_planes_are_enlarged_in_the_thread_that_asks_and_no_others() -> None:
    # 4: no waiting for work in a loop
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "4", "OPENBLAS_THREAD_TIMEOUT": "4"}
    subprocess.run([sys.executable, "-c", IN_A_NEW_PROCESS], env=environ, check=True)


PROGRAMS = {
    "command": "from layerlift.command.main import main; main(['uploads'])",
    "worker": "from layerlift.worker.__main__ import Worker, main; Worker.serve = lambda *_: count(); main()",
    "finisher": "from layerlift.removal.finishing import main; main()",
}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has /proc")
@pytest.mark.parametrize("program", PROGRAMS)
def test_our_own_programs_begin_no_threads_for_products(tmp_path: Path, program: str) -> None:
    code = "import os, sys; count = lambda: __import__('numpy') and print(len(os.listdir('/proc/self/task')), "
    code += f"file=sys.stderr); {PROGRAMS[program]}; count()"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS", "OMP"))}
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**environ, "LAYERLIFT_HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert told.stderr.splitlines()[:1] == ["1"], told


def test_only_what_is_near_a_change_is_worked_on() -> None:
    alpha = np.zeros((CELL * 3, CELL * 3), np.uint8)
    alpha[100, 100] = 255
    seen = np.zeros(alpha.shape, int)
    for tile in Level(alpha).tiles:
        tile.of(seen)[:] += 1
    assert (seen[92:109, 92:109] == 1).all()
    assert seen.sum() == 17 * 17
