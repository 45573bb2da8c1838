"""100 million pixels of 16 bits through the whole action in a real GIMP: memory, progress, cancel.

    python tests/benchmarks/large.py [--gimp 3.2] [--size 11600 8700] [--profile]

The service is the twin on loopback with a cut-out of 4096 pixels that is ready at once. Memory is each process's peak
(VmHWM), which counts the mapped files too; the anonymous part of it is sampled. Progress is what the plug-in tells
GIMP: the longest time between two updates, and where. Cancel is what GIMP does, a SIGKILL
of the plug-in, in several stages: the time until the worker has ended and its folder is gone.
"""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyvips

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
sys.path[:0] = [str(CHECKOUT)]

from layerlift.twin import Options, Twin  # noqa: E402

from tests.hosts.deep_scenes import answer, samples, scene  # noqa: E402
from tests.hosts.gimp import BodyFailed, Gimp, make_template  # noqa: E402
from tests.hosts.layerlift_in_gimp import install  # noqa: E402
from tests.hosts.profiles import swapped_profile  # noqa: E402
from tests.hosts.versions import VERSIONS  # noqa: E402
from tests.hosts.window import wait_for  # noqa: E402

REDUCED = 4
PROCESSES = {"GIMP": b"gimp-console", "plug-in": b"layerlift/layerlift.py", "worker": b"layerlift.worker"}
STAGES = ("Preparing", "Refining", "Cutting")
# Appended to the plug-in that the benchmark installs; the product has no such thing.
LOGGED = """

def _logged(show, path):
    import time

    def logged(text, fraction):
        with open(path, "a") as file:
            file.write(f"{time.monotonic()} {fraction:.3f} {text}\\n")
        show(text, fraction)

    return logged


show_progress = _logged(show_progress, PATH)
"""


