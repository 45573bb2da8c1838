"""The wire client of the background-removal service: one method per endpoint.

The API key goes to the API's own host only: upload and result addresses are called without it, and a redirect to
another host drops it. Plain http is refused except to loopback. Every answer is bounded in size before it is read.
Source: the service's OpenAPI documents and developer guide.
"""

from __future__ import annotations

import io
import ipaddress
import json
import math
import random
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urljoin

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, LocationParseError, NewConnectionError, ReadTimeoutError
from urllib3.util import parse_url

from . import answers, errors

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
MAX_JSON_BYTES = 1_000_000
MAX_RESULT_BYTES = 64_000_000
ATTEMPTS = 4
BACKOFF_SECONDS = 0.5
RATE_ATTEMPTS = 7
RATE_BACKOFF_SECONDS = 4.0
_REDIRECTS = 3

_T = TypeVar("_T")

Progress = Callable[[float], None]


class File(Protocol):
    """What is declared of an upload."""

    @property
    def content_type(self) -> str: ...
    @property
    def data(self) -> bytes: ...


class _Auth(AuthBase):
    """Sets the key, or nothing: with an auth object in place requests does not fall back on a .netrc file."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key is not None:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class _Session(requests.Session):
    """Leaves redirects alone: requests reads the body of each one to its end, even where it is not to follow it."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Service:
    """The service, as seen with one account's key.

    Args:
        url: the API's base address; https, or http on loopback.
        key: the API key.
        sleep: waits for that many seconds, and may raise `Cancelled`.
        uniform: a random number in [a, b], for the jitter of retries.
        timeouts: seconds to connect, and seconds between two bytes of an answer.

    All methods raise `AuthError`, `NetworkError`, `RateLimited`, `ServiceError`, or what the error table says of the
    service's own code.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
    ) -> None:
        self._base = url.rstrip("/")
        self._plain = self._base.lower().startswith("http:")
        self._check_url(self._base)
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise errors.make("InvalidApiKey", "it holds characters that no key has")
        self._auth = _Auth(key)
        self._anonymous = _Auth(None)
        self._sleep = sleep
        self._uniform = uniform
        self._timeouts = timeouts
        self._session = self._new_session()

    def close(self) -> None:
        self._session.close()

    def declare(self, files: Sequence[File]) -> list[answers.Destination]:
        """Announces uploads; returns one destination a file, in their order. Uploads nothing and costs nothing."""
        described = [
            {"content_type": file.content_type, "file_name": f"layer-{number}.jpg", "file_size": len(file.data)}
            for number, file in enumerate(files)
        ]
        try:
            found = self._call("POST", "/s2s/v2.0/file/sod", answers.destinations, {"files": described})
        except errors.ServiceError as error:
            if error.status != 404:
                raise
            found = self._call("POST", "/s2s/v2.0/file", answers.destinations, {"files": described})
        if len(found) != len(files):
            raise errors.make("bad_answer", f"{len(files)} files were declared, {len(found)} were taken")
        return found

    def upload(self, destination: answers.Destination, data: bytes, progress: Progress | None = None) -> None:
        """Sends the bytes to where they were declared to go; `progress` is told the fraction that was sent."""

        def attempt() -> None:
            with self._request(
                destination.method, destination.url, data=_Body(data, progress), headers=destination.headers
            ) as answer:
                if answer.status_code == 429 or answer.status_code >= 500:
                    raise _refused(answer, None)
                if answer.status_code >= 300:
                    raise errors.make("upload_refused")
                if _kind(answer) == "text/html":
                    raise errors.make("proxy_answer")

        self._retried(attempt)

    def run(self, file_id: str) -> answers.Task:
        """Starts a task: the one call that costs. It is never repeated once its bytes may have reached the service.

        Raises:
            MayBeCharged: the outcome is unknown.
        """

        def attempt() -> answers.Task:
            # A connection of its own: one that was kept alive may be closed by the far side at any moment, and then
            # nobody could say whether the request had arrived.
            with self._new_session() as session:
                url = f"{self._base}/s2s/v2.0/task/sod"
                try:
                    with self._request(
                        "POST", url, body={"src_file_id": file_id}, auth=self._auth, session=session
                    ) as answer:
                        return answers.task(_decoded(answer, self._timeouts[1]))
                except errors.LayerliftError as error:
                    if _may_have_started(error):
                        raise errors.make(
                            "may_be_charged", error.message, status=error.status, request_id=error.request_id
                        ) from error
                    raise

        return self._retried(attempt)

    def poll(self, task_id: str, *, seconds: float = READ_SECONDS) -> answers.TaskState:
        """One look at a task, without retries: the caller has to keep to the polling interval. Waits `seconds` at most
        for each byte of the answer."""
        timeouts = (min(self._timeouts[0], seconds), min(self._timeouts[1], seconds))
        path = f"/s2s/v2.0/task/sod/{quote(task_id, safe='')}"
        with self._request("GET", self._base + path, auth=self._auth, timeouts=timeouts) as answer:
            return answers.task_state(_decoded(answer, timeouts[1]))

    def download(self, url: str, progress: Progress | None = None) -> bytes:
        """The result's bytes, at most `MAX_RESULT_BYTES`, of a picture type; `progress` is told the fraction."""

        def attempt() -> bytes:
            with self._request("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
                if answer.status_code in (400, 401, 403, 404, 410):
                    raise errors.make("result_expired")
                if answer.status_code != 200:
                    raise _refused(answer, None)
                kind = _kind(answer)
                if kind == "text/html":
                    raise errors.make("proxy_answer")
                if kind not in ("", "image/png", "application/octet-stream", "binary/octet-stream"):
                    raise errors.make("result_not_picture", f"type {answers.words(kind)}")
                return _read(answer, MAX_RESULT_BYTES, "result_too_large", progress)

        return self._retried(attempt)

    def delete(self, task_id: str) -> None:
        """Removes the task's input and output files from the service."""
        self._call("POST", "/s2s/v2.0/task/delete", answers.acknowledged, {"task_id": task_id})

    def balance(self) -> float:
        """The account's units that have not expired."""
        return self._call("GET", "/s2s/v1.0/client/credit", lambda body: answers.units(body, int(time.time() * 1000)))

    def history(self) -> Iterator[answers.Charge]:
        """The account's unit history, newest page first, fetched page by page."""
        return self._paged("/s2s/v1.0/client/credit/history", answers.charges)

    def prices(self) -> Iterator[answers.Price]:
        """What features cost. The service's list is known to be incomplete."""
        return self._paged("/s2s/v2.0/credit/feature-cost", answers.prices)

    def _paged(self, path: str, parse: Callable[[object], tuple[list[_T], str | None]]) -> Iterator[_T]:
        token: str | None = ""
        while token is not None:
            page = f"&starting_token={quote(token, safe='')}" if token else ""
            found, following = self._call("GET", f"{path}?page_size=20{page}", parse)
            yield from found
            if following == token:
                return
            token = following

    def _call(self, method: str, path: str, parse: Callable[[object], _T], body: dict[str, Any] | None = None) -> _T:
        """One API call that may be repeated without harm; returns what `parse` makes of the decoded body."""

        def attempt() -> _T:
            with self._request(method, self._base + path, body=body, auth=self._auth) as answer:
                return parse(_decoded(answer, self._timeouts[1]))

        return self._retried(attempt)

    def _retried(self, attempt: Callable[[], _T]) -> _T:
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
                if not error.retry or tries >= (RATE_ATTEMPTS if limited else ATTEMPTS):
                    raise
                longest = (RATE_BACKOFF_SECONDS if limited else BACKOFF_SECONDS) * 2 ** (tries - 1)
            self._sleep(self._uniform(longest / 2, longest))

    def _new_session(self) -> requests.Session:
        session = _Session()
        session.headers["User-Agent"] = "layerlift"
        # A proxy of the environment must not see, in plain text, what stays on this computer.
        session.trust_env = not self._plain
        return session

    @contextmanager
    def _request(
        self,
        method: str,
        url: str,
        *,
        body: dict[str, Any] | None = None,
        data: _Body | None = None,
        headers: dict[str, str] | None = None,
        auth: _Auth | None = None,
        session: requests.Session | None = None,
        timeouts: tuple[float, float] | None = None,
    ) -> Iterator[requests.Response]:
        """One exchange, its body unread. Redirects are followed for GET alone, to another host without the key.

        Errors get the answer's status and request id where they have none of their own.
        """
        for _ in range(_REDIRECTS):
            self._check_url(url)
            broken: errors.LayerliftError | None = None
            try:
                answer = (session or self._session).request(
                    method,
                    url,
                    json=body,
                    data=data,
                    headers=headers,
                    auth=auth or self._anonymous,
                    timeout=timeouts or self._timeouts,
                    stream=True,
                    allow_redirects=False,
                )
            except (OSError, HTTPError, ValueError) as error:
                broken = _broken(error, url)
            if broken is not None:
                raise broken  # here, not in the handler: the first error would stay with it, and holds key and address
            with answer:
                if not (method == "GET" and answer.is_redirect):
                    try:
                        yield answer
                    except errors.LayerliftError as error:
                        error.status = error.status or answer.status_code
                        error.request_id = error.request_id or _request_id(answer)
                        raise
                    return
                target = _joined(url, answer.headers["Location"])
                if _origin(target) != _origin(url):
                    auth = None
                url = target
        raise errors.make("bad_answer", "it redirects again and again")

    def _check_url(self, url: str) -> None:
        """Refuses addresses to which nothing may be sent."""
        scheme, host, _ = _origin(url)
        try:
            requests.PreparedRequest().prepare_url(url, None)
        except ValueError:
            raise errors.make("bad_url") from None
        if scheme == "http" and not (self._plain and is_loopback(url)):
            raise errors.make("insecure_url", f"http://{host}")


class _Body(io.BytesIO):
    """An upload that tells how far it is."""

    def __init__(self, data: bytes, progress: Progress | None) -> None:
        super().__init__(data)
        self._size = max(1, len(data))
        self._progress = progress

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        if self._progress is not None:
            self._progress(self.tell() / self._size)
        return block


def is_loopback(url: str) -> bool:
    """Whether an address is on this computer: localhost, 127.0.0.0/8, or ::1."""
    try:
        host = (parse_url(url).host or "").strip("[]")
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port, read by the parser that connects: another may see another host in the same address."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise errors.make("bad_url") from None
    if parts.scheme not in ("http", "https") or not parts.host:
        raise errors.make("bad_url")
    return parts.scheme, parts.host, parts.port or (443 if parts.scheme == "https" else 80)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise errors.make("bad_url") from None


def _broken(error: Exception, url: str) -> errors.LayerliftError:
    """The error for a connection that failed. It names the host alone: addresses may hold signatures."""
    host = _origin(url)[1]
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return errors.make("tls", host)
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)):
        return errors.make("unreachable", host)
    if any(isinstance(cause, NewConnectionError) for cause in causes):
        return errors.make("unreachable", host)
    if any(isinstance(cause, (requests.exceptions.ReadTimeout, ReadTimeoutError)) for cause in causes):
        return errors.make("timeout", host)
    if isinstance(error, (requests.exceptions.InvalidHeader, UnicodeError)):
        return errors.make("bad_answer", "a header can't be sent")
    if isinstance(error, ValueError):  # of the two addresses, the other one was checked before
        return errors.make("unreachable", "the proxy that the environment names can't be used")
    if not isinstance(error, (requests.RequestException, HTTPError)):
        return errors.make("tls", "the certificates that the environment names can't be read")
    return errors.make("network", host)


