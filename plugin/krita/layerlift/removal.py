"""The removal of one layer's background."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import host
from .common import words
from .common.options import Options
from .jobs import Job, State
from .qt import QtCore


class Wish(NamedTuple):
    """What the user has asked for; `again` pays again where an earlier start may have been charged in vain."""

    layer: host.Layer
    options: Options
    again: bool = False


class Removal(Job):
    """From the layer's pixels to the new layer. `answer` is the worker's result when it is done.

    Signals:
        asks(text): the question before a cut-out, or a layer that has its own, costs anything; `go_on` is the answer,
            or `cancel`.
    """

    asks = QtCore.pyqtSignal(str)

    def __init__(self, wish: Wish) -> None:
        super().__init__(wish.layer.title, wish.options)
        self.wish = wish
        self.answer: dict[str, Any] = {}

    def _begin(self) -> None:
        self._export(self.wish.layer, self._remove)

    def go_on(self) -> None:
        """Remove it, whatever it costs."""
        if self.state is State.RUNNING:
            self._worker.progressed.connect(self.progressed)
            engine = "youcam" if self.wish.again else self.options.engine
            self._worker.ask("job", engine=engine, again=self.wish.again, **self.wish.layer.removal())

    def _remove(self) -> None:
        if self._is_left():
            return
        try:
            is_asked = self.wish.layer.has_cut_out() and not self.wish.again
        except host.Refused as refused:
            self._fail("refused", str(refused))
            return
        if is_asked:
            picture = dict(self.wish.layer.removal(), name=self.title)
            self._worker.ask("plan", engine=self.options.engine, pictures=[picture])
        else:
            self.go_on()

    def _take(self, answer: dict[str, Any]) -> None:
        if answer["id"] == "plan":
            if answer["units"]:
                self.asks.emit(words.question_again(answer))
            else:
                self.go_on()
            return
        self.answer = answer
        self._deliver(self.wish.layer, answer["file"], lambda: self._end(State.DONE))
