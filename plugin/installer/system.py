"""The user's machine as far as the installer cares."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Mapping, NamedTuple

from .environment import Environment


class System(NamedTuple):
    """Platform (a value of sys.platform), home folder and variables."""

    platform: str
    home: Path
    variables: Mapping[str, str]

    @classmethod
    def of_this_user(cls) -> System:
        """The machine and the user that this process runs for."""
        return cls(sys.platform, Path.home(), os.environ)

    def folder(self, variable: str, default: str) -> Path:
        """A folder that a variable names, else one below the home folder; a relative one counts from home, too."""
        return self.home / (self.variables.get(variable) or default)

    def which(self, program: str) -> str | None:
        """The program on the user's PATH."""
        return shutil.which(program, path=self.variables.get("PATH"))

    def data(self) -> Path:
        """Where Layerlift keeps its environment."""
        if self.variables.get("LAYERLIFT_HOME"):
            return Path(self.variables["LAYERLIFT_HOME"]).absolute()
        if self.platform == "win32":
            return self.folder("LOCALAPPDATA", "AppData/Local") / "layerlift"
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support" / "layerlift"
        return self.folder("XDG_DATA_HOME", ".local/share") / "layerlift"

    def environment(self) -> Environment:
        """The worker's environment, for every editor that is in no sandbox, and for the command line."""
        return Environment(self.data() / "env")
