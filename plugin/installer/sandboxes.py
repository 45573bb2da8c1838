"""Editors in a sandbox: they can't run what is outside, so the worker's environment is made by their own Python."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .environment import Environment
from .process import run
from .system import System


class Sandbox(NamedTuple):
    """An editor in a sandbox that `program` runs: its own folder, its environment, and what is told of its version."""

    program: str
    own: Path
    environment: Environment
    information: str


def flatpak(system: System, application: str) -> Sandbox | None:
    """The Flatpak application, where it is installed."""
    program = system.which("flatpak")
    information = run((program, "info", application), 30) if program else None
    if not program or not information or information.status != 0:
        return None
    own = system.home / ".var" / "app" / application
    start = (program, "run", "--command={python}", application)
    return Sandbox(program, own, Environment(own / "data" / "layerlift" / "env", "python3", start), information.output)


def snap(system: System, name: str) -> Sandbox | None:
    """The snap, where it is installed."""
    program = system.which("snap")
    listed = run((program, "list", name), 30) if program else None
    if not program or not listed or listed.status != 0:
        return None
    own = system.home / "snap" / name
    start = (program, "run", "--shell", name, "-c", 'exec "$@"', "sh", "{python}")
    return Sandbox(program, own, Environment(own / "common" / "layerlift" / "env", "python3", start), listed.output)
