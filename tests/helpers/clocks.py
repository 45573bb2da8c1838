"""Clocks that tests hand in."""

from __future__ import annotations

import time


class RunningClock:
    """Monotonic seconds that can be moved on."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._ahead

    def move(self, seconds: float) -> None:
        self._ahead += seconds
