"""Layerlift for Python programs: pictures of any kind in, cut-outs out."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from weakref import WeakSet

from . import errors
from .imaging.pictures import Picture
from .imaging.sources import Reader, Source
from .removal import account, running
from .removal.batch import Batch, End
from .removal.cancelling import Cancel
from .removal.choices import CHOICES, Choice
from .removal.engines import Engine, Engines
from .removal.results import Cutout, Failure, Row, TaskResult, Then
from .removal.single import Outcome
from .removal.stages import ignore
from .store.settings import Settings, check_key

_AHEAD = 4
"""Cut-outs that wait for the program to take them; as many pictures are in memory."""
_LOOK_SECONDS = 0.05


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

    def run(self, task: str, source: Source, *, again: bool = False, keep: bool = False, **fields: Any) -> TaskResult:
        """What another task of the service makes of a picture. It costs what the service says, which is paid once.

        Args:
            task: its name, as `layerlift tasks` lists them.
            source: as `remove` takes it.
            again: whether to pay again where an earlier start of the same may have been charged in vain.
            keep: whether the service is to keep its copies for a later task, which then needs no upload. Else they are
                deleted.
            fields: what the task is run with; a mask is a source, of the picture's own proportions.

        Raises:
            SetupError: ``task_unknown``, ``bad_field``, and what `remove` raises; there is no offline engine for this.
            PictureError: ``mask_size``, and what `remove` raises; and all else that `remove` does.
        """
        return self._run(Reader(source, again=True).read(), [], task, fields, again, keep)

    def _run(
        self,
        picture: Picture,
        row: Row,
        task: str,
        fields: Mapping[str, Any],
        again: bool,
        keep: bool,
    ) -> TaskResult:
        self._check_open()
        row = [*row, (task, fields)]
        requests = [running.make_request(name, given, _read_mask) for name, given in row]
        cancel = Cancel(threading.Event(), self._engines.background)
        engine = running.open_service(self._engines, cancel.sleep)
        try:
            priced = running.with_prices(requests, engine, cancel)
            results = running.run(picture, priced, engine, ignore, cancel, again=again, keep=keep)
        finally:
            self._engines.close(engine)
        last = results[-1]
        if last.error is not None:
            raise last.error
        units, cached = sum(result.units for result in results), all(result.cached for result in results)
        return TaskResult(last.files, task, last.task_id, last.dst_id, units, cached, picture, row, self._run)

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
            removals = _Removals(self._run, self._engines, self._choice, sources, again)
            self._under_way.add(removals)
        return removals

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the client is closed")


def _read_mask(source: Source) -> Picture:
    return Reader(source, again=True).read()


class _Removals(Iterator["Cutout | Failure"]):
    """The ends of removals as they come, for any thread. When this object is closed, or dropped, the others are
    cancelled."""

    def __init__(self, then: Then, engines: Engines, choice: str, sources: Sequence[Source], again: bool) -> None:
        self._sources = sources
        self._cancel = threading.Event()
        self._room = threading.Semaphore(_AHEAD)
        self._guard = threading.Lock()
        engine = engines.open(choice, Cancel(self._cancel).sleep)
        jobs = [
            _Job(source, number, Reader(source, again), self._cancel, self._room, then)
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
    then: Then

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
            self.then,
        )
