"""The back end for GIMP 2.10: libgimp by ctypes (see contract.backend)."""

from __future__ import annotations

from typing import Callable

from ..contract.database import Database, Wrap
from ..contract.process import Process
from . import database, process
from .buffers import Buffers
from .enums import constants
from .progress import progress_init, progress_install, progress_set_text, progress_uninstall, progress_update

make_buffers = Buffers


def make_database(wrap: Wrap, before_call: Callable[[bool], None]) -> Database:
    """See the contract."""
    return database.Database(wrap, before_call)


def make_process(pdb: Database, settle: Callable[[], None]) -> Process:
    """See the contract."""
    return process.PlugInProcess(pdb, settle)


def export(image: int, drawable: int, format_name: str | None, capabilities: int) -> tuple[int, int, int]:
    """See the contract. GTK is loaded only now."""
    from .export import export as export_in_dialog

    return export_in_dialog(image, drawable, format_name, capabilities)


def confirm(title: str, question: str) -> bool:
    """See the contract. GTK is loaded only now."""
    from .dialog import confirm as confirm_in_dialog

    return confirm_in_dialog(title, question)


def start_toolkit() -> None:
    """See the contract."""
    from .gtk import start

    start()


__all__ = [
    "confirm", "constants", "export", "make_buffers", "make_database", "make_process", "progress_init",
    "progress_install", "progress_set_text", "progress_uninstall", "progress_update", "start_toolkit",
]  # fmt: skip
