"""The back end for GIMP 3: libgimp through GObject introspection (see contract.backend)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .buffers import Buffers as make_buffers
from .database import Database as make_database
from .enums import constants
from .process import PlugInProcess as make_process
from .progress import progress_init, progress_install, progress_set_text, progress_uninstall, progress_update

if TYPE_CHECKING:
    from ..contract.backend import Dialogs

__all__ = ["constants", "dialogs", "make_buffers", "make_database", "make_process", "progress_init",
           "progress_install", "progress_set_text", "progress_uninstall", "progress_update"]  # fmt: skip


def dialogs() -> Dialogs:
    """See the contract."""
    from . import dialog

    return dialog
