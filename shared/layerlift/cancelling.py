"""The user's wish to stop, and the work that goes on in spite of it since it is paid for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from . import errors

_CANCEL_SECONDS = 0.05

_T = TypeVar("_T")


class Background:
    """The work for which no user waits, and that has to end all the same."""

    def __init__(self) -> None:
        self._left: list[Future[Any]] = []

    def start(self, call: Callable[[], _T]) -> Future[_T]:
        """Begins a call in a thread of its own; returns its end."""
        outcome = begun(call)
        self.add(outcome)
        return outcome

    def add(self, work: Future[Any]) -> None:
        self._left.append(work)

    @property
    def busy(self) -> bool:
        """Whether some of it has not ended."""
        return not all(work.done() for work in self._left)

    def wait(self, seconds: float | None = None) -> None:
        """Returns when all of it has ended, or after so long."""
        futures.wait(self._left, seconds)


class Cancel:
    """The user's wish to stop (`event` is set), seen at every step and in every wait, but for what is paid for."""

    def __init__(self, event: threading.Event, background: Background | None = None) -> None:
        self._event = event
        self._background = background
        self._guard = threading.Lock()
        self._paid = False
        self.left: Callable[[], None] = lambda: None
        """Is called where the user leaves work behind that ends without paying."""

    @property
    def wished(self) -> bool:
        """Whether the user has left, even where the work goes on."""
        return self._event.is_set()

    def check(self) -> None:
        """Raises `Cancelled` once the wish was made."""
        with self._guard:
            if self._event.is_set() and not self._paid:
                raise errors.make("cancelled")

    def sleep(self, seconds: float) -> None:
        """Waits, unless `Cancelled` comes first."""
        if self._paid:
            time.sleep(seconds)
        else:
            self._event.wait(seconds)
        self.check()

    def pay(self) -> None:
        """From now on the wish lets the user go, and the work on. Raises `Cancelled` where it was made before."""
        with self._guard:
            if self._event.is_set() and not self._paid:
                raise errors.make("cancelled")
            self._paid = self._background is not None

    def unpay(self) -> None:
        """There is nothing paid for, or no more to do for it."""
        with self._guard:
            self._paid = False

    def during(self, call: Callable[[], _T]) -> _T:
        """Does the call in a thread of its own, so that `Cancelled` does not wait for an answer that may never come."""
        outcome = begun(call, self.unpay)
        while not futures.wait([outcome], _CANCEL_SECONDS).done:
            with self._guard:
                if self._event.is_set() and self._paid and self._background is not None:
                    self._background.add(outcome)
                    raise errors.make("cancelled", "what was started is finished and kept, and the next run is free")
                if self._event.is_set():
                    self.left()
                    raise errors.make("cancelled")
        return outcome.result()


@contextmanager
def paying(cancel: Cancel) -> Iterator[None]:
    """Around a call that costs: where it fails, nothing was paid, but for `MayBeCharged`."""
    cancel.pay()
    try:
        yield
    except errors.MayBeCharged:
        raise
    except BaseException:
        cancel.unpay()
        raise


def fulfil(outcome: Future[_T], call: Callable[[], _T]) -> None:
    """Does the call; what it returns or raises is the outcome."""
    try:
        outcome.set_result(call())
    except BaseException as error:  # noqa: BLE001 - raised again by `result`
        outcome.set_exception(error)


def begun(call: Callable[[], _T], ended: Callable[[], None] = lambda: None) -> Future[_T]:
    """The end of a call that was begun in a thread of its own."""
    outcome: Future[_T] = Future()

    def work() -> None:
        fulfil(outcome, call)
        ended()

    threading.Thread(target=work, daemon=True).start()
    return outcome
