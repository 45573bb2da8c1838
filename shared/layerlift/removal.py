"""One removal, from a picture's pixels to its alpha: prepare, declare, upload, run, poll, download, refine.

Every step is written down in the journal, and a removal goes on from the step that an earlier one has reached.
"""

from __future__ import annotations

import enum
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import errors, matte, prepare, recovery
from .answers import Task, TaskState
from .cancelling import Background, Cancel, paying
from .engines import FORGOTTEN, Engine, Engines
from .journal import Entry, Record
from .pictures import Picture

TASKS = 3
_WAITING_SECONDS = 8.0
_SEEN = 8
"""The alpha from which on something is seen, and from whose opposite on something is missing."""

_T = TypeVar("_T")
_R = TypeVar("_R")
_log = logging.getLogger(__name__)


class Stage(enum.Enum):
    """The steps that a user sees. Reading, which may come once more after the wait, cleaning and writing are not
    `remove`'s."""

    READ = "read"
    PREPARE = "prepare"
    UPLOAD = "upload"
    WAITING = "waiting"
    DOWNLOAD = "download"
    REFINE = "refine"
    CLEAN = "clean"
    WRITE = "write"


Report = Callable[[Stage, float, str], None]
"""Is told the stage, the fraction of it that is done, and a text with details ("" where there are none)."""


@dataclass(frozen=True)
class Outcome:
    """A removal that went well.

    `alpha` is (height, width) uint8 of the picture's own size: the cut-out's alpha, not yet multiplied with the
    picture's own. It is `full` where the engine has cut nothing away, `cached` where it was there and cost nothing.
    """

    alpha: NDArray[np.uint8]
    full: bool
    engine: str
    task_id: str
    dst_id: str | None
    units: int
    seconds: float
    cached: bool


def remove(picture: Picture, engine: Engine, report: Report, cancel: Cancel, *, again: bool = False) -> Outcome:
    """Asks the engine for the alpha of a picture, or takes it from where an earlier removal has left it.

    Args:
        again: whether to pay again where an earlier start of the same picture may have been charged in vain.

    Raises:
        LayerliftError: whatever the table of errors holds; `Cancelled` as soon as `cancel` is set.
    """

    def opened(call: Callable[[Picture], _R]) -> _R:
        return call(picture)

    return cancel.during(lambda: remove_opened(opened, engine, report, cancel, lambda _, outcome: outcome, again=again))


def resume(engine: Engine, background: Background, *, told: bool) -> list[tuple[Entry, Future[None]]]:
    """Goes on with the account's tasks that were started within the last day, whose results have not come back, and on
    which nobody works, for the next removals of their pictures; returns each with its end, which may raise what
    `remove` raises.

    Args:
        told: whether the user hears of those that are lost. Else that is left for the next removal of the picture.
    """
    if engine.journal is None:
        return []
    return [
        (entry, background.start(functools.partial(_resume, entry, engine, background, told)))
        for entry in engine.journal.unfinished(engine.account)
        if not engine.journal.is_claimed(entry)
    ]


def take_up(engines: Engines) -> None:
    """Goes on, in the background, with what other processes have started and left, where that is possible."""
    if not engines.ever_paid:
        return
    try:
        engine = engines.open("youcam", time.sleep, uploads=False)
        resume(engine, engines.background, told=False)
        engine.delivered([])
    except errors.LayerliftError as error:
        _log.info("Nothing is taken up: %s", error.message)


def _resume(entry: Entry, engine: Engine, background: Background, told: bool) -> None:
    cancel = Cancel(threading.Event(), background)
    if engine.journal is None:
        return
    with engine.journal.claim_again(entry, cancel.sleep) as record:
        if record.alpha() is not None:
            return
        if record.task_id is None:
            raise errors.make("still_in_doubt")
        try:
            _finished(record, engine, lambda of, fraction, text="": None, cancel)
        except errors.LayerliftError as error:
            if told and error.code in FORGOTTEN:
                record.lost(error.code, error.request_id)
            elif error.code == "task_refused":
                record.refused(error.request_id)
            raise


_Tell = Callable[..., None]
"""As `Report`, the text may be left out."""


class Opened(Protocol):
    """Calls a function with a picture, the same each time, which is in memory for so long; returns what it returns."""

    def __call__(self, call: Callable[[Picture], _R]) -> _R: ...


