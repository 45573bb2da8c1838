"""A layer of 100 million pixels of 16 bits, cut out by the worker in the host's own samples: time, memory, cancel.

    python tests/benchmarks/large_layer.py [--size 11600 8700] [--depth u16]

This is what the Krita plug-in asks for once the alpha is there. The worker is a process as a host starts it, the layer
RGBA. Memory is the process's peak (VmHWM), which counts the mapped file too, and its anonymous part, sampled. Beside
the time stands that of a plain copy of the file: no cut-out can be had for less.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyvips

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "service")]

from worker_host import Host  # noqa: E402

from tests.hosts.deep_scenes import samples, scene  # noqa: E402

REDUCED = 4
FORMATS = {"u8": "uchar", "u16": "ushort", "f32": "float"}
WORDS = {"u8": "u8", "u16": "u16", "f32": "float"}


def make_layer(folder: Path, width: int, height: int, depth: str) -> None:
    """Writes layer.raw (RGBA, opaque) and layer.alpha."""
    truth = scene(width // REDUCED, height // REDUCED, soft=height / REDUCED / 40)
    rows, columns = truth.alpha.shape
    pixels = samples(truth.picture, WORDS[depth])
    small = pyvips.Image.new_from_memory(pixels.tobytes(), columns, rows, 3, FORMATS[depth])
    large = small.resize(width / columns, vscale=height / rows, kernel="cubic")
    top = float(samples(truth.picture[:1] * 0 + 1, WORDS[depth]).max())
    large.bandjoin(top).cast(FORMATS[depth]).rawsave(str(folder / "layer.raw"))
    alpha = pyvips.Image.new_from_memory(truth.alpha.tobytes(), columns, rows, 1, "uchar")
    alpha = alpha.resize(width / columns, vscale=height / rows)
    alpha.rawsave(str(folder / "layer.alpha"))
    band = (alpha > 0).ifthenelse(alpha < 255, 0).avg() / 255
    print(f"{width} x {height} pixels of {depth}, {band:.1%} of them in the band")


@contextmanager
def memory(process: int) -> Iterator[dict[str, int]]:
    """The peaks of a process in MB, sampled until the end of the block."""
    peaks: dict[str, int] = {}
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.02):
            for line in Path(f"/proc/{process}/status").read_text().splitlines():
                field, _, amount = line.partition(":")
                if field in ("VmHWM", "RssAnon"):
                    peaks[field] = max(peaks.get(field, 0), int(amount.split()[0]) // 1024)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def ask(host: Host, folder: Path, options: argparse.Namespace, clean: bool) -> None:
    """Hands the layer to the worker, in its folder."""
    for name in ("layer.raw", "layer.alpha"):
        shutil.copy(folder / name, host.folder)
    width, height = options.size
    layer = {"pixels": "layer.raw", "alpha": "layer.alpha", "width": width, "height": height, "channels": 4}
    host.send(type="cut", id="1", **layer, depth=options.depth, clean=clean)


def measured(host: Host, folder: Path, options: argparse.Namespace, clean: bool) -> str:
    """The line of the table for one cut."""
    ask(host, folder, options, clean)
    begin = last = time.monotonic()
    gap = 0.0
    with memory(host.process.pid) as peaks:
        while (message := host.next())["type"] == "progress":
            now = time.monotonic()
            gap, last = max(gap, now - last), now
    seconds = time.monotonic() - begin
    assert message["type"] == "result", message
    figures = f"peak {peaks['VmHWM']} MB, of it anonymous {peaks['RssAnon']} MB, {gap:.2f} s between two updates"
    return f"{seconds:.2f} s, {figures}"


def cancelled(host: Host, folder: Path, options: argparse.Namespace) -> str:
    """How long a cancel in the middle takes."""
    ask(host, folder, options, True)
    while host.next()["fraction"] < 0.5:
        continue
    begin = time.monotonic()
    host.send(type="cancel", id="1")
    _, end = host.until_end("1")
    return f"{time.monotonic() - begin:.2f} s to the answer {end.get('code')}"


def main() -> None:
    parser = argparse.ArgumentParser(description="A large layer, cut out by the worker.")
    parser.add_argument("--size", nargs=2, type=int, default=(11600, 8700), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--depth", choices=FORMATS, default="u16")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_layer(folder, *options.size, options.depth)
        begin = time.monotonic()
        shutil.copyfile(folder / "layer.raw", folder / "copy.raw")
        print(f"  a plain copy of the layer: {time.monotonic() - begin:.2f} s")
        (folder / "copy.raw").unlink()
        for title, clean in (("with its alpha", False), ("and clean edges", True)):
            host = Host({**os.environ, "LAYERLIFT_HOME": str(folder / "home")})
            print(f"  {title}: {measured(host, folder, options, clean)}", flush=True)
            host.end()
            host.close()
        host = Host({**os.environ, "LAYERLIFT_HOME": str(folder / "home")})
        print(f"  cancel in its middle: {cancelled(host, folder, options)}")
        host.end()
        host.close()


if __name__ == "__main__":
    main()
