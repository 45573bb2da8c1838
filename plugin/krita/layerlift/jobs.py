"""The removals that the user has asked for, one after the other."""

from __future__ import annotations

import enum
import inspect
from collections import deque
from pathlib import Path
from typing import Any, Callable, Generator, NamedTuple

from . import bridge, host
from .preferences import AS_MASK, Preferences
from .qt import QtCore
from .worker import Worker

AGAIN = ("still_in_doubt", "charged_and_lost", "charged_in_vain")
"""The worker's codes of a picture that only the user may pay for anew."""


class State(enum.Enum):
    """Where a job is: on its way, or at one of its three ends."""

    WAITING = enum.auto()
    RUNNING = enum.auto()
    DONE = enum.auto()
    FAILED = enum.auto()
    CANCELLED = enum.auto()


class Wish(NamedTuple):
    """What the user has asked for; `again` pays again where an earlier start may have been charged in vain."""

    layer: host.Layer
    preferences: Preferences
    again: bool = False


class Job(QtCore.QObject):
    """One removal, from the layer's pixels to the new layer, in steps of the event loop.

    `answer` is the worker's result when it is done; `code` and `text` say what went wrong when it has failed.

    Signals:
        progressed(text, fraction): a line for the user, and the fraction of the whole.
        ended(): the state is one of the three ends.
    """

    progressed = QtCore.pyqtSignal(str, float)
    ended = QtCore.pyqtSignal()

    def __init__(self, wish: Wish) -> None:
        super().__init__()
        self.wish = wish
        self.state = State.WAITING
        self.code, self.text = "", ""
        self.answer: dict[str, Any] = {}
        self._steps: Generator[float, None, None] | None = None
        self._late: State | None = None
        self._worker = Worker()
        self._worker.progressed.connect(self.progressed)
        self._worker.failed.connect(self._fail)

    def start(self) -> None:
        """Go; `ended` is emitted later, whatever happens."""
        self.state = State.RUNNING
        self._worker.ready.connect(self._export)
        self._worker.start()

    def cancel(self) -> None:
        """End it now. What is paid for by then, the worker finishes alone."""
        if self.state in (State.WAITING, State.RUNNING):
            self._end(State.CANCELLED)

    def _export(self, folder: str) -> None:
        self._folder = Path(folder)
        self._run("export", self.wish.layer.export(self._folder), self._remove)

    def _remove(self) -> None:
        if self._late is not None:
            self._end(self._late)
            return
        self._worker.answered.connect(self._removed)
        engine = "youcam" if self.wish.again else self.wish.preferences.engine
        self._worker.ask("job", engine=engine, again=self.wish.again, **self.wish.layer.removal())

    def _removed(self, answer: dict[str, Any]) -> None:
        self._worker.answered.disconnect(self._removed)
        self.answer = answer
        if self.wish.preferences.result == AS_MASK:
            self._insert(self.wish.layer.native, self._folder / answer["file"])
            return
        self._worker.answered.connect(lambda cut: self._insert(cut["file"], None))
        self._worker.ask("cut", **self.wish.layer.cut(answer["file"], self.wish.preferences.clean_edges))

    def _insert(self, pixels: str, mask: Path | None) -> None:
        hide = self.wish.preferences.hide_original
        steps = self.wish.layer.insert(self._folder / pixels, mask, hide)
        self._run("insert", steps, lambda: self._end(State.DONE))

    def _run(self, stage: str, steps: Generator[float, None, None], then: Callable[[], None]) -> None:
        """Take one step each time that the event loop is idle, then go on."""
        self._steps = steps

        def step() -> None:
            if self.state is not State.RUNNING:
                return
            try:
                fraction = next(steps, None)
            except host.Refused as refused:
                self._fail("refused", str(refused))
            except OSError as error:
                self._fail("disk", f"The pixels can't be written: {error.strerror}. Make room on the disk.")
            except Exception:
                self._fail("internal", "Layerlift failed in a way that it does not know. Nothing was changed.")
                raise
            else:
                if fraction is None:
                    then()
                elif self._late is not None:
                    self._end(self._late)
                else:
                    self.progressed.emit(*bridge.step(stage, fraction))
                    QtCore.QTimer.singleShot(0, step)

        step()

    def _fail(self, code: str, text: str) -> None:
        if self.state is State.RUNNING:
            self.code, self.text = code, text
            self._end(State.FAILED)

    def _end(self, state: State) -> None:
        if self._steps is not None:
            if inspect.getgeneratorstate(self._steps) == inspect.GEN_RUNNING:
                # Krita 5.3 takes clicks in the midst of a step, while it waits for its own threads.
                self._late = state
                return
            self._steps.close()
        self.state = state
        self._worker.close()
        self.ended.emit()


class Jobs(QtCore.QObject):
    """The queue: one job runs, the others wait.

    Signals:
        queued(): one more waits.
        started(job), ended(job).
    """

    queued = QtCore.pyqtSignal()
    started = QtCore.pyqtSignal(object)
    ended = QtCore.pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._queue: deque[Job] = deque()

    @property
    def waiting(self) -> int:
        """How many jobs wait behind the one that runs."""
        return max(0, len(self._queue) - 1)

    def add(self, wish: Wish) -> None:
        """Queue a removal."""
        job = Job(wish)
        job.ended.connect(lambda: self._next(job))
        self._queue.append(job)
        if len(self._queue) == 1:
            self._start()
        else:
            self.queued.emit()

    def cancel(self) -> None:
        """Cancel the job that runs; the next one starts."""
        if self._queue:
            self._queue[0].cancel()

    def stop(self) -> None:
        """Cancel all."""
        for job in reversed(tuple(self._queue)):
            job.cancel()

    def _start(self) -> None:
        self.started.emit(self._queue[0])
        self._queue[0].start()

    def _next(self, job: Job) -> None:
        first = self._queue[0] is job
        self._queue.remove(job)
        self.ended.emit(job)
        job.deleteLater()
        if first and self._queue:
            self._start()
