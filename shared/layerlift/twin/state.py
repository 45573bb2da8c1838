"""What the offline service knows: files, tasks, addresses and the account, all behind one lock.

Nothing here waits: whether a task has ended, or was lost by a late poll, is settled whenever somebody asks.
"""

from __future__ import annotations

import base64
import math
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote

from ..errors import LayerliftError
from . import engines
from .account import Account
from .features import MASK, Feature, Fields
from .options import Options
from .pictures import Job

KEPT_UPLOADS = 16
CONTENT_TYPES = ("image/jpg", "image/jpeg", "image/png")


class Refusal(Exception):
    """A request that is refused: HTTP status, `error_code` (may be empty), text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text


@dataclass
class File:
    """A declared file; `data` is None until it is uploaded. `slug` names the task that it is for, "" for every one."""

    id: str
    slug: str
    name: str
    content_type: str
    size: int
    expires: float
    upload_path: str
    upload_expires: float
    data: bytes | None = None


Made = list[bytes] | engines.EngineError


@dataclass(frozen=True)
class Order:
    """What a task is asked to do; its source is a file or an earlier result by `source_id`, or else, where that is "",
    a result by the path of its address."""

    feature: Feature
    fields: Fields
    source_id: str = ""
    source_path: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The ids of all that it works on."""
        return tuple(name for name in (self.source_id, self.fields.get(MASK)) if name)


@dataclass
class Task:
    """A task: `work` runs in the engine's pool and gives the instant at which it ended and the results or an error."""

    id: str
    order: Order
    picture: bytes
    dst_ids: tuple[str, ...]
    heard: float
    expires: float
    work: Future[tuple[float, Made]]
    lost: bool = False
    seen: bool = False
    charged: bool = False


class Address(NamedTuple):
    """Where a result can be downloaded from."""

    task_id: str
    dst_id: str
    expires: float


class Result(NamedTuple):
    """A result as a poll finds it."""

    dst_id: str
    path: str


@dataclass(frozen=True)
class Outcome:
    """A task's state as a poll finds it."""

    state: str
    results: tuple[Result, ...] = ()
    error: str = ""
    message: str = ""


