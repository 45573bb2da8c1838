"""Calls in threads of their own, for which the interpreter does not wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


def fulfil(outcome: Future[_T], call: Callable[[], _T]) -> None:
    """Does the call; what it returns or raises is the outcome."""
    try:
        outcome.set_result(call())
    except BaseException as error:  # noqa: BLE001 - raised again by `result`
        outcome.set_exception(error)


def call_in_thread(call: Callable[[], _T], ended: Callable[[], None] = lambda: None) -> Future[_T]:
    """The end of a call that was begun in a thread of its own."""
    outcome: Future[_T] = Future()

    def work() -> None:
        fulfil(outcome, call)
        ended()

    threading.Thread(target=work, daemon=True).start()
    return outcome
