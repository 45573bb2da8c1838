"""A layer's pixels to files and back, strip by strip, while the progress bar moves and Cancel works."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, Sequence

from common import stages
from common.language import _
from gimpfu import error, gimp, pdb

STRIP = 256
# The last word of a babl format, and the worker's name of that depth.
DEPTHS = {"u8": "u8", "u16": "u16", "u32": "u32", "half": "f16", "float": "f32", "double": "f64"}

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
    with writing(path) as file:
        for top in moving(show, stage, range(0, height, STRIP)):
            file.write(change(region[0:width, top : min(top + STRIP, height)]))
    return {"pixels": path.name, "width": width, "height": height, "channels": layer.bpp}


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file for the worker; one that can't be written does not stay. Raises Unwritable."""
    try:
        with path.open("wb") as file:
            yield file
    except OSError as failure:
        path.unlink(missing_ok=True)
        raise Unwritable(
            _("The layer can't be written to {folder} ({reason}). Check free space and permissions.").format(
                folder=path.parent, reason=failure.strerror
            )
        ) from None


def cut(copy: Any, worker: Any, alpha: str, clean: bool, show: Show) -> None:
    """Put the alpha in a file of the worker's on the copy, at its own depth; with `clean`, edges get the subject's own
    colours, without the old background's.

    The worker multiplies: GIMP applies a mask in one piece, and is deaf for seconds when that is large.
    """
    form = copy.format
    job = save(copy, Path(worker.folder, "copy.raw"), show, "copy", form)
    answer = worker.cut(dict(job, alpha=alpha, depth=DEPTHS[form.split()[-1]], clean=clean), show)
    pixels = Path(worker.folder, answer["file"])
    fill(copy, pixels, show, form)
    pixels.unlink()


def fill(drawable: Any, pixels: Path, show: Show, form: str | None = None) -> None:
    """Make a drawable what is in a file of rows, 8-bit or in a babl format."""
    width, height = drawable.width, drawable.height
    region = drawable.get_pixel_rgn(0, 0, width, height, True, False, form)
    with pixels.open("rb") as file:
        for top in moving(show, "insert", range(0, height, STRIP)):
            rows = min(STRIP, height - top)
            region[0:width, top : top + rows] = file.read(rows * width * region.bpp)
    drawable.flush()


def moving(show: Show, stage: str, steps: Sequence[Any]) -> Iterator[Any]:
    """The steps of a stage, while the progress bar moves."""
    for number, step in enumerate(steps):
        show(*stages.step(stage, number / len(steps)))
        yield step


def show_progress(text: str, fraction: float) -> None:
    pdb.gimp_progress_set_text(text)
    gimp.progress_update(fraction)
