"""The user's request to stop, and the work that goes on in spite of it since it is paid for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from .. import errors
from ..language import _, ngettext
from ..store.threads import call_in_thread

_CANCEL_SECONDS = 0.05

_T = TypeVar("_T")


class Background:
    """The work for which no user waits, and that has to end all the same."""

    def __init__(self) -> None:
        self._left: list[Future[Any]] = []

    def start(self, call: Callable[[], _T]) -> Future[_T]:
        """Begins a call in a thread of its own; returns its end."""
        outcome = call_in_thread(call)
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
    """The user's request to stop (`event` is set), seen at every step and in every wait, but for what is paid for."""

    def __init__(self, event: threading.Event, background: Background | None = None) -> None:
        self._event = event
        self._background = background
        self._guard = threading.Lock()
        self._paid = False
        self._units = 0
        self._on_leave: Callable[[], None] = lambda: None

    @property
    def requested(self) -> bool:
        """Whether the user has left, even where the work goes on."""
        return self._event.is_set()

    def on_leave(self, call: Callable[[], None]) -> None:
        """Has this called where the user leaves work behind that ends without paying."""
        self._on_leave = call

    def check(self) -> None:
        """Raises `Cancelled` once it was made."""
        with self._guard:
            if self._event.is_set() and not self._paid:
                raise self._make_error()

    def sleep(self, seconds: float) -> None:
        """Waits, unless `Cancelled` comes first."""
        if self._paid:
            time.sleep(seconds)
        else:
            self._event.wait(seconds)
        self.check()

    def pay(self, units: int) -> None:
        """From now on the request lets the user go, and the work on, which may cost so many units. Raises `Cancelled`
        where it was made before."""
        with self._guard:
            if self._event.is_set() and not self._paid:
                raise self._make_error()
            self._paid = units > 0 and self._background is not None
            self._units = units

    def unpay(self) -> None:
        """There is nothing paid for."""
        with self._guard:
            self._paid, self._units = False, 0

    def settle(self) -> None:
        """There is no more to do for what was paid."""
        with self._guard:
            self._paid = False

    def run(self, call: Callable[[], _T]) -> _T:
        """Does the call in a thread of its own, so that `Cancelled` does not wait for an answer that may never come."""
        outcome = call_in_thread(call, self.settle)
        while not futures.wait([outcome], _CANCEL_SECONDS).done:
            with self._guard:
                if self._event.is_set() and self._paid and self._background is not None:
                    self._background.add(outcome)
                    raise self._make_error()
                if self._event.is_set():
                    self._on_leave()
                    raise self._make_error()
        try:
            return outcome.result()
        except errors.Cancelled as error:
            # It has seen the request first, but does not know what was paid.
            raise (self._make_error() if error.code == "cancelled" else error) from None

    def _make_error(self) -> errors.LayerliftError:
        """What the user hears: what it has cost."""
        if not self._units:
            return errors.make("cancelled", _("nothing was paid for"))
        cost = ngettext(
            "it may cost {count} unit; the result is kept, and is free the next time",
            "it may cost {count} units; the result is kept, and is free the next time",
            self._units,
        )
        return errors.make("cancelled", cost.format(count=self._units))


@contextmanager
def paying(cancel: Cancel, units: int) -> Iterator[None]:
    """Around a call that costs so many units: where it fails, nothing was paid, but for `MayBeCharged`."""
    cancel.pay(units)
    try:
        yield
    except errors.MayBeCharged:
        raise
    except BaseException:
        cancel.unpay()
        raise
