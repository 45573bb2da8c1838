"""Our own time in real Krita, from the action to the layer, without the service's; and how long its window is blocked.

    python tests/benchmarks/own_time_krita.py [--krita 5.1] [--gimp 2.10] [--sizes 12 24 50] [--repeat 3] [--blocks 24]

The service is the twin on loopback with a cut-out that is ready at once, so that what remains is ours: Krita's export,
the worker's start, preparation, loopback, decoding, refining, multiplying, and Krita's insert, until Krita has nothing
left to compute. The naive way, in the same Krita, is its own PNG of the layer, Pillow for what is sent and received,
and the cut-out opened and copied as a layer. The floor is own_time.py's for a host, with Krita's own cost of moving
pixels added, which is measured beside it: to read a layer in one call, to fill another and to show it. GIMP's whole
action follows in the same run.

A block is the longest time that a timer of 5 ms in Krita waits, from the action to one second after the end of the job.
"""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
sys.path[:0] = [str(CHECKOUT), str(HERE)]

import own_time_gimp  # noqa: E402
from large import memory  # noqa: E402
from layerlift.twin import Options, Twin  # noqa: E402
from own_time import FLOOR, SIDES, measured  # noqa: E402

from tests.hosts.gimp import make_template as make_gimp  # noqa: E402
from tests.hosts.krita import Krita, KritaWindow, make_template  # noqa: E402
from tests.hosts.versions import KRITAS, VERSIONS, KritaVersion  # noqa: E402

PROCESSES = {"Krita": b"krita --nosplash", "worker": b"layerlift.worker"}
SRGB, LINEAR, OTHER = "sRGB-elle-V2-srgbtrc.icc", "sRGB-elle-V2-g10.icc", "ClayRGB-elle-V2-g22.icc"


class Format(NamedTuple):
    """A layer's colour space, and the longest block in seconds that it may cause."""

    depth: str = "U8"
    profile: str = SRGB
    aim: float | None = 0.25


FORMATS = {
    "U8 sRGB": Format(),
    "U8 other profile": Format(profile=OTHER),
    "U16 sRGB": Format("U16", aim=None),
    "U16 linear": Format("U16", LINEAR, 0.35),
    "F32 linear": Format("F32", LINEAR, None),
}


class Run(NamedTuple):
    """One action in Krita, in seconds of the system's monotonic clock; `stamps` are a 5 ms timer's.

    `held` is what Krita's process had of memory before it, in MB.
    """

    held: int
    begin: float
    there: float
    done: float
    stamps: list[float]

    def block(self) -> tuple[float, float]:
        """The longest, and when it began."""
        return max((after - before, before) for before, after in pairwise(self.stamps))


def ours(photo: str, depth: str, profile: str, clean: bool, shade: int) -> Any:
    """Runs inside Krita."""
    import time

    from layerlift.qt import QtCore

    document = yield from open_document(photo)
    # Another picture each time: what was paid for once is free.
    yield from paint(document, document.activeNode(), bytes([shade] * 4 * 200 * 200), 0, 0, 200, 200)
    if (document.colorDepth(), document.colorProfile()) != (depth, profile):
        document.setColorSpace("RGBA", depth, profile)
        yield from settle(document)
    k.writeSetting("layerlift", "clean_edges", str(clean).lower())

    def rests() -> bool:
        """Whether Krita, which draws its canvas in threads, has done next to nothing for half a second."""
        spent.append((time.monotonic(), time.process_time()))
        while spent[-1][0] - spent[0][0] > 0.6:
            spent.pop(0)
        return spent[-1][0] - spent[0][0] > 0.5 and spent[-1][1] - spent[0][1] < 0.05

    spent: list[tuple[float, float]] = []
    yield rests, 120
    # From here on, the process's peak memory is counted anew.
    Path("/proc/self/clear_refs").write_text("5")
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    held = int(status["VmRSS"].split()[0]) // 1024
    stamps = [time.monotonic()]
    timer = QtCore.QTimer()
    timer.timeout.connect(lambda: stamps.append(time.monotonic()))
    timer.start(5)
    k.action("layerlift_remove").trigger()
    # No list of nodes: nobody owns them, so they would keep the pixels of the closed document.
    yield lambda: document.nodeByName("Background cut-out"), 300
    there = time.monotonic()

    def idle() -> bool:
        free = document.tryBarrierLock()
        if free:
            document.unlock()
        return free

    yield idle, 60
    done = time.monotonic()
    yield lambda: time.monotonic() > done + 1
    timer.stop()
    yield from close(document)
    return held, stamps[0], there, done, stamps