def _causes(error: object) -> Iterator[BaseException]:
    """An error of requests, and what it wraps: requests and urllib3 keep that in `reason` or in the arguments."""
    while isinstance(error, BaseException):
        yield error
        reason = getattr(error, "reason", None)
        error = (
            reason
            if isinstance(reason, BaseException)
            else next((part for part in error.args if isinstance(part, BaseException)), None)
        )


def _may_have_started(error: errors.LayerliftError) -> bool:
    """Whether a run call that failed so may have started a task all the same: its bytes were sent, and no answer of
    the service's own says that it refused."""
    if error.status is not None and 300 <= error.status < 500:
        return False
    return error.code in ("bad_answer", "proxy_answer", "network", "timeout", "server_error", "TaskTimeout")


def _request_id(answer: requests.Response) -> str | None:
    return answers.words(answer.headers.get("x-request-id")) or None


def _kind(answer: requests.Response) -> str:
    """The content type alone, "" where there is none."""
    return answer.headers.get("Content-Type", "").split(";")[0].strip().lower()


def _read(
    answer: requests.Response,
    limit: int,
    too_large: str,
    progress: Progress | None = None,
    seconds: float = math.inf,
) -> bytes:
    """The body, read no further than `limit` bytes, and for no longer than `seconds` in all."""
    try:
        expected = int(answer.headers.get("Content-Length", "0"))
    except ValueError:
        expected = 0
    if expected > limit:
        raise errors.make(too_large)
    started = time.monotonic()
    data = bytearray()
    broken: errors.LayerliftError | None = None
    try:
        # read1, since a read for a whole block would wait for every one of its bytes, however slowly they drip
        while block := answer.raw.read1(65536, decode_content=True):
            data += block
            if len(data) > limit:
                raise errors.make(too_large)
            if time.monotonic() - started > seconds:
                raise errors.make("timeout", "the answer did not end")
            if progress is not None and expected:
                progress(min(1.0, len(data) / expected))
    except (OSError, HTTPError) as error:
        broken = _broken(error, answer.url)
    if broken is not None:
        raise broken
    return bytes(data)


def _decoded(answer: requests.Response, seconds: float) -> object:
    """The JSON body of an API call that went well; else the error for what came."""
    data = _read(answer, MAX_JSON_BYTES, "bad_answer", seconds=seconds)
    try:
        body: object = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if answer.status_code >= 300 or body is None:
        raise _refused(answer, body)
    if isinstance(body, dict) and isinstance(body.get("status"), int) and body["status"] >= 400:
        raise _refused(answer, body, body["status"])
    return body


def _refused(answer: requests.Response, body: object, status: int = 0) -> errors.LayerliftError:
    """The error for a refused request, or for an answer that is none of the service's."""
    status = status or answer.status_code
    code, words = answers.refusal(body)
    if code not in errors.TABLE:
        known = {401: "unauthorized", 404: "not_found", 429: "rate_limited"}.get(status)
        general = known or ("server_error" if status >= 500 else None)
        if general is not None:
            code, words = general, ": ".join(part for part in (code, words) if part)
        elif code is None:
            code = "proxy_answer" if body is None else "BadRequest"
    return errors.reported(code, words, status=status, request_id=_request_id(answer))
