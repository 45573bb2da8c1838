"""The service's tasks: started, polled to their end, fetched, and taken up where a process has left them.

Every step is written down in the journal, and goes on from the step that an earlier one has reached.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

from .. import errors
from ..imaging import matte, pictures
from ..imaging.prepare import Upload
from ..language import _
from ..service import tasks as known
from ..service.answers import Task, TaskState
from ..service.service import Service, is_address
from ..store.entries import Entry, Result
from ..store.records import Record
from . import recovery
from .cancelling import Background, Cancel, paying
from .deleting import FORGOTTEN
from .engines import Engine, Engines
from .stages import Progress, Stage, ignore
from .turns import Turns

TASKS = 3
_WAITING_SECONDS = 8.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Context:
    """What goes with one removal through all its steps: who does the work, whose turn it is, how its user hears of it,
    and whether they want it to stop."""

    engine: Engine
    turns: Turns
    progress: Progress
    cancel: Cancel

    def check(self) -> None:
        """Raises where nothing may be uploaded, or begin that costs, any more."""
        self.turns.check()
        self.engine.check_consent()


def resume(engine: Engine, background: Background, *, tell_user: bool) -> list[tuple[Entry, Future[None]]]:
    """Goes on with the account's tasks that were started within the last day, whose results have not come back, and on
    which nobody works, for the next removals of their pictures; returns each with its end, which may raise what
    `remove` raises.

    Args:
        tell_user: whether the user hears of those that are lost. Else that is left for the next removal of the picture.
    """
    if engine.journal is None:
        return []
    return [
        (entry, background.start(functools.partial(_resume, entry, engine, background, tell_user)))
        for entry in engine.journal.unfinished(engine.account)
        if not engine.journal.is_claimed(entry)
    ]


def take_up(engines: Engines) -> None:
    """Goes on, in the background, with what other processes have started and left, where that is possible."""
    if not engines.ever_paid:
        return
    try:
        engine = engines.open("youcam", time.sleep, uploads=False)
        resume(engine, engines.background, tell_user=False)
        engine.delete([])
    except errors.LayerliftError as error:
        _log.info("Nothing is taken up: %s", error.message)


def _resume(entry: Entry, engine: Engine, background: Background, tell_user: bool) -> None:
    cancel = Cancel(threading.Event(), background)
    engine = engine.of(known.find(entry.task), {}, engine.units, {})
    if engine.journal is None:
        return
    with engine.journal.claim_again(entry, cancel.sleep) as record:
        if record.result() is not None:
            return
        if record.task_id is None:
            raise errors.make("still_in_doubt")
        try:
            _finish(record, Context(engine, Turns(), Progress(ignore, cancel), cancel))
        except errors.LayerliftError as error:
            if tell_user and error.code in FORGOTTEN:
                record.mark_lost(error.code, error.request_id)
            elif error.code == "task_refused":
                record.mark_refused(error.request_id)
            raise


def obtain(upload: Upload, record: Record, context: Context, *, again: bool) -> Result:
    """The result for a picture whose record is claimed, from a task that is known, or from a new one.

    A task that the engine failed in passing is not charged, so a new one is started, `TASKS` in all. One whose result
    can't be had is followed by another where the user wants to pay `again`, or where its result was here before.
    """
    engine, sleep = context.engine, context.cancel.sleep
    if again and record.entry.state != "running":
        record.mark_free("again", None)
    if record.entry.state in ("starting", "unknown", "lost"):
        recovery.settle(record, upload, engine.service, engine.journal, sleep)
    # `again` is for one new task, in place of the one that is known.
    again = again and record.task_id is not None
    for number in range(1, TASKS + 1):
        delivered = record.entry.state == "kept"
        if record.task_id is None:
            _start(upload, record, context)
        try:
            return _finish(record, context)
        except errors.LayerliftError as error:
            if error.code in FORGOTTEN:
                record.mark_lost(error.code, error.request_id)
                anew = delivered or again
            elif error.code == "task_refused":
                record.mark_refused(error.request_id)
                anew = again
            else:
                anew = isinstance(error, errors.ServiceError) and error.retry and record.task_id is None
            if number == TASKS or not anew:
                raise
            again = False
            if record.entry.state == "refused":
                record.mark_free("again", None)
            if is_address(record.file_id or ""):
                # It may have expired, or what is there can't be read from outside.
                record.mark_uploaded(None)
        sleep(number)
    raise AssertionError("unreachable")


def _start(upload: Upload, record: Record, context: Context) -> None:
    """Starts a task on the file that the service still has, else on a new one."""
    engine, cancel = context.engine, context.cancel

    @contextmanager
    def around() -> Iterator[None]:
        context.check()
        with paying(cancel, engine.units):
            # Who has not heard of this may say that nothing was paid for.
            context.progress.tell(Stage.WAITING, 0.0)
            record.mark_starting()
            try:
                yield
            except errors.MayBeCharged as error:
                record.mark_unknown(error.request_id)
                raise
            except errors.LayerliftError as error:
                record.mark_free(error.code, error.request_id)
                raise

    for last in (record.file_id is None, True):
        file_id = record.file_id or _upload(upload, record, context)
        service = _with_masks(context)
        cancel.check()
        try:
            task = service.run(file_id, around, sleep=cancel.sleep)
            if not record.owns(task.task_id):
                record.mark_unknown(task.request_id)
                raise errors.make("may_be_charged", _("another picture's task was named"), request_id=task.request_id)
        except errors.MayBeCharged:
            if engine.journal and recovery.find(record, upload, service, engine.journal, cancel.sleep):
                return
            raise
        except errors.ServiceError as error:
            if last or error.code != "not_found":
                raise
            record.mark_uploaded(None)
        else:
            record.mark_running(task.task_id, task.request_id)
            return


def _with_masks(context: Context) -> Service:
    """The service, to be run with masks that it has now."""
    engine, sleep = context.engine, context.cancel.sleep
    fields = dict(engine.fields)
    for name, mask in engine.masks.items():
        context.check()
        (destination,) = engine.service.declare([mask], sleep=sleep)
        engine.service.upload(destination, mask.data, sleep=sleep)
        fields[name] = destination.file_id
    return engine.service.of(engine.task, fields) if engine.masks else engine.service


def _upload(upload: Upload, record: Record, context: Context) -> str:
    """The id of the file, once the service has it. Raises PictureError `source_gone` where only the service had it."""
    if not upload.data:
        raise errors.make("source_gone")
    engine, progress, sleep = context.engine, context.progress, context.cancel.sleep
    size = len(upload.data) / 1e6

    def tell(fraction: float) -> None:
        text = _("{sent} of {size} MB").format(sent=f"{fraction * size:.1f}", size=f"{size:.1f}")
        progress.tell(Stage.UPLOAD, fraction, text)

    progress.tell(Stage.UPLOAD, 0.0)
    context.check()
    destination = context.turns.declare(upload, engine, sleep)
    with context.turns.transfer():
        # The service's limit may have held up the declaration for minutes.
        context.check()
        engine.service.upload(destination, upload.data, tell, sleep=sleep)
    record.mark_uploaded(destination.file_id)
    return destination.file_id


def _finish(record: Record, context: Context) -> Result:
    """The result of the record's task, polled to its end, fetched, and kept."""
    engine, cancel = context.engine, context.cancel
    cancel.pay(engine.units)
    task = Task(record.task_id or "")
    try:
        state = context.turns.wait(task, engine, cancel.sleep, lambda seconds: _tell_wait(context.progress, seconds))
    except errors.LayerliftError as error:
        cancel.unpay()
        if isinstance(error, errors.Cancelled):
            record.abandon()
        raise _explain_polling(error) from None
    if state.status == "error":
        failure = engine.explain(state.error_code or "unknown_internal_error", state.error_message or "")
        record.mark_free(failure.code, state.request_id)
        cancel.unpay()
        raise failure
    record.mark_done(state.dst_id, engine.units, state.request_id)
    record.address = next(iter(state.result_urls), None)
    result = _fetch(task, record, state, context)
    record.keep(result)
    cancel.settle()
    if record.entry.state == "kept":
        context.turns.delete(record.entry, engine)
    return result


