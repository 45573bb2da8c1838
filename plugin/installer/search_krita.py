"""Looks for every Krita of this user: installed ones, and folders of those that can't be seen from here."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Iterator

from .environment import Environment
from .krita import Krita, run_apart
from .kritarc import Kritarc
from .sandboxes import flatpak, snap
from .system import System

OLDEST = (5, 1)


def find_kritas(system: System) -> list[Krita]:
    """Every Krita of this user; each resource folder once."""
    kritas: dict[Path, Krita] = {}
    for krita in (*_native(system), *_store(system), *_flatpak(system), *_snap(system)):
        kritas.setdefault(krita.resources.resolve(), krita)
    return list(kritas.values())


def _native(system: System) -> Iterator[Krita]:
    if system.platform == "win32":
        data, settings = system.folder("APPDATA", "AppData/Roaming"), system.folder("LOCALAPPDATA", "AppData/Local")
    elif system.platform == "darwin":
        library = system.home / "Library"
        data, settings = library / "Application Support", library / "Preferences"
    else:
        data, settings = system.folder("XDG_DATA_HOME", ".local/share"), system.folder("XDG_CONFIG_HOME", ".config")
    runner = system.which("kritarunner")
    too_old = runner is not None and _version(runner) < OLDEST
    # Krita may be installed and never have been started. And there may be its folders alone: an AppImage lies
    # anywhere, and keeps its resources and settings where an installed Krita does.
    installed = not too_old and any(map(Path.exists, _programs(system)))
    if installed or (data / "krita").is_dir() or (settings / "kritarc").exists():
        console = (runner,) if runner and not too_old else ()
        yield _krita("Krita", data / "krita", settings / "kritarc", system.environment(), console)


def _krita(name: str, resources: Path, file: Path, environment: Environment, console: tuple[str, ...] = ()) -> Krita:
    settings = Kritarc(file)
    return Krita(name, settings.resources() or resources, settings, environment, console)


def _programs(system: System) -> Iterator[Path]:
    found = system.which("krita")
    if found and not found.startswith("/snap/"):
        yield Path(found)
    if system.platform == "darwin":
        for folder in (Path("/Applications"), system.home / "Applications"):
            yield folder / "krita.app"
    elif system.platform == "win32":
        yield system.folder("ProgramFiles", "C:/Program Files") / "Krita (x64)" / "bin" / "krita.exe"


def _version(runner: str) -> tuple[int, int]:
    """Of Krita, which can't tell it without a window, as its program for scripts tells it; from 5.3 on it is silent."""
    with tempfile.TemporaryDirectory(prefix="layerlift-") as profile:
        told = re.search(r"kritarunner (\d+)\.(\d+)", run_apart((runner, "--version"), Path(profile), 30).output)
    return (int(told[1]), int(told[2])) if told else (5, 3)


def _store(system: System) -> Iterator[Krita]:
    """Krita from the Microsoft Store: Windows gives a packaged program folders of its own."""
    if system.platform == "win32":
        packages = system.folder("LOCALAPPDATA", "AppData/Local") / "Packages"
        for own in packages.glob("*Krita_*/LocalCache"):
            resources = own / "Roaming" / "krita"
            yield _krita("Krita (Microsoft Store)", resources, own / "Local" / "kritarc", system.environment())


def _flatpak(system: System) -> Iterator[Krita]:
    sandbox = flatpak(system, "org.kde.krita")
    if sandbox:
        resources, settings = sandbox.own / "data" / "krita", sandbox.own / "config" / "kritarc"
        yield _krita("Krita (Flatpak)", resources, settings, sandbox.environment)


def _snap(system: System) -> Iterator[Krita]:
    sandbox = snap(system, "krita")
    if sandbox:
        current = sandbox.own / "current"
        resources, settings = current / ".local" / "share" / "krita", current / ".config" / "kritarc"
        yield _krita("Krita (Snap)", resources, settings, sandbox.environment)
