"""Our own time from pixels to result, without the service's: each step beside its floor and beside the naive way.

    python tests/benchmarks/own_time.py [--sizes 12 24 50] [--repeat 3] [--scene simple|heavy] [--ways host file naive]

A way is a command that gets a folder and prints one line of JSON, {"steps": {step: seconds}, "peak_mb": number}; more
ways are added to `WAYS`. The folder holds photo.raw (RGBA, 8 bits), photo.jpg, answer.png (the cut-out as a service
sends it) and scene.json (width, height). Each run is a process of its own, so that its peak memory is its own.

The floor is what the best known code took for 24 million pixels on one thread of a 2 core machine, from raw pixels; it
is scaled to the other sizes where the step depends on them. Times are one machine's: compare ratios.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

SIDES = {12: (4243, 2828), 24: (6000, 4000), 50: (8660, 5774)}
# seconds at 24 million pixels: simple scene, heavy scene, whether the layer's size matters
FLOOR = {
    "read": (0.01, 0.01, True),
    "prepare": (0.58, 0.58, True),
    "decode": (0.25, 0.25, False),
    "refine": (0.46, 1.17, True),  # a guided filter, without 0.16 to find the true resolution
    "edges": (0.82, 1.18, True),
    "write": (0.30, 0.30, True),
}
STEPS = ("read", "prepare", "decode", "refine", "edges", "multiply", "write")


class Watch:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.steps[step] = time.perf_counter() - start


def host(folder: Path, scene: dict[str, int], watch: Watch) -> None:
    """What the worker does for a plug-in: raw pixels in, raw alpha out."""
    from layerlift.imaging import matte, pictures, prepare

    width, height = scene["width"], scene["height"]
    with watch("read"):
        picture = pictures.read_raw(folder / "photo.raw", width, height, 4)
    with watch("prepare"):
        upload = prepare.prepare(picture)
    answer = (folder / "answer.png").read_bytes()
    with watch("decode"):
        alpha = matte.decode(answer, (upload.width, upload.height))
    with watch("refine"):
        alpha = matte.refine(alpha, picture)
    with watch("write"):
        (folder / "alpha.raw").write_bytes(alpha)


def file(folder: Path, scene: dict[str, int], watch: Watch) -> None:
    """What the command line does: a JPEG in, a PNG with alpha and clean edges out."""
    from layerlift.imaging import matte, pictures, prepare

    with watch("read"):
        picture = pictures.read(folder / "photo.jpg")
    with watch("prepare"):
        upload = prepare.prepare(picture)
    answer = (folder / "answer.png").read_bytes()
    with watch("decode"):
        alpha = matte.decode(answer, (upload.width, upload.height))
    with watch("refine"):
        alpha = matte.refine(alpha, picture)
    with watch("edges"):
        picture = matte.cut_out(picture, alpha, clean_edges=True)
    with watch("write"):
        pictures.write_png(folder / "out.png", picture)


def naive(folder: Path, scene: dict[str, int], watch: Watch) -> None:
    """What comes to mind first: Pillow alone, PNG up and down, bicubic."""
    from io import BytesIO

    from PIL import Image

    size = scene["width"], scene["height"]
    with watch("read"):
        photo = Image.open(folder / "photo.jpg")
        photo.load()
    with watch("prepare"):
        smaller = photo.copy()
        smaller.thumbnail((4096, 4096), Image.Resampling.LANCZOS)
        smaller.save(BytesIO(), "PNG")
    with watch("decode"):
        answer = Image.open(folder / "answer.png")
        answer.load()
    with watch("refine"):
        alpha = answer.getchannel("A").resize(size, Image.Resampling.BICUBIC)
    with watch("multiply"):
        photo.putalpha(alpha)
    with watch("write"):
        photo.save(folder / "out.png")


FUNCTIONS: dict[str, Callable[[Path, dict[str, int], Watch], None]] = {"host": host, "file": file, "naive": naive}
WAYS: dict[str, list[str]] = {name: [sys.executable, __file__, "--run", name] for name in FUNCTIONS}


def make_scene(folder: Path, width: int, height: int, kind: str) -> None:
    """A photo with structure, grain and a wavy subject whose soft edge covers about 1.4 % (simple) or 15 % (heavy)."""
    import numpy as np
    from layerlift.imaging import pictures, prepare

    random = np.random.default_rng(7)
    pixels = np.empty((height, width, 4), np.uint8)
    softness = 0.016 if kind == "simple" else 0.16
    x = np.linspace(-1, 1, width, dtype=np.float32)
    for top in range(0, height, 256):
        y = np.linspace(-1, 1, height, dtype=np.float32)[top : top + 256, None]
        radius, angle = np.hypot(x, y), np.arctan2(y, x)
        edge = 0.6 + 0.05 * np.sin(7 * angle) + 0.01 * np.sin(211 * angle)
        alpha = np.clip((edge - radius) / softness + 0.5, 0, 1)[..., None]
        subject = np.stack([0.7 + 0.2 * np.sin(40 * angle), 0.5 + 0.3 * np.sin(90 * radius), 0.4 + 0 * radius], -1)
        behind = np.stack([0.2 + 0.1 * np.sin(30 * x + 9 * y), 0.5 + 0.2 * y + 0 * x, 0.6 - 0.2 * x + 0 * y], -1)
        colour = alpha * subject + (1 - alpha) * behind + random.standard_normal(behind.shape, np.float32) * 0.03
        pixels[top : top + 256, :, :3] = (colour * 255).clip(0, 255)
        pixels[top : top + 256, :, 3] = np.rint(alpha[..., 0] * 255)
    matte = np.ascontiguousarray(pixels[..., 3:])
    pixels[..., 3] = 255
    pixels.tofile(folder / "photo.raw")
    photo = pictures.to_vips(pixels[..., :3])
    photo.jpegsave(str(folder / "photo.jpg"), Q=95, subsample_mode="off")
    upload = prepare.prepare(pictures.Picture(pixels))
    scale = {"vscale": upload.height / height, "kernel": "lanczos3"}
    cut_out = photo.bandjoin(pictures.to_vips(matte)).resize(upload.width / width, **scale)
    cut_out.pngsave(str(folder / "answer.png"), compression=6)
    facts = {
        "width": width,
        "height": height,
        "upload_mb": len(upload.data) / 1e6,
        "band": float(((matte > 0) & (matte < 255)).mean()),
    }
    (folder / "scene.json").write_text(json.dumps(facts))


def make_scene_apart(folder: Path, size: int, kind: str) -> dict[str, float]:
    """`make_scene` in a process of its own: a child would inherit the peak memory of this one. Returns its facts."""
    sides = [str(side) for side in SIDES[size]]
    subprocess.run([sys.executable, __file__, "--scene", kind, "--make", *sides, folder], check=True)
    facts: dict[str, float] = json.loads((folder / "scene.json").read_text())
    return facts


def child(function: Callable[[Path, dict[str, int], Watch], None], folder: Path) -> None:
    scene, watch = json.loads((folder / "scene.json").read_text()), Watch()
    function(folder, scene, watch)
    unit = 1e6 if sys.platform == "darwin" else 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(json.dumps({"steps": watch.steps, "peak_mb": peak}))


def measured(way: str, folder: Path, repeat: int) -> dict[str, Any]:
    """The median of each step."""
    return measured_command(WAYS[way], folder, repeat)


def measured_command(command: list[str], folder: Path, repeat: int) -> dict[str, Any]:
    """`measured` for a command that is not one of `WAYS`."""
    runs = []
    for _ in range(repeat):
        run = subprocess.run([*command, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
        runs.append(json.loads(run.stdout.splitlines()[-1]))
    steps = {step: statistics.median(run["steps"][step] for run in runs) for step in runs[0]["steps"]}
    return {"steps": steps, "peak_mb": max(run["peak_mb"] for run in runs)}


def floor(step: str, size: int, scene: str) -> float | None:
    if step not in FLOOR:
        return None
    simple, heavy, scales = FLOOR[step]
    return (simple if scene == "simple" else heavy) * (size / 24 if scales else 1)


def table(size: int, scene: str, results: dict[str, dict[str, Any]]) -> str:
    lines = [f"{'':12}{'floor':>8}" + "".join(f"{way:>10}{'/floor':>8}" for way in results)]

    def line(name: str, low: float | None, values: list[float | None]) -> str:
        cells = f"{name:12}" + (f"{low:8.2f}" if low is not None else f"{'-':>8}")
        for value in values:
            cells += f"{value:10.2f}" if value is not None else f"{'-':>10}"
            cells += f"{value / low:8.2f}" if value is not None and low else f"{'':8}"
        return cells

    for step in STEPS:
        values = [result["steps"].get(step) for result in results.values()]
        if any(value is not None for value in values):
            lines.append(line(step, floor(step, size, scene), values))
    totals: list[float | None] = [sum(result["steps"].values()) for result in results.values()]
    lines.append(line("total", None, totals))
    lines.append(f"{'of its floor':12}{'':8}")
    for result in results.values():
        low = sum(floor(step, size, scene) or 0 for step in result["steps"])
        lines[-1] += f"{sum(result['steps'].values()) / low:10.2f}{'':8}"
    lines.append(f"{'peak MB':12}{'':8}" + "".join(f"{result['peak_mb']:10.0f}{'':8}" for result in results.values()))
    if "naive" in results:
        slow = sum(results["naive"]["steps"].values())
        lines.append(
            f"{'faster by':12}{'':8}"
            + "".join(f"{slow / sum(result['steps'].values()):9.1f}x{'':8}" for result in results.values())
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Our own time beside its floor and beside the naive way.")
    parser.add_argument("--sizes", nargs="+", type=int, choices=sorted(SIDES), default=sorted(SIDES), metavar="MP")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--scene", choices=["simple", "heavy"], default="simple")
    parser.add_argument("--ways", nargs="+", choices=sorted(WAYS), default=list(WAYS))
    parser.add_argument("--run", choices=sorted(FUNCTIONS), help=argparse.SUPPRESS)
    parser.add_argument("--make", nargs=2, type=int, help=argparse.SUPPRESS)
    parser.add_argument("folder", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        child(FUNCTIONS[options.run], options.folder)
        return
    if options.make:
        make_scene(options.folder, *options.make, options.scene)
        return
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            facts = make_scene_apart(folder, size, options.scene)
            band, upload = facts["band"], facts["upload_mb"]
            print(f"\n{size} million pixels, {options.scene} scene, band {band:.1%}, upload {upload:.1f} MB")
            repeats = {way: 1 if way == "naive" else options.repeat for way in options.ways}
            results = {way: measured(way, folder, repeat) for way, repeat in repeats.items()}
            print(table(size, options.scene, results), flush=True)


if __name__ == "__main__":
    main()
