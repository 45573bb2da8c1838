"""Downloads of large files, which go on where an earlier one has stopped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from urllib3.util import parse_url

from .. import errors
from ..language import N_, _
from . import connection
from .connection import Connection
from .service import CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS

if TYPE_CHECKING:
    import requests

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


def beside(part: Path) -> Path:
    """Where a download that begins anew is, until it has brought more than is there already."""
    return part.with_name(f"{part.name}.new")


def _connect(url: str) -> Connection:
    try:
        return Connection(url, None, (CONNECT_SECONDS, READ_SECONDS), TOTAL_SECONDS)
    except errors.SetupError:
        raise errors.make("bad_download_url", url) from None


def _go_on(way: Connection, url: str, host: str, part: Path, size: int, on_progress: Callable[[int], None]) -> None:
    """One request, for what is missing."""
    if length(part) > size:
        part.unlink()
    have = length(part)
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
        # What begins anew may be something else: it takes the place of what is there only once it is longer.
        target = part if have or not length(part) else beside(part)
        try:
            have = _write(answer, target, have, size, host, on_progress)
        finally:
            if target != part:
                if length(target) > length(part):
                    target.replace(part)
                target.unlink(missing_ok=True)
    if have < size:
        raise errors.make("network")


def _write(
    answer: requests.Response, target: Path, begin: int, size: int, host: str, on_progress: Callable[[int], None]
) -> int:
    """Adds an answer's body to a file that has `begin` bytes; returns how many it has then. Nothing is left of a body
    that is too long."""
    have = begin
    with target.open("ab" if begin else "wb") as file:
        for block in connection.blocks(answer):
            have += len(block)
            if have > size:
                file.truncate(begin)
                raise _wrong_size(host)
            file.write(block)
            on_progress(have)
    return have


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
