"""What a plug-in may raise, and what happens then.

RuntimeError
    error           gimpfu.error: fail(text), or a wrong register(); GIMP shows the text
    CancelError     the user has changed their mind; the procedure ends as cancelled
    GimpError       gimp.error: a method or attribute of a GIMP object did not work
        ProcedureNotFound   (also an AttributeError and a KeyError) no such procedure in the PDB
"""

from __future__ import annotations


class error(RuntimeError):
    """The plug-in gives up; its text is shown to the user."""


class CancelError(RuntimeError):
    """The user has cancelled."""


class GimpError(RuntimeError):
    """GIMP could not do what a method or attribute was asked for."""


class ProcedureNotFound(GimpError, AttributeError, KeyError):
    """The procedural database has no such procedure, so hasattr(pdb, name) is False.

    The second argument names what has replaced it in the GIMP that runs, where that is known.
    """

    def __str__(self) -> str:
        name, *replacement = self.args
        hint = f"; in this GIMP it is {replacement[0]}" if any(replacement) else ""
        return f"procedure not found: {name}{hint}"


GimpError.__name__ = GimpError.__qualname__ = "error"
GimpError.__module__ = "gimp"
