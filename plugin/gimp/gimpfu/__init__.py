"""gimpfu: the classic Python-Fu interface, for Python 3.

    from gimpfu import *

    def frame(image, drawable, width):
        ...

    register("frame", "Draw a frame", "Draw a frame", "author", "copyright", "year", "_Frame...", "*",
             [(PF_IMAGE, "image", "", None), (PF_DRAWABLE, "drawable", "", None),
              (PF_SPINNER, "width", "_Width", 10, (1, 100, 1))],
             [], frame, menu="<Image>/Filters/Decor")
    main()

The package lies in the plug-in's own folder. Importing it also makes `gimp`, `gimpenums`, `gimpcolor`, `gimpshelf`,
`gimpplugin` and `gimpui` importable; for a plug-in that imports one of them first, the files in `standins` go beside
it. It works over GIMP 2.10, whose libgimp it opens with ctypes.
"""

from __future__ import annotations

import gettext
import math
import sys
from typing import Any

from .errors import CancelError, error
from .parameters import *  # noqa: F403 - the PF_ names are a part of this interface
from .procedures import PlugIn, fail

GIMP2_ARGUMENTS = 6


def _back_end() -> Any:
    """The modules over the host that has started this process. GIMP 2.10 passes: -gimp, two pipes, mode, tracing."""
    if len(sys.argv) == GIMP2_ARGUMENTS and sys.argv[1] == "-gimp":
        from . import gimp2

        return gimp2
    if len(sys.argv) > 1 and sys.argv[1] == "-gimp":
        raise ImportError("This plug-in's gimpfu works with GIMP 2.10 and was started by another version of GIMP.")
    raise ImportError("This is a GIMP plug-in: GIMP 2.10 has to start it. Put its folder into GIMP's plug-ins folder.")


_host = _back_end()
sys.modules.update(_host.MODULES)
gimp, gimpcolor, gimpenums = (_host.MODULES[_name] for _name in ("gimp", "gimpcolor", "gimpenums"))
pdb = gimp.pdb
_constants: dict[str, Any] = gimpenums.CONSTANTS
globals().update(_constants)
_plug_in = PlugIn(gimp, _host.ask)
register = _plug_in.register
main = _plug_in.main


def N_(message: str) -> str:
    """Mark a text for translation."""
    return message


__all__ = [
    "CancelError", "N_", "error", "fail", "gettext", "gimp", "gimpcolor", "main", "math", "pdb", "register",
    *(name for name in globals() if name.startswith("PF_")), *_constants,
]  # fmt: skip
