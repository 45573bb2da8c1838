"""Many removals side by side, at the speed of the service's limit.

Pictures are read and prepared while others are uploaded, run and fetched. What makes the most of the limit: files are
declared in groups, and one poller looks at all tasks when they should have ended. No picture is in memory while the
service works on it, and `SLOTS` are worked on here at a time, so memory does not grow with their number.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeAlias, TypeVar

from .. import errors
from ..imaging.pictures import Picture
from ..imaging.prepare import Upload
from ..language import _, ngettext
from ..models import memory
from ..service.answers import Destination, Task, TaskState
from ..service.polling import Poller
from ..service.service import Service, Sleep
from ..store.entries import Entry
from ..store.threads import fulfil
from .cancelling import Background, Cancel
from .engines import Engine
from .single import Outcome, Removal
from .stages import Stage
from .turns import Turns

IN_FLIGHT = 32
"""Pictures that are under way at a time: more than the limit lets through."""
SLOTS = 2
"""Pictures that are in memory at a time."""
TRANSFERS = 4
"""Uploads and downloads at a time."""
GROUP = 20
"""Files that are declared together at most."""
READY = 6
"""Uploads that wait to be started while further files are gathered: enough for when the limit has room again."""
_GATHER_SECONDS = 1.0
_LOOK_SECONDS = 0.05
_TELL_SECONDS = 0.5
_INTERRUPT_SECONDS = 0.2

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

_Files: TypeAlias = "list[tuple[Upload, Future[Destination]]]"

Report = Callable[[int, Stage, float, str], None]
"""Is called with the place of a picture's job, its stage, the fraction of that which is done, and details as text."""


class Job(Protocol[_T_co]):
    """One picture of a batch. Both methods are called in threads of the batch's own, and may raise."""

    def load(self) -> Picture:
        """The picture's pixels. They are asked for once or twice, and have to be the same."""

    def deliver(self, picture: Picture, outcome: Outcome) -> _T_co:
        """Makes of both what the user wants."""


@dataclass(frozen=True)
class End(Generic[_T]):
    """How the job at a place has ended: with what its `deliver` returned, or with an error."""

    number: int
    result: _T | None
    error: Exception | None
    seconds: float


@dataclass(frozen=True)
class _Delivered(Generic[_T]):
    """What `deliver` has returned for a picture whose alpha was here."""

    value: _T


class Batch:
    """Many removals with one engine.

    Args:
        cancel: is set by whoever wants to stop. What is done stays done, and what is paid for is finished.
        background: where that goes on.
    """

    def __init__(self, cancel: threading.Event, background: Background) -> None:
        self._event = cancel
        self._background = background
        self._guard = threading.Lock()
        self._stop: errors.LayerliftError | None = None

    def run(
        self, jobs: Sequence[Job[_T]], engine: Engine, report: Report = lambda *_: None, *, again: bool = False
    ) -> Generator[End[_T], None, None]:
        """Yields the end of each job as it comes; closed before, it cancels the others.

        A picture that can't be done fails alone. Where the account is empty, or something has to be set up first, no
        more are begun: what is paid for by then is delivered, and all others end with `not_started`.

        Args:
            again: whether to pay again where an earlier start of a picture may have been charged in vain.
        """
        memory.return_large_blocks()
        slots, ends = _Slots(SLOTS), queue.SimpleQueue[End[_T]]()
        shared = _Shared(self.check, _Group(engine.service, len(jobs)), Poller(engine.service))

        def run_one(number: int, job: Job[_T]) -> None:
            began = time.monotonic()
            cancel = Cancel(self._event, self._background)

            def work() -> _T:
                turns = _Turns(number, shared)
                removal = Removal(engine, turns, lambda *news: report(number, *news), cancel, again=again)
                return _remove(job, removal, slots)

            result, error = None, None
            try:
                cancel.check()
                self.check()
                result = cancel.run(work)
            except Exception as found:  # noqa: BLE001 - a picture fails alone
                error = self._stop_for(found)
            shared.group.stop_waiting_for(number)
            ends.put(End(number, result, error, time.monotonic() - began))

        pool = ThreadPoolExecutor(min(IN_FLIGHT, engine.in_flight or IN_FLIGHT))
        try:
            for number, job in enumerate(jobs):
                pool.submit(run_one, number, job)
            for _job in jobs:
                yield _take_next(ends)
        finally:
            self._event.set()
            pool.shutdown()
            slots.close()
            engine.delete(shared.deletions)

    def _stop_for(self, found: Exception) -> Exception:
        """Stops the batch where a picture's error is one for all; returns what the picture ends with."""
        if not isinstance(found, (errors.SetupError, errors.TopUpError)):
            return found
        with self._guard:
            first, self._stop = self._stop, self._stop or found
        # Side by side many hear the same; one is enough to tell why, and nothing has begun for the others.
        for_all = (errors.AuthError, errors.ConsentNeeded, errors.TopUpError)
        same = isinstance(first, for_all) and first.code == found.code
        return errors.make("not_started", str(first)) if same else found

    def check(self) -> None:
        """Raises `not_started` where the batch has stopped."""
        if self._stop is not None:
            raise errors.make("not_started", str(self._stop))


