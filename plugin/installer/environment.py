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
from .process import Outcome, Problem, last_lines, run

MINIMUM = (3, 10)
SHIPPED = ("pyproject.toml", "README.md", "LICENSE")
CONSTRAINTS = "constraints.txt"
"""The tested set of packages with their hashes, in `shared`; pip takes no other file."""
INSTALL_TIMEOUT = 1800.0
NO_ENSUREPIP = re.compile("ensurepip is not available|No module named '?ensurepip")


def fingerprint(checkout: Path) -> str:
    """A digest of all that goes into the environment; a changed one asks for a new environment."""
    digest = hashlib.sha256()
    files = [
        checkout / "pyproject.toml",
        checkout / "shared" / CONSTRAINTS,
        *sorted((checkout / "shared" / "layerlift").rglob("*")),
    ]
    for file in files:
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(checkout)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


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

    def fetch_model(self, name: str) -> bool:
        """Fetch an offline model; whether it is there. What the command tells is shown as it comes."""
        return subprocess.call(self.starting("-I", "-m", "layerlift.command.main", "model", "fetch", name)) == 0

    def starting(self, *arguments: str) -> list[str]:
        """The command that starts the environment's Python."""
        return [part.replace("{python}", str(self.python)) for part in self._start] + list(arguments)

    def state(self) -> str:
        """The fingerprint that the environment was made from; empty when it is not there or not whole."""
        try:
            stamp = json.loads(self._stamp.read_text("utf-8"))
        except (OSError, ValueError):
            return ""
        return str(stamp.get("fingerprint", "")) if self.python.exists() else ""

    def recover(self) -> None:
        """Put right what an interrupted run left behind."""
        if not self._aside.exists():
            return
        if self.state():
            shutil.rmtree(self._aside)
        else:
            self._bring_back()

    def make(self, checkout: Path) -> None:
        """Make the environment anew from the checkout, which may go afterwards. Raises Problem."""
        self.recover()
        if self.state():
            self._set_aside()
        elif self.folder.exists():
            shutil.rmtree(self.folder)
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self._create()
            self._install(checkout)
            self._write_stamp(fingerprint(checkout))
        except BaseException:
            self._bring_back()
            raise
        shutil.rmtree(self._aside, ignore_errors=True)

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
            for file in SHIPPED:
                shutil.copy(str(checkout / file), str(source / file))
            shutil.copy(str(checkout / "shared" / CONSTRAINTS), str(source / CONSTRAINTS))
            shutil.copytree(
                str(checkout / "shared" / "layerlift"),
                str(source / "shared" / "layerlift"),
                ignore=shutil.ignore_patterns("__pycache__"),
            )
            outcome = self._pip("--require-hashes", "-r", str(source / CONSTRAINTS))
            if outcome.status == 0:
                outcome = self._pip("--no-deps", str(source))
        if outcome.status != 0:
            raise Problem(
                _(
                    "The packages could not be installed:\n{output}\n"
                    "Check the network connection (pip has to reach its package index) and the free disk space, "
                    "then run this again."
                ).format(output=last_lines(outcome.output))
            )

    def _pip(self, *arguments: str) -> Outcome:
        command = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input")
        return self.call(*command, *arguments, timeout=INSTALL_TIMEOUT)

    def _write_stamp(self, state: str) -> None:
        temporary = self._stamp.with_suffix(".new")
        temporary.write_text(json.dumps({"fingerprint": state}), "utf-8")
        temporary.replace(self._stamp)
