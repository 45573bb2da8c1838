"""The back end for GIMP 3: libgimp through GObject introspection (see contract.backend)."""

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
    """EXPORT_IGNORE: GIMP 3's exporters bring an image into form themselves."""
    return 1, image, drawable


def confirm(title: str, question: str) -> bool:
    """See the contract. GTK is loaded only now."""
    from .dialog import confirm as confirm_in_dialog

    return confirm_in_dialog(title, question)


def start_toolkit() -> None:
    """See the contract."""
    from .dialog import start

    start()


__all__ = [
    "confirm", "constants", "export", "make_buffers", "make_database", "make_process", "progress_init",
    "progress_install", "progress_set_text", "progress_uninstall", "progress_update", "start_toolkit",
]  # fmt: skip
