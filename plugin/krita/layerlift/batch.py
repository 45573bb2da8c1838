"""The removal of the backgrounds of all open documents, by one worker, side by side."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any

from . import host
from .common import protocol, stages, words
from .common.language import _
from .common.options import Options
from .controls import WAYS
from .jobs import Job, State
from .qt import QtCore

# Where each part ends on one bar from 0 to 1; the last one is what is left to be inserted.
READ, PLANNED, REMOVED = 0.1, 0.15, 0.95


class Picture:
    """A document's active layer in a batch, and what has become of it: `kind` and `text` where it has failed.

    `layer` is None where there is nothing to work on.
    """

    def __init__(self, number: int, name: str, document: Any) -> None:
        self.name, self.files = name, f"{number}-"
        self.layer: host.Layer | None = None
        self.is_done = False
        self.kind, self.text = "", ""
        self.answer: dict[str, Any] = {}
        try:
            self.layer = host.Layer(document, self.files)
        except host.Refused as refused:
            self.fail("refused", str(refused))

    def fail(self, kind: str, text: str) -> None:
        """It can't be worked on, or not any more."""
        self.kind, self.text = kind, text

    def is_ready(self) -> bool:
        """Whether it can be worked on now; fails where not."""
        try:
            # A batch that is run again for those that are left must not do, or pay for, the others twice.
            if self.layer is not None and self.layer.has_cut_out():
                raise host.Refused(words.HAS_CUT_OUT)
        except host.Refused as refused:
            self.fail("refused", str(refused))
        return not self.kind

    def message(self) -> dict[str, Any]:
        """What the worker is told of it, once it is exported."""
        return dict(self.layer.removal(), name=self.name) if self.layer else {}


def open_pictures() -> list[Picture]:
    """A picture for each open document."""
    return [Picture(number, *document) for number, document in enumerate(host.open_documents())]


class Batch(Job):
    """Many removals: all layers are read, the user is asked once, and what comes is inserted as it comes.

    Signals:
        asks(text): the question before anything is uploaded or paid; `go_on` is the answer, or `cancel`.
    """

    asks = QtCore.pyqtSignal(str)

    def __init__(self, pictures: list[Picture], options: Options) -> None:
        super().__init__(_("All open documents"), options)
        self.pictures = pictures
        self.is_agreed = False
        self._sent: list[Picture] = []
        self._came: deque[Picture] = deque()
        self._at: Picture | None = None
        self._all_came = False
        self._worker.progressed.connect(self._tell_batch)
        self._worker.ended.connect(self._picture_ended)

    def go_on(self) -> None:
        """The user agrees to what was asked. Nobody pays for what is gone since."""
        if self.state is not State.RUNNING:
            return
        self.is_agreed = True
        self._sent = [picture for picture in self._sent if picture.is_ready()]
        if self._sent:
            self._ask("batch", again=False)
        else:
            self._end(State.DONE)

    def summary(self) -> str:
        """What became of all pictures, once it has ended."""
        left = [picture.name for picture in self.pictures if not picture.kind and not picture.is_done]
        return self._summary().text(left, self.text or words.KEPT)

    def _summary(self) -> words.Summary:
        summary = words.Summary()
        for picture in self.pictures:
            summary.units += picture.answer.get("units", 0)
            if picture.is_done:
                summary.succeeds(picture.name, picture.answer["cached"], picture.answer["full"])
            elif picture.kind:
                summary.fails(picture.name, picture.text)
        return summary

    def _begin(self) -> None:
        self._reading = [picture for picture in self.pictures if picture.is_ready()]
        self._read_next()

    def _read_next(self) -> None:
        if self._is_left():
            return
        self._at = next((picture for picture in self._reading if not picture.kind and picture not in self._sent), None)
        if self._at is not None and self._at.layer is not None:
            self._export(self._at.layer, self._was_read, self._failed)
        elif self._sent:
            self._ask("plan")
        else:
            self._end(State.DONE)

    def _was_read(self) -> None:
        if self._at is not None:
            self._sent.append(self._at)
        self._read_next()

    def _ask(self, kind: str, **fields: Any) -> None:
        pictures = [picture.message() for picture in self._sent]
        self._worker.ask(kind, pictures=pictures, engine=self.options.engine, **fields)

    def _take(self, answer: dict[str, Any]) -> None:
        if answer["id"] == "plan":
            self.progressed.emit(_("Waiting for your answer"), PLANNED)
            self.asks.emit(words.question(len(self._sent), answer, self._summary()))
        else:
            self._all_came = True
            self._insert_next()

    def _picture_ended(self, message: dict[str, Any]) -> None:
        picture = self._sent[message["picture"]]
        if "code" in message:
            error = protocol.refusal(message, WAYS)
            picture.fail(error.kind, str(error))
            return
        picture.answer = message
        self._came.append(picture)
        self._insert_next()

    def _insert_next(self) -> None:
        """Go on with what has come, one picture at a time, until nothing more comes."""
        if self._is_left() or self._at is not None or self.state is not State.RUNNING:
            return
        if self._came:
            self._at = self._came.popleft()
            if self._at.layer is not None:
                self._deliver(self._at.layer, self._at.answer["file"], self._was_inserted, self._failed)
        elif self._all_came:
            self._end(State.DONE)

    def _was_inserted(self) -> None:
        if self._at is not None:
            self._at.is_done = True
        self._leave()

    def _failed(self, kind: str, text: str) -> None:
        """The picture at hand can't be read or inserted; the others go on."""
        if self._at is not None:
            self._at.fail(kind, text)
        self._leave()

    def _leave(self) -> None:
        """Done with the picture at hand; its pixels need no room on the disk any more."""
        if self._at is not None:
            for path in self._folder.glob(f"{self._at.files}*"):
                with contextlib.suppress(OSError):
                    path.unlink()
        self._at = None
        if self.is_agreed:
            self._insert_next()
        else:
            self._read_next()

    def _refused(self, kind: str, text: str, asked: str) -> None:
        if asked == "cut":
            self._failed(kind, text)
        else:
            self._fail(kind, text)

    def _tell(self, stage: str, fraction: float) -> None:
        if self._at is None:
            return
        if stage == "export":
            read = len(self._sent)
            part = READ * (read + fraction) / len(self._reading)
            self.progressed.emit(words.reading(read, len(self._reading), self._at.name), part)
        elif self._all_came:
            left = 1 + len(self._came)
            rest = (1 - REMOVED) * (1 - (left - fraction) / len(self._sent))
            text, _ = stages.step(stage, fraction)
            self.progressed.emit(f"{text} ({self._at.name})", REMOVED + rest)

    def _tell_batch(self, text: str, fraction: float) -> None:
        if self.is_agreed and not self._all_came:
            self.progressed.emit(text, PLANNED + (REMOVED - PLANNED) * fraction)
        elif not self.is_agreed:
            self.progressed.emit(words.CHECKING, READ + (PLANNED - READ) * fraction)
