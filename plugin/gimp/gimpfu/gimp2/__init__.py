"""The back end for GIMP 2.10: libgimp by ctypes. `MODULES` are the classic modules, `ask` is the dialog."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Sequence

from . import application, colors, enums, plugin, shelf, userinterface

__all__ = ["MODULES", "ask"]


def _module(name: str, contents: dict[str, Any], doc: str) -> ModuleType:
    module = ModuleType(name, doc)
    module.__dict__.update(contents)
    return module


def _enums_module() -> ModuleType:
    constants = enums.constants()
    return _module("gimpenums", {**constants, "CONSTANTS": constants, "__all__": list(constants)}, "GIMP's constants.")


MODULES: dict[str, ModuleType] = {
    "gimp": application,
    "gimpcolor": colors,
    "gimpenums": _enums_module(),
    "gimpshelf": shelf,
    "gimpplugin": plugin,
    "gimpui": userinterface,
}


def ask(procedure: Any, parameters: Sequence[Any], values: Sequence[Any]) -> Sequence[Any]:
    """Let the user choose the values; raises CancelError. GTK is loaded only now."""
    from .dialog import ask as ask_in_dialog

    return ask_in_dialog(procedure, parameters, values)
