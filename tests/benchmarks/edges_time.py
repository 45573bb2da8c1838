"""Our time for the alpha and for the edge colours on one core, beside the floor and the aim, and the peak memory.

    python tests/benchmarks/edges_time.py [--sizes 12 24 50] [--repeat 3]

The scenes, the floor and the processes are those of own_time.py.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import own_time

AIM = {"simple": 1.2, "heavy": 2.5}
"""Seconds for alpha and colours together, at 24 million pixels."""
STEPS = ("refine", "edges")


def one_core(folder: Path, scene: dict[str, int], watch: own_time.Watch) -> None:
    """What matte.py and foreground.py do between the service's answer and the layer."""
    from layerlift.imaging import foreground, matte, pictures, prepare

    picture = pictures.read(folder / "photo.jpg")
    upload = prepare.prepare(picture)
    delivered = matte.decode((folder / "answer.png").read_bytes(), (upload.width, upload.height))
    with watch("refine"):
        alpha = matte.refine(delivered, picture)
    with watch("edges"):
        for _rectangle in foreground.clean_edges(picture, alpha):
            pass


def table(size: int, repeat: int) -> str:
    """A line for each scene: seconds of each step beside its floor, both together beside the aim, megabytes."""
    heads = "".join(f"{name:>9}{'floor':>7}" for name in STEPS)
    lines = [f"{f'One core, {size} million pixels':30}{heads}{'both':>9}{'aim':>7}{'peak MB':>9}"]
    for scene, aim in AIM.items():
        with tempfile.TemporaryDirectory() as name:
            facts = own_time.make_scene_apart(Path(name), size, scene)
            result = own_time.measured_command([sys.executable, __file__, "--run"], Path(name), repeat)
        title = f"{scene} scene, band {facts['band']:.1%}"
        cells = "".join(f"{result['steps'][step]:9.2f}{own_time.floor(step, size, scene):7.2f}" for step in STEPS)
        both = sum(result["steps"].values())
        lines.append(f"{title:30}{cells}{both:9.2f}{aim * size / 24:7.2f}{result['peak_mb']:9.0f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Our time for alpha and edge colours on one core.")
    parser.add_argument("--sizes", nargs="+", type=int, choices=sorted(own_time.SIDES), default=[24], metavar="MP")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        # before libvips and the BLAS count the cores
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        os.environ["VIPS_CONCURRENCY"] = "1"
        own_time.child(one_core, options.run)
        return
    for size in options.sizes:
        print(f"{table(size, options.repeat)}\n", flush=True)


if __name__ == "__main__":
    main()
