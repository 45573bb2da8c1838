"""Users who install: on a machine of stand-ins, or on the system of one real host."""

from __future__ import annotations

import ast
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hosts.chroots import OUTSIDE
from hosts.versions import System as HostSystem

from plugin.installer.system import System

from . import wheelhouse
from .wheelhouse import offline

CHECKOUT = Path(__file__).resolve().parents[2]
PHOTO = CHECKOUT / "tests" / "photos" / "astronaut.jpg"
SHIPPED = ("install.py", "pyproject.toml", "README.md", "LICENSE", "shared", "plugin")
LONG = 600


class User:
    """A user with a home folder, a PATH of their own, a checkout, and no network: pip has `wheels` alone."""

    def __init__(self, root: Path, checkout: Path, wheels: Path | str = "") -> None:
        self.home = root / "Zoë's home"
        self.programs = root / "programs"
        self.home.mkdir(parents=True)
        self.programs.mkdir()
        self.checkout = checkout
        self.data = self.home / ".local" / "share" / "layerlift"
        self.profile = self.home / ".config" / "GIMP" / "2.10"
        self.folder = self.profile / "plug-ins" / "layerlift"
        self.pykrita = self.home / ".local" / "share" / "krita" / "pykrita"
        self.kritarc = self.home / ".config" / "kritarc"
        foreign = ("XDG_", "GIMP2_", "GIMP3_", "LAYERLIFT_", "YOUCAM_", "PYTHON", "PIP_", "LANG", "LC_")
        self.variables = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.variables.update(HOME=str(self.home), PATH=str(self.programs), LANG="C.UTF-8", **offline(wheels))

    @property
    def system(self) -> System:
        return System("linux", self.home, self.variables)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.checkout / "install.py"), *arguments]

    def install(self, *arguments: str, status: int = 0, limit: int = 0, **variables: str) -> str:
        """Run the installer and give back all that it prints; `limit` is the largest file that it may write."""

        def set_limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        outcome = subprocess.run(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONG,
            env={**self.variables, **variables},
            preexec_fn=set_limit if limit else None,
        )
        assert outcome.returncode == status, outcome.stdout
        assert "Traceback" not in outcome.stdout
        return outcome.stdout

    def has_program(self, name: str, script: str) -> None:
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def snapshot(self) -> dict[str, tuple[int, int]]:
        """Every file and folder of the home folder but the caches, with its time and size."""
        found = {}
        for path in self.home.rglob("*"):
            if ".cache" not in path.parts:
                state = path.lstat()
                found[str(path)] = (state.st_mtime_ns, state.st_size) if path.is_file() else (0, 0)
        return found


class HostUser:
    """A user with a home folder, on the system of one host."""

    def __init__(self, home: Path, system: HostSystem) -> None:
        self.home = home
        self._system = system
        inside = system.command("true") != ["true"]
        self._python = "/usr/bin/python3" if inside else sys.executable
        self._variables = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
        }
        outside = OUTSIDE if inside else ""
        wheels = wheels_for(system.command(self._python), {**self._variables, **pip_settings(outside)})
        self._variables.update(offline(f"{outside}{wheels}"))

    def install(self, *arguments: str, status: int = 0) -> str:
        """Run the installer; all that it prints."""
        outcome = subprocess.run(
            self._system.command(self._python, str(CHECKOUT / "install.py"), *arguments),
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        assert outcome.returncode == status, outcome.stdout
        return outcome.stdout

    def snapshot(self) -> dict[Path, int]:
        """Every file and folder of the home folder but the caches, with its time."""
        return {path: path.lstat().st_mtime_ns for path in self.home.rglob("*") if ".cache" not in path.parts}


def copy_checkout(folder: Path) -> None:
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in SHIPPED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)


def wheels_for(python: list[str], variables: dict[str, str]) -> Path:
    """What an install by a Python takes. Skips the test where it can't be had, and fails it in CI."""
    try:
        return wheelhouse.ready(python, variables)
    except wheelhouse.NoWheels as problem:
        reason = f"the packages that an install takes could not be downloaded (no network?): {problem}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def pip_settings(root: str) -> dict[str, str]:
    """What pip is told on this system, as variables for a system that has this one's files at `root`."""

    def moved(word: str) -> str:
        path = word[len("file://") :] if word.startswith("file:///") else word
        return word.replace(path, root + path) if path.startswith("/") and Path(path).exists() else word

    command = [sys.executable, "-m", "pip", "config", "list"]
    settings = {}
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        name, _, value = line.partition("=")
        variable = "PIP_" + name.rpartition(".")[2].upper().replace("-", "_")
        settings[variable] = " ".join(map(moved, str(ast.literal_eval(value)).split()))
    return settings
