"""The removal of the backgrounds of all open documents, by one worker, side by side."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any, Callable, NamedTuple

from . import host
from .common import protocol, stages, words
from .common.language import _
from .common.options import Options
from .jobs import Job, State
from .qt import QtCore

# Where each part ends on one bar from 0 to 1; the last one is what is left to be inserted.
READ, PLANNED, REMOVED = 0.1, 0.15, 0.95
HAS_CUT_OUT = "has_cut_out"
WAYS = {"pay_again": _("To pay again, choose 'Pay Again' where you remove the background of this layer alone.")}
"""What the user can do about errors of pictures where no button does it."""


class Picture:
    """A layer of a batch, and what has become of it: `kind` and `text` where it has failed.

    `layer` is None where there is nothing to work on.
    """

    def __init__(self, number: int, name: str, make: Callable[[str], host.Layer]) -> None:
        self.name, self.files = name, f"{number}-"
        self.layer: host.Layer | None = None
        self.is_done = False
        self.kind, self.text = "", ""
        self.answer: dict[str, Any] = {}
        try:
            self.layer = make(self.files)
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
                self.fail(HAS_CUT_OUT, words.HAS_CUT_OUT)
        except host.Refused as refused:
            self.fail("refused", str(refused))
        return not self.kind

    def message(self) -> dict[str, Any]:
        """What the worker is told of it, once it is exported."""
        return dict(self.layer.removal(), name=self.name) if self.layer else {}


class Offer(NamedTuple):
    """What a batch can do, and would cost: all its pictures, and the worker's plan for those that were read."""

    pictures: list[Picture]
    read: list[Picture]
    plan: dict[str, Any]

    def note(self, picture: Picture) -> str:
        """What there is to say of a picture: what it costs, or why nothing can be done."""
        if picture in self.read:
            return words.price_of(self.plan, len(self.read), self.read.index(picture))
        return _("already done") if picture.kind == HAS_CUT_OUT else picture.text

    def plan_for(self, chosen: list[Picture]) -> dict[str, Any]:
        """The plan for these alone."""
        return words.part_of(self.plan, len(self.read), [self.read.index(picture) for picture in chosen])


class Batch(Job):
    """Many removals: all layers are read, the user is asked once, and what comes is inserted as it comes.

    Signals:
        asks(offer): the question before anything is uploaded or paid; `choose` and `go_on` are the answer, or `cancel`.
    """

    asks = QtCore.pyqtSignal(object)

    def __init__(self, sources: list[host.Source], options: Options, title: str) -> None:
        super().__init__(title, options)
        self.pictures = [Picture(number, *source) for number, source in enumerate(sources)]
        self.is_agreed = self.advises_key = False
        self._sent: list[Picture] = []
        self._came: deque[Picture] = deque()
        self._at: Picture | None = None
        self._all_came = False
        self._worker.progressed.connect(self._tell_batch)
        self._worker.ended.connect(self._picture_ended)

    def choose(self, chosen: list[Picture]) -> None:
        """These are to be done; the others of those that could be are left alone."""
        for picture in [picture for picture in self._sent if picture not in chosen]:
            self._sent.remove(picture)
            self.pictures.remove(picture)
            self._discard(picture)

    def left(self) -> list[host.Source]:
        """What can be tried again."""
        return [
            (picture.name, picture.layer.anew)
            for picture in self.pictures
            if picture.layer and not picture.is_done and picture.kind != HAS_CUT_OUT
        ]

    def _work(self) -> None:
        self.is_agreed = True
        # Nobody pays for what is gone since.
        self._sent = [picture for picture in self._sent if picture.is_ready()]
        if not self._sent:
            self._end(State.DONE)
            return
        # By the engine that the user was told of.
        engine = self._offer.plan_for(self._sent)["engine"] if self.options.engine == "auto" else self.options.engine
        self._ask("batch", engine=engine, chosen=self.options.engine, again=False, agreed=self.agreed)

    @property
    def units(self) -> float:
        """What it has cost."""
        return float(sum(picture.answer.get("units", 0) for picture in self.pictures))

    def summary(self, balance: float | None = None) -> str:
        """What became of all pictures, once it has ended, and what the account has then."""
        summary = words.Summary()
        summary.units, summary.left = self.units, balance
        for picture in self.pictures:
            if picture.is_done:
                summary.succeeds(picture.name, picture.answer["cached"], picture.answer["full"])
            elif picture.kind:
                summary.fails(picture.name, picture.text)
        left = [picture.name for picture in self.pictures if not picture.kind and not picture.is_done]
        return summary.text(left, self.text or words.KEPT)

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
            self._ask("plan", engine=self.options.engine)
        else:
            self._end(State.DONE)

    def _was_read(self) -> None:
        if self._at is not None:
            self._sent.append(self._at)
        self._read_next()

    def _ask(self, kind: str, **fields: Any) -> None:
        pictures = [picture.message() for picture in self._sent]
        self._worker.ask(kind, pictures=pictures, **fields)

    def _take(self, answer: dict[str, Any]) -> None:
        if answer["id"] == "plan":
            self.progressed.emit(_("Waiting for your answer"), PLANNED)
            self._offer = Offer(self.pictures, self._sent[:], answer)
            self.asks.emit(self._offer)
        else:
            self._all_came, self.advises_key = True, answer["advise_key"]
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
            self._discard(self._at)
        self._at = None
        if self.is_agreed:
            self._insert_next()
        else:
            self._read_next()

    def _discard(self, picture: Picture) -> None:
        for path in self._folder.glob(f"{picture.files}*"):
            with contextlib.suppress(OSError):
                path.unlink()

    def _refused(self, kind: str, text: str, asked: str) -> None:
        if asked == "cut":
            self._failed(kind, text)
        elif (kind, asked) == ("agree", "batch") and self.state is State.RUNNING:
            # It was taken back since the plan was made.
            self.is_agreed = False
            self._ask("plan", engine=self.options.engine)
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
