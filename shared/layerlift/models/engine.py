"""The offline engine: the best model that is here and fits into the memory, on onnxruntime."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import errors
from ..imaging.makers import Maker
from ..language import N_, _
from ..store.settings import AUTOMATIC
from ..twin.engines import EngineError, cut_out, decode
from . import mattes, memory, own, sessions
from .accelerators import Accelerators
from .sessions import Session
from .shelf import Shelf, Weights

IDLE_SECONDS = 60.0
"""After so long without a picture a model's memory is given back."""
SEEN = 0.5
LEAST = 0.003
"""No subject was found where less than this part of the picture is above `SEEN`, or nothing: what models answer to
pictures of nothing is a faint ghost, or a speck."""
_SHORT = N_("There is not enough memory for the model {model}, so {used} was used.")
_DAMAGED = N_("The file of the model {model} is damaged, so {used} was used.")
_log = logging.getLogger(__name__)


class Timer(Protocol):
    """Calls something after a while, unless it is cancelled: see `threading.Timer`."""

    daemon: bool

    def start(self) -> None: ...
    def cancel(self) -> None: ...


class Choice(NamedTuple):
    """A model to use, and why it is not a better one: a sentence with the fields `model` and `used`, and that model.

    `is_for_now` is whether the better one is used as soon as the memory is there.
    """

    weights: Weights
    reason: str = ""
    better: str = ""
    is_for_now: bool = False

    @property
    def maker(self) -> Maker:
        used = self.weights.name
        return Maker(used, _(self.reason).format(model=self.better, used=used) if self.reason else None)


