"""Krita: where the plug-in goes, how it is switched on, and how Krita's own Python is asked for it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from ..common.language import _
from .environment import Environment
from .hosts import Answer, catalogues, files_below
from .kritarc import Kritarc
from .process import Outcome, last_lines, run

ASK_TIMEOUT = 120.0
MODULE = "layerlift"
LOADED = "layerlift is loaded"


class Krita(NamedTuple):
    """One Krita with one resource folder and its settings; `console` is its kritarunner."""

    name: str
    resources: Path
    settings: Kritarc
    environment: Environment
    console: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The plug-in's folder."""
        return self.resources / "pykrita" / MODULE

    @property
    def switches(self) -> tuple[Kritarc, ...]:
        """Krita loads only what its settings name."""
        return (self.settings,)

    @property
    def menu(self) -> str:
        """Where the plug-in is in Krita's menus."""
        # Translators: as it reads in Krita's own menus in this language.
        return _("Tools > Remove Background")

    def files(self, checkout: Path) -> dict[str, Path]:
        """What the plug-in's folder is given: the name in the folder to the file in the checkout."""
        plugin = checkout / "plugin"
        desktop = f"{MODULE}.desktop"
        files = {desktop: plugin / "krita" / desktop}
        module = files_below(plugin / "krita" / MODULE)
        return {**files, **module, **files_below(plugin, "common"), **catalogues(checkout)}

    def make_profile(self) -> None:
        """Nothing to do: Krita fills also folders that others have made."""

    def ask(self) -> Answer:
        """Load the plug-in in Krita's own Python, in a profile that goes again: kritarunner never uses Krita's own."""
        with tempfile.TemporaryDirectory(prefix="layerlift-") as name:
            scripts = Path(name) / "kritarunner" / "pykrita"
            scripts.mkdir(parents=True)
            if self.folder.is_dir():
                shutil.copytree(str(self.folder), str(scripts / MODULE))
            # kritarunner hands its arguments to the function, and drops what is not flushed.
            (scripts / "ask_layerlift.py").write_text(
                f'def ask(arguments):\n    import {MODULE}\n    print("{LOADED}", flush=True)\n', "ascii"
            )
            printed = run_apart((*self.console, "-s", "ask_layerlift", "-f", "ask"), Path(name), ASK_TIMEOUT).output
            printed = printed.replace(str(scripts), str(self.folder.parent))
        if LOADED in printed:
            return Answer([MODULE], [], "")
        return Answer([], [MODULE] if "krita.scripting" in printed else [], _complaint(printed))


def run_apart(command: tuple[str, ...], profile: Path, timeout: float) -> Outcome:
    """Run kritarunner without a window and on a profile of its own."""
    data = profile / "kritarunner"
    data.mkdir(exist_ok=True)
    # Else it would first unpack all of Krita's resources there, 90 MB of them.
    (data / "KRITA_RESOURCE_VERSION").write_text("99.0.0", "ascii")
    own = ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # Krita's Python takes its packages from the first python3 on PATH, which may be the one that runs the installer.
    variables["PATH"] = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    variables.update(dict.fromkeys(own, str(profile)), QT_QPA_PLATFORM="offscreen")
    return run(command, timeout, variables)


def _complaint(printed: str) -> str:
    """What Krita has printed of a plug-in that it could not load; kritarunner exits with 0 all the same."""
    missing = re.search(r"No module named '(PyQt\d)'", printed)
    if missing:
        return _(
            "it has no {module}, which all of its Python plug-ins need; "
            "on Debian and Ubuntu: sudo apt install {package}"
        ).format(module=missing[1], package=f"python3-{missing[1].lower()}")
    told = re.findall(r'^krita\.scripting: "(?!No result)(.*)"$', printed, re.MULTILINE)
    return _("it prints\n{output}").format(output=last_lines("\n".join(told).replace('\\"', '"') or printed))
