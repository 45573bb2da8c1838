"""A machine for the installer to look at: real folders, and stand-ins for programs that are not here."""

from __future__ import annotations

from pathlib import Path

from plugin.installer.system import System


class Machine:
    """A machine with an empty home folder and a PATH of its own."""

    def __init__(self, root: Path) -> None:
        self.home, self.programs = root / "home", root / "programs"
        self.home.mkdir()
        self.programs.mkdir()

    def system(self, platform: str, **variables: str) -> System:
        return System(platform, self.home, {"PATH": str(self.programs), **variables})

    def has_program(self, name: str, script: str) -> Path:
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    def has_folder(self, place: str) -> Path:
        folder = self.home / place
        folder.mkdir(parents=True)
        return folder
