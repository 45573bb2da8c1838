"""The worker's own virtual environment.

A virtual environment can't be moved once it is made: its scripts carry its path. So it is made in place, and a stamp
that is written last tells a whole one from a half one. While a new one is made, the old one stands aside under another
name and comes back when the new one fails; an interrupted run is put right by the next.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..common.language import _
from . import gpu
from .process import Outcome, Problem, last_lines, run

MINIMUM = (3, 10)
SHIPPED = ("pyproject.toml", "README.md", "LICENSE")
INSTALL_TIMEOUT = 1800.0
ONNXRUNTIME = "onnxruntime"
NO_ENSUREPIP = re.compile("ensurepip is not available|No module named '?ensurepip")


def constraints(checkout: Path, kind: str = "") -> Path:
    """The tested set of packages with their hashes, or what a kind of graphics card takes besides; pip takes no other
    file."""
    return checkout / "shared" / ("constraints.txt" if not kind else f"constraints-{kind}.txt")


def fingerprint(checkout: Path, card: str = gpu.NONE) -> str:
    """A digest of all that goes into the environment; a changed one asks for a new environment."""
    digest = hashlib.sha256()
    files = [
        checkout / "pyproject.toml",
        constraints(checkout),
        *([constraints(checkout, card)] if card in gpu.SIZES else []),
        *sorted((checkout / "shared" / "layerlift").rglob("*")),
    ]
    for file in files:
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(checkout)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


class NoCard(Exception):
    """The packages for a graphics card could not be had; the text says why."""


class Environment:
    """A virtual environment at `folder`, made by the Python `base` (3.10 or later).

    `start` is the command that starts a Python, which it calls `{python}`; a sandbox has a longer one.
    """

    def __init__(self, folder: Path, base: str = sys.executable, start: tuple[str, ...] = ("{python}",)) -> None:
        self.folder = folder
        self._base = base
        self._start = start
        self._stamp = folder / "layerlift.json"
        self._aside = folder.with_name(folder.name + ".old")

    @property
    def in_sandbox(self) -> bool:
        """Whether another program has to start its Python."""
        return len(self._start) > 1

    @property
    def python(self) -> Path:
        """The environment's Python."""
        if sys.platform == "win32":
            return self.folder / "Scripts" / "python.exe"
        return self.folder / "bin" / "python"

    @property
    def command(self) -> Path:
        """The `layerlift` command."""
        return self.python.with_name("layerlift.exe" if sys.platform == "win32" else "layerlift")

    def call(self, *arguments: str, timeout: float = 600.0) -> Outcome:
        """Run the environment's Python, cut off from the caller's own Python settings and folder."""
        return run(self.starting("-I", *arguments), timeout)

    def tell_model(self, *arguments: str) -> bool:
        """Run `layerlift model`; whether it went well. What the command tells is shown as it comes."""
        return subprocess.call(self.starting("-I", "-m", "layerlift.command.main", "model", *arguments)) == 0

    def starting(self, *arguments: str) -> list[str]:
        """The command that starts the environment's Python."""
        return [part.replace("{python}", str(self.python)) for part in self._start] + list(arguments)

    def state(self) -> str:
        """The fingerprint that the environment was made from; empty when it is not there or not whole."""
        return str(self._read_stamp().get("fingerprint", ""))

    def card(self) -> str:
        """The kind of graphics card that it was made for, one of `gpu.KINDS` or `gpu.NONE`."""
        found = str(self._read_stamp().get("gpu"))
        return found if found in gpu.KINDS else gpu.NONE

    def recover(self) -> None:
        """Put right what an interrupted run left behind."""
        if not self._aside.exists():
            return
        if self.state():
            shutil.rmtree(self._aside)
        else:
            self._bring_back()

    def make(self, checkout: Path, card: str = gpu.NONE) -> None:
        """Make the environment anew from the checkout, which may go afterwards, for a kind of graphics card.

        Raises Problem; NoCard where it was made but for what the card takes.
        """
        self.recover()
        if self.state():
            self._set_aside()
        elif self.folder.exists():
            shutil.rmtree(self.folder)
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self._create()
            self._install(checkout)
            trouble = self._install_for(card, checkout) if card in gpu.SIZES else ""
            card = gpu.NONE if trouble else card
            self._write_stamp({"fingerprint": fingerprint(checkout, card), "gpu": card})
        except BaseException:
            self._bring_back()
            raise
        shutil.rmtree(self._aside, ignore_errors=True)
        if trouble:
            raise NoCard(trouble)

    def remove(self) -> None:
        """Remove it, whole or half."""
        for folder in (self.folder, self._aside):
            if folder.exists():
                shutil.rmtree(folder)

    def _set_aside(self) -> None:
        try:
            self.folder.rename(self._aside)
        except OSError as error:
            problem = _("{folder} is in use ({error}): close GIMP and Krita, then run this again")
            raise Problem(problem.format(folder=self.folder, error=error)) from error

    def _bring_back(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._aside.exists():
            self._aside.rename(self.folder)

    def _create(self) -> None:
        start = [part.replace("{python}", self._base) for part in self._start]
        outcome = run([*start, "-m", "venv", str(self.folder)], INSTALL_TIMEOUT)
        if outcome.status == 0:
            return
        # Python breaks its lines anywhere in the sentence.
        if NO_ENSUREPIP.search(" ".join(outcome.output.split())):
            raise Problem(
                _(
                    "This Python can't make virtual environments: its ensurepip is missing. On Debian and Ubuntu:\n"
                    "    sudo apt install python3-venv      (or {package})\n"
                    "then run this again."
                ).format(package=f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
            )
        raise Problem(
            _(
                "The environment {folder} could not be made:\n{output}\n"
                "Check the free disk space and that the folder can be written, then run this again."
            ).format(folder=self.folder, output=last_lines(outcome.output))
        )

    def _install(self, checkout: Path) -> None:
        # Built from a copy: setuptools writes beside its sources, and the checkout may be read-only or in use.
        with tempfile.TemporaryDirectory(prefix="layerlift-", dir=str(self.folder)) as name:
            source = Path(name) / "source"
            source.mkdir()
            for file in (*(checkout / name for name in SHIPPED), constraints(checkout)):
                shutil.copy(str(file), str(source))
            shutil.copytree(
                str(checkout / "shared" / "layerlift"),
                str(source / "shared" / "layerlift"),
                ignore=shutil.ignore_patterns("__pycache__"),
            )
            outcome = self._pip("install", "--require-hashes", "-r", str(source / constraints(checkout).name))
            if outcome.status == 0:
                outcome = self._pip("install", "--no-deps", str(source))
        if outcome.status != 0:
            raise Problem(_packages_problem(outcome))

    def _install_for(self, card: str, checkout: Path) -> str:
        """Put the packages for a kind of graphics card in place of those for the processor.

        Returns what kept them from coming; then those for the processor are still there. Raises Problem.
        """
        with tempfile.TemporaryDirectory(prefix="layerlift-", dir=str(self.folder)) as wheels:
            # A sandbox may not see the checkout.
            listed = ("--no-deps", "--require-hashes", "-r", shutil.copy(str(constraints(checkout, card)), wheels))
            outcome = self._pip("download", "--only-binary=:all:", "--dest", wheels, *listed)
            if outcome.status != 0:
                return last_lines(outcome.output)
            if not any(Path(wheels).glob(f"{ONNXRUNTIME}_*.whl")):
                return _("there are none for this computer")
            # Both have the same folder: what is removed later would take the other's files with it.
            outcome = self._pip("uninstall", "--yes", ONNXRUNTIME)
            if outcome.status == 0:
                outcome = self._pip("install", "--no-index", "--find-links", wheels, *listed)
        if outcome.status != 0:
            raise Problem(_packages_problem(outcome))
        return ""

    def _pip(self, task: str, *arguments: str) -> Outcome:
        command = ("-m", "pip", task, "--disable-pip-version-check", "--no-input")
        return self.call(*command, *arguments, timeout=INSTALL_TIMEOUT)

    def _read_stamp(self) -> dict[str, object]:
        try:
            stamp = json.loads(self._stamp.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) and self.python.exists() else {}

    def _write_stamp(self, stamp: dict[str, str]) -> None:
        temporary = self._stamp.with_suffix(".new")
        temporary.write_text(json.dumps(stamp), "utf-8")
        temporary.replace(self._stamp)


def _packages_problem(outcome: Outcome) -> str:
    return _(
        "The packages could not be installed:\n{output}\n"
        "Check the network connection (pip has to reach its package index) and the free disk space, "
        "then run this again."
    ).format(output=last_lines(outcome.output))
