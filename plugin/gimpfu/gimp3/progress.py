"""The progress bar. GIMP 3 refuses to install functions of a Python plug-in in its place."""

from __future__ import annotations

from typing import Any, NoReturn

from ..contract.process import Callback
from ..errors import GimpError
from .library import Gimp


def progress_init(text: str | None = None) -> None:
    """See the contract."""
    Gimp.progress_init(text or "")


def progress_update(fraction: float) -> None:
    """See the contract."""
    Gimp.progress_update(fraction)


def progress_set_text(text: str) -> None:
    """See the contract."""
    Gimp.progress_set_text(text or "")


def progress_install(start: Callback, end: Callback, text: Callback, value: Callback, data: Any = None) -> NoReturn:
    """Always gimp.error: introspection can't fill GIMP's table of functions, and GIMP refuses one that C has filled."""
    raise GimpError("GIMP 3 can't send the progress of procedures to functions of a Python plug-in")


def progress_uninstall(name: str) -> NoReturn:
    """Always gimp.error: nothing can be installed."""
    raise GimpError("error occurred while uninstalling progress functions")
