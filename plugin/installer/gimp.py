"""GIMP: where the plug-in goes, and how GIMP is asked for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ..common.language import _
from .dialects import dialect
from .environment import Environment
from .hosts import Answer, catalogues, files_below
from .kritarc import Kritarc
from .process import Outcome, last_lines, run

ASK_TIMEOUT = 120.0
PROCEDURES = ("python-fu-layerlift", "python-fu-layerlift-all", "python-fu-layerlift-settings")
PROGRAM = "layerlift.py"


class Gimp(NamedTuple):
    """One GIMP with one settings folder; `version` is one of dialects.VERSIONS."""

    name: str
    version: str
    profile: Path
    environment: Environment
    console: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The plug-in's folder."""
        return self.profile / "plug-ins" / "layerlift"

    @property
    def switches(self) -> tuple[Kritarc, ...]:
        """GIMP loads what it finds."""
        return ()

    @property
    def menu(self) -> str:
        """Where the plug-in is in GIMP's menus."""
        # Translators: as it reads in GIMP's own menus in this language.
        return _("Filters > Remove Background")

    def files(self, checkout: Path) -> dict[str, Path]:
        """What the plug-in's folder is given: the name in the folder to the file in the checkout."""
        plugin = checkout / "plugin"
        files = {file.name: file for file in sorted((plugin / "gimp").glob("*.py"))}
        return {**files, **files_below(plugin, "gimpfu"), **files_below(plugin, "common"), **catalogues(checkout)}

    def make_profile(self) -> None:
        """Let a GIMP that was never started make its settings folder: it fills only one that it makes itself."""
        if self.console and not self.profile.exists():
            self.batch("()")

    def ask(self) -> Answer:
        """Ask GIMP itself, on the user's own settings folder, which of the plug-in's procedures it knows."""
        answer = self._ask()
        program = self.folder / PROGRAM
        if answer.unknown and program.exists():
            # GIMP asks a plug-in for its procedures once, until the file changes: what it lacked then may be there now.
            program.touch()
            answer = self._ask()
        return answer

    def batch(self, script: str, timeout: float = ASK_TIMEOUT) -> Outcome:
        """Run Script-Fu without a window on the user's own settings folder.

        GIMP 2.10 exits with 0 even when a script fails, and prints messages on stderr: judge by the output.
        """
        return run((*self.console, *dialect(self.version).arguments(script)), timeout)

    def _ask(self) -> Answer:
        speech = dialect(self.version)
        printed = self.batch("(begin " + " ".join(map(speech.question, PROCEDURES)) + ")").output
        known = [name for name in PROCEDURES if speech.yes(name) in printed]
        unknown = [name for name in PROCEDURES if speech.no(name) in printed]
        return Answer(known, unknown, _complaint(printed, self.folder) if unknown else last_lines(printed))


def _complaint(printed: str, folder: Path) -> str:
    """What GIMP has printed of a plug-in that it could not take."""
    named, rest = printed.partition(str(folder))[1:]
    if not named:
        return _("start it in a terminal, and look at what it prints")
    return _("it prints\n{output}").format(output=last_lines(named + re.split(r"\n\s*\n", rest)[0]))
