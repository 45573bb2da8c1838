"""Telling GIMP about procedures, menus and file types."""

from __future__ import annotations

import ctypes
from typing import Any, Sequence

from ..contract.process import Declaration, Definition, Process
from ..errors import GimpError
from .libgimp import LIBRARY, ParamDef, RunCallback, encode

_TEXT, _INT = ctypes.c_char_p, ctypes.c_int
_ARGUMENTS = (*[_TEXT] * 8, _INT, _INT, _INT, ctypes.POINTER(ParamDef), ctypes.POINTER(ParamDef))
_install = LIBRARY.function("gimp_install_procedure", None, *_ARGUMENTS)
_install_temporary = LIBRARY.function("gimp_install_temp_proc", None, *_ARGUMENTS, RunCallback)


def _definitions(entries: Sequence[Definition]) -> Any:
    if not entries:
        return None  # libgimp wants NULL here
    return (ParamDef * len(entries))(*[ParamDef(kind, encode(name), encode(text)) for kind, name, text in entries])


def _c_arguments(declaration: Declaration) -> tuple[Any, ...]:
    *texts, kind, params, results = declaration
    counts = kind, len(params), len(results)
    return (*map(encode, texts), *counts, _definitions(params), _definitions(results))


class Installation(Process):
    """What a plug-in process declares. `run_callback` is what GIMP calls to run a procedure, once there is one."""

    run_callback: Any = RunCallback()

    def declare(self, declaration: Declaration) -> None:
        """See the contract."""
        _install(*_c_arguments(declaration))

    def declare_temporary(self, declaration: Declaration) -> None:
        """See the contract."""
        _install_temporary(*_c_arguments(declaration), self.run_callback)

    def uninstall_temp_proc(self, name: str) -> None:
        """See the contract."""
        LIBRARY.function("gimp_uninstall_temp_proc", None, _TEXT)(encode(name))

    def menu_register(self, name: str, path: str) -> None:
        """See the contract."""
        if not LIBRARY.function("gimp_plugin_menu_register", _INT, _TEXT, _TEXT)(encode(name), encode(path)):
            raise GimpError(f"could not register procedure '{name}' in menu '{path}'")

    def domain_register(self, name: str, path: str | None = None) -> None:
        """See the contract."""
        LIBRARY.function("gimp_plugin_domain_register", _INT, _TEXT, _TEXT)(encode(name), encode(path))

    def register_load_handler(self, name: str, extensions: str, prefixes: str) -> None:
        """See the contract."""
        self.database["gimp-register-load-handler"](name, extensions, prefixes)

    def register_magic_load_handler(self, name: str, extensions: str, prefixes: str, magics: str) -> None:
        """See the contract."""
        self.database["gimp-register-magic-load-handler"](name, extensions, prefixes, magics)

    def register_save_handler(self, name: str, extensions: str, prefixes: str) -> None:
        """See the contract."""
        self.database["gimp-register-save-handler"](name, extensions, prefixes)

    def extension_ack(self) -> None:
        """See the contract."""
        LIBRARY.function("gimp_extension_ack", None)()

    def extension_enable(self) -> None:
        """See the contract."""
        LIBRARY.function("gimp_extension_enable", None)()

    def extension_process(self, timeout: int) -> None:
        """See the contract."""
        LIBRARY.function("gimp_extension_process", None, ctypes.c_uint)(timeout)