class OfflineEngine:
    """Makes cut-outs, to be called from any thread; one picture at a time.

    It raises EngineError, with the code `error_no_subject` where the model finds none, `error_inference` where no model
    has the memory for it, and SetupError as `choose` does.

    Args:
        chosen: what the user has chosen, as `Settings.model` has it; asked for each picture.
        accelerators: what models are tried on before the processor.
        free: the free memory, None where nobody knows.
        timer: makes what drops an idle model.
    """

    def __init__(
        self,
        shelf: Shelf,
        chosen: Callable[[], str | dict[str, Any]] = lambda: AUTOMATIC,
        accelerators: Accelerators | None = None,
        free: Callable[[], int | None] = memory.free,
        timer: Callable[[float, Callable[[], None]], Timer] = threading.Timer,
    ) -> None:
        self._shelf = shelf
        self._chosen = chosen
        self._accelerators = accelerators
        self._free = free
        self._make_timer = timer
        self._guard = threading.Lock()
        self._pictures: list[bytes] = []
        """Those that it has been asked for, of which `_current` is being made."""
        self._current: bytes | None = None
        self._unwanted: list[bytes] = []
        self._wishes = threading.Lock()
        self._timer: Timer | None = None
        self._session: Session | None = None
        self._second: tuple[Weights, Session] | None = None
        self._uses = 0
        self._loaded: tuple[list[Weights], Choice] | None = None
        """What there was to choose from, and the choice that the session is of."""

    def choose(self) -> Choice:
        """The model that the next picture is for, as far as can be told before.

        Raises SetupError: `no_engine`; `no_model` where there is none at all; `model_missing` where what the user has
        chosen is not there; `model_unknown`.
        """
        sessions.check()
        wanted = self._wanted()
        loaded = self._loaded
        return next(self._from(wanted, loaded[1] if loaded is not None and loaded[0] == wanted else None))

    def __call__(self, picture: bytes) -> bytes:
        with self._asked_for(picture):
            return self._make(picture)

    def _make(self, picture: bytes) -> bytes:
        image = decode(picture)
        with self._in_use():
            self._begin(picture)
            alpha, choice = self._run(image)
        if np.count_nonzero(alpha > SEEN) < LEAST * alpha.size:
            raise EngineError("error_no_subject", "No subject was found")
        # Another picture's turn at the model comes meanwhile.
        alpha = mattes.finished(image, alpha, lambda: self._ask_second(choice.weights.second, image))
        maker = choice.maker
        if self._accelerators is not None and (failure := self._accelerators.tell_failure()):
            maker = maker._replace(fallback=f"{maker.fallback} {failure}" if maker.fallback else failure)
        small = Image.fromarray(np.rint(alpha * 255).astype(np.uint8))
        return cut_out(image, small.resize(image.size, Image.Resampling.BICUBIC), maker)

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        """One picture at a time has the models; what idles afterwards is dropped."""
        with self._guard:
            self._rest()
            self._uses += 1
            try:
                yield
            finally:
                self._timer = self._make_timer(IDLE_SECONDS, functools.partial(self._drop_after, self._uses))
                self._timer.daemon = True
                self._timer.start()

    def drop(self) -> None:
        """Gives a model's memory back; the next picture loads one again."""
        with self._guard:
            self._let_go()

    def _drop_after(self, uses: int) -> None:
        with self._guard:
            # It may have waited for a picture that came just then.
            if uses == self._uses:
                self._let_go()

    def _let_go(self) -> None:
        self._rest()
        self._session = self._second = self._loaded = None
        with self._wishes:
            self._unwanted = [
                picture for picture in self._unwanted if any(picture is asked for asked in self._pictures)
            ]
        memory.return_all()

    def abandon(self, picture: bytes) -> None:
        """Nobody wants the cut-out any more of a picture, this very object: it is not made, or not to its end, also
        where this comes just before it is asked for."""
        with self._wishes:
            self._unwanted.append(picture)
            self._stop_unwanted()

    def close(self) -> None:
        """Ends with all pictures that it has, and gives the model's memory back."""
        for picture in list(self._pictures):
            self.abandon(picture)
        self.drop()

    @contextmanager
    def _asked_for(self, picture: bytes) -> Iterator[None]:
        with self._wishes:
            self._pictures.append(picture)
        try:
            yield
        finally:
            with self._wishes:
                self._pictures = [other for other in self._pictures if other is not picture]
                self._unwanted = [other for other in self._unwanted if other is not picture]
                self._current = None if self._current is picture else self._current

    def _begin(self, picture: bytes) -> None:
        """The picture is the one that is being made from now on. Raises EngineError where nobody wants it any more."""
        with self._wishes:
            if any(unwanted is picture for unwanted in self._unwanted):
                raise EngineError("error_inference", "Nobody waits for it")
            self._current = picture
            if self._session is not None:
                self._session.resume()

    def _stop_unwanted(self) -> None:
        if self._session is not None and any(unwanted is self._current for unwanted in self._unwanted):
            self._session.stop()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self, image: Image.Image) -> tuple[NDArray[np.float32], Choice]:
        """The alpha at the model's size, by the first model that can make it, and which one that is."""
        wanted = self._wanted()
        if self._loaded is not None and self._loaded[0] != wanted:
            self._session = self._loaded = None
        failed: Choice | None = None
        for choice in self._from(wanted, None if self._loaded is None else self._loaded[1]):
            explained = self._explain(failed, choice)
            began = time.monotonic()
            try:
                alpha = self._load(choice).run(image, choice.weights.recipe)
            except (MemoryError, errors.SetupError) as error:
                if isinstance(error, errors.SetupError) and error.code != "model_missing":
                    raise
                # Not the error itself: it holds the session, and whoever keeps the line of the log would.
                _log.info("The model %s can't be used: %s", choice.weights.name, str(error))
                self._session = self._loaded = None
                failed = choice._replace(reason=_SHORT if isinstance(error, MemoryError) else _DAMAGED)
                continue
            self._loaded = wanted, explained
            where = f" ({self._session.processor})" if self._session and self._session.processor else ""
            _log.info("The model %s took %.1f s%s", choice.weights.name, time.monotonic() - began, where)
            return alpha, explained
        assert failed is not None
        raise EngineError("error_inference", _("there is not enough memory, or its file is damaged"))

    def _ask_second(self, name: str, image: Image.Image) -> NDArray[np.float32] | None:
        """What another model makes of a picture; None where it can't be used, or has no name."""
        found = self._shelf.find(self._shelf.model(name)) if name else None
        if found is None:
            return None
        with self._in_use():
            try:
                if self._second is None or self._second[0] != found:
                    self._second = None
                    found.check()
                    self._second = found, Session(found.path)
                return self._second[1].run(image, found.recipe)
            except (MemoryError, errors.SetupError) as error:
                _log.info("The model %s can't be asked: %s", name, error)
                self._second = None
                return None

    @staticmethod
    def _explain(failed: Choice | None, choice: Choice) -> Choice:
        """The choice, with the reason for it where another has failed."""
        if failed is None:
            return choice
        return choice._replace(reason=failed.reason, better=failed.weights.name, is_for_now=False)

    def _load(self, choice: Choice) -> Session:
        if self._session is not None and self._loaded is not None and self._loaded[1].weights == choice.weights:
            return self._session
        # Two at a time would take the memory of both.
        self._session = None
        memory.return_large_blocks()
        choice.weights.check()
        self._session = Session(choice.weights.path, self._accelerators)
        with self._wishes:
            self._stop_unwanted()
        return self._session

    def _wanted(self) -> list[Weights]:
        """The models to try, the best first: the chosen one, and what can be used unasked. Raises as `choose` does."""
        chosen, ranked = self._chosen(), self._shelf.ranked()
        if chosen != AUTOMATIC:
            if isinstance(chosen, dict):
                first = own.from_setting(chosen)
                found = first if first.path.is_file() else None
            else:
                found = self._shelf.find(self._shelf.model(chosen))
            if found is None:
                raise errors.make("model_missing", chosen if isinstance(chosen, str) else str(first.path))
            ranks = [weights.name for weights in ranked]
            # No fallback is better, or larger, than what was asked for.
            smaller = ranked[ranks.index(found.name) + 1 :] if found.name in ranks else ranked[-1:]
            return [found, *smaller]
        if not ranked:
            built_in = next(model for model in self._shelf.models if model.built_in)
            raise errors.make("no_model", str(self._shelf.place(built_in, built_in.files[0])))
        return ranked

    def _from(self, wanted: list[Weights], loaded: Choice | None) -> Iterator[Choice]:
        """The models in turn, without those that the free memory does not hold; the smallest is always tried.

        What is loaded stays, unless it is for now and a better one fits: its own memory is free for that.
        """
        free = self._free() if loaded is None or loaded.is_for_now else None
        if free is not None and loaded is not None:
            free += loaded.weights.memory
        skipped = ""
        for number, weights in enumerate(wanted):
            if loaded is not None and weights == loaded.weights:
                yield loaded
                skipped = ""
            elif loaded is not None and not loaded.is_for_now and number < wanted.index(loaded.weights):
                continue
            elif number < len(wanted) - 1 and free is not None and weights.memory > free:
                skipped = skipped or weights.name
            else:
                yield Choice(weights, _SHORT if skipped else "", skipped, bool(skipped))
