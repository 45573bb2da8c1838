"""Questions about what only the worker keeps; Krita's window answers meanwhile."""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, NamedTuple

from .qt import QtCore
from .worker import Worker

Answer = Callable[["dict[str, Any]"], None]


class _Question(NamedTuple):
    kind: str
    fields: dict[str, Any]
    take: Answer
    refuse: Callable[[str], None] | None = None
    said: str = ""


class Questions(QtCore.QObject):
    """Asks a worker of its own, one thing after the other. What the user waits for comes before what is asked in the
    background, which is taken back for it and asked again afterwards. What takes long goes on beside all that.

    `folder` is where the worker leaves files, "" before it is ready.

    Signals:
        advanced(text): details of how far it is that is asked beside all else.
        busy(is_busy): whether the user waits for an answer. It stays where the worker has died.
        said(text): what the user is told, or "".
        refused(): what the user waits for can't be answered; what is wrong was `said` before.
    """

    advanced = QtCore.pyqtSignal(str)
    busy = QtCore.pyqtSignal(bool)
    said = QtCore.pyqtSignal(str)
    refused = QtCore.pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.is_gone, self.folder = False, ""
        self._is_ready = False
        self._asked: _Question | None = None
        self._awaited: deque[_Question] = deque()
        self._background: dict[str, _Question] = {}
        self._beside: dict[str, _Question] = {}
        self._then: Callable[[], None] | None = None
        self._is_busy = False
        self._worker = Worker()
        self._worker.ready.connect(self._ready)
        self._worker.advanced.connect(self._tell_progress)
        self._worker.answered.connect(self._answered)
        self._worker.failed.connect(self._failed)
        self._worker.start()

    def ask(self, kind: str, take: Answer, said: str = "", **fields: Any) -> None:
        """Ask what the user waits for; `said` is told meanwhile, and what is wrong in place of an answer."""
        self._awaited.append(_Question(kind, fields, take, said=said))
        self._set_busy(True)
        self.said.emit(said)
        self._interrupt()
        self._go_on()

    def ask_in_background(self, kind: str, take: Answer, refuse: Callable[[str], None], **fields: Any) -> None:
        """Ask what nobody waits for; `refuse` is given what is wrong."""
        self._background[kind] = _Question(kind, fields, take, refuse)
        self._go_on()

    def ask_beside(self, kind: str, take: Answer, refuse: Callable[[str], None], **fields: Any) -> None:
        """Ask what takes long of a worker that has answered already; `refuse` is given what is wrong, "" where it was
        taken back or the worker has died."""
        if not self.is_gone:
            self._beside[kind] = _Question(kind, fields, take, refuse)
            self._interrupt()
            self._worker.ask(kind, **fields)

    def take_back(self, kind: str) -> None:
        """Have what was asked beside end soon."""
        self._worker.cancel(kind)

    def finally_do(self, then: Callable[[], None]) -> None:
        """Call this once the user has all answers, unless there is something to read then."""
        self._then = then

    @property
    def is_ending(self) -> bool:
        """Whether something is to be called once the user has all answers."""
        return self._then is not None

    def stay(self) -> None:
        """There is something to read."""
        self._then = None

    def close(self) -> None:
        """Ask no more."""
        self.is_gone = True
        self._worker.close()

    def _interrupt(self) -> None:
        """Nobody waits for what is asked in the background; the worker would do it first."""
        if self._asked is not None and self._asked.refuse is not None:
            self._worker.cancel(self._asked.kind)

    def _ready(self, folder: str) -> None:
        self._is_ready, self.folder = True, folder
        self._go_on()

    def _go_on(self) -> None:
        if self._asked is not None or self.is_gone or not self._is_ready:
            return
        if not self._awaited:
            self._set_busy(False)
            then, self._then = self._then, None
            if then is not None:
                then()
        if self._awaited:
            self._asked = self._awaited.popleft()
        elif self._background and not self.is_gone:
            self._asked = self._background.pop(next(iter(self._background)))
        if self._asked is not None:
            self._worker.ask(self._asked.kind, **self._asked.fields)

    def _tell_progress(self, message: dict[str, Any]) -> None:
        if message["id"] in self._beside:
            self.advanced.emit(message["text"])

    def _answered(self, answer: dict[str, Any]) -> None:
        if (beside := self._beside.pop(answer["id"], None)) is not None:
            beside.take(answer)
            return
        question, self._asked = self._asked, None
        if question is not None:
            if question.said:
                self.said.emit("")
            question.take(answer)
        self._go_on()

    def _failed(self, kind: str, text: str, asked: str) -> None:
        if asked in self._beside:
            self._refuse_beside(asked, "" if kind == "cancelled" else text)
            return
        question, self._asked = self._asked, None
        if not asked:
            self.is_gone = True
            self._set_busy(True)
            for name in list(self._beside):
                self._refuse_beside(name, "")
        if question is not None and question.refuse is not None and asked:
            if kind == "cancelled":
                self._background.setdefault(question.kind, question)
            else:
                question.refuse(text)
        else:
            self._awaited.clear()
            self._then = None
            self.said.emit(text)
            self.refused.emit()
        self._go_on()

    def _refuse_beside(self, kind: str, text: str) -> None:
        question = self._beside.pop(kind)
        if question.refuse is not None:
            question.refuse(text)

    def _set_busy(self, is_busy: bool) -> None:
        if self._is_busy != is_busy:
            self._is_busy = is_busy
            self.busy.emit(is_busy)
