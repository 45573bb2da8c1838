"""``layerlift doctor``: a report on this installation that is safe to paste into a public bug tracker.

It names versions, settings and the last requests. The key is not in it, not even its end, nor is the user's name as
part of a path.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from .. import __version__, errors
from ..store import database, log
from ..store.journal import Journal
from ..store.settings import Settings

PACKAGES = ("requests", "pillow", "pyvips", "numpy", "platformdirs", "keyring", "werkzeug")
ENGINES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")
LOG_LINES = 20
_MISSING = "missing"
_USELESS = {
    "keyring.backends.fail.Keyring": "there is none, so a key is kept in a file",
    "keyring.backends.null.Keyring": "it is switched off and keeps nothing, so a key is kept in a file",
}


def run(_: argparse.Namespace) -> int:
    """Prints the report; 1 where something has to be mended."""
    settings = Settings()
    rows = list(report(settings))
    print("\n".join(_without_home(f"{title + ':':10} {text}") for title, text, _ in rows))
    lines = log.last_lines(settings.state_folder, LOG_LINES)
    print("\n".join(["", "Last log lines:", *map(_without_home, lines)]) if lines else "")
    return 0 if all(well for _, _, well in rows) else 1


def report(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    """What is looked at, what was found, and whether that is well."""
    yield "layerlift", f"{__version__}, Python {platform.python_version()}, {platform.platform()}", True
    engines = [name for name in ENGINES if _version(name) != _MISSING] or ENGINES[:1]
    yield "packages", ", ".join(f"{name} {_version(name)}" for name in (*PACKAGES, *engines)), True
    yield _keyring(settings)
    yield _service(settings)
    yield _offline(settings)
    if settings.gpu:
        yield _gpu(settings)
    yield _folder(settings.state_folder)
    yield _journal(settings.state_folder)


def _keyring(settings: Settings) -> tuple[str, str, bool]:
    if settings.keyring is None:
        return "keyring", "not used, because LAYERLIFT_HOME is set", True
    try:
        name = settings.keyring.name()
    except errors.KeyringUnusable as error:
        return "keyring", str(error), False
    return "keyring", _USELESS.get(name, name), True


def _service(settings: Settings) -> tuple[str, str, bool]:
    try:
        key = settings.key()
        if key is None:
            return "service", "no key is set, so the offline engine is used", True
        host = settings.api_host
    except errors.SetupError as error:
        return "service", str(error), False
    agreed = "allowed" if settings.has_agreed(host) else "not allowed yet"
    return "service", f"{host}, the key comes from the {key.source}, uploads are {agreed}", True


def _offline(settings: Settings) -> tuple[str, str, bool]:
    from ..models import fetching
    from ..removal.offline import Offline

    try:
        fetching.read(fetching.default_path())
    except errors.SetupError as error:
        return "offline", str(error), False
    found = Offline(settings).describe()
    here = ", ".join(model["name"] for model in found["models"] if model["installed"])
    free = "unknown" if found["free"] is None else f"{found['free'] / 1e9:.1f} GB"
    text = f"the models {here} are installed; {found['chosen']} is chosen, {found['used']} is used; free memory {free}"
    return "offline", f"{text}; {found['reason']}" if found["reason"] else text, found["used"] is not None


def _gpu(settings: Settings) -> tuple[str, str, bool]:
    from ..removal.offline import Offline

    try:
        card, failure = Offline(settings).try_gpu()
    except errors.SetupError as error:
        return "gpu", str(error), False
    none = "no packages for a graphics card are installed, so the processor is used"
    return "gpu", f"{card} is used" if card else failure or none, bool(card)


def _folder(folder: Path) -> tuple[str, str, bool]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return "state", str(folder), True
    except OSError as error:
        return "state", f"{folder} can't be written to: {error.strerror}", False


def _journal(folder: Path) -> tuple[str, str, bool]:
    if not (folder / database.NAME).exists():
        return "journal", "nothing has been paid for yet", True
    try:
        journal = Journal(folder)
    except errors.LayerliftError as error:
        return "journal", str(error), False
    states = Counter(entry.state for entry in journal.entries())
    size = journal.cache.size() / 1e6
    journal.close()
    return "journal", f"{', '.join(f'{n} {state}' for state, n in states.items())}; {size:.1f} MB of results", True


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return _MISSING


def _without_home(text: str) -> str:
    """A line that is `plain`. Paths below the home folder and the environment hold the user's name."""
    for folder, short in ((str(Path.home()), "~"), (sys.prefix, "ENVIRONMENT")):
        text = text.replace(folder, short)
    return errors.plain(text)
