"""The classic modules, the same over every back end: `MODULES` by the names that plug-ins import them by."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..host import HOST
from ..values import colors
from . import application, plugin, shelf, userinterface

__all__ = ["MODULES"]


def _module(name: str, contents: dict[str, Any], doc: str) -> ModuleType:
    module = ModuleType(name, doc)
    module.__dict__.update(contents)
    return module


def _enums_module() -> ModuleType:
    constants = HOST.constants()
    return _module("gimpenums", {**constants, "CONSTANTS": constants, "__all__": list(constants)}, "GIMP's constants.")


MODULES: dict[str, ModuleType] = {
    "gimp": application,
    "gimpcolor": colors,
    "gimpenums": _enums_module(),
    "gimpshelf": shelf,
    "gimpplugin": plugin,
    "gimpui": userinterface,
}
