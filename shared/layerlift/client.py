"""Layerlift for Python programs: pictures of any kind in, cut-outs out."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from . import errors
from .imaging import matte, pictures
from .imaging.pictures import Picture
from .imaging.sources import Reader, Source
from .removal import account
from .removal.batch import Batch, End
from .removal.cancelling import Cancel
from .removal.choices import CHOICES, Choice
from .removal.engines import Engine, Engines
from .removal.single import Outcome
from .store.settings import Settings, check_key

_AHEAD = 4
"""Cut-outs that wait for the program to take them; as many pictures are in memory."""
_LOOK_SECONDS = 0.05


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


class Client:
    """Removes backgrounds, by the YouCam service or offline. Use it in a `with` block; threads may share it::

        with layerlift.Client() as client:
            client.remove("dog.jpg").save("dog.png")

    What was paid for is kept: the same pixels are free the next time, in any program. The end of the block stops what
    has cost nothing yet, and waits up to 8 seconds for what has; what takes longer is finished by a process of its own,
    and is free the next time. Ctrl+C does not wait.

    Args:
        engine: "youcam", "offline", or "auto": youcam where there is a key, else offline. `Cutout.engine` tells.
        key: the API key; otherwise that of `YOUCAM_API_KEY`, or the one that `layerlift key set` has stored. It is
            stored nowhere, and sent to the API's host alone.
        url: the API's address; otherwise that of `YOUCAM_API_URL`, or the service's.

    Raises:
        SetupError: ``key_missing`` for an empty key; AuthError for one that can be none.
        ValueError: for an engine that there is not.
    """

    def __init__(
        self,
        engine: Choice = "auto",
        key: str | None = None,
        url: str | None = None,
    ) -> None:
        if engine not in CHOICES:
            raise ValueError(f"engine must be 'auto', 'youcam' or 'offline', not {engine!r}")
        given = {}
        if key is not None:
            given["YOUCAM_API_KEY"] = key.strip()
            check_key(given["YOUCAM_API_KEY"])
        if url is not None:
            given["YOUCAM_API_URL"] = url
        self._choice = engine
        self._engines = Engines(Settings({**os.environ, **given}))
        self._guard = threading.Lock()
        self._closed = False
        self._under_way: WeakSet[_Removals] = WeakSet()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            if self._closed:
                return
            self._closed = True
        for removals in list(self._under_way):
            removals.close()
        self._engines.leave()
        self._engines.__exit__(kind, error, trace)

    def close(self) -> None:
        """Does what the end of a `with` block does. A closed client removes nothing any more."""
        self.__exit__(None, None, None)

    def remove(self, source: Source, *, again: bool = False) -> Cutout:
        """The cut-out of one picture.

        Args:
            source: a path; bytes, or a file opened as "rb", of a JPEG, PNG, TIFF, WebP, GIF or BMP; a Pillow image; an
                array (height, width) or (height, width, channels) of uint8 or uint16: gray, gray + alpha, RGB or RGBA,
                in sRGB; or a `Picture`, which is an array with a colour profile. Files are turned upright by their EXIF
                data; images and arrays are taken as they lie.
            again: whether to pay again where an earlier start of this picture may have been charged in vain, and to
                take a picture that is a cut-out itself.

        Raises:
            ConsentNeeded: nobody has agreed to uploads to the service. `layerlift uploads allow` does, once.
            SetupError: there is no key or no offline engine, or the disk is full. Its kind AuthError: the service
                refuses the key.
            TopUpError: the account is empty.
            PictureError: this picture can't be done, or no subject is found in it.
            NetworkError, ServiceError: try again later; nothing is paid twice.
            MayBeCharged: it was started, but nobody knows how it ended.
            Cancelled: the client was closed by another thread.
            RuntimeError: the client was closed before.

        On KeyboardInterrupt, what was paid for by then is finished, and free the next time.
        """
        with closing(self._begin([source], again)) as removals:
            end = next(removals, None)
        if end is None:
            raise errors.make("cancelled")
        if isinstance(end, Failure):
            raise end.error
        return end

    def remove_all(self, sources: Iterable[Source], *, again: bool = False) -> Iterator[Cutout | Failure]:
        """The cut-outs of many pictures, side by side, each as soon as it is there, so in any order::

            for end in client.remove_all(Path("holiday").glob("*.jpg")):
                if isinstance(end, layerlift.Failure):
                    print(end.source, end.error)
                else:
                    end.save(end.source.with_suffix(".png"))

        One that fails does not end the others, so no error is raised for it: it comes as a `Failure`. Where the account
        is empty or the key is refused, one `Failure` says so, and those of all pictures that are not begun any more are
        `Cancelled`. Nobody is asked about the cost: each picture costs up to one unit.

        Work begins with the first one that is asked for, and stays a few ahead. Leaving the loop early stops it, but
        what is paid for by then is finished, and free the next time.

        Args:
            sources: as `remove` takes them, all fetched at once: of many pictures give the paths. Arrays and images
                must not change before they come back.
            again: as `remove` has it, for all.

        Raises:
            ConsentNeeded, SetupError, RuntimeError: as `remove` does, at once, for what keeps all from being begun.
        """
        return self._begin(list(sources), again)

    def balance(self) -> float:
        """The units that the account has left, `math.inf` offline. Asking costs nothing, and needs no consent.

        Raises:
            SetupError, AuthError, NetworkError, ServiceError: as `remove` does.
        """
        self._check_open()
        found = account.ask_balance(self._engines, self._choice, Cancel(threading.Event()))
        return float(found["units"]) if found["engine"] == "youcam" else math.inf

    def _begin(self, sources: Sequence[Source], again: bool) -> _Removals:
        with self._guard:
            self._check_open()
            removals = _Removals(self._engines, self._choice, sources, again)
            self._under_way.add(removals)
        return removals

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the client is closed")


class _Removals(Iterator["Cutout | Failure"]):
    """The ends of removals as they come, for any thread. When this object is closed, or dropped, the others are
    cancelled."""

    def __init__(self, engines: Engines, choice: str, sources: Sequence[Source], again: bool) -> None:
        self._sources = sources
        self._cancel = threading.Event()
        self._room = threading.Semaphore(_AHEAD)
        self._guard = threading.Lock()
        engine = engines.open(choice, Cancel(self._cancel).sleep)
        jobs = [
            _Job(source, number, Reader(source, again), self._cancel, self._room)
            for number, source in enumerate(sources)
        ]
        self._ends = _ends(Batch(self._cancel, engines.background), jobs, engines, engine, again)

    def __next__(self) -> Cutout | Failure:
        with self._guard:
            end = next(self._ends)
        if end.result is not None:
            self._room.release()
            return end.result
        error = errors.wrap(end.error)
        if error is not end.error:
            error.__cause__ = end.error
        return Failure(self._sources[end.number], end.number, error)

    def close(self) -> None:
        """Returns when all that is left is in the background. Whoever waits for the next end in another thread has it
        soon."""
        self._cancel.set()
        with self._guard:
            self._ends.close()


def _ends(
    batch: Batch, jobs: Sequence[_Job], engines: Engines, engine: Engine, again: bool
) -> Generator[End[Cutout], None, None]:
    """The ends of a batch; then its engine is closed."""
    try:
        yield from batch.run(jobs, engine, again=again)
    finally:
        engines.close(engine)


@dataclass(frozen=True)
class _Job:
    """One picture's way from a source to its cut-out, as `batch.Job` has it."""

    source: Source
    number: int
    reader: Reader
    cancel: threading.Event
    room: threading.Semaphore

    def load(self) -> Picture:
        return self.reader.read()

    def deliver(self, picture: Picture, outcome: Outcome) -> Cutout:
        while not self.room.acquire(timeout=_LOOK_SECONDS):
            if self.cancel.is_set():
                raise errors.make("cancelled")
        return Cutout(
            outcome.alpha,
            self.source,
            self.number,
            outcome.engine,
            outcome.task_id,
            outcome.dst_id,
            outcome.units,
            outcome.cached,
            outcome.full,
            outcome.model,
            outcome.fallback,
            picture,
        )
