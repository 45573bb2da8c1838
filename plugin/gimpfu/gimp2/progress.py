"""The progress bar: GIMP's own, or functions of the plug-in that stand in for it."""

from __future__ import annotations

import ctypes
import sys
import traceback
from typing import Any, Callable

from ..errors import GimpError
from .libgimp import LIBRARY, decode, encode

_TEXT, _INT = ctypes.c_char_p, ctypes.c_int
_progress_init = LIBRARY.function("gimp_progress_init", _INT, _TEXT)
_progress_text = LIBRARY.function("gimp_progress_set_text", _INT, _TEXT)
_progress_update = LIBRARY.function("gimp_progress_update", _INT, ctypes.c_double)


def progress_init(text: str | None = None) -> None:
    """Show the progress bar, empty, with this text."""
    _progress_init(encode(text))


def progress_update(fraction: float) -> None:
    """Fill the progress bar to this fraction."""
    _progress_update(fraction)


def progress_set_text(text: str) -> None:
    """Change the progress bar's text."""
    _progress_text(encode(text))


_Start = ctypes.CFUNCTYPE(None, _TEXT, _INT, ctypes.c_void_p)
_End = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_SetText = ctypes.CFUNCTYPE(None, _TEXT, ctypes.c_void_p)
_SetValue = ctypes.CFUNCTYPE(None, ctypes.c_double, ctypes.c_void_p)
_install = LIBRARY.function("gimp_progress_install", _TEXT, _Start, _End, _SetText, _SetValue, ctypes.c_void_p)
_uninstall = LIBRARY.function("gimp_progress_uninstall", ctypes.c_void_p, _TEXT)


class InstalledProgress:
    """The functions that are installed. C holds their addresses, so they are kept until they are uninstalled."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def install(
        self,
        start: Callable[..., Any],
        end: Callable[..., Any],
        text: Callable[..., Any],
        value: Callable[..., Any],
        data: Any = None,
    ) -> str:
        """Send the progress of procedures that this plug-in calls to its own functions.

        They are called as start(text, cancelable), end(), text(text) and value(fraction), each with `data` after
        these if it is given. Returns the name that progress_uninstall takes.
        """
        more = () if data is None else (data,)
        callbacks = (
            _Start(lambda message, cancelable, _: _call(start, decode(message), bool(cancelable), *more)),
            _End(lambda _: _call(end, *more)),
            _SetText(lambda message, _: _call(text, decode(message), *more)),
            _SetValue(lambda fraction, _: _call(value, fraction, *more)),
        )
        name = decode(_install(*callbacks, None))
        if name is None:
            raise GimpError("error occurred while installing progress functions")
        self._kept[name] = callbacks
        return name

    def uninstall(self, name: str) -> None:
        """Give progress back to GIMP."""
        if name not in self._kept:
            raise GimpError("error occurred while uninstalling progress functions")
        _uninstall(encode(name))
        del self._kept[name]


def _call(function: Callable[..., Any], *arguments: Any) -> None:
    try:
        function(*arguments)
    except Exception:  # noqa: BLE001 - no Python exception can pass through C
        traceback.print_exc(file=sys.stderr)


_INSTALLED = InstalledProgress()
progress_install, progress_uninstall = _INSTALLED.install, _INSTALLED.uninstall