def bare(photo: str) -> Any:
    """Runs inside Krita: seconds to read a layer in one call, and to fill another and show it."""
    import time

    document = yield from open_document(photo)
    node, whole = document.activeNode(), (0, 0, document.width(), document.height())
    begin = time.monotonic()
    pixels = node.projectionPixelData(*whole)
    read = time.monotonic()
    new = document.createNode("", "paintlayer")
    new.setPixelData(pixels, *whole)
    node.parentNode().addChildNode(new, node)
    document.waitForDone()
    shown = time.monotonic()
    yield from close(document)
    return read - begin, shown - read


def naive(photo: str, png: str, cut_out: str) -> Any:
    """Runs inside Krita: seconds of the PNG export, and of the PNG import as a layer."""
    import time

    import krita

    document = yield from open_document(photo)
    node, whole = document.activeNode(), (0, 0, document.width(), document.height())
    k.setBatchmode(True)
    begin = time.monotonic()
    node.save(png, 72.0, 72.0, krita.InfoObject(), document.bounds())
    exported = time.monotonic()
    answer = k.openDocument(cut_out)
    new = document.createNode("", "paintlayer")
    new.setPixelData(answer.topLevelNodes()[0].pixelData(*whole), *whole)
    node.parentNode().addChildNode(new, node)
    document.waitForDone()
    shown = time.monotonic()
    yield from close(answer)
    yield from close(document)
    k.setBatchmode(False)
    return exported - begin, shown - exported


class Scene:
    """A photo of a size, and the service's answer to it, for one Krita that runs."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        self.photo = str(folder / "photo.jpg")
        self._shade = 0
        sides = [str(side) for side in SIDES[size]]
        subprocess.run([sys.executable, str(HERE / "own_time.py"), "--make", *sides, str(folder)], check=True)
        self.answer = (folder / "answer.png").read_bytes()

    def run(self, window: KritaWindow, layer: Format = FORMATS["U8 sRGB"], clean: bool = False) -> Run:
        """The action in a window, on a layer of this format."""
        self._shade += 1
        return Run(*window.run(ours, self.photo, layer.depth, layer.profile, clean, self._shade, timeout=600))


@contextmanager
def opened(scene: Scene, version: KritaVersion) -> Iterator[tuple[KritaWindow, Twin]]:
    """A Krita with the plug-in in a window, and its service."""
    template = make_template(scene.folder / f"krita {version}", version)
    krita = Krita(scene.folder / version.name, version, template)
    with Twin(Options(engine=lambda _: scene.answer, rate=(10_000, 1.0))) as twin:
        krita.add_layerlift(krita.folder / "state", twin)
        with krita.window() as window:
            yield window, twin


def compare(window: KritaWindow, scene: Scene, twin: Twin, repeat: int) -> float:
    """Print one size's figures; returns the seconds of the whole action."""
    before = len(twin.calls("declare"))
    plain = [scene.run(window) for _ in range(repeat)]
    declared, received = ([call.time for call in twin.calls(step)][before:] for step in ("declare", "download"))
    clean = [scene.run(window, clean=True) for _ in range(repeat)]
    rows = {
        "before the upload": statistics.median(sent - run.begin for run, sent in zip(plain, declared, strict=False)),
        "loopback": statistics.median(got - sent for sent, got in zip(declared, received, strict=True)),
        "after the download": statistics.median(run.there - got for run, got in zip(plain, received, strict=False)),
        "until it is shown": statistics.median(run.done - run.there for run in plain),
    }
    whole = statistics.median(run.done - run.begin for run in plain)
    cleaned = statistics.median(run.done - run.begin for run in clean)
    reading, showing = (
        statistics.median(times) for times in zip(*(window.run(bare, scene.photo) for _ in range(repeat)))
    )
    low = sum(FLOOR[step][0] * (scene.size / 24 if FLOOR[step][2] else 1) for step in own_time_gimp.CORE_STEPS)
    low += reading + showing
    by_pillow = measured("naive", scene.folder, 1)["steps"]
    files = str(scene.folder / "up.png"), str(scene.folder / "out.png")
    by_krita = window.run(naive, scene.photo, *files, timeout=600)
    slow = sum(by_krita) + sum(by_pillow[step] for step in ("prepare", "decode", "refine"))
    print(f"\n{scene.size} million pixels, Krita {window.krita.version.release()}")
    for row, seconds in rows.items():
        print(f"  {row:20}{seconds:8.2f} s")
    print(f"  {'whole action':20}{whole:8.2f} s   {whole / low:.2f} x its floor of {low:.2f} s", end="")
    print(f" (Krita alone: {reading:.2f} to read, {showing:.2f} to fill and show)")
    print(f"  {'with clean edges':20}{cleaned:8.2f} s")
    print(f"  {'naive':20}{slow:8.2f} s   {slow / whole:.1f} x ours", flush=True)
    return whole


