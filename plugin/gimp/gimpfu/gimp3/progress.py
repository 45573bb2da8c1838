"""The progress bar: GIMP's own, or functions of the plug-in that stand in for it."""

from __future__ import annotations

from typing import Any, Callable

from ..errors import GimpError
from .library import Gimp


def progress_init(text: str | None = None) -> None:
    """Show the progress bar, empty, with this text."""
    Gimp.progress_init(text or "")


def progress_update(fraction: float) -> None:
    """Fill the progress bar to this fraction."""
    Gimp.progress_update(fraction)


def progress_set_text(text: str) -> None:
    """Change the progress bar's text."""
    Gimp.progress_set_text(text or "")


def progress_install(
    start: Callable[..., Any], end: Callable[..., Any], text: Callable[..., Any], value: Callable[..., Any],
    data: Any = None,
) -> str:  # fmt: skip
    """GIMP 3 takes these functions from C alone: its table of them can't be filled by introspection."""
    raise GimpError("GIMP 3 can't send the progress of procedures to functions of a Python plug-in")


def progress_uninstall(name: str) -> None:
    """See progress_install."""
    raise GimpError("error occurred while uninstalling progress functions")
