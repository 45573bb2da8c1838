"""How far something is, told to a host: not too often, and again where there are no news."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

REPORT_SECONDS = 0.1
BEAT_SECONDS = 10.0


class Report(Protocol):
    """Is called with the stage, the fraction of it that is done, and a text with details."""

    def __call__(self, stage: str, fraction: float, text: str = "") -> None: ...


@contextlib.contextmanager
def throttle(send: Callable[[dict[str, Any]], None]) -> Iterator[Report]:
    """Sends on what it is called with: news at most every `REPORT_SECONDS`, the last of it every `BEAT_SECONDS`."""
    last: list[Any] = [None, 0.0]

    def report(stage: str, fraction: float, text: str = "") -> None:
        now = time.monotonic()
        if stage != last[0] or now - last[1] >= REPORT_SECONDS or fraction >= 1:
            last[:] = stage, now
            beat.say(stage=stage, fraction=round(fraction, 3), text=text)

    with _Beat(send) as beat:
        yield report


class _Beat:
    """Passes progress on, and says the last of it again where a step (a wait for the service) has no news."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._news: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._pass_on, daemon=True)

    def say(self, **fields: Any) -> None:
        self._news.put(fields)

    def __enter__(self) -> _Beat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._news.put(None)
        self._thread.join()

    def _pass_on(self) -> None:
        last: dict[str, Any] | None = None
        while True:
            try:
                last = self._news.get(timeout=BEAT_SECONDS)
                if last is None:
                    return
            except queue.Empty:
                pass
            if last is not None:
                self._send(last)
