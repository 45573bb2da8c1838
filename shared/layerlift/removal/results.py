"""What Python programs get: cut-outs, what other tasks have made, and pictures that failed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import atomic, errors
from ..imaging import matte, pictures
from ..imaging.pictures import Picture

Row: TypeAlias = list[tuple[str, Mapping[str, Any]]]
"""Tasks that were run one after the other, with their fields."""
Then: TypeAlias = Callable[[Picture, Row, str, Mapping[str, Any], bool, bool], "TaskResult"]
"""Runs a task on what a row has made of a picture: the task, its fields, and whether to pay again and to keep."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """A picture whose background is removed.

    Attributes:
        alpha: (height, width) uint8, of the picture's own size: 255 where the subject is, 0 where the background was.
            It is not multiplied with the alpha that the picture may have had; what `image` returns is.
        source: what was given to `remove` or `remove_all`.
        number: its place among the sources, from 0.
        engine: "youcam" or "offline".
        task_id: the service's name for the removal.
        dst_id: the service's name for the result, None where it gave none.
        units: what was charged: 0 where the alpha was kept from an earlier removal of the same pixels, or is offline.
        cached: whether the alpha was kept from an earlier removal.
        full: whether the whole picture was taken for the subject, so that nothing is cut away.
        model: the offline model that made it, None for the service.
        fallback: why that was not a better model, a sentence; None where nothing was in the way of one.
    """

    alpha: NDArray[np.uint8]
    source: Any
    number: int
    engine: str
    task_id: str
    dst_id: str | None
    units: int
    cached: bool
    full: bool
    model: str | None
    fallback: str | None
    _picture: Picture
    _then: Then

    def __repr__(self) -> str:
        height, width = self.alpha.shape
        made_by = f"{self.engine} ({self.model})" if self.model else self.engine
        return f"<Cutout {self.number}: {width} x {height}, {made_by}, {self.units} units>"

    def image(self, *, clean_edges: bool = True) -> Picture:
        """The cut-out, made anew with each call.

        Its `pixels` are (height, width, 2 or 4): gray or RGB, then alpha, not premultiplied, in the picture's own
        depth, uint8 or uint16, and with its `icc_profile`. At 8 bits `PIL.Image.fromarray` takes the pixels; Pillow has
        no colours of 16 bits.

        Args:
            clean_edges: whether the old background's colour is taken out of soft edges. All else keeps its colours
                bit for bit.
        """
        return matte.cut_out(self._picture, self.alpha, clean_edges=clean_edges)

    def save(self, path: str | os.PathLike[str], *, clean_edges: bool = True) -> None:
        """Writes `image` as a PNG, with 8 or 16 bits and the profile; the file is there whole or not at all. One that
        is there is replaced.

        Raises:
            SetupError: ``not_png`` for a name that does not end in .png; ``disk`` where it can't be written.
        """
        if Path(path).suffix.lower() != ".png":
            raise errors.make("not_png", str(path))
        pictures.write_png(path, self.image(clean_edges=clean_edges))

    def then(self, task: str, *, again: bool = False, keep: bool = False, **fields: Any) -> TaskResult:
        """What another task of the service makes of the cut-out, which the service makes anew, or still has: as
        `Client.run` has it."""
        return self._then(self._picture, [("sod", {})], task, fields, again, keep)


@dataclass(frozen=True, eq=False)
class TaskResult:
    """What a task of the service has made of a picture.

    Attributes:
        files: one or several pictures, PNG or JPEG, as the service made them.
        task: its name.
        task_id: the service's name for this run.
        dst_id: the service's name for the result, None where it gave none.
        units: what it cost this time, and what came before it in the row: 0 where all was kept from earlier runs.
        cached: whether all was kept.
    """

    files: list[bytes]
    task: str
    task_id: str
    dst_id: str | None
    units: int
    cached: bool
    _picture: Picture
    _row: Row
    _then: Then

    def image(self, number: int = 0) -> Picture:
        """One of the pictures: (height, width, channels) of uint8, gray or RGB, with alpha where it has one."""
        return pictures.decode(self.files[number])

    def save(self, path: str | os.PathLike[str], number: int = 0) -> None:
        """Writes one of the files as it came. Raises SetupError ``disk`` where it can't be written."""
        try:
            with atomic.replacing(Path(path)) as part:
                part.write_bytes(self.files[number])
        except OSError as error:
            raise errors.make("disk", f"{path} ({error.strerror})") from error

    def then(self, task: str, *, again: bool = False, keep: bool = False, **fields: Any) -> TaskResult:
        """What another task makes of the result, as `Client.run` has it."""
        return self._then(self._picture, self._row, task, fields, again, keep)


@dataclass(frozen=True, eq=False)
class Failure:
    """A picture of `Client.remove_all` that has no cut-out.

    Attributes:
        source: what was given.
        number: its place among the sources, from 0.
        error: why; its kind says what to do next.
    """

    source: Any
    number: int
    error: errors.LayerliftError

    def __repr__(self) -> str:
        return f"<Failure {self.number}: {self.error}>"
