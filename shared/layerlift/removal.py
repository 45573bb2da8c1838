"""One removal, from a picture's pixels to its alpha: prepare, declare, upload, run, poll, download, refine."""

from __future__ import annotations

import enum
import math
import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import errors, matte, polling, prepare
from .answers import Task, TaskState
from .connection import is_loopback
from .pictures import Picture
from .service import Service
from .settings import Settings

if TYPE_CHECKING:
    from .offline import Twin

TASKS = 3
_WAITING_SECONDS = 8.0
_CANCEL_SECONDS = 0.05

_T = TypeVar("_T")


class Stage(enum.Enum):
    """The steps that a user sees. The host does the first one."""

    EXPORT = "export"
    PREPARE = "prepare"
    UPLOAD = "upload"
    WAITING = "waiting"
    DOWNLOAD = "download"
    REFINE = "refine"


Report = Callable[[Stage, float, str], None]
"""Is told the stage, the fraction of it that is done, and a text with details ("" where there are none)."""


class Cancel:
    """The user's wish to stop (`event` is set), seen at every step and in every wait."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def check(self) -> None:
        """Raises `Cancelled` once the wish was made."""
        if self._event.is_set():
            raise errors.make("cancelled")

    def sleep(self, seconds: float) -> None:
        """Waits, unless `Cancelled` comes first."""
        self._event.wait(seconds)
        self.check()

    def during(self, call: Callable[[], _T]) -> _T:
        """Does the call in a thread of its own, so that `Cancelled` does not wait for an answer that may never come."""
        outcome: Future[_T] = Future()

        def work() -> None:
            try:
                outcome.set_result(call())
            except BaseException as error:  # noqa: BLE001 - raised again by `result`
                outcome.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        while not futures.wait([outcome], _CANCEL_SECONDS).done:
            self.check()
        return outcome.result()


@dataclass(frozen=True)
class Engine:
    """Who does the work: the service with the user's key, or its offline twin."""

    name: Literal["youcam", "offline"]
    service: Service
    units: int
    """What one picture costs the user."""


@dataclass(frozen=True)
class Outcome:
    """A removal that went well.

    `alpha` is (height, width) uint8 of the picture's own size: the cut-out's alpha, not yet multiplied with the
    picture's own.
    """

    alpha: NDArray[np.uint8]
    engine: str
    task_id: str
    dst_id: str | None
    units: int
    seconds: float


