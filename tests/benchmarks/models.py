"""The offline models beside each other: how far their alphas are from the truth, and what they take.

    python tests/benchmarks/models.py [--set FOLDER] [--sheet FILE.png PHOTO...]

Of each model that is installed (`layerlift model fetch`): its plain alpha, and what the offline engine makes of it. The
pictures are photographic and drawn subjects before photos, and those of a folder with a true alpha beside each:
NAME.jpg or NAME.png, and NAME.alpha.png. The drawn ones are textures without meaning, which models for photos are not
made for. Errors are those of `metrics`, over the whole picture; "thin" is the SAD where the truth is narrower than a
fortieth of the picture's shorter side; IoU is of the parts above a half. Each set has its table. Ratios to the first
line are geometric means over the pictures. Each model runs in a process of its own, whose peak memory is told.
`--sheet` shows photos over green, one line a photo: the plain alpha and ours of each model.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT)]

from layerlift.imaging import matte  # noqa: E402
from layerlift.imaging.pictures import Picture  # noqa: E402
from layerlift.models.engine import OfflineEngine  # noqa: E402
from layerlift.models.sessions import Session  # noqa: E402
from layerlift.models.shelf import Shelf, Weights  # noqa: E402
from layerlift.store.settings import Settings  # noqa: E402
from layerlift.twin import EngineError  # noqa: E402

from tests.benchmarks import metrics, scenes  # noqa: E402

SIZE = (1600, 1100)
STAMP_SIZE = (1000, 700)
SHOWN = 320
Alpha = NDArray[np.uint8]


def installed() -> list[Weights]:
    """The models that are here, the smallest first."""
    shelf = Shelf(Settings().models_folder)
    found = [shelf.find(model) for model in shelf.models]
    return [weights for weights in found if weights is not None]


def pictures(folder: Path | None) -> Iterator[tuple[str, Image.Image, Alpha]]:
    """All pictures with their true alphas, under the names of their sets."""
    scenes.fetch_photos()
    scenes.fetch_stamps()
    for stamp in scenes.STAMPS:
        scene = scenes.make_of_stamp(stamp, *STAMP_SIZE)
        yield f"photographic: {stamp}", Image.fromarray(scene.picture), scene.alpha
    for number, kind in enumerate(scenes.KINDS):
        for background in (scenes.BACKGROUNDS[number], scenes.BACKGROUNDS[number - 4]):
            scene = scenes.make(kind, background, *SIZE)
            yield f"drawn: {kind}, {background}", Image.fromarray(scene.picture), scene.alpha
    for path in sorted(folder.glob("*.alpha.png")) if folder else ():
        name = path.name.removesuffix(".alpha.png")
        picture = next(path.parent.glob(f"{name}.[jp][pn]g"))
        yield f"given: {name}", Image.open(picture).convert("RGB"), np.asarray(Image.open(path).convert("L"))


def thin_parts(truth: Alpha) -> NDArray[np.bool_]:
    """Where the subject is narrower than a fortieth of the shorter side, and half of that around."""
    reach = max(1, min(truth.shape) // 80)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inside = (truth > 127).astype(np.uint8)
    thin = inside & ~cv2.morphologyEx(inside, cv2.MORPH_OPEN, kernel)
    # A corner is no thin part.
    thin = cv2.morphologyEx(thin, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return cv2.dilate(thin, kernel).astype(bool)


class Ways:
    """A model's plain alpha and the offline engine's, at a picture's size after `refine`."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._session = Session(weights.path)
        self._engine = OfflineEngine(Shelf(Settings().models_folder), lambda: weights.name)

    def plain(self, image: Image.Image) -> Alpha:
        alpha = self._session.run(image, self._weights.recipe)
        return _enlarged(image, Image.fromarray(np.rint(alpha * 255).astype(np.uint8)))

    def ours(self, image: Image.Image) -> Alpha:
        stream = io.BytesIO()
        image.save(stream, "PNG", compress_level=1)
        try:
            result = self._engine(stream.getvalue())
        except EngineError:
            return np.zeros(image.size[::-1], np.uint8)
        return _enlarged(image, Image.open(io.BytesIO(result)).getchannel("A"))


def _enlarged(image: Image.Image, alpha: Image.Image) -> Alpha:
    enlarged = np.asarray(alpha.resize(image.size, Image.Resampling.BICUBIC))
    return matte.refine(enlarged, Picture(np.asarray(image)))


