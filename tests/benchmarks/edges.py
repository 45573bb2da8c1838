"""Alphas and edge colours against the truth: bicubic, ours, and the best public methods that can be installed.

    pip install pymatting
    python tests/benchmarks/edges.py [--sizes 12 24 50] [--kinds hair ...] [--backgrounds forest ... | --all]
        [--jobs 2] [--quick]

The errors are explained in metrics.py, scenes and deliveries in scenes.py, public methods in ways.py. "colour" is the
error of the colours alone, put on a new background with the true alpha; "new background" that of alpha and colours
together, the mean of green, black, white and a photo; "original" are the picture's colours, with the bicubic alpha.

The first table is of whole pictures; the second of one crop of each, in which the public methods take part; the third
is our time on one core (edges_time.py). At the end stand the aims.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product

import edges_time
import metrics
import own_time
import scenes
from cases import COLOUR, COMPOSITE, Case, Delivery, Errors, Scene, measured

CLEAN = [Delivery(longest) for longest in (4096, 2048, 1024, 320)]
ENLARGED = Delivery(4096, detail=1024)
FLAWED = [Delivery(longest, flaw) for longest in (4096, 1024) for flaw in scenes.FLAWS if flaw != "clean"]
QUICK = [CLEAN[0], CLEAN[2], ENLARGED, Delivery(4096, "shifted")]
QUICK_SIZE = 12

Columns = dict[str, tuple[str, ...]]
"""The ways of each error; the first is what ours is compared with."""
WHOLE: Columns = {
    **dict.fromkeys(metrics.ALPHA_ERRORS, ("bicubic", "ours")),
    COLOUR: ("original", "ours"),
    COMPOSITE: ("original", "ours"),
}
PUBLIC: Columns = {
    **dict.fromkeys(metrics.ALPHA_ERRORS, ("bicubic", "ours", "guided", "closed form")),
    COLOUR: ("original", "ours", "multi-level"),
}
RATIOS = ("SAD", COLOUR)
"""The errors whose ratio is printed in the table."""
_NOTHING = 1e-4
"""Added to both parts of a ratio: some errors are 0."""

Groups = dict[tuple[str, str], list[Errors]]


def table(groups: Groups, columns: Columns) -> str:
    """A row for each group, the mean of its cases; a column for each error and way, "-" where a way found nothing."""
    heads, names = [" " * 22], [f"{'':22}"]
    for error, ways in columns.items():
        cells = [f"{way[:8]:>9}" for way in ways] + ([f"{'ratio':>7}"] if error in RATIOS else [])
        names.append("".join(cells))
        heads.append(f"{error:^{len(names[-1])}}")
    lines = [" |".join(heads), " |".join(names)]
    for (kind, delivery), cases in groups.items():
        cells = [f"{kind:7} {delivery:14}"]
        for error, ways in columns.items():
            means = {way: _mean([case[way][error] for case in cases if error in case.get(way, {})]) for way in ways}
            cell = "".join(_number(mean) for mean in means.values())
            if error in RATIOS:
                cell += f"{means['ours'] / means[ways[0]]:7.2f}"
            cells.append(cell)
        lines.append(" |".join(cells))
    return "\n".join(lines)


def _mean(values: list[float]) -> float:
    return statistics.fmean(values) if values else math.nan


def _number(value: float) -> str:
    if math.isnan(value):
        return f"{'-':>9}"
    return f"{value:9.0f}" if value >= 1000 else f"{value:9.3g}"


def grouped(cases: list[Case], errors: Callable[[Case], Errors]) -> Groups:
    """By kind and delivery."""
    groups: Groups = {}
    for case in cases:
        if errors(case):
            groups.setdefault((case.scene.kind, str(case.delivery)), []).append(errors(case))
    return groups


def aims(cases: list[Case]) -> str:
    """What the issue asks for, beside what was measured; the means are geometric."""
    lines = []

    def ratio(case: Case, error: str) -> float:
        return (case.whole["ours"][error] + _NOTHING) / (case.whole[WHOLE[error][0]][error] + _NOTHING)

    def line(name: str, some: list[Case], error: str, aim: float) -> None:
        if not some:
            return
        worst = max(some, key=lambda case: ratio(case, error))
        mean = math.exp(statistics.fmean(math.log(ratio(case, error)) for case in some))
        missed = sum(ratio(case, error) > aim for case in some)
        lines.append(
            f"{name:34}{aim:7.2f}{mean:7.2f}{ratio(worst, error):7.2f}{missed:5} of {len(some):4}"
            f"  {worst.scene}, {worst.delivery}"
        )

    lines.append(f"{'ours / bicubic or original':34}{'aim':>7}{'mean':>7}{'worst':>7}{'missed by':>13}  the worst")
    line("SAD, 4096 clean", [case for case in cases if case.delivery == CLEAN[0]], "SAD", 1 / 2)
    line("SAD, 1024 clean", [case for case in cases if case.delivery == CLEAN[2]], "SAD", 1 / 3)
    line("colour, 4096 clean", [case for case in cases if case.delivery == CLEAN[0]], COLOUR, 1 / 2)
    line("colour, everywhere", cases, COLOUR, 1 / 2)
    line("colour on new, 4096 clean", [case for case in cases if case.delivery == CLEAN[0]], COMPOSITE, 1 / 2)
    for error in (*metrics.ALPHA_ERRORS, COMPOSITE):
        line(f"{error}, everywhere", cases, error, 1.02)
    return "\n".join(lines)


def backgrounds_of(kind: str, count: int) -> list[str]:
    """Evenly over the photos; another kind begins at another photo."""
    photos = scenes.BACKGROUNDS
    first = list(scenes.KINDS).index(kind)
    return [photos[(first + number * len(photos) // count) % len(photos)] for number in range(count)]


def is_public(delivery: Delivery) -> bool:
    return delivery in (*CLEAN, ENLARGED)


def is_never_public(delivery: Delivery) -> bool:
    return False


def run(todo: list[Scene], deliveries: list[Delivery], public: Callable[[Delivery], bool], jobs: int) -> list[Case]:
    """The cases in the order of `todo`."""
    done: dict[Scene, list[Case]] = {}
    # spawned: libvips' threads do not survive a fork
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(measured, scene, deliveries, public): scene for scene in todo}
        for future in as_completed(futures):
            done[futures[future]] = future.result()
            print(f"{len(done)} of {len(todo)}: {futures[future]}", file=sys.stderr, flush=True)
    return [case for scene in todo for case in done[scene]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Alphas and edge colours against the truth.")
    parser.add_argument("--sizes", nargs="+", type=int, choices=sorted(own_time.SIDES), metavar="MP", default=[24])
    parser.add_argument("--kinds", nargs="+", choices=list(scenes.KINDS), default=list(scenes.KINDS))
    parser.add_argument("--backgrounds", nargs="+", choices=scenes.BACKGROUNDS, help="for each kind; by default two")
    parser.add_argument("--all", action="store_true", help="five backgrounds for each kind")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="scenes that are measured side by side")
    parser.add_argument("--quick", action="store_true", help="12 MP, one background, few deliveries, no public methods")
    options = parser.parse_args()
    scenes.fetch_photos()
    count = 1 if options.quick else 5 if options.all else 2
    for size in [QUICK_SIZE] if options.quick else options.sizes:
        todo = []
        for kind in options.kinds:
            todo += list(product([kind], options.backgrounds or backgrounds_of(kind, count)))
        scenes_of_size = [Scene(*one, *own_time.SIDES[size]) for one in todo]
        deliveries = QUICK if options.quick else [*CLEAN, ENLARGED, *FLAWED]
        cases = run(scenes_of_size, deliveries, is_never_public if options.quick else is_public, options.jobs)
        print(f"\n{size} million pixels, {len(scenes_of_size)} scenes: errors in the band")
        print(table(grouped(cases, lambda case: case.whole), WHOLE))
        crops = grouped(cases, lambda case: case.crop)
        if crops:
            print("\nThe same in a crop of 1 million pixels of each, with public methods")
            print(table(crops, PUBLIC))
        print(f"\n{edges_time.table(size, 1 if options.quick else 3)}")
        print(f"\n{aims(cases)}", flush=True)


if __name__ == "__main__":
    main()