class Engines:
    """Opens the engine that a removal asks for. The offline one starts at its first use and ends with this object."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._twin: Twin | None = None
        self._services: list[Service] = []

    def __enter__(self) -> Engines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for service in self._services:
            service.close()
        if self._twin is not None:
            self._twin.close()

    def open(self, choice: str, sleep: Callable[[float], None]) -> Engine:
        """The engine for "auto" (youcam where a key is set, else offline), "youcam" or "offline".

        Args:
            sleep: waits for that many seconds between retries, and may raise `Cancelled`.

        Raises:
            ConsentNeeded: pictures would leave this computer, and nobody has agreed to that.
            SetupError: ``no_key``, ``no_engine``, ``no_model``, or an address that can't be used.
        """
        key = self._settings.key() if choice != "offline" else None
        if key is not None:
            service = self._connected(self._settings.api_url, key.value, sleep)
            host = self._settings.api_host
            if not is_loopback(self._settings.api_url) and not self._settings.has_agreed(host):
                raise errors.make("consent_needed", f"to {host}")
            return Engine("youcam", service, units=1)
        if choice == "youcam":
            raise errors.make("no_key")
        if self._twin is None:
            self._twin = _offline_twin()
        return Engine("offline", self._connected(self._twin.url, self._twin.key, sleep), units=0)

    def agree(self) -> str:
        """Remembers that the user agrees to uploads; returns the host that will get them."""
        self._settings.agree(self._settings.api_host)
        return self._settings.api_host

    def _connected(self, url: str, key: str, sleep: Callable[[float], None]) -> Service:
        service = Service(url, key, sleep=sleep)
        self._services.append(service)
        return service


def remove(picture: Picture, engine: Engine, report: Report, cancel: Cancel) -> Outcome:
    """Asks the engine for the alpha of a picture.

    Raises:
        LayerliftError: whatever the table of errors holds; `Cancelled` as soon as `cancel` is set.
    """
    return cancel.during(lambda: _remove(picture, engine, report, cancel))


def _remove(picture: Picture, engine: Engine, report: Report, cancel: Cancel) -> Outcome:
    started = time.monotonic()

    def stage(of: Stage, fraction: float, text: str = "") -> None:
        cancel.check()
        report(of, min(1.0, fraction), text)

    stage(Stage.PREPARE, 0.0)
    upload = prepare.prepare(picture)
    stage(Stage.PREPARE, 1.0)
    size = len(upload.data) / 1e6
    service = engine.service
    stage(Stage.UPLOAD, 0.0)
    destination = service.declare([upload])[0]
    service.upload(
        destination,
        upload.data,
        lambda fraction: stage(Stage.UPLOAD, fraction, f"{fraction * size:.1f} of {size:.1f} MB"),
    )
    task_id, state = _run(service, destination.file_id, stage, cancel)
    alpha = _alpha(service, task_id, state, (upload.width, upload.height), stage, cancel)
    if not alpha.any():
        raise errors.make("result_empty")
    stage(Stage.REFINE, 0.5)
    height, width = picture.pixels.shape[:2]
    alpha = matte.refine(alpha, width, height)
    stage(Stage.REFINE, 1.0)
    return Outcome(alpha, engine.name, task_id, state.dst_id, engine.units, time.monotonic() - started)


def _offline_twin() -> Twin:
    from . import offline
    from .offline import model, u2net

    # The service's limits would only be in the way.
    options = offline.Options(
        engine=u2net.u2netp(model.default_path()),
        units=math.inf,
        rate=(10_000, 1.0),
        poll_within_seconds=polling.DEADLINE_SECONDS,
    )
    return offline.Twin(options)


def _run(
    service: Service, file_id: str, stage: Callable[[Stage, float, str], None], cancel: Cancel
) -> tuple[str, TaskState]:
    """The id and the last state of a task that succeeded. A task that the engine failed in passing is not charged, so a
    new one is started, `TASKS` in all."""
    for number in range(1, TASKS + 1):
        cancel.check()
        task = service.run(file_id)
        state = polling.wait(
            service,
            task,
            sleep=cancel.sleep,
            waiting=lambda seconds: stage(Stage.WAITING, 1 - 0.5 ** (seconds / _WAITING_SECONDS), f"{seconds:.0f} s"),
        )
        if state.status == "success":
            return task.task_id, state
        failure = errors.reported(state.error_code or "unknown_internal_error", state.error_message or "")
        if not failure.retry or number == TASKS:
            raise failure
        cancel.sleep(number)
    raise AssertionError("unreachable")


def _alpha(
    service: Service,
    task_id: str,
    state: TaskState,
    sent: tuple[int, int],
    stage: Callable[[Stage, float], None],
    cancel: Cancel,
) -> NDArray[np.uint8]:
    """The result's alpha. What has expired or arrived damaged was paid for, and is fetched once more at the fresh
    address that another poll gives."""
    for last in (False, True):
        stage(Stage.DOWNLOAD, 0.0)
        try:
            data = service.download(state.result_url or "", lambda fraction: stage(Stage.DOWNLOAD, fraction))
            stage(Stage.REFINE, 0.0)
            return matte.decode(data, sent)
        except errors.ServiceError as error:
            if last or error.code not in ("result_expired", "result_broken"):
                raise
        state = polling.wait(service, Task(task_id, state.polling_interval), sleep=cancel.sleep)
    raise AssertionError("unreachable")
