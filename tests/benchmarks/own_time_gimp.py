"""Our own time in every real GIMP, from the action to the layer, without the service's; beside the naive way there.

    python tests/benchmarks/own_time_gimp.py [--gimp 2.10 3.0 3.2] [--sizes 12 24 50] [--repeat 3]

GIMP 3 is the one in the tests' chroots, and the worker is the same everywhere, so that the hosts alone differ.

The service is the twin on loopback with a cut-out that is ready at once, so that what remains is ours: GIMP's export,
the worker's start, preparation, loopback, decoding, refining, and GIMP's insert. The naive way, in the same GIMP, is
GIMP's own PNG export at level 6, Pillow for what is sent and received, and GIMP's PNG import of the cut-out as a layer.
The floor is own_time.py's for a host, with GIMP's own cost of moving pixels added: to read, and to copy, mask and apply
24 million pixels, as measured with bare libgimp calls.
"""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
sys.path[:0] = [str(CHECKOUT), str(HERE)]

from layerlift.twin import Options, Twin  # noqa: E402
from own_time import FLOOR, SIDES, measured  # noqa: E402

from tests.hosts.gimp import Gimp, make_template  # noqa: E402
from tests.hosts.layerlift_in_gimp import install  # noqa: E402
from tests.hosts.versions import VERSIONS, Version  # noqa: E402

# seconds at 24 million pixels
GIMP_FLOOR = {"2.10": 0.33 + 0.5, "3.0": 0.13 + 0.65, "3.2": 0.13 + 0.65}
CORE_STEPS = ("read", "prepare", "decode", "refine")


def ours(photo: str, repeat: int, clean: bool) -> Any:
    """Runs inside GIMP: begin and end of each action, in seconds of the system's monotonic clock."""
    import time

    spans = []
    for number in range(repeat):
        image = pdb.gimp_file_load(photo, photo)
        # Another picture each time: what was paid for once is free.
        pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, 0, 0, 200, 200)
        pdb.gimp_context_set_foreground((40 * number, 255 * clean, 0))
        pdb.gimp_drawable_edit_fill(image.active_layer, FILL_FOREGROUND)
        pdb.gimp_selection_none(image)
        begin = time.monotonic()
        pdb.python_fu_layerlift(image, image.active_layer, 0, clean, True, 1)
        spans.append((begin, time.monotonic()))
        pdb.gimp_image_delete(image)
    return spans


def naive(photo: str, png: str, cut_out: str) -> Any:
    """Runs inside GIMP: seconds of the PNG export and of the PNG import."""
    import time

    image = pdb.gimp_file_load(photo, photo)
    begin = time.monotonic()
    pdb.file_png_save(image, image.active_layer, png, png, 0, 6, 0, 0, 0, 0, 0)
    exported = time.monotonic()
    layer = pdb.gimp_file_load_layer(image, cut_out)
    image.insert_layer(layer)
    return exported - begin, time.monotonic() - exported


def compare(version: Version, size: int, repeat: int, template: Path) -> float:
    """Print one size's figures; returns the seconds of the whole action."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sides = [str(side) for side in SIDES[size]]
        subprocess.run([sys.executable, str(HERE / "own_time.py"), "--make", *sides, name], check=True)
        photo, answer = str(folder / "photo.jpg"), (folder / "answer.png").read_bytes()
        with Gimp(folder / "gimp", version, template) as gimp:
            with Twin(Options(engine=lambda _: answer, rate=(10_000, 1.0))) as twin:
                install(gimp, folder / "state", twin)
                plain, clean = (gimp.python(ours, photo, repeat, wanted, timeout=900) for wanted in (False, True))
                declared, received = ([call.time for call in twin.calls(step)] for step in ("declare", "download"))
            by_pillow = measured("naive", folder, 1)["steps"]
            files = str(folder / "up.png"), str(folder / "out.png")
            by_gimp = gimp.python(naive, photo, *files, timeout=900)
    spans = list(zip(plain, declared, received, strict=False))
    rows = {
        "before the upload": statistics.median(sent - begin for (begin, _), sent, _ in spans),
        "loopback": statistics.median(got - sent for _, sent, got in spans),
        "after the download": statistics.median(end - got for (_, end), _, got in spans),
    }
    whole = statistics.median(end - begin for begin, end in plain)
    cleaned = statistics.median(end - begin for begin, end in clean)
    low = sum(FLOOR[step][0] * (size / 24 if FLOOR[step][2] else 1) for step in CORE_STEPS)
    low += GIMP_FLOOR[version.name] * size / 24
    slow = sum(by_gimp) + sum(by_pillow[step] for step in ("prepare", "decode", "refine"))
    print(f"\n{size} million pixels, GIMP {version.release()}")
    for row, seconds in rows.items():
        print(f"  {row:20}{seconds:8.2f} s")
    print(f"  {'whole action':20}{whole:8.2f} s   {whole / low:.2f} x its floor of {low:.2f} s")
    print(f"  {'with clean edges':20}{cleaned:8.2f} s")
    print(f"  {'naive':20}{slow:8.2f} s   {slow / whole:.1f} x ours", flush=True)
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description="Our own time in every real GIMP beside the naive way.")
    parser.add_argument("--gimp", nargs="+", choices=VERSIONS, default=list(VERSIONS), metavar="VERSION")
    parser.add_argument("--sizes", nargs="+", type=int, choices=sorted(SIDES), default=sorted(SIDES), metavar="MP")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    for size in options.sizes:
        whole = {}
        for name in options.gimp:
            with tempfile.TemporaryDirectory() as folder:
                template = make_template(Path(folder), VERSIONS[name])
                whole[name] = compare(VERSIONS[name], size, options.repeat, template)
        first, *others = whole
        for name in others:
            print(f"\n{size} million pixels: GIMP {name} takes {whole[name] / whole[first]:.2f} x the time of {first}")


if __name__ == "__main__":
    main()
