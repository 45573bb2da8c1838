"""A host's plug-in folder: exchanged as a whole, and only what was put there is ever taken away again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Mapping, Sequence

from ..common.language import _
from .process import Problem

CORE = Path(__file__).resolve().parents[2] / "shared" / "layerlift" / "__init__.py"
MANIFEST = "installed.json"
WORKER = "worker.json"


def version() -> str:
    """The version of this checkout, which is written down in the core alone."""
    found: str = re.findall(r'^__version__ = "(.*)"$', CORE.read_text("utf-8"), re.MULTILINE)[0]
    return found


class PluginFolder:
    """A folder `PROFILE/SOMETHING/layerlift`.

    `installed.json` in it lists the files that the installer put there with their SHA-256. All else in the folder is
    the user's: it is carried over when the plug-in changes and stays when it goes.

    A file `layerlift.desktop` is put beside the folder, too: Krita looks for it there. It comes last and goes first, so
    that it never tells of a plug-in that is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._desktop = folder.with_suffix(".desktop")
        profile = folder.parent.parent
        # Not beside it: GIMP looks into every folder there.
        self._new = profile / ".layerlift-new"
        self._old = profile / ".layerlift-old"

    def differences(self, files: Mapping[str, Path], python: Path) -> list[str]:
        """What keeps the folder from being as shipped, one short line each; nothing: it is up to date."""
        wanted = _contents(files, python)
        found = []
        for name, content in wanted.items():
            for file in self._places(name):
                if not file.is_file():
                    found.append(_("{file} is missing").format(file=name))
                elif file.read_bytes() != content:
                    found.append(_("{file} differs").format(file=name))
                elif _is_program(content) and not os.access(str(file), os.X_OK):
                    found.append(_("{file} may not be run").format(file=name))
        listed = self._manifest()
        found += [_("{file} is of an older release").format(file=name) for name in listed if name not in wanted]
        if not found and listed != {name: _digest(content) for name, content in wanted.items()}:
            found.append(_("{file} differs").format(file=MANIFEST))
        return found

    def install(self, files: Mapping[str, Path], python: Path) -> None:
        """Put the plug-in there in one step. Raises Problem where that would touch what is not ours."""
        self._recover()
        if self.folder.is_symlink():
            problem = _("{folder} is a link that this installer did not make: remove it, then run this again")
            raise Problem(problem.format(folder=self.folder))
        wanted = _contents(files, python)
        ours = self._manifest()
        for place in [place for name in wanted if name not in ours for place in self._places(name)]:
            if place.exists():
                problem = _("{place} is not from this installer: move it elsewhere, then run this again")
                raise Problem(problem.format(place=place))
        try:
            if self.folder.exists():
                shutil.copytree(str(self.folder), str(self._new), symlinks=True)
                _take_away(self._new, ours)
            for name, content in wanted.items():
                _write(self._new / name, content)
                if _is_program(content):
                    (self._new / name).chmod(0o755)
            manifest = {name: _digest(content) for name, content in wanted.items()}
            _write(self._new / MANIFEST, json.dumps(manifest, indent=1).encode())
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            if self.folder.exists():
                self.folder.rename(self._old)
            self._new.rename(self.folder)
            if self._desktop.name in wanted:
                self._desktop.write_bytes(wanted[self._desktop.name])
        except OSError as error:
            self._recover()
            problem = _("The plug-in could not be put into {folder}: {error}")
            raise Problem(problem.format(folder=self.folder, error=error)) from error
        shutil.rmtree(str(self._old), ignore_errors=True)

    def is_made_for(self, environments: Sequence[Path]) -> bool:
        """Whether the installer put a plug-in there whose worker is in one of these environments."""
        try:
            python = Path(json.loads((self.folder / WORKER).read_text("utf-8"))["python"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return WORKER in self._manifest() and any(environment in python.parents for environment in environments)

    def remove(self) -> bool:
        """Take away what the manifest lists, and the folder when nothing else is in it; False: nothing was there."""
        self._recover()
        ours = self._manifest()
        if not ours:
            return False
        if self._desktop.name in ours and self._desktop.exists():
            self._desktop.unlink()
        _take_away(self.folder, ours)
        return True

    def _places(self, name: str) -> list[Path]:
        return [self.folder / name, *([self._desktop] if name == self._desktop.name else [])]

    def _recover(self) -> None:
        if self._old.exists() and not self.folder.exists():
            self._old.rename(self.folder)
        for leftover in (self._new, self._old):
            if leftover.exists():
                shutil.rmtree(str(leftover))

    def _manifest(self) -> dict[str, str]:
        try:
            listed = json.loads((self.folder / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(listed, dict):
            return {}
        return {str(name): str(digest) for name, digest in listed.items() if _is_inside(str(name))}


def _contents(files: Mapping[str, Path], python: Path) -> dict[str, bytes]:
    contents = {name: file.read_bytes() for name, file in files.items()}
    contents[WORKER] = json.dumps({"python": str(python), "version": version()}).encode()
    return contents


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_program(content: bytes) -> bool:
    return content.startswith(b"#!")


def _is_inside(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts and name not in ("", ".")


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _take_away(folder: Path, names: Mapping[str, str]) -> None:
    """Remove the named files, what Python compiled from them, the manifest, and folders that are empty then."""
    parents = {folder}
    for name in [*names, MANIFEST]:
        file = folder / name
        if file.exists():
            file.unlink()
        compiled = file.parent / "__pycache__"
        for cache in compiled.glob(f"{file.stem}.*.pyc"):
            cache.unlink()
        parents.update({compiled, *(parent for parent in file.parents if folder in parent.parents)})
    for parent in sorted(parents, key=lambda path: len(path.parts), reverse=True):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
