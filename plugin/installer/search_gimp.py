"""Looks for every GIMP of this user: installed ones, and settings folders of those that can't be seen from here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

from .dialects import VERSIONS
from .gimp import Gimp
from .process import run
from .sandboxes import Sandbox, flatpak, snap
from .system import System

FLATPAK = "org.gimp.GIMP"


def find_gimps(system: System) -> list[Gimp]:
    """Every GIMP of this user, the newest first; each settings folder once, for the GIMP that is there to use it."""
    gimps: dict[Path, Gimp] = {}
    candidates = [*_native(system), *_store(system), *_flatpak(system), *_snap(system)]
    for gimp in sorted(candidates, key=lambda gimp: not gimp.console and not gimp.environment.in_sandbox):
        gimps.setdefault(gimp.profile.resolve(), gimp)
    return sorted(gimps.values(), key=lambda gimp: VERSIONS.index(gimp.version))


def _native(system: System) -> Iterator[Gimp]:
    consoles = _consoles(system)
    for version in VERSIONS:
        console = consoles.get(version)
        profile = _profile(system, version)
        # GIMP may be installed and never have been started: its settings folder is then made for it. And there may be
        # a folder alone: an AppImage lies anywhere, and keeps its settings where every other GIMP does.
        if console or profile.is_dir():
            yield Gimp(f"GIMP {version}", version, profile, system.environment(), (console,) if console else ())


def _profile(system: System, version: str) -> Path:
    variable = f"GIMP{version[0]}_DIRECTORY"
    if system.variables.get(variable):
        return system.folder(variable, "")
    if system.platform == "win32":
        settings = system.folder("APPDATA", "AppData/Roaming")
    elif system.platform == "darwin":
        settings = system.home / "Library" / "Application Support"
    else:
        settings = system.folder("XDG_CONFIG_HOME", ".config")
    return settings / "GIMP" / version


def _consoles(system: System) -> dict[str, str]:
    """The program that starts GIMP without a window, for each version that is installed."""
    consoles: dict[str, str] = {}
    for program in _programs(system):
        if program and Path(program).exists() and not program.startswith("/snap/"):
            consoles.setdefault(_version_of(program), program)
    return consoles


def _programs(system: System) -> Iterator[str | None]:
    names = [name for version in VERSIONS for name in (f"gimp-console-{version}", f"gimp-{version}")]
    yield from map(system.which, names)
    if system.platform == "darwin":
        for folder in (Path("/Applications"), system.home / "Applications"):
            for bundle in ("GIMP-2.10.app", "GIMP.app"):
                for name in (*names, "gimp"):
                    yield str(folder / bundle / "Contents" / "MacOS" / name)
    elif system.platform == "win32":
        for folder in (system.folder("ProgramFiles", "C:/Program Files"), system.data().parent / "Programs"):
            for version in VERSIONS:
                yield str(folder / f"GIMP {version[0]}" / "bin" / f"gimp-console-{version}.exe")
    yield from map(system.which, ("gimp-console", "gimp"))


def _version_of(program: str) -> str:
    """One of VERSIONS, or something else."""
    named = re.search(r"-(\d+\.\d+)(\.exe)?$", Path(program).resolve().name)
    return named[1] if named else _version_in(run((program, "--version"), 30).output)


def _version_in(text: str) -> str:
    """The first of VERSIONS that stands in the text as a word or as the beginning of one."""
    for word in text.split():
        for version in VERSIONS:
            if word == version or word.startswith(version + "."):
                return version
    return ""


def _store(system: System) -> Iterator[Gimp]:
    """GIMP from the Microsoft Store: Windows gives a packaged program a settings folder of its own."""
    if system.platform != "win32":
        return
    packages = system.folder("LOCALAPPDATA", "AppData/Local") / "Packages"
    for version in VERSIONS:
        for profile in packages.glob(f"GIMP*/LocalCache/Roaming/GIMP/{version}"):
            yield Gimp(f"GIMP {version} (Microsoft Store)", version, profile, system.environment(), ())


def _flatpak(system: System) -> Iterator[Gimp]:
    sandbox = flatpak(system, FLATPAK)
    version = _version_in(sandbox.information) if sandbox else ""
    if sandbox and version:
        profile = _flatpak_settings(system, sandbox) / version
        console = (sandbox.program, "run", f"--command=gimp-console-{version}", FLATPAK)
        yield Gimp(f"GIMP {version} (Flatpak)", version, profile, sandbox.environment, console)


def _flatpak_settings(system: System, sandbox: Sandbox) -> Path:
    """The folder that the sandbox sees as its settings: the user's, where it may and it is there, else its own.

    Flatpak binds the user's folder over the sandbox's own one, and makes it where the permission says so.
    """
    shared = system.folder("XDG_CONFIG_HOME", ".config") / "GIMP"
    permissions = re.split(r"[;=\s]", run((sandbox.program, "info", "--show-permissions", FLATPAK), 30).output)
    if "xdg-config/GIMP:create" in permissions or ("xdg-config/GIMP" in permissions and shared.is_dir()):
        return shared
    return sandbox.own / "config" / "GIMP"


def _snap(system: System) -> Iterator[Gimp]:
    sandbox = snap(system, "gimp")
    version = _version_in(sandbox.information) if sandbox else ""
    if sandbox and version:
        profile = sandbox.own / "current" / ".config" / "GIMP" / version
        yield Gimp(f"GIMP {version} (Snap)", version, profile, sandbox.environment, ())
