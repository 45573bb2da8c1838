"""The image editors that take a plug-in: where they keep their settings, what they are given, how they are asked."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .dialects import dialect
from .environment import Environment
from .process import Outcome, run

ASK_TIMEOUT = 120.0
PROCEDURES = ("python-fu-layerlift", "python-fu-layerlift-settings")


class Answer(NamedTuple):
    """What an editor says about the plug-in: which procedures it knows and which not, and all that it printed."""

    known: list[str]
    unknown: list[str]
    printed: str


class Host(NamedTuple):
    """One editor with one settings folder; `version` is one of VERSIONS.

    Where the editor lives in a sandbox, `sandbox` is the command that starts a program `{python}` in there, and `data`
    is a folder that the sandbox can see: the worker's environment is then made with the sandbox's own Python.
    `console` starts the editor without a window; it is empty where that is not known.
    """

    name: str
    version: str
    profile: Path
    data: Path
    sandbox: tuple[str, ...]
    console: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The plug-in's folder."""
        return self.profile / "plug-ins" / "layerlift"

    @property
    def environment(self) -> Environment:
        """The environment that the plug-in's worker runs in."""
        if self.sandbox:
            return Environment(self.data / "env", "python3", self.sandbox)
        return Environment(self.data / "env")

    def make_profile(self) -> None:
        """Let an editor that was never started make its settings folder: it fills only one that it makes itself."""
        if self.console and not self.profile.exists():
            self.batch("()")

    def ask(self) -> Answer:
        """Ask the editor itself, on the user's own settings folder, which of the plug-in's procedures it knows."""
        speech = dialect(self.version)
        printed = self.batch("(begin " + " ".join(map(speech.question, PROCEDURES)) + ")").output
        known = [name for name in PROCEDURES if speech.yes(name) in printed]
        return Answer(known, [name for name in PROCEDURES if speech.no(name) in printed], printed)

    def batch(self, script: str, timeout: float = ASK_TIMEOUT) -> Outcome:
        """Run Script-Fu without a window on the user's own settings folder.

        GIMP 2.10 exits with 0 even when a script fails, and prints messages on stderr: judge by the output.
        """
        return run((*self.console, *dialect(self.version).arguments(script)), timeout)


def plugin_files(checkout: Path) -> dict[str, Path]:
    """What a GIMP plug-in folder is given: the name in the folder to the file in the checkout."""
    plugin = checkout / "plugin"
    files = {name: plugin / "gimp" / name for name in ("layerlift.py", "strips.py")}
    files["bridge.py"] = plugin / "bridge.py"
    for file in sorted((plugin / "gimp" / "gimpfu").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            files[file.relative_to(plugin / "gimp").as_posix()] = file
    return files
