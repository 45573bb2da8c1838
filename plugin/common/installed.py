"""What the installer has set up for this plug-in, which is in ``worker.json`` in its folder: how the worker starts."""

from __future__ import annotations

import json
from pathlib import Path

from .language import _
from .protocol import REINSTALL, WorkerError, native

# What a host sets for its own Python and libraries; the worker's Python must not see it.
_HOST_VARIABLES = ("PYTHON", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_", "GI_TYPELIB_PATH", "QT_", "VIRTUAL_ENV")
_KEYRING_VARIABLES = "PYTHON_KEYRING_"
"""Not the host's, though they begin so: they say where the user keeps the API key."""


def version() -> str:
    """This plug-in's version; "" where the installer has not been here."""
    return _written("version")


def command() -> list[str]:
    """The worker's command line.

    Raises:
        WorkerError: the installer has not been here, or its environment is gone.
    """
    python = _written("python")
    if not python:
        raise WorkerError("reinstall", " ".join((_("Layerlift is not set up."), REINSTALL)))
    try:
        found = Path(native(python)).exists()
    except (OSError, ValueError):
        found = False
    if not found:
        raise WorkerError("reinstall", " ".join((_("Layerlift's own Python is gone."), REINSTALL)))
    return [python, "-I", "-m", "layerlift.worker"]


def environment(host: dict[str, str]) -> dict[str, str]:
    """The host's environment without what the host set for itself."""
    return {
        name: value
        for name, value in host.items()
        if name.startswith(_KEYRING_VARIABLES) or not name.startswith(_HOST_VARIABLES)
    }


def _written(name: str) -> str:
    """What the installer has written down under a name, or ""."""
    try:
        return str(json.loads(Path(__file__).parents[1].joinpath("worker.json").read_text(encoding="utf-8"))[name])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
