"""Exchanges over HTTP with the API's host and the hosts that it names: what goes where, and how far answers are read.

The API key goes to the API's own host only, and a redirect to another host drops it. Plain http is refused except from
loopback to loopback. Errors hold neither the key nor an address, which may be signed.
"""

from __future__ import annotations

import io
import ipaddress
import logging
import math
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, LocationParseError, NewConnectionError, ReadTimeoutError
from urllib3.util import parse_url

from .. import __version__, errors
from ..language import _
from ..store.settings import check_key
from . import answers
from .deadline import Adapter, Deadline

SLOWEST = 20_000
"""Bytes a second that are waited for."""
_REDIRECTS = 3
_log = logging.getLogger(__name__)

Progress = Callable[[float], None]


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


class Connection:
    """The way to the service.

    Args:
        url: the API's base address; https, or http on loopback.
        key: the API key; None where nothing is asked for that needs one.
        timeouts: seconds to connect, and seconds between two bytes of an answer.
        total: seconds for a whole exchange, and besides those that `SLOWEST` takes for large data.
        wall: this computer's clock, seconds since 1970.

    Raises:
        SetupError: ``bad_url``, ``insecure_url``; AuthError for a key that no header can hold.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        timeouts: tuple[float, float],
        total: float,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._plain = url.lower().startswith("http:")
        self._check_url(url)
        if key is not None:
            check_key(key)
        self._auth = _Auth(key)
        self._anonymous = _Auth(None)
        self._timeouts = timeouts
        self._total = total
        self._wall = wall
        self._session = self.session()
        self.ahead = 0.0
        """By how many seconds the API's clock is ahead of this computer's, as far as its answers tell."""

    def close(self) -> None:
        self._session.close()

    def session(self) -> requests.Session:
        """A session of its own, which the caller closes."""
        session = _Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, Adapter())
        session.headers["User-Agent"] = f"layerlift/{__version__}"
        # A proxy of the environment must not see, in plain text, what stays on this computer.
        session.trust_env = not self._plain
        return session

    @contextmanager
    def exchange(
        self,
        method: str,
        url: str,
        *,
        body: dict[str, Any] | None = None,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        progress: Progress | None = None,
        with_key: bool = False,
        session: requests.Session | None = None,
        timeouts: tuple[float, float] | None = None,
        total: float = math.inf,
        expected: int = 0,
    ) -> Iterator[requests.Response]:
        """One exchange, its answer's body unread. Redirects are followed for GET alone, elsewhere without the key. It
        ends with the block, and where it takes too long with the error ``timeout``.

        Args:
            body: is sent as JSON.
            data: is sent as it is; `progress` is called with the fraction that was sent.
            session: takes the place of the one that keeps connections alive.
            timeouts: take the place of the connection's own.
            total: seconds for all of it, where the connection's own are more.
            expected: how many bytes the answer may have.

        Errors get the answer's status and request id where they have none of their own.
        """
        request = {
            "json": body,
            "data": None if data is None else _Body(data, progress),
            "headers": headers,
            "timeout": timeouts or self._timeouts,
        }
        seconds = min(self._total, total) + max(len(data or b""), expected) / SLOWEST
        with _limit_time(seconds):
            for _redirect in range(_REDIRECTS):
                with self._send(session or self._session, method, url, with_key, request) as answer:
                    if not (method == "GET" and answer.is_redirect):
                        with _name_exchange(answer):
                            yield answer
                        return
                    target, leads_away = _follow(url, answer)
                url, with_key = target, with_key and not leads_away
            raise errors.make("bad_answer", _("it redirects again and again"))

    def _send(
        self, session: requests.Session, method: str, url: str, with_key: bool, request: dict[str, Any]
    ) -> requests.Response:
        """Sends one request; returns its answer, whose body is unread."""
        try:
            self._check_url(url)
        except errors.SetupError as error:
            # The API's own was checked before: this one the service has named.
            raise errors.make("bad_address", error.message) from None
        broken: errors.LayerliftError | None = None
        begin = time.monotonic()
        try:
            auth = self._auth if with_key else self._anonymous
            answer = session.request(method, url, auth=auth, stream=True, allow_redirects=False, **request)
        except (OSError, HTTPError, ValueError) as error:
            broken = _explain_failure(error, url)
        _log_exchange(method, url, with_key, time.monotonic() - begin, broken or answer)
        if broken is not None:
            # Here, not in the handler: the first error would stay with it, and holds key and address.
            raise broken
        if with_key:
            self.ahead = _ahead(answer, self._wall(), self.ahead)
        return answer

    def _check_url(self, url: str) -> None:
        """Refuses addresses to which nothing may be sent."""
        scheme, host, _port = _origin(url)
        try:
            requests.PreparedRequest().prepare_url(url, None)
        except ValueError:
            raise errors.make("bad_url") from None
        if scheme == "http" and not (self._plain and is_loopback(url)):
            raise errors.make("insecure_url", f"http://{host}")


@contextmanager
def _limit_time(seconds: float) -> Iterator[None]:
    """The error ``timeout`` in place of whatever comes of it where the block's exchange takes longer."""
    status, request = None, None
    with Deadline(seconds) as deadline:
        try:
            yield
        except errors.Cancelled:
            raise
        except errors.LayerliftError as error:
            if not deadline.passed:
                raise
            status, request = error.status, error.request_id
    if deadline.passed:
        late = _("no whole answer in {seconds} s").format(seconds=f"{seconds:.0f}")
        raise errors.make("timeout", late, status=status, request_id=request)


