"""A batch of large pictures, from file to file: its time beside the sum of single runs, its memory beside a single one.

    python tests/benchmarks/batch_pictures.py [--size 12] [--pictures 40] [--single 5]

The service is the twin without a limit, in a process of its own, with 3 s for each task. Pictures are own_time.py's
simple scene, each with a mark of its own; they are read, cut out with clean edges and written as the command does it.
The sum is the mean of some single runs, one after the other in one process, times the number of pictures.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import own_time
from layerlift.imaging import matte, pictures
from layerlift.imaging.pictures import Picture
from layerlift.removal import single
from layerlift.removal.batch import Batch
from layerlift.removal.cancelling import Cancel
from layerlift.removal.engines import Engines
from layerlift.removal.single import Outcome
from layerlift.store.settings import Settings
from layerlift.twin import Options, Twin

RUN_SECONDS = 3.0


class File:
    """A picture's way from file to file."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number = folder, number

    def load(self) -> Picture:
        picture = pictures.read(self._folder / "photo.jpg")
        marked = picture.pixels.copy() if not picture.pixels.flags.writeable else picture.pixels
        marked[:64, :64] = [self._number % 256, self._number // 256, 99]
        return Picture(marked, picture.icc_profile)

    def deliver(self, picture: Picture, outcome: Outcome) -> int:
        target = self._folder / f"{self._number}.png"
        pictures.write_png(target, matte.cut_out(picture, outcome.alpha, clean_edges=True))
        target.unlink()
        return outcome.units


def serve(folder: Path, ready: multiprocessing.connection.Connection) -> None:
    """The twin, until the parent ends it; tells its address and key."""
    answer = (folder / "answer.png").read_bytes()
    with Twin(Options(engine=lambda _: answer, run_seconds=RUN_SECONDS, rate=(10**6, 1.0), units=1e6)) as twin:
        ready.send((twin.url, twin.key))
        threading.Event().wait()


def run(folder: Path, url: str, key: str, count: int, side_by_side: bool) -> None:
    """The work of a child process, whose time and peak memory it prints."""
    event = threading.Event()
    with tempfile.TemporaryDirectory() as home:
        variables = {"LAYERLIFT_HOME": home, "YOUCAM_API_URL": url, "YOUCAM_API_KEY": key}
        with Engines(Settings({**variables, "LAYERLIFT_RATE": "1000000/1"})) as engines:
            jobs = [File(folder, number) for number in range(count)]
            work = Batch(event, engines.background)
            engine = engines.open("youcam", Cancel(event).sleep)
            begin = time.monotonic()
            if side_by_side:
                assert [end.result for end in work.run(jobs, engine)] == [1] * count
            else:
                for job in jobs:
                    outcome = single.remove(job.load(), engine, lambda *_: None, Cancel(threading.Event()))
                    job.deliver(job.load(), outcome)
            took = time.monotonic() - begin
    print(json.dumps({"seconds": took, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}))


def child(folder: Path, address: tuple[str, str], count: int, side_by_side: bool) -> dict[str, float]:
    command = [sys.executable, __file__, "--run", str(folder), *address, str(count), str(int(side_by_side))]
    found: dict[str, float] = json.loads(subprocess.check_output(command))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of a batch beside single runs.")
    parser.add_argument("--size", type=int, choices=sorted(own_time.SIDES), default=12, metavar="MP")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--single", type=int, default=5)
    parser.add_argument("--run", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        folder, url, key, count, side_by_side = options.run
        run(Path(folder), url, key, int(count), side_by_side == "1")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own_time.make_scene_apart(folder, options.size, "simple")
        here, there = multiprocessing.Pipe()
        twin = multiprocessing.get_context("spawn").Process(target=serve, args=(folder, there), daemon=True)
        twin.start()
        address = here.recv()
        single = child(folder, address, options.single, side_by_side=False)
        together = child(folder, address, options.pictures, side_by_side=True)
        twin.terminate()
    sum_of_all = single["seconds"] / options.single * options.pictures
    print(f"{options.pictures} pictures of {options.size} million pixels, {RUN_SECONDS:g} s for each task")
    print(f"  one after the other {sum_of_all:7.1f} s   {single['mb']:6.0f} MB")
    print(f"  batch               {together['seconds']:7.1f} s   {together['mb']:6.0f} MB")
    print(f"  ratio               {sum_of_all / together['seconds']:7.1f}     {together['mb'] / single['mb']:6.2f}")


if __name__ == "__main__":
    main()