def measure(weights: Weights, folder: Path | None) -> None:
    """The work of a child process: a line of JSON for each picture and way, and at last the peak memory in MB."""
    ways = Ways(weights)
    for name, image, truth in pictures(folder):
        everywhere = np.ones(truth.shape, bool)
        for way in (ways.plain, ways.ours):
            began = time.monotonic()
            alpha = way(image)
            seconds = time.monotonic() - began
            inside, true = alpha > 127, truth > 127
            thin = thin_parts(truth)
            errors = {
                "SAD": metrics.sad(alpha, truth, everywhere),
                "MSE": metrics.mse(alpha, truth, everywhere),
                "thin": metrics.sad(alpha, truth, thin),
                "gradient": metrics.gradient(alpha, truth, everywhere),
                "IoU": float((inside & true).sum() / max(1, (inside | true).sum())),
                "seconds": seconds,
            }
            print(json.dumps({"picture": name, "way": way.__name__, **errors}), flush=True)
    print(json.dumps({"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}))


def table(folder: Path | None) -> None:
    """Print all errors, and their ratios to the first model's plain alpha."""
    names = ("SAD", "thin", "MSE", "gradient", "IoU", "seconds")
    results: dict[str, dict[str, list[dict[str, float | str]]]] = {}
    memory: dict[str, float] = {}
    for weights in installed():
        command = [sys.executable, __file__, "--child", weights.name, *(["--set", str(folder)] if folder else [])]
        lines = [json.loads(line) for line in subprocess.check_output(command, text=True).splitlines()]
        memory[weights.name] = lines.pop()["mb"]
        for line in lines:
            of_set = results.setdefault(line["picture"].partition(":")[0], {})
            of_set.setdefault(f"{weights.name}, {line['way']}", []).append(line)
    print(", ".join(f"{name}: peak {size:.0f} MB" for name, size in memory.items()))
    for kind, ways in results.items():
        head = "".join(f"{name:>10}" for name in names)
        print(f"\n{kind:24}{head}   SAD and thin beside the first line (worst SAD: which)")
        first: dict[str, NDArray[np.float64]] = {}
        for way, of_way in ways.items():
            found = {name: np.array([line[name] for line in of_way]) for name in names}
            first = first or found
            ratios = (found["SAD"] + 1e-3) / (first["SAD"] + 1e-3)
            means = f"{np.exp(np.log(ratios).mean()):.2f}, {found['thin'].sum() / max(1e-3, first['thin'].sum()):.2f}"
            worst = f"({ratios.max():.2f}: {of_way[int(ratios.argmax())]['picture']})"
            cells = "".join(f"{found[name].mean():10.3f}" for name in names)
            print(f"{way:24}{cells}   {means} {worst}", flush=True)
        _print_beside_the_better(ways)


def _print_beside_the_better(ways: dict[str, list[dict[str, Any]]]) -> None:
    """Print where a model with a second one is worse than the better of both by more than 2 %."""
    for better in ("plain", "ours"):
        both = [ways.get(f"{name}, {better}") for name in ("u2netp", "isnet")]
        if None in both:
            continue
        ends = zip(ways["isnet, ours"], *both, strict=True)  # type: ignore[arg-type]
        worse = {
            ours["picture"]: ours["SAD"] / least
            for ours, one, other in ends
            if ours["SAD"] > 1.02 * (least := min(one["SAD"], other["SAD"]))
        }
        print(f"isnet, ours, is worse by over 2 % than the better of both ({better}) on: {worse or 'none'}")


def sheet(target: Path, photos: list[Path]) -> None:
    """Save a contact sheet of photos over green: the photo, and of each model the plain alpha and ours."""
    ways = [way for weights in installed() for one in [Ways(weights)] for way in (one.plain, one.ours)]
    page = Image.new("RGB", (SHOWN * (1 + len(ways)), SHOWN * len(photos)), "white")
    for row, path in enumerate(photos):
        image = Image.open(path).convert("RGB")
        shown = [image]
        for way in ways:
            green = Image.new("RGB", image.size, (0, 170, 60))
            green.paste(image, (0, 0), Image.fromarray(way(image)))
            shown.append(green)
        for column, cell in enumerate(shown):
            cell.thumbnail((SHOWN - 4, SHOWN - 4))
            page.paste(cell, (column * SHOWN, row * SHOWN))
    page.save(target)


def main() -> None:
    parser = argparse.ArgumentParser(description="Offline models beside each other.")
    parser.add_argument("--set", type=Path, dest="folder")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--child")
    parser.add_argument("photos", nargs="*", type=Path)
    options = parser.parse_args()
    if options.child:
        measure(next(weights for weights in installed() if weights.name == options.child), options.folder)
    elif options.sheet:
        sheet(options.sheet, options.photos)
    else:
        table(options.folder)


if __name__ == "__main__":
    main()
