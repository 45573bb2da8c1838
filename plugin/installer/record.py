"""What the installer has made for this user. One installer at a time."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import IO, Iterator

from ..common.language import _
from .process import Problem, say


class Record:
    """`DATA/installed.json`: written before anything is made, so that also an interrupted install can be undone.

    `switches` are the settings files that got a line; `folders` are those that were not there before and are taken away
    when they are empty.

    Raises Problem when the file is there but can't be understood.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self.environments: list[Path] = []
        self.plugins: list[Path] = []
        self.switches: list[Path] = []
        self.folders: list[Path] = []
        self._file = data / "installed.json"
        if self._file.exists():
            try:
                listed = json.loads(self._file.read_text("utf-8"))
                self.environments = [Path(path) for path in listed["environments"]]
                self.plugins = [Path(path) for path in listed["plugins"]]
                self.switches = [Path(path) for path in listed.get("switches", [])]
                self.folders = [Path(path) for path in listed["folders"]]
            except (ValueError, KeyError, TypeError) as error:
                problem = _("{file} can't be read ({error}): delete it, then run this again")
                raise Problem(problem.format(file=self._file, error=error)) from error

    def add_folders_above(self, path: Path) -> None:
        """Note the folders that will have to be made for `path`."""
        self.folders += [folder for folder in missing_folders(path.parent) if folder not in self.folders]

    def is_there(self) -> bool:
        """Whether anything is installed."""
        return bool(self.environments or self.plugins or self.switches)

    def save(self) -> None:
        """Write it; without any entry left, delete it."""
        if not self.is_there():
            with contextlib.suppress(FileNotFoundError):
                self._file.unlink()
            return
        lists = {name: getattr(self, name) for name in ("environments", "plugins", "switches", "folders")}
        content = json.dumps({name: [str(path) for path in paths] for name, paths in lists.items()}, indent=1)
        temporary = self._file.with_suffix(".new")
        temporary.write_text(content, "utf-8")
        temporary.replace(self._file)


def missing_folders(path: Path) -> list[Path]:
    """`path` and the folders above it that are not there, the innermost first."""
    return [folder for folder in (path, *path.parents) if not folder.exists()]


@contextlib.contextmanager
def only_installer(data: Path) -> Iterator[None]:
    """Hold `DATA/install.lock`: a second installer waits until the first one has ended, however it ends."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        file = (data / "install.lock").open("a")
    except OSError as error:
        problem = _("{folder} can't be written ({error}): make it writable, or name another folder in LAYERLIFT_HOME")
        raise Problem(problem.format(folder=data, error=error)) from error
    with file:
        if not _try_to_lock(file):
            say(_("Another installer is running; waiting for it to end."))
            while not _try_to_lock(file):
                time.sleep(0.2)
        yield


def _try_to_lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
