"""One removal, from a picture's pixels to its alpha, in two steps with a wait between.

What is asked of the service for a picture (`prepare`, `ask`), and what is made of the picture when the alpha is there
(`finish`). A single removal and a batch both take these steps; a batch has the picture in memory for the first and for
the last alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import errors
from ..imaging import matte, prepare
from ..imaging.makers import Maker
from ..imaging.pictures import Picture
from ..imaging.prepare import Upload
from ..language import _
from ..store.entries import Entry
from . import tasks
from .cancelling import Cancel
from .engines import Engine
from .stages import Progress, Report, Stage
from .turns import Turns

_SEEN = 8
"""The alpha from which on something is seen, and from whose opposite on something is missing."""


@dataclass(frozen=True)
class Outcome:
    """A removal that went well.

    `alpha` is (height, width) uint8 of the picture's own size: the cut-out's alpha, not yet multiplied with the
    picture's own. It is `full` where the engine has cut nothing away, `cached` where it was there and cost nothing.
    Where the offline engine made it, `model` is the one that did, and `fallback` says why it was not a better one.
    """

    alpha: NDArray[np.uint8]
    full: bool
    engine: str
    task_id: str
    dst_id: str | None
    units: int
    seconds: float
    cached: bool
    model: str | None = None
    fallback: str | None = None


@dataclass(frozen=True)
class _Found:
    """An alpha, and the removal that it comes from. It is `refined` where it has the picture's own size already, and
    `cached` where it cost nothing this time; None where the journal alone has it. `maker` is the offline model."""

    entry: Entry
    alpha: NDArray[np.uint8] | None
    refined: bool
    cached: bool
    maker: Maker | None = None


class Removal:
    """One removal, by one engine. Its steps are called in their order, each once, in any thread.

    Args:
        turns: how it shares the engine with others.
        again: whether to pay again where an earlier start of the same picture may have been charged in vain.

    Each step raises what the table of errors holds; `Cancelled` as soon as `cancel` is set.
    """

    def __init__(self, engine: Engine, turns: Turns, report: Report, cancel: Cancel, *, again: bool = False) -> None:
        self._engine = engine
        self._turns = turns
        self._progress = Progress(report, cancel)
        self._cancel = cancel
        self._again = again
        self._began = time.monotonic()
        self._name = ""
        self._size = (0, 0)
        self._found: _Found | None = None
        self._progress.tell(Stage.PREPARE, 0.0)

    def prepare(self, picture: Picture) -> Upload | None:
        """What is to be asked of the service; None where the picture's alpha is here, and costs nothing."""
        self._name = picture_name(picture, self._engine)
        self._size = (picture.width, picture.height)
        self._found = _find_kept(self._name, self._engine)
        if self._found is not None:
            return None
        return prepare.prepare(picture, report=lambda fraction: self._progress.tell(Stage.PREPARE, fraction))

    def ask(self, upload: Upload) -> None:
        """Gets the alpha of what was prepared: uploads, runs, polls and fetches as far as no one has before. The
        picture itself need not be in memory."""
        self._progress.tell(Stage.PREPARE, 1.0)
        with self._engine.claim(upload, self._cancel.sleep) as record:
            self._cancel.on_leave(record.release)
            result = record.result()
            cached = result is not None
            if result is None:
                context = tasks.Context(self._engine, self._turns, self._progress, self._cancel)
                result = tasks.obtain(upload, record, context, again=self._again)
            assert isinstance(result, np.ndarray), "what a removal gives"
            if self._engine.journal:
                self._engine.journal.add_alias(self._name, record.entry)
            # While the picture waits for its turn, the disk alone has the alpha.
            held = None if record.entry.state in ("kept", "deleted") else result
            self._found = _Found(record.entry, held, refined=False, cached=cached, maker=record.maker)
        self._progress.tell(Stage.REFINE, 0.0)

    def finish(self, picture: Picture) -> Outcome:
        """Brings the alpha to the size and the edges of the picture, which has to be the same as before."""
        found, journal = self._found, self._engine.journal
        if found is None or (picture.width, picture.height) != self._size:
            raise errors.make("picture_changed")
        alpha = found.alpha
        if alpha is None and journal:
            alpha = journal.alpha(found.entry)
        if alpha is None:
            raise errors.make("result_broken", _("it is no longer kept here"))
        if alpha.max() < _SEEN:
            raise errors.make("result_empty")
        if not found.refined:
            alpha = self._refine(alpha, picture)
        self._progress.tell(Stage.REFINE, 1.0)
        return Outcome(
            alpha=alpha,
            full=bool(alpha.min() > 255 - _SEEN),
            engine=self._engine.name,
            task_id=found.entry.task_id or "",
            dst_id=found.entry.dst_id,
            units=0 if found.cached else self._engine.units,
            seconds=time.monotonic() - self._began,
            cached=found.cached,
            model=found.maker.model if found.maker else None,
            fallback=found.maker.fallback if found.maker else None,
        )

    def _refine(self, came: NDArray[np.uint8], picture: Picture) -> NDArray[np.uint8]:
        with self._turns.refine():
            alpha = matte.refine(came, picture, lambda fraction: self._progress.tell(Stage.REFINE, fraction))
        if self._engine.journal and alpha is not came:
            self._engine.journal.keep(self._name, alpha)
        return alpha


def remove(picture: Picture, engine: Engine, report: Report, cancel: Cancel, *, again: bool = False) -> Outcome:
    """Asks the engine for the alpha of a picture, or takes it from where an earlier removal has left it.

    Args:
        again: whether to pay again where an earlier start of the same picture may have been charged in vain.

    Raises:
        LayerliftError: whatever the table of errors holds; `Cancelled` as soon as `cancel` is set.
    """

    def work() -> Outcome:
        removal = Removal(engine, Turns(), report, cancel, again=again)
        if (upload := removal.prepare(picture)) is not None:
            removal.ask(upload)
        return removal.finish(picture)

    return cancel.run(work)


def picture_name(picture: Picture, engine: Engine) -> str:
    """The journal's name for a picture's own pixels, "" where nothing is written down."""
    if engine.journal is None:
        return ""
    return engine.name_picture(matte.METHOD, picture.pixels, picture.icc_profile or b"")


def is_paid(picture: Picture, engine: Engine) -> bool:
    """Whether the picture's alpha is there already, and costs nothing."""
    return _find_kept(picture_name(picture, engine), engine) is not None


def check_consent(pictures: Iterable[Picture], engine: Engine) -> None:
    """Raises ConsentNeeded where one of these would be uploaded and must not be; what is paid for is not uploaded."""
    try:
        engine.check_consent()
    except errors.ConsentNeeded:
        if not all(is_paid(picture, engine) for picture in pictures):
            raise


def _find_kept(name: str, engine: Engine) -> _Found | None:
    """What a picture's own pixels lead to; None where nothing is kept."""
    journal = engine.journal
    entry = journal.find_alias(name) if journal else None
    if journal is None or entry is None:
        return None
    refined = journal.cache.get(name)
    alpha = journal.alpha(entry) if refined is None else refined
    return None if alpha is None else _Found(entry, alpha, refined=refined is not None, cached=True)