def remove_opened(
    opened: Opened,
    engine: Engine,
    report: Report,
    cancel: Cancel,
    deliver: Callable[[Picture, Outcome], _T],
    *,
    again: bool = False,
) -> _T:
    """As `remove`, of a picture that need not be in memory while the service works on it; in the caller's thread.

    Args:
        opened: is called once or twice.
        deliver: is given the picture once more with what became of it; returns what this returns.
    """
    started = time.monotonic()

    def stage(of: Stage, fraction: float, text: str = "") -> None:
        cancel.check()
        if not cancel.wished:
            report(of, min(1.0, fraction), text)

    def delivered(
        picture: Picture, name: str, entry: Entry, alpha: NDArray[np.uint8], *, refined: bool, cached: bool
    ) -> _T:
        if alpha.max() < _SEEN:
            raise errors.make("result_empty")
        if not refined:
            came = alpha
            with engine.refining():
                alpha = matte.refine(came, picture, lambda fraction: stage(Stage.REFINE, fraction))
            if journal and alpha is not came:
                journal.keep(name, alpha)
        stage(Stage.REFINE, 1.0)
        units = 0 if cached else engine.units
        seconds = time.monotonic() - started
        full = bool(alpha.min() > 255 - _SEEN)
        outcome = Outcome(alpha, full, engine.name, entry.task_id or "", entry.dst_id, units, seconds, cached)
        return deliver(picture, outcome)

    def prepared(picture: Picture) -> tuple[str, tuple[int, int], prepare.Upload | None]:
        name = picture_name(picture, engine)
        if (kept := _kept(name, engine)) is not None:
            entry, alpha, refined = kept
            done.append(delivered(picture, name, entry, alpha, refined=refined, cached=True))
            return name, (0, 0), None
        upload = prepare.prepare(picture, report=lambda fraction: stage(Stage.PREPARE, fraction))
        return name, (picture.width, picture.height), upload

    def fitted(picture: Picture) -> _T:
        if (picture.width, picture.height) != size:
            raise errors.make("picture_changed")
        alpha = held[0] if held else record.alpha()
        if alpha is None:
            raise errors.make("result_broken", "it is no longer kept here")
        return delivered(picture, name, record.entry, alpha, refined=False, cached=cached)

    done: list[_T] = []
    journal = engine.journal
    stage(Stage.PREPARE, 0.0)
    name, size, upload = opened(prepared)
    if upload is None:
        return done[0]
    stage(Stage.PREPARE, 1.0)
    with engine.claim(upload, cancel.sleep) as record:
        cancel.left = record.release
        came = record.alpha()
        cached = came is not None
        if came is None:
            came = _paid(upload, record, engine, stage, cancel, again)
        if journal:
            journal.also(name, record.entry)
        # While the picture waits for its turn, the disk alone has the alpha.
        held = [] if record.entry.state in ("kept", "deleted") else [came]
    del upload, came
    stage(Stage.REFINE, 0.0)
    return opened(fitted)


def picture_name(picture: Picture, engine: Engine) -> str:
    """The journal's name for a picture's own pixels, "" where nothing is written down."""
    if engine.journal is None:
        return ""
    return engine.picture(matte.METHOD, picture.pixels, picture.icc_profile or b"")


def is_paid(picture: Picture, engine: Engine) -> bool:
    """Whether the picture's alpha is there already, and costs nothing."""
    return _kept(picture_name(picture, engine), engine) is not None


def _kept(name: str, engine: Engine) -> tuple[Entry, NDArray[np.uint8], bool] | None:
    """The removal that a picture's own pixels lead to, its alpha, and whether that is refined; None where none is
    kept."""
    journal = engine.journal
    entry = journal.known_as(name) if journal else None
    if journal is None or entry is None:
        return None
    refined = journal.cache.get(name)
    alpha = journal.alpha(entry) if refined is None else refined
    return None if alpha is None else (entry, alpha, refined is not None)


def _paid(
    upload: prepare.Upload, record: Record, engine: Engine, stage: _Tell, cancel: Cancel, again: bool
) -> NDArray[np.uint8]:
    """The alpha of a picture whose record is claimed, from a task that is known, or from a new one.

    A task that the engine failed in passing is not charged, so a new one is started, `TASKS` in all. One whose result
    can't be had is followed by another where the user wants to pay `again`, or where its result was here before.
    """
    if again and record.entry.state != "running":
        record.free("asked for anew", None)
    if record.entry.state in ("starting", "unknown", "lost"):
        recovery.settle(record, upload, engine.service, engine.journal)
    # The wish is for one new task, in place of the one that is known.
    again = again and record.task_id is not None
    for number in range(1, TASKS + 1):
        delivered = record.entry.state == "kept"
        if record.task_id is None:
            _start(upload, record, engine, stage, cancel)
        try:
            return _finished(record, engine, stage, cancel)
        except errors.LayerliftError as error:
            if error.code in FORGOTTEN:
                record.lost(error.code, error.request_id)
                anew = delivered or again
            elif error.code == "task_refused":
                record.refused(error.request_id)
                anew = again
            else:
                anew = isinstance(error, errors.ServiceError) and error.retry and record.task_id is None
            if number == TASKS or not anew:
                raise
            again = False
            if record.entry.state == "refused":
                record.free("asked for anew", None)
        cancel.sleep(number)
    raise AssertionError("unreachable")


