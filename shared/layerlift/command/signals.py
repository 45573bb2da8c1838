"""The signals that end a program: Ctrl+C, `kill`, the end of the terminal or the session. Each ends it in order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@contextmanager
def handle(act: Callable[[], None]) -> Iterator[None]:
    """Within the block, the first of the signals calls `act` in the main thread, and the next ones do what they did
    before. One that is ignored, as by nohup, stays so."""
    before = {
        number: signal.getsignal(number)
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name))
        if signal.getsignal(number) is not signal.SIG_IGN
    }

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def first(number: int, _: object) -> None:
        restore()
        if number == getattr(signal, "SIGHUP", None):
            _leave_terminal()
        act()

    for number in before:
        signal.signal(number, first)
    try:
        yield
    finally:
        restore()


@contextmanager
def interrupting(event: threading.Event) -> Iterator[threading.Event]:
    """Ctrl+C and the like ask all pictures to stop; a second one ends the command at once. Gives what tells whether
    one came."""
    asked = threading.Event()

    def stop() -> None:
        asked.set()
        event.set()

    with handle(stop):
        yield asked


def _leave_terminal() -> None:
    """Lets what is still printed go nowhere: the terminal is gone."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        if os.isatty(stream):
            os.dup2(nowhere, stream)
    os.close(nowhere)