def make_photo(folder: Path, width: int, height: int) -> bytes:
    """Write photo.tif; the service's answer for it."""
    truth = scene(width // REDUCED, height // REDUCED, soft=height / REDUCED / 40)
    rows, columns = truth.alpha.shape
    small = pyvips.Image.new_from_memory(samples(truth.picture, "u16").tobytes(), columns, rows, 3, "ushort")
    large = small.resize(width / columns, vscale=height / rows, kernel="cubic")
    noise = pyvips.Image.gaussnoise(width, height, sigma=40, mean=0)
    (large + noise).cast("ushort").copy(interpretation="rgb16").tiffsave(str(folder / "photo.tif"))
    alpha = pyvips.Image.new_from_memory(truth.alpha.tobytes(), columns, rows, 1, "uchar")
    scale = min(1.0, 4096 / width)
    alpha = alpha.resize(width * scale / columns, vscale=height * scale / rows)
    pixels = np.frombuffer(alpha.write_to_memory(), np.uint8).reshape(alpha.height, alpha.width)
    print(f"{width} x {height} pixels of 16 bits, {((pixels > 0) & (pixels < 255)).mean():.1%} of them in the band")
    return answer(pixels)


def act(photo: str, profile: str) -> Any:
    """Runs inside GIMP: begin and end of the action, in seconds of the system's monotonic clock."""
    import time

    image = pdb.gimp_file_load(photo, photo)
    if profile:
        pdb.gimp_image_set_color_profile_from_file(image, profile)
    begin = time.monotonic()
    pdb.python_fu_layerlift(image, image.active_layer, 0, True, True, 1)
    return begin, time.monotonic(), len(image.layers)


def processes_of(home: Path, processes: dict[str, bytes] = PROCESSES) -> dict[str, int]:
    """The process IDs of this run's GIMP, plug-in and worker, or of other processes by a part of their commands."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if str(home).encode() not in (folder / "environ").read_bytes():
                continue
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        found.update({name: int(folder.name) for name, part in processes.items() if part in command})
    return found


@contextmanager
def memory(home: Path, processes: dict[str, bytes] = PROCESSES) -> Iterator[dict[str, dict[str, int]]]:
    """The peaks of each process in MB, sampled until the end of the block."""
    peaks: dict[str, dict[str, int]] = {}
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.05):
            for name, process in processes_of(home, processes).items():
                try:
                    lines = Path(f"/proc/{process}/status").read_text().splitlines()
                except OSError:
                    continue
                for line in lines:
                    field, _, amount = line.partition(":")
                    if field in ("VmHWM", "RssAnon"):
                        known = peaks.setdefault(name, {})
                        known[field] = max(known.get(field, 0), int(amount.split()[0]) // 1024)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def gaps(log: Path, begin: float, end: float) -> list[tuple[float, str]]:
    """The longest times without an update of the bar, each with the update before it."""
    updates = [(begin, "the start"), *((float(line.split()[0]), line.split(" ", 1)[1]) for line in lines(log))]
    ends = [moment for moment, _ in updates[1:]] + [end]
    return sorted(((after - before, text) for (before, text), after in zip(updates, ends, strict=True)), reverse=True)


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def has_ended(process: int) -> bool:
    """Whether a process has given back all that it had, though nobody may have asked for its exit status yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def cancelled(gimp: Gimp, home: Path, log: Path, stage: str, photo: str, profile: str) -> str:
    """The line of the table for a cancel in a stage."""
    log.unlink(missing_ok=True)
    gimp.environment["LAYERLIFT_HOME"] = str(home)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(gimp.python, act, photo, profile, timeout=900)
        wait_for(lambda: running.done() or any(f" {stage}" in line for line in lines(log)), stage, 300)
        if running.done():
            return f"  cancel in {stage:24} was not reached: {running.exception()}"
        time.sleep(0.5)
        found = processes_of(home)
        begin = time.monotonic()
        os.kill(found["plug-in"], signal.SIGKILL)
        wait_for(lambda: has_ended(found["worker"]), "the worker's end", 60)
        seconds = time.monotonic() - begin
        left = list((home / "work").glob("*/*"))
        with suppress(BodyFailed):
            running.result()
        return f"  cancel in {stage:24}{seconds:8.2f} s to the worker's end, {len(left)} files left"


def main() -> None:
    parser = argparse.ArgumentParser(description="100 million pixels of 16 bits in a real GIMP.")
    parser.add_argument("--gimp", choices=VERSIONS, default="2.10", metavar="VERSION")
    parser.add_argument("--size", nargs=2, type=int, default=(11600, 8700), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--profile", action="store_true", help="give the image a profile that is not sRGB")
    options = parser.parse_args()
    version = VERSIONS[options.gimp]
    with tempfile.TemporaryDirectory() as name:
        folder, log = Path(name), Path(name, "progress.log")
        cut_out = make_photo(folder, *options.size)
        (folder / "swapped.icc").write_bytes(swapped_profile())
        photo, profile = str(folder / "photo.tif"), (folder / "swapped.icc").as_uri() if options.profile else ""
        template, service = make_template(folder, version), Options(engine=lambda _: cut_out, rate=(10_000, 1.0))
        with Gimp(folder / "gimp", version, template) as gimp, Twin(service) as twin:
            install(gimp, folder / "state", twin)
            strips = gimp.profile / "plug-ins" / "layerlift" / "strips.py"
            strips.write_text(strips.read_text() + LOGGED.replace("PATH", repr(str(log))))
            with memory(folder) as peaks:
                begin, end, layers = gimp.python(act, photo, profile, timeout=900)
            print(f"  whole action, {layers} layers after it{end - begin:12.1f} s")
            for process, peak in peaks.items():
                print(f"  {process:34}{peak['VmHWM']:8} MB, of it anonymous {peak['RssAnon']} MB")
            both = sum(peaks[process]["VmHWM"] for process in ("plug-in", "worker"))
            print(f"  {'plug-in and worker':34}{both:8} MB")
            for seconds, text in gaps(log, begin, end)[:5]:
                print(f"  no progress for {seconds:24.2f} s   after {text}")
            for stage in STAGES:
                print(cancelled(gimp, folder / f"state {stage}", log, stage, photo, profile), flush=True)


if __name__ == "__main__":
    main()