def _log_exchange(
    method: str, url: str, api: bool, seconds: float, end: requests.Response | errors.LayerliftError
) -> None:
    """One line an exchange. Addresses of the storage are signed in their path too."""
    parts = parse_url(url)
    outcome = f"{end.status_code}, request {request_id(end)}" if isinstance(end, requests.Response) else end.code
    _log.info("%s %s%s: %s, %.0f ms", method, parts.host, parts.path if api else "", outcome, seconds * 1000)


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


def _explain_failure(error: Exception, url: str) -> errors.LayerliftError:
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
        return errors.make("bad_answer", _("a header can't be sent"))
    if isinstance(error, ValueError):  # of the two addresses, the other one was checked before
        return errors.make("unreachable", _("the proxy that the environment names can't be used"))
    if not isinstance(error, (requests.RequestException, HTTPError)):
        return errors.make("tls", _("the certificates that the environment names can't be read"))
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


def _ahead(answer: requests.Response, now: float, known: float) -> float:
    """By how many seconds the far side's clock is ahead, of its `Date` header; what is known where that tells none."""
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).timestamp() - now
    except (ValueError, OverflowError):
        return known


@contextmanager
def _name_exchange(answer: requests.Response) -> Iterator[None]:
    """Gives an error the answer's status and request id, where it has none of its own."""
    try:
        yield
    except errors.LayerliftError as error:
        error.status = error.status or answer.status_code
        error.request_id = error.request_id or request_id(answer)
        raise


def _follow(url: str, answer: requests.Response) -> tuple[str, bool]:
    """Where an answer redirects to, and whether that is another host."""
    try:
        target = urljoin(url, answer.headers["Location"])
        return target, _origin(target) != _origin(url)
    except (ValueError, errors.SetupError):
        raise errors.make("bad_address") from None


def request_id(answer: requests.Response) -> str | None:
    """The service's name for the exchange, None where it gave none."""
    return answers.words(answer.headers.get("x-request-id")) or None


def kind(answer: requests.Response) -> str:
    """The content type alone, "" where there is none."""
    return answer.headers.get("Content-Type", "").split(";")[0].strip().lower()


def read(
    answer: requests.Response,
    limit: int,
    too_large: str,
    progress: Progress | None = None,
) -> bytes:
    """The body, read no further than `limit` bytes."""
    try:
        expected = int(answer.headers.get("Content-Length", "0"))
    except ValueError:
        expected = 0
    if expected > limit:
        raise errors.make(too_large)
    data = bytearray()
    for block in blocks(answer):
        data += block
        if len(data) > limit:
            raise errors.make(too_large)
        if progress is not None and expected:
            progress(min(1.0, len(data) / expected))
    return bytes(data)


def blocks(answer: requests.Response) -> Iterator[bytes]:
    """The body as it comes."""
    broken: errors.LayerliftError | None = None
    try:
        # read1, since a read for a whole block would tell no progress before its last byte
        while block := answer.raw.read1(65536, decode_content=True):
            yield block
    except (OSError, HTTPError) as error:
        broken = _explain_failure(error, answer.url)
    if broken is not None:
        raise broken
