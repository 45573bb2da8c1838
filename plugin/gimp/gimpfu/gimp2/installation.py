"""Telling GIMP about procedures, menus and file types."""

from __future__ import annotations

import ctypes
from typing import Any, Sequence, Tuple

from ..errors import GimpError
from .libgimp import LIBRARY, ParamDef, RunCallback, encode
from .objects import call
from .process import PROCESS

_TEXT, _INT = ctypes.c_char_p, ctypes.c_int
Definition = Tuple[int, str, str]
_ARGUMENTS = (*[_TEXT] * 8, _INT, _INT, _INT, ctypes.POINTER(ParamDef), ctypes.POINTER(ParamDef))
_install = LIBRARY.function("gimp_install_procedure", None, *_ARGUMENTS)
_install_temporary = LIBRARY.function("gimp_install_temp_proc", None, *_ARGUMENTS, RunCallback)


def _definitions(entries: Sequence[Definition]) -> Any:
    if not entries:
        return None  # libgimp wants NULL here
    return (ParamDef * len(entries))(*[ParamDef(kind, encode(name), encode(text)) for kind, name, text in entries])


def install_procedure(
    name: str,
    blurb: str,
    help: str,
    author: str,
    copyright: str,
    date: str,
    label: str | None,
    imagetypes: str | None,
    kind: int,
    params: Sequence[Definition],
    results: Sequence[Definition],
) -> None:
    """Declare a procedure; only while GIMP queries the plug-in."""
    texts = map(encode, (name, blurb, help, author, copyright, date, label, imagetypes))
    _install(*texts, kind, len(params), len(results), _definitions(params), _definitions(results))


def install_temp_proc(
    name: str,
    blurb: str,
    help: str,
    author: str,
    copyright: str,
    date: str,
    label: str | None,
    imagetypes: str | None,
    kind: int,
    params: Sequence[Definition],
    results: Sequence[Definition],
) -> None:
    """Declare a procedure that exists while the plug-in runs. GIMP's calls go to the run function of gimp.main()."""
    texts = map(encode, (name, blurb, help, author, copyright, date, label, imagetypes))
    counts = kind, len(params), len(results)
    _install_temporary(*texts, *counts, _definitions(params), _definitions(results), PROCESS.run_callback)


def uninstall_temp_proc(name: str) -> None:
    """Take a temporary procedure back."""
    LIBRARY.function("gimp_uninstall_temp_proc", None, _TEXT)(encode(name))


def menu_register(name: str, path: str) -> None:
    """Put a procedure into a menu."""
    if not LIBRARY.function("gimp_plugin_menu_register", _INT, _TEXT, _TEXT)(encode(name), encode(path)):
        raise GimpError(f"could not register procedure '{name}' in menu '{path}'")


def domain_register(name: str, path: str | None = None) -> None:
    """Name the translation domain of the plug-in's menu labels."""
    LIBRARY.function("gimp_plugin_domain_register", _INT, _TEXT, _TEXT)(encode(name), encode(path))


def register_load_handler(name: str, extensions: str, prefixes: str) -> None:
    """Make a procedure a file loader for these extensions."""
    call("gimp-register-load-handler", name, extensions, prefixes)


def register_magic_load_handler(name: str, extensions: str, prefixes: str, magics: str) -> None:
    """Make a procedure a file loader for these extensions and first bytes."""
    call("gimp-register-magic-load-handler", name, extensions, prefixes, magics)


def register_save_handler(name: str, extensions: str, prefixes: str) -> None:
    """Make a procedure a file writer for these extensions."""
    call("gimp-register-save-handler", name, extensions, prefixes)
