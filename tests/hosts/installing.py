"""A user who installs on the system of one host."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from .chroots import OUTSIDE
from .versions import System

CHECKOUT = Path(__file__).resolve().parents[2]
PHOTO = CHECKOUT / "tests" / "photos" / "astronaut.jpg"


class User:
    """A user with a home folder."""

    def __init__(self, home: Path, system: System) -> None:
        self.home = home
        self._system = system
        inside = system.command("true") != ["true"]
        self._python = "/usr/bin/python3" if inside else sys.executable
        self._variables = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            **pip_settings(OUTSIDE if inside else ""),
        }

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