def _tell_wait(progress: Progress, seconds: float) -> None:
    text = _("{seconds} s").format(seconds=f"{seconds:.0f}")
    progress.tell(Stage.WAITING, 1 - 0.5 ** (seconds / _WAITING_SECONDS), text)


def _explain_polling(error: errors.LayerliftError) -> errors.LayerliftError:
    """What the user hears where the polls of a task that was started have ended with an error.

    A refusal, whatever its code says, does not tell whether the task was charged.
    """
    final = (errors.AuthError, errors.NetworkError, errors.MayBeCharged, errors.Cancelled)
    if isinstance(error, final) or error.code in FORGOTTEN:
        return error
    return errors.make("task_refused", error.message, status=error.status, request_id=error.request_id)


def _explain_result(error: errors.LayerliftError) -> errors.LayerliftError:
    """What the user hears where a result can't be had: whatever is odd about the answer, it was charged."""
    if error.code not in ("bad_address", "bad_answer"):
        return error
    return errors.make("result_missing", error.message, status=error.status, request_id=error.request_id)


def _fetch(task: Task, record: Record, state: TaskState, context: Context) -> Result:
    """The result. What has expired or arrived damaged was paid for, and is fetched once more at the fresh address that
    another poll gives."""
    engine, turns, progress, sleep = context.engine, context.turns, context.progress, context.cancel.sleep
    for last in (False, True):
        came: list[bytes] = []
        progress.tell(Stage.DOWNLOAD, 0.0)
        try:
            for url in state.result_urls[: 1 if engine.task.gives == "alpha" else None]:
                with turns.transfer():
                    tell = functools.partial(progress.tell, Stage.DOWNLOAD)
                    came.append(engine.service.download(url, tell, sleep=sleep))
            progress.tell(Stage.REFINE, 0.0)
            with turns.decode():
                return _read(came, record, engine)
        except errors.ServiceError as caught:
            if last or caught.code not in ("result_expired", "result_broken"):
                error = _explain_result(caught)
                if (kept := record.keep_unusable(b"".join(came[-1:]))) is not None:
                    # Translators: the service's result, which can't be used.
                    error.message += " " + _("It is kept as {path}.").format(path=kept)
                error.request_id = error.request_id or state.request_id
                raise error from None
        state = turns.wait(task, engine, sleep, lambda seconds: None)
    raise AssertionError("unreachable")


def _read(came: list[bytes], record: Record, engine: Engine) -> Result:
    """The alpha that came, or the files of pictures. Raises ServiceError where they are none."""
    if engine.task.gives == "alpha":
        record.maker = engine.read_maker(came[0])
        return matte.decode(came[0], (record.entry.width, record.entry.height))
    for data in came:
        pictures.check_file(data)
    return came
