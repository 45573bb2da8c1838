"""Jobs and progress as JSON lines between a host's plug-in and the core. Run as ``python -m layerlift.worker``.

One JSON object a line, UTF-8, on standard input and output; pixels travel as raw files in a private folder, which the
worker makes, names in its first line, and removes when it ends. ``shared/docs/worker-protocol.md`` tells what is said,
with a schema beside it.

When standard input ends, the worker cancels what it does, removes its folder and exits. What is paid for by then, or
when a job is cancelled, is first finished without the host, and kept for the next job with the same pixels.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .. import __version__, errors
from . import messages, models, private, progress, tasks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..imaging.foreground import Rectangle
    from ..imaging.pictures import Picture, Report
    from ..removal.cancelling import Cancel
    from ..removal.engines import Engines
    from ..removal.single import Outcome
    from ..store.settings import Settings
    from .messages import Message

    Parts = Callable[[Report], Iterator[NDArray[np.generic]]]

PROTOCOL = 1
_BESIDE = ("plan", "batch", "fetch", "fetch_model")
_QUESTIONS = (
    "job", "clean", "cut", "agree", "consent", "settings", "key", "balance", "jobs", "clear",
    *models.QUESTIONS, *tasks.QUESTIONS, *_BESIDE,
)  # fmt: skip


class Worker:
    """Takes jobs from one stream and answers on another, one job after the other.

    Args:
        lines: the host's messages; their end ends the worker.
        out: where the answers go.
        folder: the private folder.
        engines: opens the engines that jobs ask for. Called after the hello, since its imports take a while.
    """

    def __init__(self, lines: IO[str], out: IO[str], folder: Path, engines: Callable[[], Engines]) -> None:
        self._lines = lines
        self._out = out
        self._folder = folder
        self._engines = engines
        self._jobs: queue.SimpleQueue[tuple[Message, threading.Event] | None] = queue.SimpleQueue()
        self._cancels: dict[str, threading.Event] = {}
        self._guard = threading.Lock()
        self._opened: Engines | None = None

    @property
    def busy(self) -> bool:
        """Whether something goes on that is paid for, though its user has left."""
        return self._opened is not None and self._opened.background.busy

    def serve(self, ended: Callable[[], None]) -> None:
        """Works until the input ends. `ended` is then called at once, from the thread that reads."""
        self._send(type="hello", protocol=PROTOCOL, version=__version__, folder=str(self._folder))
        threading.Thread(target=self._listen, args=(ended,), daemon=True).start()
        with self._engines() as engines:
            self._opened = engines
            threading.Thread(target=_take_up, args=(engines,), daemon=True).start()
            beside = []
            while (job := self._jobs.get()) is not None:
                message, event = job
                if message["type"] in _BESIDE:
                    beside.append(threading.Thread(target=self._answer, args=(message, event, engines)))
                    beside[-1].start()
                else:
                    self._answer(message, event, engines)
            for thread in beside:
                thread.join()

    def _listen(self, ended: Callable[[], None]) -> None:
        for line in self._lines:
            message = messages.parse(line)
            kind, name = message.get("type"), message.get("id")
            if kind == "cancel":
                if (cancel := self._cancels.get(str(name))) is not None:
                    cancel.set()
            elif kind in _QUESTIONS and isinstance(name, str):
                self._cancels[name] = threading.Event()
                self._jobs.put((message, self._cancels[name]))
            elif kind in _QUESTIONS or "id" in message:
                # Else the host would wait for the answer.
                name = name if isinstance(name, str) else None
                self._send(type="error", id=name, **_describe(errors.make("bad_job")))
        self.end(ended)

    def end(self, ended: Callable[[], None]) -> None:
        """Cancels what it does, and calls `ended`, as at the end of its input."""
        for cancel in self._cancels.values():
            cancel.set()
        self._jobs.put(None)
        ended()

    def _answer(self, message: Message, event: threading.Event, engines: Engines) -> None:
        """Does one job; whatever happens, it ends with one result or one error."""
        name = str(message.get("id"))
        try:
            result = self._do(name, message, event, engines)
            self._send(type="result", id=name, **result)
            return
        except Exception as found:  # noqa: BLE001 - the host waits for an answer
            error = _explain(found)
        self._send(type="error", id=name, **_describe(error))

    def _do(self, name: str, message: Message, event: threading.Event, engines: Engines) -> dict[str, Any]:
        kind = message["type"]
        if kind in ("clean", "cut"):
            return (self._clean if kind == "clean" else self._cut)(name, message, event)
        if kind in models.QUESTIONS:
            with self._progress(name) as report:
                return models.answer(message, engines.offline, event, report)
        if kind in tasks.QUESTIONS:
            with self._progress(name, engine="youcam") as report:
                return tasks.answer(message, self._folder, engines, event, report)
        by_engines = {"job": self._remove, "plan": self._plan, "batch": self._batch}
        by_engines |= dict.fromkeys(("balance", "jobs", "fetch", "clear"), self._ask_account)
        if kind in by_engines:
            return by_engines[kind](name, message, event, engines)
        return _answer_settings(message, engines.settings)

    def _remove(self, name: str, message: Message, event: threading.Event, engines: Engines) -> dict[str, Any]:
        from ..imaging import pictures
        from ..removal import account, single
        from ..removal.cancelling import Cancel

        choice, agreed = messages.engine(message), messages.flag(message, "agreed", False)
        pixels = self._folder / messages.file_name(message, "pixels")
        width, height, channels = messages.shape(message)
        bgr = messages.is_bgr(message, channels)
        again = messages.flag(message, "again", False)
        cancel = Cancel(event, engines.background)
        engine = engines.open(choice, cancel.sleep, uploads=False, agreed=agreed)
        with self._progress(name, engine=engine.name) as report:
            try:
                picture = pictures.read_raw(pixels, width, height, channels, bgr=bgr)
                single.check_consent([picture], engine)
                outcome = single.remove(
                    picture,
                    engine,
                    lambda stage, fraction, text: report(stage.value, fraction, text),
                    cancel,
                    again=again,
                )
            finally:
                engines.close(engine)
        advised = account.advise_key(engines.settings, choice, outcome.engine)
        return _hand_over(pixels, outcome) | {"advise_key": advised}

    def _pictures(self, message: Message) -> list[_File]:
        return [_File(self._folder, picture) for picture in messages.pictures(message)]

    def _plan(self, name: str, message: Message, event: threading.Event, engines: Engines) -> dict[str, Any]:
        from ..removal import account, single
        from ..removal.cancelling import Cancel

        cancel = Cancel(event)
        files = self._pictures(message)
        engine = engines.open(messages.engine(message), cancel.sleep, uploads=False)
        try:
            with self._progress(name, engine=engine.name) as report:

                def paid() -> Iterator[int]:
                    for number, file in enumerate(files):
                        cancel.check()
                        report("batch", number / len(files), file.name)
                        if single.is_paid(file.load(), engine):
                            yield number

                free = cancel.run(lambda: list(paid()))
                units = engine.units * (len(files) - len(free))
                balance = account.ask_units(engine, cancel) if units else None
        finally:
            engines.close(engine)
        host = engines.settings.api_host if engine.units else None
        agreed = not units or engines.may_upload
        return {
            "engine": engine.name, "host": host, "paid": free, "units": units, "balance": balance, "agreed": agreed,
        }  # fmt: skip

    def _batch(self, name: str, message: Message, event: threading.Event, engines: Engines) -> dict[str, Any]:
        from ..removal import account, single
        from ..removal.batch import Batch, Overview
        from ..removal.cancelling import Cancel

        work = Batch(event, engines.background)
        again = messages.flag(message, "again", False)
        files = self._pictures(message)
        choice, agreed = messages.engine(message), messages.flag(message, "agreed", False)
        cancel = Cancel(event)
        engine = engines.open(choice, cancel.sleep, uploads=False, agreed=agreed)
        counts = {"done": 0, "free": 0, "failed": 0, "units": 0}
        try:
            single.check_consent(_load(files, cancel), engine)
            with self._progress(name, engine=engine.name) as report:
                overview = Overview([file.name for file in files], lambda *news: report("batch", *news))
                for end in work.run(files, engine, overview.update, again=again):
                    overview.finish(end.number)
                    if end.error is not None:
                        counts["failed"] += 1
                        self._send(type="ended", id=name, picture=end.number, **_describe(_explain(end.error)))
                    elif end.result is not None:
                        counts["done"] += 1
                        counts["free"] += end.result["cached"]
                        counts["units"] += end.result["units"]
                        self._send(type="ended", id=name, picture=end.number, **end.result)
        finally:
            engines.close(engine)
        chosen = messages.engine(message, "chosen") if "chosen" in message else choice
        advised = counts["done"] > 0 and account.advise_key(engines.settings, chosen, engine.name)
        return {"engine": engine.name, **counts, "advise_key": advised}

    def _clean(self, name: str, message: Message, event: threading.Event) -> dict[str, Any]:
        from ..imaging import foreground

        pixels, picture, alpha = self._layer(message, (1, 2, 3, 4, 5))
        rectangles: list[Rectangle] = []

        def parts(report: Report) -> Iterator[NDArray[np.generic]]:
            for rectangle, part in foreground.clean_edges(picture, alpha, report):
                rectangles.append(rectangle)
                yield part

        return {"file": self._write_parts(name, pixels.with_suffix(".clean"), event, parts), "rectangles": rectangles}

    def _cut(self, name: str, message: Message, event: threading.Event) -> dict[str, Any]:
        from ..imaging import matte

        clean = messages.flag(message, "clean", False)
        pixels, picture, alpha = self._layer(message, (2, 4, 5))

        def bands(report: Report) -> Iterator[NDArray[np.generic]]:
            return matte.cut_bands(picture, alpha, clean_edges=clean, report=report)

        return {"file": self._write_parts(name, pixels.with_suffix(".cut"), event, bands)}

    def _ask_account(self, name: str, message: Message, event: threading.Event, engines: Engines) -> dict[str, Any]:
        from ..removal import account
        from ..removal.cancelling import Cancel
        from ..removal.stages import Stage

        if message["type"] == "jobs":
            return account.count_jobs(engines)
        if message["type"] == "clear":
            return account.clear_jobs(engines)
        with self._progress(name) as report:
            report(Stage.WAITING.value, 0.0)
            if message["type"] == "fetch":
                return account.fetch_jobs(engines, Cancel(event, engines.background))
            key = messages.tried_key(message)
            return account.ask_balance(engines, messages.engine(message), Cancel(event), key)

    def _layer(self, message: Message, channels: tuple[int, ...]) -> tuple[Path, Picture, NDArray[np.uint8]]:
        """The file of a layer's native samples, which goes as soon as it is not needed; these, and the alpha."""
        import numpy as np

        from ..imaging import pictures

        pixels, matte = (self._folder / messages.file_name(message, field) for field in ("pixels", "alpha"))
        width, height, count = messages.shape(message, channels)
        picture = pictures.read_raw(pixels, width, height, count, messages.sample(message))
        alpha = pictures.read_raw(matte, width, height, 1).pixels[:, :, 0].astype(np.uint8, copy=False)
        with contextlib.suppress(PermissionError):  # Windows keeps what is still mapped
            pixels.unlink()
        return pixels, picture, alpha

    def _write_parts(self, name: str, target: Path, event: threading.Event, parts: Parts) -> str:
        """Writes what comes, and tells how far it is; returns the file's name."""
        from ..removal.cancelling import Cancel
        from ..removal.stages import Stage

        cancel = Cancel(event)
        with self._progress(name) as report:

            def tell(fraction: float) -> None:
                cancel.check()
                report(Stage.CLEAN.value, fraction)

            cancel.run(lambda: private.write(target, parts(tell)))
        return target.name

    def _progress(self, name: str, **fields: Any) -> contextlib.AbstractContextManager[progress.Report]:
        return progress.throttle(lambda news: self._send(type="progress", id=name, **fields, **news))

    def _send(self, **message: Any) -> None:
        with self._guard, contextlib.suppress(OSError):
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()


