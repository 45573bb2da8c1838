"""The image editors that take a plug-in: where they keep their settings, what they are given, how they are asked."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Iterator, Mapping, NamedTuple

from .environment import Environment
from .process import Outcome, run

ASK_TIMEOUT = 120.0
FLATPAK = "org.gimp.GIMP"
PROCEDURE = "python-fu-layerlift"


class System(NamedTuple):
    """The user's machine as far as the installer cares; `platform` is a value of sys.platform."""

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


class Host(NamedTuple):
    """One editor with one settings folder.

    Where the editor lives in a sandbox, `sandbox` is the command that starts a program `{python}` in there, and `data`
    is a folder that the sandbox can see: the worker's environment is then made with the sandbox's own Python.
    `console` starts the editor without a window; it is empty where that is not known.
    """

    name: str
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

    def is_registered(self) -> bool | None:
        """Ask the editor itself whether it knows the plug-in's procedure; None when it gives no answer."""
        answer = self.batch(
            f'(gimp-message (if (= TRUE (car (gimp-procedural-db-proc-exists "{PROCEDURE}")))'
            ' "layerlift is registered" "layerlift is unknown"))'
        ).output
        if "layerlift is registered" in answer:
            return True
        return False if "layerlift is unknown" in answer else None

    def batch(self, script: str, timeout: float = ASK_TIMEOUT) -> Outcome:
        """Run Script-Fu without a window on the user's own settings folder.

        GIMP 2.10 exits with 0 even when a script fails, and prints messages on stderr: judge by the output.
        """
        return run((*self.console, "-i", "-d", "-f", "-b", script, "-b", "(gimp-quit 1)"), timeout)


def plugin_files(checkout: Path) -> dict[str, Path]:
    """What a GIMP plug-in folder is given: the name in the folder to the file in the checkout."""
    plugin = checkout / "plugin"
    files = {name: plugin / "gimp" / name for name in ("layerlift.py", "strips.py")}
    files["bridge.py"] = plugin / "bridge.py"
    for file in sorted((plugin / "gimp" / "gimpfu").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            files[file.relative_to(plugin / "gimp").as_posix()] = file
    return files


def find_hosts(system: System) -> list[Host]:
    """Every GIMP 2.10 of this user; each settings folder once, for the editor that is there to use it."""
    hosts: dict[Path, Host] = {}
    candidates = [*_native(system), *_flatpak(system), *_snap(system)]
    for host in sorted(candidates, key=lambda host: not host.console and not host.sandbox):
        hosts.setdefault(host.profile.resolve(), host)
    return list(hosts.values())


def _native(system: System) -> Iterator[Host]:
    if system.platform == "win32":
        profile = system.folder("APPDATA", "AppData/Roaming") / "GIMP" / "2.10"
    elif system.platform == "darwin":
        profile = system.home / "Library" / "Application Support" / "GIMP" / "2.10"
    else:
        profile = system.folder("XDG_CONFIG_HOME", ".config") / "GIMP" / "2.10"
    if system.variables.get("GIMP2_DIRECTORY"):
        profile = system.folder("GIMP2_DIRECTORY", "")
    console = _native_console(system)
    # GIMP may be installed and never have been started: its settings folder is then made for it.
    if console or profile.is_dir():
        yield Host("GIMP 2.10", profile, system.data(), (), (console,) if console else ())


def _native_console(system: System) -> str:
    named = [system.which("gimp-console-2.10"), system.which("gimp-2.10")]
    if system.platform == "darwin":
        applications = (Path("/Applications"), system.home / "Applications")
        bundles = [
            folder / name / "Contents/MacOS" for folder in applications for name in ("GIMP-2.10.app", "GIMP.app")
        ]
        named += [str(bundle / name) for bundle in bundles for name in ("gimp-console-2.10", "gimp-2.10", "gimp")]
    elif system.platform == "win32":
        folders = (system.folder("ProgramFiles", "C:/Program Files"), system.data().parent / "Programs")
        named += [str(folder / "GIMP 2" / "bin" / "gimp-console-2.10.exe") for folder in folders]
    named += [system.which("gimp-console"), system.which("gimp")]
    for program in named:
        if program and Path(program).exists() and not program.startswith("/snap/") and _is_2_10(program):
            return program
    return ""


def _is_2_10(program: str) -> bool:
    return "2.10" in Path(program).name or " 2.10." in run((program, "--version"), 30).output


def _flatpak(system: System) -> Iterator[Host]:
    flatpak = system.which("flatpak")
    if not flatpak or not _has_2_10(run((flatpak, "info", FLATPAK), 30)):
        return
    own = system.home / ".var" / "app" / FLATPAK
    # Where ~/.config/GIMP was there first, the sandbox shares it.
    shared = system.home / ".config" / "GIMP"
    config = own / "config" / "GIMP"
    profile = (shared if shared.is_dir() and not config.exists() else config) / "2.10"
    yield Host(
        "GIMP 2.10 (Flatpak)",
        profile,
        own / "data" / "layerlift",
        (flatpak, "run", "--command={python}", FLATPAK),
        (flatpak, "run", "--command=gimp-console-2.10", FLATPAK),
    )


def _snap(system: System) -> Iterator[Host]:
    snap = system.which("snap")
    own = system.home / "snap" / "gimp"
    if not snap or not _has_2_10(run((snap, "list", "gimp"), 30)):
        return
    profile = own / "current" / ".config" / "GIMP" / "2.10"
    sandbox = (snap, "run", "--shell", "gimp", "-c", 'exec "$@"', "sh", "{python}")
    yield Host("GIMP 2.10 (Snap)", profile, own / "common" / "layerlift", sandbox, ())


def _has_2_10(information: Outcome) -> bool:
    words = information.output.split()
    return information.status == 0 and any(word == "2.10" or word.startswith("2.10.") for word in words)
