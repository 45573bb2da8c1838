"""The progress bar: GIMP's own, or functions of the plug-in that stand in for it."""

from __future__ import annotations

import ctypes
from typing import Any

from ..contract.process import Callback, guarded
from ..errors import GimpError
from .libgimp import LIBRARY, decode, encode

_TEXT, _INT = ctypes.c_char_p, ctypes.c_int
_progress_init = LIBRARY.function("gimp_progress_init", _INT, _TEXT)
_progress_text = LIBRARY.function("gimp_progress_set_text", _INT, _TEXT)
_progress_update = LIBRARY.function("gimp_progress_update", _INT, ctypes.c_double)


def progress_init(text: str | None = None) -> None:
    """See the contract."""
    _progress_init(encode(text))


def progress_update(fraction: float) -> None:
    """See the contract."""
    _progress_update(fraction)


def progress_set_text(text: str) -> None:
    """See the contract."""
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

    def install(self, start: Callback, end: Callback, text: Callback, value: Callback, data: Any = None) -> str:
        """See the contract."""
        more = () if data is None else (data,)
        callbacks = (
            _Start(lambda message, cancelable, _: guarded(start, decode(message), bool(cancelable), *more)),
            _End(lambda _: guarded(end, *more)),
            _SetText(lambda message, _: guarded(text, decode(message), *more)),
            _SetValue(lambda fraction, _: guarded(value, fraction, *more)),
        )
        name = decode(_install(*callbacks, None))
        if name is None:
            raise GimpError("error occurred while installing progress functions")
        self._kept[name] = callbacks
        return name

    def uninstall(self, name: str) -> None:
        """See the contract."""
        if name not in self._kept:
            raise GimpError("error occurred while uninstalling progress functions")
        _uninstall(encode(name))
        del self._kept[name]


_INSTALLED = InstalledProgress()
progress_install, progress_uninstall = _INSTALLED.install, _INSTALLED.uninstall
