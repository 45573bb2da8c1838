"""The wire client of the service: one method per endpoint, and the one rule of what is tried again.

Source: the service's OpenAPI documents and developer guide.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from .. import errors
from ..language import _, ngettext
from . import answers, connection
from .connection import Connection, Progress
from .refusals import decode, explain, may_have_started
from .tasks import REMOVAL, Task

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
TOTAL_SECONDS = 60.0
RESULT_BYTES = 10_000_000
"""What a result has at most by the service's own word: it is waited for as long as that may take."""
MAX_RESULT_BYTES = 64_000_000
ATTEMPTS = 4
BACKOFF_SECONDS = 0.5
RATE_ATTEMPTS = 7
RATE_BACKOFF_SECONDS = 4.0
HURRIED_ATTEMPTS = 2
PAGES = 50
"""What a list has at most: one that does not end is cut off."""

_RESULT_TYPES = ("", "image/png", "application/octet-stream", "binary/octet-stream")
_PICTURE_TYPES = ("image/jpeg", "image/jpg")
"""What else a result may be that needs no alpha."""
_ENDINGS = {"image/png": "png"}
_T = TypeVar("_T")

Sleep = Callable[[float], None]
"""Waits for that many seconds, and may raise `Cancelled`: whoever makes a call says how it waits."""


class File(Protocol):
    """What is declared of an upload."""

    @property
    def content_type(self) -> str: ...
    @property
    def data(self) -> bytes: ...


class Pace(Protocol):
    """Keeps all requests within the service's limit: see `pacing.Pacer`."""

    @property
    def waiting(self) -> int: ...
    def work(self, sleep: Sleep) -> None: ...
    def task(self, sleep: Sleep) -> AbstractContextManager[Callable[[str], None]]: ...
    def poll(self, task_id: str, spare: float) -> None: ...
    def forget(self, task_id: str) -> None: ...
    def pause(self, seconds: float) -> None: ...
    def expect(self, polls: int, seconds: float) -> None: ...
    def learn_gap(self, gap: float) -> None: ...


class Unlimited:
    """Lets every request go at once."""

    waiting = 0

    def work(self, sleep: Sleep) -> None:
        pass

    def task(self, sleep: Sleep) -> AbstractContextManager[Callable[[str], None]]:
        return nullcontext(lambda task_id: None)

    def poll(self, task_id: str, spare: float) -> None:
        pass

    def forget(self, task_id: str) -> None:
        pass

    def pause(self, seconds: float) -> None:
        pass

    def expect(self, polls: int, seconds: float) -> None:
        pass

    def learn_gap(self, gap: float) -> None:
        pass


def is_address(source: str) -> bool:
    """Whether a picture at the service is named by a result's address, which is valid for hours, and not by an id."""
    return "://" in source