@dataclass
class State:
    """The service's memory. `clock` gives monotonic seconds, `wall` unix seconds, `entropy(n)` n random bytes."""

    options: Options
    clock: Callable[[], float]
    wall: Callable[[], float]
    entropy: Callable[[int], bytes]
    account: Account = field(init=False)
    uploads: dict[str, bytes] = field(init=False, default_factory=dict)
    late_polls: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.account = Account(self.options.units)
        self._lock = threading.RLock()
        self._files: dict[str, File] = {}
        self._tasks: dict[str, Task] = {}
        self._outputs: dict[str, Task] = {}
        self._results: dict[str, Address] = {}
        self._recent: deque[float] = deque(maxlen=max(count for count, _ in self.options.rates))
        self._pool = ThreadPoolExecutor(2, "engine")

    def close(self) -> None:
        """Drop the tasks that have not begun and leave the pool."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    # the API

    def admit(self) -> None:
        """Count a request to the API. Raises Refusal 429 above a rate; such a request is not counted."""
        rates = self.options.rates
        with self._lock:
            now = self.clock()
            if any(len(self._recent) >= count and self._recent[-count] > now - seconds for count, seconds in rates):
                raise Refusal(429, "", "Too Many Requests")
            self._recent.append(now)

    def declare(self, files: list[tuple[str, str, int]], slug: str) -> list[File]:
        """New files from (content type, name, size in bytes), for a task or, where `slug` is "", for every one."""
        with self._lock:
            now = self.clock()
            return [self._new_file(*each, slug, now) for each in files]

    def run(self, order: Order, fault: str = "") -> Task:
        """Start a task; `fault` is an engine code that it shall end with."""
        with self._lock:
            now = self._settle()
            feature = order.feature
            picture, max_bytes = self._source(order, now)
            mask = self._uploaded(order.fields[MASK], feature.slug) if MASK in order.fields else b""
            in_flight = sum(task.order.feature.price for task in self._tasks.values() if self._runs(task, now))
            if self.account.units - in_flight < feature.price:
                raise Refusal(400, "CreditInsufficiency", "Insufficient credit")
            job = Job(picture, order.fields, mask, self.options.engine)
            fault = fault or ("" if picture else "error_download_image")
            work = self._pool.submit(self._work, feature, job, max_bytes, now + self.options.run_seconds, fault)
            ids = tuple(self._id() for _ in range(feature.results))
            task = Task(self._id(), order, picture, ids, now, now + self.options.file_seconds, work)
            self._tasks[task.id] = task
            self._outputs.update(dict.fromkeys(ids, task))
            return task

    def poll(self, task_id: str, slug: str) -> Outcome:
        """The state of a task of that feature; each result of a success gets a fresh address."""
        with self._lock:
            now = self._settle()
            task = self._tasks.get(task_id)
            if task is None or task.order.feature.slug != slug:
                raise Refusal(400, "InvalidTaskId", "Invalid task id")
            if task.lost:
                if "late_poll_500" in self.options.forms:
                    raise Refusal(500, "TaskTimeout", "Task timeout")
                raise Refusal(400, "InvalidTaskId", "Invalid task id")
            task.heard = now
            if self._runs(task, now):
                return Outcome("running")
            task.seen = True
            made = task.work.result()[1]
            if isinstance(made, engines.EngineError):
                return Outcome("error", error=made.code, message=made.message)
            return Outcome("success", tuple(self._new_address(task, dst_id, now) for dst_id in task.dst_ids))

    def delete(self, task_id: str) -> None:
        """Forget a finished task with its files: what it worked on, be it an earlier task's result, and its results."""
        with self._lock:
            now = self._settle()
            task = self._tasks.get(task_id)
            if task is None or task.lost:
                raise Refusal(400, "InvalidTaskId", "Invalid task id")
            if self._runs(task, now):
                raise Refusal(400, "OperationInvalid", "The task is not finished")
            self._forget(task)
            for name in task.order.inputs:
                self._files.pop(name, None)
                self._outputs.pop(name, None)

    def balance(self) -> float:
        """Units left."""
        with self._lock:
            self._settle()
            return self.account.units

    # the storage

    def upload(self, path: str, content_type: str, data: bytes) -> str:
        """Take a file's bytes at the address that was signed for it; gives its id. Raises Refusal 403."""
        with self._lock:
            now = self._settle()
            file = next((file for file in self._files.values() if file.upload_path == path), None)
            if file is None:
                raise Refusal(403, "SignatureDoesNotMatch", "The request does not match its signature.")
            if now >= file.upload_expires:
                raise Refusal(403, "AccessDenied", "Request has expired")
            if content_type != file.content_type or len(data) != file.size:
                raise Refusal(403, "SignatureDoesNotMatch", "The request does not match its signature.")
            file.data = data
            self.uploads[file.id] = data
            while len(self.uploads) > KEPT_UPLOADS:
                del self.uploads[next(iter(self.uploads))]
            return file.id

    def download(self, path: str) -> bytes:
        """A result's bytes. Raises Refusal 403 for an unknown or expired address, 404 for a deleted result."""
        with self._lock:
            now = self._settle()
            address = self._results.get(path)
            if address is None:
                raise Refusal(403, "SignatureDoesNotMatch", "The request does not match its signature.")
            if now >= address.expires:
                raise Refusal(403, "AccessDenied", "Request has expired")
            result = self._output(address.dst_id, now)
            if result is None:
                raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
            return result

    # for who has the twin in their own process

    def abandon(self, task_id: str) -> None:
        """Nobody waits for a task any more: it is not begun, or its engine hears of it."""
        with self._lock:
            task = self._tasks.get(task_id)
            if task is None:
                return
            self._forget(task)
            for name in task.order.inputs:
                self._files.pop(name, None)
        if not task.work.cancel() and not task.work.done():
            self.options.abandon(task.picture)

    def expire(self, name: str) -> None:
        """End the life of a file, a task or a result by its id, or of an address by its path."""
        with self._lock:
            now = self.clock()
            for file in self._files.values():
                if file.id == name:
                    file.expires = now
                if file.upload_path == name:
                    file.upload_expires = now
            if name in self._tasks:
                self._tasks[name].expires = now
            if name in self._results:
                self._results[name] = self._results[name]._replace(expires=now)
            self._outputs.pop(name, None)

    # inside

    def _source(self, order: Order, now: float) -> tuple[bytes, float]:
        """The picture that a task is for, b"" where its address leads nowhere, and how many bytes it may have: the
        limit is for what is uploaded."""
        if order.source_id:
            result = self._output(order.source_id, now)
            if result is None:
                return self._uploaded(order.source_id, order.feature.slug), engines.MAX_BYTES
            return result, math.inf
        try:
            return self.download(order.source_path), math.inf
        except Refusal:
            return b"", math.inf

    def _uploaded(self, file_id: str, slug: str) -> bytes:
        """What was uploaded for a task of that slug. Raises Refusal."""
        file = self._files.get(file_id)
        if file is None or file.data is None or file.slug not in ("", slug):
            if "missing_file_500" in self.options.forms:
                raise Refusal(500, "unknown_internal_error", "Internal error")
            raise Refusal(404, "", "File not found")
        return file.data

    def _output(self, dst_id: str, now: float) -> bytes | None:
        """A result that is there."""
        task = self._outputs.get(dst_id)
        if task is None or task.lost or self._runs(task, now):
            return None
        made = task.work.result()[1]
        return None if isinstance(made, engines.EngineError) else made[task.dst_ids.index(dst_id)]

    def _forget(self, task: Task) -> None:
        del self._tasks[task.id]
        for dst_id in task.dst_ids:
            self._outputs.pop(dst_id, None)

    def _new_address(self, task: Task, dst_id: str, now: float) -> Result:
        path = f"/result/{self._token()}/{quote(dst_id, safe='')}.png?X-Amz-Signature={self._token()}"
        self._results[path] = Address(task.id, dst_id, now + self.options.result_seconds)
        return Result(dst_id, path)

    def _new_file(self, content_type: str, name: str, size: int, slug: str, now: float) -> File:
        # with a percent sign, as in real signed addresses: a client that encodes them once more breaks them
        query = f"X-Amz-Credential={self._token()}%2Fs3&X-Amz-Signature={self._token()}"
        path = f"/upload/{self._token()}/{quote(name, safe='')}?{query}"
        expires = now + self.options.file_seconds
        file = File(self._id(), slug, name, content_type, size, expires, path, now + self.options.upload_seconds)
        self._files[file.id] = file
        return file

    def _work(self, feature: Feature, job: Job, max_bytes: float, not_before: float, fault: str) -> tuple[float, Made]:
        made: Made
        try:
            if fault:
                raise engines.EngineError(fault)
            engines.check(job.picture, max_bytes)
            made = feature.engine(job)
        except engines.EngineError as error:
            made = error
        except LayerliftError as error:
            made = engines.EngineError(error.code, error.detail)
        except Exception as error:  # noqa: BLE001 - whatever an engine does, the task has to end
            made = engines.EngineError("error_inference", f"{type(error).__name__}: {error}")
        return max(self.clock(), not_before), made

    def _runs(self, task: Task, now: float) -> bool:
        ended = task.work.done() and not task.work.cancelled() and now >= task.work.result()[0]
        return not task.lost and not ended

    def _settle(self) -> float:
        """Bring all up to now: charge what has succeeded, lose what was polled late, forget what has expired."""
        now = self.clock()
        for task in list(self._tasks.values()):
            if task.expires <= now:
                self._forget(task)
                continue
            failed = False
            if not self._runs(task, now) and not task.lost:
                failed = isinstance(task.work.result()[1], engines.EngineError)
                if not failed:
                    self._charge(task)
            if not task.lost and not task.seen and now > task.heard + self.options.interval:
                task.lost = True
                self.late_polls += 1
                if not failed:
                    self._charge(task)
        for file in [file for file in self._files.values() if file.expires <= now]:
            del self._files[file.id]
        kept = self.options.file_seconds
        for path in [path for path, address in self._results.items() if address.expires + kept <= now]:
            del self._results[path]
        return now

    def _charge(self, task: Task) -> None:
        """Take a task's price, once."""
        if not task.charged:
            task.charged = True
            feature, stamp = task.order.feature, int(self.wall() * 1000)
            self.account.charge(task.id, feature.price, stamp, lost=task.lost, action=feature.action)

    def _token(self) -> str:
        return base64.urlsafe_b64encode(self.entropy(24)).decode()

    def _id(self) -> str:
        if "base64_ids" in self.options.forms:
            return f"+/{base64.b64encode(self.entropy(25)).decode()}"
        return self._token()