def _remove(job: Job[_T], removal: Removal, slots: _Slots) -> _T:
    """Takes the steps of a removal, those with the picture in memory in a slot."""
    begun = slots.call(lambda: _begin(job, removal), last=False)
    if isinstance(begun, _Delivered):
        return begun.value
    removal.ask(begun)
    del begun
    return slots.call(lambda: _finish(job, removal), last=True)


def _begin(job: Job[_T], removal: Removal) -> Upload | _Delivered[_T]:
    picture = job.load()
    upload = removal.prepare(picture)
    return _Delivered(job.deliver(picture, removal.finish(picture))) if upload is None else upload


def _finish(job: Job[_T], removal: Removal) -> _T:
    picture = job.load()
    return job.deliver(picture, removal.finish(picture))


def _take_next(ends: queue.SimpleQueue[End[_T]]) -> End[_T]:
    """The next end. Where a wait can't be interrupted (Windows), Ctrl+C is seen between two."""
    while True:
        with contextlib.suppress(queue.Empty):
            return ends.get(timeout=_INTERRUPT_SECONDS)


class Overview:
    """How far a batch is, in one line.

    Args:
        names: what the user calls the pictures.
        report: is called with the fraction that is done of all, and "3 of 12, waiting for" some.
    """

    def __init__(self, names: Sequence[str], report: Callable[[float, str], None]) -> None:
        self._names = names
        self._report = report
        self._guard = threading.Lock()
        self._under_way: dict[int, float] = {}
        self._ended = 0

    def update(self, number: int, stage: Stage, fraction: float, text: str) -> None:
        """News of a picture, as `Batch.run` reports them."""
        stages = list(Stage)
        with self._guard:
            far = (stages.index(stage) + fraction) / len(stages)
            self._under_way[number] = max(far, self._under_way.get(number, 0.0))
            self._report(*self._describe())

    def finish(self, number: int) -> None:
        """A picture is done, or has failed."""
        with self._guard:
            self._under_way.pop(number, None)
            self._ended += 1
            self._report(*self._describe())

    def _describe(self) -> tuple[float, str]:
        return (self._ended + sum(self._under_way.values())) / len(self._names), self._text()

    def _text(self) -> str:
        total = len(self._names)
        if not self._under_way:
            # Translators: of so many pictures so many have ended.
            return _("{ended} of {total}").format(ended=self._ended, total=total)
        oldest, *others = sorted(self._under_way)
        text = _("{ended} of {total}, waiting for {name}")
        if others:
            text = ngettext(
                "{ended} of {total}, waiting for {name} and {count} more",
                "{ended} of {total}, waiting for {name} and {count} more",
                len(others),
            )
        return text.format(ended=self._ended, total=total, name=self._names[oldest], count=len(others))


@dataclass(frozen=True)
class _Shared:
    """What all pictures of a batch have together."""

    check: Callable[[], None]
    group: _Group
    poller: Poller
    transfers: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(TRANSFERS))
    decoder: threading.Lock = field(default_factory=threading.Lock)
    refiner: threading.Lock = field(default_factory=threading.Lock)
    deletions: list[Entry] = field(default_factory=list)
    """What the service is to delete, once nothing else waits for it."""


