"""The removal of one layer's background."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import host
from .common import stages, ways, words
from .common.options import Options
from .jobs import Job, State
from .qt import QtCore


class Wish(NamedTuple):
    """What the user has asked for; `again` pays again where an earlier start may have been charged in vain."""

    layer: host.Layer
    options: Options
    again: bool = False

    def by(self, way: str) -> Wish:
        """What the user asks for by one of the ways out of an error, of the layer as it is then. Raises Refused.

        Paying again is for one try: what was paid by then is fetched.
        """
        options, again = self.options, False
        if way == ways.OFFLINE:
            options = options._replace(engine="offline")
        elif way == ways.PAY_AGAIN:
            options, again = options._replace(engine="youcam"), True
        return Wish(self.layer.anew(), options, again)


class Removal(Job):
    """From the layer's pixels to the new layer. `answer` is the worker's result when it is done.

    Signals:
        asks(text, is_consent): the question before a cut-out, or a layer that has its own, costs anything, or before
            anything is uploaded to which nobody has agreed; `go_on` is the answer, or `cancel`.
    """

    asks = QtCore.pyqtSignal(str, bool)
    may_run_beside = True
    consents = ways.CONSENT

    def __init__(self, wish: Wish) -> None:
        super().__init__(wish.layer.title, wish.options)
        self.wish = wish
        self.answer: dict[str, Any] = {}
        self._lacks_consent = False
        self._worker.progressed.connect(self._tell_worker)

    @property
    def ways_out(self) -> tuple[str, ...]:
        """What the user can do when it has failed."""
        return ways.out_of(self.kind, self.options.engine)

    def by(self, way: str) -> Removal:
        """The job for one of the ways out. Raises Refused."""
        return Removal(self.wish.by(way))

    def outcome(self, left: float | None) -> str:
        """What it has come to, and what the account has left."""
        return words.outcome(self.wish.layer.document_name, self.answer, left)

    def _begin(self) -> None:
        self._export(self.wish.layer, self._remove)

    def _remove(self) -> None:
        if self._is_left():
            return
        try:
            is_asked = self.wish.layer.has_cut_out() and not self.wish.again
        except host.Refused as refused:
            self._fail("refused", str(refused))
            return
        if is_asked:
            self._plan()
        else:
            self._work()

    def _plan(self) -> None:
        picture = dict(self.wish.layer.removal(), name=self.title)
        self._worker.ask("plan", engine=self.options.engine, pictures=[picture])

    def _work(self) -> None:
        try:
            # Nobody pays for what is gone since a question was asked.
            self.wish.layer.find()
        except host.Refused as refused:
            self._fail("refused", str(refused))
            return
        removal = self.wish.layer.removal()
        self._worker.ask("job", engine=self.options.engine, again=self.wish.again, agreed=self.agreed, **removal)

    def _take(self, answer: dict[str, Any]) -> None:
        if answer["id"] == "plan":
            self._take_plan(answer)
        else:
            self.answer = answer
            self._deliver(self.wish.layer, answer["file"], lambda: self._end(State.DONE))

    def _take_plan(self, plan: dict[str, Any]) -> None:
        if self._lacks_consent and plan["agreed"]:
            # What is paid for is not uploaded.
            self.go_on(ways.UPLOAD_ONCE)
        elif self._lacks_consent:
            self.asks.emit(words.question_upload(plan, self.title), True)
        elif plan["units"]:
            self.asks.emit(words.question_again(plan), not plan["agreed"])
        else:
            self.go_on()

    def _refused(self, kind: str, text: str, asked: str) -> None:
        if (kind, asked) == ("agree", "job") and not self.agreed and self.state is State.RUNNING:
            self._lacks_consent = True
            self._plan()
        else:
            super()._refused(kind, text, asked)

    def _tell_worker(self, text: str, fraction: float) -> None:
        if self._worker.is_asked("plan"):
            text, fraction = words.CHECKING, stages.step("prepare", 0.0)[1]
        self.progressed.emit(text, fraction)
