"""gimpui: what plug-ins with windows of their own need of GIMP's widgets. PyGTK, for GTK's own, is no more."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ..contract import form
from ..host import HOST
from .objects import wrap


def gimp_ui_init() -> None:
    """Start GTK with GIMP's theme."""
    HOST.dialogs().start_toolkit()


def Form(
    title: str,
    rows: Sequence[Sequence[Any]],
    answers: Mapping[str, str],
    cancel: str = "",
    default: str | None = None,
) -> form.Form:
    """A window of a plug-in's own, in GIMP's look, whose `run()` returns how it was answered.

    The classic module had no such thing: plug-ins drew windows by PyGTK.

    Args:
        rows: as the parameters of register(), of the kinds PF_STRING, PF_SPINNER, PF_TOGGLE and PF_OPTION, or
            PF_PASSWORD (a text that is not shown while it is typed), PF_LABEL (a text to read), PF_PICTURE (the picture
            in the file that is its value) and PF_BUTTON (its value is a function, called with the form; buttons that
            follow each other share a row).
        answers: what the buttons below say, by the name that `run` returns, the most likely one first.
        cancel: what the button beside them says, which answers None; GIMP's own word where it is left out.
        default: the answer that Enter gives; Cancel where it is left out.

    Raises gimpfu.error where there is no display.
    """
    return HOST.dialogs().form(title, form.check(rows, answers), answers, cancel, default, wrap)


def copy_text(text: str) -> None:
    """Put a text on the clipboard, at least for as long as this plug-in shows windows. Raises gimpfu.error where there
    is no display."""
    HOST.dialogs().copy(text)
