"""Downloads of large files, which go on where an earlier one has stopped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from urllib3.util import parse_url

from .. import errors
from ..language import N_, _
from . import connection
from .connection import Connection
from .service import CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS

ATTEMPTS = 20
"""A connection that breaks is made anew as long as each has brought something, and no more often than that."""
_REASONS = {
    "unreachable": N_("{host} can't be reached"),
    "timeout": N_("{host} did not answer in time"),
    "tls": N_("the certificate of {host} was not accepted"),
    "network": N_("the connection to {host} broke"),
}
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def download(url: str, part: Path, size: int, on_progress: Callable[[int], None]) -> None:
    """Brings the file `part` to the `size` that the one at the address has. What it holds already is not fetched again,
    and what has come stays where the rest does not.

    Args:
        url: https, or http on loopback.
        on_progress: is called with the bytes that are there, many times a second, and may raise to stop.

    Raises:
        NetworkError: ``download_failed``; ``download_wrong`` where something else is at the address.
        SetupError: ``bad_download_url``.
        OSError: the file can't be written.
    """
    with closing(_connect(url)) as way:
        host = parse_url(url).host or ""
        for attempt in range(ATTEMPTS):
            before = length(part)
            if before == size:
                return
            try:
                with _explain(host):
                    _go_on(way, url, host, part, size, on_progress)
            except errors.NetworkError as error:
                if error.code != "download_failed" or length(part) <= before or attempt == ATTEMPTS - 1:
                    raise


def length(file: Path) -> int:
    """The bytes of a file, 0 where there is none."""
    return file.stat().st_size if file.exists() else 0


def _connect(url: str) -> Connection:
    try:
        return Connection(url, None, (CONNECT_SECONDS, READ_SECONDS), TOTAL_SECONDS)
    except errors.SetupError:
        raise errors.make("bad_download_url", url) from None


def _go_on(way: Connection, url: str, host: str, part: Path, size: int, on_progress: Callable[[int], None]) -> None:
    """One request, for what is missing."""
    have = length(part) if length(part) < size else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with way.exchange("GET", url, headers=headers, expected=size) as answer:
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if have and (answer.status_code == 416 or (answer.status_code == 206 and not _fits(found, have, size))):
            part.unlink()
            return
        if answer.status_code not in (200, 206) or (answer.status_code == 206 and not have):
            said = _("{host} does not have it (answer {status})").format(host=host, status=answer.status_code)
            raise errors.make("download_failed", said)
        if connection.kind(answer) in ("text/html", "application/xhtml+xml"):
            raise errors.make("download_wrong", _("{host} sent a web page").format(host=host))
        if answer.status_code == 200:
            have = 0
        promised = answer.headers.get("Content-Length", "")
        if promised.isdigit() and int(promised) != size - have:
            raise _wrong_size(host)
        with part.open("ab" if have else "wb") as file:
            for block in connection.blocks(answer):
                have += len(block)
                if have > size:
                    raise _wrong_size(host)
                file.write(block)
                on_progress(have)
    if have < size:
        raise errors.make("network")


def _fits(found: re.Match[str] | None, have: int, size: int) -> bool:
    """Whether a server's part of the file is the one that was asked for."""
    return found is not None and tuple(map(int, found.groups())) == (have, size - 1, size)


def _wrong_size(host: str) -> errors.LayerliftError:
    return errors.make("download_wrong", _("{host} sent a file of another size").format(host=host))


@contextmanager
def _explain(host: str) -> Iterator[None]:
    """Errors of the connection as those of a download."""
    try:
        yield
    except errors.LayerliftError as error:
        if error.code in ("download_failed", "download_wrong", "bad_download_url", "cancelled"):
            raise
        reason = _(_REASONS.get(error.code, error.message)).format(host=host)
        raise errors.make("download_failed", reason) from None