def blocks(window: KritaWindow, scene: Scene, twin: Twin, repeat: int) -> None:
    """Print the longest block and, of one more run, the peak memory for each format."""
    print(f"\n{scene.size} million pixels, Krita {window.krita.version.release()}, with clean edges")
    print(
        f"  {'':18}{'block':>6}{'aim':>6}  {'where':12}{'each':{7 * repeat}}{'whole':>7}{'MB: Krita':>12}{'worker':>13}"
    )
    for name, layer in FORMATS.items():
        first = len(twin.calls("declare"))
        runs = [scene.run(window, layer, clean=True) for _ in range(repeat)]
        sent, got = ([call.time for call in twin.calls(step)][first:] for step in ("declare", "download"))
        found = []
        for run, upload, download in zip(runs, sent, got, strict=True):
            seconds, when = run.block()
            ends = {"export": upload, "service": download, "insert": run.there, "canvas": float("inf")}
            found.append((seconds, next(stage for stage, end in ends.items() if when < end)))
        longest, where = max(found)
        each = "".join(f"{seconds:7.2f}" for seconds, _ in found)
        whole = statistics.median(run.done - run.begin for run in runs)
        with memory(window.krita.folder / "state", PROCESSES) as peaks:
            held = scene.run(window, layer, clean=True).held
        krita, worker = (peaks[process]["VmHWM"] for process in PROCESSES)
        aim = f"{layer.aim:6.2f}" if layer.aim else f"{'-':>6}"
        print(
            f"  {name:18}{longest:6.2f}{aim}  {where:12}{each}{whole:7.2f}{held:12}{krita - held:+6}{worker:7}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Our own time in real Krita beside the naive way; how long it blocks.")
    parser.add_argument("--krita", nargs="+", choices=KRITAS, default=["5.1"], metavar="VERSION")
    parser.add_argument("--gimp", nargs="*", choices=VERSIONS, default=["2.10"], metavar="VERSION")
    parser.add_argument("--sizes", nargs="*", type=int, choices=sorted(SIDES), default=sorted(SIDES), metavar="MP")
    parser.add_argument("--blocks", nargs="*", type=int, choices=sorted(SIDES), default=[24], metavar="MP")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    for size in sorted({*options.sizes, *options.blocks}):
        print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        whole = {}
        with tempfile.TemporaryDirectory() as name:
            scene = Scene(Path(name), size)
            for version in options.krita:
                with opened(scene, KRITAS[version]) as (window, twin):
                    if size in options.sizes:
                        whole[f"Krita {version}"] = compare(window, scene, twin, options.repeat)
                    if size in options.blocks:
                        blocks(window, scene, twin, options.repeat)
            if size in options.sizes:
                for version in options.gimp:
                    template = make_gimp(scene.folder / f"gimp {version}", VERSIONS[version])
                    whole[f"GIMP {version}"] = own_time_gimp.compare(VERSIONS[version], size, options.repeat, template)
                print(f"\n{size} million pixels: " + ", ".join(f"{host} {time:.2f} s" for host, time in whole.items()))


if __name__ == "__main__":
    main()