class Service:
    """The service, as seen with one account's key.

    Args:
        url: the API's base address; https, or http on loopback.
        key: the API key.
        uniform: a random number in [a, b], for the jitter of retries.
        timeouts: seconds to connect, and seconds between two bytes of an answer.
        total: seconds for a whole exchange, besides those that large data takes.
        pace: is asked before every request to the API.
        wall: this computer's clock, seconds since 1970.

    One object serves any number of calls at a time; `sleep` is how each waits between its tries and for room in the
    limit. All methods raise `AuthError`, `NetworkError`, `RateLimited`, `ServiceError`, or what the error table says of
    the service's own code.
    """

    task: Task = REMOVAL
    """What `run` starts, and whose tasks `poll` looks at: see `of`."""
    _fields: Mapping[str, object] = MappingProxyType({})

    def __init__(
        self,
        url: str,
        key: str,
        *,
        uniform: Callable[[float, float], float] = random.uniform,
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        total: float = TOTAL_SECONDS,
        pace: Pace | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._base = url.rstrip("/")
        self._connection = Connection(self._base, key, timeouts, total, wall)
        self._uniform = uniform
        self._timeouts = timeouts
        self._wall = wall
        self._pace = pace or Unlimited()
        self.expect = self._pace.expect
        """Is called with how many polls a task needs, and in how many seconds."""
        self.learn_gap = self._pace.learn_gap
        """Is called with how many seconds are from one poll to the next."""

    def of(self, task: Task, fields: Mapping[str, object] = MappingProxyType({})) -> Service:
        """The same service, of another task, run with these fields; it has the connections and the limit of this one,
        which alone is closed."""
        other = copy.copy(self)
        other.task, other._fields = task, fields
        return other

    @property
    def waiting(self) -> int:
        """How many requests wait for room in the limit."""
        return self._pace.waiting

    @property
    def ahead(self) -> float:
        """By how many seconds the service's clock is ahead of this computer's, as far as its answers tell."""
        return self._connection.ahead

    def close(self) -> None:
        """Ends the connections that are kept alive."""
        self._connection.close()

    def declare(self, files: Sequence[File], *, sleep: Sleep) -> list[answers.Destination]:
        """Announces uploads; returns one destination a file, in their order. Uploads nothing and costs nothing."""
        described = [
            {
                "content_type": file.content_type,
                "file_name": f"layer-{number}.{_ENDINGS.get(file.content_type, 'jpg')}",
                "file_size": len(file.data),
            }
            for number, file in enumerate(files)
        ]
        try:
            found = self._call(
                "POST", f"/s2s/v2.0/file/{self.task.slug}", answers.destinations, sleep, {"files": described}
            )
        except errors.ServiceError as error:
            if error.status != 404:
                raise
            found = self._call("POST", "/s2s/v2.0/file", answers.destinations, sleep, {"files": described})
        if len(found) != len(files):
            numbers = ngettext(
                "{declared} file was declared, {taken} were taken",
                "{declared} files were declared, {taken} were taken",
                len(files),
            )
            raise errors.make("bad_answer", numbers.format(declared=len(files), taken=len(found)))
        return found

    def upload(
        self, destination: answers.Destination, data: bytes, progress: Progress | None = None, *, sleep: Sleep
    ) -> None:
        """Sends the bytes to where they were declared to go; `progress` is called with the fraction that was sent."""

        def attempt() -> None:
            with self._connection.exchange(
                destination.method, destination.url, data=data, headers=destination.headers, progress=progress
            ) as answer:
                if answer.status_code == 429 or answer.status_code >= 500:
                    raise explain(answer, None)
                if answer.status_code >= 300:
                    raise errors.make("upload_refused")
                if connection.kind(answer) == "text/html":
                    raise errors.make("proxy_answer")

        self._retry(attempt, sleep)

    def run(
        self, source: str, around: Callable[[], AbstractContextManager[None]] = nullcontext, *, sleep: Sleep
    ) -> answers.Task:
        """Starts a task: the one call that costs. It is never repeated once its bytes may have reached the service.

        Args:
            source: the picture, by the id of an uploaded file or of a result, or by a result's address.
            around: is entered right before each try, and left after it, with its error where there was one.

        Raises:
            MayBeCharged: the outcome is unknown.
        """

        def attempt() -> answers.Task:
            # A connection of its own: one that was kept alive may be closed by the far side at any moment, and then
            # nobody could say whether the request had arrived.
            with self._pace.task(sleep) as started, around(), self._connection.session() as session:
                url = f"{self._base}/s2s/v2.0/task/{self.task.slug}"
                body = {"src_file_url" if is_address(source) else "src_file_id": source, **self._fields}
                try:
                    with self._connection.exchange("POST", url, body=body, with_key=True, session=session) as answer:
                        task = answers.task(decode(answer))
                        started(task.task_id)
                        return replace(task, request_id=connection.request_id(answer))
                except errors.LayerliftError as error:
                    if may_have_started(error):
                        raise errors.make(
                            "may_be_charged", error.message, status=error.status, request_id=error.request_id
                        ) from error
                    raise

        return self._retry(attempt, sleep)

    def poll(self, task_id: str, *, seconds: float = READ_SECONDS, spare: float = 0.0) -> answers.TaskState:
        """One look at a task, without retries: the caller has to keep to the polling interval. Waits `seconds` at most
        for the answer, and `spare` at most for room in the limit before."""
        timeouts = (min(self._timeouts[0], seconds), min(self._timeouts[1], seconds))
        path = f"/s2s/v2.0/task/{self.task.slug}/{quote(task_id, safe='')}"
        self._pace.poll(task_id, spare)
        try:
            with self._connection.exchange(
                "GET", self._base + path, with_key=True, timeouts=timeouts, total=seconds
            ) as answer:
                state = answers.task_state(decode(answer))
                state = replace(state, request_id=connection.request_id(answer))
        except errors.RateLimited:
            self._pace.pause(self._uniform(RATE_BACKOFF_SECONDS / 2, RATE_BACKOFF_SECONDS))
            raise
        if state.status != "running":
            self._pace.forget(task_id)
        return state

    def download(self, url: str, progress: Progress | None = None, *, sleep: Sleep) -> bytes:
        """The result's bytes, at most `MAX_RESULT_BYTES`, of a picture type; `progress` is called with the fraction."""

        def attempt() -> bytes:
            with self._connection.exchange(
                "GET", url, headers={"Accept-Encoding": "identity"}, expected=RESULT_BYTES
            ) as answer:
                if answer.status_code in (400, 401, 403, 404, 410):
                    raise errors.make("result_expired")
                if answer.status_code != 200:
                    raise explain(answer, None)
                kind = connection.kind(answer)
                if kind == "text/html":
                    raise errors.make("proxy_answer")
                if kind not in _RESULT_TYPES and (self.task.gives == "alpha" or kind not in _PICTURE_TYPES):
                    raise errors.make("result_not_picture", _("type {type}").format(type=answers.words(kind)))
                return connection.read(answer, MAX_RESULT_BYTES, "result_too_large", progress)

        return self._retry(attempt, sleep)

    def delete(self, task_id: str, *, sleep: Sleep) -> None:
        """Removes the task's input and output files from the service."""
        self._call("POST", "/s2s/v2.0/task/delete", answers.acknowledged, sleep, {"task_id": task_id})

    def balance(self, *, sleep: Sleep) -> float:
        """The account's units that have not expired."""
        return self._call("GET", "/s2s/v1.0/client/credit", self._units, sleep)

    def history(self, *, sleep: Sleep) -> Iterator[answers.Charge]:
        """The account's unit history, fetched page by page, in no certain order; tried but twice, as somebody waits."""
        return self._fetch_pages("/s2s/v1.0/client/credit/history", answers.charges, sleep, HURRIED_ATTEMPTS)

    def prices(self, *, sleep: Sleep) -> Iterator[answers.Price]:
        """What features cost. The service's list is known to be incomplete."""
        return self._fetch_pages("/s2s/v2.0/credit/feature-cost", answers.prices, sleep)

    def templates(self, *, sleep: Sleep) -> Iterator[answers.Template]:
        """The task's templates."""
        return self._fetch_pages(f"/s2s/v2.0/task/template/{self.task.slug}", answers.templates, sleep)

    def _units(self, body: object) -> float:
        return answers.units(body, int(self._wall() * 1000))

    def _fetch_pages(
        self,
        path: str,
        parse: Callable[[object], tuple[list[_T], str | None]],
        sleep: Sleep,
        attempts: int = RATE_ATTEMPTS,
    ) -> Iterator[_T]:
        token: str | None = ""
        for _page in range(PAGES):
            page = f"&starting_token={quote(token, safe='')}" if token else ""
            found, following = self._call("GET", f"{path}?page_size=20{page}", parse, sleep, attempts=attempts)
            yield from found
            if following in (None, token):
                return
            token = following

    def _call(
        self,
        method: str,
        path: str,
        parse: Callable[[object], _T],
        sleep: Sleep,
        body: dict[str, Any] | None = None,
        attempts: int = RATE_ATTEMPTS,
    ) -> _T:
        """One API call that may be repeated without harm; returns what `parse` makes of the decoded body."""

        def attempt() -> _T:
            self._pace.work(sleep)
            with self._connection.exchange(method, self._base + path, body=body, with_key=True) as answer:
                return parse(decode(answer))

        return self._retry(attempt, sleep, attempts)

    def _retry(self, attempt: Callable[[], _T], sleep: Sleep, attempts: int = RATE_ATTEMPTS) -> _T:
        """Repeats what failed in passing, with jittered backoff.

        This is the one retry rule: an error says itself whether the same step may be repeated, and a call that may
        have cost something fails with `MayBeCharged`, which never does.
        """
        tries = 0
        while True:
            try:
                return attempt()
            except errors.LayerliftError as error:
                limited = isinstance(error, errors.RateLimited)
                tries += 1
                if not error.retry or tries >= min(attempts, RATE_ATTEMPTS if limited else ATTEMPTS):
                    raise
                longest = (RATE_BACKOFF_SECONDS if limited else BACKOFF_SECONDS) * 2 ** (tries - 1)
            pause = self._uniform(longest / 2, longest)
            if limited:
                self._pace.pause(pause)
            sleep(pause)
