"""How fast a batch is beside the best that the service's limit allows, and beside single runs.

    python tests/benchmarks/batch_law.py [--pictures 40 120] [--side 600]

The service is the twin, with a limit of 25 requests in 10 s beside 5 in one, and 2 s for each task. A picture takes one
run, its polls and its share of a declaration, of which one serves GROUP files, so the limit allows

    pictures a second <= requests a second / (1 + polls + 1 / GROUP)

with one poll where the service tells an interval that is longer than the task, and two where it tells none: a task has
to be looked at within 2 s then. No poll may be late, no request one too many, no unit lost.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time

import numpy as np
from layerlift.imaging.pictures import Picture
from layerlift.removal import batch
from layerlift.removal.batch import Batch
from layerlift.removal.cancelling import Cancel
from layerlift.removal.engines import Engines
from layerlift.removal.single import Outcome
from layerlift.store.settings import Settings
from layerlift.twin import Options, Twin

REQUESTS, SECONDS, RUN_SECONDS = 25, 10.0, 2.0


class Photo:
    """A picture of its own number: a dark half, the subject, before white."""

    def __init__(self, number: int, side: int) -> None:
        self._number, self._side = number, side

    def load(self) -> Picture:
        pixels = np.full((self._side, self._side, 3), 255, np.uint8)
        pixels[:, : self._side // 2] = [self._number % 12 * 10, self._number // 12 * 10, 0]
        return Picture(pixels)

    def deliver(self, picture: Picture, outcome: Outcome) -> int:
        return outcome.units


def law(pictures: int, side: int, interval_ms: int | None) -> str:
    """A line of the table."""
    options = Options(rate=(REQUESTS, SECONDS), run_seconds=RUN_SECONDS, polling_interval_ms=interval_ms)
    event = threading.Event()
    with tempfile.TemporaryDirectory() as home, Twin(options) as twin:
        variables = {"LAYERLIFT_HOME": home, "YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key}
        with Engines(Settings({**variables, "LAYERLIFT_RATE": f"{REQUESTS}/{SECONDS:g}"})) as engines:
            work = Batch(event, engines.background)
            engine = engines.open("youcam", Cancel(event).sleep)
            begin = time.monotonic()
            units = [end.result for end in work.run([Photo(number, side) for number in range(pictures)], engine)]
            took = time.monotonic() - begin
        calls = {step: len(twin.calls(step)) for step in ("declare", "run", "poll", "delete")}
        refused = sum(call.status == 429 for step in calls for call in twin.calls(step))
        lost = twin.charged - pictures
        late = twin.late_polls
    best = REQUESTS / SECONDS / (1 + (2 if interval_ms is None else 1) + 1 / batch.GROUP)
    rate = units.count(1) / took
    interval = "untold" if interval_ms is None else f"{interval_ms / 1000:g} s"
    return (
        f"{pictures:8} {interval:>8} {took:7.1f} {rate:7.2f} {best:6.2f} {rate / best:6.0%}"
        f" {calls['declare']:9} {calls['poll']:6} {refused:5} {late:5} {lost:5}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="The speed of a batch beside the best that the limit allows.")
    parser.add_argument("--pictures", nargs="+", type=int, default=[40, 120])
    parser.add_argument("--side", type=int, default=600)
    options = parser.parse_args()
    print("pictures interval seconds    rate   best   ratio declares  polls   429  late  lost")
    for count in options.pictures:
        for interval_ms in (4000, None):
            print(law(count, options.side, interval_ms), flush=True)


if __name__ == "__main__":
    main()