def _take_up(engines: Engines) -> None:
    """What a killed process has left goes on beside the jobs."""
    from ..removal import tasks

    tasks.take_up(engines)


def _load(files: list[_File], cancel: Cancel) -> Iterator[Picture]:
    """The pictures that can be read, one at a time."""
    for file in files:
        cancel.check()
        with contextlib.suppress(errors.PictureError):
            yield file.load()


def _answer_settings(message: Message, settings: Settings) -> dict[str, Any]:
    """The answer to a question about the settings."""
    from ..removal import account

    if message["type"] == "agree":
        settings.agree(settings.api_host, messages.flag(message, "agreed", True))
        return {"host": settings.api_host}
    if message["type"] == "consent":
        return {"host": settings.api_host, "agreed": settings.has_agreed(settings.api_host)}
    if message["type"] == "key":
        return account.change_key(settings, messages.key(message))
    return account.describe(settings)


class _File:
    """A picture of a batch, in the private folder."""

    def __init__(self, folder: Path, message: Message) -> None:
        self.name = messages.title(message)
        self._path = folder / messages.file_name(message, "pixels")
        self._shape = messages.shape(message)
        self._bgr = messages.is_bgr(message, self._shape[2])

    def load(self) -> Picture:
        from ..imaging import pictures

        return pictures.read_raw(self._path, *self._shape, bgr=self._bgr)

    def deliver(self, picture: Picture, outcome: Outcome) -> dict[str, Any]:
        return _hand_over(self._path, outcome)


def _hand_over(pixels: Path, outcome: Outcome) -> dict[str, Any]:
    """The alpha in place of the pixels that it was made of, and what the host hears of it."""
    with contextlib.suppress(PermissionError):  # Windows keeps what is still mapped
        pixels.unlink(missing_ok=True)
    target = pixels.with_suffix(".alpha")
    private.write(target, iter([outcome.alpha]))
    return {
        "file": target.name,
        "engine": outcome.engine,
        "task_id": outcome.task_id,
        "dst_id": outcome.dst_id,
        "units": outcome.units,
        "cached": outcome.cached,
        "full": outcome.full,
        "model": outcome.model,
        "fallback": outcome.fallback,
        "seconds": round(outcome.seconds, 3),
    }


def _explain(found: Exception) -> errors.LayerliftError:
    """The error for whatever went wrong; what nobody foresaw is on standard error, too."""
    error = errors.wrap(found)
    if error.code == "internal":
        traceback.print_exception(found)
    return error


def _describe(error: errors.LayerliftError) -> dict[str, Any]:
    return {
        "code": error.code,
        "kind": error.kind,
        "message": error.message,
        "action": error.advice,
        "request_id": error.request_id,
    }
