"""What the user has asked for: one job at a time works here, while the service works for others."""

from __future__ import annotations

import enum
import inspect
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any, Callable, Generator

from . import host
from .common import stages, ways, words
from .common.language import _
from .common.options import AS_MASK, Options
from .qt import QtCore
from .windows import windows_stay
from .worker import Worker


class State(enum.Enum):
    """Where a job is: on its way, cancelled but yet to hear what it has cost, or at one of its three ends."""

    WAITING = enum.auto()
    RUNNING = enum.auto()
    CANCELLING = enum.auto()
    DONE = enum.auto()
    FAILED = enum.auto()
    CANCELLED = enum.auto()


PAYING = ("job", "batch", "task")
"""What a worker may pay for."""
CANCEL_MS = 2000
SIDE_BY_SIDE = 3
"""How many jobs run at once: the worker of each has a picture in memory as soon as the service has answered."""
TURN_MS = 20
Fail = Callable[[str, str], None]
"""Is given a kind of what went wrong, and a text for the user."""


class Job(QtCore.QObject):
    """One job with a worker of its own, in steps of the event loop: the base of all kinds.

    `title` says what it works on; `kind` and `text` what went wrong when it has failed, or what it has cost when it was
    cancelled and the worker knows; `kept` is said where it does not. `agreed` is whether the user has agreed to the
    uploads of this job alone, `said` what it emitted last. `may_run_beside` is whether it need not know what becomes of
    those before it.

    Signals:
        progressed(text, fraction): a line for the user, and the fraction of the whole.
        ended(): the state is one of the three ends.
    """

    progressed = QtCore.pyqtSignal(str, float)
    ended = QtCore.pyqtSignal()
    may_run_beside = False
    kept = words.KEPT
    _at_layers: Job | None = None

    def __init__(self, title: str, options: Options) -> None:
        super().__init__()
        self.title, self.options = title, options
        self.state = State.WAITING
        self.kind, self.text = "", ""
        self.said = (_("Starting"), 0.0)
        self.is_stopped = self.agreed = self._is_handed_over = False
        self._steps: Generator[float, None, None] | None = None
        self._late: State | None = None
        self._insert: Callable[[str], None] = lambda pixels: None
        self._worker = Worker()
        self._worker.ready.connect(self._ready)
        self._worker.answered.connect(self._answered)
        self._worker.failed.connect(self._refused)

    @property
    def is_at_service(self) -> bool:
        """Whether there is nothing to do here until the service answers."""
        return self._worker.is_at_service

    def start(self) -> None:
        """Go; `ended` is emitted later, whatever happens."""
        self.state = State.RUNNING
        self._worker.start()

    def go_on(self, consent: str = "") -> None:
        """The user agrees to what was asked; `consent` is one of ways.CONSENT where that was for uploads."""
        if self.state is not State.RUNNING:
            return
        if consent == ways.OFFLINE:
            self.options = self.options._replace(engine="offline")
        self.agreed = consent == ways.UPLOAD_ONCE
        if consent == ways.UPLOAD_ALWAYS:
            self._worker.ask("agree", agreed=True)
        else:
            self._work()

    def cancel(self) -> None:
        """End it, at the latest in a moment. What is paid for by then, the worker finishes alone."""
        if self.state is State.RUNNING and self._worker.cancel(*PAYING):
            self.state, self.text = State.CANCELLING, self.kept
            patience = QtCore.QTimer(self)
            patience.setSingleShot(True)
            patience.timeout.connect(self._cancelled)
            patience.start(CANCEL_MS)
        else:
            self._cancelled()

    def stop(self) -> None:
        """End it now, and tell nobody."""
        self.is_stopped = True
        self._cancelled()

    def hand_over(self) -> Worker:
        """Its worker, for who hears of its end and has another question: theirs to close."""
        self._is_handed_over = True
        self._worker.disconnect_all()
        return self._worker

    def _begin(self) -> None:
        """Pixels can be written to `_folder`."""
        raise NotImplementedError

    def _work(self) -> None:
        """The user has agreed to all that is asked for."""
        raise NotImplementedError

    def _take(self, answer: dict[str, Any]) -> None:
        """The worker has answered what its `id` names."""
        raise NotImplementedError

    def _tell(self, stage: str, fraction: float) -> None:
        """A layer is in one of the host's own stages."""
        self.progressed.emit(*stages.step(stage, fraction))

    def _ready(self, folder: str) -> None:
        self._folder = Path(folder)
        self._begin()

    def _answered(self, answer: dict[str, Any]) -> None:
        if self.state is State.CANCELLING:
            if answer["id"] in PAYING:
                self._end(State.CANCELLED)
        elif answer["id"] == "cut":
            self._insert(answer["file"])
        elif answer["id"] == "agree":
            self._work()
        else:
            self._take(answer)

    def _refused(self, kind: str, text: str, asked: str) -> None:
        self._fail(kind, text)

    def _export(self, layer: host.Layer, then: Callable[[], None], fail: Fail | None = None) -> None:
        self._run("export", layer.export(self._folder), then, fail)

    def _deliver(self, layer: host.Layer, alpha: str, then: Callable[[], None], fail: Fail | None = None) -> None:
        """Make the new layer, of what was exported and the alpha that the worker has made of it."""

        def insert(pixels: str, mask: Path | None = None) -> None:
            steps = layer.insert(self._folder / pixels, mask, self.options.hide_original)
            self._run("insert", steps, then, fail)

        if self.options.result == AS_MASK:
            insert(layer.native, self._folder / alpha)
        else:
            self._insert = insert
            self._worker.ask("cut", **layer.cut(alpha, self.options.clean_edges))

    def _run(
        self, stage: str, steps: Generator[float, None, None], then: Callable[[], None], fail: Fail | None
    ) -> None:
        """Take one step each time that the event loop is idle, then go on; `fail` in place of the job's own end.

        Other jobs leave layers alone until then: Krita 5.3 would begin a step of theirs amid one of these.
        """
        failed = fail or self._fail

        def step() -> None:
            if self.state is not State.RUNNING:
                return
            if Job._at_layers not in (None, self):
                QtCore.QTimer.singleShot(TURN_MS, step)
                return
            Job._at_layers, self._steps = self, steps
            end, fraction = then, None
            try:
                with windows_stay():
                    fraction = next(steps, None)
            except host.Refused as refused:
                end = partial(failed, "refused", str(refused))
            except OSError as error:
                said = _("The pixels could not be written: {reason}. Free some disk space.")
                end = partial(failed, "mend", said.format(reason=error.strerror))
            except Exception:
                Job._at_layers = None
                failed("report", _("Unexpected error in Layerlift. Nothing was changed."))
                raise
            if fraction is None:
                Job._at_layers = None
                end()
            elif not self._is_left():
                self._tell(stage, fraction)
                QtCore.QTimer.singleShot(0, step)

        step()

    def _is_left(self) -> bool:
        """Whether the job was to end in the midst of a step; it ends now."""
        if self._late is not None:
            self._end(self._late)
        return self._late is not None

    def _cancelled(self) -> None:
        if self.state in (State.WAITING, State.RUNNING, State.CANCELLING):
            self._end(State.CANCELLED)

    def _fail(self, kind: str, text: str) -> None:
        if self.state in (State.RUNNING, State.CANCELLING):
            self.kind, self.text = kind, text
            self._end(State.CANCELLED if kind == "cancelled" else State.FAILED)

    def _end(self, state: State) -> None:
        if self._steps is not None:
            if inspect.getgeneratorstate(self._steps) == inspect.GEN_RUNNING:
                # Krita 5.3 takes clicks in the midst of a step, while it waits for its own threads.
                self._late = state
                return
            with windows_stay():
                self._steps.close()
        if Job._at_layers is self:
            Job._at_layers = None
        self.state = state
        self.ended.emit()
        if not self._is_handed_over:
            self._worker.close()


