"""Crops of edges, enlarged: the picture, bicubic with the original colours, ours, and the truth, on a new background.

    python tests/benchmarks/contact_sheet.py sheet.png [--kinds hair ...] [--background forest] [--longest 1024]
        [--detail 1024] [--size 24] [--times 3]

Where a kind is cut out is not chosen by the result: it is the middling one of the crops in which bicubic has errors.
The new background is light where the old one is dark, and dark where it is light.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cases
import numpy as np
import own_time
import scenes
import ways
from edges import backgrounds_of
from PIL import Image, ImageDraw, ImageFont

COLUMNS = ("the picture", "bicubic, original colours", "Layerlift", "truth")
CELL = (480, 330)
GAP, TITLE, HEADER = 12, 44, 40
PAPER, INK, FAINT = "white", "#1a1a1a", "#666666"
LIGHT, DARK = (238, 232, 213), (32, 38, 52)


def row(scene: cases.Scene, delivery: cases.Delivery, times: int) -> list[Image.Image]:
    """A crop for each of `COLUMNS`."""
    made = scenes.make(scene.kind, scene.background, scene.width, scene.height)
    delivered = scenes.delivered(made.alpha, delivery.longest, delivery.flaw, delivery.detail)
    bicubic = ways.bicubic(delivered, scene.width, scene.height)
    ours = ways.our_alpha(delivered, made.picture)
    colours = ways.our_colours(made.picture, ours)
    window = crop_of(made.alpha, bicubic, -(-CELL[0] // times), -(-CELL[1] // times))
    picture, truth = made.picture[window], made.alpha[window]
    behind = picture[truth == 0]
    new = LIGHT if behind.size == 0 or behind.mean() < 128 else DARK
    crops = [
        picture,
        over(picture, bicubic[window], new),
        over(colours[window], ours[window], new),
        over(made.foreground[window], truth, new),
    ]
    return [enlarged(crop, times) for crop in crops]


def crop_of(truth: ways.Alpha, bicubic: ways.Alpha, width: int, height: int) -> tuple[slice, slice]:
    """Of the windows that show subject and background, the one with the middling error of bicubic."""
    errors = []
    for top in range(0, truth.shape[0] - height + 1, height):
        for left in range(0, truth.shape[1] - width + 1, width):
            window = np.s_[top : top + height, left : left + width]
            error = np.abs(truth[window].astype(np.int16) - bicubic[window]).mean()
            shown = 0.2 < truth[window].mean() / 255 < 0.8 and (truth[window] == 0).mean() > 0.05
            errors.append((shown, error, window))
    fit = sorted((one for one in errors if one[0]), key=lambda one: one[1]) or [max(errors, key=lambda one: one[1])]
    return fit[len(fit) // 2][2]


def over(colours: ways.Colours, alpha: ways.Alpha, new: tuple[int, int, int]) -> ways.Colours:
    share = alpha[..., None] / 255.0
    return np.rint(colours * share + np.array(new) * (1 - share)).astype(np.uint8)


def enlarged(crop: ways.Colours, times: int) -> Image.Image:
    """Every pixel a square, as large as a cell."""
    height, width = crop.shape[:2]
    image = Image.fromarray(crop).resize((width * times, height * times), Image.Resampling.NEAREST)
    return image.crop((0, 0, *CELL))


def sheet(rows: dict[str, list[Image.Image]]) -> Image.Image:
    """The crops under the names of their columns, each row under its title."""
    width = GAP + len(COLUMNS) * (CELL[0] + GAP)
    page = Image.new("RGB", (width, HEADER + len(rows) * (TITLE + CELL[1]) + GAP), PAPER)
    draw = ImageDraw.Draw(page)
    large, small = ImageFont.load_default(24), ImageFont.load_default(18)
    for column, name in enumerate(COLUMNS):
        draw.text((GAP + column * (CELL[0] + GAP), HEADER - 4), name, INK, large, anchor="ls")
    for number, (title, crops) in enumerate(rows.items()):
        top = HEADER + number * (TITLE + CELL[1])
        draw.text((GAP, top + TITLE - 8), title, FAINT, small, anchor="ls")
        for column, crop in enumerate(crops):
            page.paste(crop, (GAP + column * (CELL[0] + GAP), top + TITLE))
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description="Crops of edges beside each other.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--kinds", nargs="+", choices=list(scenes.KINDS), default=list(scenes.KINDS))
    parser.add_argument("--background", choices=scenes.BACKGROUNDS, help="by default another for each kind")
    parser.add_argument("--longest", type=int, default=1024, help="the longest side of the delivered alpha")
    parser.add_argument("--detail", type=int, help="where it was enlarged by the service: from this longest side")
    parser.add_argument("--size", type=int, choices=sorted(own_time.SIDES), default=24, metavar="MP")
    parser.add_argument("--times", type=int, default=3, help="magnification")
    options = parser.parse_args()
    scenes.fetch_photos()
    delivery = cases.Delivery(options.longest, detail=options.detail)
    width, height = own_time.SIDES[options.size]
    side = f"{options.detail} and enlarged to {options.longest}" if options.detail else options.longest
    rows = {}
    for kind in options.kinds:
        scene = cases.Scene(kind, options.background or backgrounds_of(kind, 1)[0], width, height)
        title = f"{kind} before {scene.background}, {width} x {height} pixels, alpha delivered at {side}"
        rows[f"{title}, {options.times} x"] = row(scene, delivery, options.times)
    sheet(rows).save(options.file)


if __name__ == "__main__":
    main()