class _Turns(Turns):
    """The turns of the picture at one place of a batch."""

    def __init__(self, number: int, shared: _Shared) -> None:
        self._number = number
        self._shared = shared

    def check(self) -> None:
        self._shared.check()

    def declare(self, upload: Upload, engine: Engine, sleep: Sleep) -> Destination:
        self._shared.group.stop_waiting_for(self._number)
        return self._shared.group.declare(upload, sleep)

    def transfer(self) -> AbstractContextManager[object]:
        return self._shared.transfers

    def decode(self) -> AbstractContextManager[object]:
        return self._shared.decoder

    def refine(self) -> AbstractContextManager[object]:
        return self._shared.refiner

    def wait(self, task: Task, engine: Engine, sleep: Sleep, on_wait: Callable[[float], None]) -> TaskState:
        began = time.monotonic()
        end = self._shared.poller.watch(task)
        while not futures.wait([end], _TELL_SECONDS).done:
            on_wait(time.monotonic() - began)
        return end.result()

    def delete(self, entry: Entry, engine: Engine) -> None:
        self._shared.deletions.append(entry)


class _Group:
    """Declares files together: those that come within a second, or while `READY` requests wait in the limit."""

    def __init__(self, service: Service, pictures: int) -> None:
        self._service = service
        self._guard = threading.Lock()
        self._coming = set(range(pictures))
        self._files: _Files = []

    def stop_waiting_for(self, number: int) -> None:
        """The picture is on its way to `declare`, or has ended: nobody needs to wait for it."""
        with self._guard:
            self._coming.discard(number)

    def declare(self, upload: Upload, sleep: Sleep) -> Destination:
        """The upload's destination. The first of a group declares it, after waiting for the others by its `sleep`."""
        destination: Future[Destination] = Future()
        with self._guard:
            self._files.append((upload, destination))
            leads = len(self._files) == 1
        if leads:
            self._lead(sleep)
        return destination.result()

    def _lead(self, sleep: Sleep) -> None:
        end, cancelled = time.monotonic() + _GATHER_SECONDS, None
        try:
            while (
                self._coming and len(self._files) < GROUP and (time.monotonic() < end or self._service.waiting > READY)
            ):
                sleep(_LOOK_SECONDS)
        except errors.Cancelled as error:
            cancelled = error
        with self._guard:
            files, self._files = self._files, []
        if cancelled is None:
            self._declare(files, sleep)
        else:
            _fail(files, cancelled)

    def _declare(self, files: _Files, sleep: Sleep) -> None:
        try:
            found = self._service.declare([upload for upload, _ in files], sleep=sleep)
        except Exception as error:  # noqa: BLE001 - whoever waits has to hear of it
            if len(files) > 1 and isinstance(error, errors.ServiceError) and not error.retry:
                # It may be the fault of one of them.
                for file in files:
                    self._declare([file], sleep)
            else:
                _fail(files, error)
        else:
            for (_upload, destination), to in zip(files, found, strict=True):
                destination.set_result(to)


def _fail(files: _Files, error: Exception) -> None:
    for _upload, destination in files:
        destination.set_exception(error)


class _Slots:
    """Threads in which pictures are worked on, so few that their memory is bounded. What ends a picture goes first."""

    def __init__(self, slots: int) -> None:
        self._guard = threading.Lock()
        self._number = itertools.count()
        self._closed = False
        self._calls: queue.PriorityQueue[tuple[int, int, Callable[[], None] | None]] = queue.PriorityQueue()
        self._slots = slots
        for _slot in range(slots):
            threading.Thread(target=self._work, daemon=True).start()

    def call(self, call: Callable[[], _T], *, last: bool) -> _T:
        """What the call returns or raises; raises `Cancelled` where the batch has ended."""
        end: Future[_T] = Future()
        with self._guard:
            if self._closed:
                raise errors.make("cancelled")
            self._calls.put((0 if last else 1, next(self._number), lambda: fulfil(end, call)))
        return end.result()

    def close(self) -> None:
        """The threads end when all calls are done."""
        with self._guard:
            self._closed = True
            for _slot in range(self._slots):
                self._calls.put((2, next(self._number), None))

    def _work(self) -> None:
        while (call := self._calls.get()[2]) is not None:
            call()
            del call
