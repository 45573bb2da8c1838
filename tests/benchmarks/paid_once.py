"""Measures what it costs to pay once: `python tests/benchmarks/paid_once.py [MP]`.

A removal with the service's twin on loopback, whose cut-out is ready at once, beside the same removal a second time,
which is free; the aim is a tenth. And the journal's steps of one removal on this disk, each synced; the aim is 10 ms.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from layerlift.imaging import pictures, prepare
from layerlift.removal import single
from layerlift.removal.cancelling import Cancel
from layerlift.removal.engines import Engines
from layerlift.store.journal import Journal
from layerlift.store.settings import Settings
from layerlift.twin import Options, Twin
from PIL import Image

REPEAT = 5
JOURNALED = 50


def scene(pixels: int) -> tuple[pictures.Picture, bytes]:
    """A noisy photo of that many pixels, and the service's cut-out of it: an ellipse with a soft edge."""
    height = int((pixels / 1.5) ** 0.5)
    width = pixels // height
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    shade = np.hypot(x, y).astype(np.float32)
    grain = np.random.default_rng(3).normal(0, 6, (height, width, 1)).astype(np.float32)
    photo = (np.stack([90 + 60 * shade, 120 - 30 * shade, 60 + 80 * shade], -1) + grain).clip(0, 255).astype(np.uint8)
    picture = pictures.Picture(photo)
    upload = prepare.prepare(picture)
    alpha = ((0.7 - shade) / 0.02 + 0.5).clip(0, 1) * 255
    size = (upload.width, upload.height)
    small, sent = (np.asarray(Image.fromarray(part).resize(size)) for part in (alpha.astype(np.uint8), photo[..., 0]))
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.png")
        pictures.write_png(answer, pictures.Picture(np.dstack([sent, sent, sent, small])))
        return picture, answer.read_bytes()


def removals(megapixels: int, home: str) -> tuple[list[float], list[float]]:
    """Seconds of fresh removals and of their repetitions."""
    picture, answer = scene(megapixels * 1_000_000)
    fresh, free = [], []
    with Twin(Options(engine=lambda _: answer, rate=(10_000, 1.0))) as twin:
        settings = Settings({"LAYERLIFT_HOME": home, "YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key})
        with Engines(settings) as engines:
            for number in range(REPEAT):
                changed = picture.pixels.copy()
                changed[:64, :64] = 40 * number
                for times in (fresh, free):
                    cancel = Cancel(threading.Event())
                    begin = time.perf_counter()
                    engine = engines.open("youcam", cancel.sleep)
                    single.remove(pictures.Picture(changed), engine, lambda *_: None, cancel)
                    times.append(time.perf_counter() - begin)
        assert twin.charged == REPEAT
    return fresh, free


def journaled(home: str) -> list[float]:
    """Seconds of the journal's steps of one removal."""
    journal, times = Journal(Path(home)), []
    for number in range(JOURNALED):
        begin = time.perf_counter()
        with journal.claim(f"{number:064x}", "youcam", "account", (64, 48), time.sleep) as record:
            record.mark_uploaded("file")
            record.mark_starting()
            record.mark_running(f"task-{number}", None)
            record.mark_done(None, 1.0, None)
        times.append(time.perf_counter() - begin)
    journal.close()
    return times


def main() -> None:
    megapixels = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    with tempfile.TemporaryDirectory() as home:
        fresh, free = (statistics.median(times) for times in removals(megapixels, home))
    with tempfile.TemporaryDirectory() as home:
        steps = statistics.median(journaled(home))
    print(f"{megapixels} million pixels: fresh {fresh:.3f} s, again {free:.3f} s, {free / fresh:.2f} of it (aim 0.10)")
    print(f"journal: {steps * 1000:.1f} ms a removal (aim 10)")


if __name__ == "__main__":
    main()
