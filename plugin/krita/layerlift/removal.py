"""The removal of one layer's background."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import host
from .jobs import Job, State
from .preferences import Preferences

AGAIN = ("still_in_doubt", "charged_and_lost", "task_refused")
"""The worker's codes of a picture that only the user may pay for anew."""


class Wish(NamedTuple):
    """What the user has asked for; `again` pays again where an earlier start may have been charged in vain."""

    layer: host.Layer
    preferences: Preferences
    again: bool = False


class Removal(Job):
    """From the layer's pixels to the new layer. `answer` is the worker's result when it is done."""

    def __init__(self, wish: Wish) -> None:
        super().__init__(wish.layer.title, wish.preferences)
        self.wish = wish
        self.answer: dict[str, Any] = {}
        self._worker.progressed.connect(self.progressed)

    def _begin(self) -> None:
        self._export(self.wish.layer, self._remove)

    def _remove(self) -> None:
        if not self._is_left():
            engine = "youcam" if self.wish.again else self.preferences.engine
            self._worker.ask("job", engine=engine, again=self.wish.again, **self.wish.layer.removal())

    def _take(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self._deliver(self.wish.layer, answer["file"], lambda: self._end(State.DONE))
