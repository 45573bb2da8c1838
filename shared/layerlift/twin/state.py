"""What the offline service knows: files, tasks, addresses and the account, all behind one lock.

Nothing here waits: whether a task has ended, or was lost by a late poll, is settled whenever somebody asks.
"""

from __future__ import annotations

import base64
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import quote

from ..errors import LayerliftError
from . import engines
from .account import Account
from .options import Options

COST = 1.0
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
    """A declared file; `data` is None until it is uploaded."""

    id: str
    name: str
    content_type: str
    size: int
    expires: float
    upload_path: str
    upload_expires: float
    data: bytes | None = None


@dataclass
class Task:
    """A task: `work` runs in the engine's pool and gives the instant at which it ended and the result or an error."""

    id: str
    file_id: str
    dst_id: str
    started: float
    heard: float
    expires: float
    work: Future[tuple[float, bytes | engines.EngineError]]
    lost: bool = False
    seen: bool = False
    charged: bool = False


@dataclass(frozen=True)
class Outcome:
    """A task's state as a poll finds it."""

    state: str
    dst_id: str = ""
    result_path: str = ""
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
        self._results: dict[str, tuple[str, float]] = {}
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

    def declare(self, files: list[tuple[str, str, int]]) -> list[File]:
        """New files from (content type, name, size in bytes)."""
        with self._lock:
            now = self.clock()
            return [self._new_file(*each, now) for each in files]

    def run(self, file_id: str, fault: str = "") -> Task:
        """Start a task on an uploaded file; `fault` is an engine code that it shall end with."""
        with self._lock:
            now = self._settle()
            file = self._files.get(file_id)
            if file is None or file.data is None:
                if "missing_file_500" in self.options.forms:
                    raise Refusal(500, "unknown_internal_error", "Internal error")
                raise Refusal(404, "", "File not found")
            in_flight = sum(COST for task in self._tasks.values() if self._runs(task, now))
            if self.account.units - in_flight < COST:
                raise Refusal(400, "CreditInsufficiency", "Insufficient credit")
            work = self._pool.submit(self._work, file.data, now + self.options.run_seconds, fault)
            task = Task(self._id(), file_id, self._id(), now, now, now + self.options.file_seconds, work)
            self._tasks[task.id] = task
            return task

    def poll(self, task_id: str) -> Outcome:
        """A task's state; a success gets a fresh address."""
        with self._lock:
            now = self._settle()
            task = self._tasks.get(task_id)
            if task is None:
                raise Refusal(400, "InvalidTaskId", "Invalid task id")
            if task.lost:
                if "late_poll_500" in self.options.forms:
                    raise Refusal(500, "TaskTimeout", "Task timeout")
                raise Refusal(400, "InvalidTaskId", "Invalid task id")
            task.heard = now
            if self._runs(task, now):
                return Outcome("running")
            task.seen = True
            result = task.work.result()[1]
            if isinstance(result, engines.EngineError):
                return Outcome("error", error=result.code, message=result.message)
            path = f"/result/{self._token()}/{quote(task.dst_id, safe='')}.png?X-Amz-Signature={self._token()}"
            self._results[path] = (task.id, now + self.options.result_seconds)
            return Outcome("success", task.dst_id, path)

    def delete(self, task_id: str) -> None:
        """Forget a finished task with its files."""
        with self._lock:
            now = self._settle()
            task = self._tasks.get(task_id)
            if task is None or task.lost:
                raise Refusal(400, "InvalidTaskId", "Invalid task id")
            if self._runs(task, now):
                raise Refusal(400, "OperationInvalid", "The task is not finished")
            del self._tasks[task_id]
            self._files.pop(task.file_id, None)

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
            task_id, expires = self._results.get(path, ("", 0.0))
            if not task_id:
                raise Refusal(403, "SignatureDoesNotMatch", "The request does not match its signature.")
            if now >= expires:
                raise Refusal(403, "AccessDenied", "Request has expired")
            task = self._tasks.get(task_id)
            result = task.work.result()[1] if task else None
            if not isinstance(result, bytes):
                raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
            return result

    # for who has the twin in their own process

    def abandon(self, task_id: str) -> None:
        """Nobody waits for a task any more: it is not begun, or its engine hears of it."""
        with self._lock:
            task = self._tasks.pop(task_id, None)
            file = self._files.pop(task.file_id, None) if task else None
        if task and file and file.data is not None and not task.work.cancel():
            self.options.abandon(file.data)

    def expire(self, name: str) -> None:
        """End the life of a file or a task by its id, or of an address by its path."""
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
                self._results[name] = (self._results[name][0], now)

    # inside

    def _new_file(self, content_type: str, name: str, size: int, now: float) -> File:
        # with a percent sign, as in real signed addresses: a client that encodes them once more breaks them
        query = f"X-Amz-Credential={self._token()}%2Fs3&X-Amz-Signature={self._token()}"
        path = f"/upload/{self._token()}/{quote(name, safe='')}?{query}"
        expires = now + self.options.file_seconds
        file = File(self._id(), name, content_type, size, expires, path, now + self.options.upload_seconds)
        self._files[file.id] = file
        return file

    def _work(self, picture: bytes, not_before: float, fault: str) -> tuple[float, bytes | engines.EngineError]:
        try:
            if fault:
                raise engines.EngineError(fault)
            engines.check(picture)
            result: bytes | engines.EngineError = self.options.engine(picture)
        except engines.EngineError as error:
            result = error
        except LayerliftError as error:
            result = engines.EngineError(error.code, error.detail)
        except Exception as error:  # noqa: BLE001 - whatever an engine does, the task has to end
            result = engines.EngineError("error_inference", f"{type(error).__name__}: {error}")
        return max(self.clock(), not_before), result

    def _runs(self, task: Task, now: float) -> bool:
        ended = task.work.done() and not task.work.cancelled() and now >= task.work.result()[0]
        return not task.lost and not ended

    def _settle(self) -> float:
        """Bring all up to now: charge what has succeeded, lose what was polled late, forget what has expired."""
        now = self.clock()
        stamp = int(self.wall() * 1000)
        for task in list(self._tasks.values()):
            if task.expires <= now:
                del self._tasks[task.id]
                continue
            failed = False
            if not self._runs(task, now) and not task.lost:
                failed = isinstance(task.work.result()[1], engines.EngineError)
                if not failed and not task.charged:
                    task.charged = True
                    self.account.charge(task.id, COST, stamp, lost=False)
            if not task.lost and not task.seen and now > task.heard + self.options.interval:
                task.lost = True
                self.late_polls += 1
                if not failed and not task.charged:
                    task.charged = True
                    self.account.charge(task.id, COST, stamp, lost=True)
        for file in [file for file in self._files.values() if file.expires <= now]:
            del self._files[file.id]
        kept = self.options.file_seconds
        for path in [path for path, (_, expires) in self._results.items() if expires + kept <= now]:
            del self._results[path]
        return now

    def _token(self) -> str:
        return base64.urlsafe_b64encode(self.entropy(24)).decode()

    def _id(self) -> str:
        if "base64_ids" in self.options.forms:
            return f"+/{base64.b64encode(self.entropy(25)).decode()}"
        return self._token()