def _start(upload: prepare.Upload, record: Record, engine: Engine, stage: _Tell, cancel: Cancel) -> None:
    """Starts a task on the file that the service still has, else on a new one."""

    @contextmanager
    def around() -> Iterator[None]:
        engine.begin()
        with paying(cancel, engine.units):
            # Who has not heard of this may say that nothing was paid for.
            stage(Stage.WAITING, 0.0)
            record.starting()
            try:
                yield
            except errors.MayBeCharged as error:
                record.unknown(error.request_id)
                raise
            except errors.LayerliftError as error:
                record.free(error.code, error.request_id)
                raise

    service = engine.service
    for last in (record.file_id is None, True):
        file_id = record.file_id or _uploaded(upload, record, engine, stage)
        cancel.check()
        try:
            task = service.run(file_id, around)
            if not record.owns(task.task_id):
                record.unknown(task.request_id)
                raise errors.make("may_be_charged", "another picture's task was named", request_id=task.request_id)
        except errors.MayBeCharged:
            if engine.journal and recovery.found(record, upload, service, engine.journal, cancel.sleep):
                return
            raise
        except errors.ServiceError as error:
            if last or error.code != "not_found":
                raise
            record.uploaded(None)
        else:
            record.running(task.task_id, task.request_id)
            return


def _uploaded(upload: prepare.Upload, record: Record, engine: Engine, stage: _Tell) -> str:
    """The id of the file, once the service has it."""
    size = len(upload.data) / 1e6
    stage(Stage.UPLOAD, 0.0)
    engine.begin()
    destination = engine.declare(upload)
    with engine.transfer():
        # The service's limit may have held up the declaration for minutes.
        engine.begin()
        engine.service.upload(
            destination,
            upload.data,
            lambda fraction: stage(Stage.UPLOAD, fraction, f"{fraction * size:.1f} of {size:.1f} MB"),
        )
    record.uploaded(destination.file_id)
    return destination.file_id


def _finished(record: Record, engine: Engine, stage: _Tell, cancel: Cancel) -> NDArray[np.uint8]:
    """The alpha of the record's task, polled to its end, fetched, and kept."""
    cancel.pay(engine.units)
    task = Task(record.task_id or "")
    try:
        state = engine.ended(
            task,
            cancel.sleep,
            lambda seconds: stage(Stage.WAITING, 1 - 0.5 ** (seconds / _WAITING_SECONDS), f"{seconds:.0f} s"),
        )
    except errors.LayerliftError as error:
        cancel.unpay()
        raise _last_word(error) from None
    if state.status == "error":
        failure = errors.reported(state.error_code or "unknown_internal_error", state.error_message or "")
        record.free(failure.code, state.request_id)
        cancel.unpay()
        raise failure
    record.done(state.dst_id, engine.units, state.request_id)
    alpha = _alpha(task, record, state, engine, stage, cancel)
    record.keep(alpha)
    cancel.settle()
    if record.entry.state == "kept":
        engine.delivered([record.entry])
    return alpha


def _last_word(error: errors.LayerliftError) -> errors.LayerliftError:
    """What the user hears where the polls of a task that was started have ended with an error.

    A refusal, whatever its code says, does not tell whether the task was charged.
    """
    told = (errors.AuthError, errors.NetworkError, errors.MayBeCharged, errors.Cancelled)
    if isinstance(error, told) or error.code in FORGOTTEN:
        return error
    return errors.make("task_refused", error.message, status=error.status, request_id=error.request_id)


def _charged(error: errors.LayerliftError) -> errors.LayerliftError:
    """What the user hears where a result can't be had: whatever is odd about the answer, it was charged."""
    if error.code not in ("bad_address", "bad_answer"):
        return error
    return errors.make("result_missing", error.message, status=error.status, request_id=error.request_id)


def _alpha(
    task: Task, record: Record, state: TaskState, engine: Engine, stage: _Tell, cancel: Cancel
) -> NDArray[np.uint8]:
    """The result's alpha. What has expired or arrived damaged was paid for, and is fetched once more at the fresh
    address that another poll gives."""
    sent = (record.entry.width, record.entry.height)
    for last in (False, True):
        data = b""
        stage(Stage.DOWNLOAD, 0.0)
        try:
            with engine.transfer():
                data = engine.service.download(state.result_url or "", lambda part: stage(Stage.DOWNLOAD, part))
            stage(Stage.REFINE, 0.0)
            with engine.decoding():
                return matte.decode(data, sent)
        except errors.ServiceError as caught:
            if last or caught.code not in ("result_expired", "result_broken"):
                error = _charged(caught)
                if (kept := record.keep_unusable(data)) is not None:
                    error.message += f" It is kept as {kept}."
                error.request_id = error.request_id or state.request_id
                raise error from None
        state = engine.ended(task, cancel.sleep, lambda seconds: None)
    raise AssertionError("unreachable")
