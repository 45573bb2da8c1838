"""Removals of one known picture in this process, and what comes of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from layerlift import errors
from layerlift.client import Cutout
from layerlift.imaging.pictures import Picture
from layerlift.removal import single
from layerlift.removal.cancelling import Cancel
from layerlift.removal.engines import Engine
from layerlift.removal.single import Outcome
from layerlift.removal.stages import Stage

from .wire import client


class Hasty(Cancel):
    """Cuts every pause short."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, 0.01))


class Removal:
    """Removals of one known picture, and what was reported of them."""

    def __init__(self, twin: Any) -> None:
        self.twin = twin
        self.wish = threading.Event()
        self.cancel: Cancel = Hasty(self.wish)
        self.reports: list[tuple[Stage, float, str]] = []
        self.on_report: Callable[[Stage], object] = lambda stage: None
        self.service = client(twin, timeouts=(600.0, 600.0))

    def report(self, stage: Stage, fraction: float, text: str) -> None:
        self.reports.append((stage, fraction, text))
        self.on_report(stage)

    def run(self, picture: Picture | None = None) -> Outcome:
        engine = Engine("youcam", self.service, 1)
        return single.remove(picture or half_dark(64, 48), engine, self.report, self.cancel)

    def fails(self, code: str) -> errors.LayerliftError:
        with pytest.raises(errors.LayerliftError) as caught:
            self.run()
        assert caught.value.code == code
        return caught.value

    @property
    def counts(self) -> tuple[int, float]:
        """Tasks started, units charged."""
        return len(self.twin.calls("run")), self.twin.charged


def half_dark(width: int, height: int) -> Picture:
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[:, : width // 2] = 0
    return Picture(pixels)


def is_exact(outcome: Outcome | Cutout, width: int = 64, height: int = 48) -> bool:
    expected = np.zeros((height, width), np.uint8)
    expected[:, : width // 2] = 255
    return bool(np.array_equal(outcome.alpha, expected))
