"""A layer's pixels to files and back, strip by strip, while the progress bar moves and Cancel works."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

from common import stages
from gimpfu import error, gimp, pdb

STRIP = 256
# The last word of a babl format: the worker's name of that depth, struct's letter, and full opacity.
DEPTHS = {
    "u8": ("u8", "B", 255),
    "u16": ("u16", "H", 2**16 - 1),
    "u32": ("u32", "I", 2**32 - 1),
    "half": ("f16", "e", 1.0),
    "float": ("f32", "f", 1.0),
    "double": ("f64", "d", 1.0),
}

Change = Callable[[bytes], bytes]
Show = Callable[[str, float], None]
"""Is told a line for the user and the fraction of the whole."""


class Unwritable(error):
    """No pixels can be written for the worker: the disk is full, most likely."""


def save(
    layer: Any, path: Path, show: Show, stage: str, form: str | None = None, change: Change = bytes
) -> dict[str, Any]:
    """Write a layer's pixels as rows, 8-bit or in a babl format, and changed; return what the worker needs to know."""
    width, height = layer.width, layer.height
    region = layer.get_pixel_rgn(0, 0, width, height, False, False, form)
    try:
        with path.open("wb") as file:
            for top in moving(show, stage, range(0, height, STRIP)):
                file.write(change(region[0:width, top : min(top + STRIP, height)]))
    except OSError as failure:
        path.unlink(missing_ok=True)
        raise Unwritable(
            f"The layer can't be written to {path.parent} ({failure.strerror}). Check free space and permissions."
        ) from None
    return {"pixels": path.name, "width": width, "height": height, "channels": layer.bpp}


def clean(copy: Any, worker: Any, alpha: str, show: Show) -> None:
    """Give the edges the subject's own colours, without the old background's, at the layer's own depth."""
    form = copy.format
    job = save(copy, Path(worker.folder, "copy.raw"), show, "copy", form)
    answer = worker.clean(dict(job, alpha=alpha, depth=DEPTHS[form.split()[-1]][0]), show)
    region = copy.get_pixel_rgn(0, 0, copy.width, copy.height, True, False, form)
    with Path(worker.folder, answer["file"]).open("rb") as file:
        for x, y, width, height in moving(show, "edges", answer["rectangles"]):
            region[x : x + width, y : y + height] = file.read(width * height * region.bpp)
    copy.flush()


def alpha_bytes(form: str) -> list[bytes]:
    """For each byte of a sample in a babl format, a table from alphas of 0 to 255 to it, for bytes.translate."""
    _, letter, most = DEPTHS[form.split()[-1]]
    samples = [struct.pack("=" + letter, type(most)(most * value / 255)) for value in range(256)]
    return [bytes(column) for column in zip(*samples)]


def is_opaque(layer: Any, show: Show) -> bool:
    """Whether the layer's own alpha is nowhere less than full."""
    if not layer.has_alpha:
        return True
    form, width = layer.format, layer.width
    tables = alpha_bytes(form)
    region = layer.get_pixel_rgn(0, 0, width, layer.height, False, False, form)
    for top in range(0, layer.height, STRIP):
        show(*stages.step("insert", 0))
        pixels = region[0:width, top : min(top + STRIP, layer.height)]
        for place, table in enumerate(tables, region.bpp - len(tables)):
            own = pixels[place :: region.bpp]
            if own.count(table[255]) < len(own):
                return False
    return True


def cut(copy: Any, alpha: Path, show: Show) -> None:
    """Put the alpha on an opaque copy. GIMP applies a mask in one piece, and is deaf for seconds when that is large."""
    form, width = copy.format, copy.width
    tables = alpha_bytes(form)
    region = copy.get_pixel_rgn(0, 0, width, copy.height, True, False, form)
    for top, values in strips(alpha, copy, show):
        rows = slice(top, top + len(values) // width)
        pixels = bytearray(region[0:width, rows])
        for place, table in enumerate(tables, region.bpp - len(tables)):
            pixels[place :: region.bpp] = values.translate(table)
        region[0:width, rows] = pixels
    copy.flush()


def fill(mask: Any, alpha: Path, show: Show) -> None:
    """Make a white mask the alpha."""
    region = mask.get_pixel_rgn(0, 0, mask.width, mask.height, True, False)
    for top, values in strips(alpha, mask, show):
        region[0 : mask.width, top : top + len(values) // mask.width] = values
    mask.flush()


def strips(alpha: Path, drawable: Any, show: Show) -> Iterator[tuple[int, bytes]]:
    """The first row and the alpha of each strip of the drawable that is not wholly opaque."""
    with alpha.open("rb") as file:
        for top in moving(show, "insert", range(0, drawable.height, STRIP)):
            values = file.read(drawable.width * STRIP)
            if values.count(255) < len(values):
                yield top, values


def moving(show: Show, stage: str, steps: Sequence[Any]) -> Iterator[Any]:
    """The steps of a stage, while the progress bar moves."""
    for number, step in enumerate(steps):
        show(*stages.step(stage, number / len(steps)))
        yield step


def show_progress(text: str, fraction: float) -> None:
    pdb.gimp_progress_set_text(text)
    gimp.progress_update(fraction)
