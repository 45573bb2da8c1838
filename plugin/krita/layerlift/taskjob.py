"""One of the service's other tasks on a layer."""

from __future__ import annotations

from typing import Any, NamedTuple

from .common import tasks, ways
from .common.options import Options
from .host import Refused
from .jobs import Job, State
from .places import Made, Place
from .qt import QtCore


class TaskWish(NamedTuple):
    """What the user has asked for. `task`, `balance` and `host` are of the worker's answer to `tasks`; with `own_size`
    a larger result makes the document grow; `again` pays again where an earlier start may have been charged in vain."""

    layer: Place
    kind: str
    task: dict[str, Any]
    fields: dict[str, str]
    own_size: bool
    host: str
    balance: float | None
    again: bool = False

    def by(self, way: str) -> TaskWish:
        """What the user asks for by one of the ways out of an error, of the layer as it is then. Raises Refused."""
        return self._replace(layer=self.layer.anew(), again=way == ways.PAY_AGAIN)


class TaskJob(Job):
    """From the layer's pixels to the new layers. `answer` is the worker's result when it has one.

    Signals:
        asks(text, is_consent): the question before anything is uploaded to which nobody has agreed; `go_on` is the
            answer, or `cancel`.
    """

    asks = QtCore.pyqtSignal(str, bool)
    may_run_beside = True
    kept = tasks.MAY_COST
    consents = tasks.CONSENT

    def __init__(self, wish: TaskWish) -> None:
        super().__init__(wish.layer.title, Options())
        self.wish = wish
        self.answer: dict[str, Any] = {}
        self._own_size = wish.own_size
        self._worker.progressed.connect(self.progressed)

    @property
    def ways_out(self) -> list[str]:
        """What the user can do when it has failed."""
        return tasks.ways_out(self.kind)

    def by(self, way: str) -> TaskJob:
        """The job for one of the ways out. Raises Refused."""
        return TaskJob(self.wish.by(way))

    def outcome(self, left: float | None) -> str:
        """What it has come to, and what the account has left."""
        return tasks.outcome(self.wish.task["title"], self.wish.layer.document_name, self.answer, left)

    def _begin(self) -> None:
        steps = self.wish.layer.read(self._folder, self._takes_mask)
        self._run("export", steps, self._work, None)

    def _work(self) -> None:
        if self._is_left():
            return
        try:
            # Nobody pays for what is gone since a question was asked.
            self.wish.layer.find()
        except Refused as refused:
            self._fail("refused", str(refused))
            return
        self._worker.ask(
            "task",
            task=self.wish.task["task"],
            fields=self.wish.fields,
            own_size=self._own_size,
            again=self.wish.again,
            agreed=self.agreed,
            **self.wish.layer.task(self._takes_mask),
        )

    def _take(self, answer: dict[str, Any]) -> None:
        # What is asked for twice is free the second time.
        self.answer = self.answer or answer
        layer = self.wish.layer
        made = [Made(self._folder / one["file"], one["width"], one["height"]) for one in answer["layers"]]
        if self._own_size and made[0].width < layer.width:
            # The service takes only so large pictures: its result is no gain in size.
            self._own_size = False
            self._work()
            return
        name = tasks.layer_name(self.wish.kind, layer.name, self.wish.task["title"])
        self._run("insert", layer.put(made, name), lambda: self._end(State.DONE), None)

    def _refused(self, kind: str, text: str, asked: str) -> None:
        if (kind, asked) == ("agree", "task") and not self.agreed and self.state is State.RUNNING:
            asked_for = tasks.question_upload(self.wish.host, self.title, self.wish.task["title"])
            self.asks.emit(f"{asked_for}\n\n{tasks.cost(self.wish.task, self.wish.balance)}", True)
        else:
            super()._refused(kind, text, asked)

    @property
    def _takes_mask(self) -> bool:
        return tasks.takes_mask(self.wish.task)