class Jobs(QtCore.QObject):
    """The queue: a job starts when all before it have ended, or at once when the service works for these.

    Signals:
        changed(): one more waits, or another line is to be shown of one that runs.
        started(), ended(job).
    """

    changed = QtCore.pyqtSignal()
    started = QtCore.pyqtSignal()
    ended = QtCore.pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._queue: deque[Job] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def first(self) -> Job | None:
        """The job that has run for the longest."""
        return self._queue[0] if self._queue else None

    def add(self, job: Job) -> None:
        """Queue a job."""
        job.progressed.connect(lambda *said: self._hear(job, said))
        job.ended.connect(lambda: self._leave(job))
        self._queue.append(job)
        self.changed.emit()
        self._start()

    def stop(self) -> None:
        """End all: Krita quits."""
        for job in reversed(tuple(self._queue)):
            job.stop()

    def _start(self) -> None:
        """Start the next job, if it is its turn."""
        running = [job for job in self._queue if job.state is not State.WAITING]
        if len(running) == len(self._queue) or len(running) == SIDE_BY_SIDE:
            return
        job = self._queue[len(running)]
        if not running or (job.may_run_beside and all(job.is_at_service for job in running)):
            self.started.emit()
            job.start()

    def _hear(self, job: Job, said: tuple[str, float]) -> None:
        job.said = said
        self.changed.emit()
        self._start()

    def _leave(self, job: Job) -> None:
        self._queue.remove(job)
        self.changed.emit()
        self.ended.emit(job)
        job.deleteLater()
        self._start()
